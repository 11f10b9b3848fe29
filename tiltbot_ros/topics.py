"""Every topic of the graph: name, type, rate and quality of service, in one table.

Names are relative, so that a namespace moves a whole rig. The publishers, the
recorder and the documentation read this table.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        name: relative name.
        type: ROS type, "package/msg/Name".
        depth: history depth of publisher and subscriber.
        latched: transient local, so that who comes late gets the last one.
        source: which device it hangs on, "steps" for who commands the arm; "" for none.
        steady: it flows at that device's rate; else it is an event.
        content: what it carries.
    """

    name: str
    type: str
    depth: int
    content: str
    latched: bool = False
    source: Literal["", "audio", "camera", "tray", "arm", "steps"] = ""
    steady: bool = False


AUDIO = Topic(
    name="audio",
    type="tiltbot/msg/ContactAudio",
    depth=256,
    source="audio",
    steady=True,
    content="blocks of sound from the contact microphones",
)
AUDIO_INFO = Topic(
    name="audio/info",
    type="tiltbot/msg/ContactAudioInfo",
    depth=1,
    latched=True,
    content="device, gains, calibration, frame of each channel",
)
COLOR = Topic(
    name="camera/color/image_raw",
    type="sensor_msgs/msg/Image",
    depth=64,
    source="camera",
    steady=True,
    content="colour image, rgb8",
)
DEPTH = Topic(
    name="camera/aligned_depth_to_color/image_raw",
    type="sensor_msgs/msg/Image",
    depth=64,
    source="camera",
    steady=True,
    content="depth aligned to the colour image, 16UC1 [mm]",
)
COLOR_COMPRESSED = Topic(
    name="camera/color/image_raw/compressed",
    type="sensor_msgs/msg/CompressedImage",
    depth=64,
    source="camera",
    steady=True,
    content="the colour image as JPEG; made while somebody listens",
)
DEPTH_COMPRESSED = Topic(
    name="camera/aligned_depth_to_color/image_raw/compressedDepth",
    type="sensor_msgs/msg/CompressedImage",
    depth=64,
    source="camera",
    steady=True,
    content="the depth image as PNG, nothing lost; made while somebody listens",
)
CAMERA_INFO = Topic(
    name="camera/color/camera_info",
    type="sensor_msgs/msg/CameraInfo",
    depth=16,
    source="camera",
    steady=True,
    content="model of the colour camera",
)
CAMERA_POSE = Topic(
    name="camera/pose",
    type="geometry_msgs/msg/PoseStamped",
    depth=1,
    latched=True,
    source="camera",
    content="pose of the camera's optical frame in the frame it is mounted on",
)
TRAY_POSE = Topic(
    name="tray/pose",
    type="geometry_msgs/msg/PoseStamped",
    depth=200,
    source="tray",
    steady=True,
    content="measured pose of the tray in the frame of the level tray",
)
TRAY_JOINTS = Topic(
    name="tray/joint_states",
    type="sensor_msgs/msg/JointState",
    depth=200,
    source="tray",
    steady=True,
    content="joints of the arm that holds the tray [rad, rad/s]",
)
TRAY_REFERENCE = Topic(
    name="tray/reference",
    type="geometry_msgs/msg/PoseStamped",
    depth=200,
    source="tray",
    steady=True,
    content="commanded pose of the tray in the frame of the level tray",
)
TILT = Topic(
    name="tilt",
    type="tiltbot/msg/Tilt",
    depth=16,
    source="tray",
    content="a tilt that has ended",
)
ARM_JOINTS = Topic(
    name="arm/joint_states",
    type="sensor_msgs/msg/JointState",
    depth=200,
    source="arm",
    steady=True,
    content="joints of the arm [rad, rad/s], and the distance of its fingers as 'gripper' [m]",
)
ARM_POSE = Topic(
    name="arm/pose",
    type="geometry_msgs/msg/PoseStamped",
    depth=200,
    source="arm",
    steady=True,
    content="measured pose of the tool in the base frame",
)
ARM_REFERENCE = Topic(
    name="arm/reference",
    type="geometry_msgs/msg/PoseStamped",
    depth=200,
    source="arm",
    steady=True,
    content="pose that the arm was told, after all limits",
)
ARM_PREVIEW = Topic(
    name="arm/preview",
    type="geometry_msgs/msg/PoseStamped",
    depth=200,
    source="arm",
    content="in a dry run: the pose that the arm would be told",
)
ARM_STATE = Topic(
    name="arm/state",
    type="tiltbot/msg/ArmStatus",
    depth=16,
    content="what the arm does, who commands it, and what was refused",
)
ARM_DELTA = Topic(
    name="arm/delta",
    type="tiltbot/msg/ArmDelta",
    depth=64,
    source="steps",
    steady=True,
    content="one step of the tool, by a policy or a person",
)
ARM_TARGET = Topic(
    name="arm/joint_target",
    type="tiltbot/msg/ArmTarget",
    depth=64,
    content="joint positions for the arm to rest at",
)
DEMONSTRATIONS = Topic(
    name="demonstrations/status",
    type="tiltbot/msg/DemonstrationStatus",
    depth=1,
    latched=True,
    content="state of the recorder of demonstrations",
)
CONTACT = Topic(
    name="contact",
    type="tiltbot/msg/Contact",
    depth=64,
    content="a contact that was heard",
)
OBJECT_LOCATION = Topic(
    name="object_location",
    type="tiltbot/msg/ObjectLocation",
    depth=16,
    source="camera",
    steady=True,
    content="where the tracker sees the object, in the tray frame [m]",
)
EPISODE = Topic(
    name="episode",
    type="tiltbot/msg/Episode",
    depth=64,
    content="an episode that is safely on disk",
)
EVALUATION = Topic(
    name="evaluation",
    type="tiltbot/msg/Evaluation",
    depth=64,
    content="what the models said of an episode, and how they have done so far",
)
RECORDER_STATUS = Topic(
    name="recorder/status",
    type="tiltbot/msg/RecorderStatus",
    depth=1,
    latched=True,
    content="state of the recorder, once a second",
)
DIAGNOSTICS = Topic(
    name="diagnostics",
    type="diagnostic_msgs/msg/DiagnosticArray",
    depth=16,
    content="health of every node, once a second",
)

RECORDED = (
    AUDIO, AUDIO_INFO, COLOR, DEPTH, CAMERA_INFO, CAMERA_POSE,
    TRAY_POSE, TRAY_JOINTS, TRAY_REFERENCE, TILT, CONTACT, OBJECT_LOCATION,
)  # fmt: skip
"""What goes into an episode's bag."""

DEMONSTRATED = (
    AUDIO, AUDIO_INFO, COLOR, DEPTH, CAMERA_INFO, CAMERA_POSE,
    ARM_JOINTS, ARM_POSE, ARM_REFERENCE, ARM_DELTA, ARM_STATE,
)  # fmt: skip
"""What goes into a demonstration's bag."""

COMPRESSED = {COLOR: COLOR_COMPRESSED, DEPTH: DEPTH_COMPRESSED}
"""Pictures in their other form, which a rig may have recorded instead."""

TOPICS = (
    AUDIO, AUDIO_INFO, COLOR, COLOR_COMPRESSED, DEPTH, DEPTH_COMPRESSED, CAMERA_INFO, CAMERA_POSE,
    TRAY_POSE, TRAY_JOINTS, TRAY_REFERENCE, TILT,
    ARM_JOINTS, ARM_POSE, ARM_REFERENCE, ARM_PREVIEW, ARM_STATE, ARM_DELTA, ARM_TARGET,
    DEMONSTRATIONS, CONTACT, OBJECT_LOCATION,
    EPISODE, EVALUATION, RECORDER_STATUS, DIAGNOSTICS,
)  # fmt: skip
