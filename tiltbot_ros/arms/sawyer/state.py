"""What the side process says of the robot, and what a person should do about it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.sawyer.ros1.sawyer_side import wire
from tiltbot_ros.errors import DeviceError

# RobotAssemblyState of intera_core_msgs
PRESSED, RELEASED = 1, 3
_SOURCES = {
    1: "the emergency stop button",
    2: "an unknown source",
    3: "a joint's fault",
    4: "the robot's engine",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SideState:
    """One `state` packet.

    Attributes:
        stamp_ns: when the joints were measured, UNIX epoch [ns].
        sent_s: when the side process sent it (monotonic clock of this computer) [s].
        age_s: how long the side process has had it when it sent it [s].
        clocks_apart_s: this computer's clock minus the robot's [s].
        positions: joints [rad].
        velocities: [rad/s].
        efforts: [N m].
        tool_position: of the SDK's endpoint, in the robot's base [m].
        tool_quaternion: of the same, x, y, z, w.
        enabled: joints switched on.
        stopped: by the emergency stop or by a fault.
        error: a part of the robot has an error.
        homed: all joints know their position.
        collision: the robot has felt a collision.
        estop_button: as RobotAssemblyState.
        estop_source: as RobotAssemblyState.
        phase: what the side process does: idle, following, braking.
        command: number of the last reference that came there.
        timeouts: how often it braked because the node was silent.
        malformed: packets that were no packets, or had wrong numbers.
        dropped: references that came while the robot could not move.
    """

    stamp_ns: int
    sent_s: float
    age_s: float
    clocks_apart_s: float
    positions: list[float]
    velocities: list[float]
    efforts: list[float]
    tool_position: list[float]
    tool_quaternion: list[float]
    enabled: bool
    stopped: bool
    error: bool
    homed: bool
    collision: bool
    estop_button: int
    estop_source: int
    phase: str
    command: int
    timeouts: int
    malformed: int
    dropped: int

    @classmethod
    def read(cls, fields: dict[str, Any], joints: int) -> "SideState":
        """Return the state of a packet.

        Raises:
            DeviceError: a field is missing or is not what it should be.
        """
        try:
            return cls(
                stamp_ns=int(fields["stamp_ns"]),
                sent_s=float(fields["sent_s"]),
                age_s=float(fields["age_s"]),
                clocks_apart_s=float(fields["clocks_apart_s"]),
                positions=wire.numbers(fields, "q", joints),
                velocities=wire.numbers(fields, "dq", joints),
                efforts=wire.numbers(fields, "tau", joints),
                tool_position=wire.numbers(fields, "position", 3),
                tool_quaternion=wire.numbers(fields, "quaternion", 4),
                enabled=bool(fields["enabled"]),
                stopped=bool(fields["stopped"]),
                error=bool(fields["error"]),
                homed=bool(fields["homed"]),
                collision=bool(fields["collision"]),
                estop_button=int(fields["estop_button"]),
                estop_source=int(fields["estop_source"]),
                phase=str(fields["phase"]),
                command=int(fields["command"]),
                timeouts=int(fields["timeouts"]),
                malformed=int(fields["malformed"]),
                dropped=int(fields["dropped"]),
            )
        except (wire.WireError, KeyError, TypeError, ValueError) as error:
            raise DeviceError(f"expected a state of Sawyer, but {error!r}") from error

    def tool_rotation(self) -> NDArray[np.float64]:
        """Return the endpoint's rotation (3, 3) to the robot's base."""
        matrix: NDArray[np.float64] = Rotation.from_quat(self.tool_quaternion).as_matrix()
        return matrix

    def stopped_by_hand(self) -> bool:
        """Whether only a person can end the stop: the button is still pressed."""
        return self.stopped and self.estop_button == PRESSED

    def fault(self) -> str:
        """Return why the robot would not follow, and what to do; empty when it would."""
        source = _SOURCES.get(self.estop_source, "no known source")
        causes = (
            (
                self.stopped_by_hand(),
                "emergency stop: turn the button to release it, then recover",
            ),
            (self.stopped, f"the robot has stopped ({source}): find out why, then recover"),
            (self.error, "a part of the robot has an error: look at its screen, then recover"),
            (self.collision, "the robot has felt a collision: look, then recover"),
            (not self.enabled, "the joints are switched off: recover, or set sawyer.enable"),
            (not self.homed, "the joints are not homed: run home_joints.py of the SDK"),
        )
        return next((text for applies, text in causes if applies), "")
