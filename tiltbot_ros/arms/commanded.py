"""One arm as the arm node offers it: steps and joint targets in, guarded references out."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.arm import Arm, ArmState, Gripper, ToolPose
from tiltbot_ros.arms.commands import Command, Gate, Refusal, Space
from tiltbot_ros.arms.deltas import DeltaReference, DeltaSettings, Segment, Step
from tiltbot_ros.arms.gripping import FollowedGripper, GripperSettings
from tiltbot_ros.arms.guard import GuardedArm, GuardSettings, rig_limits
from tiltbot_ros.arms.limits import RobotLimits
from tiltbot_ros.arms.poses import pose_vector
from tiltbot_ros.arms.stream import Phase, Reference
from tiltbot_ros.errors import ConfigError, DeviceError

Array = NDArray[np.float64]

Refused = Refusal | Literal["space"]
"""Why a step or target was refused; space: the arm takes none of this space, or still moves in
the other one."""

LEAST_DEADMAN = 1.5
"""Of a step's length: a deadman below would stop the arm between two steps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandedStatus:
    """What a commanded arm does, as msg/ArmStatus has it."""

    phase: Phase
    reason: str
    fault: str
    commander: str
    space: Space
    deltas: int
    clamped: int
    refusals: Mapping[str, int]
    deadman_stops: int
    missed_cycles: int
    interruptions: int


class _Connected:
    """A driver that is connected already, as a second guard needs it."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self.name, self.joint_names = arm.name, arm.joint_names
        self.rate_hz, self.spaces = arm.rate_hz, arm.spaces
        self.state, self.stop, self.recover = arm.state, arm.stop, arm.recover
        self.stream_joints, self.stream_pose = arm.stream_joints, arm.stream_pose

    @property
    def gripper(self) -> Gripper | None:
        """That of the driver."""
        return self._arm.gripper

    def connect(self) -> None:
        """Do nothing: the owner of the driver has connected it."""

    def close(self) -> None:
        """Do nothing: the owner of the driver closes it."""


class CommandedArm:
    """Takes steps and joint targets of one commander at a time and moves the arm smoothly.

    Between two steps the reference goes at constant speed, so that the arm arrives
    when the next one comes, and rests when none does. When the commander falls
    silent for longer than the deadman's time the arm stops, and what was left of
    the reference is forgotten.

    Whoever owns it calls `tick` at the arm's rate; all methods are called from
    one thread. Times called now_s are of a clock that only goes on, now_ns of the ROS clock.
    """

    def __init__(
        self,
        arm: Arm,
        robot: RobotLimits,
        *,
        guard: GuardSettings,
        deltas: DeltaSettings,
        gripper: GripperSettings,
    ) -> None:
        """Put guards in front of a driver.

        Args:
            arm: its driver, not connected yet.
            robot: its limits.
            guard: limits, deadman and gate of the rig.
            deltas: steps of the rig.
            gripper: how its gripper follows.

        Raises:
            ConfigError: the limits name other joints, or the deadman is shorter
                than a step.
        """
        least = LEAST_DEADMAN / deltas.rate_hz
        if guard.deadman_s < least:
            raise ConfigError(
                f"expected guard.deadman_s of at least {least:.3f} s with {deltas.rate_hz:g} steps "
                f"a second (deltas.rate_hz), got {guard.deadman_s:g}"
            )
        self.arm = arm
        self._deadman_s = guard.deadman_s
        self._step_s = 1.0 / deltas.rate_hz
        connected = _Connected(arm)
        self._guards: dict[Space, GuardedArm] = {
            space: GuardedArm(connected, robot, guard, space=space, measured=_measured(space))
            for space in sorted(arm.spaces)
        }
        self.space: Space = "pose" if "pose" in self._guards else "joint"
        self._reference = DeltaReference(deltas, rig_limits(robot, guard, "pose"))
        self._gates = {
            "pose": Gate(guard, space="pose", axes=6),
            "joint": Gate(guard, space="joint", axes=len(arm.joint_names)),
        }
        self._gripper_settings = gripper
        self._gripper: FollowedGripper | None = None
        self._segment: Segment | None = None
        self._received_s = 0.0
        self._ticked_s: float | None = None
        self._sequence = 0
        self._refused: Counter[Refused] = Counter()
        self._deltas = self._clamped = self._deadman_stops = self._missed = 0

    @property
    def _guarded(self) -> GuardedArm:
        return self._guards[self.space]

    @property
    def state(self) -> ArmState:
        """The state of the last tick.

        Raises:
            DeviceError: the arm is not connected.
        """
        return self._guarded.state

    @property
    def reference(self) -> Reference:
        """The reference of the last tick, in `space`."""
        return self._guarded.stream.reference

    @property
    def gripper_width_m(self) -> float | None:
        """Measured distance of the fingers [m], None without a gripper."""
        return None if self._gripper is None else self._gripper.width_m()

    def connect(self) -> None:
        """Connect the arm and stand where it stands; blocks.

        Raises:
            MissingDependencyError: a library or program is not installed.
            DeviceError: no device answers, or it is out of its range.
        """
        self.arm.connect()
        try:
            for guarded in self._guards.values():
                guarded.connect()
        except DeviceError:
            self.arm.close()
            raise
        gripper = self.arm.gripper
        if gripper is not None:
            self._gripper = FollowedGripper(gripper, self._gripper_settings)

    def close(self) -> None:
        """Stop the arm and let go of it."""
        self.arm.close()

    def take(self, commander: str, now_s: float) -> None:
        """Let a commander have the arm; its sequence may begin anew.

        Raises:
            CommandError: somebody else has it.
        """
        self._guarded.take(commander, now_s)
        for gate in self._gates.values():
            gate.forget()

    def release(self, commander: str, now_s: float) -> None:
        """Let a commander give the arm back; it stops when it still moves for it."""
        stream = self._guarded.stream
        if stream.commander(now_s) == commander:
            self._end()
            stream.give(commander)

    def stop(self, reason: str, now_s: float) -> None:
        """Come to a smooth stop, and take the arm from whoever has it.

        Who wants to go on has to take it again: the next step of a stream of
        them must not undo what a person wanted.
        """
        stream = self._guarded.stream
        self._end()
        stream.give(stream.commander(now_s))
        stream.stop(reason)
        if self._gripper is not None:
            self._gripper.stop()

    def recover(self) -> None:
        """Clear a fault and stand where the arm stands now; blocks.

        Raises:
            DeviceError: the fault stays.
        """
        self._end()
        self._guarded.recover()
        if self._gripper is not None:
            self._gripper.forget()
            self._gripper.problem = ""

    def step(self, step: Step, *, now_s: float, now_ns: int) -> Refused | None:
        """Take a step of the tool, or return why it is refused."""
        command = Command(
            commander=step.commander,
            sequence=step.sequence,
            stamp_ns=step.stamp_ns,
            position=step.delta,
        )
        refusal = self._judge(command, "pose", np.zeros(6), now_s, now_ns)
        if refusal is None and np.isinf(step.gripper):
            refusal = "numbers"
        if refusal is not None:
            self._refused[refusal] += 1
            return refusal
        begin = self._position(now_s)
        if self._segment is None:
            self._reference.place(begin)
        measured = pose_vector(_tool(self._guarded.state))
        self._clamped += self._reference.add(step.delta, measured)
        self._deltas += 1
        self._go(begin, self._reference.pose, now_s)
        if self._gripper is not None and not np.isnan(step.gripper):
            self._gripper.command(step.gripper)
        return None

    def joints(self, command: Command, *, now_s: float, now_ns: int) -> Refused | None:
        """Take joint positions to rest at, or return why they are refused."""
        joint = self._guards.get("joint")
        stands = self.state.positions if self.space == "pose" else self.reference.position
        refusal = self._judge(command, "joint", stands, now_s, now_ns)
        if refusal is not None or joint is None:
            refusal = refusal or "space"
            self._refused[refusal] += 1
            return refusal
        self._go(command.position, command.position, now_s)
        return None

    def tick(self, now_s: float, now_ns: int) -> Reference:
        """Tell the arm where to be at this moment; called at the arm's rate.

        Raises:
            DeviceError: the connection is lost; the arm was told to stop.
        """
        period = 1.0 / self.arm.rate_hz
        if self._ticked_s is not None:
            self._missed += max(0, round((now_s - self._ticked_s) / period) - 1)
        self._ticked_s = now_s
        stream = self._guarded.stream
        if self._segment is not None:
            if now_s - self._received_s > self._deadman_s:
                self._deadman_stops += 1
                stream.stop(f"no command for {self._deadman_s:g} s")
                self._end()
            else:
                self._offer(self._segment, now_s, now_ns)
        reference = self._guarded.tick(now_s)
        if reference.phase == "fault":
            self._end()
        if self._gripper is not None:
            self._gripper.tick(now_s)
        return reference

    def status(self, now_s: float) -> CommandedStatus:
        """Return what the arm does."""
        stream = self._guarded.stream
        state = self._guarded.state
        refused = Counter[str]()
        for one in self._guards.values():
            for cause, count in one.stream.refused.items():
                refused[cause] += count
        for refusal, count in self._refused.items():
            refused[refusal] += count
        reference = stream.reference
        return CommandedStatus(
            phase=reference.phase,
            reason=reference.reason,
            fault=state.fault or (reference.reason if reference.phase == "fault" else ""),
            commander=stream.commander(now_s),
            space=self.space,
            deltas=self._deltas,
            clamped=self._clamped,
            refusals={cause: count for cause, count in refused.items() if count},
            deadman_stops=self._deadman_stops
            + sum(guarded.stream.deadman_stops for guarded in self._guards.values()),
            missed_cycles=self._missed,
            interruptions=state.interruptions,
        )

    def figures(self) -> Mapping[str, float | int | str]:
        """Return what the diagnostics show beside the status."""
        gripper = {} if self._gripper is None else self._gripper.figures()
        return {**self._guarded.state.details, **gripper}

    def _judge(
        self, command: Command, space: Space, stands: Array, now_s: float, now_ns: int
    ) -> Refused | None:
        if self._guarded.phase == "fault":
            return "fault"
        if self._guarded.stream.commander(now_s) != command.commander:
            return "commander"
        refusal = self._gates[space].judge(command, stands, now_ns)
        if refusal is not None:
            return refusal
        return None if space == self.space or self._switch(space, now_s) else "space"

    def _switch(self, space: Space, now_s: float) -> bool:
        """Go on in another space; only while the arm stands."""
        if space not in self._guards or self._guarded.phase != "holding" or self._segment:
            return False
        commander = self._guarded.stream.commander(now_s)
        self._guarded.stream.give(commander)
        self.space = space
        self._guarded.connect()
        self._guarded.take(commander, now_s)
        return True

    def _position(self, now_s: float) -> Array:
        if self._segment is not None:
            return self._segment.position(now_s)
        return self.reference.position

    def _go(self, begin: Array, end: Array, now_s: float) -> None:
        self._segment = Segment(start_s=now_s, duration_s=self._step_s, begin=begin, end=end)
        self._received_s = now_s
        self._guarded.take(self._guarded.stream.commander(now_s), now_s)

    def _offer(self, segment: Segment, now_s: float, now_ns: int) -> None:
        self._sequence += 1
        self._guarded.offer(
            Command(
                commander=self._guarded.stream.commander(now_s),
                sequence=self._sequence,
                stamp_ns=now_ns,
                position=segment.position(now_s),
                velocity=segment.velocity(now_s),
            ),
            now_s=now_s,
            now_ns=now_ns,
        )

    def _end(self) -> None:
        self._segment = None
        if self._gripper is not None:
            self._gripper.forget()


def _tool(state: ArmState) -> ToolPose:
    if state.tool is None:
        raise DeviceError("expected an arm that says where its tool is, but its state has no pose")
    return state.tool


def _measured(space: Space) -> Callable[[ArmState], Array]:
    if space == "joint":
        return lambda state: state.positions
    return lambda state: pose_vector(_tool(state))
