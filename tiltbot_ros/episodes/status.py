"""The state of the recorder, field by field as in msg/RecorderStatus and msg/TopicRate."""

from dataclasses import dataclass

from tiltbot_ros.episodes.facts import DropCount


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicRate:
    """The state of one recorded topic (msg/TopicRate)."""

    topic: str
    type: str
    required: bool
    rate_hz: float
    expected_hz: float
    received: int
    lost: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RecorderStatus:
    """The state of the recorder (msg/RecorderStatus)."""

    stamp_ns: int
    ready: bool
    missing: tuple[str, ...]
    paused: bool
    object: str
    directory: str
    clean: int
    flagged: int
    discarded: int
    last: str
    pending: int
    ring_bytes: int
    disk_free_bytes: int
    topics: tuple[TopicRate, ...]
    drops: tuple[DropCount, ...]
