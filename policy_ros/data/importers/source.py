"""A recording from elsewhere, as the stream of messages that a rig would have sent."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tiltbot_ros import topics
from tiltbot_ros.episodes.cdr import NS_PER_S, make_header, make_time, write_audio
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import AUDIO_INFO_TYPE, POSE_TYPE, TILT_TYPE, typestore
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat

Samples = npt.NDArray[np.int16] | npt.NDArray[np.int32]
Message = tuple[str, int, bytes]
"""Topic, time of receipt [ns], bytes."""

TRAY_LEVEL = "tray_level"
BLOCK_S = 0.1
"""Sound in one ContactAudio message [s]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """What is known of a recording before it is read.

    Attributes:
        topics: what its messages are on, and what may be expected of them.
        objects: what was in the tray from when on [ns].
        labels: of its episodes.
        remarks: what was left aside, in words.
    """

    topics: tuple[RecordedTopic, ...]
    objects: tuple[tuple[int, str], ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


class Source(Protocol):
    """One recording.

    Attributes:
        name: tells it from the others of an import, for example `mug/exp_1`.
        paths: its files or folders; a change of them is a new recording.
    """

    name: str
    paths: tuple[Path, ...]

    def describe(self) -> Described:
        """Return what is known of it.

        Raises:
            TiltbotError: a file is missing, truncated or not what it should be; the text names it.
        """

    def messages(self) -> Iterator[Message]:
        """Yield its messages in the order of receipt.

        Raises:
            TiltbotError: as `describe`.
        """


def merged(*streams: Iterable[Message]) -> Iterator[Message]:
    """Merge streams of messages, each in the order of receipt, into one."""
    return heapq.merge(*streams, key=lambda message: message[1])


def recorded(topic: topics.Topic, *, hz: float = 0.0, required: bool = False) -> RecordedTopic:
    """Return a topic of the graph, in the root namespace, as something to record."""
    return RecordedTopic(
        name=f"/{topic.name}",
        type=topic.type,
        latched=topic.latched,
        required=required,
        expected_hz=round(hz, 2),
        depth=topic.depth,
    )


def mean_hz(stamps_ns: npt.NDArray[np.int64]) -> float:
    """Return the usual rate of a stream [Hz]; 0 where there are too few messages to tell."""
    if len(stamps_ns) < 3:
        return 0.0
    period_ns = float(np.median(np.diff(stamps_ns)))
    return NS_PER_S / period_ns if period_ns > 0 else 0.0


def sound_topics(audio_format: AudioFormat) -> tuple[RecordedTopic, ...]:
    """Return the topics of a stream of sound."""
    hz = audio_format.sample_rate / block_frames(audio_format)
    return (recorded(topics.AUDIO, hz=hz, required=True), recorded(topics.AUDIO_INFO))


def block_frames(audio_format: AudioFormat) -> int:
    """Return the frames in one message."""
    return max(1, round(BLOCK_S * audio_format.sample_rate))


def sound_messages(
    chunks: Iterable[Samples],
    audio_format: AudioFormat,
    *,
    start_ns: int,
    device: str,
) -> Iterator[Message]:
    """Yield sound as the messages of a microphone node.

    Args:
        chunks: (frames, channels) each, of any length, that follow on each other.
        audio_format: of all of them.
        start_ns: acquisition time of the first frame [ns].
        device: what the sound is from.
    """
    frames = block_frames(audio_format)
    audio = f"/{topics.AUDIO.name}"
    yield (
        f"/{topics.AUDIO_INFO.name}",
        start_ns,
        _audio_info(audio_format, start_ns, device),
    )
    first = 0
    rest: npt.NDArray[Any] = np.empty((0, audio_format.channels), audio_format.dtype)
    for chunk in chunks:
        rest = np.concatenate((rest, chunk))
        whole = len(rest) // frames * frames
        for at in range(0, whole, frames):
            yield _block(rest[at : at + frames], first, start_ns, audio_format, audio)
            first += frames
        rest = rest[whole:]
    if len(rest):
        yield _block(rest, first, start_ns, audio_format, audio)


def pose_message(quaternion: npt.NDArray[np.float64], stamp_ns: int) -> bytes:
    """Serialise the tray's orientation in the level tray's frame, x y z w, as a PoseStamped."""
    store = typestore()
    x, y, z, w = (float(value) for value in quaternion)
    pose = store.types["geometry_msgs/msg/Pose"](
        position=store.types["geometry_msgs/msg/Point"](x=0.0, y=0.0, z=0.0),
        orientation=store.types["geometry_msgs/msg/Quaternion"](x=x, y=y, z=z, w=w),
    )
    message = store.types[POSE_TYPE](header=make_header(stamp_ns, TRAY_LEVEL), pose=pose)
    return bytes(store.serialize_cdr(message, POSE_TYPE))


def tilt_message(
    rotation: tuple[float, float],
    action: tuple[float, float],
    *,
    start_ns: int,
    end_ns: int,
) -> bytes:
    """Serialise a tilt that has ended as a Tilt.

    Args:
        rotation: x and y of its rotation vector in the level tray's frame [rad].
        action: the same over the greatest tilt.
        start_ns: when the tray left level [ns].
        end_ns: when it was back [ns].
    """
    store = typestore()
    vector = store.types["geometry_msgs/msg/Vector3"](x=rotation[0], y=rotation[1], z=0.0)
    message = store.types[TILT_TYPE](
        header=make_header(start_ns, TRAY_LEVEL),
        rotation=vector,
        ax=action[0],
        ay=action[1],
        start=make_time(start_ns),
        end=make_time(end_ns),
    )
    return bytes(store.serialize_cdr(message, TILT_TYPE))


def _block(
    samples: Samples,
    first: int,
    start_ns: int,
    audio_format: AudioFormat,
    topic: str,
) -> Message:
    rate = audio_format.sample_rate
    block = AudioBlock(
        stamp_ns=start_ns + first * NS_PER_S // rate,
        first_sample=first,
        samples=samples,
        xruns=0,
    )
    end_ns = start_ns + (first + len(samples)) * NS_PER_S // rate
    return topic, end_ns, write_audio(block, audio_format, "tray")


def _audio_info(audio_format: AudioFormat, stamp_ns: int, device: str) -> bytes:
    channels = audio_format.channels
    unknown = np.full(channels, np.nan, np.float32)
    message = typestore().types[AUDIO_INFO_TYPE](
        header=make_header(stamp_ns, "tray"),
        device=device,
        source="file",
        sample_rate=audio_format.sample_rate,
        channels=channels,
        bits=audio_format.bits,
        block_frames=block_frames(audio_format),
        gain_db=unknown,
        calibration=unknown,
        unit="",
        channel_frames=[f"mic_{i}" for i in range(channels)],
    )
    return bytes(typestore().serialize_cdr(message, AUDIO_INFO_TYPE))
