"""When a silent device is given up, and when it is tried again."""

from collections.abc import Callable
from typing import Literal

_NS = 1_000_000_000
_FIRST_PAUSE_S = 0.5
_FIRST_FRAME_S = 5.0


class Reconnector:
    """Open until it is silent for too long; then gone, with growing pauses between attempts.

    The pauses start anew only when frames come again, not when the device
    opens: one that opens and stays silent is not opened over and over.

    Args:
        stall_s: silence that is too long [s]; the first frame after the opening may
            take 5 s, as cameras start slowly.
        retry_max_s: longest pause between attempts [s].
        monotonic: the monotonic clock [ns].

    Attributes:
        state: whether the device is open or gone.
        misses: waits for a frame that ended without one.
        reconnects: times that frames came again after it was gone.
    """

    def __init__(self, *, stall_s: float, retry_max_s: float, monotonic: Callable[[], int]) -> None:
        self._stall_ns = round(stall_s * _NS)
        self._first_ns = round(max(stall_s, _FIRST_FRAME_S) * _NS)
        self._pause_max_s = retry_max_s
        self._pause_s = min(_FIRST_PAUSE_S, retry_max_s)
        self._monotonic = monotonic
        self._give_up_ns = 0
        self._attempt_ns = 0
        self._was_gone = False
        self.state: Literal["open", "gone"] = "gone"
        self.misses = 0
        self.reconnects = 0

    def opened(self) -> None:
        """Note that the device was opened."""
        self.state = "open"
        self._give_up_ns = self._monotonic() + self._first_ns

    def came(self) -> None:
        """Note that a frame came."""
        self._give_up_ns = self._monotonic() + self._stall_ns
        self._pause_s = min(_FIRST_PAUSE_S, self._pause_max_s)
        if self._was_gone:
            self.reconnects += 1
            self._was_gone = False

    def missed(self) -> bool:
        """Note that no frame came in time; returns whether the silence is too long."""
        self.misses += 1
        return self._monotonic() >= self._give_up_ns

    def lost(self) -> None:
        """Note that the device was given up, or could not be opened."""
        self.state = "gone"
        self._was_gone = True
        self._attempt_ns = self._monotonic() + round(self._pause_s * _NS)
        self._pause_s = min(2.0 * self._pause_s, self._pause_max_s)

    @property
    def wait_s(self) -> float:
        """How long until the next attempt to open it [s]; 0 when it is time."""
        return max(0.0, (self._attempt_ns - self._monotonic()) / _NS)
