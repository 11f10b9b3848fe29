"""Sound as pictures need it: an envelope per pixel and a spectrogram in decibels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from tiltbot_ros.episodes.reader import Sound

Floats = npt.NDArray[np.float64]

_WINDOW_S = 0.023
_OVERLAP = 4
_FLOOR = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """The range of the sound within each of many short spans.

    Attributes:
        times: (n,) middle of each span from the first frame [s].
        low, high: (n, channels) as fractions of digital full scale.
    """

    times: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Spectrogram:
    """Power by time and frequency, the mean of all channels.

    Attributes:
        times: (n,) from the first frame [s].
        frequencies: (m,) [Hz].
        decibels: (m, n) relative to a sine at digital full scale [dB].
    """

    times: Floats
    frequencies: Floats
    decibels: Floats


def envelope(sound: Sound, spans: int) -> Envelope:
    """Return at most `spans` spans that together cover the sound."""
    frames = len(sound.samples)
    width = max(1, -(-frames // spans))
    count = frames // width
    parts = sound.samples[: count * width].reshape(count, width, -1)
    scale = float(sound.full_scale)
    return Envelope(
        times=(np.arange(count) + 0.5) * width / sound.sample_rate,
        low=parts.min(axis=1) / scale,
        high=parts.max(axis=1) / scale,
    )


def spectrogram(sound: Sound, *, highest_hz: float) -> Spectrogram:
    """Return the spectrogram up to a frequency, in Hann windows of 23 ms.

    Args:
        sound: of an episode.
        highest_hz: what lies above is left out [Hz].
    """
    length = min(1 << round(np.log2(_WINDOW_S * sound.sample_rate)), len(sound.samples))
    window = hann(length, sym=False)
    transform = ShortTimeFFT(window, max(1, length // _OVERLAP), sound.sample_rate)
    keep = transform.f <= highest_hz
    power = np.zeros(1)
    for channel in range(sound.samples.shape[1]):
        wave = sound.samples[:, channel] / float(sound.full_scale)
        power = power + np.abs(transform.stft(wave)[keep]) ** 2
    # A full-scale sine has the magnitude sum(window) / 2 in its bin.
    power = power / sound.samples.shape[1] / (window.sum() / 2) ** 2
    return Spectrogram(
        times=transform.t(len(sound.samples)),
        frequencies=transform.f[keep],
        decibels=10 * np.log10(power + _FLOOR),
    )
