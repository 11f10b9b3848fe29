"""Sawyer through its SDK: what is read, what is told, and why it cannot be."""

from __future__ import annotations

import importlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class RobotError(Exception):
    """Why there is no robot: `cause` is one of ros1, master, sdk, messages, robot."""

    def __init__(self, cause: str, text: str) -> None:
        super().__init__(text)
        self.cause = cause


def _modules() -> tuple[Any, Any, Any]:
    """Return rospy, sensor_msgs.msg and intera_interface, or say what is missing."""
    try:
        rosgraph = importlib.import_module("rosgraph")
        rospy = importlib.import_module("rospy")
        messages = importlib.import_module("sensor_msgs.msg")
    except ImportError as error:
        raise RobotError(
            "ros1",
            f"expected the Python of ROS 1 ({error}): install ROS Noetic, or on Debian "
            f"python3-rospy and its message packages, and name its folders in sawyer.pythonpath",
        ) from error
    uri = os.environ.get("ROS_MASTER_URI", "")
    try:
        # Without a master rospy waits for one for ever.
        online = rosgraph.is_master_online()
    except ValueError as error:
        raise RobotError("master", f"ROS_MASTER_URI '{uri}': {error}") from error
    if not online:
        raise RobotError(
            "master",
            f"no ROS master at '{uri}': switch the robot on, wait until it has booted into the "
            f"SDK, and check sawyer.master_uri and sawyer.ros_ip",
        )
    try:
        return rospy, messages, importlib.import_module("intera_interface")
    except ImportError as error:
        if "_msgs" in str(error):
            raise RobotError(
                "messages",
                f"expected the messages of intera_common ({error}): build them in your catkin "
                f"workspace, or make them with make_messages.py beside this package",
            ) from error
        raise RobotError(
            "sdk",
            f"expected Rethink's SDK 'intera_interface' ({error}): clone "
            f"github.com/RethinkRobotics/intera_sdk and name its folder "
            f"intera_interface/src in sawyer.pythonpath",
        ) from error


class Reading:
    """One joint state of the robot, never changed once it is made.

    `stamp_ns` is the robot's time of measurement, `at_s` the moment it came on the
    monotonic clock of this computer.
    """

    def __init__(self, message: Any, joints: list[str]) -> None:
        index = [message.name.index(joint) for joint in joints]
        self.at_s = time.monotonic()
        self.wall_ns = time.time_ns()
        self.stamp_ns = int(message.header.stamp.to_nsec())
        self.positions = [float(message.position[i]) for i in index]
        self.velocities = [float(message.velocity[i]) for i in index]
        self.efforts = [float(message.effort[i]) for i in index]


class Robot:
    """The right arm, through `intera_interface`."""

    def __init__(self, limb: str, on_reading: Callable[[], None]) -> None:
        """Wait until the robot answers; `on_reading` is called from ROS's threads.

        Raises:
            RobotError: something is missing, or the robot does not answer.
        """
        rospy, messages, intera = _modules()
        self._on_reading = on_reading
        self.newest: Reading | None = None
        rospy.init_node("tiltbot_sawyer", anonymous=True, disable_signals=True)
        try:
            self._enable = intera.RobotEnable(versioned=False)
            self._limb = intera.Limb(limb)
        except (OSError, rospy.ROSException) as error:
            raise RobotError("robot", f"the robot does not answer: {error}") from error
        # Without the robot's parameters the SDK's constructor logs and returns half made.
        if not getattr(self._limb, "name", ""):
            raise RobotError(
                "robot",
                f"the ROS master has no parameters of a limb '{limb}': is it the robot's master?",
            )
        self.joints = list(self._limb.joint_names())
        self.sdk = str(intera.SDK_VERSION)
        # The SDK's own copy is filled joint by joint while others read it, and has no stamp.
        self._subscriber = rospy.Subscriber(
            "/robot/joint_states",
            messages.JointState,
            self._on_joints,
            queue_size=1,
            tcp_nodelay=True,
        )

    def _on_joints(self, message: Any) -> None:
        # The head's joint states come on the same topic.
        if all(joint in message.name for joint in self.joints):
            self.newest = Reading(message, self.joints)
            self._on_reading()

    def begin(self, speed_ratio: float, timeout_s: float) -> None:
        """Tell how fast the robot may go, and how long it waits for a command."""
        self._limb.set_joint_position_speed(speed_ratio)
        self._limb.set_command_timeout(timeout_s)

    def command(self, positions: list[float]) -> None:
        """Command joint positions [rad]."""
        self._limb.set_joint_positions(dict(zip(self.joints, positions)))  # noqa: B905 - Python 3.8

    def hold(self, timeout_s: float) -> None:
        """Leave whatever mode the robot is in and hold where it is."""
        self._limb.exit_control_mode(timeout_s)

    def enable(self) -> str:
        """Reset what can be reset and switch the joints on; blocks; return what failed."""
        return self._try(self._enable.enable)

    def disable(self) -> str:
        """Switch the joints off; blocks; return what failed."""
        return self._try(self._enable.disable)

    @staticmethod
    def _try(work: Callable[[], object]) -> str:
        try:
            work()
        except OSError as error:  # how the SDK tells every failure
            return error.strerror or str(error)
        return ""

    def moves(self) -> bool:
        """Return whether the robot would carry out a command now."""
        state = self._enable.state()
        return bool(state.enabled and not state.stopped and not state.error)

    def status(self) -> dict[str, Any]:
        """Return what the robot says of itself, and the pose of its hand."""
        state = self._enable.state()
        pose = self._limb.endpoint_pose()
        return {
            "enabled": bool(state.enabled),
            "stopped": bool(state.stopped),
            "error": bool(state.error),
            "homed": bool(state.homed),
            "ready": bool(state.ready),
            "estop_button": int(state.estop_button),
            "estop_source": int(state.estop_source),
            "collision": bool(self._limb.has_collided()),
            "position": [float(value) for value in pose["position"]],
            "quaternion": [float(value) for value in pose["orientation"]],
        }


class Requests:
    """Runs what blocks for seconds, one at a time, beside the loop that must not."""

    def __init__(self, finished: Callable[[int, str], None]) -> None:
        """`finished` gets the request's number and what failed, from another thread."""
        self._finished = finished
        self._busy = threading.Lock()

    def run(self, number: int, work: Callable[[], str]) -> bool:
        """Begin; return False while another one runs."""
        if not self._busy.acquire(blocking=False):
            return False
        threading.Thread(target=self._run, args=(number, work), daemon=True).start()
        return True

    def _run(self, number: int, work: Callable[[], str]) -> None:
        try:
            failure = work()
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises is told, not lost
            failure = f"{type(error).__name__}: {error}"
        finally:
            self._busy.release()
        self._finished(number, failure)
