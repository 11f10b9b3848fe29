"""Episodes as files that need neither ROS nor tiltbot: sound, pictures, tables."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import soundfile

from tiltbot_ros.episodes.facts import FACTS_FILE, EpisodeFacts
from tiltbot_ros.episodes.folder import bag_file
from tiltbot_ros.episodes.moments import before_and_after
from tiltbot_ros.episodes.placing import frame_offsets
from tiltbot_ros.episodes.reader import Episode, Poses
from tiltbot_ros.errors import EpisodeError

Frames = Literal["moments", "all", "none"]
SoundKind = Literal["wav", "flac"]

COLUMNS = (
    "id",
    "object",
    "verdict",
    "problems",
    "outcome",
    "labels",
    "kept",
    "contact_ns",
    "level",
    "channel",
    "start_ns",
    "end_ns",
    "ax",
    "ay",
    "rotation_x_rad",
    "rotation_y_rad",
    "tilt_start_ns",
    "tilt_end_ns",
    "suppressed",
    "bag_bytes",
    "bag_crc32",
)
"""Of `episodes.csv`."""

README = """\
Episodes recorded by tiltbot, as plain files.

episodes.csv     a line for each episode; stamps in ns since 1970 (UTC)
ep_000001/
  episode.json   all facts: object, contact, tilt, verdict with its checks
  times.json     when the sound begins and the pictures were taken [s from the contact]
  sound.wav      all microphones at their own rate; lost frames are silence
  before.png, after.png              colour, before and after the tilt
  before_depth.png, after_depth.png  distance in mm, 16 bits
  tray.csv, tray_reference.csv       rotation vector of the tray, measured and commanded
  object.csv     where the tracker saw the object, in the tray's frame
  bag/           the bag itself (rosbag2, MCAP), where it was asked for

Columns named time_s count from the contact.
"""

_PNG_LEVEL = 3

_COLOR = "camera/color/image_raw"
_DEPTH = "camera/aligned_depth_to_color/image_raw"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportOptions:
    """What is exported of an episode.

    Attributes:
        sound: format of the sound; 24 bits stay 24 bits.
        frames: pictures before and after the tilt, all pictures, or none.
        bags: the bag's directory, too.
    """

    sound: SoundKind = "wav"
    frames: Frames = "moments"
    bags: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedFile:
    """A file of an export.

    Attributes:
        name: relative to the episode's folder.
        data: its content.
        time_s: when the sound begins or the picture was taken, from the contact; None: neither [s].
    """

    name: str
    data: bytes
    time_s: float | None = None


def files_of(path: Path, options: ExportOptions) -> Iterator[ExportedFile]:
    """Yield the files of an episode; what was not recorded is left out.

    Raises:
        EpisodeError: it cannot be read.
    """
    episode = Episode.open(path)
    yield ExportedFile(name=FACTS_FILE, data=episode.facts.to_json())
    times: dict[str, float] = {}
    for file in (*_sound(episode, options), *_frames(episode, options)):
        if file.time_s is not None:
            times[file.name] = round(file.time_s, 6)
        yield file
    yield ExportedFile(name="times.json", data=json.dumps(times, indent=1).encode() + b"\n")
    yield from _tables(episode)
    if options.bags:
        for part in (bag_file(path), path / "metadata.yaml"):
            yield ExportedFile(name=f"bag/{part.name}", data=part.read_bytes())


def table_of(episodes: Iterable[EpisodeFacts]) -> bytes:
    """Return `episodes.csv`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_line(facts) for facts in episodes)
    return text.getvalue().encode()


def _line(facts: EpisodeFacts) -> Sequence[object]:
    tilt = facts.tilt
    return (
        facts.id,
        facts.object,
        "clean" if facts.verdict.clean else "flagged",
        "; ".join(facts.verdict.problems),
        facts.outcome,
        json.dumps(facts.labels, ensure_ascii=False) if facts.labels else "",
        int(facts.kept),
        facts.contact.stamp_ns,
        facts.contact.level,
        facts.contact.channel,
        facts.start_ns,
        facts.end_ns,
        *(("",) * 6 if tilt is None else (tilt.ax, tilt.ay, *tilt.rotation[:2])),
        *(() if tilt is None else (tilt.start_ns, tilt.end_ns)),
        facts.suppressed,
        facts.bag_bytes,
        facts.bag_crc32,
    )


def _sound(episode: Episode, options: ExportOptions) -> Iterator[ExportedFile]:
    try:
        blocks = episode.audio_blocks()
    except EpisodeError:
        return
    audio_format = blocks[0].format
    offsets, frames = frame_offsets(blocks)
    samples = np.zeros((frames, audio_format.channels), audio_format.dtype)
    for at, message in zip(offsets, blocks, strict=True):
        samples[at : at + len(message.block.samples)] = message.block.samples
    if audio_format.bits == 24:  # soundfile wants them left-aligned
        samples = samples << 8
    file = io.BytesIO()
    soundfile.write(
        file,
        samples,
        audio_format.sample_rate,
        format=options.sound.upper(),
        subtype=f"PCM_{audio_format.bits}",
    )
    yield ExportedFile(
        name=f"sound.{options.sound}",
        data=file.getvalue(),
        time_s=_from_contact(blocks[0].block.stamp_ns, episode),
    )


def _frames(episode: Episode, options: ExportOptions) -> Iterator[ExportedFile]:
    if options.frames == "none":
        return
    tilt = episode.facts.tilt
    for topic, suffix in ((_COLOR, ""), (_DEPTH, "_depth")):
        try:
            stamps = episode.image_stamps(topic)
            chosen = before_and_after(
                stamps,
                tilt_start_ns=tilt.start_ns if tilt else None,
                tilt_end_ns=tilt.end_ns if tilt else None,
            )
            images = episode.images(topic, only=chosen if options.frames == "moments" else None)
        except EpisodeError:
            continue
        for index, (stamp, frame) in enumerate(zip(images.stamps_ns, images.frames, strict=True)):
            moment = ("before", "after")[index] if options.frames == "moments" else ""
            yield ExportedFile(
                name=f"{moment or f'frames/{index:03d}'}{suffix}.png",
                data=_png(frame, images.encoding),
                time_s=_from_contact(int(stamp), episode),
            )


def _from_contact(stamp_ns: int, episode: Episode) -> float:
    return (stamp_ns - episode.facts.contact.stamp_ns) / 1e9


def _png(frame: npt.NDArray[Any], encoding: str) -> bytes:
    if encoding == "32FC1":  # metres, as depth cameras of ROS have it
        frame = np.clip(np.nan_to_num(frame) * 1000, 0, 65_535).astype(np.uint16)
    shown = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR) if encoding == "rgb8" else frame
    return bytes(cv2.imencode(".png", shown, [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL])[1])


def _tables(episode: Episode) -> Iterator[ExportedFile]:
    for topic, name in (("tray/pose", "tray"), ("tray/reference", "tray_reference")):
        try:
            poses = episode.poses(topic)
        except EpisodeError:
            continue
        yield ExportedFile(name=f"{name}.csv", data=_poses(poses, episode.facts))
    try:
        seen = episode.locations()
    except EpisodeError:
        return
    times = (seen.stamps_ns - episode.facts.contact.stamp_ns) / 1e9
    rows = np.column_stack([times, seen.positions, seen.valid])
    yield ExportedFile(
        name="object.csv", data=_csv(("time_s", "x_m", "y_m", "z_m", "valid"), rows, "%.6g")
    )


def _poses(poses: Poses, facts: EpisodeFacts) -> bytes:
    times = (poses.stamps_ns - facts.contact.stamp_ns) / 1e9
    rows = np.column_stack([times, poses.rotation_vectors])
    return _csv(("time_s", "x_rad", "y_rad", "z_rad"), rows, "%.7g")


def _csv(names: Sequence[str], rows: npt.NDArray[np.float64], form: str) -> bytes:
    text = io.StringIO()
    text.write(",".join(names) + "\n")
    np.savetxt(text, rows, fmt=form, delimiter=",")
    return text.getvalue().encode()
