"""Random numbers that belong to a sample, not to a process.

What a sample meets in an epoch depends on the seed, the epoch and its row
alone. One process or several, begun anew or resumed: all see the same.
"""

import hashlib

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Draws:
    """Random numbers for the rows of one batch.

    Args:
        rows: (n,) row of each sample in the store.
        seed: of the training.
        epoch: which one.
    """

    def __init__(self, rows: npt.NDArray[np.int64], *, seed: int, epoch: int) -> None:
        self._rows = rows.astype(np.uint64)
        self._key = f"{seed}/{epoch}"

    def uniform(self, purpose: str, count: int = 1) -> Tensor:
        """Return (n, count) float32 in [0, 1), the same for the same purpose."""
        digest = hashlib.sha256(f"{self._key}/{purpose}".encode()).digest()
        start = np.frombuffer(digest[:8], "<u8")[0]
        with np.errstate(over="ignore"):
            # Two rounds of SplitMix64 (Steele et al., 2014), the row first.
            state = _mix(start + self._rows[:, None] * _GOLDEN)
            state = _mix(state + np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN)
        # 24 bits: every float32 of that many is exact and below 1.
        return torch.from_numpy(((state >> np.uint64(40)) / 2.0**24).astype(np.float32))

    def integers(self, purpose: str, high: int) -> Tensor:
        """Return (n,) int64 in [0, high)."""
        return (self.uniform(purpose)[:, 0] * high).long()

    def between(self, purpose: str, low: float, high: float, count: int = 1) -> Tensor:
        """Return (n, count) float32 in [low, high)."""
        return low + (high - low) * self.uniform(purpose, count)


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed
