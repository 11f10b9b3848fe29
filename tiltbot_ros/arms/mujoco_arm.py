"""A simulated arm: joints with position servos in MuJoCo, its own watchdog, faults on demand."""

import time
from collections.abc import Callable

import mujoco
import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.arm import ArmState, Gripper, ToolPose
from tiltbot_ros.arms.commands import Space
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.mujoco_arm_settings import MujocoArmSettings
from tiltbot_ros.arms.mujoco_gripper import MujocoGripper
from tiltbot_ros.arms.mujoco_model import build_robot
from tiltbot_ros.arms.robots import ROBOTS
from tiltbot_ros.errors import ConfigError, DeviceError

Array = NDArray[np.float64]

MOST_BEHIND_S = 0.5
"""How much time is made up for at once; a longer pause of the caller is left out."""


class MujocoArm:
    """One simulated arm.

    Its time is that of the clock it is given, and it goes on whenever it is asked
    something: with the computer's clock it keeps real time, with a test's it steps by
    hand. The gravity of its links is compensated, as every arm of this kind does.
    """

    spaces: frozenset[Space] = frozenset({"joint"})

    def __init__(
        self,
        settings: MujocoArmSettings,
        *,
        rate_hz: float = 100.0,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
        held: HeldTraySettings | None = None,
    ) -> None:
        """Put it together, standing at its start.

        Args:
            settings: which robot.
            rate_hz: references a second [Hz].
            clock: the ROS clock, for stamps [ns].
            monotonic: the time that it goes by [s].
            held: a tray in its hand, or None.

        Raises:
            MissingDependencyError: there is no model of the robot.
            ConfigError: the model or the start does not fit the robot.
        """
        limits = load_limits(settings.robot).joints
        self.name = settings.robot
        self.joint_names = limits.names
        self.rate_hz = rate_hz
        self._settings = settings
        self._clock, self._monotonic = clock, monotonic
        self._lower, self._upper = limits.lower, limits.upper
        usual = ROBOTS[settings.robot].start_rad if held is None else held.level_joints_rad
        start = np.array(settings.start_joints_rad or usual)
        if len(start) != len(limits.names):
            raise ConfigError(
                f"expected {len(limits.names)} numbers in mujoco_arm.start_joints_rad, got "
                f"{len(start)}"
            )
        self.robot = build_robot(settings, start=start, held=held)
        self.data = mujoco.MjData(self.robot.model)
        self.data.qpos[self.robot.qpos] = start
        self._position, self._velocity = start, np.zeros(len(start))
        self._silent_s = 0.0
        self._streaming = False
        self._stuck: Array = np.zeros(len(start), dtype=bool)
        self._time_s: float | None = None
        self._lost = False
        self._fault, self._by_hand = "", False
        self.interruptions = 0
        self.skipped_s = 0.0
        self._gripper = None if self.robot.fingers is None else MujocoGripper(self.robot, self.data)
        mujoco.mj_forward(self.robot.model, self.data)

    @property
    def gripper(self) -> Gripper | None:
        """Its gripper, or None."""
        return self._gripper

    def connect(self) -> None:
        """Begin to keep time."""
        self._lost = False
        self._time_s = self._monotonic()

    def state(self) -> ArmState:
        """Return what its joints do now."""
        self._advance()
        robot, data = self.robot, self.data
        return ArmState(
            stamp_ns=self._clock(),
            positions=data.qpos[robot.qpos].copy(),
            velocities=data.qvel[robot.dofs].copy(),
            efforts=data.actuator_force[robot.servos].copy(),
            tool=ToolPose(
                position=data.site_xpos[robot.site].copy(),
                rotation=data.site_xmat[robot.site].reshape(3, 3).copy(),
            ),
            enabled=not self._fault,
            fault=self._fault,
            stopped_by_hand=self._by_hand,
            interruptions=self.interruptions,
            details={
                "simulated time left out [s]": round(self.skipped_s, 3),
                "contacts": int(data.ncon),
            },
        )

    def stream_joints(self, position: Array, velocity: Array) -> None:
        """Take a reference; a robot with a fault does not move."""
        self._advance()
        if self._fault:
            return
        if not (np.isfinite(position).all() and np.isfinite(velocity).all()):
            raise DeviceError(f"expected finite references for '{self.name}', got {position}")
        self._position, self._velocity = position.copy(), velocity.copy()
        self._silent_s, self._streaming = 0.0, True

    def stream_pose(self, pose: Array, velocity: Array) -> None:  # noqa: ARG002
        """Refuse: it takes joint positions."""
        raise DeviceError(f"'{self.name}' takes joint positions, no poses: use PoseByJoints")

    def stop(self) -> None:
        """Brake."""
        self._brake()

    def recover(self) -> None:
        """Clear a fault; an emergency stop is released first."""
        self._advance()
        if self._by_hand:
            raise DeviceError(self._fault)
        self._fault = ""
        self._stand()

    def close(self) -> None:
        """Brake, and keep no more time."""
        self._brake()
        self._time_s = None

    # What a test or a demonstration does to it.

    def fail(self, reason: str) -> None:
        """Have a fault, as after a reflex, until it is recovered."""
        self._fault = self._fault or reason
        self._brake()

    def press_stop(self) -> None:
        """Press the emergency stop."""
        self._fault, self._by_hand = "emergency stop: release it, then recover", True
        self._brake()

    def release_stop(self) -> None:
        """Release it; the fault stays until it is recovered."""
        self._by_hand = False

    def jam(self, joint: int, *, jammed: bool = True) -> None:
        """Let a joint stay where it is, whatever it is told."""
        self._stuck[joint] = jammed

    def lose(self) -> None:
        """Lose the connection until `connect`."""
        self._lost = True

    def _advance(self) -> None:
        if self._time_s is None:
            raise DeviceError(f"expected a connected arm, but '{self.name}' is not: connect it")
        if self._lost:
            raise DeviceError(f"the connection to the simulated '{self.name}' is lost")
        behind_s = self._monotonic() - self._time_s
        if behind_s > MOST_BEHIND_S:
            left_out = behind_s - MOST_BEHIND_S
            self.skipped_s += left_out
            self._time_s += left_out
            self._silent_s += left_out
            behind_s = MOST_BEHIND_S
        step_s = self._settings.step_s
        for _ in range(int(behind_s / step_s + 1e-9)):
            self._drive(step_s)
            mujoco.mj_step(self.robot.model, self.data)
            self._time_s += step_s

    def _drive(self, step_s: float) -> None:
        """Let the reference go on for a period, and brake when no other comes."""
        self._silent_s += step_s
        if self._streaming and self._silent_s > self._settings.watchdog_s:
            self.interruptions += 1
            self._streaming = False
        if not self._streaming or self._silent_s > 1.0 / self.rate_hz:
            slower = self._settings.braking_rad_s2 * step_s
            self._velocity -= np.clip(self._velocity, -slower, slower)
        ahead = self._position + self._velocity * step_s
        self._position = np.clip(
            ahead,
            np.minimum(self._lower, self._position),
            np.maximum(self._upper, self._position),
        )
        told = self.data.ctrl
        told[self.robot.servos] = np.where(self._stuck, told[self.robot.servos], self._position)
        if self._gripper is not None:
            self._gripper.drive(step_s)

    def _brake(self) -> None:
        self._streaming = False

    def _stand(self) -> None:
        """Forget the reference: stay where the joints are."""
        self._position = self.data.qpos[self.robot.qpos].copy()
        self._velocity = np.zeros(len(self._position))
        self._streaming = False
