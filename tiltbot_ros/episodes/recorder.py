"""The episode recorder: messages, contacts and the time in; episodes out. No ROS in it.

All calls come from one thread. Time is the ROS clock in ns, handed in.
"""

from collections.abc import Iterable
from dataclasses import replace

from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.facts import DropCount, EpisodeContent
from tiltbot_ros.episodes.history import History
from tiltbot_ros.episodes.losses import Losses, drop_counts
from tiltbot_ros.episodes.moments import keep_moments
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.episodes.ring import StampedMessage
from tiltbot_ros.episodes.segmenter import Segmenter, Window
from tiltbot_ros.episodes.status import RecorderStatus
from tiltbot_ros.episodes.tilts import containing_tilt, preceding_tilt, read_tilt, starts_after
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.tracks import Tracks
from tiltbot_ros.episodes.writer import EpisodeSink, FailedEpisode, FinishedEpisode
from tiltbot_ros.errors import EpisodeError

_JUMP_NS = NS_PER_S // 2
_FOREVER_NS = 1 << 63


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
        self._tracks = Tracks(topics, ring_s=settings.ring_s, ring_bytes=settings.ring_bytes)
        self._tilts = next((track for track in self._tracks if track.topic.is_tilt), None)
        self._sink = sink
        self._directory = directory
        self._segmenter = Segmenter(settings)
        self._closing: list[Window] = []
        self._awaiting_tilt: list[EpisodeContent] = []
        self._history = History()
        self._gate_open_ns: int | None = None
        self._newest_tick_ns: int | None = None
        self._drops: Losses = Losses()
        self._clean = self._flagged = self._discarded = 0
        self._last = ""

    @property
    def paused(self) -> bool:
        """True between `pause` and `resume`."""
        return self._history.paused

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
        track = self._tracks[topic]
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
        self._tracks[topic].lose(count, now_ns)
        self._drops[topic, "transport"] += count

    def on_contact(self, contact: HeardContact, now_ns: int) -> None:
        """Take a contact; contacts come in time order.

        It is counted and not used while paused, before the ready gate has been
        open for as long as the window reaches back, and when its stamp lies
        outside what the rings can hold.
        """
        start_ns = contact.stamp_ns - round(self.settings.before_s * NS_PER_S)
        gate_ns = round(self.settings.gate_s * NS_PER_S)
        if self._history.paused_since(start_ns):
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
        return self._tracks.missing(
            now_ns, gate_s=settings.gate_s, gate_fraction=settings.gate_fraction
        )

    def stalled(self, now_ns: int) -> tuple[str, ...]:
        """Return the streams that did flow and have fallen silent."""
        return self._tracks.stalled(now_ns, self.settings.stall_s)

    def set_object(self, name: str, now_ns: int) -> None:
        """Say what is in the tray from now on; empty: nothing that has a name."""
        self._history.set_object(name, now_ns)

    def pause(self, now_ns: int) -> None:
        """Record no window that reaches into the time until `resume`."""
        self._history.pause(now_ns)

    def resume(self, now_ns: int) -> None:
        """End a pause."""
        self._history.resume(now_ns)

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
            object=self._history.object,
            directory=self._directory,
            clean=self._clean,
            flagged=self._flagged,
            discarded=self._discarded,
            last=self._last,
            pending=self.pending,
            ring_bytes=sum(track.ring.bytes_held for track in self._tracks),
            disk_free_bytes=disk_free_bytes,
            topics=self._tracks.rates(now_ns),
            drops=self.drops(),
        )

    def drops(self) -> tuple[DropCount, ...]:
        """Return all losses since the start, by topic and cause."""
        return drop_counts(self._drops)

    def _close(self, window: Window, now_ns: int) -> bool:
        """Cut a window when every stream has passed its end, or the wait is over."""
        late_ns = window.end_ns + round(self.settings.late_s * NS_PER_S)
        if now_ns < late_ns and not self._tracks.have_passed(window.end_ns):
            return False
        self._cut(window)
        return True

    def _cut(self, window: Window) -> None:
        start_ns, end_ns = window.start_ns, window.end_ns
        if self._history.overlaps_pause(start_ns, end_ns):
            self._drops["", "paused"] += 1
            return
        losses = {track.topic.name: track.ring.losses(start_ns, end_ns) for track in self._tracks}
        for name, causes in losses.items():
            for cause, count in causes.items():
                if cause != "transport":
                    self._drops[name, cause] += count
        messages = {
            track.topic.name: track.cut(start_ns, end_ns)
            for track in self._tracks
            if track is not self._tilts
        }
        self._awaiting_tilt.append(
            EpisodeContent(
                contact=window.contact,
                start_ns=start_ns,
                end_ns=end_ns,
                suppressed=window.suppressed,
                object=self._history.object_at(window.contact.stamp_ns),
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
        topics = (track.topic for track in self._tracks)
        action = read_tilt(tilt.data) if tilt else None
        content = replace(content, messages=keep_moments(messages, topics, action))
        if not self._sink.submit(content):
            self._drops["", "queue_full"] += 1

    def _tell(self) -> list[FinishedEpisode | FailedEpisode]:
        outcomes = self._sink.poll()
        self.account(outcomes)
        return outcomes

    def _forget_after(self, t_ns: int) -> None:
        """The clock was set back to t: let go what belongs to the old time."""
        latest_ns = t_ns + _JUMP_NS
        self._newest_tick_ns = None
        self._history.forget_after(t_ns, latest_ns)
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
