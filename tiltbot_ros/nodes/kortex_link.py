"""The ROS part of the Kinova driver: topics in, topics out, on a node and a thread of its own."""

import atexit
import contextlib
import importlib
import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import rclpy
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Twist
from numpy.typing import NDArray
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from tiltbot_ros.arms.kinova.link import JOINTS, JointReading, Knot
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.errors import DeviceError, MissingDependencyError
from tiltbot_ros.nodes.kortex_twist_guard import HEARD, READY
from tiltbot_ros.nodes.kortex_twist_guard import message as twist_message
from tiltbot_ros.nodes.running import make_executor
from tiltbot_ros.nodes.wiring import message_class, nanoseconds, stamp

JointTrajectory = message_class("trajectory_msgs/msg/JointTrajectory")
JointTrajectoryPoint = message_class("trajectory_msgs/msg/JointTrajectoryPoint")

POLL_S = 0.02
FLUSH_S = 0.05
FAULT_TOPIC = "fault_controller/internal_fault"
RESET_SERVICE = "fault_controller/reset_fault"
FORCE_N = 235.0


def interface(package: str, kind: str, name: str) -> Any:
    """Return a message, service or action class of a package that may be missing, or None."""
    try:
        return getattr(importlib.import_module(f"{package}.{kind}"), name, None)
    except ImportError:
        return None


class RosKortexLink:
    """A connection to the topics of ros2_kortex."""

    def __init__(self, settings: KinovaSettings) -> None:
        """Make one that is not open.

        Raises:
            MissingDependencyError: the gripper's action needs a package that is not installed.
        """
        self._settings = settings
        self._action_type = self._gripper_action()
        self._context: Any = None
        self._node: Any = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._newest: JointReading | None = None
        self._problem = ""
        self._faulty = False
        self._guard: subprocess.Popen[bytes] | None = None
        self._publishers: dict[str, Any] = {}
        self._reset: Any = None
        self._gripper: Any = None

    def open(self, *, timeout_s: float) -> None:
        """Connect, and wait for joint states and for the controller."""
        if self._node is not None:
            raise DeviceError("expected a closed link to ros2_kortex: close it first")
        settings = self._settings
        self._newest, self._problem, self._faulty = None, "", False
        # A thread of ROS that is still there at the end would abort the process.
        atexit.register(self.close)
        self._context = rclpy.Context()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node(
            "tiltbot_kortex",
            context=self._context,
            namespace=settings.namespace,
            use_global_arguments=False,
        )
        newest = QoSProfile(depth=1)
        self._node.create_subscription(JointState, settings.joint_states, self._hear, newest)
        if settings.mode == "twist":
            self._publish("command", Twist, settings.twist)
            self._start_guard()
        else:
            self._publish("command", JointTrajectory, settings.trajectory)
        if settings.gripper == "topic":
            self._publish("gripper", Float64MultiArray, settings.gripper_topic)
        elif self._action_type is not None:
            action = importlib.import_module("rclpy.action")
            self._gripper = action.ActionClient(
                self._node, self._action_type, settings.gripper_action
            )
        self._watch_faults()
        self._closing.clear()
        executor = make_executor(self._context)
        executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, args=(executor,), daemon=True)
        self._thread.start()
        self._await(lambda: self._newest is not None, timeout_s, self._no_states)
        self._await(lambda: self.controllers() > 0, timeout_s, self._no_controller)
        if self._guard is not None:
            self._await(self._guard_is_heard, timeout_s, self._no_controller)

    def reading(self) -> JointReading | None:
        """Return the newest joint state."""
        if self._problem:
            raise DeviceError(self._problem)
        return self._newest

    def controllers(self) -> int:
        """Return how many take the commands."""
        return int(self._publishers["command"].get_subscription_count())

    def send_trajectory(self, start_ns: int | None, knots: Sequence[Knot]) -> None:
        """Send a trajectory."""
        message = JointTrajectory(joint_names=list(JOINTS))
        if start_ns is not None:
            message.header.stamp = stamp(start_ns)
        for knot in knots:
            time_ns = round(knot.time_s * 1e9)
            message.points.append(
                JointTrajectoryPoint(
                    positions=knot.positions.tolist(),
                    velocities=knot.velocities.tolist(),
                    time_from_start=Duration(
                        sec=time_ns // 1_000_000_000, nanosec=time_ns % 1_000_000_000
                    ),
                )
            )
        self._send("command", message)

    def send_twist(self, twist: NDArray[np.float64]) -> None:
        """Send velocities through the guard; when it has died, send zero from here."""
        guard = self._guard
        try:
            if guard is None or guard.stdin is None:
                raise BrokenPipeError("it was not started")
            guard.stdin.write(json.dumps(twist.tolist()).encode() + b"\n")
            guard.stdin.flush()
        except OSError as error:
            self._send("command", twist_message(np.zeros(6)))
            raise DeviceError(
                f"the guard of Kinova's velocities has ended ({error}); zero was sent: connect "
                f"again"
            ) from error

    def send_gripper(self, position_rad: float, *, effort: float) -> None:
        """Send a position of the gripper's joint, by topic or by action."""
        if self._gripper is None:
            self._send("gripper", Float64MultiArray(data=[position_rad]))
            return
        if not self._gripper.server_is_ready():
            raise DeviceError(
                f"nobody serves {self._settings.gripper_action}: start ros2_kortex with "
                f"gripper:=robotiq_2f_85"
            )
        goal = self._action_type.Goal()
        if self._settings.gripper_action_type == "GripperCommand":
            goal.command.position, goal.command.max_effort = position_rad, effort * FORCE_N
        else:
            goal.command.name = [self._settings.gripper_joint]
            goal.command.position = [position_rad]
            goal.command.effort = [effort * FORCE_N]
        self._gripper.send_goal_async(goal)

    def fault(self) -> str:
        """Return that the robot has a fault, where it can be known."""
        return "the robot is in fault: look at its web page, then recover" if self._faulty else ""

    def reset_fault(self, *, timeout_s: float) -> None:
        """Call the fault controller, where example_interfaces is installed."""
        if self._reset is None or not self._reset.service_is_ready():
            return
        future = self._reset.call_async(interface("example_interfaces", "srv", "Trigger").Request())
        self._await(future.done, timeout_s, lambda: "the fault controller does not answer")
        answer = future.result()
        if not answer.success:
            raise DeviceError(f"the robot's fault cannot be cleared: {answer.message or 'refused'}")
        self._await(lambda: not self._faulty, timeout_s, self.fault)

    def close(self) -> None:
        """Send zero where velocities were sent, and disconnect."""
        node, self._node = self._node, None
        if node is None:
            return
        atexit.unregister(self.close)
        self._stop_guard()
        if self._settings.mode == "twist":
            with contextlib.suppress(Exception):
                self._publishers["command"].publish(twist_message(np.zeros(6)))
        time.sleep(FLUSH_S)  # what was published last is still on its way
        self._closing.set()
        if self._thread is not None:
            self._thread.join(2.0)
        node.destroy_node()
        rclpy.try_shutdown(context=self._context)
        self._publishers.clear()
        self._gripper = self._reset = None

    def _spin(self, executor: Any) -> None:
        try:
            while not self._closing.is_set():
                executor.spin_once(timeout_sec=POLL_S)
        except ExternalShutdownException:
            return
        except Exception as error:  # noqa: BLE001 - it is told by the thread that asks
            self._problem = f"the link to ros2_kortex has ended: {error}"

    def _hear(self, message: JointState) -> None:
        index = {name: number for number, name in enumerate(message.name)}
        if not all(name in index for name in JOINTS):
            return  # another broadcaster's
        order = [index[name] for name in JOINTS]
        grip = index.get(self._settings.gripper_joint)
        self._newest = JointReading(
            stamp_ns=nanoseconds(message.header.stamp),
            received_s=time.monotonic(),
            positions=_picked(message.position, order, np.nan),
            velocities=_picked(message.velocity, order, 0.0),
            efforts=_picked(message.effort, order, np.nan),
            gripper=float(message.position[grip]) if grip is not None else float("nan"),
        )

    def _publish(self, key: str, kind: Any, topic: str) -> None:
        self._publishers[key] = self._node.create_publisher(kind, topic, QoSProfile(depth=1))

    def _send(self, key: str, message: Any) -> None:
        publisher = self._publishers.get(key)
        if self._node is None or publisher is None:
            raise DeviceError("expected an open link to ros2_kortex: connect it first")
        try:
            publisher.publish(message)
        except Exception as error:
            raise DeviceError(f"ros2_kortex cannot be told: {error}") from error

    def _gripper_action(self) -> Any:
        if self._settings.gripper != "action":
            return None
        found = interface("control_msgs", "action", self._settings.gripper_action_type)
        if found is None:
            raise MissingDependencyError(
                f"expected control_msgs with the action {self._settings.gripper_action_type} for "
                f"kinova.gripper 'action', but it is not installed (the ROS 2 wheels have none): "
                f"apt install ros-$ROS_DISTRO-control-msgs on a ROS 2 installation, or set "
                f"kinova.gripper to 'topic' (docs/kinova.md)"
            )
        return found

    def _watch_faults(self) -> None:
        kind = interface("example_interfaces", "msg", "Bool")
        if kind is None:
            return  # without it a fault shows as joints that do not follow
        self._node.create_subscription(
            kind, FAULT_TOPIC, lambda message: setattr(self, "_faulty", bool(message.data)), 1
        )
        trigger = interface("example_interfaces", "srv", "Trigger")
        self._reset = self._node.create_client(trigger, RESET_SERVICE)

    def _start_guard(self) -> None:
        topic = self._node.resolve_topic_name(self._settings.twist)
        silence = str(self._settings.twist_watchdog_s)
        self._guard = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "tiltbot_ros.nodes.kortex_twist_guard", topic, silence],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # a line read ahead would be hidden from select
            start_new_session=True,
        )
        if self._guard.stdout is None or self._guard.stdout.readline() != READY:
            raise DeviceError("the guard of Kinova's velocities did not start")

    def _guard_is_heard(self) -> bool:
        # It says nothing else after READY, so that a line, or its end, can be awaited.
        told = self._guard.stdout if self._guard is not None else None
        if told is None or not select.select([told], [], [], 0.0)[0]:
            return False
        if told.readline() != HEARD:
            raise DeviceError("the guard of Kinova's velocities has ended: connect again")
        return True

    def _stop_guard(self) -> None:
        guard, self._guard = self._guard, None
        if guard is None:
            return
        for stream in (guard.stdin, guard.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        try:
            guard.wait(2.0)
        except subprocess.TimeoutExpired:
            guard.kill()
            guard.wait()

    def _await(
        self, condition: Callable[[], object], timeout_s: float, why: Callable[[], str]
    ) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise DeviceError(why())
            time.sleep(POLL_S)

    def _no_states(self) -> str:
        topic = self._node.resolve_topic_name(self._settings.joint_states)
        others = [name for name, kinds in self._node.get_topic_names_and_types()
                  if "sensor_msgs/msg/JointState" in kinds and name != topic]  # fmt: skip
        hint = f"; joint states are on {', '.join(others)}" if others else ""
        return (
            f"expected joint states of a Gen3 with joint_1 .. joint_7 on {topic}, but none came"
            f"{hint}: start ros2_kortex (docs/kinova.md), and look at ROS_DOMAIN_ID and "
            f"ROS_AUTOMATIC_DISCOVERY_RANGE here and there"
        )

    def _no_controller(self) -> str:
        twist = self._settings.mode == "twist"
        topic = self._settings.twist if twist else self._settings.trajectory
        name = "twist_controller" if twist else "joint_trajectory_controller"
        return (
            f"expected a controller that takes {self._node.resolve_topic_name(topic)}, but there "
            f"is none: start ros2_kortex with robot_controller:={name} (docs/kinova.md)"
        )


def _picked(values: Sequence[float], order: Sequence[int], absent: float) -> NDArray[np.float64]:
    if len(values) <= max(order):
        return np.full(len(order), absent)
    return np.array([values[i] for i in order], dtype=np.float64)
