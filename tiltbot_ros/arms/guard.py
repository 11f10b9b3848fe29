"""An arm behind its limits: what nodes use instead of a driver."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiltbot_ros.arms.arm import Arm, ArmState
from tiltbot_ros.arms.commands import REFUSALS, Command, Refusal, Space
from tiltbot_ros.arms.limits import AxisLimits, RobotLimits
from tiltbot_ros.arms.stream import Phase, Reference, Stream, StreamSettings
from tiltbot_ros.errors import ConfigError, DeviceError


class GuardSettings(StreamSettings):
    """How an arm is guarded."""

    lag_rad: float = Field(
        0.25,
        gt=0.0,
        le=3.0,
        description="largest distance of a measured joint from its reference [rad]",
    )
    lag_s: float = Field(
        0.3, gt=0.0, le=10.0, description="how long it may be farther than that [s]"
    )


def rig_limits(robot: RobotLimits, settings: StreamSettings, space: Space) -> AxisLimits:
    """Return the limits of a space with a rig's ratios and margin applied."""
    if space == "joint":
        return robot.joints.reduced(
            speed=settings.speed_ratio,
            acceleration=settings.acceleration_ratio,
            margin=settings.margin_rad,
        )
    return robot.pose.reduced(speed=settings.speed_ratio, acceleration=settings.acceleration_ratio)


class GuardedArm:
    """One arm with gate, lease, deadman, limits and a watch over what it measures.

    Whoever owns it calls `tick` at the arm's rate from one thread; the other
    methods are called from the same thread. The arm never gets anything but a
    reference within the limits.
    """

    def __init__(
        self,
        arm: Arm,
        limits: RobotLimits,
        settings: GuardSettings,
        *,
        space: Space = "joint",
        measured: Callable[[ArmState], NDArray[np.float64]] = lambda state: state.positions,
    ) -> None:
        """Guard an arm in one space.

        Args:
            arm: its driver.
            limits: of the robot.
            settings: of the rig.
            space: of the commands.
            measured: gives the measured position in that space; for poses it has to
                be given.

        Raises:
            ConfigError: the limits name other joints, or the arm does not take the space.
        """
        if limits.joints.names != arm.joint_names:
            raise ConfigError(
                f"expected limits of the joints {', '.join(arm.joint_names)}, got those of "
                f"{', '.join(limits.joints.names)} ('{limits.name}')"
            )
        if space not in arm.spaces:
            raise ConfigError(
                f"expected a space that '{arm.name}' takes ({', '.join(sorted(arm.spaces))}), "
                f"got '{space}'"
            )
        self._arm = arm
        self._space: Space = space
        self._measured = measured
        self._settings = settings
        self.stream = Stream(
            rig_limits(limits, settings, space), settings, space=space, rate_hz=arm.rate_hz
        )
        self._range = limits.joints
        self._lagging_since_s: float | None = None
        self._state: ArmState | None = None
        self.ticks = 0

    @property
    def arm(self) -> Arm:
        """The driver."""
        return self._arm

    @property
    def phase(self) -> Phase:
        """What the arm does."""
        return self.stream.phase

    @property
    def state(self) -> ArmState:
        """The state of the last tick.

        Raises:
            DeviceError: the arm is not connected.
        """
        if self._state is None:
            raise DeviceError(
                f"expected a connected arm, but '{self._arm.name}' is not: connect it"
            )
        return self._state

    def connect(self) -> None:
        """Connect the arm and stand where it stands.

        Raises:
            MissingDependencyError: a library or program is not installed.
            DeviceError: no device answers.
        """
        self._arm.connect()
        self._state = self._arm.state()
        self._place(self._state)

    def take(self, commander: str, now_s: float) -> None:
        """Let a commander have the arm.

        Raises:
            CommandError: somebody else has it.
        """
        self.stream.take(commander, now_s)

    def offer(self, command: Command, *, now_s: float, now_ns: int) -> Refusal | None:
        """Take a command, or return why it is refused."""
        return self.stream.offer(command, now_s=now_s, now_ns=now_ns)

    def tick(self, now_s: float) -> Reference:
        """Read the arm, decide, and tell it where to be.

        Raises:
            DeviceError: the connection is lost; the arm was told to stop.
        """
        try:
            before, state = self._state, self._arm.state()
            self._state = state
            if state.fault:
                self.stream.fault(state.fault)
            elif before is not None and state.interruptions != before.interruptions:
                self._begin_again(state)
            self._watch_lag(state, now_s)
            reference = self.stream.tick(now_s)
            if not state.fault:
                self._send(reference)
        except DeviceError as error:
            self.stream.fault(str(error))
            self._arm.stop()
            raise
        self.ticks += 1
        return reference

    def stop(self, reason: str) -> None:
        """Come to a smooth stop and hold; it takes the ticks that follow."""
        self.stream.stop(reason)

    def recover(self) -> None:
        """Clear a fault and stand where the arm stands now; blocks.

        Raises:
            DeviceError: the fault stays.
        """
        self._arm.recover()
        state = self._state = self._arm.state()
        if state.fault:
            raise DeviceError(f"expected '{self._arm.name}' without a fault, but: {state.fault}")
        self._place(state, reason="recovered")

    def close(self) -> None:
        """Stop the arm and let go of it."""
        self._arm.close()
        self._state = None

    def figures(self) -> Mapping[str, float | int | str]:
        """Return what the diagnostics show."""
        stream = self.stream
        counts = {f"refused: {cause}": stream.refused[cause] for cause in REFUSALS}
        reference = stream.reference
        return {
            "phase": reference.phase,
            "reason": reference.reason,
            "commands": stream.taken,
            "deadman stops": stream.deadman_stops,
            "early ticks": stream.skipped_ticks,
            **{key: value for key, value in counts.items() if value},
            **(self._state.details if self._state else {}),
        }

    def _place(self, state: ArmState, *, reason: str = "no command yet") -> None:
        joints = self._range
        outside = [
            f"{name} at {at:.3f} rad (range {low:.3f} .. {high:.3f})"
            for name, at, low, high in zip(
                joints.names, state.positions, joints.lower, joints.upper, strict=True
            )
            if not low <= at <= high
        ]
        if outside:
            raise DeviceError(
                f"expected '{self._arm.name}' within its range, but {'; '.join(outside)}: move it "
                f"back by hand"
            )
        self.stream.place(self._measured(state), reason=reason)
        self._lagging_since_s = None

    def _begin_again(self, state: ArmState) -> None:
        """Go on from where the arm stands: its driver has stopped it while nobody ticked."""
        if self.phase != "fault":
            self.stream.place(self._measured(state), reason="the driver had stopped the arm")

    def _send(self, reference: Reference) -> None:
        if self._space == "joint":
            self._arm.stream_joints(reference.position, reference.velocity)
        else:
            self._arm.stream_pose(reference.position, reference.velocity)

    def _watch_lag(self, state: ArmState, now_s: float) -> None:
        """Fault when a joint stays behind: an obstacle, or a load above the payload."""
        if self._space != "joint":
            return
        lag = np.abs(state.positions - self.stream.reference.position)
        worst = int(lag.argmax())
        if lag[worst] <= self._settings.lag_rad:
            self._lagging_since_s = None
            return
        if self._lagging_since_s is None:
            self._lagging_since_s = now_s
        if now_s - self._lagging_since_s > self._settings.lag_s:
            self.stream.fault(
                f"{self._arm.joint_names[worst]} does not follow: {lag[worst]:.3f} rad behind "
                f"for more than {self._settings.lag_s:g} s; look for an obstacle or a load "
                f"above the payload, then recover"
            )
