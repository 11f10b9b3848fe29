"""Bring sound to the rate of the training store."""

import math
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import soxr

from tiltbot_ros.errors import AudioError

Floats = npt.NDArray[np.float32]

_QUALITY = "HQ"
_BLOCK = 8192
_SILENCE = 4096
_LARGEST_FACTOR = 16
_INVERSE = cv2.DFT_ROWS | cv2.DFT_INVERSE | cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT
_NEGLIGIBLE = 1e-7
"""Less than this of a filter's response cannot change 16 bits."""


class Resampler:
    """Resamples 16-bit sound with the filter of libsoxr's HQ quality.

    Where the rates differ by a factor of 2, 4, 8 or 16 the same filter is
    applied block by block in the frequency domain (overlap-save, OpenCV's
    FFT), of which only the part below the new Nyquist frequency is computed
    on, which is faster than the library. The response is measured from the
    library, so that the two agree to the rounding of 16 bits. Other rates go
    through the library. Neither dithers; beyond the ends there is silence.

    It keeps its workspace: an instance belongs to one thread. OpenCV is set
    to one thread, for the whole process.

    Args:
        source_hz, target_hz: rates [Hz].
    """

    def __init__(self, source_hz: int, target_hz: int) -> None:
        self.source_hz = source_hz
        self.target_hz = target_hz
        cv2.setNumThreads(1)
        factor, rest = divmod(source_hz, target_hz)
        fits = rest == 0 and 2 <= factor <= _LARGEST_FACTOR and factor & (factor - 1) == 0
        self._decimator = _Decimator(source_hz, target_hz) if fits else None

    def length(self, frames: int) -> int:
        """Return how many frames so many frames become."""
        return round(frames * self.target_hz / self.source_hz)

    def __call__(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Resample.

        Args:
            samples: (n, channels) int16.

        Returns:
            (channels, m) int16, C-contiguous; m = `length(n)`.

        Raises:
            AudioError: the samples are of another type or shape.
        """
        if samples.dtype != np.int16 or samples.ndim != 2 or not samples.shape[1]:
            raise AudioError(
                f"expected int16 samples of shape (frames, channels), got {samples.dtype} "
                f"{samples.shape}"
            )
        length = self.length(len(samples))
        if self.source_hz == self.target_hz or not length:
            return np.ascontiguousarray(samples[:length].T)
        if self._decimator is not None:
            return self._decimator(samples, length)
        return self._by_library(samples, length)

    def _by_library(self, samples: npt.NDArray[np.int16], length: int) -> npt.NDArray[np.int16]:
        # As floating point, because for 16 bits the library adds dither; and with silence around
        # it, because the library gets the first 40 frames wrong when sound begins at once.
        common = math.gcd(self.source_hz, self.target_hz)
        times = -(-_SILENCE * common // self.source_hz)
        before = times * self.source_hz // common
        padded = np.zeros((len(samples) + 2 * before, samples.shape[1]), np.float32)
        padded[before : before + len(samples)] = samples
        resampled = soxr.resample(padded, self.source_hz, self.target_hz, quality=_QUALITY)
        first = times * self.target_hz // common
        return _to_int16(resampled[first : first + length].T)


class _Decimator:
    def __init__(self, source_hz: int, target_hz: int) -> None:
        self._factor = factor = source_hz // target_hz
        response = _response(source_hz, target_hz)
        # Half the filter's length, in whole output frames, so that blocks begin on one.
        self._margin = -(-(len(response) // 2) // factor) * factor
        self._hop = _BLOCK - 2 * self._margin
        centred = np.zeros(_BLOCK)
        centred[: len(response)] = response
        spectrum = np.fft.rfft(np.roll(centred, -(len(response) // 2))).real
        kept = _BLOCK // factor
        # OpenCV packs a spectrum as Re 0, Re 1, Im 1, ..., Re n/2; the response is real.
        packed = np.empty(kept)
        packed[0] = spectrum[0]
        packed[1:-1] = np.repeat(spectrum[1 : kept // 2], 2)
        packed[-1] = spectrum[kept // 2]
        # Keeping every n-th value divides the spectrum by n.
        self._weights = (packed / factor).astype(np.float32)
        self._shape = (0, 0)
        self._planes = np.empty((0, 0), np.int16)
        self._targets: list[npt.NDArray[np.int16]] = []
        self._overlapping: list[npt.NDArray[np.int16]] = []
        self._blocks = np.empty((0, _BLOCK), np.float32)

    def __call__(self, samples: npt.NDArray[np.int16], length: int) -> npt.NDArray[np.int16]:
        if self._shape != samples.shape:
            self._prepare(samples.shape, length)
        _split(samples, self._planes, self._targets)
        # Channel by channel, so that the workspace stays in the processor's cache.
        resampled = np.empty((len(self._planes), length), np.int16)
        for overlapping, out in zip(self._overlapping, resampled, strict=True):
            self._decimate(overlapping, out)
        return resampled

    def _prepare(self, shape: tuple[int, ...], length: int) -> None:
        """Make room for channels of so many frames, with silence before and behind."""
        frames, channels = shape
        blocks = -(-length * self._factor // self._hop)
        planes = np.zeros((channels, blocks * self._hop + 2 * self._margin), np.int16)
        inner = planes[:, self._margin : self._margin + frames]
        windows = np.lib.stride_tricks.sliding_window_view(planes, _BLOCK, axis=1)
        self._shape = (frames, channels)
        self._planes = inner
        self._targets = [plane[:, None] for plane in inner]
        self._overlapping = list(windows[:, :: self._hop])
        self._blocks = np.empty((blocks, _BLOCK), np.float32)

    def _decimate(self, overlapping: npt.NDArray[np.int16], out: npt.NDArray[np.int16]) -> None:
        np.copyto(self._blocks, overlapping)
        cv2.dft(self._blocks, self._blocks, flags=cv2.DFT_ROWS)
        low = self._blocks[:, : _BLOCK // self._factor] * self._weights
        cv2.dft(low, low, flags=_INVERSE)
        first, step = self._margin // self._factor, self._hop // self._factor
        # Rounds to even and saturates, as `_to_int16`.
        whole = cv2.add(low[:, first : first + step], 0.0, dtype=cv2.CV_16S)  # type: ignore[call-overload] # the stubs lack numbers
        out[:] = whole.reshape(-1)[: len(out)]


def _split(
    samples: npt.NDArray[np.int16],
    planes: npt.NDArray[np.int16],
    targets: list[npt.NDArray[np.int16]],
) -> None:
    """Copy the channels of samples (frames, channels) to planes (channels, frames)."""
    channels = samples.shape[1]
    if 1 < channels <= 512 and samples.flags.c_contiguous:  # OpenCV's own limit
        for made, target in zip(
            cv2.split(samples.reshape(-1, 1, channels), targets), targets, strict=True
        ):
            if not np.may_share_memory(made, target):  # OpenCV promises no reuse
                np.copyto(target, made)
    else:
        np.copyto(planes, samples.T)


def _to_int16(values: Floats) -> npt.NDArray[np.int16]:
    rounded = np.rint(values)
    np.clip(rounded, -32768, 32767, out=rounded)
    return rounded.astype(np.int16, order="C")


@cache
def _response(source_hz: int, target_hz: int) -> npt.NDArray[np.float64]:
    """Return libsoxr's impulse response at the source's rate, (2 k + 1,) around its centre."""
    factor = source_hz // target_hz
    half = 1024 * factor
    response = np.zeros(2 * half + 1)
    frames = 4 * half
    for phase in range(factor):
        position = frames // 2 + phase
        impulse = np.zeros(frames)
        impulse[position] = 1.0
        out = soxr.resample(impulse, source_hz, target_hz, quality=_QUALITY)
        lag = factor * np.arange(len(out)) - position
        near = np.abs(lag) <= half
        response[lag[near] + half] = out[near]
    response = (response + response[::-1]) / 2  # linear phase, to the library's precision
    reach = int(np.abs(np.flatnonzero(np.abs(response) > _NEGLIGIBLE) - half).max())
    return response[half - reach : half + reach + 1]
