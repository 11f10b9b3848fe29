"""How fast four seconds of sound become a picture, against chains of library calls.

Every chain makes the same from the same: (176400, 4) int16 at 44.1 kHz to the
log-magnitude STFT at 11.025 kHz, 510/128, of (4, 256, 345), or shrunk to
(4, 64, 64). The chains take turns; the figures are medians of the thread's
processor time, so that other processes on the machine count little.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from collections.abc import Callable
from typing import Any

import cv2
import librosa
import numpy as np
import scipy.fft
import soxr

from benchmarks.report import options, tell
from policy_ros.signals.front_end import FrontEnd
from policy_ros.signals.settings import FrontEndSettings
from policy_ros.signals.transforms import LogStft

RATE, KEPT = 44_100, 11_025
GAIN = 8.0

Work = Callable[[], np.ndarray[Any, Any]]


def sound() -> np.ndarray[Any, Any]:
    """Return (176400, 4) int16: decaying knocks over noise."""
    rng = np.random.default_rng(5)
    samples = rng.standard_normal((4 * RATE, 4)) * 60
    at = np.arange(RATE // 4) / RATE
    for start in rng.integers(0, 3 * RATE, 8):
        knock = 9000 * np.exp(-at * 30) * np.sin(2 * np.pi * rng.uniform(200, 4000) * at)
        samples[start : start + len(at)] += knock[:, None] * rng.uniform(0.2, 1, 4)
    return samples.round().astype(np.int16)


def shrunk(pictures: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return (4, 64, 64) of (4, bins, frames)."""
    return np.stack([cv2.resize(p, (64, 64), interpolation=cv2.INTER_AREA) for p in pictures])


def logarithm(magnitude: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the clipped logarithm."""
    return np.clip(np.log(magnitude + np.float32(1e-20)), -5, 5)


class Libraries:
    """The fastest library calls known, one after another."""

    def __init__(self, samples: np.ndarray[Any, Any]) -> None:
        self._samples = samples
        turns = 2 * np.pi * np.arange(510) / 510
        self._window = (0.5 - 0.5 * np.cos(turns)).astype(np.float32)

    def magnitude(self) -> np.ndarray[Any, Any]:
        """Return soxr's resampling through scipy's FFT, (4, 256, 345)."""
        scaled = self._samples.astype(np.float32) * np.float32(GAIN / 32768)
        low = soxr.resample(scaled, RATE, KEPT, quality="HQ").T
        padded = np.pad(low, ((0, 0), (255, 255)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, 510, axis=1)[:, ::128]
        return np.abs(scipy.fft.rfft(frames * self._window)).transpose(0, 2, 1)

    def by_librosa(self) -> np.ndarray[Any, Any]:
        """Return the same by librosa, which resamples with soxr's HQ, too."""
        scaled = self._samples.T.astype(np.float32) * np.float32(GAIN / 32768)
        low = librosa.resample(scaled, orig_sr=RATE, target_sr=KEPT, res_type="soxr_hq")
        return np.abs(librosa.stft(low, n_fft=510, hop_length=128, pad_mode="constant"))


def race(chains: dict[str, Work], rounds: int) -> dict[str, float]:
    """Return the median processor time of each chain [ms]."""
    taken: dict[str, list[float]] = {name: [] for name in chains}
    for _ in range(rounds + 2):
        for name, chain in chains.items():
            began = time.thread_time()
            chain()
            taken[name].append(time.thread_time() - began)
    return {name: float(np.median(times[2:])) * 1e3 for name, times in taken.items()}


def main() -> None:
    """Print the table."""
    chosen = options(__doc__ or "")
    samples = sound()
    front_end, full = FrontEnd(FrontEndSettings()), LogStft(FrontEndSettings())
    libraries = Libraries(samples)
    chains: dict[str, Work] = {
        "tiltbot, full": lambda: full.full(front_end.resample(samples, RATE)),
        "libraries, full": lambda: logarithm(libraries.magnitude()),
        "librosa, full": lambda: logarithm(libraries.by_librosa()),
        "tiltbot, 64 x 64": lambda: front_end.spectrogram(front_end.resample(samples, RATE)),
        "libraries, 64 x 64": lambda: logarithm(shrunk(libraries.magnitude())),
        "librosa, 64 x 64": lambda: logarithm(shrunk(libraries.by_librosa())),
    }
    # Where the picture is at its floor, the rounding to 16 bits between the two steps is heard.
    off = {
        size: np.abs(chains[f"tiltbot, {size}"]() - chains[f"libraries, {size}"]())
        for size in ("full", "64 x 64")
    }
    taken = race(chains, 20 if chosen.quick else 150)
    rows = [(name, f"{ms:.2f} ms, {1e3 / ms:.0f} clips/s", "") for name, ms in taken.items()]
    ratios = {}
    for size in ("full", "64 x 64"):
        for other, target in (("libraries", "1.5"), ("librosa", "3")):
            ratio = taken[f"{other}, {size}"] / taken[f"tiltbot, {size}"]
            ratios[f"{other}, {size}"] = ratio
            rows.append((f"{other} / tiltbot, {size}", f"{ratio:.2f}", f">= {target}"))
        rows.append(
            (
                f"difference to the libraries, {size}",
                f"{np.median(off[size]):.1e} in the median, {off[size].max():.3f} at most",
                "",
            )
        )
    tell(
        "Sound to spectrogram, one thread",
        rows,
        figures={"ms": taken, "ratios": ratios},
        file=chosen.json,
    )


if __name__ == "__main__":
    main()
