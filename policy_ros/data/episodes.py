"""An episode's folder as the raw interaction that a row of a store is made of."""

from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from policy_ros.data.bag_signals import Track, read_rotations, read_track
from policy_ros.data.making import RawInteraction
from policy_ros.data.sample import Provenance
from tiltbot_ros import topics
from tiltbot_ros.episodes.cdr import header_stamp_ns
from tiltbot_ros.episodes.constant import read_constant_facts
from tiltbot_ros.episodes.facts import FACTS_FILE, ConstantFacts, EpisodeFacts
from tiltbot_ros.episodes.images import IMAGE_TYPES, compressed_names, pixels_of
from tiltbot_ros.episodes.mcap import BagTopic, read_topics
from tiltbot_ros.episodes.moments import before_and_after
from tiltbot_ros.episodes.typestore import AUDIO_TYPE, LOCATION_TYPE, POSE_TYPE, typestore
from tiltbot_ros.errors import EpisodeError, TiltbotError

Picture = npt.NDArray[np.uint8]

_HEADER = 4096
"""No header is longer [B]."""


def read_interaction(path: Path, facts: EpisodeFacts, *, clip: bool = False) -> RawInteraction:
    """Read what a row needs of an episode's bag.

    Args:
        path: directory of the episode.
        facts: its late facts, with a tilt.
        clip: decode every picture, not only those before and after the tilt.

    Raises:
        EpisodeError: the bag is cut short, corrupt, or lacks something; the text names the file.
    """
    bag = path / f"{path.name}.mcap"
    if not bag.is_file():
        bag = next(iter(sorted(path.glob("*.mcap"))), bag)
    try:
        data = bag.read_bytes()
    except OSError as error:
        raise EpisodeError(f"{bag}: cannot be read: {error.strerror}") from error
    if len(data) != facts.bag_bytes:
        raise EpisodeError(
            f"{bag}: expected {facts.bag_bytes} bytes, found {len(data)}: the bag is truncated"
        )
    if crc32(data) != facts.bag_crc32:
        raise EpisodeError(f"{bag}: the checksum in {FACTS_FILE} differs: the bag is corrupt")
    constant = read_constant_facts(path)
    try:
        return _Reading(path, facts, constant, data).interaction(clip=clip)
    except TiltbotError as error:
        raise EpisodeError(f"{bag}: {error}") from error
    except Exception as error:  # as the parsers of MCAP, CDR and pictures raise on corrupt bytes
        raise EpisodeError(
            f"{bag}: the bag cannot be read: {type(error).__name__}: {error}"
        ) from error


class _Reading:
    def __init__(
        self, path: Path, facts: EpisodeFacts, constant: ConstantFacts, data: bytes
    ) -> None:
        self._path = path
        self._facts = facts
        self._constant = constant
        self._color = self._full_name(topics.COLOR.name, *compressed_names(topics.COLOR.name))
        self._audio = self._full_name(topics.AUDIO.name)
        self._tray = self._full_name(topics.TRAY_POSE.name)
        self._location = self._full_name(topics.OBJECT_LOCATION.name)
        wanted = {name for name in (self._color, self._audio, self._tray, self._location) if name}
        self._topics = read_topics(data, wanted)

    def interaction(self, *, clip: bool) -> RawInteraction:
        facts = self._facts
        if facts.tilt is None:
            raise EpisodeError("expected a tilt, the episode has none")
        track = read_track(self._messages(self._audio, topics.AUDIO.name, (AUDIO_TYPE,)))
        contact_frame = facts.contact.sample - track.first_sample
        self._check_contact(track, contact_frame)
        pictures = self._messages(self._color, topics.COLOR.name, IMAGE_TYPES)
        if not pictures:
            raise EpisodeError(f"expected pictures on {topics.COLOR.name}, got none")
        pictures = sorted(pictures, key=_stamp_ns)
        stamps = np.array([_stamp_ns(message) for message in pictures], np.int64)
        before, after = before_and_after(
            stamps, tilt_start_ns=facts.tilt.start_ns, tilt_end_ns=facts.tilt.end_ns
        )
        locations = self._locations()
        nowhere = np.full(2, np.nan)
        tray = self._messages(self._tray, topics.TRAY_POSE.name, (POSE_TYPE,), needed=False)
        tray_stamps, rotations = read_rotations(tray)
        return RawInteraction(
            samples=track.samples,
            sample_rate=track.sample_rate,
            full_scale=track.full_scale,
            first_stamp_ns=track.first_stamp_ns,
            contact_frame=contact_frame,
            contact_ns=facts.contact.stamp_ns,
            contact_channel=facts.contact.channel,
            contact_level=facts.contact.level,
            before=self._picture(pictures[before]),
            after=self._picture(pictures[after]),
            rotation=np.array(facts.tilt.rotation[:2]),
            location_before=locations.get(int(stamps[before]), nowhere),
            location_after=locations.get(int(stamps[after]), nowhere),
            tray_stamps_ns=tray_stamps,
            tray_rotations=rotations[:, :2],
            object=facts.object,
            clean=is_clean(facts),
            provenance=provenance_of(self._path, facts, self._constant.rig),
            clip_stamps_ns=stamps if clip else None,
            clip=np.stack([self._picture(one) for one in pictures]) if clip else None,
        )

    def _check_contact(self, track: Track, frame: int) -> None:
        if not 0 <= frame < len(track.samples):
            raise EpisodeError(
                f"expected the contact, frame {self._facts.contact.sample}, within the sound, got "
                f"frames {track.first_sample} to {track.first_sample + len(track.samples)}"
            )

    def _full_name(self, *names: str) -> str:
        for name in names:
            for topic in self._constant.topics:
                if topic.name == name or topic.name.endswith(f"/{name}"):
                    return topic.name
        return ""

    def _messages(
        self, full_name: str, name: str, types: tuple[str, ...], *, needed: bool = True
    ) -> list[memoryview]:
        if not full_name and needed:
            raise EpisodeError(
                f"expected the topic {name}, the bag has "
                f"{', '.join(topic.name for topic in self._constant.topics)}"
            )
        topic = self._topics.get(full_name, BagTopic(type=types[0], messages=[]))
        if topic.type not in types:
            raise EpisodeError(f"expected {' or '.join(types)} on {full_name}, got {topic.type}")
        return topic.messages

    def _picture(self, message: memoryview) -> Picture:
        msgtype = self._topics[self._color].type
        told: Any = typestore().deserialize_cdr(bytes(message), msgtype)
        pixels, encoding = pixels_of(told, msgtype)
        if encoding == "bgr8":
            pixels = pixels[..., ::-1]
        if pixels.ndim == 2 and pixels.dtype == np.uint8:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        if pixels.dtype != np.uint8 or pixels.ndim != 3:
            raise EpisodeError(f"expected colour pictures on {self._color}, got {encoding}")
        return np.ascontiguousarray(pixels)

    def _locations(self) -> dict[int, npt.NDArray[np.float64]]:
        messages = self._messages(
            self._location, topics.OBJECT_LOCATION.name, (LOCATION_TYPE,), needed=False
        )
        found: dict[int, npt.NDArray[np.float64]] = {}
        for message in messages:
            told: Any = typestore().deserialize_cdr(bytes(message), LOCATION_TYPE)
            if told.valid:
                found[_stamp_ns(message)] = np.array([told.position.x, told.position.y])
        return found


def is_clean(facts: EpisodeFacts) -> bool:
    """Say whether no check of the verdict failed, or a person kept the episode."""
    return facts.verdict.clean or facts.kept


def provenance_of(path: Path, facts: EpisodeFacts, rig: str) -> Provenance:
    """Return where the row of an episode is from."""
    return Provenance(
        id=path.name,
        folder=str(path.parent),
        origin=f"bag {rig}",
        outcome=facts.outcome,
        labels=dict(sorted(facts.labels.items())),
        kept=facts.kept,
        problems=facts.verdict.problems,
        bag_bytes=facts.bag_bytes,
        bag_crc32=facts.bag_crc32,
    )


def _stamp_ns(message: memoryview) -> int:
    return header_stamp_ns(bytes(message[:_HEADER]))  # a copy of a whole image costs
