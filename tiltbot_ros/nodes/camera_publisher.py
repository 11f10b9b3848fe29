"""A camera in ROS: frames in, images, their compressed form and camera info out."""

import sys
from array import array

import numpy as np
from geometry_msgs.msg import PoseStamped, Quaternion
from numpy.typing import NDArray
from rclpy.node import Node
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from tiltbot_ros import topics
from tiltbot_ros.nodes.wiring import publisher, stamp
from tiltbot_ros.sensors.cameras import CameraIntrinsics, CameraSettings, RgbdFrame
from tiltbot_ros.sensors.image_codec import COLOR_FORMAT, DEPTH_FORMAT, PackedImages, pack


class CameraPublisher:
    """Publishes one colour camera, with depth aligned to it where there is one.

    As with image_transport, a frame is compressed, once, when somebody listens
    to its compressed form.
    """

    def __init__(self, node: Node, *, settings: CameraSettings) -> None:
        self._settings = settings
        self._frame = settings.frame_id
        self._color = publisher(node, topics.COLOR)
        self._depth = publisher(node, topics.DEPTH)
        self._packed_color = publisher(node, topics.COLOR_COMPRESSED)
        self._packed_depth = publisher(node, topics.DEPTH_COMPRESSED)
        self._info = publisher(node, topics.CAMERA_INFO)
        self._pose = publisher(node, topics.CAMERA_POSE)

    def publish_pose(self, pose: NDArray[np.float64], *, parent: str, stamp_ns: int) -> None:
        """Publish where the camera is mounted, latched.

        Args:
            pose: (4, 4) float64, parent from optical frame [m].
            parent: the frame it is mounted on.
            stamp_ns: when that was known (ROS clock) [ns].
        """
        message = PoseStamped()
        message.header.frame_id = parent
        message.header.stamp = stamp(stamp_ns)
        position = message.pose.position
        position.x, position.y, position.z = (float(value) for value in pose[:3, 3])
        x, y, z, w = (float(value) for value in Rotation.from_matrix(pose[:3, :3]).as_quat())
        message.pose.orientation = Quaternion(x=x, y=y, z=z, w=w)
        self._pose.publish(message)

    @property
    def wants_packed(self) -> bool:
        """Whether somebody listens to compressed images."""
        outputs = (self._packed_color, self._packed_depth)
        return any(output.get_subscription_count() > 0 for output in outputs)

    def publish(self, frame: RgbdFrame, packed: PackedImages | None = None) -> None:
        """Publish one frame: all messages carry its stamp.

        Args:
            frame: as it was taken.
            packed: the same compressed; None: it is done here when somebody listens.
        """
        info = self._camera_info(frame.intrinsics)
        info.header.stamp = stamp(frame.stamp_ns)
        info.header.frame_id = self._frame
        self._color.publish(self._image(frame.color, "rgb8", info))
        if frame.depth is not None:
            self._depth.publish(self._image(frame.depth, "16UC1", info))
        self._info.publish(info)
        if packed is None and self.wants_packed:
            packed = pack(
                frame.color,
                frame.depth,
                jpeg_quality=self._settings.jpeg_quality,
                png_level=self._settings.png_level,
            )
        if packed is not None:
            self._publish_packed(packed, info)

    def _publish_packed(self, packed: PackedImages, info: CameraInfo) -> None:
        color = CompressedImage(header=info.header, format=COLOR_FORMAT)
        color.data = array("B", packed.color)
        self._packed_color.publish(color)
        if packed.depth is not None:
            depth = CompressedImage(header=info.header, format=DEPTH_FORMAT)
            depth.data = array("B", packed.depth)
            self._packed_depth.publish(depth)

    @staticmethod
    def _image(
        pixels: NDArray[np.uint8] | NDArray[np.uint16], encoding: str, info: CameraInfo
    ) -> Image:
        message = Image(
            header=info.header,
            height=pixels.shape[0],
            width=pixels.shape[1],
            encoding=encoding,
            is_bigendian=sys.byteorder == "big",
            step=pixels.strides[0],
        )
        message.data = array("B", pixels.tobytes())
        return message

    @staticmethod
    def _camera_info(intrinsics: CameraIntrinsics) -> CameraInfo:
        k = intrinsics.k
        message = CameraInfo(
            width=intrinsics.width,
            height=intrinsics.height,
            distortion_model="plumb_bob",
            d=intrinsics.distortion.tolist(),
            k=k.ravel().tolist(),
            r=np.eye(3).ravel().tolist(),
        )
        message.p = np.hstack([k, np.zeros((3, 1))]).ravel().tolist()
        return message
