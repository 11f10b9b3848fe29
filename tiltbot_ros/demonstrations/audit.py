"""The verdict on a demonstration, gathered while its messages come: nothing is kept."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tiltbot_ros.episodes.cdr import NS_PER_S, header_stamp_ns, read_audio
from tiltbot_ros.episodes.facts import Check, DropCount, Verdict
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.episodes.verdict_settings import VerdictSettings
from tiltbot_ros.errors import EpisodeError

STEP_TYPE = "tiltbot/msg/ArmDelta"


@dataclass(kw_only=True, slots=True)
class _Stream:
    """What is gathered of one topic."""

    topic: RecordedTopic
    count: int = 0
    last_ns: int = 0
    longest_ns: int = 0
    backwards: int = 0
    next_sample: int | None = None
    lost_frames: int = 0
    first_xruns: int | None = None
    xruns: int = 0
    next_sequence: int | None = None
    lost_steps: int = 0
    malformed: int = 0
    commanders: set[str] = field(default_factory=set)


class Audit:
    """Counts, gaps, continuity of sound and steps of one demonstration."""

    def __init__(
        self, topics: Iterable[RecordedTopic], limits: VerdictSettings, *, start_ns: int
    ) -> None:
        """Begin at the start of the window [ns]."""
        self._limits = limits
        self._start_ns = start_ns
        self._streams = {topic.name: _Stream(topic=topic, last_ns=start_ns) for topic in topics}

    @property
    def steps(self) -> int:
        """Rows of actions so far."""
        return sum(s.count for s in self._streams.values() if s.topic.type == STEP_TYPE)

    @property
    def commander(self) -> str:
        """Who made them; several names with commas between."""
        names = {name for stream in self._streams.values() for name in stream.commanders}
        return ", ".join(sorted(names))

    def add(self, name: str, stamp_ns: int, data: bytes) -> None:
        """Look at a message that goes into the bag."""
        stream = self._streams[name]
        stream.count += 1
        if stream.topic.latched:
            return
        stream.backwards += stamp_ns < stream.last_ns
        stream.longest_ns = max(stream.longest_ns, stamp_ns - stream.last_ns)
        stream.last_ns = max(stamp_ns, stream.last_ns)
        try:
            if stream.topic.is_audio:
                _look_at_sound(stream, data)
            elif stream.topic.type == STEP_TYPE:
                _look_at_step(stream, data)
        except EpisodeError:
            stream.malformed += 1

    def verdict(self, end_ns: int, drops: Iterable[DropCount]) -> Verdict:
        """Return the verdict on the window that ends at `end_ns` [ns]."""
        checks = [*self._checks(end_ns), *(_lost(drop) for drop in drops)]
        problems = tuple(
            f"{check.topic}: {check.text}" if check.topic else check.text
            for check in checks
            if not check.ok
        )
        return Verdict(clean=not problems, problems=problems, checks=tuple(checks))

    def _checks(self, end_ns: int) -> Iterator[Check]:
        seconds = (end_ns - self._start_ns) / NS_PER_S
        for stream in self._streams.values():
            topic = stream.topic
            if topic.required or topic.latched:
                text = f"{stream.count} messages" if stream.count else "no message"
                # A latched topic is nice to have: its absence is a fact, no flaw.
                ok = stream.count > 0 or topic.latched
                yield _check("required", topic, stream.count, 1, text, ok=ok)
            if topic.expected_hz > 0:
                yield from self._regularity(stream, seconds, end_ns)
            if topic.is_audio:
                text = f"{stream.lost_frames} frames lost"
                yield _check("continuity", topic, stream.lost_frames, 0, text)
                yield _check("xruns", topic, stream.xruns, 0, f"{stream.xruns} overruns")
            if topic.type == STEP_TYPE:
                text = f"{stream.lost_steps} steps lost"
                yield _check("steps", topic, stream.lost_steps, 0, text)
                several = max(len(stream.commanders) - 1, 0)
                yield _check("commander", topic, several, 0, f"steps of {self.commander}")
            for name, count in (("order", stream.backwards), ("format", stream.malformed)):
                if count:
                    words = "stamps go back" if name == "order" else "messages cannot be read"
                    yield _check(name, topic, count, 0, f"{count} {words}")

    def _regularity(self, stream: _Stream, seconds: float, end_ns: int) -> Iterator[Check]:
        limits, topic = self._limits, stream.topic
        expected = topic.expected_hz * seconds
        least = int(limits.count_fraction * expected - 1)
        most = limits.count_excess * expected + 2
        yield _check(
            "count",
            topic,
            stream.count,
            expected,
            f"{stream.count} messages of {expected:.0f}",
            ok=least <= stream.count <= most,
        )
        longest = max(stream.longest_ns, end_ns - stream.last_ns) / NS_PER_S
        limit = max(limits.gap_s, limits.gap_periods / topic.expected_hz)
        text = f"longest gap {longest * 1e3:.1f} ms (limit {limit * 1e3:.1f} ms)"
        yield _check("gap", topic, longest, limit, text)


def _look_at_sound(stream: _Stream, data: bytes) -> None:
    block = read_audio(data).block
    if stream.next_sample is not None:
        stream.lost_frames += abs(block.first_sample - stream.next_sample)
    stream.next_sample = block.first_sample + len(block.samples)
    if stream.first_xruns is None:
        stream.first_xruns = block.xruns
    stream.xruns = block.xruns - stream.first_xruns


def _look_at_step(stream: _Stream, data: bytes) -> None:
    header_stamp_ns(data)
    try:
        step: Any = typestore().deserialize_cdr(data, STEP_TYPE)
    except Exception as error:  # the parser raises anything on corrupt bytes
        raise EpisodeError(f"expected an {STEP_TYPE}: {error}") from error
    if step.commander in stream.commanders and stream.next_sequence is not None:
        stream.lost_steps += abs(step.sequence - stream.next_sequence)
    stream.commanders.add(step.commander)
    stream.next_sequence = step.sequence + 1


def _lost(drop: DropCount) -> Check:
    return Check(
        name="loss",
        topic=drop.topic,
        ok=drop.count == 0,
        value=drop.count,
        limit=0,
        text=f"{drop.count} lost ({drop.cause})",
    )


def _check(
    name: str,
    topic: RecordedTopic,
    value: float,
    limit: float,
    text: str,
    *,
    ok: bool | None = None,
) -> Check:
    return Check(
        name=name,
        topic=topic.name,
        ok=value <= limit if ok is None else ok,
        value=float(value),
        limit=float(limit),
        text=text,
    )
