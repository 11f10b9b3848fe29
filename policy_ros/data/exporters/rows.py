"""An episode as one row of a table: sound and pictures as the bytes of common formats."""

import io
import json
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import soundfile

from policy_ros.data.bag_signals import Track, read_track
from tiltbot_ros import topics
from tiltbot_ros.episodes.images import compressed_names
from tiltbot_ros.episodes.moments import before_and_after
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.typestore import COMPRESSED_TYPE
from tiltbot_ros.errors import EpisodeError, FormatError

AudioForm = Literal["flac", "raw"]

_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture in the bytes of a file.

    Attributes:
        data: the bytes.
        form: `jpeg`, as it was recorded, or `png`, which loses nothing.
        stamp_ns: when it was taken [ns].
    """

    data: bytes
    form: Literal["jpeg", "png"]
    stamp_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeRow:
    """An interaction.

    Attributes:
        fields: numbers and texts by name, `None` where not known; `FIELDS` describes them.
        audio: FLAC, or interleaved little-endian integers.
        before, after: pictures before and after the tilt.
        tray_stamps_ns: (n,) int64 of the tray's measured rotation [ns].
        tray_rotation: (n, 2) float32 x and y of its rotation vector [rad].
    """

    fields: dict[str, Any]
    audio: bytes
    before: Picture
    after: Picture
    tray_stamps_ns: npt.NDArray[np.int64]
    tray_rotation: npt.NDArray[np.float32]

    @property
    def size(self) -> int:
        """Of its large parts [B]."""
        return len(self.audio) + len(self.before.data) + len(self.after.data)


FIELDS = {
    "id": "of the episode, in its folder",
    "folder": "data folder that it is from",
    "rig": "that recorded it",
    "object": "what was in the tray",
    "outcome": "as it was labelled",
    "labels": "the lab's own, JSON",
    "clean": "the verdict holds nothing against it",
    "problems": "what the verdict holds against it, JSON",
    "action_ax": "tilt over the greatest tilt, in [-1, 1]",
    "action_ay": "tilt over the greatest tilt, in [-1, 1]",
    "rotation_x": "rotation vector of the tilt, level tray's frame [rad]",
    "rotation_y": "rotation vector of the tilt, level tray's frame [rad]",
    "tilt_start_ns": "when the tray left level [ns]",
    "tilt_end_ns": "when it was back [ns]",
    "contact_ns": "when the contact was heard [ns]",
    "contact_microphone": "that heard it",
    "contact_level": "its peak [fraction of full scale]",
    "location_before_x": "of the object in the tray's frame [m]; null: not seen",
    "location_before_y": "of the object in the tray's frame [m]; null: not seen",
    "location_after_x": "of the object in the tray's frame [m]; null: not seen",
    "location_after_y": "of the object in the tray's frame [m]; null: not seen",
    "audio_format": "flac, or int16 / int32: interleaved little-endian integers",
    "audio_rate": "frames per second [Hz]",
    "audio_channels": "microphones",
    "audio_frames": "frames of sound",
    "audio_full_scale": "magnitude of digital full scale",
    "audio_start_ns": "time of the first frame [ns]",
    "audio_missing": "frames that were lost; there is silence in their place",
    "before_format": "of the picture: jpeg, png",
    "before_ns": "when it was taken [ns]",
    "after_format": "of the picture: jpeg, png",
    "after_ns": "when it was taken [ns]",
    "bag_crc32": "of the bag that it is from",
}
"""What the fields of a row are."""


def row_of(episode: Episode, *, audio: AudioForm) -> EpisodeRow:
    """Return an episode's row.

    Raises:
        TiltbotError: it cannot be read, or has no sound, pictures or tilt.
    """
    facts, tilt = episode.facts, episode.tilt()
    if tilt is None:
        raise FormatError(f"{episode.path}: expected the tilt that made the contact, found none")
    sound = track_of(episode)
    before, after = _pictures(episode)
    stamps, rotations = _tray(episode)
    places = _locations(episode, (before.stamp_ns, after.stamp_ns))
    data, form = _encoded(sound, audio)
    fields = {
        "id": facts.id,
        "folder": str(episode.path.parent),
        "rig": episode.constant.rig,
        "object": facts.object,
        "outcome": facts.outcome,
        "labels": json.dumps(facts.labels, sort_keys=True),
        "clean": facts.verdict.clean,
        "problems": json.dumps(list(facts.verdict.problems)),
        "action_ax": tilt.ax,
        "action_ay": tilt.ay,
        "rotation_x": tilt.rotation[0],
        "rotation_y": tilt.rotation[1],
        "tilt_start_ns": tilt.start_ns,
        "tilt_end_ns": tilt.end_ns,
        "contact_ns": facts.contact.stamp_ns,
        "contact_microphone": facts.contact.channel,
        "contact_level": facts.contact.level,
        **dict(
            zip(
                [name for name in FIELDS if name.startswith("location_")],
                [value for place in places for value in place],
                strict=True,
            )
        ),
        "audio_format": form,
        "audio_rate": sound.sample_rate,
        "audio_channels": sound.samples.shape[1],
        "audio_frames": len(sound.samples),
        "audio_full_scale": sound.full_scale,
        "audio_start_ns": sound.first_stamp_ns,
        "audio_missing": sound.missing,
        "before_format": before.form,
        "before_ns": before.stamp_ns,
        "after_format": after.form,
        "after_ns": after.stamp_ns,
        "bag_crc32": facts.bag_crc32,
    }
    return EpisodeRow(
        fields=fields,
        audio=data,
        before=before,
        after=after,
        tray_stamps_ns=stamps,
        tray_rotation=rotations,
    )


def track_of(episode: Episode) -> Track:
    """Return the sound of an episode, with silence where frames were lost.

    Raises:
        EpisodeError: there is none, or its clock jumps.
    """
    messages = episode.messages[episode.topic(topics.AUDIO.name).name]
    try:
        return read_track([memoryview(message.data) for message in messages])
    except EpisodeError as error:
        raise EpisodeError(f"{episode.path}: {error}") from error


def _encoded(sound: Track, form: AudioForm) -> tuple[bytes, str]:
    if form == "raw":
        data = np.ascontiguousarray(sound.samples).astype(sound.samples.dtype.newbyteorder("<"))
        return data.tobytes(), sound.samples.dtype.name
    stream = io.BytesIO()
    wide = sound.samples.dtype != np.int16
    # libsndfile takes integers left-aligned in 32 bits.
    samples = sound.samples * (1 << 8) if wide else sound.samples
    subtype = "PCM_24" if wide else "PCM_16"
    soundfile.write(stream, samples, sound.sample_rate, format="FLAC", subtype=subtype)
    return stream.getvalue(), "flac"


def _pictures(episode: Episode) -> tuple[Picture, Picture]:
    name = topics.COLOR.name
    found = [
        topic
        for topic in episode.constant.topics
        if any(f"/{topic.name}".endswith(f"/{form}") for form in (name, *compressed_names(name)))
    ]
    messages = episode.messages.get(found[0].name, ()) if found else ()
    tilt = episode.tilt()
    if not messages or tilt is None:
        raise EpisodeError(f"{episode.path}: expected colour pictures, found none")
    stamps = np.array([message.stamp_ns for message in messages], np.int64)
    chosen = before_and_after(stamps, tilt_start_ns=tilt.start_ns, tilt_end_ns=tilt.end_ns)
    if found[0].type == COMPRESSED_TYPE:
        packed = episode.deserialised(found[0].name)
        first, last = (np.asarray(packed[index].data, np.uint8).tobytes() for index in chosen)
        if first.startswith(_JPEG) and last.startswith(_JPEG):
            return (
                Picture(data=first, form="jpeg", stamp_ns=int(stamps[chosen[0]])),
                Picture(data=last, form="jpeg", stamp_ns=int(stamps[chosen[1]])),
            )
    images = episode.images()
    before, after = (
        Picture(
            data=_png(images.frames[index], images.encoding),
            form="png",
            stamp_ns=int(images.stamps_ns[index]),
        )
        for index in chosen
    )
    return before, after


def _png(pixels: npt.NDArray[Any], encoding: str) -> bytes:
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if encoding == "rgb8" else pixels
    return bytes(cv2.imencode(".png", bgr)[1])


def _tray(episode: Episode) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    try:
        tray = episode.tray()
    except EpisodeError:  # it was not measured
        return np.zeros(0, np.int64), np.zeros((0, 2), np.float32)
    return tray.stamps_ns, tray.rotation_vectors[:, :2].astype(np.float32)


def _locations(
    episode: Episode, stamps: tuple[int, int]
) -> tuple[tuple[float | None, float | None], ...]:
    try:
        seen = episode.locations(topics.OBJECT_LOCATION.name)
    except EpisodeError:  # there is no such topic
        return ((None, None), (None, None))
    by_stamp = {
        int(stamp): (float(position[0]), float(position[1]))
        for stamp, position, valid in zip(seen.stamps_ns, seen.positions, seen.valid, strict=True)
        if valid
    }
    return tuple(by_stamp.get(stamp, (None, None)) for stamp in stamps)
