"""An episode as the frames of a LeRobot dataset."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from policy_ros.data.bag_signals import Track
from policy_ros.data.exporters.rows import track_of
from policy_ros.signals.resampling import Resampler
from tiltbot_ros import topics
from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.episodes.moments import before_and_after
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.signals import Images, Poses
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.errors import EpisodeError, FormatError
from tiltbot_ros.settings import Settings

CAMERA = "observation.images.overhead"
AUDIO = "observation.audio"

_GAP_PERIODS = 1.5
_RATE_OFF = 0.05

Array = npt.NDArray[Any]


class LeRobotLayout(Settings):
    """What all episodes of a dataset have in common."""

    pictures: Literal["all", "moments"] = Field(
        description="all: a frame for every picture; moments: two, before and after the tilt"
    )
    fps: int = Field(ge=1, description="frames per second [Hz]; 1 for moments")
    height: int = Field(ge=2, description="of the pictures [pixels]")
    width: int = Field(ge=2, description="of the pictures [pixels]")
    audio_hz: int = Field(ge=1, description="rate of the sound [Hz]")
    resample: bool = Field(description="to that rate; else it was recorded at it")
    audio_frames: int = Field(ge=1, description="of sound in a frame [1]")
    channels: int = Field(ge=1, description="microphones [1]")
    bits: Literal[16, 24] = Field(description="of a sample")
    tray: bool = Field(description="the tray's rotation was measured")
    action: Literal["reference", "next", "tilt"] = Field(
        description="what an action is: the commanded rotation of the tray at the frame, the "
        "measured one at the next frame, or the rotation of the whole tilt"
    )

    @property
    def moments(self) -> bool:
        """There are two frames an episode, and no time between them."""
        return self.pictures == "moments"


@dataclass(frozen=True, kw_only=True, slots=True)
class LeRobotFrames:
    """The frames of one episode.

    Attributes:
        pictures: (n, height, width, 3) uint8, RGB.
        columns: array (n, ...) by name of the feature, without the pictures.
        task: in words.
    """

    pictures: npt.NDArray[np.uint8]
    columns: dict[str, Array]
    task: str


def features_of(layout: LeRobotLayout) -> dict[str, dict[str, Any]]:
    """Return the features of a dataset, without those that every dataset has."""
    plane = ["tray.rx", "tray.ry"]
    features: dict[str, dict[str, Any]] = {
        CAMERA: {
            "dtype": "video",
            "shape": [layout.height, layout.width, 3],
            "names": ["height", "width", "channels"],
        },
        AUDIO: {
            "dtype": "int16" if layout.bits == 16 else "int32",
            "shape": [layout.audio_frames, layout.channels],
            "names": ["sample", "microphone"],
            "info": {
                "audio.sample_rate": layout.audio_hz,
                "audio.channels": layout.channels,
                "audio.bit_depth": layout.bits,
            },
        },
    }
    if layout.tray:
        features["observation.state"] = {"dtype": "float32", "shape": [2], "names": plane}
    features["observation.object_location"] = {
        "dtype": "float32",
        "shape": [3],
        "names": ["object.x", "object.y", "object.seen"],
    }
    features["action"] = {"dtype": "float32", "shape": [2], "names": plane}
    features["tilt"] = {"dtype": "float32", "shape": [2], "names": ["tilt.ax", "tilt.ay"]}
    features["contact"] = {"dtype": "bool", "shape": [1], "names": None}
    features["picture_stamp_ns"] = {"dtype": "int64", "shape": [1], "names": None}
    return features


def layout_of(episode: Episode, *, audio_hz: int) -> LeRobotLayout:
    """Return what an episode has, for all others to be like it.

    Args:
        episode: any of them.
        audio_hz: rate of the sound [Hz]; 0: as it was recorded.

    Raises:
        TiltbotError: it has no pictures or no sound, or cannot be read.
    """
    return _layout(episode, episode.images(), track_of(episode), audio_hz)


def _layout(episode: Episode, images: Images, sound: Track, audio_hz: int) -> LeRobotLayout:
    color = _color_topic(episode)
    moments = color.expected_hz <= 0
    fps = 1 if moments else round(color.expected_hz)
    if fps < 1 or (not moments and abs(color.expected_hz - fps) > _RATE_OFF * fps):
        raise FormatError(
            f"{episode.path}: expected pictures at a whole number a second, found "
            f"{color.expected_hz:g}"
        )
    rate = audio_hz or sound.sample_rate
    window_s = episode.constant.before_s if moments else 1 / fps
    names = {topic.name.lstrip("/") for topic in episode.constant.topics}
    tray = _has(names, topics.TRAY_POSE.name)
    reference = _has(names, topics.TRAY_REFERENCE.name)
    return LeRobotLayout(
        pictures="moments" if moments else "all",
        fps=fps,
        height=images.frames.shape[1],
        width=images.frames.shape[2],
        audio_hz=rate,
        resample=bool(audio_hz),
        audio_frames=math.ceil(window_s * rate - 1e-9),
        channels=sound.samples.shape[1],
        bits=16 if audio_hz or sound.samples.dtype == np.int16 else 24,
        tray=tray,
        action="tilt" if moments or not tray else "reference" if reference else "next",
    )


def frames_of(episode: Episode, layout: LeRobotLayout) -> LeRobotFrames:
    """Return an episode's frames.

    Raises:
        TiltbotError: it cannot be read, or is not like the others.
    """
    images, sound = episode.images(), track_of(episode)
    _compare(episode, images, sound, layout)
    tilt = episode.tilt()
    if tilt is None:
        raise FormatError(f"{episode.path}: expected the tilt that made the contact, found none")
    stamps = images.stamps_ns
    pictures = _rgb(images, episode)
    if layout.moments:
        chosen = before_and_after(stamps, tilt_start_ns=tilt.start_ns, tilt_end_ns=tilt.end_ns)
        stamps, pictures = stamps[list(chosen)], pictures[list(chosen)]
        half_ns = round(layout.audio_frames * NS_PER_S / layout.audio_hz)
        contact_ns = episode.contact().stamp_ns
        starts = np.array([contact_ns - half_ns, contact_ns], np.int64)
    else:
        _check_gaps(stamps, layout.fps, episode)
        starts = stamps
    count = len(stamps)
    columns: dict[str, Array] = {AUDIO: _sound(sound, starts, layout)}
    if layout.tray:
        columns["observation.state"] = _rotations(episode.tray(), stamps)
    columns["observation.object_location"] = _locations(episode, stamps)
    rotation = np.array(tilt.rotation[:2], np.float32)
    columns["action"] = _actions(episode, stamps, rotation, layout)
    columns["tilt"] = np.tile(np.array([tilt.ax, tilt.ay], np.float32), (count, 1))
    period_ns = round(layout.audio_frames * NS_PER_S / layout.audio_hz)
    since = episode.contact().stamp_ns - starts
    columns["contact"] = (since >= 0) & (since < period_ns)
    columns["picture_stamp_ns"] = stamps.astype(np.int64)
    name = episode.facts.object or "object"
    return LeRobotFrames(
        pictures=pictures,
        columns=columns,
        task=f"Tilt the tray so that the {name} hits a wall.",
    )


def _color_topic(episode: Episode) -> RecordedTopic:
    forms = (topics.COLOR.name, topics.COLOR_COMPRESSED.name)
    for topic in episode.constant.topics:
        if topic.is_video and any(_has({topic.name.lstrip("/")}, form) for form in forms):
            return topic
    raise FormatError(f"{episode.path}: expected colour pictures, found no topic of them")


def _has(names: set[str], wanted: str) -> bool:
    return any(f"/{name}".endswith(f"/{wanted}") for name in names)


def _compare(episode: Episode, images: Images, sound: Track, layout: LeRobotLayout) -> None:
    own = _layout(episode, images, sound, layout.audio_hz if layout.resample else 0)
    same = {
        "pictures": (layout.pictures, own.pictures),
        "frames a second": (layout.fps, own.fps),
        "size of the pictures": ((layout.height, layout.width), (own.height, own.width)),
        "sound at [Hz]": (layout.audio_hz, own.audio_hz),
        "frames of sound": (layout.audio_frames, own.audio_frames),
        "microphones": (layout.channels, own.channels),
        "bits": (layout.bits, own.bits),
        "a measured tray": (layout.tray, own.tray),
        "action": (layout.action, own.action),
    }
    for what, (expected, found) in same.items():
        if expected != found:
            raise FormatError(
                f"{episode.path}: expected {what} {expected} as in the other episodes, found "
                f"{found}: export such episodes apart"
            )


def _rgb(images: Images, episode: Episode) -> npt.NDArray[np.uint8]:
    if images.encoding == "rgb8":
        return np.asarray(images.frames, np.uint8)
    if images.encoding == "bgr8":
        return np.ascontiguousarray(images.frames[..., ::-1], np.uint8)
    if images.encoding == "mono8":
        return np.repeat(images.frames[..., None], 3, axis=3).astype(np.uint8)
    raise FormatError(f"{episode.path}: expected colour pictures, found {images.encoding}")


def _check_gaps(stamps: npt.NDArray[np.int64], fps: int, episode: Episode) -> None:
    gaps = np.diff(stamps) * fps / NS_PER_S
    if len(gaps) and gaps.max() > _GAP_PERIODS:
        raise FormatError(
            f"{episode.path}: expected a picture every 1/{fps} s, found a gap of {gaps.max():.1f} "
            "periods: frames of a LeRobot dataset are evenly spaced"
        )


def _sound(sound: Track, starts: npt.NDArray[np.int64], layout: LeRobotLayout) -> Array:
    """Return the sound of each frame, (n, audio_frames, channels), silence beyond the ends."""
    samples: Array = sound.samples
    if layout.bits == 16 and samples.dtype != np.int16:
        samples = (samples // max(sound.full_scale // 32768, 1)).astype(np.int16)
    if sound.sample_rate != layout.audio_hz:
        samples = Resampler(sound.sample_rate, layout.audio_hz)(samples).T
    length = layout.audio_frames
    out = np.zeros((len(starts), length, samples.shape[1]), samples.dtype)
    for row, start_ns in zip(out, starts.tolist(), strict=True):
        first = round((start_ns - sound.first_stamp_ns) * layout.audio_hz / NS_PER_S)
        begin, end = max(first, 0), min(first + length, len(samples))
        if begin < end:
            row[begin - first : end - first] = samples[begin:end]
    return out


def _rotations(poses: Poses, stamps: npt.NDArray[np.int64]) -> Array:
    origin = int(poses.stamps_ns[0])
    at, known = (stamps - origin).astype(float), (poses.stamps_ns - origin).astype(float)
    return np.stack(
        [np.interp(at, known, poses.rotation_vectors[:, axis]) for axis in (0, 1)], axis=1
    ).astype(np.float32)


def _actions(
    episode: Episode,
    stamps: npt.NDArray[np.int64],
    rotation: npt.NDArray[np.float32],
    layout: LeRobotLayout,
) -> Array:
    if layout.action == "tilt":
        return np.tile(rotation, (len(stamps), 1))
    if layout.action == "next":
        return _rotations(episode.tray(), stamps + NS_PER_S // layout.fps)
    reference = episode.poses(topics.TRAY_REFERENCE.name)
    index = np.searchsorted(reference.stamps_ns, stamps, "right") - 1
    return reference.rotation_vectors[np.maximum(index, 0), :2].astype(np.float32)


def _locations(episode: Episode, stamps: npt.NDArray[np.int64]) -> Array:
    out = np.zeros((len(stamps), 3), np.float32)
    try:
        seen = episode.locations(topics.OBJECT_LOCATION.name)
    except EpisodeError:  # there is no such topic
        return out
    by_stamp = {
        int(stamp): position
        for stamp, position, valid in zip(seen.stamps_ns, seen.positions, seen.valid, strict=True)
        if valid
    }
    for row, stamp in zip(out, stamps.tolist(), strict=True):
        position = by_stamp.get(stamp)
        if position is not None:
            row[:] = position[0], position[1], 1.0
    return out
