"""One recorded topic as the recorder follows it: its ring, its rate, its losses."""

from collections import deque

from tiltbot_ros.episodes.cdr import NS_PER_S, header_stamp_ns, read_audio
from tiltbot_ros.episodes.ring import MessageRing, StampedMessage
from tiltbot_ros.episodes.status import TopicRate
from tiltbot_ros.episodes.topics import RecordedTopic
from tiltbot_ros.episodes.typestore import has_header

_RATE_NS = 2 * NS_PER_S
_LATCHED_KEPT = 8


class TopicTrack:
    """Follows one topic.

    Args:
        topic: what is promised of it.
        ring_s, ring_bytes: bounds of its ring.
    """

    def __init__(self, topic: RecordedTopic, *, ring_s: float, ring_bytes: int) -> None:
        self.topic = topic
        self.ring = MessageRing(ring_s, ring_bytes)
        self.received = 0
        self.lost = 0
        self._stamped = has_header(topic.type)
        self._latched: deque[StampedMessage] = deque(maxlen=_LATCHED_KEPT)
        self._arrivals: deque[int] = deque()
        self._last_ns: int | None = None
        self._horizon_ns = max(_RATE_NS, int(2 * NS_PER_S / (topic.flow_hz or 1.0)))

    def take(self, data: bytes, receive_ns: int) -> bool:
        """Take a message; False when its stamp showed that the clock was set back.

        Raises:
            EpisodeError: it has no header where its type has one.
        """
        stamp_ns = header_stamp_ns(data) if self._stamped else receive_ns
        message = StampedMessage(stamp_ns=stamp_ns, data=data)
        self.received += 1
        self._last_ns = receive_ns
        self._arrivals.append(receive_ns)
        self._forget(receive_ns)
        if self.topic.latched:
            self._latched.append(message)
            return True
        return self.ring.append(message)

    def lose(self, count: int, now_ns: int) -> None:
        """Note that the transport lost messages."""
        self.lost += count
        newest = self.ring.newest_ns
        self.ring.note_loss(now_ns if newest is None else newest, "transport", count)

    def cut(self, start_ns: int, end_ns: int) -> tuple[StampedMessage, ...]:
        """Return what belongs to a window.

        Of a latched topic that is its last message up to the window's end. Of
        sound it is also the block that began before the window and lasts into it.
        """
        if self.topic.latched:
            known = [message for message in self._latched if message.stamp_ns <= end_ns]
            return tuple(known[-1:])
        inside = self.ring.window(start_ns, end_ns)
        if self.topic.is_audio:
            before = self.ring.last_before(start_ns)
            if before is not None and _end_of_sound_ns(before) > start_ns:
                return (before, *inside)
        return inside

    def has_passed(self, t_ns: int) -> bool:
        """Say whether nothing up to t is to be expected any more."""
        if self.topic.latched or self.topic.flow_hz <= 0 or self.ring.newest_ns is None:
            return True
        return self.ring.newest_ns > t_ns

    def flows(self, now_ns: int, gate_s: float, fraction: float) -> bool:
        """Say whether the topic comes as promised: at rate, or at least once without a rate."""
        flow_hz = self.topic.flow_hz
        if self.topic.latched or flow_hz <= 0:
            return self.received > 0
        span_s = max(gate_s, 2 / flow_hz)
        since_ns = now_ns - int(span_s * NS_PER_S)
        count = sum(1 for t_ns in self._arrivals if since_ns < t_ns <= now_ns)
        return count >= int(fraction * flow_hz * span_s)

    def has_stalled(self, now_ns: int, stall_s: float) -> bool:
        """Say whether a stream that did flow has fallen silent."""
        if self.topic.latched or self.topic.flow_hz <= 0 or self._last_ns is None:
            return False
        limit_s = max(stall_s, 3 / self.topic.flow_hz)
        return now_ns - self._last_ns > limit_s * NS_PER_S

    def rate(self, now_ns: int) -> TopicRate:
        """Return the state of the topic; the rate is over the last two seconds."""
        self._forget(now_ns)
        return TopicRate(
            topic=self.topic.name,
            type=self.topic.type,
            required=self.topic.required,
            rate_hz=len(self._arrivals) * NS_PER_S / _RATE_NS,
            expected_hz=self.topic.flow_hz,
            received=self.received,
            lost=self.lost,
        )

    def _forget(self, now_ns: int) -> None:
        arrivals, since_ns = self._arrivals, now_ns - self._horizon_ns
        while arrivals and not since_ns < arrivals[0] <= now_ns:
            arrivals.popleft()


def _end_of_sound_ns(message: StampedMessage) -> int:
    sound = read_audio(message.data)
    return message.stamp_ns + len(sound.block.samples) * NS_PER_S // sound.format.sample_rate
