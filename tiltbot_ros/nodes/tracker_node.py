"""Finds the object in pairs of colour and depth images, or in colour: `object_location`."""

import math

import numpy as np
from geometry_msgs.msg import Point, PoseStamped
from numpy.typing import NDArray
from rclpy.node import Node
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import Trigger

from tiltbot.msg import ObjectLocation
from tiltbot_ros import topics
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.synchronizing import ApproximateTimeSynchronizer, SimpleFilter
from tiltbot_ros.nodes.wiring import nanoseconds, publisher, stamp, subscription
from tiltbot_ros.sensors.cameras import CameraIntrinsics, RgbdFrame
from tiltbot_ros.sensors.tracker import Location, ObjectTracker, TrackerSettings

SYNC_QUEUE = 12
SYNC_SLOP_S = 0.05
LEVEL_RAD = 0.02


def _pose_matrix(message: PoseStamped) -> NDArray[np.float64]:
    pose = np.eye(4)
    position, q = message.pose.position, message.pose.orientation
    pose[:3, :3] = Rotation.from_quat([q.x, q.y, q.z, q.w]).as_matrix()
    pose[:3, 3] = position.x, position.y, position.z
    return pose


class PairTracker:
    """Locates the object in each pair of images and publishes it.

    Args:
        node: who publishes.
        settings: of the tracker, which is made with the first pair.
    """

    def __init__(self, node: Node, settings: TrackerSettings) -> None:
        self._settings = settings
        self._tracker: ObjectTracker | None = None
        self._info: CameraInfo | None = None
        self._camera: PoseStamped | None = None
        self._level = True
        self._pairs = self._found = 0
        self.reason = ""
        self._locations = publisher(node, topics.OBJECT_LOCATION)

    @property
    def learned(self) -> bool:
        """Whether the empty tray is known."""
        return self._tracker is not None and self._tracker.learned

    def on_info(self, info: CameraInfo) -> None:
        """Learn the camera's model."""
        self._info = info

    def on_camera_pose(self, pose: PoseStamped) -> None:
        """Learn where the camera is mounted."""
        self._camera = pose

    def on_tray_pose(self, pose: PoseStamped) -> None:
        """Learn whether the tray is level."""
        orientation = pose.pose.orientation
        self._level = 2.0 * math.hypot(orientation.x, orientation.y) < LEVEL_RAD

    def learn(self) -> None:
        """Learn the background anew from the next frames."""
        if self._tracker is not None:
            self._tracker.reset()

    def on_pair(self, color: Image, depth: Image | None = None) -> None:
        """Look for the object in a pair of images, or in colour alone."""
        if self._info is None or self._camera is None:
            self.reason = "no camera info or no camera pose yet"
            return
        frame = self._frame(color, depth, self._info)
        if self._tracker is None:
            pose = _pose_matrix(self._camera)
            self._tracker = ObjectTracker(self._settings, frame.intrinsics, pose)
        if not self._tracker.learned:
            self._tracker.learn(frame)
        location = self._tracker.locate(frame)
        self._pairs += 1
        # A camera that stands still knows the tray only as it was learnt: level.
        valid = location.valid and (self._camera.header.frame_id == "tray" or self._level)
        self._found += valid
        self.reason = location.reason
        self._publish(location, valid=valid)

    def take_counts(self) -> tuple[int, int]:
        """Return how many pairs there were since the last call, and in how many the object was."""
        counts = self._pairs, self._found
        self._pairs = self._found = 0
        return counts

    @staticmethod
    def _frame(color: Image, depth: Image | None, info: CameraInfo) -> RgbdFrame:
        shape = (color.height, color.width)
        steps = None
        if depth is not None:
            steps = np.frombuffer(depth.data, np.uint16).reshape(depth.height, depth.width)
        return RgbdFrame(
            stamp_ns=nanoseconds(color.header.stamp),
            color=np.frombuffer(color.data, np.uint8).reshape(*shape, 3),
            depth=steps,
            intrinsics=CameraIntrinsics(
                width=color.width,
                height=color.height,
                k=np.array(info.k).reshape(3, 3),
                distortion=np.array(info.d),
            ),
        )

    def _publish(self, location: Location, *, valid: bool) -> None:
        x, y, z = (float(value) if valid else math.nan for value in location.position)
        message = ObjectLocation(
            valid=valid, position=Point(x=x, y=y, z=z), pixels=location.pixels if valid else 0
        )
        message.header.stamp = stamp(location.stamp_ns)
        message.header.frame_id = "tray"
        self._locations.publish(message)


class TrackerNode(Node):
    """Pairs images by stamp for a tracker."""

    def __init__(self, _fault: Fault) -> None:
        super().__init__("tracker")
        self._settings = declare(self, TrackerSettings, "tracker")
        refuse_unknown(self)
        tracker = self._tracker = PairTracker(self, self._settings)
        self._kept = [
            subscription(self, topics.CAMERA_INFO, tracker.on_info),
            subscription(self, topics.CAMERA_POSE, tracker.on_camera_pose),
            subscription(self, topics.TRAY_POSE, tracker.on_tray_pose),
        ]
        if self._settings.depth:
            color, depth = SimpleFilter(), SimpleFilter()
            self._pairs = ApproximateTimeSynchronizer([color, depth], SYNC_QUEUE, SYNC_SLOP_S)
            self._pairs.registerCallback(tracker.on_pair)
            self._kept.append(subscription(self, topics.COLOR, color.signalMessage))
            self._kept.append(subscription(self, topics.DEPTH, depth.signalMessage))
        else:
            self._kept.append(subscription(self, topics.COLOR, tracker.on_pair))
        self.create_service(Trigger, "~/learn_background", self._learn)
        self.create_service(Trigger, "~/has_background", self._tell_background)
        self._diagnostics = Diagnostics(self, hardware="", health=self._health)

    def _learn(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Learn the background anew from the next frames; `~/has_background` tells when."""
        self._tracker.learn()
        response.success = True
        response.message = f"learning from the next {self._settings.learn_frames} frames"
        return response

    def _tell_background(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._tracker.learned
        response.message = "learnt" if response.success else "not learnt yet"
        return response

    def _health(self) -> Health:
        pairs, found = self._tracker.take_counts()
        return Health(
            level="ok" if pairs else "warn",
            message="no image pairs" if not pairs else self._tracker.reason or "tracking",
            values={
                "image pairs a second": pairs,
                "object found": found,
                "background": "learnt" if self._tracker.learned else "not learnt",
            },
        )


def main() -> int:
    """Run the node."""
    # Looking at a picture takes milliseconds that sound must not wait for.
    return run(TrackerNode, niceness=5)
