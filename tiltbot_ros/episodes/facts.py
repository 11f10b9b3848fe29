"""What is written about an episode besides its messages: constant and late facts."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.facts_file import FactsFile
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.errors import EpisodeError

FORMAT_VERSION = 1
FACTS_FILE = "episode.json"

_PREFIX = "tiltbot."


@dataclass(frozen=True, kw_only=True, slots=True)
class DropCount:
    """Losses by one cause (docs/episodes.md lists them).

    Attributes:
        topic: where; empty when whole episodes or contacts were lost.
        cause: why.
        count: how many messages, episodes or contacts.
    """

    topic: str
    cause: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One question of the verdict.

    Attributes:
        name: what was asked, for example `gap`.
        topic: of which topic; empty: of the whole episode.
        ok: whether the answer is within the limit.
        value, limit: the answer and its limit, in the unit that `text` says.
        text: the answer in words.
    """

    name: str
    topic: str
    ok: bool
    value: float
    limit: float
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether an episode is what it should be.

    Attributes:
        clean: every check passed.
        problems: the texts of the checks that did not.
        checks: all of them.
    """

    clean: bool
    problems: tuple[str, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TiltAction:
    """The action of an interaction (msg/Tilt).

    Attributes:
        rotation: rotation vector of the tilted tray in the level tray's frame [rad].
        ax, ay: its projection on the tray plane over the greatest tilt, in [-1, 1].
        start_ns, end_ns: when the tray left level and was back [ns].
    """

    rotation: tuple[float, float, float]
    ax: float
    ay: float
    start_ns: int
    end_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where an episode came from that was merged into another data folder.

    Attributes:
        folder: the data folder that it was recorded or generated in.
        id: its id there.
    """

    folder: str
    id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstantFacts:
    """What is the same for every episode of a session; stored in each bag's custom data.

    Attributes:
        rig: name of the rig.
        software_version: of tiltbot.
        detector: digest of the detector's settings.
        detector_settings: those settings as JSON.
        before_s, after_s, policy: as the segmenter was set.
        max_tilt_rad: the rig's greatest tilt [rad]; 0: it does not tilt.
        topics: what was to be recorded.
        limits: of the verdict.
        format_version: of this layout.
    """

    rig: str
    software_version: str
    detector: str
    detector_settings: str
    before_s: float
    after_s: float
    policy: str
    max_tilt_rad: float
    topics: tuple[RecordedTopic, ...]
    limits: VerdictSettings
    format_version: int = FORMAT_VERSION

    def to_custom_data(self) -> dict[str, str]:
        """Return the facts as rosbag2 custom data: text by `tiltbot.<name>`."""
        values = json.loads(_CONSTANT.dump_json(self))
        return {
            _PREFIX + name: value if isinstance(value, str) else json.dumps(value)
            for name, value in values.items()
        }

    @staticmethod
    def from_custom_data(custom: Mapping[str, str], path: Path) -> "ConstantFacts":
        """Read the facts back.

        Raises:
            EpisodeError: they are missing or of another format.
        """
        fields: dict[str, object] = {}
        for key, value in custom.items():
            if key.startswith(_PREFIX):
                name = key.removeprefix(_PREFIX)
                fields[name] = json.loads(value) if name in _ENCODED else value
        try:
            return _CONSTANT.validate_python(fields)
        except ValidationError as error:
            raise EpisodeError(
                f"{path}: the bag's custom data is not tiltbot's: {error}"
            ) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeFacts:
    """What is known of an episode only when it is over; `episode.json` beside the bag.

    Attributes:
        id: `ep_000042`.
        object: what was in the tray; empty: not named.
        outcome: free text, set by `relabel`.
        labels: the lab's own, name to value.
        kept: somebody looked at it and wants it.
        contact: what it was cut around.
        start_ns, end_ns: its window [ns].
        suppressed: contacts that had no window because of this one.
        tilt: the action that caused the contact; None: not known.
        verdict: of the recorder.
        drops: losses within the window.
        messages, payload_bytes: in the bag.
        bag_bytes, bag_crc32: size and CRC-32 of the bag's file.
        finished_ns: when it was written (ROS clock) [ns].
        origin: where it came from; None: it was made in this folder.
        format_version: of this layout.
    """

    id: str
    object: str
    contact: HeardContact
    start_ns: int
    end_ns: int
    suppressed: int
    tilt: TiltAction | None
    verdict: Verdict
    drops: tuple[DropCount, ...]
    messages: int
    payload_bytes: int
    bag_bytes: int
    bag_crc32: int
    finished_ns: int
    outcome: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    kept: bool = False
    origin: Origin | None = None
    format_version: int = FORMAT_VERSION

    def to_json(self) -> bytes:
        """Return the text of `episode.json`."""
        return _FACTS.text(self)

    @staticmethod
    def read(directory: Path) -> "EpisodeFacts":
        """Read `episode.json` of an episode's directory.

        Raises:
            EpisodeError: it is missing, no JSON, or of another format.
        """
        return _FACTS.read(directory)


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeContent:
    """An episode before it is written, or as it is read back: what a verdict is given on.

    Attributes:
        contact: what it was cut around.
        start_ns, end_ns: its window [ns].
        suppressed: contacts that had no window because of this one.
        object: what was in the tray; empty: not named.
        messages: of each recorded topic, sorted by stamp.
        drops: losses within the window.
    """

    contact: HeardContact
    start_ns: int
    end_ns: int
    suppressed: int
    object: str
    messages: Mapping[str, tuple[StampedMessage, ...]]
    drops: tuple[DropCount, ...]


def software_version() -> str:
    """Return the version of the installed tiltbot, `0+source` in a bare source tree."""
    try:
        return version("tiltbot")
    except PackageNotFoundError:
        return "0+source"


def _misfit(facts: EpisodeFacts) -> str:
    for name, value, least, most in _ranges(facts):
        if not least <= value <= most:
            return f"{name} in {least:g} .. {most:g}, got {value}"
    return ""


def _ranges(facts: EpisodeFacts) -> Iterator[tuple[str, float, float, float]]:
    """Yield name, value and bounds of the numbers that others compute with."""
    stamps = {
        "contact.stamp_ns": facts.contact.stamp_ns,
        "start_ns": facts.start_ns,
        "end_ns": facts.end_ns,
        "finished_ns": facts.finished_ns,
    }
    if facts.tilt is not None:
        stamps |= {"tilt.start_ns": facts.tilt.start_ns, "tilt.end_ns": facts.tilt.end_ns}
        for name, number in (("tilt.ax", facts.tilt.ax), ("tilt.ay", facts.tilt.ay)):
            yield name, number, -_MOST_ACTION, _MOST_ACTION
        for number in facts.tilt.rotation:
            yield "tilt.rotation", number, -_MOST_ACTION, _MOST_ACTION
    for name, number in stamps.items():
        yield name, number, -_LAST_NS, _LAST_NS
    yield "contact.level", facts.contact.level, 0.0, _MOST_LEVEL
    yield "contact.channel", facts.contact.channel, 0, 65_535
    yield "contact.sample", facts.contact.sample, 0, _LAST_NS
    yield "suppressed", facts.suppressed, 0, 1_000_000
    yield "messages", facts.messages, 0, _LAST_NS
    yield "payload_bytes", facts.payload_bytes, 0, _LAST_NS
    yield "bag_bytes", facts.bag_bytes, 0, _LAST_NS
    yield "bag_crc32", facts.bag_crc32, 0, 0xFFFF_FFFF


_LAST_NS = (1 << 63) - (1 << 40)
"""Stamps and counts fit 64 bits with some room to add to them."""

_MOST_ACTION, _MOST_LEVEL = 10.0, 1000.0

_CONSTANT = TypeAdapter(ConstantFacts)
_FACTS = FactsFile(
    EpisodeFacts, name=FACTS_FILE, subject="an episode", version=FORMAT_VERSION, misfit=_misfit
)
_ENCODED = {"before_s", "after_s", "max_tilt_rad", "topics", "limits", "format_version"}
