"""Read an episode back: its facts, its raw messages, and its signals as arrays."""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from tiltbot_ros.episodes.cdr import AudioMessage, header_stamp_ns, read_audio
from tiltbot_ros.episodes.constant import read_constant_facts
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.facts import (
    ConstantFacts,
    EpisodeContent,
    EpisodeFacts,
    TiltAction,
    Verdict,
)
from tiltbot_ros.episodes.folder import bag_file
from tiltbot_ros.episodes.images import IMAGE_TYPES, compressed_names, pixels_of
from tiltbot_ros.episodes.mcap import read_topics
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.signals import (
    Floats,
    Images,
    Joints,
    Locations,
    Poses,
    Sound,
    Stamps,
)
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import (
    JOINT_TYPE,
    LOCATION_TYPE,
    POSE_TYPE,
    has_header,
    typestore,
)
from tiltbot_ros.episodes.verdict import judge
from tiltbot_ros.errors import EpisodeError

__all__ = [
    "Episode",
    "Floats",
    "Images",
    "Joints",
    "Locations",
    "Poses",
    "Sound",
    "Stamps",
]


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
    def open(path: Path, *, only: Collection[str] | None = None) -> "Episode":
        """Read an episode's directory.

        Args:
            path: the directory.
            only: topics to read, by their names within the rig's namespace; None: all.

        Raises:
            EpisodeError: a file is missing, truncated or corrupt; the text names it.
        """
        if not path.is_dir():
            raise EpisodeError(f"{path}: expected the directory of an episode, found none")
        facts = EpisodeFacts.read(path)
        bag = bag_file(path)
        size = bag.stat().st_size if bag.is_file() else 0
        if size != facts.bag_bytes:
            raise EpisodeError(
                f"{bag}: expected {facts.bag_bytes} bytes, found {size}: the bag is truncated"
            )
        constant = read_constant_facts(path)
        try:
            data = bag.read_bytes()
        except OSError as error:
            raise EpisodeError(f"{bag}: cannot be read: {error.strerror}") from error
        if crc32(data) != facts.bag_crc32:
            raise EpisodeError(f"{bag}: the checksum in episode.json differs: the bag is corrupt")
        try:
            messages = _messages(data, constant, only)
        except Exception as error:  # the parsers of MCAP and CDR raise anything on corrupt bytes
            told = error if isinstance(error, EpisodeError) else f"{type(error).__name__}: {error}"
            raise EpisodeError(f"{bag}: the bag cannot be read: {told}") from error
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

    def audio_blocks(self, name: str = "audio") -> list[AudioMessage]:
        """Return the blocks of the sound, one or more, all of one format.

        Raises:
            EpisodeError: there is none, or it changes its format.
        """
        blocks: list[AudioMessage] = [self._read(read_audio, m) for m in self._messages(name)]
        if not blocks:
            raise EpisodeError(f"{self.path}: no sound on {name!r}")
        if len({block.format for block in blocks}) > 1:
            raise EpisodeError(f"{self.path}: the sound on {name!r} changes its format")
        return blocks

    def audio(self, name: str = "audio") -> Sound:
        """Return the sound.

        Raises:
            EpisodeError: there is none, or it changes its format.
        """
        blocks = self.audio_blocks(name)
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

    def image_stamps(self, name: str = "camera/color/image_raw") -> Stamps:
        """Return when the pictures of a topic were taken, (n,) int64 [ns]; none is decoded.

        Raises:
            EpisodeError: there is no such topic.
        """
        return _stamps(self.messages.get(self._image_topic(name).name, ()))

    def images(
        self, name: str = "camera/color/image_raw", *, only: Iterable[int] | None = None
    ) -> Images:
        """Return the pictures of a topic, given by the name of its raw form.

        They are decompressed where the rig recorded them compressed.

        Args:
            name: of the topic.
            only: indices of the pictures to decode, in this order; None: all.

        Raises:
            EpisodeError: there are none, their encoding is not known, or they differ in size.
        """
        topic = self._image_topic(name)
        messages = self.messages.get(topic.name, ())
        if messages and only is not None:
            messages = tuple(messages[index] for index in only)
        if not messages:
            raise EpisodeError(f"{self.path}: no pictures on {name!r}")
        pictures = [self._read(lambda data: _picture(data, topic.type), m) for m in messages]
        encodings = {encoding for _, encoding in pictures}
        shapes = {pixels.shape for pixels, _ in pictures}
        if len(encodings) > 1 or len(shapes) > 1:
            raise EpisodeError(
                f"{self.path}: expected pictures of one size and encoding on {name!r}, got "
                f"{sorted(shapes)} in {sorted(encodings)}"
            )
        return Images(
            stamps_ns=_stamps(messages),
            frames=np.stack([pixels for pixels, _ in pictures]),
            encoding=encodings.pop(),
        )

    def poses(self, name: str) -> Poses:
        """Return the poses of a PoseStamped topic.

        Raises:
            EpisodeError: there are none, or their rotations are none.
        """
        messages = self._messages(name)
        poses = [self._deserialise(m, POSE_TYPE) for m in messages]
        if not poses:
            raise EpisodeError(f"{self.path}: no poses on {name!r}")
        positions = np.array([_xyz(p.pose.position) for p in poses])
        orientations = np.array([(*_xyz(p.pose.orientation), p.pose.orientation.w) for p in poses])
        if not np.allclose(np.linalg.norm(orientations, axis=1), 1.0, atol=1e-3):
            raise EpisodeError(f"{self.path}: expected unit quaternions on {name!r}, got others")
        return Poses(
            stamps_ns=_stamps(messages),
            positions=positions,
            orientations=orientations,
            rotation_vectors=Rotation.from_quat(orientations).as_rotvec(),
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

    def _image_topic(self, name: str) -> RecordedTopic:
        names = {topic.name for topic in self.constant.topics}
        for form in (name, *compressed_names(name)):
            if any(full == form or full.endswith(f"/{form}") for full in names):
                return self.topic(form)
        return self.topic(name)

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


def _messages(
    data: bytes, constant: ConstantFacts, only: Collection[str] | None
) -> dict[str, tuple[StampedMessage, ...]]:
    found: dict[str, tuple[StampedMessage, ...]] = {topic.name: () for topic in constant.topics}
    wanted = (
        None
        if only is None
        else {full for full in found if any(full == o or full.endswith(f"/{o}") for o in only)}
    )
    for name, topic in read_topics(data, wanted).items():
        raw = [bytes(message) for message in topic.messages]
        stamped = has_header(topic.type)
        stamps = [header_stamp_ns(message) for message in raw] if stamped else topic.logged_ns
        order = sorted(range(len(raw)), key=lambda i: (stamps[i], topic.logged_ns[i]))
        found[name] = tuple(StampedMessage(stamp_ns=stamps[i], data=raw[i]) for i in order)
    return found


def _picture(data: bytes, msgtype: str) -> tuple[npt.NDArray[Any], str]:
    if msgtype not in IMAGE_TYPES:
        raise EpisodeError(f"expected one of {', '.join(IMAGE_TYPES)}, got {msgtype}")
    return pixels_of(typestore().deserialize_cdr(data, msgtype), msgtype)


def _stamps(messages: tuple[StampedMessage, ...]) -> Stamps:
    return np.array([message.stamp_ns for message in messages], np.int64)


def _xyz(vector: Any) -> tuple[float, float, float]:
    return vector.x, vector.y, vector.z
