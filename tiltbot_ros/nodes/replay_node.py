"""Plays recorded episodes and bags back onto the topics."""

import threading
import time
from pathlib import Path

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock

from tiltbot_ros.episodes.longbag import open_bag
from tiltbot_ros.errors import ConfigError, EpisodeError
from tiltbot_ros.image_forms import other_form, to_other_form
from tiltbot_ros.nodes.diagnosing import Diagnostics, Health
from tiltbot_ros.nodes.parameters import declare, refuse_unknown
from tiltbot_ros.nodes.running import Fault, run
from tiltbot_ros.nodes.wiring import clock_ns, publisher, stamp
from tiltbot_ros.pacing import Player
from tiltbot_ros.replaying import ReplaySettings, find_recordings, replay_topics, schedule
from tiltbot_ros.topics import Topic

POLL_S = 0.05
ACKNOWLEDGE_S = 2.0


class ReplayNode(Node):
    """One replay, in a thread of its own; the process ends with it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("replay")
        self._settings = declare(self, ReplaySettings, "replay")
        refuse_unknown(self)
        if not self._settings.path:
            raise ConfigError(
                "expected the parameter 'replay.path': a data folder, one episode, a rosbag2 "
                "directory or an MCAP file"
            )
        self._paths = find_recordings(Path(self._settings.path))
        self._fault = fault
        self._stop = threading.Event()
        self._outputs: dict[str, Publisher | None] = {}
        self._recorded: set[str] = set()
        self._failed = 0
        self._now_playing = ""
        first = self._first_topics()
        self._recorded |= {topic.name for topic in first}
        for topic in first:
            self._publisher_for(topic)
            self._other_publisher(topic)
        # The one absolute name: ROS looks for the time nowhere else.
        self._clock_out = (
            self.create_publisher(Clock, "/clock", QoSProfile(depth=1))
            if self._settings.clock_hz
            else None
        )
        self._player = Player(
            self._settings, publish=self._publish, tell_time=self._tell_time, stop=self._stop
        )
        self._diagnostics = Diagnostics(self, hardware=self._settings.path, health=self._health)
        self._thread = threading.Thread(target=self._play, name="replay")
        self._thread.start()

    def _first_topics(self) -> list[Topic]:
        """Return the topics of the first recording that can be read, to be there in time."""
        problem: EpisodeError | None = None
        for path in self._paths:
            try:
                with open_bag(path) as bag:
                    topics = replay_topics(bag.topics).values()
                    return [t for t in topics if t.name not in self._settings.without]
            except EpisodeError as error:
                problem = problem or error
        raise problem or EpisodeError(f"expected recordings in {self._settings.path}")

    def _publisher_for(self, topic: Topic) -> Publisher | None:
        """Return the publisher of a topic, None when its type is not installed."""
        if topic.name not in self._outputs:
            try:
                self._outputs[topic.name] = publisher(self, topic)
            except ConfigError as error:
                self.get_logger().warning(f"'{topic.name}' is left out: {error}")
                self._outputs[topic.name] = None
        return self._outputs[topic.name]

    # In the thread

    def _play(self) -> None:
        try:
            self._wait_for_listeners()
            messages = schedule(
                self._paths,
                self._settings,
                start_ns=clock_ns(self),
                began=self._began,
                failed=self._skip,
            )
            self._player.play(messages)
            self._see_through()
            self.get_logger().info(f"played {self._player.sent} messages")
            if self._failed:
                self._fault.set(
                    EpisodeError(
                        f"{self._failed} of {len(self._paths)} recordings could not be read"
                    )
                )
        except Exception as error:  # noqa: BLE001 - the main loop raises it
            self._fault.set(error)
        finally:
            self._fault.finish()

    def _wait_for_listeners(self) -> None:
        deadline = time.monotonic() + self._settings.wait_timeout_s
        while absent := sorted(set(self._settings.wait_for) - self._listeners()):
            if time.monotonic() > deadline:
                self.get_logger().warning(
                    f"playing without {', '.join(absent)}, which did not come in time"
                )
                break
            if self._stop.wait(POLL_S):
                return
        self._stop.wait(self._settings.delay_s)

    def _listeners(self) -> set[str]:
        return {
            info.node_name
            for name, played in self._outputs.items()
            if played is not None
            for info in self.get_subscriptions_info_by_topic(self.resolve_topic_name(name))
        }

    def _began(self, path: Path) -> None:
        self._recorded.clear()
        self._now_playing = path.name
        self.get_logger().info(f"playing {path}")

    def _skip(self, error: EpisodeError) -> None:
        self._failed += 1
        self.get_logger().error(f"left out: {error}")

    def _publish(self, topic: Topic, data: bytes) -> None:
        self._recorded.add(topic.name)
        out = self._publisher_for(topic)
        if out is not None:
            out.publish(data)
        # Raw images for who wants them raw, compressed ones for who wants them so.
        other = self._other_publisher(topic)
        if other is not None and other.get_subscription_count() > 0:
            try:
                other.publish(to_other_form(topic, data))
            except EpisodeError as error:
                self.get_logger().warning(str(error), throttle_duration_sec=5.0)

    def _other_publisher(self, topic: Topic) -> Publisher | None:
        """Return the publisher of images in the form that is not recorded, None for the rest."""
        other = other_form(topic)
        if other is None or other.name in self._recorded or other.name in self._settings.without:
            return None
        return self._publisher_for(other)

    def _tell_time(self, ros_ns: int) -> None:
        if self._clock_out is not None:
            self._clock_out.publish(Clock(clock=stamp(ros_ns)))

    def _see_through(self) -> None:
        """Let subscribers take what is still on its way."""
        for out in self._outputs.values():
            if out is not None and not self._stop.is_set():
                out.wait_for_all_acked(Duration(seconds=ACKNOWLEDGE_S))

    # Health

    def _health(self) -> Health:
        late_s, self._player.late_s = self._player.late_s, 0.0
        return Health(
            level="warn" if self._failed else "ok",
            message=f"playing {self._now_playing}" if self._now_playing else "waiting",
            values={
                "messages": self._player.sent,
                "late [s]": f"{late_s:.3f}",
                "left out": self._failed,
            },
        )

    def close(self) -> None:
        """End the thread before the publishers go."""
        self._stop.set()
        self._thread.join()


def main() -> int:
    """Run the node."""
    return run(ReplayNode)
