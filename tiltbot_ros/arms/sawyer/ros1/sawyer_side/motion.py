"""What the robot is told: references while they come, a braked stop when they do not.

No ROS, no socket, no clock of its own.
"""

from __future__ import annotations

IDLE = "idle"
FOLLOWING = "following"
BRAKING = "braking"


class Motion:
    """The side process's own watchdog, after the node's and before the robot's."""

    def __init__(self, braking: list[float], timeout_s: float) -> None:
        """Begin idle.

        Args:
            braking: deceleration of each joint [rad/s2].
            timeout_s: longest silence of the node before braking [s].
        """
        self._braking = braking
        self._timeout_s = timeout_s
        self._position: list[float] = []
        self._velocity: list[float] = []
        self._at_s = 0.0
        self.phase = IDLE
        self.timeouts = 0

    def follow(self, position: list[float], velocity: list[float], now_s: float) -> None:
        """Keep the newest reference."""
        self._position, self._velocity, self._at_s = position, velocity, now_s
        self.phase = FOLLOWING

    def stop(self) -> None:
        """Brake when the robot follows."""
        if self.phase == FOLLOWING:
            self.phase = BRAKING

    def forget(self) -> None:
        """Tell the robot nothing more: it is switched off or held by its own stop."""
        self.phase = IDLE

    def due(self, now_s: float) -> bool:
        """Return whether braking has steps to take; it begins by itself after a silence."""
        if self.phase == FOLLOWING and now_s - self._at_s > self._timeout_s:
            self.timeouts += 1
            self.phase = BRAKING
        return self.phase == BRAKING

    def brake(self, now_s: float) -> tuple[list[float], bool]:
        """Return the position of one step of braking, and whether the robot stands then."""
        # Not longer than a cycle of 100 Hz, however long ago the last reference was:
        # the robot has stood at that reference since.
        dt = min(max(now_s - self._at_s, 0.0), 0.02)
        self._at_s = now_s
        velocity = []
        for speed, most in zip(self._velocity, self._braking):  # noqa: B905 - Python 3.8
            change = most * dt
            velocity.append(max(speed - change, 0.0) if speed > 0 else min(speed + change, 0.0))
        self._velocity = velocity
        steps = zip(self._position, velocity)  # noqa: B905 - Python 3.8
        self._position = [at + speed * dt for at, speed in steps]
        if not any(velocity):
            self.phase = IDLE
        return self._position, self.phase == IDLE
