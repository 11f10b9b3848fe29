"""The messages of the simulated rig, serialised without ROS.

Field for field what the publishers in `nodes/` send; a test holds both against
each other.
"""

import sys
from functools import cache
from struct import pack
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tiltbot_ros import topics
from tiltbot_ros.arms.tilts import TiltMotion
from tiltbot_ros.arms.tray import TrayReading, unit_quaternion
from tiltbot_ros.episodes.cdr import NS_PER_S, make_header, make_time
from tiltbot_ros.episodes.typestore import (
    AUDIO_INFO_TYPE,
    COMPRESSED_TYPE,
    IMAGE_TYPE,
    JOINT_TYPE,
    LOCATION_TYPE,
    POSE_TYPE,
    TILT_TYPE,
    typestore,
)
from tiltbot_ros.generating.template import Template
from tiltbot_ros.sensors.cameras import CameraIntrinsics
from tiltbot_ros.sensors.microphones import MicrophoneInfo

_CAMERA_INFO_TYPE = topics.CAMERA_INFO.type
_LITTLE_ENDIAN = bytes((0, 1, 0, 0))


def rotation_message(rotation: NDArray[np.float64], *, stamp_ns: int, frame: str) -> bytes:
    """Serialise a rotation vector (2,) or (3,) in `frame` [rad] as a PoseStamped at its origin."""
    return _rotations(frame).fill(stamp_ns, unit_quaternion(rotation))


@cache
def _rotations(frame: str) -> Template:
    def make(header: Any, values: tuple[float, ...]) -> Any:
        x, y, z, w = values
        return _type(POSE_TYPE)(
            header=header,
            pose=_type("geometry_msgs/msg/Pose")(
                position=_type("geometry_msgs/msg/Point")(x=0.0, y=0.0, z=0.0),
                orientation=_type("geometry_msgs/msg/Quaternion")(x=x, y=y, z=z, w=w),
            ),
        )

    return Template(POSE_TYPE, make, frame=frame, count=4)


def camera_pose_message(pose: NDArray[np.float64], *, stamp_ns: int, frame: str) -> bytes:
    """Serialise the pose (4, 4) of the camera's optical frame in `frame` [m] as a PoseStamped."""
    x, y, z, w = (float(value) for value in Rotation.from_matrix(pose[:3, :3]).as_quat())
    px, py, pz = (float(value) for value in pose[:3, 3])
    message = _type(POSE_TYPE)(
        header=make_header(stamp_ns, frame),
        pose=_type("geometry_msgs/msg/Pose")(
            position=_type("geometry_msgs/msg/Point")(x=px, y=py, z=pz),
            orientation=_type("geometry_msgs/msg/Quaternion")(x=x, y=y, z=z, w=w),
        ),
    )
    return _bytes(message, POSE_TYPE)


def joints_message(reading: TrayReading, *, frame: str) -> bytes:
    """Serialise the joints of a tray as a JointState."""
    values = (*reading.joint_positions.tolist(), *reading.joint_velocities.tolist())
    return _joints(frame, reading.joint_names).fill(reading.stamp_ns, values)


@cache
def _joints(frame: str, names: tuple[str, ...]) -> Template:
    count = len(names)

    def make(header: Any, values: tuple[float, ...]) -> Any:
        return _type(JOINT_TYPE)(
            header=header,
            name=list(names),
            position=np.array(values[:count]),
            velocity=np.array(values[count:]),
            effort=np.empty(0),
        )

    return Template(JOINT_TYPE, make, frame=frame, count=2 * count)


def tilt_message(motion: TiltMotion, *, start_ns: int, end_ns: int, frame: str) -> bytes:
    """Serialise a tilt that has ended as a Tilt, stamped with its start."""
    x, y = (float(value) for value in motion.target)
    message = _type(TILT_TYPE)(
        header=make_header(start_ns, frame),
        rotation=_type("geometry_msgs/msg/Vector3")(x=x, y=y, z=0.0),
        ax=motion.action[0],
        ay=motion.action[1],
        start=make_time(start_ns),
        end=make_time(end_ns),
    )
    return _bytes(message, TILT_TYPE)


def audio_info_message(info: MicrophoneInfo, *, stamp_ns: int) -> bytes:
    """Serialise what stays constant of a sound stream as a ContactAudioInfo."""
    message = _type(AUDIO_INFO_TYPE)(
        header=make_header(stamp_ns, info.frame_id),
        device=info.device,
        source=info.source,
        sample_rate=info.audio_format.sample_rate,
        channels=info.audio_format.channels,
        bits=info.audio_format.bits,
        block_frames=info.block_frames,
        gain_db=np.array(info.gain_db, np.float32),
        calibration=np.array(info.calibration, np.float32),
        unit=info.unit,
        channel_frames=list(info.channel_frames),
    )
    return _bytes(message, AUDIO_INFO_TYPE)


def image_message(
    pixels: NDArray[np.uint8] | NDArray[np.uint16], encoding: str, *, stamp_ns: int, frame: str
) -> bytes:
    """Serialise an image as an Image.

    Args:
        pixels: (height, width) or (height, width, 3), C-contiguous.
        encoding: `rgb8` or `16UC1`.
        stamp_ns: of the header [ns].
        frame: optical frame of the camera.
    """
    message = _type(IMAGE_TYPE)(
        header=make_header(stamp_ns, frame),
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=int(sys.byteorder == "big"),
        step=pixels.strides[0],
        data=pixels.view(np.uint8).reshape(-1),
    )
    return _bytes(message, IMAGE_TYPE)


def compressed_message(data: bytes, image_format: str, *, stamp_ns: int, frame: str) -> bytes:
    """Serialise a compressed image as a CompressedImage.

    Args:
        data: as `sensors.image_codec` makes it.
        image_format: that goes with it.
        stamp_ns: of the header [ns].
        frame: optical frame of the camera.
    """
    message = _type(COMPRESSED_TYPE)(
        header=make_header(stamp_ns, frame),
        format=image_format,
        data=np.frombuffer(data, np.uint8),
    )
    return _bytes(message, COMPRESSED_TYPE)


def camera_info_template(intrinsics: CameraIntrinsics, *, frame: str) -> Template:
    """Return what serialises a camera's model as a CameraInfo, with nothing but a stamp to fill."""

    def make(header: Any, _: tuple[float, ...]) -> Any:
        return _type(_CAMERA_INFO_TYPE)(
            header=header,
            height=intrinsics.height,
            width=intrinsics.width,
            distortion_model="plumb_bob",
            d=intrinsics.distortion,
            k=intrinsics.k.ravel(),
            r=np.eye(3).ravel(),
            p=np.hstack([intrinsics.k, np.zeros((3, 1))]).ravel(),
            binning_x=0,
            binning_y=0,
            roi=_type("sensor_msgs/msg/RegionOfInterest")(
                x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
            ),
        )

    return Template(_CAMERA_INFO_TYPE, make, frame=frame, count=0)


def location_message(
    position: NDArray[np.float64], *, valid: bool, pixels: int, stamp_ns: int
) -> bytes:
    """Serialise where the object is, (3,) in the tray frame [m], as an ObjectLocation."""
    x, y, z = (float(value) if valid else float("nan") for value in position)
    message = _type(LOCATION_TYPE)(
        header=make_header(stamp_ns, "tray"),
        valid=valid,
        position=_type("geometry_msgs/msg/Point")(x=x, y=y, z=z),
        pixels=pixels if valid else 0,
    )
    return _bytes(message, LOCATION_TYPE)


def placeholder(stamp_ns: int) -> bytes:
    """Return a header without a body: stands for a message that may never be needed."""
    return _LITTLE_ENDIAN + pack("<iII", *divmod(stamp_ns, NS_PER_S), 0)


@cache
def _type(name: str) -> Any:
    return typestore().types[name]


def _bytes(message: Any, name: str) -> bytes:
    return bytes(typestore().serialize_cdr(message, name))
