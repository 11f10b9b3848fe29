"""Commands in at any time, references out at a fixed rate: the scheduler of an arm."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiltbot_ros.arms.commands import Command, Gate, GateSettings, Refusal, Space
from tiltbot_ros.arms.governor import Governor
from tiltbot_ros.arms.lease import Lease
from tiltbot_ros.arms.limits import AxisLimits
from tiltbot_ros.errors import CommandError

MOST_STEPS = 3
"""How many periods late a tick may be and still keep pace."""

Phase = Literal["holding", "following", "stopping", "fault"]
"""What an arm does: stand, follow commands, come to a stop, or wait to be recovered."""


class StreamSettings(GateSettings):
    """How commands become motion."""

    deadman_s: float = Field(
        0.1,
        ge=0.01,
        le=2.0,
        description="longest silence of a commander before the arm stops by itself [s]",
    )
    lease_s: float = Field(
        2.0, ge=0.1, le=60.0, description="silence after which another may command the arm [s]"
    )
    speed_ratio: float = Field(
        0.3, gt=0.0, le=1.0, description="share of the robot's greatest speeds"
    )
    acceleration_ratio: float = Field(
        0.5, gt=0.0, le=1.0, description="share of the robot's greatest accelerations and jerks"
    )
    margin_rad: float = Field(
        0.05, ge=0.0, le=1.0, description="distance kept from the ends of a joint's range [rad]"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """Where the arm is told to be at a tick.

    Attributes:
        position: (n,) float64 [rad or m].
        velocity: (n,) float64 [rad/s or m/s].
        phase: what the arm does.
        reason: why it stops or stands, empty while it follows.
    """

    position: NDArray[np.float64]
    velocity: NDArray[np.float64]
    phase: Phase
    reason: str


class Stream:
    """Gate, lease, deadman and governor of one space of one arm. No clock of its own.

    Times called now_s are of a clock that only goes on; now_ns is the ROS clock,
    which may jump: then commands of the old time are refused and the deadman stops
    the arm.
    """

    def __init__(
        self, limits: AxisLimits, settings: StreamSettings, *, space: Space, rate_hz: float
    ) -> None:
        """Make one that stands nowhere yet: `place` it before the first tick.

        Args:
            limits: as the robot has them for this rig, ratios and margin applied.
            settings: gate, deadman and lease.
            space: of the commands.
            rate_hz: ticks a second [Hz].
        """
        self._governor = Governor(limits, rate_hz=rate_hz)
        self._gate = Gate(settings, space=space, axes=len(limits.names))
        self._lease = Lease(settings.lease_s)
        self._deadman_s = settings.deadman_s
        self._zero: NDArray[np.float64] = np.zeros(len(limits.names))
        self._target: NDArray[np.float64] = self._zero
        self._target_velocity: NDArray[np.float64] = self._zero
        self._received_s = 0.0
        self._due_s: float | None = None
        self._phase: Phase = "holding"
        self._reason = "no command yet"
        self.taken = 0
        self.deadman_stops = 0
        self.skipped_ticks = 0
        self.refused: Counter[Refusal] = Counter()

    @property
    def limits(self) -> AxisLimits:
        """The limits that every reference keeps."""
        return self._governor.limits

    @property
    def phase(self) -> Phase:
        """What the arm does."""
        return self._phase

    @property
    def reference(self) -> Reference:
        """The reference of the last tick."""
        return Reference(
            position=self._governor.reference,
            velocity=self._governor.reference_velocity,
            phase=self._phase,
            reason=self._reason,
        )

    def place(self, measured: NDArray[np.float64], *, reason: str = "no command yet") -> None:
        """Stand at a measured position (n,), with any fault forgotten."""
        self._governor.reset(measured)
        self._phase, self._reason = "holding", reason
        self._due_s = None

    def take(self, commander: str, now_s: float) -> None:
        """Let a commander have the arm.

        Raises:
            CommandError: somebody else has it.
        """
        if self._lease.take(commander, now_s):
            self._gate.forget()

    def commander(self, now_s: float) -> str:
        """Return who has the arm; empty: nobody."""
        return self._lease.holder(now_s) or ""

    def give(self, commander: str) -> None:
        """Let a commander give the arm back; the arm stops when it still moves for it."""
        if self._phase == "following":
            self.stop(f"'{commander}' gave the arm back")
        self._lease.give(commander)

    def offer(self, command: Command, *, now_s: float, now_ns: int) -> Refusal | None:
        """Take a command, or return why it is refused; only a taken one feeds the deadman."""
        refusal = self._judge(command, now_s, now_ns)
        if refusal is not None:
            self.refused[refusal] += 1
            return refusal
        self._lease.seen(now_s)
        self._target = command.position
        reach = self._governor.limits.velocity
        velocity = self._zero if command.velocity is None else command.velocity
        self._target_velocity = np.minimum(np.maximum(velocity, -reach), reach)
        self._received_s = now_s
        self._phase, self._reason = "following", ""
        self.taken += 1
        return None

    def stop(self, reason: str) -> None:
        """Come to a smooth stop and hold; the next command goes on."""
        if self._phase != "fault":
            self._phase, self._reason = "stopping", reason

    def fault(self, reason: str) -> None:
        """Come to a smooth stop and refuse commands until `place`."""
        if self._phase != "fault":
            self._phase, self._reason = "fault", reason

    def tick(self, now_s: float) -> Reference:
        """Return the reference of this moment; called once a period.

        It goes as many steps as periods have passed, at most MOST_STEPS: after a
        longer stall the motion goes on where it was. A call that comes early is no step, so
        the motion is never faster than time.
        """
        if self._phase == "following" and now_s - self._received_s > self._deadman_s:
            self.deadman_stops += 1
            self.stop(f"no command for {self._deadman_s:g} s")
        period = self._governor.dt_s
        due = now_s if self._due_s is None else self._due_s
        # A tick may be half a period early or late, as timers are.
        steps = min(int((now_s - due) / period + 1.5), MOST_STEPS) if now_s > due - period else 0
        if steps <= 0:
            self.skipped_ticks += 1
            return self.reference
        self._due_s = max(due + steps * period, now_s + 0.5 * period)
        for missing in range(steps - 1, -1, -1):
            self._step(now_s - missing * period - self._received_s)
        return self.reference

    def _step(self, since_s: float) -> None:
        if self._phase == "following":
            # A moving target goes on until the next command, or the deadman.
            ahead = self._target_velocity * since_s
            self._governor.step(self._target + ahead, self._target_velocity)
            return
        self._governor.brake()
        if self._phase == "stopping" and self._governor.still:
            self._phase = "holding"

    def _judge(self, command: Command, now_s: float, now_ns: int) -> Refusal | None:
        if self._phase == "fault":
            return "fault"
        if self._lease.holder(now_s) != command.commander:
            return "commander"
        return self._gate.judge(command, self._governor.reference, now_ns)

    def require(self, command: Command, *, now_s: float, now_ns: int) -> None:
        """Take a command as `offer` does.

        Raises:
            CommandError: it is refused.
        """
        refusal = self.offer(command, now_s=now_s, now_ns=now_ns)
        if refusal is not None:
            raise CommandError(
                f"command {command.sequence} of '{command.commander}' refused ({refusal}): "
                f"{self._reason or 'see the count of refusals in the diagnostics'}"
            )
