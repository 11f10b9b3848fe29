"""Slow random functions of time: temperature, gains, what rubs on what."""

import math

import numpy as np
from numpy.typing import NDArray

_WAVES = 3


class Drift:
    """Rows of slow random functions of time, within -1 .. 1: sums of three sinusoids."""

    def __init__(
        self, rng: np.random.Generator, rows: int, *, shortest_s: float, longest_s: float
    ) -> None:
        """Draw the functions.

        Args:
            rng: what decides them.
            rows: how many.
            shortest_s: least period [s].
            longest_s: greatest period [s].
        """
        self._rate = 2 * math.pi / rng.uniform(shortest_s, longest_s, (_WAVES, rows))
        self._phase = rng.uniform(0.0, 2 * math.pi, (_WAVES, rows))

    def at(self, time_s: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rows (..., rows) at one or more times (...) [s]."""
        turn = np.asarray(time_s)[..., None, None] * self._rate + self._phase
        return np.asarray(np.sin(turn).sum(axis=-2) / _WAVES)
