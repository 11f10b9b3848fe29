"""A Franka arm behind the protocol of an arm: references to franky's control loop."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.arm import ArmState, ToolPose
from tiltbot_ros.arms.commands import Space
from tiltbot_ros.arms.franka.controller import Controller
from tiltbot_ros.arms.franka.faults import errors_of, fault_of, lost, mode_of, one_line
from tiltbot_ros.arms.franka.following import Following
from tiltbot_ros.arms.franka.gripper import FrankaGripper
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.limits import AxisLimits
from tiltbot_ros.errors import DeviceError

JOINTS = tuple(f"fr3_joint{number}" for number in range(1, 8))
START_S = 0.5
"""Longest wait for the robot to say that it follows [s]."""

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
        self._controller: Controller | None = None
        self._robot: Any = None
        self._following: Following | None = None
        # The control loop begins with the first reference: who only looks sends nothing.
        self._ready = self._runs = False
        self._ended = ""
        self._lost: DeviceError | None = None
        # When the reference that lives was sent, and whether one died that nobody knows of.
        self._sent_s: float | None = None
        self._died = False
        self._robot_ms = -1
        self._seen_s = 0.0
        self._stamp_ns = 0
        self.interruptions = 0
        self.gripper = FrankaGripper(settings) if settings.gripper else None

    def connect(self) -> None:
        """Connect and set what the rig says; the first reference takes the arm over."""
        if self._controller is not None:
            raise DeviceError("expected a Franka arm that is not connected yet: close it first")
        controller = self._controller = Controller(self._settings)
        self._lost, self._robot_ms = None, -1
        try:
            self._robot = controller.open_robot()
            if self.gripper is not None:
                self.gripper.open(controller.open_hand())
            controller.ask("tell its state", self._stand)
        except BaseException:
            self.close()
            raise

    def state(self) -> ArmState:
        """Return the newest state, not older than `state_timeout_s`."""
        robot = self._connected()
        self._note_end(robot)
        self._note_silence()
        state = self._read(robot)
        fault = fault_of(state, ended=self._ended, following=self._runs or self._ready)
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
        """Clear the robot's errors and stay where it stands; a lost connection is made anew."""
        controller = self._controller
        if controller is not None and self._lost is None:
            try:
                controller.ask("recover", self._clear)
                controller.ask("tell its state", self._stand)
            except DeviceError:
                if not controller.lost:
                    raise
            else:
                return
        self.close()
        self.connect()

    def close(self) -> None:
        """Let the arm come to rest and let go of it."""
        if self.gripper is not None:
            self.gripper.close()
        controller, self._controller = self._controller, None
        robots, self._robot = [self._robot], None
        running, self._runs, self._following = self._runs, False, None
        self._ready = False
        if controller is None:
            return

        def let_go() -> None:
            # The last reference goes here, since a robot that hangs blocks its end, too.
            robot = robots.pop()
            if robot is not None and running and self._lost is None:
                with contextlib.suppress(Exception):
                    robot.move(controller.franky.TorqueStopMotion(), asynchronous=True)
                    robot.join_motion(STOP_S)

        with contextlib.suppress(DeviceError):
            controller.ask("let go", let_go, timeout_s=STOP_S + 1.0)
        controller.close()

    def _stand(self) -> None:
        """Be ready for the first reference, unless the robot would refuse it."""
        self._ended, self._sent_s = "", None
        self._ready = not fault_of(self._robot.state, ended="", following=True)

    def _begin(self) -> None:
        """Start the control loop, which begins by holding."""
        robot = self._robot
        self._ready, self._runs = False, True
        self._following = Following(
            self._opened().franky,
            self._settings,
            posture=np.array(robot.state.q),
            joints=self._joints,
        )
        robot.move(self._following.hold(), asynchronous=True)
        deadline = time.monotonic() + START_S
        while robot.is_in_control and mode_of(robot.state) != "Move":
            if time.monotonic() > deadline:
                return
            time.sleep(0.002)

    def _clear(self) -> None:
        """Have the robot forget its errors."""
        robot, franky = self._robot, self._opened().franky
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
        if self._ready:
            self._opened().ask("follow", self._begin)
        # After a fault nothing moves; after a silence, the caller has to look where the arm is.
        if not self._runs or self._following is None or self._died:
            return
        make = self._following.pose if kind == "pose" else self._following.joints
        now_s = time.monotonic()
        try:
            robot.move(make(position, velocity), asynchronous=True)
        except Exception as error:  # noqa: BLE001 - the control loop has ended by it
            self._note_why(error)
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
        except Exception as error:  # noqa: BLE001 - whatever ended the loop is told
            self._note_why(error)
        else:
            self._runs, self._ended = False, "without a reason"

    def _note_why(self, error: Exception) -> None:
        """Keep why the control loop has ended.

        Raises:
            DeviceError: the connection is lost.
        """
        self._runs, self._ended = False, one_line(error)
        if isinstance(error, self._opened().franky.NetworkException):
            self._lost = lost(error)
            raise self._lost from error

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
        self._opened()
        if self._lost is not None:
            raise self._lost
        return self._robot

    def _opened(self) -> Controller:
        if self._controller is None:
            raise DeviceError("expected a connected Franka arm: connect it first")
        return self._controller
