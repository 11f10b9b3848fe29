"""A Kinova arm behind ros2_kortex: messages, controllers, joint states and limits, no motion."""

import time
from collections.abc import Callable

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

from tiltbot_ros.arms.kinova.link import JOINTS
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.arms.limits import RobotLimits, load_limits
from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok, warn
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.nodes.kortex_link import interface
from tiltbot_ros.nodes.wiring import nanoseconds

DISCOVERY_S = 6.0
LISTENING_S = 2.0
SLOWEST_HZ = 50.0
FASTEST_HZ = 400.0
APART_S = 0.2


def examine(needs: Needs) -> list[Finding]:
    """Examine everything that a motion would need."""
    settings = needs.kinova
    found = [_messages(settings)]
    try:
        limits = load_limits(needs.arm.limits or "gen3")
    except ConfigError as error:
        return [*found, fail("limits", str(error), "set arm.limits in the rig's YAML")]
    found.append(ok("limits", f"of '{limits.name}', {len(limits.joints.names)} joints"))
    rclpy.init()
    node = rclpy.create_node("doctor_kinova", namespace=settings.namespace)
    try:
        return found + _graph(node, settings, limits)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def _messages(settings: KinovaSettings) -> Finding:
    lacking = []
    if interface("control_msgs", "action", settings.gripper_action_type) is None:
        if settings.gripper == "action":
            return fail(
                "messages",
                f"control_msgs with {settings.gripper_action_type} is not installed, which "
                f"kinova.gripper 'action' needs",
                "apt install ros-$ROS_DISTRO-control-msgs on a ROS 2 installation, or set "
                "kinova.gripper: topic",
            )
        lacking.append("control_msgs (the gripper is told by topic)")
    if interface("example_interfaces", "msg", "Bool") is None:
        lacking.append("example_interfaces (a fault shows as joints that do not follow)")
    if lacking:
        return ok("messages", f"all that is needed; not installed: {', '.join(lacking)}")
    return ok("messages", "control_msgs and example_interfaces are installed")


def _graph(node: Node, settings: KinovaSettings, limits: RobotLimits) -> list[Finding]:
    heard: list[tuple[float, JointState]] = []
    node.create_subscription(
        JointState,
        settings.joint_states,
        lambda message: heard.append((time.monotonic(), message)),
        QoSProfile(depth=50),
    )
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    _spin(executor, DISCOVERY_S, until=lambda: bool(heard))
    heard.clear()
    _spin(executor, LISTENING_S, until=lambda: False)
    found = [_states(node, settings, heard)]
    found += [_controller(node, settings), *_gripper(node, settings, heard)]
    arm = [message for _, message in heard if set(JOINTS) <= set(message.name)]
    if arm:
        found += [_clock(arm[-1]), _place(arm[-1], limits)]
    return found


def _spin(executor: SingleThreadedExecutor, seconds: float, *, until: Callable[[], bool]) -> None:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s and not until():
        executor.spin_once(timeout_sec=0.05)


def _states(node: Node, settings: KinovaSettings, heard: list[tuple[float, JointState]]) -> Finding:
    topic = node.resolve_topic_name(settings.joint_states)
    advice = (
        "start ros2_kortex (docs/kinova.md); look at kinova.namespace, ROS_DOMAIN_ID and "
        "ROS_AUTOMATIC_DISCOVERY_RANGE, which must let this computer hear the other"
    )
    if not heard:
        return fail("joint states", f"nothing comes on {topic}", advice)
    times = np.array([at for at, message in heard if set(JOINTS) <= set(message.name)])
    if len(times) < 2:
        names = ", ".join(heard[-1][1].name)
        return fail("joint states", f"{topic} has no joint_1 .. joint_7 but {names}", advice)
    rate_hz = (len(times) - 1) / max(times[-1] - times[0], 1e-3)
    text = f"{rate_hz:.0f} Hz on {topic}, the longest gap {1e3 * np.diff(times).max():.0f} ms"
    if rate_hz < SLOWEST_HZ:
        return warn("joint states", text, "look at the network, and at what else runs there")
    if rate_hz > FASTEST_HZ:
        return warn(
            "joint states", text, "give joint_state_broadcaster update_rate: 200, it costs less"
        )
    if np.diff(times).max() > settings.state_timeout_s:
        return warn("joint states", text, "a gap that long stops the arm: use a cable, not Wi-Fi")
    return ok("joint states", text)


def _controller(node: Node, settings: KinovaSettings) -> Finding:
    twist = settings.mode == "twist"
    topic = node.resolve_topic_name(settings.twist if twist else settings.trajectory)
    name = "twist_controller" if twist else "joint_trajectory_controller"
    count = node.count_subscribers(topic)
    if count == 0:
        return fail(
            "controller",
            f"nobody takes {topic}",
            f"start ros2_kortex with robot_controller:={name}",
        )
    others = node.count_publishers(topic)
    if others:
        return warn(
            "controller",
            f"{topic} is taken, and {others} more already tell it something",
            "end the other program, such as MoveIt: one commander at a time",
        )
    return ok("controller", f"{topic} is taken; whether {name} is active shows with the first step")


def _gripper(
    node: Node, settings: KinovaSettings, heard: list[tuple[float, JointState]]
) -> list[Finding]:
    if settings.gripper == "none":
        return []
    found = []
    if not any(settings.gripper_joint in message.name for _, message in heard):
        found.append(
            fail(
                "gripper",
                f"no {settings.gripper_joint} in the joint states",
                "start ros2_kortex with gripper:=robotiq_2f_85, or set kinova.gripper: none",
            )
        )
    if settings.gripper == "topic":
        topic = node.resolve_topic_name(settings.gripper_topic)
        if node.count_subscribers(topic) == 0:
            advice = "spawn gripper_position_controller: docs/kinova.md has the lines"
            found.append(fail("gripper", f"nobody takes {topic}", advice))
    return found or [ok("gripper", f"told by {settings.gripper}, measured in the joint states")]


def _clock(message: JointState) -> Finding:
    apart_s = (time.time_ns() - nanoseconds(message.header.stamp)) * 1e-9
    text = f"joint states are {1e3 * apart_s:.0f} ms old by their stamps"
    if abs(apart_s) > APART_S:
        advice = "set both clocks by one time server (chrony); until then states are stamped here"
        return warn("its clock", text, advice)
    return ok("its clock", text)


def _place(message: JointState, limits: RobotLimits) -> Finding:
    at = dict(zip(message.name, message.position, strict=True))
    joints = limits.joints
    outside = [
        f"{name} at {at[name]:.3f} rad"
        for name, low, high in zip(joints.names, joints.lower, joints.upper, strict=True)
        if not low <= at[name] <= high
    ]
    if outside:
        return fail("joints", f"outside of the limits: {', '.join(outside)}", "move it by hand")
    return ok("joints", "within the limits")
