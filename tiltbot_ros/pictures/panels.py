"""The panels over time, and the title, of an episode's picture."""

import math

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tiltbot_ros.episodes.reader import Episode, Poses
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.pictures import style
from tiltbot_ros.pictures.sound import Waves, envelope, microphones, spectrogram
from tiltbot_ros.wording import local_time

_SPANS = 1400
_LOWEST_HZ, _HIGHEST_HZ = 100.0, 11_000.0
_TICKS_HZ = (100, 200, 500, 1000, 2000, 5000, 10_000)
_ROWS = 240
_RANGE_DB = 75.0
_PROBLEMS = 3
_HOLE_PERIODS = 5.0

Floats = npt.NDArray[np.float64]


def window(episode: Episode) -> tuple[float, float]:
    """Return the window of the episode from the contact [s]."""
    facts = episode.facts
    contact_ns = facts.contact.stamp_ns
    return (facts.start_ns - contact_ns) / 1e9, (facts.end_ns - contact_ns) / 1e9


def mark_contact(axes: Axes, *, label: bool) -> None:
    """Mark the contact at t = 0."""
    axes.axvline(0.0, color=style.CONTACT, linewidth=1.2, linestyle=(0, (4, 2)), zorder=1.5)
    if label:
        axes.annotate(
            "contact",
            (0.0, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(5, -2),
            textcoords="offset points",
            va="top",
            color=style.CONTACT,
            fontsize=10,
            fontweight="bold",
            zorder=6,
        )


def draw_waveform(axes: Axes, episode: Episode, heard: Waves) -> None:
    """Draw the channels one below the other, all to the same scale."""
    drawn = envelope(heard, _SPANS)
    channels = drawn.low.shape[1]
    peak = max(float(np.nanmax(np.abs([drawn.low, drawn.high]))), 1e-4)
    for channel in range(channels):
        axes.fill_between(
            drawn.times,
            -channel + 0.48 * drawn.low[:, channel] / peak,
            -channel + 0.48 * drawn.high[:, channel] / peak,
            color=_channel_colour(channel),
            linewidth=0.7,
            edgecolor="face",
        )
    axes.set_ylim(-channels + 0.45, 0.55)
    names = microphones(episode, channels)
    axes.set_yticks([-channel for channel in range(channels)], names)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for channel, tick in enumerate(axes.get_yticklabels()):
        tick.set_color(_channel_colour(channel))
        tick.set_fontweight("bold" if channel == episode.facts.contact.channel else "normal")
    note = f"{channels} x {heard.sample_rate / 1000:g} kHz, peak {20 * math.log10(peak):.0f} dBFS"
    if heard.missing:
        note += f", {heard.missing} frames missing"
    _note(axes, note)


def draw_spectrogram(axes: Axes, episode: Episode, heard: Waves) -> None:
    """Draw the power of all channels by frequency, with its scale."""
    highest = min(_HIGHEST_HZ, heard.sample_rate / 2)
    drawn = spectrogram(heard, lowest_hz=_LOWEST_HZ, highest_hz=highest, rows=_ROWS)
    start, end = window(episode)
    inside = drawn.decibels[:, (drawn.times >= start) & (drawn.times <= end)]
    known = inside[np.isfinite(inside)]
    top = float(known.max()) if known.size else 0.0
    bottom = max(top - _RANGE_DB, float(np.percentile(known, 5)) if known.size else -_RANGE_DB)
    low, high = math.log10(_LOWEST_HZ), math.log10(highest)
    image = axes.imshow(
        drawn.decibels,
        origin="lower",
        aspect="auto",
        extent=(float(drawn.times[0]), float(drawn.times[-1]), low, high),
        cmap=style.POWER,
        vmin=bottom,
        vmax=max(top, bottom + 1.0),
        interpolation="bilinear",
        interpolation_stage="data",
    )
    ticks = [hertz for hertz in _TICKS_HZ if hertz <= highest]
    labels = [f"{hertz / 1000:g}" for hertz in ticks]
    axes.set_yticks([math.log10(hertz) for hertz in ticks], labels)
    axes.grid(visible=False)
    axes.set_ylabel("frequency [kHz]", color=style.INK)
    scale = axes.inset_axes((1.012, 0.0, 0.012, 1.0))
    bar = axes.figure.colorbar(image, cax=scale)
    bar.outline.set_visible(False)
    scale.tick_params(labelsize=8, length=2, colors=style.INK)
    scale.set_title("dBFS", fontsize=8, color=style.FAINT, loc="left", pad=4)


def has_tray(episode: Episode) -> bool:
    """Say whether the motion of the tray was recorded."""
    return _poses(episode, "tray/pose") is not None


def draw_tray(axes: Axes, episode: Episode) -> None:
    """Draw the angles of the tray: commanded thin and dashed, measured full."""
    contact_ns = episode.facts.contact.stamp_ns
    tilt = episode.facts.tilt
    if tilt is not None:
        begin, end = (tilt.start_ns - contact_ns) / 1e9, (tilt.end_ns - contact_ns) / 1e9
        axes.axvspan(begin, end, color=style.ARROW, alpha=0.18, linewidth=0)
    for name, width, line, told in (
        ("tray/reference", 1.2, (0, (3, 2)), "commanded"),
        ("tray/pose", 1.9, "-", "measured"),
    ):
        poses = _poses(episode, name)
        if poses is None:
            continue
        times = (poses.stamps_ns - contact_ns) / 1e9
        for axis, colour in enumerate((style.X_COLOUR, style.Y_COLOUR)):
            axes.plot(
                times,
                np.where(_after_hole(times), np.nan, np.degrees(poses.rotation_vectors[:, axis])),
                color=colour,
                linewidth=width,
                linestyle=line,
                label=f"{'xy'[axis]} {told}",
            )
    axes.axhline(0.0, color=style.GRID, linewidth=0.8, zorder=0)
    low, high = axes.get_ylim()
    if high - low < 2.0:
        axes.set_ylim((low + high) / 2 - 1.0, (low + high) / 2 + 1.0)
    axes.set_ylabel("tray angle [°]", color=style.INK)
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.005, 0.97),
        ncols=4,
        fontsize=8,
        frameon=False,
        labelcolor=style.INK,
        handlelength=2.0,
        columnspacing=1.4,
        borderpad=0.2,
    )


def draw_title(figure: Figure, episode: Episode) -> None:
    """Write object, id, action, contact and verdict over the sheet."""
    facts = episode.facts
    wide = figure.get_figwidth() > 12
    left = 0.015 if wide else 0.03
    title = figure.text(
        left,
        0.975,
        facts.object.replace("_", " ") or "object not named",
        fontsize=19,
        fontweight="bold",
        color=style.INK,
        va="top",
    )
    end = title.get_window_extent().x1 / figure.bbox.width
    figure.text(end + 0.012, 0.9655, facts.id, fontsize=13, color=style.FAINT, va="top")
    loudness = 20 * math.log10(max(facts.contact.level, 1e-6))
    microphone = microphones(episode, facts.contact.channel + 1)[-1]
    told = [
        local_time(facts.contact.stamp_ns),
        f"rig {episode.constant.rig}",
        f"contact at {loudness:.0f} dBFS on {microphone}",
    ]
    if facts.tilt is not None:
        told.append(f"tilt ({facts.tilt.ax:+.2f}, {facts.tilt.ay:+.2f})")
    figure.text(left, 0.918, "   ·   ".join(told), fontsize=10, color=style.FAINT, va="top")
    verdict = facts.verdict
    if verdict.clean:
        text, colour = "clean", style.CHANNELS[2]
    else:
        more = len(verdict.problems) - _PROBLEMS
        text = "flagged: " + "\n".join(verdict.problems[:_PROBLEMS])
        text += f" and {more} more" if more > 0 else ""
        colour = style.CONTACT
    figure.text(
        0.94,
        0.972,
        text,
        fontsize=12 if verdict.clean else 9,
        color=colour,
        ha="right",
        va="top",
        fontweight="bold",
    )


def _note(axes: Axes, text: str) -> None:
    axes.annotate(
        text,
        (1.0, 1.0),
        xycoords="axes fraction",
        xytext=(-4, -2),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=8,
        color=style.FAINT,
    )


def _channel_colour(channel: int) -> str:
    return style.CHANNELS[channel % len(style.CHANNELS)]


def _after_hole(times: Floats) -> npt.NDArray[np.bool_]:
    """Say which samples follow a hole: no line is drawn to them."""
    steps = np.diff(times, prepend=times[0])
    hole: npt.NDArray[np.bool_] = steps > _HOLE_PERIODS * max(float(np.median(steps)), 1e-3)
    return hole


def _poses(episode: Episode, name: str) -> Poses | None:
    try:
        return episode.poses(name)
    except EpisodeError:
        return None
