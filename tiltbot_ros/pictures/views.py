"""What the camera saw before and after a tilt, with the action drawn into the tray."""

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from matplotlib.patheffects import AbstractPathEffect, withStroke

from tiltbot_ros.episodes.reader import Episode, Images
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.pictures import style
from tiltbot_ros.pictures.projection import TrayCamera, downhill

Floats = npt.NDArray[np.float64]

_ARROW_M = 0.13
"""Length of the arrow of the greatest tilt on the floor of the tray [m]."""

_MARGIN, _LEAST = 0.03, 0.09
"""Room between the arrow's head and the border, and its least length, in image heights."""

_OUTLINE: list[AbstractPathEffect] = [withStroke(linewidth=3.0, foreground="#00000099")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Views:
    """The frames before and after, and how to draw on them.

    Attributes:
        episode: whose.
        images: its colour frames.
        before, after: indices of the two frames.
        camera: None: its model or place is not known, and nothing is drawn in.
    """

    episode: Episode
    images: Images
    before: int
    after: int
    camera: TrayCamera | None

    @staticmethod
    def of(episode: Episode) -> "Views | None":
        """Return the views of an episode; None when it has no colour images."""
        try:
            images = episode.images()
        except EpisodeError:
            return None
        before, after = _around(images.stamps_ns, episode)
        return Views(
            episode=episode,
            images=images,
            before=before,
            after=after,
            camera=TrayCamera.of(episode),
        )

    def draw_before(self, axes: Axes) -> None:
        """Draw the frame before the tilt, with the arrow of the action."""
        self._frame(axes, self.before, "before")
        points = self.arrow(int(self.images.stamps_ns[self.before]))
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

    def draw_after(self, axes: Axes) -> None:
        """Draw the frame after the tilt, with the way that the object went."""
        self._frame(axes, self.after, "after")
        seen = self.episode.locations() if self._tracked() else None
        if self.camera is None or seen is None or not seen.valid.any():
            return
        stamp_ns = int(self.images.stamps_ns[self.after])
        way = self.camera.pixels(seen.positions[seen.valid], stamp_ns)
        times = (seen.stamps_ns[seen.valid] - self.episode.facts.contact.stamp_ns) / 1e9
        axes.plot(way[:, 0], way[:, 1], color="white", linewidth=1.2, alpha=0.8, zorder=3)
        dots = axes.scatter(
            way[:, 0],
            way[:, 1],
            c=times,
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

    def arrow(self, stamp_ns: int) -> Floats | None:
        """Return tail and head of the action's arrow, (2, 2) [pixels]; None: not known.

        It is parallel to the floor, begins at the object where that was
        tracked, otherwise in the middle of the tray, and points to where the
        tilt sends the object.
        """
        tilt = self.episode.facts.tilt
        if self.camera is None or tilt is None:
            return None
        most = self.episode.constant.max_tilt_rad or float(np.hypot(*tilt.rotation[:2])) or 1.0
        along = downhill(tilt.rotation) / most * _ARROW_M
        start = self._start_of_arrow()
        pixels = self.camera.pixels(np.stack([start, start + np.append(along, 0.0)]), stamp_ns)
        if not np.isfinite(pixels).all():
            return None
        return _inside(pixels, self.images.frames.shape[2], self.images.frames.shape[1])

    def _start_of_arrow(self) -> Floats:
        seen = self.episode.locations() if self._tracked() else None
        if seen is None or not seen.valid.any():
            return np.zeros(3)
        stamps = np.where(seen.valid, seen.stamps_ns, np.iinfo(np.int64).max // 2)
        nearest = np.abs(stamps - self.images.stamps_ns[self.before]).argmin()
        place: Floats = seen.positions[nearest]
        return place

    def _frame(self, axes: Axes, index: int, title: str) -> None:
        frame = self.images.frames[index]
        if self.images.encoding == "bgr8":
            frame = frame[..., ::-1]
        axes.imshow(frame, cmap="gray" if frame.ndim == 2 else None)
        axes.set_xlim(-0.5, frame.shape[1] - 0.5)
        axes.set_ylim(frame.shape[0] - 0.5, -0.5)
        axes.set_axis_off()
        t = (self.images.stamps_ns[index] - self.episode.facts.contact.stamp_ns) / 1e9
        axes.annotate(
            f"{title}  {t:+.2f} s",
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

    def _tracked(self) -> bool:
        return any(
            topic.name.endswith("/object_location") for topic in self.episode.constant.topics
        )


def _inside(arrow: Floats, width: int, height: int) -> Floats:
    """Return an arrow (2, 2) [pixels] shortened so far that its head stays in the image."""
    tail, along = arrow[0], arrow[1] - arrow[0]
    length = float(np.hypot(*along))
    if length == 0.0:
        return arrow
    margin = _MARGIN * height
    with np.errstate(divide="ignore"):
        room = np.where(along > 0, np.array([width, height]) - margin - tail, margin - tail) / along
    share = min(1.0, float(np.nanmin(np.where(along == 0, np.inf, room))))
    return np.stack([tail, tail + along * max(share, min(1.0, _LEAST * height / length))])


def _around(stamps_ns: npt.NDArray[np.int64], episode: Episode) -> tuple[int, int]:
    """Return the last frame before the tilt and the first after it, or the outermost."""
    tilt = episode.facts.tilt
    if tilt is None:
        return 0, len(stamps_ns) - 1
    before = int(np.searchsorted(stamps_ns, tilt.start_ns, "right")) - 1
    after = int(np.searchsorted(stamps_ns, tilt.end_ns, "left"))
    return max(before, 0), min(after, len(stamps_ns) - 1)
