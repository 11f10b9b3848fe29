"""Play a schedule of messages in step with the monotonic clock. No ROS in it."""

import threading
import time
from collections.abc import Callable, Iterable

from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.replaying import Played, ReplaySettings
from tiltbot_ros.topics import Topic


class Player:
    """Plays a schedule in step with the monotonic clock.

    Attributes:
        sent: messages played so far.
        late_s: the most that one of them was late since this was set to 0 [s].

    Args:
        settings: rate, clock and linger.
        publish: takes a topic and the bytes of a message.
        tell_time: takes what the recording's clock shows (ROS clock) [ns].
        stop: set it to end the replay.
        monotonic: [ns].
    """

    def __init__(
        self,
        settings: ReplaySettings,
        *,
        publish: Callable[[Topic, bytes], None],
        tell_time: Callable[[int], None],
        stop: threading.Event,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.sent = 0
        self.late_s = 0.0
        self._settings = settings
        self._publish = publish
        self._tell_time = tell_time
        self._stop = stop
        self._monotonic = monotonic
        self._started_ns = 0
        self._tick_ns = (
            round(settings.rate * NS_PER_S / settings.clock_hz) if settings.clock_hz else None
        )
        self._next_tick_ns = 0

    def play(self, messages: Iterable[Played]) -> None:
        """Play to the end, or until `stop` is set."""
        self._started_ns = self._monotonic()
        at_ns, ros_ns = 0, None
        for message in messages:
            if ros_ns is None:
                ros_ns = message.ros_ns
            if not self._pass_time(at_ns, ros_ns, message.at_ns):
                return
            at_ns, ros_ns = message.at_ns, message.ros_ns
            due_ns = self._started_ns + round(at_ns / self._settings.rate)
            self.late_s = max(self.late_s, (self._monotonic() - due_ns) / NS_PER_S)
            self._publish(message.topic, message.data)
            self.sent += 1
        if ros_ns is not None:
            self._pass_time(at_ns, ros_ns, at_ns + round(self._settings.linger_s * NS_PER_S))

    def _pass_time(self, from_ns: int, ros_ns: int, until_ns: int) -> bool:
        """Wait until `until_ns`, telling the time on the way; False when stopped.

        Args:
            from_ns: since the beginning, in the time of the data [ns].
            ros_ns: the recording's clock then [ns].
            until_ns: as `from_ns` [ns].
        """
        while True:
            next_ns = until_ns
            if self._tick_ns is not None:
                if self._next_tick_ns <= from_ns:
                    self._tell_time(ros_ns)
                    self._next_tick_ns = from_ns + self._tick_ns
                next_ns = min(until_ns, self._next_tick_ns)
            due_ns = self._started_ns + round(next_ns / self._settings.rate)
            wait_s = (due_ns - self._monotonic()) / NS_PER_S
            if self._stop.wait(wait_s) if wait_s > 0 else self._stop.is_set():
                return False
            ros_ns += next_ns - from_ns
            from_ns = next_ns
            if from_ns >= until_ns:
                return True
