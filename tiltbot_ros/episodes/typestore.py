"""The message types of ROS 2 Jazzy and of tiltbot, without a ROS 2 installation."""

from functools import cache

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.share import share_directory

AUDIO_TYPE = "tiltbot/msg/ContactAudio"
AUDIO_INFO_TYPE = "tiltbot/msg/ContactAudioInfo"
CONTACT_TYPE = "tiltbot/msg/Contact"
TILT_TYPE = "tiltbot/msg/Tilt"
LOCATION_TYPE = "tiltbot/msg/ObjectLocation"
IMAGE_TYPE = "sensor_msgs/msg/Image"
COMPRESSED_TYPE = "sensor_msgs/msg/CompressedImage"
POSE_TYPE = "geometry_msgs/msg/PoseStamped"
JOINT_TYPE = "sensor_msgs/msg/JointState"

_HEADER_TYPE = "std_msgs/msg/Header"


@cache
def typestore() -> Typestore:
    """Return the one store that knows Jazzy's messages and those of `share/tiltbot/msg`.

    Raises:
        ConfigError: the package's message definitions are not found.
    """
    store = get_typestore(Stores.ROS2_JAZZY)
    for path in sorted((share_directory() / "msg").glob("*.msg")):
        name = f"tiltbot/msg/{path.stem}"
        store.register(get_types_from_msg(path.read_text(encoding="utf-8"), name))
    return store


@cache
def has_header(msgtype: str) -> bool:
    """Say whether messages of this type begin with a `std_msgs/Header`.

    Raises:
        EpisodeError: the type is not known.
    """
    store = typestore()
    if msgtype not in store.fielddefs:
        raise EpisodeError(
            f"expected a message type of ROS 2 Jazzy or tiltbot, got {msgtype!r}: "
            "record only topics of known types"
        )
    fields = store.get_msgdef(msgtype).fields
    return bool(fields) and fields[0][1][1] == _HEADER_TYPE
