"""Read an episode back: its facts, its raw messages, and its signals as arrays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rosbags.rosbag2 import Reader

from tiltbot_ros.episodes.cdr import header_stamp_ns, read_audio
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.facts import (
    ConstantFacts,
    EpisodeContent,
    EpisodeFacts,
    TiltAction,
    Verdict,
)
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import (
    IMAGE_TYPE,
    JOINT_TYPE,
    LOCATION_TYPE,
    POSE_TYPE,
    has_header,
    typestore,
)
from tiltbot_ros.episodes.verdict import judge
from tiltbot_ros.episodes.writer import file_crc32
from tiltbot_ros.errors import EpisodeError

Stamps = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_PIXELS: dict[str, tuple[type[np.generic], int]] = {
    "rgb8": (np.uint8, 3),
    "bgr8": (np.uint8, 3),
    "mono8": (np.uint8, 1),
    "8UC1": (np.uint8, 1),
    "16UC1": (np.uint16, 1),
    "mono16": (np.uint16, 1),
    "32FC1": (np.float32, 1),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """The sound of an episode.

    Attributes:
        samples: (frames, channels) int16, or int32 for 24 bits; holes are closed up.
        first_stamp_ns: time of the first frame [ns].
        first_sample: running index of the first frame.
        sample_rate: [Hz].
        full_scale: magnitude of digital full scale.
        missing: frames that were lost within (0: no hole).
    """

    samples: npt.NDArray[np.int16] | npt.NDArray[np.int32]
    first_stamp_ns: int
    first_sample: int
    sample_rate: int
    full_scale: int
    missing: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Images:
    """The pictures of one topic.

    Attributes:
        stamps_ns: (n,) int64.
        frames: (n, height, width[, 3]) in the pixel type of `encoding`.
        encoding: as in sensor_msgs/Image.
    """

    stamps_ns: Stamps
    frames: npt.NDArray[Any]
    encoding: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Poses:
    """The poses of one topic.

    Attributes:
        stamps_ns: (n,) int64.
        positions: (n, 3) [m].
        orientations: (n, 4) unit quaternions x, y, z, w.
        rotation_vectors: (n, 3) the same as rotation vectors [rad].
        frame_id: frame they are given in.
    """

    stamps_ns: Stamps
    positions: Floats
    orientations: Floats
    rotation_vectors: Floats
    frame_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Joints:
    """The joint states of one topic.

    Attributes:
        stamps_ns: (n,) int64.
        names: of the joints.
        positions: (n, joints) [rad].
        velocities: (n, joints) [rad/s]; NaN where none was given.
    """

    stamps_ns: Stamps
    names: tuple[str, ...]
    positions: Floats
    velocities: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Locations:
    """Where the tracker saw the object.

    Attributes:
        stamps_ns: (n,) int64.
        positions: (n, 3) in the tray frame [m]; NaN where not valid.
        valid: (n,) bool.
    """

    stamps_ns: Stamps
    positions: Floats
    valid: npt.NDArray[np.bool_]


class Episode:
    """A finished episode.

    Attributes:
        path: its directory.
        facts: what is known of it alone (`episode.json`).
        constant: what is the same for its whole session (the bag's custom data).
        messages: raw messages by topic name, sorted by stamp.
    """

    def __init__(
        self,
        path: Path,
        facts: EpisodeFacts,
        constant: ConstantFacts,
        messages: Mapping[str, tuple[StampedMessage, ...]],
    ) -> None:
        self.path = path
        self.facts = facts
        self.constant = constant
        self.messages = messages

    @staticmethod
    def open(path: Path) -> "Episode":
        """Read an episode's directory.

        Raises:
            EpisodeError: a file is missing, truncated or corrupt; the text names it.
        """
        if not path.is_dir():
            raise EpisodeError(f"{path}: expected the directory of an episode, found none")
        facts = EpisodeFacts.read(path)
        bag = path / f"{path.name}.mcap"
        found = sorted(path.glob("*.mcap"))
        if found and bag not in found:
            bag = found[0]
        size = bag.stat().st_size if bag.is_file() else 0
        if size != facts.bag_bytes:
            raise EpisodeError(
                f"{bag}: expected {facts.bag_bytes} bytes, found {size}: the bag is truncated"
            )
        if file_crc32(bag) != facts.bag_crc32:
            raise EpisodeError(f"{bag}: the checksum in episode.json differs: the bag is corrupt")
        try:
            constant, messages = _read_bag(path)
        except EpisodeError:
            raise
        except Exception as error:  # the parsers of MCAP and YAML raise anything on corrupt bytes
            raise EpisodeError(
                f"{path}: the bag cannot be read: {type(error).__name__}: {error}"
            ) from error
        return Episode(path, facts, constant, messages)

    def topic(self, name: str) -> RecordedTopic:
        """Return a recorded topic by its full name or by its name within the rig's namespace.

        Raises:
            EpisodeError: there is none; the text lists those there are.
        """
        for topic in self.constant.topics:
            if topic.name == name or topic.name.endswith(f"/{name}"):
                return topic
        raise EpisodeError(
            f"{self.path}: expected one of the topics {[t.name for t in self.constant.topics]}, "
            f"got {name!r}"
        )

    def content(self) -> EpisodeContent:
        """Return what a verdict is given on."""
        return EpisodeContent(
            contact=self.facts.contact,
            start_ns=self.facts.start_ns,
            end_ns=self.facts.end_ns,
            suppressed=self.facts.suppressed,
            object=self.facts.object,
            messages=self.messages,
            drops=self.facts.drops,
        )

    def check(self) -> Verdict:
        """Judge the episode again from its bag."""
        return judge(self.content(), self.constant)

    def audio(self, name: str = "audio") -> Sound:
        """Return the sound.

        Raises:
            EpisodeError: there is none, or it changes its format.
        """
        blocks = [self._read(read_audio, m) for m in self._messages(name)]
        if not blocks:
            raise EpisodeError(f"{self.path}: no sound on {name!r}")
        if len({block.format for block in blocks}) > 1:
            raise EpisodeError(f"{self.path}: the sound on {name!r} changes its format")
        first, last = blocks[0].block, blocks[-1].block
        samples = np.concatenate([block.block.samples for block in blocks])
        return Sound(
            samples=samples,
            first_stamp_ns=first.stamp_ns,
            first_sample=first.first_sample,
            sample_rate=blocks[0].format.sample_rate,
            full_scale=blocks[0].format.full_scale,
            missing=last.first_sample + len(last.samples) - first.first_sample - len(samples),
        )

    def images(self, name: str = "camera/color/image_raw") -> Images:
        """Return the pictures of a topic.

        Raises:
            EpisodeError: there are none, or their encoding is not known.
        """
        messages = self._messages(name)
        pictures = [self._deserialise(m, IMAGE_TYPE) for m in messages]
        if not pictures:
            raise EpisodeError(f"{self.path}: no pictures on {name!r}")
        encoding = pictures[0].encoding
        if encoding not in _PIXELS:
            raise EpisodeError(
                f"{self.path}: expected an encoding of {sorted(_PIXELS)}, got {encoding!r}"
            )
        return Images(
            stamps_ns=_stamps(messages),
            frames=np.stack([self._pixels(picture) for picture in pictures]),
            encoding=encoding,
        )

    def poses(self, name: str) -> Poses:
        """Return the poses of a PoseStamped topic.

        Raises:
            EpisodeError: there are none.
        """
        messages = self._messages(name)
        poses = [self._deserialise(m, POSE_TYPE) for m in messages]
        if not poses:
            raise EpisodeError(f"{self.path}: no poses on {name!r}")
        positions = np.array([_xyz(p.pose.position) for p in poses])
        orientations = np.array([(*_xyz(p.pose.orientation), p.pose.orientation.w) for p in poses])
        return Poses(
            stamps_ns=_stamps(messages),
            positions=positions,
            orientations=orientations,
            rotation_vectors=_rotation_vectors(orientations),
            frame_id=poses[0].header.frame_id,
        )

    def tray(self) -> Poses:
        """Return the measured motion of the tray.

        Raises:
            EpisodeError: there is none.
        """
        return self.poses("tray/pose")

    def joints(self, name: str = "tray/joint_states") -> Joints:
        """Return the joint states of a topic.

        Raises:
            EpisodeError: there are none.
        """
        messages = self._messages(name)
        states = [self._deserialise(m, JOINT_TYPE) for m in messages]
        if not states:
            raise EpisodeError(f"{self.path}: no joint states on {name!r}")
        names = tuple(states[0].name)
        nothing = np.full(len(names), np.nan)
        return Joints(
            stamps_ns=_stamps(messages),
            names=names,
            positions=np.array([state.position for state in states], np.float64),
            velocities=np.array(
                [s.velocity if len(s.velocity) == len(names) else nothing for s in states],
                np.float64,
            ),
        )

    def locations(self, name: str = "object_location") -> Locations:
        """Return what the tracker saw; empty arrays when it saw nothing."""
        messages = self._messages(name)
        seen = [self._deserialise(m, LOCATION_TYPE) for m in messages]
        return Locations(
            stamps_ns=_stamps(messages),
            positions=np.array([_xyz(s.position) for s in seen], np.float64).reshape(-1, 3),
            valid=np.array([s.valid for s in seen], np.bool_),
        )

    def tilt(self) -> TiltAction | None:
        """Return the action that caused the contact, None when it is not known."""
        return self.facts.tilt

    def contact(self) -> HeardContact:
        """Return the contact that the episode was cut around."""
        return self.facts.contact

    def deserialised(self, name: str) -> list[Any]:
        """Return the messages of any topic as rosbags objects.

        Raises:
            EpisodeError: there is no such topic, or a message is corrupt.
        """
        topic = self.topic(name)
        return [self._deserialise(m, topic.type) for m in self.messages[topic.name]]

    def _messages(self, name: str) -> tuple[StampedMessage, ...]:
        return self.messages.get(self.topic(name).name, ())

    def _deserialise(self, message: StampedMessage, msgtype: str) -> Any:
        return self._read(lambda data: typestore().deserialize_cdr(data, msgtype), message)

    def _read(self, read: Callable[[bytes], Any], message: StampedMessage) -> Any:
        try:
            return read(message.data)
        except EpisodeError as error:
            raise EpisodeError(f"{self.path}: {error}") from error
        except Exception as error:  # as in `open`
            raise EpisodeError(
                f"{self.path}: a message cannot be read: {type(error).__name__}: {error}"
            ) from error

    def _pixels(self, picture: Any) -> npt.NDArray[Any]:
        dtype, channels = _PIXELS[picture.encoding]
        order = np.dtype(dtype).newbyteorder(">" if picture.is_bigendian else "<")
        row = picture.width * channels * order.itemsize
        if picture.step < row or len(picture.data) < picture.height * picture.step:
            raise EpisodeError(
                f"{self.path}: expected {picture.height} rows of {row} bytes or more, got "
                f"{len(picture.data)} bytes in rows of {picture.step}"
            )
        rows = np.asarray(picture.data, np.uint8)[: picture.height * picture.step]
        tight = np.ascontiguousarray(rows.reshape(picture.height, picture.step)[:, :row])
        frame = tight.view(order).reshape(picture.height, picture.width, channels)
        native = frame.astype(order.newbyteorder("="), copy=False)
        return native[..., 0] if channels == 1 else native


def _read_bag(path: Path) -> tuple[ConstantFacts, dict[str, tuple[StampedMessage, ...]]]:
    with Reader(path) as reader:
        constant = ConstantFacts.from_custom_data(reader.storage.metadata.custom or {}, path)
        found: dict[str, list[StampedMessage]] = {topic.name: [] for topic in constant.topics}
        for connection, log_ns, data in reader.messages():
            stamped = has_header(connection.msgtype)
            stamp_ns = header_stamp_ns(data) if stamped else log_ns
            found.setdefault(connection.topic, []).append(
                StampedMessage(stamp_ns=stamp_ns, data=data)
            )
    return constant, {
        name: tuple(sorted(messages, key=lambda m: m.stamp_ns)) for name, messages in found.items()
    }


def _stamps(messages: tuple[StampedMessage, ...]) -> Stamps:
    return np.array([message.stamp_ns for message in messages], np.int64)


def _xyz(vector: Any) -> tuple[float, float, float]:
    return vector.x, vector.y, vector.z


def _rotation_vectors(quaternions: Floats) -> Floats:
    """Return rotation vectors (n, 3) [rad] of unit quaternions (n, 4) x, y, z, w."""
    q = quaternions * np.where(quaternions[:, 3:] < 0, -1.0, 1.0)
    sine = np.linalg.norm(q[:, :3], axis=1, keepdims=True)
    angle = 2 * np.arctan2(sine, q[:, 3:])
    scale = np.divide(angle, sine, out=np.full_like(sine, 2.0), where=sine > 1e-12)
    vectors: Floats = q[:, :3] * scale
    return vectors
