"""Figures with pictures from the store: retrieval, actions, locations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tiltbot_ros.pictures import style

Picture = npt.NDArray[np.uint8]
Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """Where a location of the tray is in a picture of the store.

    Attributes:
        centre: (2,) column and row of the tray's centre [px].
        pixels: of a location of 1, x to the right, y up [px].
    """

    centre: npt.NDArray[np.float64]
    pixels: float

    def place(self, location: Vector) -> tuple[float, float]:
        """Return column and row of a location."""
        x, y = float(location[0]), float(location[1])
        return self.centre[0] + self.pixels * x, self.centre[1] - self.pixels * y


def fit_scale(pictures: npt.NDArray[np.uint8], locations: Vector) -> Scale:
    """Return the scale from pictures (n, side, side, 3) and the locations of the objects in them.

    What differs from the median picture is the object; its middle lies where
    its location says. Robust to a part of bad masks.
    """
    grey = pictures.astype(np.float32).mean(3)
    differs = np.abs(grey - np.median(grey, axis=0))
    side = pictures.shape[1]
    axis = np.arange(side, dtype=np.float64)
    middles, places = [], []
    for weight, location in zip(np.where(differs > 20, differs, 0.0), locations, strict=True):
        if np.isfinite(location).all() and weight.sum() > 0:
            total = weight.sum()
            middles.append(((weight.sum(0) * axis).sum() / total, weight.sum(1) @ axis / total))
            places.append((location[0], -location[1]))
    if len(places) < 3:
        return Scale(centre=np.full(2, (side - 1) / 2), pixels=side / 2 * 0.75)
    found, known = np.array(middles), np.array(places)
    # Far from the middle a location says much about the scale.
    far = (known**2).sum(1) >= np.median((known**2).sum(1))
    centre, pixels = np.median(found, axis=0), 0.0
    for _ in range(5):
        along = (known * (found - centre)).sum(1)[far] / (known**2).sum(1)[far]
        pixels = float(np.median(along))
        centre = np.median(found - pixels * known, axis=0)
    return Scale(centre=centre, pixels=pixels)


def retrieval_figure(rows: Sequence[Sequence[tuple[Picture, str]]]) -> Figure:
    """Draw each query and what was found for it, the query framed (figure 9)."""
    columns = max(len(row) for row in rows)
    figure = Figure(figsize=(1.7 * columns, 1.95 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, row in zip(grid, rows, strict=True):
        for number, (axes, (picture, name)) in enumerate(zip(line, row, strict=True)):
            _show(axes, picture, name)
            for spine in axes.spines.values():
                spine.set_visible(number == 0)
                spine.set_color("#2a9d6f")
                spine.set_linewidth(3)
    return figure


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionScene:
    """One interaction and the action that a model read from it.

    Attributes:
        title: over the pictures.
        before, after: pictures.
        true, predicted: actions (2,).
        location: (2,) of the object before; NaN: not seen.
    """

    title: str
    before: Picture
    after: Picture
    true: Vector
    predicted: Vector
    location: Vector


def actions_figure(scenes: Sequence[ActionScene], scale: Scale, *, columns: int = 3) -> Figure:
    """Draw predicted (black) against true (red) actions over pairs of pictures (figure 6).

    An arrow points downhill: where the tilt lets the object slide.
    """
    lines = -(-len(scenes) // columns)
    figure = Figure(figsize=(3.7 * columns, 2.05 * lines), layout="constrained")
    grid = figure.subplots(lines, 2 * columns, squeeze=False).reshape(-1, 2)
    for pair, scene in zip(grid, scenes, strict=False):
        _show(pair[0], scene.before, scene.title)
        _show(pair[1], scene.after, "")
        start = scene.location if np.isfinite(scene.location).all() else np.zeros(2, np.float32)
        for action, colour in ((scene.true, style.CONTACT), (scene.predicted, "black")):
            downhill = np.array([action[1], -action[0]], np.float32)
            tip = scale.place(start + 0.6 * downhill)
            arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 2}
            pair[0].annotate("", tip, scale.place(start), arrowprops=arrow)
    for pair in grid[len(scenes) :]:
        for axes in pair:
            axes.set_axis_off()
    return figure


@dataclass(frozen=True, kw_only=True, slots=True)
class LocationScene:
    """One interaction and where a model said that the object would be.

    Attributes:
        title: over the pictures.
        before, after: pictures.
        action: (2,).
        start, end, predicted: locations (2,).
    """

    title: str
    before: Picture
    after: Picture
    action: Vector
    start: Vector
    end: Vector
    predicted: Vector


def locations_figure(scenes: Sequence[LocationScene], scale: Scale, *, columns: int = 3) -> Figure:
    """Draw where the object was (green), was tilted to (arrow), and was predicted (red).

    As figure 12; the white circle is where it came to be.
    """
    lines = -(-len(scenes) // columns)
    figure = Figure(figsize=(3.7 * columns, 2.05 * lines), layout="constrained")
    grid = figure.subplots(lines, 2 * columns, squeeze=False).reshape(-1, 2)
    for pair, scene in zip(grid, scenes, strict=False):
        _show(pair[0], scene.before, scene.title)
        _show(pair[1], scene.after, "")
        downhill = np.array([scene.action[1], -scene.action[0]], np.float32)
        arrow = {"arrowstyle": "-|>", "color": style.CONTACT, "linewidth": 2}
        tip = scale.place(scene.start + 0.6 * downhill)
        pair[0].annotate("", tip, scale.place(scene.start), arrowprops=arrow)
        pair[0].plot(*scale.place(scene.start), "o", color="#2a9d6f", markersize=7)
        pair[1].plot(
            *scale.place(scene.end), "o", color="white", fillstyle="none", markersize=11, mew=2
        )
        pair[1].plot(*scale.place(scene.predicted), "o", color=style.CONTACT, markersize=7)
    for pair in grid[len(scenes) :]:
        for axes in pair:
            axes.set_axis_off()
    return figure


def _show(axes: Axes, picture: Picture, title: str) -> None:
    axes.imshow(picture, interpolation="bilinear")
    axes.set_xlim(-0.5, picture.shape[1] - 0.5)
    axes.set_ylim(picture.shape[0] - 0.5, -0.5)
    axes.set_title(title, fontsize=7)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
