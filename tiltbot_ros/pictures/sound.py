"""Sound as pictures need it: holes as holes, an envelope per pixel, a spectrogram in decibels."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from tiltbot_ros.episodes.placing import frame_offsets
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import EpisodeError

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

_WINDOW_S = 0.023
_SHORTEST = 16
_OVERLAP = 4
_FLOOR = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Waves:
    """The sound of an episode at its true times.

    Attributes:
        samples: (frames, channels) as fractions of digital full scale, NaN in holes.
        start_s: time of the first frame from the contact [s].
        sample_rate: [Hz].
        missing: frames in holes.
    """

    samples: Singles
    start_s: float
    sample_rate: int
    missing: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """The range of the sound within each of many short spans.

    Attributes:
        times: (n,) middle of each span from the contact [s].
        low, high: (n, channels) as fractions of digital full scale, NaN in holes.
    """

    times: Floats
    low: Singles
    high: Singles


@dataclass(frozen=True, kw_only=True, slots=True)
class Spectrogram:
    """Power by time and frequency, the mean of all channels.

    Attributes:
        times: (n,) from the contact [s].
        frequencies: (m,) evenly spaced in their logarithm [Hz].
        decibels: (m, n) relative to a sine at digital full scale, NaN in holes [dB].
    """

    times: Floats
    frequencies: Floats
    decibels: Singles


def waves(episode: Episode) -> Waves | None:
    """Return the sound of an episode, each block at its place; None when it has none."""
    try:
        messages = episode.audio_blocks()
    except EpisodeError:
        return None
    blocks = [message.block for message in messages]
    audio_format = messages[0].format
    offsets, frames = frame_offsets(messages)
    whole = sum(len(block.samples) for block in blocks)
    gapless = whole == frames and offsets == sorted(offsets)
    if gapless:
        samples = np.concatenate([block.samples for block in blocks]).astype(np.float32)
    else:
        samples = np.full((frames, audio_format.channels), np.nan, np.float32)
        for at, block in zip(offsets, blocks, strict=True):
            samples[at : at + len(block.samples)] = block.samples
    samples *= np.float32(1 / audio_format.full_scale)
    return Waves(
        samples=samples,
        start_s=(blocks[0].stamp_ns - episode.facts.contact.stamp_ns) / 1e9,
        sample_rate=audio_format.sample_rate,
        missing=0 if gapless else int(np.isnan(samples[:, 0]).sum()),
    )


def microphones(episode: Episode, channels: int) -> list[str]:
    """Return the frames of the microphones, without what they have in common with a path."""
    try:
        infos = episode.deserialised("audio/info")
    except EpisodeError:
        infos = []
    named = [name.rsplit("/", 1)[-1] for name in infos[-1].channel_frames] if infos else []
    return [named[i] if i < len(named) else f"channel {i}" for i in range(channels)]


def envelope(heard: Waves, spans: int) -> Envelope:
    """Return at most `spans` spans that together cover the sound."""
    width = max(1, -(-len(heard.samples) // spans))
    count = len(heard.samples) // width
    parts = heard.samples[: count * width].reshape(count, width, -1)
    return Envelope(
        times=heard.start_s + (np.arange(count) + 0.5) * width / heard.sample_rate,
        low=np.fmin.reduce(parts, axis=1),
        high=np.fmax.reduce(parts, axis=1),
    )


def spectrogram(
    heard: Waves, *, lowest_hz: float, highest_hz: float, rows: int, columns: int | None = None
) -> Spectrogram:
    """Return the spectrogram in Hann windows of 23 ms, over a logarithmic scale of frequency.

    Args:
        heard: of an episode.
        lowest_hz: lower end of the scale [Hz].
        highest_hz: upper end of the scale [Hz].
        rows: frequencies on it.
        columns: at most so many moments; None: a quarter of a window apart.
    """
    frames, channels = heard.samples.shape
    length = max(1 << round(np.log2(_WINDOW_S * heard.sample_rate)), _SHORTEST)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)
    hop = max(1, length // _OVERLAP)
    if columns is not None:
        hop = max(hop, -(-frames // columns))
    hole = np.isnan(heard.samples[:, 0])
    moments = np.arange(0, frames, hop)
    power = np.zeros((len(moments), length // 2 + 1), np.float32)
    padded = np.zeros(frames + 2 * length, np.float32)
    for channel in range(channels):
        padded[length // 2 : length // 2 + frames] = heard.samples[:, channel]
        if heard.missing:
            np.nan_to_num(padded, copy=False)
        parts = sliding_window_view(padded, length)[moments]
        # Four times as fast as scipy.fft. A row holds the real part at 0 Hz, real and
        # imaginary parts in turn, the real part at half the rate.
        spectrum = np.asarray(cv2.dft(parts * window, flags=cv2.DFT_ROWS))
        power[:, [0, -1]] += spectrum[:, [0, -1]] ** 2
        power[:, 1:-1] += spectrum[:, 1:-1:2] ** 2 + spectrum[:, 2:-1:2] ** 2
    # A full-scale sine has the magnitude sum(window) / 2 in its bin.
    power *= 1 / channels / (window.sum() / 2) ** 2
    frequencies = np.geomspace(lowest_hz, highest_hz, rows)
    place = np.clip(frequencies * length / heard.sample_rate, 0, power.shape[1] - 1.001)
    below = place.astype(int)
    share = (place - below).astype(np.float32)
    lower, upper = (10 * np.log10(power[:, k] + np.float32(_FLOOR)) for k in (below, below + 1))
    decibels = (lower * (1 - share) + upper * share).T
    decibels[:, hole[moments]] = np.nan
    return Spectrogram(
        times=heard.start_s + moments / heard.sample_rate,
        frequencies=frequencies,
        decibels=decibels,
    )
