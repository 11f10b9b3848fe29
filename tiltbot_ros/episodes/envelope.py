"""The envelope of interleaved sound, as fast as memory gives it."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16] | npt.NDArray[np.int32]
Levels = npt.NDArray[np.float32]

_CACHE_BYTES = 1 << 17


def hop_envelope(samples: Samples, hop_frames: int) -> Levels:
    """Return half the range of each channel within each hop, in sample units.

    Args:
        samples: (hops * hop_frames, channels) int16 or int32, C-contiguous.
        hop_frames: a power of two.

    Returns:
        (hops, channels) float32, (max - min) / 2.
    """
    channels = samples.shape[1]
    hops = len(samples) // hop_frames
    width = hop_frames * channels
    rows = samples.reshape(hops, width)
    high = np.empty((hops, channels), samples.dtype)
    low = np.empty((hops, channels), samples.dtype)
    batch = max(1, _CACHE_BYTES // (width * samples.itemsize))
    for start in range(0, hops, batch):
        part = rows[start : start + batch]
        _fold(part, channels, np.maximum, high[start : start + batch])
        _fold(part, channels, np.minimum, low[start : start + batch])
    span = high.astype(np.float32)
    span -= low
    span *= np.float32(0.5)
    return span


def sliding_max(levels: Levels, width: int) -> Levels:
    """Return the maximum over `width` rows from each row on, (n - width + 1, channels)."""
    result, reach = levels, 1
    while 2 * reach <= width:
        result = np.maximum(result[:-reach], result[reach:])
        reach *= 2
    rest = width - reach
    return np.maximum(result[:-rest], result[rest:]) if rest else result


def _fold(rows: Samples, channels: int, pick: np.ufunc, out: Samples) -> None:
    """Reduce (hops, frames * channels) over the frames by halves.

    Halves of a row are contiguous, so that every step runs as SIMD over long
    runs, where a reduction over the middle axis would go in steps of `channels`.
    """
    half = rows.shape[1] // 2
    if half < channels:
        out[:] = rows
        return
    buffer = pick(rows[:, :half], rows[:, half:])
    while half > channels:
        half //= 2
        pick(buffer[:, :half], buffer[:, half : 2 * half], out=buffer[:, :half])
    out[:] = buffer[:, :channels]
