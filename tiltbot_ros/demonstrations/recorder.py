"""Records whole demonstrations: messages, starts, ends and the time in; bags out. No ROS in it.

All calls come from one thread; the disk is another one's. Time is the ROS clock in ns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tiltbot_ros.demonstrations.audit import Audit
from tiltbot_ros.demonstrations.catalogue import discard
from tiltbot_ros.demonstrations.facts import DemonstrationFacts, Ending, Outcome
from tiltbot_ros.demonstrations.settings import DemonstrationSettings
from tiltbot_ros.demonstrations.streaming import StreamedBag, WrittenBag
from tiltbot_ros.episodes.cdr import NS_PER_S, header_stamp_ns
from tiltbot_ros.episodes.facts import ConstantFacts, DropCount
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.losses import Losses, drop_counts
from tiltbot_ros.episodes.status import TopicRate
from tiltbot_ros.episodes.tracks import Tracks
from tiltbot_ros.episodes.typestore import has_header
from tiltbot_ros.episodes.writer import WriterSettings
from tiltbot_ros.errors import EpisodeError, RecordingError

_HELD_S = 0.1
_HELD_BYTES = 1 << 20
"""The tracks' rings are not asked for messages: they hold next to nothing."""

Fate = Literal["keep", "discard", "success", "failure"]
"""What becomes of a demonstration when a person ends it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A demonstration that is safely on disk, perhaps in the trash."""

    path: Path
    facts: DemonstrationFacts
    discarded: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """A demonstration that could not be written, or not begun.

    Attributes:
        id: which; empty: it had not begun.
        cause: write_error, disk_floor or not_ready.
        reason: in words.
    """

    id: str
    cause: str
    reason: str


@dataclass(kw_only=True, slots=True)
class _Take:
    """One demonstration under way."""

    id: str
    task: str
    start_ns: int
    bag: StreamedBag
    audit: Audit
    drops: Losses
    end_ns: int | None = None
    ending: Ending = "person"
    fate: Fate = "keep"
    closing: bool = False


class DemonstrationRecorder:
    """Writes what comes between a start and an end, and judges it.

    Args:
        settings: gate, waiting times and bounds.
        facts: constant facts of the session, with the topics that are recorded.
        folder: opened; the caller closes it after `finish`.
        writer: floor of the disk and compression.
        rate_hz: steps a second [Hz].
        label: outcome of demonstrations whose end does not say one.
        clock: the ROS clock [ns].
    """

    def __init__(
        self,
        settings: DemonstrationSettings,
        facts: ConstantFacts,
        folder: DataFolder,
        writer: WriterSettings,
        *,
        rate_hz: float,
        label: Outcome = "",
        clock: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._facts = facts
        self._folder = folder
        self._writer = writer
        self._rate_hz = rate_hz
        self._label: Outcome = label
        self._clock = clock
        self._tracks = Tracks(facts.topics, ring_s=_HELD_S, ring_bytes=_HELD_BYTES)
        self._stamped = {topic.name: has_header(topic.type) for topic in facts.topics}
        self._armed: tuple[int, str] | None = None
        self._take: _Take | None = None
        self._last = ""
        self.problem = ""
        self.drops: Losses = Losses()
        self.kept = self.discarded = 0

    @property
    def recording(self) -> bool:
        """Whether a demonstration is recorded and has not been ended."""
        return self._take is not None and self._take.end_ns is None

    @property
    def busy(self) -> bool:
        """Whether something is recorded, begun or written."""
        return self._take is not None or self._armed is not None

    @property
    def id(self) -> str:
        """The demonstration under way, or the last one."""
        return self._last

    @property
    def steps(self) -> int:
        """Rows of actions in the demonstration under way."""
        return self._take.audit.steps if self._take else 0

    @property
    def payload_bytes(self) -> int:
        """Written of the demonstration under way [B]."""
        return self._take.bag.payload_bytes if self._take else 0

    def duration_s(self, now_ns: int) -> float:
        """Return how long the demonstration under way is [s]."""
        return (now_ns - self._take.start_ns) / NS_PER_S if self._take else 0.0

    def missing(self, now_ns: int) -> tuple[str, ...]:
        """Return the required topics that do not flow."""
        settings = self._settings
        return self._tracks.missing(
            now_ns, gate_s=settings.gate_s, gate_fraction=settings.gate_fraction
        )

    def losses(self) -> tuple[DropCount, ...]:
        """Return all losses since the start, by topic and cause."""
        return drop_counts(self.drops)

    def rates(self, now_ns: int) -> tuple[TopicRate, ...]:
        """Return how every topic flows."""
        return self._tracks.rates(now_ns)

    def start(self, task: str, now_ns: int) -> str:
        """Begin, as soon as all streams flow; return what was done, for a person.

        Raises:
            RecordingError: one is under way, or the disk is full.
        """
        if self._take is not None or self._armed is not None:
            what = "is being recorded" if self.recording or self._armed else "is being written"
            raise RecordingError(f"expected to begin, but {self._last or 'one'} {what}: end it")
        self._require_room()
        self.problem = ""
        self._armed = (now_ns + round(self._settings.wait_s * NS_PER_S), task)
        missing = self.missing(now_ns)
        if missing:
            return f"recording begins when there is data on {', '.join(missing)}"
        self._begin(task, now_ns)
        return f"recording {self._last}"

    def end(self, fate: Fate, now_ns: int, *, ending: Ending = "person") -> str:
        """End the demonstration under way; return its id, empty when it had not begun.

        Raises:
            RecordingError: none is recorded.
        """
        if self._armed is not None:
            self._armed = None
            return ""
        take = self._take
        if take is None or take.end_ns is not None:
            raise RecordingError("expected a demonstration that is recorded, but there is none")
        take.end_ns, take.fate, take.ending = now_ns, fate, ending
        return take.id

    def on_message(self, name: str, data: bytes, receive_ns: int) -> None:
        """Take a raw message; one that cannot be read is counted as malformed.

        Raises:
            ConfigError: the topic is not among those that are recorded.
        """
        track = self._tracks[name]
        try:
            steady = track.take(data, receive_ns)
            stamp_ns = header_stamp_ns(data) if self._stamped[name] else receive_ns
        except EpisodeError:
            self._drop(name, "malformed", 1)
            return
        take = self._take
        if take is None or take.closing:
            return
        if not steady:
            self._drop(name, "clock_jump", 1)
        if stamp_ns < take.start_ns or (take.end_ns is not None and stamp_ns > take.end_ns):
            return
        self._put(take, name, stamp_ns, data)

    def on_lost(self, name: str, count: int, now_ns: int) -> None:
        """Note that the transport lost messages of a topic.

        Raises:
            ConfigError: the topic is not among those that are recorded.
        """
        self._tracks[name].lose(count, now_ns)
        self._drop(name, "transport", count)

    def tick(self, now_ns: int) -> list[Finished | Lost]:
        """Do what the time demands, a few times a second; return what became of demonstrations."""
        outcomes: list[Finished | Lost] = []
        if self._armed is not None:
            outcomes += self._wait_for_streams(now_ns, *self._armed)
        take = self._take
        if take is not None:
            self._watch(take, now_ns)
            if take.end_ns is not None and not take.closing and self._passed(take, now_ns):
                take.closing = True
                take.bag.finish()
            if take.bag.ended:
                outcomes.append(self._conclude(take))
        return outcomes

    def finish(self, now_ns: int) -> list[Finished | Lost]:
        """End the session: what is recorded is kept, flagged as ended by the shutdown."""
        self._armed = None
        take = self._take
        if take is None:
            return []
        if take.end_ns is None:
            take.end_ns, take.ending = now_ns, "shutdown"
        if not take.closing:
            take.closing = True
            take.bag.finish()
        take.bag.join()
        return [self._conclude(take)]

    def _wait_for_streams(self, now_ns: int, deadline_ns: int, task: str) -> list[Finished | Lost]:
        missing = self.missing(now_ns)
        if not missing:
            self._begin(task, now_ns)
            return []
        if now_ns < deadline_ns:
            return []
        self._armed = None
        return [self._lost("", "not_ready", f"not begun: no data on {', '.join(missing)}")]

    def _begin(self, task: str, now_ns: int) -> None:
        self._armed = None
        self._last = self._folder.take_number()
        bag = StreamedBag(
            self._folder,
            self._last,
            self._facts,
            queue_bytes=self._settings.queue_bytes,
            compress=self._writer.compress,
        )
        audit = Audit(self._facts.topics, self._facts.limits, start_ns=now_ns)
        self._take = _Take(
            id=self._last, task=task, start_ns=now_ns, bag=bag, audit=audit, drops=Losses()
        )
        for track in self._tracks:
            if track.topic.latched:
                # One from before is logged at the start, or players would begin with a pause.
                for message in track.cut(0, now_ns):
                    self._put(self._take, track.topic.name, now_ns, message.data)

    def _put(self, take: _Take, name: str, stamp_ns: int, data: bytes) -> None:
        if take.bag.put(name, stamp_ns, data):
            take.audit.add(name, stamp_ns, data)
        else:
            self._drop(name, "queue_full", 1)

    def _watch(self, take: _Take, now_ns: int) -> None:
        if take.end_ns is not None:
            return
        if now_ns - take.start_ns > self._settings.longest_s * NS_PER_S:
            self.end("keep", now_ns, ending="too_long")
        elif self._folder.free_bytes() < self._writer.disk_floor_bytes:
            # The floor leaves the room to close it well.
            self.end("keep", now_ns, ending="disk")
            self.drops["", "disk_floor"] += 1

    def _passed(self, take: _Take, now_ns: int) -> bool:
        """Whether nothing more is to be expected up to the end."""
        end_ns = take.end_ns or 0
        if now_ns >= end_ns + round(self._settings.late_s * NS_PER_S):
            return True
        return self._tracks.have_passed(end_ns)

    def _conclude(self, take: _Take) -> Finished | Lost:
        self._take = None
        take.bag.join()
        written = take.bag.written
        if written is None:
            take.bag.abandon()
            return self._lost(
                take.id,
                "write_error",
                f"{take.id} cannot be written into {self._folder.path}: "
                f"{type(take.bag.error).__name__}: {take.bag.error}",
            )
        try:
            facts = self._judged(take, written)
            path = take.bag.commit(facts.to_json())
            if take.fate == "discard":
                path = discard(self._folder.path, take.id)
        except (OSError, EpisodeError) as error:
            take.bag.abandon()
            return self._lost(take.id, "write_error", f"{take.id} cannot be written: {error}")
        self.kept += take.fate != "discard"
        self.discarded += take.fate == "discard"
        return Finished(path=path, facts=facts, discarded=take.fate == "discard")

    def _judged(self, take: _Take, written: WrittenBag) -> DemonstrationFacts:
        end_ns = take.start_ns if take.end_ns is None else take.end_ns
        drops = drop_counts(take.drops)
        outcome: Outcome = take.fate if take.fate in ("success", "failure") else self._label
        return DemonstrationFacts(
            id=take.id,
            task=take.task,
            outcome=outcome,
            commander=take.audit.commander,
            rate_hz=self._rate_hz,
            steps=take.audit.steps,
            start_ns=take.start_ns,
            end_ns=end_ns,
            ending=take.ending,
            verdict=take.audit.verdict(end_ns, drops),
            drops=drops,
            messages=written.messages,
            payload_bytes=written.payload_bytes,
            bag_bytes=written.bag_bytes,
            bag_crc32=written.bag_crc32,
            finished_ns=self._clock(),
            kept=take.fate != "discard" and take.ending == "person",
        )

    def _require_room(self) -> None:
        free, floor = self._folder.free_bytes(), self._writer.disk_floor_bytes
        if free < floor:
            self.drops["", "disk_floor"] += 1
            raise RecordingError(
                f"{self._folder.path}: {free} bytes free, less than disk_floor_bytes = {floor}: "
                f"make room on the disk"
            )

    def _lost(self, name: str, cause: str, reason: str) -> Lost:
        self.problem = reason
        self.drops["", cause] += 1
        return Lost(id=name, cause=cause, reason=reason)

    def _drop(self, name: str, cause: str, count: int) -> None:
        self.drops[name, cause] += count
        if self._take is not None and not self._take.closing:
            self._take.drops[name, cause] += count
