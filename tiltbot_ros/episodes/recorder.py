"""The episode recorder: messages, contacts and the time in; episodes out. No ROS in it.

All calls come from one thread. Time is the ROS clock in ns, handed in.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from pydantic import Field, model_validator

from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.facts import DropCount, EpisodeContent
from tiltbot_ros.episodes.moments import keep_moments
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.segmenter import Segmenter, SegmenterSettings, Window
from tiltbot_ros.episodes.status import RecorderStatus
from tiltbot_ros.episodes.tilts import containing_tilt, preceding_tilt, read_tilt, starts_after
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.track import TopicTrack
from tiltbot_ros.episodes.writer import EpisodeSink, FailedEpisode, FinishedEpisode
from tiltbot_ros.errors import ConfigError, EpisodeError

_JUMP_NS = NS_PER_S // 2
_FOREVER_NS = 1 << 63


class RecorderSettings(SegmenterSettings):
    """What the recorder holds, waits for and keeps."""

    images: Literal["raw", "compressed"] = Field(
        "raw",
        description="form of the recorded images: 'raw', or 'compressed' (colour as JPEG, depth "
        "as PNG)",
    )
    moments: Literal["all", "before_after"] = Field(
        "all",
        description="images that an episode keeps: 'all', or the two 'before_after' the tilt, "
        "with the camera's other topics at these two",
    )

    ring_s: float = Field(
        10.0, gt=0.0, le=600.0, description="Messages held per topic, by header stamp [s]"
    )
    ring_bytes: int = Field(
        1_000_000_000, gt=0, description="Messages held per topic, payload at most [B]"
    )
    settle_s: float = Field(
        0.3, ge=0.0, le=10.0, description="Wait after a window's end for contacts and events [s]"
    )
    late_s: float = Field(
        2.0,
        ge=0.0,
        le=60.0,
        description="Wait at most so long after a window's end for streams that lag [s]",
    )
    tilt_wait_s: float = Field(
        6.0,
        ge=0.0,
        le=60.0,
        description="Wait at most so long after a window's end for the tilt to end [s]",
    )
    tilt_lookback_s: float = Field(
        2.0,
        ge=0.0,
        le=60.0,
        description="A tilt that ended at most so long before the contact still explains it [s]",
    )
    stall_s: float = Field(
        1.0, gt=0.0, le=60.0, description="A stream silent for longer has stalled [s]"
    )
    gate_s: float = Field(
        1.0, gt=0.0, le=60.0, description="Time over which required streams must flow [s]"
    )
    gate_fraction: float = Field(
        0.8, gt=0.0, le=1.0, description="Part of its expected rate that a stream must reach [1]"
    )

    @model_validator(mode="after")
    def _ring_holds_a_window(self) -> "RecorderSettings":
        needed = self.before_s + self.after_s + max(self.settle_s, self.late_s) + 1.0
        if self.ring_s < needed:
            message = (
                f"expected ring_s >= before_s + after_s + max(settle_s, late_s) + 1 = {needed}, "
                f"got {self.ring_s}: lengthen the ring or shorten the window"
            )
            raise ValueError(message)
        return self


class EpisodeRecorder:
    """Holds the last seconds of every topic and cuts episodes out of them.

    Args:
        settings: windows, rings and waiting times.
        topics: what is recorded.
        sink: where episodes go.
        directory: shown in the status.
    """

    def __init__(
        self,
        settings: RecorderSettings,
        topics: Iterable[RecordedTopic],
        sink: EpisodeSink,
        *,
        directory: str = "",
    ) -> None:
        self.settings = settings
        self._tracks = {
            topic.name: TopicTrack(topic, ring_s=settings.ring_s, ring_bytes=settings.ring_bytes)
            for topic in topics
        }
        self._tilts = next((t for t in self._tracks.values() if t.topic.is_tilt), None)
        self._sink = sink
        self._directory = directory
        self._segmenter = Segmenter(settings)
        self._closing: list[Window] = []
        self._awaiting_tilt: list[EpisodeContent] = []
        self._objects: deque[tuple[int, str]] = deque(maxlen=1000)
        self._pauses: deque[tuple[int, int]] = deque(maxlen=1000)
        self._paused_since_ns: int | None = None
        self._gate_open_ns: int | None = None
        self._newest_tick_ns: int | None = None
        self._drops: Counter[tuple[str, str]] = Counter()
        self._clean = self._flagged = self._discarded = 0
        self._last = ""

    @property
    def paused(self) -> bool:
        """True between `pause` and `resume`."""
        return self._paused_since_ns is not None

    @property
    def pending(self) -> int:
        """Episodes that wait for their window to end, for their tilt or for the writer."""
        waiting = len(self._segmenter.open) + len(self._closing) + len(self._awaiting_tilt)
        return waiting + self._sink.pending

    def on_message(self, topic: str, data: bytes, receive_ns: int) -> None:
        """Take a raw message.

        One that cannot be read is counted as `malformed` and not recorded.

        Raises:
            ConfigError: the topic is not among those that are recorded.
        """
        track = self._track(topic)
        try:
            steady = track.take(data, receive_ns)
        except EpisodeError:
            self._drops[topic, "malformed"] += 1
            return
        if not steady:
            self._forget_after(receive_ns)

    def on_lost(self, topic: str, count: int, now_ns: int) -> None:
        """Note that the transport lost messages of a topic.

        Raises:
            ConfigError: the topic is not among those that are recorded.
        """
        self._track(topic).lose(count, now_ns)
        self._drops[topic, "transport"] += count

    def on_contact(self, contact: HeardContact, now_ns: int) -> None:
        """Take a contact; contacts come in time order.

        It is counted and not used while paused, before the ready gate has been
        open for as long as the window reaches back, and when its stamp lies
        outside what the rings can hold.
        """
        start_ns = contact.stamp_ns - round(self.settings.before_s * NS_PER_S)
        gate_ns = round(self.settings.gate_s * NS_PER_S)
        if self.paused or any(end_ns > start_ns for _, end_ns in self._pauses):
            self._drops["", "paused"] += 1
        elif self._gate_open_ns is None or start_ns < self._gate_open_ns - gate_ns:
            self._drops["", "not_ready"] += 1
        elif not -self.settings.ring_s * NS_PER_S < contact.stamp_ns - now_ns < _JUMP_NS:
            self._drops["", "clock_jump"] += 1
        else:
            before = self._segmenter.suppressed
            self._segmenter.add(contact)
            self._drops["", "suppressed"] += self._segmenter.suppressed - before

    def tick(self, now_ns: int) -> list[FinishedEpisode | FailedEpisode]:
        """Do what the time demands, a few times a second; return what became of episodes."""
        if self._newest_tick_ns is not None and now_ns < self._newest_tick_ns - _JUMP_NS:
            self._forget_after(now_ns)
        self._newest_tick_ns = now_ns
        if self._gate_open_ns is None and not self.missing(now_ns):
            self._gate_open_ns = now_ns
        self._closing += self._segmenter.advance(now_ns - round(self.settings.settle_s * NS_PER_S))
        self._closing = [w for w in self._closing if not self._close(w, now_ns)]
        self._awaiting_tilt = [c for c in self._awaiting_tilt if not self._explain(c, now_ns)]
        return self._tell()

    def finish(self, now_ns: int) -> None:
        """End the session: cut what can be cut; unfinished windows are counted as `ended`.

        The sink is the caller's to close; hand its last outcomes to `account`.
        """
        self._closing += self._segmenter.advance(now_ns)
        self._drops["", "ended"] += len(self._segmenter.reset())
        for window in self._closing:
            self._cut(window)
        self._closing = []
        for content in self._awaiting_tilt:
            self._submit(content, self._preceding(content))
        self._awaiting_tilt = []

    def account(self, outcomes: Iterable[FinishedEpisode | FailedEpisode]) -> None:
        """Count what became of episodes; `tick` does this by itself."""
        for outcome in outcomes:
            if isinstance(outcome, FailedEpisode):
                self._drops["", outcome.cause] += 1
                continue
            self._last = outcome.facts.id
            if outcome.facts.verdict.clean:
                self._clean += 1
            else:
                self._flagged += 1

    def missing(self, now_ns: int) -> tuple[str, ...]:
        """Return the required topics that do not flow; none: the gate is open."""
        settings = self.settings
        return tuple(
            name
            for name, track in self._tracks.items()
            if track.topic.required
            and not track.flows(now_ns, settings.gate_s, settings.gate_fraction)
        )

    def stalled(self, now_ns: int) -> tuple[str, ...]:
        """Return the streams that did flow and have fallen silent."""
        return tuple(
            name
            for name, track in self._tracks.items()
            if track.has_stalled(now_ns, self.settings.stall_s)
        )

    def set_object(self, name: str, now_ns: int) -> None:
        """Say what is in the tray from now on; empty: nothing that has a name."""
        self._objects.append((now_ns, name))

    def pause(self, now_ns: int) -> None:
        """Record no window that reaches into the time until `resume`."""
        if self._paused_since_ns is None:
            self._paused_since_ns = now_ns

    def resume(self, now_ns: int) -> None:
        """End a pause."""
        if self._paused_since_ns is not None:
            self._pauses.append((self._paused_since_ns, now_ns))
            self._paused_since_ns = None

    def count_discarded(self) -> None:
        """Note that an episode was sent to the trash."""
        self._discarded += 1

    def status(self, now_ns: int, disk_free_bytes: int) -> RecorderStatus:
        """Return the state of the recorder."""
        missing = self.missing(now_ns)
        return RecorderStatus(
            stamp_ns=now_ns,
            ready=not missing,
            missing=missing,
            paused=self.paused,
            object=self._objects[-1][1] if self._objects else "",
            directory=self._directory,
            clean=self._clean,
            flagged=self._flagged,
            discarded=self._discarded,
            last=self._last,
            pending=self.pending,
            ring_bytes=sum(track.ring.bytes_held for track in self._tracks.values()),
            disk_free_bytes=disk_free_bytes,
            topics=tuple(track.rate(now_ns) for track in self._tracks.values()),
            drops=self.drops(),
        )

    def drops(self) -> tuple[DropCount, ...]:
        """Return all losses since the start, by topic and cause."""
        return tuple(
            DropCount(topic=topic, cause=cause, count=count)
            for (topic, cause), count in sorted(self._drops.items())
            if count
        )

    def _track(self, topic: str) -> TopicTrack:
        try:
            return self._tracks[topic]
        except KeyError:
            raise ConfigError(
                f"expected one of the recorded topics {sorted(self._tracks)}, got {topic!r}"
            ) from None

    def _close(self, window: Window, now_ns: int) -> bool:
        """Cut a window when every stream has passed its end, or the wait is over."""
        late_ns = window.end_ns + round(self.settings.late_s * NS_PER_S)
        passed = all(track.has_passed(window.end_ns) for track in self._tracks.values())
        if now_ns < late_ns and not passed:
            return False
        self._cut(window)
        return True

    def _cut(self, window: Window) -> None:
        if self._overlaps_pause(window):
            self._drops["", "paused"] += 1
            return
        start_ns, end_ns = window.start_ns, window.end_ns
        losses = {name: track.ring.losses(start_ns, end_ns) for name, track in self._tracks.items()}
        for name, causes in losses.items():
            for cause, count in causes.items():
                if cause != "transport":
                    self._drops[name, cause] += count
        messages = {
            name: track.cut(start_ns, end_ns)
            for name, track in self._tracks.items()
            if track is not self._tilts
        }
        self._awaiting_tilt.append(
            EpisodeContent(
                contact=window.contact,
                start_ns=start_ns,
                end_ns=end_ns,
                suppressed=window.suppressed,
                object=self._object_at(window.contact.stamp_ns),
                messages=messages,
                drops=tuple(
                    DropCount(topic=name, cause=cause, count=count)
                    for name, causes in sorted(losses.items())
                    for cause, count in sorted(causes.items())
                ),
            )
        )

    def _explain(self, content: EpisodeContent, now_ns: int) -> bool:
        """Send an episode on when its tilt is known, or the wait for it is over."""
        if self._tilts is None:
            self._submit(content, None)
            return True
        contact_ns = content.contact.stamp_ns
        known = self._known_tilts()
        tilt = containing_tilt(known, contact_ns)
        if tilt is None:
            deadline_ns = content.end_ns + round(self.settings.tilt_wait_s * NS_PER_S)
            if now_ns < deadline_ns and not starts_after(known, contact_ns):
                return False
            tilt = self._preceding(content)
        self._submit(content, tilt)
        return True

    def _preceding(self, content: EpisodeContent) -> StampedMessage | None:
        contact_ns = content.contact.stamp_ns
        known = self._known_tilts()
        lookback_ns = round(self.settings.tilt_lookback_s * NS_PER_S)
        return containing_tilt(known, contact_ns) or preceding_tilt(known, contact_ns, lookback_ns)

    def _known_tilts(self) -> tuple[StampedMessage, ...]:
        return self._tilts.ring.window(0, _FOREVER_NS) if self._tilts else ()

    def _submit(self, content: EpisodeContent, tilt: StampedMessage | None) -> None:
        messages = dict(content.messages)
        if self._tilts is not None:
            messages[self._tilts.topic.name] = (tilt,) if tilt else ()
        topics = (track.topic for track in self._tracks.values())
        action = read_tilt(tilt.data) if tilt else None
        content = replace(content, messages=keep_moments(messages, topics, action))
        if not self._sink.submit(content):
            self._drops["", "queue_full"] += 1

    def _tell(self) -> list[FinishedEpisode | FailedEpisode]:
        outcomes = self._sink.poll()
        self.account(outcomes)
        return outcomes

    def _object_at(self, t_ns: int) -> str:
        earlier = [name for since_ns, name in self._objects if since_ns <= t_ns]
        return earlier[-1] if earlier else ""

    def _overlaps_pause(self, window: Window) -> bool:
        if self._paused_since_ns is not None and self._paused_since_ns <= window.end_ns:
            return True
        return any(
            start_ns <= window.end_ns and window.start_ns <= end_ns
            for start_ns, end_ns in self._pauses
        )

    def _forget_after(self, t_ns: int) -> None:
        """The clock was set back to t: let go what belongs to the old time."""
        latest_ns = t_ns + _JUMP_NS
        self._newest_tick_ns = None
        if self._objects:
            name = self._objects[-1][1]
            self._objects.clear()
            self._objects.append((0, name))
        self._pauses = deque((p for p in self._pauses if p[1] <= latest_ns), maxlen=1000)
        if self._paused_since_ns is not None:
            self._paused_since_ns = min(self._paused_since_ns, t_ns)
        if self._gate_open_ns is not None and self._gate_open_ns > latest_ns:
            self._gate_open_ns = None
        windows = (*self._closing, *self._segmenter.open)
        if any(window.contact.stamp_ns > latest_ns for window in windows):
            self._drops["", "clock_jump"] += len(windows)
            self._closing = []
            self._segmenter.reset()
        old = [c for c in self._awaiting_tilt if c.contact.stamp_ns > latest_ns]
        self._awaiting_tilt = [c for c in self._awaiting_tilt if c not in old]
        for content in old:
            self._submit(content, self._preceding(content))
