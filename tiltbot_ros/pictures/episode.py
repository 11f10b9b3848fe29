"""The picture of an episode: seen, heard, commanded, on one sheet."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, GridSpecFromSubplotSpec

from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.pictures import panels, style
from tiltbot_ros.pictures.scene import Scene
from tiltbot_ros.pictures.sound import waves
from tiltbot_ros.pictures.views import draw_after, draw_before

_SUFFIXES = (".png", ".pdf", ".svg", ".jpg")
_DPI = 110


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """One panel over time: its height in the sheet, and what draws it."""

    height: float
    draw: Callable[[Axes], None]


def draw_episode(path: Path, out: Path) -> Path:
    """Draw an episode; streams that were not recorded are left out of the sheet.

    Args:
        path: directory of the episode.
        out: the picture; its suffix says the format (.png, .pdf, .svg, .jpg).

    Returns:
        Where the picture is.

    Raises:
        EpisodeError: the episode cannot be read, or the picture not written.
    """
    if out.suffix.lower() not in _SUFFIXES:
        raise EpisodeError(f"expected a picture named *{', *'.join(_SUFFIXES)}, got '{out}'")
    figure = sheet(Episode.open(path))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, dpi=_DPI)
    except OSError as error:
        raise EpisodeError(f"{out}: cannot be written: {error.strerror}") from error
    return out


def sheet(episode: Episode) -> Figure:
    """Return the picture as a figure of its own, apart from pyplot's state."""
    scene = Scene.of(episode)
    rows = _rows(episode)
    if not rows and scene is None:
        raise EpisodeError(f"{episode.path}: expected sound, images or tray states, found none")
    width = 15.5 if scene is not None and rows else 10.0
    figure = Figure(figsize=(width, 8.8), facecolor=style.PAPER)
    columns = GridSpec(
        1,
        2 if scene is not None and rows else 1,
        figure=figure,
        width_ratios=(1.0, 1.9) if scene is not None and rows else None,
        left=0.015 if scene is not None else 0.08,
        right=0.94,
        top=0.885,
        bottom=0.065,
        wspace=0.13,
    )
    if scene is not None:
        frames = GridSpecFromSubplotSpec(2, 1, columns[0, 0], hspace=0.09)
        draw_before(figure.add_subplot(frames[0, 0]), scene)
        draw_after(figure.add_subplot(frames[1, 0]), scene)
    if rows:
        _draw_rows(figure, columns, rows, episode)
    panels.draw_title(figure, episode)
    return figure


def _rows(episode: Episode) -> list[_Row]:
    rows: list[_Row] = []
    heard = waves(episode)
    if heard is not None:
        rows += [
            _Row(
                height=0.75 + 0.45 * min(heard.samples.shape[1], 6),
                draw=partial(panels.draw_waveform, episode=episode, heard=heard),
            ),
            _Row(
                height=2.2,
                draw=partial(panels.draw_spectrogram, episode=episode, heard=heard),
            ),
        ]
    if panels.has_tray(episode):
        rows.append(_Row(height=1.9, draw=partial(panels.draw_tray, episode=episode)))
    return rows


def _draw_rows(figure: Figure, columns: GridSpec, rows: list[_Row], episode: Episode) -> None:
    grid = GridSpecFromSubplotSpec(
        len(rows), 1, columns[0, -1], height_ratios=[row.height for row in rows], hspace=0.14
    )
    first: Axes | None = None
    for number, row in enumerate(rows):
        axes = figure.add_subplot(grid[number, 0], sharex=first)
        first = first or axes
        style.plain(axes)
        row.draw(axes)
        panels.mark_contact(axes, label=number == 0)
        axes.tick_params(labelbottom=number == len(rows) - 1)
    if first is not None:
        first.set_xlim(panels.window(episode))
        figure.axes[-1].set_xlabel("time from the contact [s]")
