"""Sound files with a table of actions, as recordings."""

import itertools
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from pydantic import Field

from policy_ros.data.importers.actions import Action, read_actions
from policy_ros.data.importers.source import (
    Described,
    Message,
    Samples,
    merged,
    recorded,
    sound_messages,
    sound_topics,
    tilt_message,
)
from tiltbot_ros import topics
from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.episodes.contacts import write_contact
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.errors import FormatError
from tiltbot_ros.generating.messages import compressed_message
from tiltbot_ros.sensors.image_codec import COLOR_FORMAT, pack_color
from tiltbot_ros.sensors.sound_file import SoundFile
from tiltbot_ros.settings import Settings

_CHUNK_FRAMES = 1 << 17
_NEAR_S = 0.01
"""The level of a contact out of the table is the peak within so much of it [s]."""
_FRAME = "camera_color_optical_frame"
_PICTURES_HZ = 5.0
_BLANK_SIDE = 64
_JPEG_QUALITY = 95
_SUFFIXES = {".wav", ".flac", ".wave"}
TOLD = "csv"
"""What a contact out of the table has in place of its detector's digest."""


class SoundSettings(Settings):
    """How sound files and their table are read."""

    channels: int = Field(4, ge=1, le=64, description="microphones that a file must have [1]")
    max_tilt_rad: float = Field(0.45, gt=0.0, le=3.2, description="tilt of an action of 1 [rad]")
    start_ns: int = Field(
        946_684_800 * NS_PER_S,
        ge=1,
        lt=1 << 61,
        description="time of the first frame of the first file, the others follow it; by default "
        "the beginning of the year 2000 [ns]",
    )
    object: str = Field("", description="what was in the tray where the table does not say")


class SoundSource:
    """One sound file with its actions.

    Args:
        path: of the file.
        actions: its rows of the table.
        start_ns: time of its first frame [ns].
        settings: as of the import.

    Attributes:
        contacts_s: when the object hit a wall, where the table says so [s].
    """

    def __init__(
        self, path: Path, actions: tuple[Action, ...], start_ns: int, settings: SoundSettings
    ) -> None:
        self.name = path.name
        self.paths: tuple[Path, ...] = (path,)
        self.contacts_s = tuple(a.contact_s for a in actions if a.contact_s is not None)
        self._path = path
        self._actions = tuple(sorted(actions, key=lambda action: action.start_s))
        self._start_ns = start_ns
        self._settings = settings

    def describe(self) -> Described:
        """Return what is known of it.

        Raises:
            FormatError: it has other channels, or an action beyond its end.
            AudioError: it is missing, truncated or no sound file.
        """
        with SoundFile(self._path) as file:
            audio_format, frames = file.audio_format, file.frames
        if audio_format.channels != self._settings.channels:
            raise FormatError(
                f"{self._path}: expected {self._settings.channels} channels, found "
                f"{audio_format.channels}"
            )
        length_s = frames / audio_format.sample_rate
        late = [a for a in self._actions if max(a.start_s, a.contact_s or 0.0) >= length_s]
        if late:
            raise FormatError(
                f"{self._path}: expected actions within its {length_s:.1f} s, got one at "
                f"{late[0].start_s:g} s: does the table belong to another file?"
            )
        for one, other in itertools.pairwise(self._actions):
            if other.start_s < one.end_s:
                raise FormatError(
                    f"{self._path}: expected actions one after the other, got one from "
                    f"{one.start_s:g} to {one.end_s:g} s and another at {other.start_s:g} s"
                )
        objects = [
            (self._at(action.start_s), action.object or self._settings.object)
            for action in self._actions
        ]
        seen = all(action.before and action.after for action in self._actions)
        first = objects[0][1] if objects else self._settings.object
        return Described(
            topics=(
                *sound_topics(audio_format),
                *map(recorded, (topics.TILT, topics.CONTACT, topics.COLOR_COMPRESSED)),
            ),
            objects=((0, first), *objects),
            labels={"file": self._path.name} | ({} if seen else {"pictures": "blank"}),
        )

    def messages(self) -> Iterator[Message]:
        """Yield its messages in the order of receipt."""
        with SoundFile(self._path) as file:
            sound = sound_messages(
                _chunks(file), file.audio_format, start_ns=self._start_ns, device=self._path.name
            )
            yield from merged(sound, self._pictures(), self._tilts(), self._contacts())

    def _pictures(self) -> Iterator[Message]:
        """Yield what the tray looked like: before in the first half of a tilt, after from then on.

        Of a tilt that is longer than an episode there are both in it.
        """
        for action in self._actions:
            before, after = _look(action.before), _look(action.after)
            count = max(2, math.ceil((action.end_s - action.start_s) * _PICTURES_HZ))
            for number in range(count + 1):
                part = number / count
                stamp_ns = self._at(action.start_s + part * (action.end_s - action.start_s))
                data = before if part < 0.5 else after
                message = compressed_message(data, COLOR_FORMAT, stamp_ns=stamp_ns, frame=_FRAME)
                yield f"/{topics.COLOR_COMPRESSED.name}", stamp_ns, message

    def _tilts(self) -> Iterator[Message]:
        for action in self._actions:
            start_ns, end_ns = self._at(action.start_s), self._at(action.end_s)
            data = tilt_message(action.rotation, action.action, start_ns=start_ns, end_ns=end_ns)
            yield f"/{topics.TILT.name}", end_ns, data

    def _contacts(self) -> Iterator[Message]:
        with SoundFile(self._path) as file:
            rate, full = file.audio_format.sample_rate, file.audio_format.full_scale
            for second in sorted(self.contacts_s):
                sample = min(round(second * rate), file.frames - 1)
                file.seek(max(0, sample - round(_NEAR_S * rate)))
                peaks = np.abs(file.read(round(2 * _NEAR_S * rate)).astype(np.int64)).max(axis=0)
                channel = int(np.argmax(peaks))
                contact = HeardContact(
                    sample=sample,
                    stamp_ns=self._at(second),
                    channel=channel,
                    level=float(peaks[channel]) / full,
                    threshold=0.0,
                    detector=TOLD,
                )
                data = write_contact(contact, f"mic_{channel}")
                yield f"/{topics.CONTACT.name}", contact.stamp_ns, data

    def _at(self, second: float) -> int:
        return self._start_ns + round(second * NS_PER_S)


def find_sounds(where: Path, table: Path | None, settings: SoundSettings) -> list[SoundSource]:
    """Return the sound files of a folder, or one file, each with its rows of the table.

    Args:
        where: a sound file, or a folder of them.
        table: CSV of actions; None: `NAME.csv` beside each `NAME.wav`, or `actions.csv` in the
            folder.
        settings: as of the import.

    Raises:
        FormatError: there is no sound file or no table, or the table names a file that is
            not there.
        AudioError: a sound file cannot be read.
    """
    files = _files(where)
    folder = where if where.is_dir() else where.parent
    shared = table or (folder / "actions.csv" if (folder / "actions.csv").is_file() else None)
    rows = read_actions(shared, max_tilt_rad=settings.max_tilt_rad) if shared else ()
    names = {file.name for file in files}
    strange = sorted({row.file for row in rows if row.file and row.file not in names})
    if strange:
        raise FormatError(f"{shared}: expected files of {folder}, got {', '.join(strange[:5])}")
    if len(files) > 1 and any(not row.file for row in rows):
        raise FormatError(f"{shared}: expected a column file, for there are {len(files)} files")
    found = []
    start_ns = settings.start_ns
    for file in files:
        own = tuple(row for row in rows if row.file in {"", file.name})
        if shared is None:
            own = read_actions(file.with_suffix(".csv"), max_tilt_rad=settings.max_tilt_rad)
        found.append(SoundSource(file, own, start_ns, settings))
        start_ns += _length_ns(file) + 60 * NS_PER_S
    return found


def _look(path: Path | None) -> bytes:
    """Return a picture as JPEG; a black one where there is none, for a store needs one."""
    if path is None:
        return _blank()
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise FormatError(f"{path}: expected a picture, got other bytes")
    pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
    return pack_color(pixels, jpeg_quality=_JPEG_QUALITY)


@cache
def _blank() -> bytes:
    return pack_color(np.zeros((_BLANK_SIDE, _BLANK_SIDE, 3), np.uint8), jpeg_quality=_JPEG_QUALITY)


def _files(where: Path) -> list[Path]:
    if where.is_file():
        return [where.resolve()]
    if not where.is_dir():
        raise FormatError(f"{where}: expected a sound file or a folder of them, found none")
    files = sorted(p.resolve() for p in where.iterdir() if p.suffix.lower() in _SUFFIXES)
    if not files:
        raise FormatError(f"{where}: expected WAV or FLAC files, found none")
    return files


def _length_ns(path: Path) -> int:
    with SoundFile(path) as file:
        return file.frames * NS_PER_S // file.audio_format.sample_rate


def _chunks(file: SoundFile) -> Iterator[Samples]:
    while len(samples := file.read(_CHUNK_FRAMES)):
        yield samples
