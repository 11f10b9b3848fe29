"""The tray in ROS: `Tilt` actions in, pose, joints and finished tilts out."""

from functools import partial

import numpy as np
from geometry_msgs.msg import PoseStamped, Quaternion, Vector3
from numpy.typing import NDArray
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from sensor_msgs.msg import JointState

from tiltbot.action import Tilt as TiltAction
from tiltbot.msg import Tilt
from tiltbot_ros import topics
from tiltbot_ros.arms.tilts import TiltMotion, TiltSettings
from tiltbot_ros.arms.tray import (
    FollowMonitor,
    FollowSettings,
    TrayDriver,
    TrayReading,
    unit_quaternion,
)
from tiltbot_ros.errors import DeviceError, LimitError
from tiltbot_ros.nodes.wiring import publisher, stamp

DONE = "done"
FEEDBACK_PERIOD_S = 0.1


def quaternion(rotation: NDArray[np.float64]) -> Quaternion:
    """Return a rotation vector (2,) or (3,) [rad] as a unit quaternion."""
    x, y, z, w = unit_quaternion(rotation)
    return Quaternion(x=x, y=y, z=z, w=w)


class _Run:
    """One tilt under way."""

    def __init__(self, goal: ServerGoalHandle, motion: TiltMotion) -> None:
        self.goal = goal
        self.motion = motion
        self.started_ns = 0
        self.ended_ns = 0
        self.began_s: float | None = None
        self.reported_s = 0.0
        self.reason = ""


class TrayServer:
    """Serves one tray. Whoever owns it calls `tick` at the rig's rate."""

    def __init__(
        self,
        node: Node,
        driver: TrayDriver,
        *,
        tilt: TiltSettings,
        follow: FollowSettings,
        rate_hz: float,
        frame: str,
    ) -> None:
        """Open the publishers and the action `tilt`.

        Args:
            node: who serves.
            driver: tilts the tray.
            tilt: shape of a tilt.
            follow: when the tray counts as not following.
            rate_hz: how often `tick` is called [Hz].
            frame: name of the frame of the level tray.
        """
        self._node = node
        self._driver = driver
        self._tilt = tilt
        self._frame = frame
        self._monitor = FollowMonitor(follow)
        self._rate_hz = rate_hz
        self._run: _Run | None = None
        self._reference: NDArray[np.float64] = np.zeros(2)
        self._pose = publisher(node, topics.TRAY_POSE)
        self._joints = publisher(node, topics.TRAY_JOINTS)
        self._commanded = publisher(node, topics.TRAY_REFERENCE)
        self._tilts = publisher(node, topics.TILT)
        self._server = ActionServer(
            node,
            TiltAction,
            "tilt",
            # The tick carries a goal out; what the server calls "execute" only
            # tells its end. A coroutine that waited would keep rclpy polling it.
            execute_callback=lambda _: TiltAction.Result(),
            handle_accepted_callback=self._begin,
            goal_callback=self._accept,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    def close(self) -> None:
        """Stop serving, end a tilt under way, and let go of the driver."""
        run = self._run
        if run is not None:
            self._finish(run, run.started_ns, "the tray node was stopped")
        self._driver.close()

    def tick(self, stamp_ns: int, now_s: float) -> None:
        """Command the reference of this moment and publish the state.

        Args:
            stamp_ns: the moment (ROS clock) [ns].
            now_s: the same on a clock that only goes on: the monotonic one, or
                the world's own [s].
        """
        run = self._run
        self._reference = self._next_reference(run, stamp_ns, now_s)
        self._driver.command(self._reference)
        reading = self._driver.read()
        self._publish(reading, self._reference)
        fault = self._driver.fault
        if fault:
            # What moves on is where the arm has stopped.
            self._reference = reading.rotation[:2]
        if run is not None and not run.reason:
            if fault:
                self._finish(run, stamp_ns, fault)
            else:
                self._watch(run, reading, stamp_ns, now_s)

    def recover(self) -> None:
        """Clear a fault of the arm and come level; blocks.

        Raises:
            DeviceError: the fault stays.
        """
        self._driver.recover()
        self._reference = self._driver.read().rotation[:2]

    def _next_reference(self, run: _Run | None, stamp_ns: int, now_s: float) -> NDArray[np.float64]:
        if run is None:
            # After a cancelled or failed tilt the tray still has to come level.
            return self._towards_level(self._reference)
        if run.began_s is None:
            run.began_s, run.started_ns = now_s, stamp_ns
        elapsed = now_s - run.began_s
        if run.goal.is_cancel_requested:
            self._finish(run, stamp_ns, "cancelled")
            return self._reference
        if elapsed >= run.motion.duration_s:
            self._finish(run, stamp_ns, DONE)
        return run.motion.reference(elapsed)

    def _towards_level(self, reference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Go one tick of the way back, at the mean rate of a full return."""
        length = float(np.linalg.norm(reference))
        step = self._tilt.max_tilt_rad / self._tilt.return_s / self._rate_hz
        return reference * max(0.0, 1.0 - step / length) if length > 0 else reference

    def _watch(self, run: _Run, reading: TrayReading, stamp_ns: int, now_s: float) -> None:
        try:
            self._monitor.check(self._reference, reading, now_s)
        except DeviceError as error:
            self._finish(run, stamp_ns, str(error))
            return
        if run.began_s is not None and now_s - run.reported_s >= FEEDBACK_PERIOD_S:
            run.reported_s = now_s
            elapsed = now_s - run.began_s
            feedback = TiltAction.Feedback(progress=min(1.0, elapsed / run.motion.duration_s))
            x, y, z = (float(value) for value in reading.rotation)
            feedback.rotation = Vector3(x=x, y=y, z=z)
            run.goal.publish_feedback(feedback)

    def _finish(self, run: _Run, stamp_ns: int, reason: str) -> None:
        run.ended_ns = stamp_ns
        run.reason = reason
        self._run = None
        if reason == DONE:
            self._tilts.publish(self._message(run))
        run.goal.execute(partial(self._conclude, run))

    def _message(self, run: _Run) -> Tilt:
        message = Tilt(ax=run.motion.action[0], ay=run.motion.action[1])
        message.header.frame_id = self._frame
        message.header.stamp = stamp(run.started_ns)
        message.start = message.header.stamp
        message.end = stamp(run.ended_ns)
        x, y = (float(value) for value in run.motion.target)
        message.rotation = Vector3(x=x, y=y, z=0.0)
        return message

    def _publish(self, reading: TrayReading, reference: NDArray[np.float64]) -> None:
        time_msg = stamp(reading.stamp_ns)
        pose = PoseStamped()
        pose.header.stamp = time_msg
        pose.header.frame_id = self._frame
        pose.pose.orientation = quaternion(reading.rotation)
        self._pose.publish(pose)
        joints = JointState(name=list(reading.joint_names))
        joints.header.stamp = time_msg
        joints.header.frame_id = self._frame
        joints.position = reading.joint_positions.tolist()
        joints.velocity = reading.joint_velocities.tolist()
        self._joints.publish(joints)
        wanted = PoseStamped()
        wanted.header.stamp = time_msg
        wanted.header.frame_id = self._frame
        wanted.pose.orientation = quaternion(reference)
        self._commanded.publish(wanted)

    def _accept(self, goal: TiltAction.Goal) -> GoalResponse:
        try:
            TiltMotion((goal.ax, goal.ay), self._tilt)
        except LimitError as error:
            self._node.get_logger().error(f"tilt refused: {error}")
            return GoalResponse.REJECT
        if self._driver.fault:
            self._node.get_logger().error(f"tilt refused: {self._driver.fault}")
            return GoalResponse.REJECT
        if self._run is not None:
            self._node.get_logger().error("tilt refused: another one is under way; wait for it")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _begin(self, goal: ServerGoalHandle) -> None:
        self._run = _Run(goal, TiltMotion((goal.request.ax, goal.request.ay), self._tilt))

    def _conclude(self, run: _Run, goal: ServerGoalHandle) -> TiltAction.Result:
        result = TiltAction.Result(success=run.reason == DONE, reason=run.reason)
        result.tilt = self._message(run)
        if result.success:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        return result
