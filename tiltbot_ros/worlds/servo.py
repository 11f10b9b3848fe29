"""What the servos are told between two commands."""

from tiltbot_ros.worlds.tray_model import TraySettings

Pair = tuple[float, float]


class ServoReference:
    """Approaches each target in a straight line over one command period.

    A step every 10 ms would shake the object; a line does not. The reference
    also leads by damping / stiffness times its rate, which cancels the lag of
    a servo that damps its absolute speed.
    """

    def __init__(self, settings: TraySettings) -> None:
        self._step_s = settings.exact_step_s
        self._period_s = settings.command_period_s
        self._fastest = settings.max_rate_rad_s
        self._lead_s = settings.damping / settings.stiffness
        self._at: Pair = (0.0, 0.0)
        self._target: Pair = (0.0, 0.0)
        self._move: Pair = (0.0, 0.0)
        self._left = 0

    def aim(self, target: Pair) -> None:
        """Set a new target, the two hinge angles [rad]."""
        x, y = target[0] - self._at[0], target[1] - self._at[1]
        shortest_s = max(abs(x), abs(y)) / self._fastest
        self._left = max(1, round(max(self._period_s, shortest_s) / self._step_s))
        self._target = target
        self._move = (x / self._left, y / self._left)

    def next(self) -> Pair:
        """Go on by one physics step; return the servos' input, the two angles [rad]."""
        if self._left == 0:
            return self._at
        self._left -= 1
        x, y = self._move
        self._at = self._target if self._left == 0 else (self._at[0] + x, self._at[1] + y)
        lead = self._lead_s / self._step_s
        return self._at[0] + lead * x, self._at[1] + lead * y
