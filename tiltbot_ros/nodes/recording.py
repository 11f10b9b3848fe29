"""What the nodes that record have in common: raw streams in, and what their folder was left as."""

from collections.abc import Iterable
from functools import partial
from typing import Protocol

from rclpy.node import Node
from rclpy.subscription import Subscription

from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.nodes.wiring import clock_ns, subscription
from tiltbot_ros.session import Stream


class Recorder(Protocol):
    """Takes the messages of recorded topics."""

    def on_message(self, name: str, data: bytes, receive_ns: int, /) -> None:
        """Take a raw message of a topic, by its full name."""

    def on_lost(self, name: str, count: int, now_ns: int, /) -> None:
        """Note that the transport lost messages of a topic."""


def record_streams(node: Node, streams: Iterable[Stream], recorder: Recorder) -> list[Subscription]:
    """Subscribe a node raw to what is recorded, and hand it to the recorder with its time."""

    def take(name: str, data: bytes) -> None:
        recorder.on_message(name, data, clock_ns(node))

    def lose(name: str, count: int) -> None:
        recorder.on_lost(name, count, clock_ns(node))

    return [
        subscription(
            node,
            stream.topic,
            partial(take, stream.recorded.name),
            raw=True,
            lost=partial(lose, stream.recorded.name),
        )
        for stream in streams
    ]


def log_opening(node: Node, folder: DataFolder, entries: str) -> None:
    """Log where a node records to, and what a killed recorder had left there.

    Args:
        node: that records.
        folder: just opened.
        entries: what it holds, in the plural.
    """
    log = node.get_logger()
    log.info(f"recording {entries} into {folder.path}")
    if folder.swept:
        log.warning(f"removed unfinished {entries}: {', '.join(folder.swept)}")
    if folder.recovered:
        log.info(f"recovered finished {entries}: {', '.join(folder.recovered)}")
