"""The panels over time, and the title, of an episode's picture."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tiltbot_ros.episodes.reader import Episode, Poses, Sound
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.pictures import style
from tiltbot_ros.pictures.sound import envelope, spectrogram
from tiltbot_ros.wording import local_time

_SPANS = 1400
_HIGHEST_HZ = 11_000.0
_RANGE_DB = 75.0
_PROBLEMS = 3


def window(episode: Episode) -> tuple[float, float]:
    """Return the window of the episode from the contact [s]."""
    facts = episode.facts
    contact_ns = facts.contact.stamp_ns
    return (facts.start_ns - contact_ns) / 1e9, (facts.end_ns - contact_ns) / 1e9


def mark_contact(axes: Axes, *, label: bool) -> None:
    """Mark the contact at t = 0."""
    axes.axvline(0.0, color=style.CONTACT, linewidth=1.2, linestyle=(0, (4, 2)), zorder=5)
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


def draw_waveform(axes: Axes, episode: Episode, sound: Sound) -> None:
    """Draw the channels one below the other, all to the same scale."""
    drawn = envelope(sound, _SPANS)
    times = drawn.times + (sound.first_stamp_ns - episode.facts.contact.stamp_ns) / 1e9
    channels = drawn.low.shape[1]
    peak = max(float(np.abs([drawn.low, drawn.high]).max()), 1e-4)
    names = _channel_names(episode, channels)
    for channel in range(channels):
        middle = -channel
        axes.fill_between(
            times,
            middle + 0.48 * drawn.low[:, channel] / peak,
            middle + 0.48 * drawn.high[:, channel] / peak,
            color=style.CHANNELS[channel % len(style.CHANNELS)],
            linewidth=0.6,
            edgecolor="face",
        )
    axes.set_ylim(-channels + 0.45, 0.55)
    axes.set_yticks([-channel for channel in range(channels)], names)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    for tick, channel in zip(axes.get_yticklabels(), range(channels), strict=True):
        tick.set_color(style.CHANNELS[channel % len(style.CHANNELS)])
        loudest = channel == episode.facts.contact.channel
        tick.set_fontweight("bold" if loudest else "normal")
    decibels = 20 * math.log10(peak)
    note = f"{channels} x {sound.sample_rate / 1000:g} kHz, peak {decibels:.0f} dBFS"
    if sound.missing:
        note += f", {sound.missing} frames missing"
    _note(axes, note)


def draw_spectrogram(axes: Axes, episode: Episode, sound: Sound) -> None:
    """Draw the power of all channels by frequency, with its scale."""
    highest = min(_HIGHEST_HZ, sound.sample_rate / 2)
    drawn = spectrogram(sound, highest_hz=highest)
    times = drawn.times + (sound.first_stamp_ns - episode.facts.contact.stamp_ns) / 1e9
    inside = (times >= window(episode)[0]) & (times <= window(episode)[1])
    top = float(drawn.decibels[:, inside].max())
    bottom = max(top - _RANGE_DB, float(np.percentile(drawn.decibels[:, inside], 5)))
    image = axes.imshow(
        drawn.decibels,
        origin="lower",
        aspect="auto",
        extent=(times[0], times[-1], 0.0, drawn.frequencies[-1] / 1000),
        cmap=style.POWER,
        vmin=bottom,
        vmax=max(top, bottom + 1.0),
        interpolation="bilinear",
    )
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
                np.degrees(poses.rotation_vectors[:, axis]),
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
        loc="upper left", ncols=2, fontsize=8, frameon=False, labelcolor=style.INK, handlelength=2.2
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
    figure.canvas.draw()
    end = title.get_window_extent().x1 / figure.bbox.width
    figure.text(end + 0.012, 0.9655, facts.id, fontsize=13, color=style.FAINT, va="top")
    loudness = 20 * math.log10(max(facts.contact.level, 1e-6))
    microphone = _channel_names(episode, facts.contact.channel + 1)[-1]
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
        text += f"\nand {more} more" if more > 0 else ""
        colour = style.CONTACT
    figure.text(
        0.94, 0.972, text, fontsize=11, color=colour, ha="right", va="top", fontweight="bold"
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


def _channel_names(episode: Episode, channels: int) -> list[str]:
    """Return the frames of the microphones, without what they have in common with a path."""
    try:
        infos = episode.deserialised("audio/info")
    except EpisodeError:
        infos = []
    named = [name.rsplit("/", 1)[-1] for name in infos[-1].channel_frames] if infos else []
    return [named[i] if i < len(named) else f"channel {i}" for i in range(channels)]


def _poses(episode: Episode, name: str) -> Poses | None:
    try:
        return episode.poses(name)
    except EpisodeError:
        return None
