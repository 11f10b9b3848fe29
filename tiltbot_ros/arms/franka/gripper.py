"""The Franka Hand behind the protocol of a gripper."""

import threading
import time
from dataclasses import dataclass
from typing import Any, Literal

from tiltbot_ros.arms.franka.faults import one_line
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.errors import DeviceError

PERIOD_S = 0.02
STATE_TIMEOUT_S = 1.0
SAME_M = 5e-4
"""Targets that differ by less are the same [m]."""

THINNEST_M = 2e-3
"""Fingers that come closer than this hold nothing [m]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wish:
    """What the fingers shall do.

    Attributes:
        kind: of motion.
        width_m: of the fingers [m].
        speed_m_s: of the fingers [m/s].
        force_n: to hold with [N].
    """

    kind: Literal["home", "move", "grasp", "stop"]
    width_m: float = 0.0
    speed_m_s: float = 0.0
    force_n: float = 0.0

    def same(self, other: "_Wish | None") -> bool:
        """Whether another one leads to the same."""
        return (
            other is not None
            and other.kind == self.kind
            and abs(other.width_m - self.width_m) < SAME_M
            and other.force_n == self.force_n
        )


class FrankaGripper:
    """One hand. A thread of its own speaks to it, since every call of it blocks.

    The newest wish wins: what the fingers do is stopped for it.
    """

    def __init__(self, settings: FrankaSettings) -> None:
        """Make one that is not connected: `open` it."""
        self._tolerance_m = settings.grasp_tolerance_m
        self._home = settings.gripper_home
        self._lock = threading.Lock()
        self._hand: Any = None
        self._thread: threading.Thread | None = None
        self._reset()

    def _reset(self) -> None:
        self._wish: _Wish | None = _Wish(kind="home") if self._home else None
        self._doing: _Wish | None = None
        self._done: _Wish | None = None
        self._future: Any = None
        self._stopping = False
        self._outcome = ""
        self._error = "it is not connected"
        self._width_m = self._max_width_m = 0.0
        self._seen_s = time.monotonic()
        self._known = threading.Event()
        self._end = threading.Event()

    def open(self, hand: Any) -> None:
        """Follow a franky.Gripper until `close`; waits for its first state."""
        self._reset()
        self._hand, self._error = hand, ""
        self._thread = threading.Thread(target=self._run, name="franka hand", daemon=True)
        self._thread.start()
        self._known.wait(STATE_TIMEOUT_S)

    @property
    def max_width_m(self) -> float:
        """Distance of the open fingers, as found when the hand was homed [m]."""
        return self._max_width_m

    @property
    def width_m(self) -> float:
        """Measured distance of the fingers [m]."""
        if trouble := self._trouble():
            raise DeviceError(
                f"the Franka hand does not answer ({trouble}): look at Desk, then connect again"
            )
        return self._width_m

    @property
    def moving(self) -> bool:
        """Whether a motion is under way or waits for its turn."""
        with self._lock:
            return self._wish is not None or self._doing is not None

    @property
    def outcome(self) -> str:
        """How the last motion ended: 'reached', 'grasped', 'missed: ...', 'failed: ...'.

        A hand that does not answer is 'lost: ...'.
        """
        trouble = self._trouble()
        return f"lost: {trouble}" if trouble else self._outcome

    @property
    def missed(self) -> bool:
        """Whether the last motion was a grasp that holds nothing."""
        return self._outcome.startswith("missed")

    def home(self) -> None:
        """Find out how far the fingers open; they close and open."""
        self._ask(_Wish(kind="home"))

    def move(self, width_m: float, *, speed_m_s: float) -> None:
        """Open or close to a width without force."""
        self._ask(_Wish(kind="move", width_m=width_m, speed_m_s=speed_m_s))

    def grasp(self, width_m: float, *, speed_m_s: float, force_n: float) -> None:
        """Close on an object of about that width, or of any width when it is 0.

        `missed` says when nothing was there.
        """
        self._ask(_Wish(kind="grasp", width_m=width_m, speed_m_s=speed_m_s, force_n=force_n))

    def stop(self) -> None:
        """Stay where it is."""
        self._ask(_Wish(kind="stop"))

    def close(self) -> None:
        """Let go of the hand; what it holds, it goes on holding."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(STATE_TIMEOUT_S + 1.0)
        self._thread = None
        self._error = self._error or "it is not connected"

    def _trouble(self) -> str:
        silent = time.monotonic() - self._seen_s > STATE_TIMEOUT_S
        return self._error or ("it is silent" if silent else "")

    def _ask(self, wish: _Wish) -> None:
        numbers = (wish.width_m, wish.speed_m_s, wish.force_n)
        if not all(0.0 <= number < 1e3 for number in numbers):
            raise DeviceError(
                f"expected a width, speed and force of at least 0, got {wish.width_m} m, "
                f"{wish.speed_m_s} m/s, {wish.force_n} N"
            )
        with self._lock:
            last = self._wish or self._doing or self._done
            if wish.kind != "stop" and wish.same(last):
                return
            self._wish = wish

    def _run(self) -> None:
        end = self._end
        try:
            while not end.wait(PERIOD_S):
                state = self._hand.state
                self._width_m, self._max_width_m = state.width, state.max_width
                self._seen_s = time.monotonic()
                self._known.set()
                self._advance()
        except Exception as error:  # noqa: BLE001 - told by `width_m` and `outcome`
            self._error = one_line(error)
        # Its last reference goes here, since a hand that hangs blocks its end, too.
        self._hand = None

    def _advance(self) -> None:
        """Note the end of a motion, stop one that is not wanted any more, begin the next."""
        if self._future is not None and self._future.wait(0.0):
            self._finish()
        with self._lock:
            if self._wish is None:
                return
            busy = self._future is not None
            if not busy:
                self._doing, self._wish = self._wish, None
        if busy:
            if not self._stopping:
                self._stopping = True
                self._hand.stop()
            return
        self._begin()

    def _begin(self) -> None:
        wish = self._doing
        if wish is None:
            return
        self._stopping = False
        self._outcome = "moving"
        width = min(wish.width_m, self._max_width_m) if self._max_width_m > 0.0 else wish.width_m
        if wish.kind == "home":
            self._future = self._hand.homing_async()
        elif wish.kind == "move":
            self._future = self._hand.move_async(width, wish.speed_m_s)
        elif wish.kind == "grasp":
            thicker = self._tolerance_m if wish.width_m > 0.0 else 1.0
            self._future = self._hand.grasp_async(
                width, wish.speed_m_s, wish.force_n, self._tolerance_m, thicker
            )
        else:
            self._future = self._hand.stop_async()

    def _finish(self) -> None:
        wish, future = self._doing, self._future
        try:
            well = future.get()
            if wish is not None and wish.kind == "grasp" and wish.width_m == 0.0:
                well = well and self._hand.state.width > THINNEST_M
            self._outcome = _said(wish, well) if not self._stopping else "stopped"
        except Exception as error:  # noqa: BLE001 - a refused command is an outcome
            self._outcome = "stopped" if self._stopping else f"failed: {one_line(error)}"
        with self._lock:
            self._done = wish if not self._stopping else None
            self._doing = None
        self._future = None
        self._stopping = False


def _said(wish: _Wish | None, well: bool) -> str:
    kind = "stop" if wish is None else wish.kind
    if well:
        return {"home": "homed", "move": "reached", "grasp": "grasped", "stop": "stopped"}[kind]
    if kind == "grasp" and wish is not None:
        what = f" of about {1e3 * wish.width_m:.0f} mm" if wish.width_m > 0.0 else ""
        return f"missed: nothing{what} was there to hold"
    return f"failed: the hand could not {kind}"
