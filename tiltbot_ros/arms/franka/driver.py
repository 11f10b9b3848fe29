"""A Franka arm behind the protocol of an arm: references to franky's control loop."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.arm import ArmState, ToolPose
from tiltbot_ros.arms.commands import Space
from tiltbot_ros.arms.franka.faults import errors_of, fault_of, lost, mode_of, one_line
from tiltbot_ros.arms.franka.following import Following
from tiltbot_ros.arms.franka.gripper import FrankaGripper
from tiltbot_ros.arms.franka.library import Line, load_franky
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.limits import AxisLimits
from tiltbot_ros.errors import DeviceError

JOINTS = tuple(f"fr3_joint{number}" for number in range(1, 8))
STOP_S = 1.5
"""Longest time that the arm takes to come to rest when the driver closes [s]."""


class FrankaArm:
    """One Franka Research 3. See docs/franka.md."""

    name = "franka"
    joint_names = JOINTS
    spaces: frozenset[Space] = frozenset({"joint", "pose"})

    def __init__(
        self,
        settings: FrankaSettings,
        *,
        rate_hz: float = 30.0,
        joints: AxisLimits | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Make a driver that is not connected.

        Args:
            settings: of the robot.
            rate_hz: references a second [Hz].
            joints: range of the joints, which a pose does not show: near its ends they are
                pushed back.
            clock: the ROS clock [ns].
        """
        self._settings = settings
        self.rate_hz = rate_hz
        self._joints = joints
        self._clock = clock
        self._line: Line | None = None
        self._robot: Any = None
        self._franky: Any = None
        self._following: Following | None = None
        self._runs = False
        self._ended = ""
        self._lost: DeviceError | None = None
        # When the reference that lives was sent, and whether one died that nobody knows of.
        self._sent_s: float | None = None
        self._died = False
        self._robot_ms = -1
        self._seen_s = 0.0
        self._stamp_ns = 0
        self.interruptions = 0
        self.gripper: FrankaGripper | None = None

    @property
    def server_version(self) -> int:
        """Version of the FCI that this driver speaks and the controller has agreed to."""
        return 10

    def connect(self) -> None:
        """Connect, set what the rig says, and hold where the arm stands."""
        if self._robot is not None:
            raise DeviceError("expected a Franka arm that is not connected yet: close it first")
        self._franky = load_franky()
        self._line = Line()
        self._lost, self._robot_ms = None, -1
        try:
            self._robot = self._ask("connect", self._open)
            if self._settings.gripper:
                self.gripper = FrankaGripper(
                    self._ask("connect the hand", self._open_hand), self._settings
                )
            self._ask("hold", self._begin)
        except BaseException:
            self.close()
            raise

    def state(self) -> ArmState:
        """Return the newest state, not older than `state_timeout_s`."""
        robot = self._connected()
        self._note_end(robot)
        self._note_silence()
        state = self._read(robot)
        fault = fault_of(state, ended=self._ended, following=self._runs)
        mode = mode_of(state)
        pose = state.O_T_EE.matrix
        force = np.asarray(state.O_F_ext_hat_K)[:3]
        return ArmState(
            stamp_ns=self._stamp_ns,
            positions=np.array(state.q),
            velocities=np.array(state.dq),
            efforts=np.array(state.tau_J),
            tool=ToolPose(position=pose[:3, 3].copy(), rotation=pose[:3, :3].copy()),
            enabled=not fault,
            fault=fault,
            stopped_by_hand=mode == "UserStopped",
            interruptions=self.interruptions,
            details={
                "mode": mode,
                "errors": errors_of(state) if fault else "",
                "commands that reach the robot": round(state.control_command_success_rate, 3),
                "external force [N]": round(float(np.linalg.norm(force)), 1),
                "stops of the watchdog": self.interruptions,
                **({} if self.gripper is None else {"hand": self.gripper.outcome}),
            },
        )

    def stream_joints(self, position: NDArray[np.float64], velocity: NDArray[np.float64]) -> None:
        """Follow joints for `watchdog_s`."""
        self._follow("joints", position, velocity)

    def stream_pose(self, pose: NDArray[np.float64], velocity: NDArray[np.float64]) -> None:
        """Follow a pose for `watchdog_s`."""
        self._follow("pose", pose, velocity)

    def stop(self) -> None:
        """Hold where the arm is; the control loop also does so when it hears nothing."""
        if self._runs and self._following is not None:
            self._sent_s = None
            with contextlib.suppress(Exception):
                self._robot.move(self._following.hold(), asynchronous=True)

    def recover(self) -> None:
        """Clear the robot's errors and hold where it stands; a lost connection is made anew."""
        if self._robot is None or self._lost is not None:
            self.close()
            self.connect()
            return
        self._ask("recover", self._clear)
        self._ask("hold", self._begin)

    def close(self) -> None:
        """Let the arm come to rest and let go of it."""
        gripper, self.gripper = self.gripper, None
        if gripper is not None:
            gripper.close()
        robots, self._robot = [self._robot], None
        running, self._runs, self._following = self._runs, False, None

        def let_go() -> None:
            robot = robots.pop()
            if robot is not None and running and self._lost is None:
                with contextlib.suppress(Exception):
                    robot.move(self._franky.TorqueStopMotion(), asynchronous=True)
                    robot.join_motion(STOP_S)

        line, self._line = self._line, None
        if line is not None:
            # What hangs is left behind on its thread.
            with contextlib.suppress(DeviceError):
                line.call("let go", let_go, timeout_s=STOP_S + 1.0)
            line.end()

    def _open(self) -> Any:
        settings, franky = self._settings, self._franky
        config = franky.RealtimeConfig
        robot = franky.Robot(
            settings.host,
            default_torque_threshold=min(settings.collision_torques_nm),
            default_force_threshold=min(settings.collision_forces_n),
            realtime_config=config.Enforce if settings.realtime == "enforce" else config.Ignore,
        )
        robot.set_collision_behavior(
            settings.contact_torques_nm,
            settings.collision_torques_nm,
            settings.contact_forces_n,
            settings.collision_forces_n,
        )
        if settings.load_kg > 0.0:
            inertia = np.diag(settings.load_inertia_kg_m2).ravel().tolist()
            robot.set_load(settings.load_kg, settings.load_centre_m, inertia)
        return robot

    def _open_hand(self) -> Any:
        return self._franky.Gripper(self._settings.host)

    def _begin(self) -> None:
        """Start the control loop, unless the robot would refuse; it starts by holding."""
        robot = self._robot
        state = robot.state
        self._ended, self._sent_s = "", None
        self._runs = not fault_of(state, ended="", following=True)
        if not self._runs:
            return
        self._following = Following(
            self._franky, self._settings, posture=np.array(state.q), joints=self._joints
        )
        try:
            robot.move(self._following.hold(), asynchronous=True)
        except BaseException:
            self._runs = False
            raise

    def _clear(self) -> None:
        """Have the robot forget its errors."""
        robot, franky = self._robot, self._franky
        with contextlib.suppress(franky.ControlException):
            if robot.is_in_control:
                robot.move(franky.TorqueStopMotion(), asynchronous=True)
            robot.join_motion(STOP_S)
        self._runs = False
        state = robot.state
        if mode_of(state) == "Reflex":
            robot.recover_from_errors()
            state = robot.state
        fault = fault_of(state, ended="", following=True)
        if fault:
            raise DeviceError(fault)

    def _follow(
        self, kind: str, position: NDArray[np.float64], velocity: NDArray[np.float64]
    ) -> None:
        robot = self._connected()
        if not (np.isfinite(position).all() and np.isfinite(velocity).all()):
            raise DeviceError(
                f"expected finite references, got {position.tolist()} at {velocity.tolist()}: "
                f"they have to come from a GuardedArm"
            )
        self._note_silence()
        # After a fault nothing moves; after a silence, the caller has to look where the arm is.
        if not self._runs or self._following is None or self._died:
            return
        make = self._following.pose if kind == "pose" else self._following.joints
        now_s = time.monotonic()
        try:
            robot.move(make(position, velocity), asynchronous=True)
        except self._franky.NetworkException as error:
            self._lost = lost(error)
            raise self._lost from error
        except self._franky.ControlException as error:
            self._runs, self._ended = False, one_line(error)
            return
        self._sent_s = now_s

    def _note_silence(self) -> None:
        """Know by the clock that the control loop has gone over to holding."""
        sent_s = self._sent_s
        if sent_s is not None and time.monotonic() - sent_s >= self._settings.watchdog_s:
            self.interruptions += 1
            self._sent_s, self._died = None, True

    def _note_end(self, robot: Any) -> None:
        """Learn why the control loop has ended, if it has."""
        if not self._runs:
            return
        try:
            if robot.is_in_control:
                return
            robot.poll_motion()
            self._ended = "without a reason"
        except self._franky.NetworkException as error:
            self._lost = lost(error)
        except Exception as error:  # noqa: BLE001 - whatever ended the loop is told
            self._ended = one_line(error)
        self._runs = False
        if self._lost is not None:
            raise self._lost

    def _read(self, robot: Any) -> Any:
        try:
            state = robot.state
        except Exception as error:
            self._runs, self._lost = False, lost(error)
            raise self._lost from error
        now_s = time.monotonic()
        robot_ms = state.time.to_msec()
        if robot_ms != self._robot_ms:
            self._robot_ms, self._seen_s, self._stamp_ns = robot_ms, now_s, self._clock()
        silent_s = now_s - self._seen_s
        if silent_s > self._settings.state_timeout_s:
            raise DeviceError(
                f"the Franka controller sends no states for {silent_s:.2f} s: look at its network"
            )
        # The caller learns the count of interruptions with this state.
        self._died = False
        return state

    def _connected(self) -> Any:
        if self._lost is not None:
            raise self._lost
        if self._robot is None:
            raise DeviceError("expected a connected Franka arm: connect it first")
        return self._robot

    def _ask(self, what: str, function: Callable[[], Any]) -> Any:
        """Carry out a request that may fail or never end."""
        franky, line = self._franky, self._line
        if line is None:
            raise DeviceError("expected a connected Franka arm: connect it first")
        try:
            return line.call(what, function, timeout_s=self._settings.connect_s)
        except franky.IncompatibleVersionException as error:
            raise DeviceError(
                f"expected a controller with FCI version {self.server_version}, but "
                f"{one_line(error)}: update the robot's system image, or install the "
                f"franky-control that fits it"
            ) from error
        except franky.RealtimeException as error:
            raise DeviceError(
                f"expected a real-time kernel, but {one_line(error)}: install one "
                f"(docs/franka.md), or set franka.realtime to 'ignore'"
            ) from error
        except franky.NetworkException as error:
            raise DeviceError(
                f"no Franka controller at {self._settings.host} ({what}: {one_line(error)}): look "
                f"at franka.host, the cable, and whether FCI is active in Desk"
            ) from error
        except (
            franky.CommandException,
            franky.ControlException,
            franky.ProtocolException,
            franky.ModelException,
        ) as error:
            raise DeviceError(f"the robot refused to {what}: {one_line(error)}") from error
