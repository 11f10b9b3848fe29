"""From sound to a picture of it; a front end finds its transform by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from policy_ros.signals.mel import mel_filters
from policy_ros.signals.settings import FrontEndSettings

Floats = npt.NDArray[np.float32]

_TINY = np.float32(1e-20)
"""Keeps the logarithm of silence finite; far below any floor."""


class Transform(Protocol):
    """Turns sound at the front end's rate into a picture."""

    def __call__(self, audio: npt.NDArray[np.int16]) -> Floats:
        """Return float32 (channels, frequencies, times) of (channels, frames) int16."""


class LogStft:
    """The logarithm of the short-time Fourier transform's magnitude.

    1. The sound, in units of full scale, times `gain`.
    2. Magnitude of the STFT with a periodic Hann window, not normalised,
       frames centred on multiples of `hop`, zeros beyond the ends: what
       `librosa.stft(center=True, pad_mode="constant")` gives. 4 s at 11,025 Hz
       are 256 bins x 345 frames.
    3. Averaged over the area of each pixel (`resize: magnitude`).
    4. Natural logarithm, clipped to [floor, ceiling].

    With `resize: logarithm` step 4 comes before step 3.

    It keeps its workspace: an instance belongs to one thread. OpenCV is set
    to one thread, for the whole process.
    """

    def __init__(self, settings: FrontEndSettings) -> None:
        cv2.setNumThreads(1)
        self._settings = settings
        turns = 2 * np.pi * np.arange(settings.window) / settings.window
        hann = 0.5 - 0.5 * np.cos(turns)
        self._window = (hann * settings.gain / 32768).astype(np.float32)
        self._padded = np.empty(0, np.float32)
        self._overlapping = np.empty((0, settings.window), np.float32)
        self._frames = np.empty((0, settings.window), np.float32)
        self._pairs = np.empty((0, settings.window + 2), np.float32)

    def __call__(self, audio: npt.NDArray[np.int16]) -> Floats:
        """Return float32 (channels, frequencies, times) of (channels, frames) int16."""
        high, wide = self._settings.frequencies, self._settings.times
        pictures = np.empty((len(audio), high, wide), np.float32)
        for channel, picture in zip(audio, pictures, strict=True):
            magnitude = self._magnitude(channel)
            if self._settings.resize == "logarithm":
                self._take_logarithm(magnitude)
            picture[...] = area_resized(magnitude, wide, high).T
        if self._settings.resize == "magnitude":
            self._take_logarithm(pictures)
        return pictures

    def full(self, audio: npt.NDArray[np.int16]) -> Floats:
        """Return the clipped logarithm before it is resized: (channels, bins, frames) float32."""
        whole = np.stack([self._magnitude(channel).T for channel in audio])
        self._take_logarithm(whole)
        return whole

    def _magnitude(self, channel: npt.NDArray[np.int16]) -> Floats:
        """Return (frames, bins) of one channel, whose workspace stays in the processor's cache."""
        window, hop = self._settings.window, self._settings.hop
        count = 1 + len(channel) // hop
        if len(self._padded) != len(channel) + window:
            self._padded = np.zeros(len(channel) + window, np.float32)
            windows = np.lib.stride_tricks.sliding_window_view(self._padded, window)
            self._overlapping = windows[::hop][:count]
            self._frames = np.empty((count, window), np.float32)
            self._pairs = np.zeros((count, window + 2), np.float32)
        self._padded[window // 2 : window // 2 + len(channel)] = channel
        np.multiply(self._overlapping, self._window, out=self._frames)
        cv2.dft(self._frames, self._frames, flags=cv2.DFT_ROWS)
        # OpenCV packs a spectrum as Re 0, Re 1, Im 1, ..., Re n/2: as pairs, the ends lack theirs.
        self._pairs[:, 0] = self._frames[:, 0]
        self._pairs[:, 2:-1] = self._frames[:, 1:]
        magnitude: Floats = np.abs(self._pairs.view(np.complex64))
        return magnitude

    def _take_logarithm(self, values: Floats) -> None:
        np.maximum(values, _TINY, out=values)
        np.log(values, out=values)
        np.clip(values, self._settings.floor, self._settings.ceiling, out=values)


class LogMel(LogStft):
    """The same with mel bands: `frequencies` of them take the place of the averaged bins.

    Times are averaged over the area of each pixel, as by `LogStft`.
    """

    def __init__(self, settings: FrontEndSettings) -> None:
        super().__init__(settings)
        self._filters = mel_filters(settings)

    def _magnitude(self, channel: npt.NDArray[np.int16]) -> Floats:
        """Return (frames, bands) of one channel."""
        bands: Floats = super()._magnitude(channel) @ self._filters
        return bands


def area_resized(picture: Floats, height: int, width: int) -> Floats:
    """Return a picture (rows, columns) as (height, width), each pixel the mean over its area.

    As OpenCV's `INTER_AREA` does, the columns by summation where they divide
    evenly. A side that grows is interpolated.
    """
    rows, columns = picture.shape
    step, rest = divmod(columns, width)
    if rest == 0 and rows >= height and step > 1:
        total = picture[:, ::step] + picture[:, 1::step]
        for place in range(2, step):
            total += picture[:, place::step]
        total *= np.float32(1 / step)
        picture, columns = total, width
    shrinks = rows >= height and columns >= width
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=kind), np.float32)


TRANSFORMS: Mapping[str, Callable[[FrontEndSettings], Transform]] = MappingProxyType(
    {"log_stft": LogStft, "log_mel": LogMel}
)
"""Transforms by the name that `FrontEndSettings.transform` gives."""
