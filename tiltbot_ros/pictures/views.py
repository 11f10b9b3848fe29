"""Draw the frames before and after a tilt, with the action and the object's way in the tray."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from matplotlib.patheffects import AbstractPathEffect, withStroke

from tiltbot_ros.pictures import style
from tiltbot_ros.pictures.scene import AFTER, BEFORE, Scene

_OUTLINE: list[AbstractPathEffect] = [withStroke(linewidth=3.0, foreground="#00000099")]


def draw_before(axes: Axes, scene: Scene) -> None:
    """Draw the frame before the tilt, with the arrow of the action."""
    _frame(axes, scene, BEFORE, "before")
    points = scene.arrow()
    if points is None:
        return
    arrow = FancyArrowPatch(
        tuple(points[0]),
        tuple(points[1]),
        arrowstyle="simple,head_length=13,head_width=15,tail_width=4.5",
        facecolor=style.ARROW,
        edgecolor=style.INK,
        linewidth=1.1,
        shrinkA=0,
        shrinkB=0,
        zorder=4,
    )
    axes.add_patch(arrow)


def draw_after(axes: Axes, scene: Scene) -> None:
    """Draw the frame after the tilt, with the way that the object went."""
    _frame(axes, scene, AFTER, "after")
    way = scene.way()
    if way is None:
        return
    axes.plot(way.pixels[:, 0], way.pixels[:, 1], color="white", linewidth=1.2, alpha=0.8, zorder=3)
    dots = axes.scatter(
        way.pixels[:, 0],
        way.pixels[:, 1],
        c=way.times,
        cmap=mpl.colormaps[style.TRACK],
        s=26,
        edgecolors="white",
        linewidths=0.7,
        zorder=4,
    )
    scale = axes.inset_axes((0.62, 0.075, 0.34, 0.022))
    bar = axes.figure.colorbar(dots, cax=scale, orientation="horizontal")
    bar.outline.set_visible(False)
    scale.tick_params(labelsize=7.5, length=0, pad=2, colors="white")
    scale.set_title("tracked [s]", fontsize=7.5, color="white", pad=3)
    for text in (*scale.get_xticklabels(), scale.title):
        text.set_path_effects(_OUTLINE)


def _frame(axes: Axes, scene: Scene, index: int, title: str) -> None:
    frame = scene.frame(index)
    axes.imshow(frame, cmap="gray" if frame.ndim == 2 else None)
    axes.set_xlim(-0.5, frame.shape[1] - 0.5)
    axes.set_ylim(frame.shape[0] - 0.5, -0.5)
    axes.set_axis_off()
    axes.annotate(
        f"{title}  {scene.time_s(index):+.2f} s",
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(8, -8),
        textcoords="offset points",
        va="top",
        fontsize=11,
        fontweight="bold",
        color="white",
        path_effects=_OUTLINE,
    )
