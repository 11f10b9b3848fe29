"""The last seconds of one topic, as raw bytes, by header stamp."""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, kw_only=True, slots=True)
class StampedMessage:
    """One serialised message.

    Attributes:
        stamp_ns: header stamp, or time of receipt for a type without a header [ns].
        data: the CDR bytes as they came.
    """

    stamp_ns: int
    data: bytes


class _Loss(NamedTuple):
    """Messages that were let go or never came; made for each message, so it must be cheap."""

    stamp_ns: int
    cause: str
    messages: int


class MessageRing:
    """Messages of one topic, bounded in seconds of header stamp and in bytes.

    Messages may come slightly out of order; `window` sorts. A stamp that lies
    more than `jump_ns` before the newest one is a clock that was set back: all
    that was held belongs to the old time, so it is let go (cause
    `clock_jump`) and only what comes from then on is kept. A jump forward
    makes the old messages simply too old.

    Losses are remembered with their stamps as long as a window could still
    ask for them, twice `max_age_s`.

    Args:
        max_age_s: messages older than the newest by more are let go [s].
        max_bytes: payload bytes held at most; the oldest go first [B].
        jump_s: a step back of the stamps longer than this is a clock jump [s].
    """

    def __init__(self, max_age_s: float, max_bytes: int, *, jump_s: float = 0.5) -> None:
        self._max_age_ns = int(max_age_s * 1e9)
        self._max_bytes = max_bytes
        self._jump_ns = int(jump_s * 1e9)
        self._messages: deque[StampedMessage] = deque()
        self._losses: deque[_Loss] = deque()
        self._newest_ns: int | None = None
        self._bytes = 0
        self._evictions = {"ring_age": 0, "ring_bytes": 0, "clock_jump": 0}

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def bytes_held(self) -> int:
        """Payload bytes held now [B]."""
        return self._bytes

    @property
    def newest_ns(self) -> int | None:
        """The newest stamp, None while empty since the start or the last clock jump [ns]."""
        return self._newest_ns

    @property
    def evictions(self) -> dict[str, int]:
        """Messages let go since the start, by cause: `ring_age`, `ring_bytes`, `clock_jump`.

        `ring_age` is the ring's ordinary work; it is a loss only for a window
        that still asks for such a message (see `losses`).
        """
        return dict(self._evictions)

    def append(self, message: StampedMessage) -> bool:
        """Take one message, in constant time (amortised).

        Returns:
            False when its stamp showed that the clock was set back.
        """
        steady = True
        if self._newest_ns is not None and message.stamp_ns < self._newest_ns - self._jump_ns:
            self._clear()
            steady = False
        if self._newest_ns is None or message.stamp_ns > self._newest_ns:
            self._newest_ns = message.stamp_ns
        self._messages.append(message)
        self._bytes += len(message.data)
        oldest_ns = self._newest_ns - self._max_age_ns
        while self._messages[0].stamp_ns < oldest_ns:
            self._evict("ring_age")
        while self._bytes > self._max_bytes:
            self._evict("ring_bytes")
        while self._losses and self._losses[0].stamp_ns < oldest_ns - self._max_age_ns:
            self._losses.popleft()
        return steady

    def note_loss(self, stamp_ns: int, cause: str, count: int) -> None:
        """Remember that `count` messages around this time never came."""
        self._losses.append(_Loss(stamp_ns, cause, count))

    def window(self, t0_ns: int, t1_ns: int) -> tuple[StampedMessage, ...]:
        """Return the messages with t0 <= stamp <= t1, sorted by stamp; no bytes are copied."""
        found = [m for m in self._messages if t0_ns <= m.stamp_ns <= t1_ns]
        found.sort(key=lambda m: m.stamp_ns)
        return tuple(found)

    def last_before(self, t_ns: int) -> StampedMessage | None:
        """Return the newest message with stamp < t, None when there is none."""
        earlier = [m for m in self._messages if m.stamp_ns < t_ns]
        return max(earlier, key=lambda m: m.stamp_ns, default=None)

    def losses(self, t0_ns: int, t1_ns: int) -> dict[str, int]:
        """Return how many messages with t0 <= stamp <= t1 were let go or lost, by cause."""
        counts: dict[str, int] = {}
        for loss in self._losses:
            if t0_ns <= loss.stamp_ns <= t1_ns:
                counts[loss.cause] = counts.get(loss.cause, 0) + loss.messages
        return counts

    def _evict(self, cause: str) -> None:
        message = self._messages.popleft()
        self._bytes -= len(message.data)
        self._evictions[cause] += 1
        self._losses.append(_Loss(message.stamp_ns, cause, 1))

    def _clear(self) -> None:
        self._evictions["clock_jump"] += len(self._messages)
        self._messages.clear()
        self._losses.clear()
        self._bytes = 0
        self._newest_ns = None
