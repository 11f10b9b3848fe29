"""Pairs messages by stamp, where ROS 2's own `message_filters` is not installed.

The ROS 2 wheels on PyPI leave `message_filters` out. These classes have the
interface and the behaviour of its Python `SimpleFilter` and
`ApproximateTimeSynchronizer` (ros2/message_filters), so that a node imports
whichever there is.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

_NS = 1_000_000_000
_LOG = logging.getLogger(__name__)


class Filter(Protocol):
    """Anything that calls back with messages, such as a subscriber of `message_filters`."""

    def registerCallback(  # noqa: N802 the name in message_filters
        self, cb: Callable[..., object], *args: object
    ) -> int:
        """Call `cb(message, *args)` for every message; returns the connection's number."""


class SimpleFilter:
    """Keeps callbacks and calls them with messages."""

    def __init__(self) -> None:
        self.callbacks: dict[int, tuple[Callable[..., object], tuple[object, ...]]] = {}

    def registerCallback(  # noqa: N802 the name in message_filters
        self, cb: Callable[..., object], *args: object
    ) -> int:
        """Call `cb(*messages, *args)` for every output; returns the connection's number."""
        connection = len(self.callbacks)
        self.callbacks[connection] = (cb, args)
        return connection

    def signalMessage(self, *msg: Any) -> None:  # noqa: N802 the name in message_filters
        """Hand messages to every callback."""
        for callback, args in self.callbacks.values():
            callback(*msg, *args)


class ApproximateTimeSynchronizer(SimpleFilter):
    """Hands on sets of messages, one of each input, whose stamps lie close together.

    When a message comes, each other input offers its kept messages that are at
    most `slop` away from it, nearest first. The first combination, in the order
    of the inputs, whose stamps span less than `slop` is handed on in the order
    of the inputs, and its messages are forgotten. An input keeps `queue_size`
    messages and forgets the one with the oldest stamp; of two messages with one
    stamp it keeps the later.

    Args:
        fs: the inputs.
        queue_size: messages kept of each input.
        slop: how far the stamps of a set may lie apart [s]; as in ROS, a span
            of exactly `slop` is too far, so that 0 pairs nothing.
        allow_headerless: give messages without a header the time of their
            arrival instead of leaving them out with a warning.
        clock: the ROS clock, for messages without a header [ns].
    """

    def __init__(
        self,
        fs: Sequence[Filter],
        queue_size: int,
        slop: float,
        allow_headerless: bool = False,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__()
        self.queue_size = queue_size
        self.allow_headerless = allow_headerless
        self.queues: list[dict[int, Any]] = [{} for _ in fs]
        self._slop_ns = int(slop * _NS)
        self._clock = clock
        self._lock = threading.Lock()
        self.input_connections = [
            source.registerCallback(self._take, index) for index, source in enumerate(fs)
        ]

    def _take(self, message: Any, index: int) -> None:
        stamp_ns = self._stamp_ns(message)
        if stamp_ns is None:
            return
        with self._lock:
            self._keep(self.queues[index], stamp_ns, message)
            stamps = self._match(stamp_ns, index)
            if stamps is not None:
                pairs = list(zip(self.queues, stamps, strict=True))
                # Signalled before they are forgotten and inside the lock, as in ROS: sets reach
                # the callback one at a time and in order.
                self.signalMessage(*(queue[stamp] for queue, stamp in pairs))
                for queue, stamp in pairs:
                    del queue[stamp]

    def _keep(self, queue: dict[int, Any], stamp_ns: int, message: Any) -> None:
        queue[stamp_ns] = message
        while len(queue) > self.queue_size:
            del queue[min(queue)]

    def _match(self, stamp_ns: int, index: int) -> tuple[int, ...] | None:
        """Return the stamps of the set that the newest message completes, in input order."""
        if stamp_ns not in self.queues[index]:
            return None
        offers: list[list[int]] = []
        for other, queue in enumerate(self.queues):
            near = [stamp for stamp in queue if abs(stamp - stamp_ns) <= self._slop_ns]
            near.sort(key=lambda stamp: abs(stamp - stamp_ns))
            offers.append([stamp_ns] if other == index else near)
        for stamps in itertools.product(*offers):
            if max(stamps) - min(stamps) < self._slop_ns:
                return stamps
        return None

    def _stamp_ns(self, message: Any) -> int | None:
        stamp = getattr(getattr(message, "header", None), "stamp", None)
        if stamp is None:
            if self.allow_headerless:
                return self._clock()
            _LOG.warning(
                "expected a message with header.stamp, got %s: it is left out; "
                "allow_headerless=True would use the time of its arrival",
                type(message).__name__,
            )
            return None
        if hasattr(stamp, "nanoseconds"):
            return int(stamp.nanoseconds)
        return int(stamp.sec) * _NS + int(stamp.nanosec)
