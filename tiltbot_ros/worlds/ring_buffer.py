"""The sound of impacts that is still to come: decaying sinusoids, added up ahead of time."""

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.worlds.impacts import Ringing
from tiltbot_ros.worlds.modes import MICROPHONES_M
from tiltbot_ros.worlds.responses import CHANNELS, decaying

_AUDIBLE = 8e-6
"""A quarter of the last bit."""

_SHORT_S = 0.06
_PEAK_S = 0.03


class RingBuffer:
    """Four channels of float32 from the next frame on; grows where needed."""

    def __init__(self, *, sample_rate: int, wave_speed_m_s: float, longest_s: float) -> None:
        """Start empty at frame 0.

        Args:
            sample_rate: [Hz].
            wave_speed_m_s: of sound on its way to the microphones [m/s].
            longest_s: an impact's sound is cut after this time [s].
        """
        self._rate = sample_rate
        self._speed = wave_speed_m_s
        self._longest = longest_s
        self._reach = int((longest_s + 0.2) * sample_rate)
        self._tail = np.zeros((CHANNELS, 1 << 17), np.float32)
        self._first = 0

    def add(self, onset: int, ringing: Ringing, position: NDArray[np.float64]) -> tuple[int, float]:
        """Let something ring from frame `onset` on; return its peak's frame and level.

        Args:
            onset: frame at which it is struck.
            ringing: what it is.
            position: (3,) where, in the tray frame [m].
        """
        loudest = np.abs(ringing.gains).max(axis=0)
        life_s = np.log(np.maximum(loudest / _AUDIBLE, 1.0)) / ringing.decay_s
        life_s = np.minimum(life_s, self._longest)
        distance = np.linalg.norm(position - MICROPHONES_M, axis=1)
        delay = np.rint(distance / self._speed * self._rate).astype(int)
        # Long and short modes apart: most of them are gone after 60 ms.
        short = life_s < _SHORT_S
        waves = [
            decaying(
                ringing.frequency_hz[pick],
                ringing.decay_s[pick],
                ringing.gains[:, pick],
                life_s[pick],
                self._rate,
            )
            for pick in (short, ~short)
            if pick.any() and life_s[pick].max() > 0.0
        ]
        if not waves:
            return onset, 0.0
        for wave in waves:
            for channel in range(CHANNELS):
                begin = onset - self._first + delay[channel]
                self._tail[channel, begin : begin + wave.shape[1]] += wave[channel]
        window = min(int(_PEAK_S * self._rate), *(wave.shape[1] for wave in waves))
        total = np.abs(sum(wave[:, :window] for wave in waves))
        channel, frame = divmod(int(total.argmax()), window)
        return onset + int(delay[channel]) + frame, float(total[channel, frame])

    def take(self, first: int, count: int) -> NDArray[np.float32]:
        """Return frames [first, first + count) as (4, count) and forget all before their end."""
        start = first - self._first
        sound = self._tail[:, start : start + count].copy()
        self._forget(first + count)
        return sound

    def reserve(self, frame: int) -> None:
        """Make room for sounds that begin before `frame`."""
        need = frame - self._first + self._reach
        if need > self._tail.shape[1]:
            grown = np.zeros((CHANNELS, need), np.float32)
            grown[:, : self._tail.shape[1]] = self._tail
            self._tail = grown

    def _forget(self, frame: int) -> None:
        """Compact when half of the buffer is spent."""
        start = frame - self._first
        size = self._tail.shape[1]
        if start < size // 2 and start + self._reach < size:
            return
        kept = self._tail[:, start:]
        moved = np.zeros((CHANNELS, size), np.float32)
        moved[:, : kept.shape[1]] = kept
        self._tail = moved
        self._first = frame
