"""Frequencies as ears space them: a bank of triangles over the bins of an STFT."""

import numpy as np
import numpy.typing as npt

from policy_ros.signals.settings import FrontEndSettings

Floats = npt.NDArray[np.float32]


def mel_filters(settings: FrontEndSettings) -> Floats:
    """Return the weights (bins, frequencies) that turn magnitudes into mel bands.

    Triangles that overlap by half, evenly spaced on HTK's mel scale, 2595 ·
    log10(1 + f / 700), from 0 Hz to half the sample rate; each sums to 1, so
    that a band is the mean magnitude over it. A band narrower than the bins'
    distance takes the nearest bin.
    """
    bins = np.linspace(0, settings.sample_rate_hz / 2, settings.window // 2 + 1)
    highest = 2595 * np.log10(1 + bins[-1] / 700)
    mels = np.linspace(0, highest, settings.frequencies + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - low) / (middle - low)
    falling = (high - bins[:, None]) / (high - middle)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    empty = np.flatnonzero(weights.sum(0) == 0)
    weights[np.abs(bins[:, None] - middle[empty]).argmin(0), empty] = 1.0
    filters: Floats = (weights / weights.sum(0)).astype(np.float32)
    return filters
