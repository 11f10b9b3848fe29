"""An arm in ROS: steps and joint targets in; joints, pose, reference and state out."""

import math
import time

import numpy as np
from geometry_msgs.msg import Point, PoseStamped, Quaternion
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from tiltbot.msg import ArmDelta, ArmStatus, ArmTarget, DropCount
from tiltbot.srv import CommandArm
from tiltbot_ros import topics
from tiltbot_ros.arms.arm import ArmState, ToolPose
from tiltbot_ros.arms.commanded import CommandedArm, CommandedStatus
from tiltbot_ros.arms.commands import Command
from tiltbot_ros.arms.deltas import Step
from tiltbot_ros.arms.poses import quaternion_of, tool_pose
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.nodes.wiring import nanoseconds, publisher, stamp, subscription

STATUS_PERIOD_S = 0.1
GRIPPER_PERIOD_S = 0.1
GRIPPER = "gripper"


def pose_message(tool: ToolPose, *, stamp_ns: int, frame: str) -> PoseStamped:
    """Return a tool's pose in the base frame as a message."""
    message = PoseStamped()
    message.header.stamp = stamp(stamp_ns)
    message.header.frame_id = frame
    x, y, z = tool.position.tolist()
    message.pose.position = Point(x=x, y=y, z=z)
    x, y, z, w = quaternion_of(tool).tolist()
    message.pose.orientation = Quaternion(x=x, y=y, z=z, w=w)
    return message


class ArmServer:
    """Serves one arm. Whoever owns it calls `tick` at the arm's rate."""

    def __init__(self, node: Node, arm: CommandedArm, *, frame: str, dry_run: bool) -> None:
        """Open topics and services.

        Args:
            node: who serves.
            arm: connected.
            frame: name of the frame of the arm's base.
            dry_run: references go to arm/preview.
        """
        self._node = node
        self._arm = arm
        self._frame = frame
        self._dry_run = dry_run
        self._told: CommandedStatus | None = None
        self._told_s = -math.inf
        self._width_m: float | None = None
        self._width_s = -math.inf
        self._joints = publisher(node, topics.ARM_JOINTS)
        self._pose = publisher(node, topics.ARM_POSE)
        self._reference = publisher(node, topics.ARM_PREVIEW if dry_run else topics.ARM_REFERENCE)
        self._state = publisher(node, topics.ARM_STATE)
        self._kept = [
            subscription(node, topics.ARM_DELTA, self._on_delta),
            subscription(node, topics.ARM_TARGET, self._on_target),
            node.create_service(CommandArm, "arm/take", self._take),
            node.create_service(CommandArm, "arm/release", self._release),
            node.create_service(Trigger, "arm/recover", self._recover),
            node.create_service(Trigger, "arm/stop", self._stop),
        ]

    def tick(self, stamp_ns: int, now_s: float) -> None:
        """Tell the arm where to be, and publish the state.

        Args:
            stamp_ns: the moment (ROS clock) [ns].
            now_s: the same on a clock that only goes on [s].

        Raises:
            DeviceError: the connection is lost.
        """
        reference = self._arm.tick(now_s, stamp_ns)
        state = self._arm.state
        self._publish_state(state, now_s)
        if self._arm.space == "pose":
            told = tool_pose(reference.position)
            self._reference.publish(pose_message(told, stamp_ns=stamp_ns, frame=self._frame))
        status = self._arm.status(now_s)
        if now_s - self._told_s >= STATUS_PERIOD_S or self._changed(status):
            self._told, self._told_s = status, now_s
            self._state.publish(self._message(status, stamp_ns))

    def status(self) -> CommandedStatus:
        """Return what the arm does."""
        return self._arm.status(time.monotonic())

    def _changed(self, status: CommandedStatus) -> bool:
        before = self._told
        return before is None or (
            (before.phase, before.reason, before.fault, before.commander)
            != (status.phase, status.reason, status.fault, status.commander)
        )

    def _publish_state(self, state: ArmState, now_s: float) -> None:
        if now_s - self._width_s >= GRIPPER_PERIOD_S:
            self._width_m, self._width_s = self._arm.gripper_width_m, now_s
        fingers = [] if self._width_m is None else [self._width_m]
        joints = JointState(name=[*self._arm.arm.joint_names, *([GRIPPER] if fingers else [])])
        joints.header.stamp = stamp(state.stamp_ns)
        joints.header.frame_id = self._frame
        joints.position = [*state.positions.tolist(), *fingers]
        joints.velocity = [*state.velocities.tolist(), *([math.nan] if fingers else [])]
        if not np.isnan(state.efforts).all():
            joints.effort = [*state.efforts.tolist(), *([math.nan] if fingers else [])]
        self._joints.publish(joints)
        if state.tool is not None:
            self._pose.publish(pose_message(state.tool, stamp_ns=state.stamp_ns, frame=self._frame))

    def _message(self, status: CommandedStatus, stamp_ns: int) -> ArmStatus:
        message = ArmStatus(
            mode=status.phase,
            reason=status.reason,
            fault=status.fault,
            commander=status.commander,
            dry_run=self._dry_run,
            space=status.space,
            deltas=status.deltas,
            clamped=status.clamped,
            refusals=[
                DropCount(topic="", cause=cause, count=count)
                for cause, count in sorted(status.refusals.items())
            ],
            deadman_stops=status.deadman_stops,
            missed_cycles=status.missed_cycles,
            interruptions=status.interruptions,
        )
        message.header.stamp = stamp(stamp_ns)
        message.header.frame_id = self._frame
        return message

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)

    def _on_delta(self, message: ArmDelta) -> None:
        step = Step(
            commander=message.commander,
            sequence=message.sequence,
            stamp_ns=nanoseconds(message.header.stamp),
            delta=np.array(message.delta, dtype=np.float64),
            gripper=message.gripper,
        )
        self._arm.step(step, now_s=time.monotonic(), now_ns=self._now_ns())

    def _on_target(self, message: ArmTarget) -> None:
        command = Command(
            commander=message.commander,
            sequence=message.sequence,
            stamp_ns=nanoseconds(message.header.stamp),
            position=np.array(message.positions, dtype=np.float64),
        )
        self._arm.joints(command, now_s=time.monotonic(), now_ns=self._now_ns())

    def _take(
        self, request: CommandArm.Request, response: CommandArm.Response
    ) -> CommandArm.Response:
        if not request.commander:
            response.message = "expected the name of who commands, got none"
            return response
        try:
            self._arm.take(request.commander, time.monotonic())
        except TiltbotError as error:
            response.message = str(error)
            return response
        response.success, response.message = True, f"'{request.commander}' has the arm"
        return response

    def _release(
        self, request: CommandArm.Request, response: CommandArm.Response
    ) -> CommandArm.Response:
        self._arm.release(request.commander, time.monotonic())
        response.success, response.message = True, f"'{request.commander}' has not the arm"
        return response

    def _recover(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            self._arm.recover()
        except TiltbotError as error:
            response.message = str(error)
            return response
        response.success, response.message = True, "the arm stands, and follows who takes it"
        return response

    def _stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._arm.stop("stopped by the service arm/stop", time.monotonic())
        response.success = True
        response.message = "the arm stops; who wants to go on takes it again"
        return response
