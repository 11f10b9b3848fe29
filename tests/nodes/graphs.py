"""Runs real nodes as processes, and one observing node in the test's own."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from tiltbot_ros.bringup import NodeSpec
from tiltbot_ros.nodes.running import make_executor
from tiltbot_ros.nodes.wiring import subscription
from tiltbot_ros.supervisor import Supervisor, last_words
from tiltbot_ros.topics import Topic


class Observer:
    """One node that keeps what it hears; `until` spins it."""

    def __init__(self, topics: Sequence[Topic], namespace: str = "") -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node("observer", context=self.context, namespace=namespace or None)
        self.heard: dict[str, list[Any]] = {topic.name: [] for topic in topics}
        self._kept = [
            subscription(self.node, topic, self.heard[topic.name].append) for topic in topics
        ]
        self.executor = make_executor(self.context)
        self.executor.add_node(self.node)

    def until(
        self, condition: Callable[[], object], timeout_s: float, graph: Supervisor | None = None
    ) -> None:
        """Spin until the condition holds; fail with the nodes' last words when it does not."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                logs = "" if graph is None else words(graph)
                raise AssertionError(f"not within {timeout_s} s{logs}")
            self.executor.spin_once(timeout_sec=0.05)

    def spin(self, seconds: float) -> None:
        """Spin for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.05)

    def result(self, future: Any, timeout_s: float = 10.0) -> Any:
        """Spin until a future is done and return its result."""
        self.until(future.done, timeout_s)
        return future.result()

    def close(self) -> None:
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


def words(graph: Supervisor) -> str:
    logs = graph.log_files()
    return "".join(f"\n--- {name}\n{last_words(log, 20)}" for name, log in logs.items())


@contextlib.contextmanager
def running(
    specs: Sequence[NodeSpec],
    tmp_path: Path,
    *,
    topics: Sequence[Topic] = (),
    namespace: str = "",
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[Supervisor, Observer]]:
    """Run a graph and an observer; end both."""
    graph = Supervisor(
        specs,
        log_directory=tmp_path / f"logs{namespace.replace('/', '_')}",
        namespace=namespace,
        environment=environment,
    )
    graph.start()
    observer = Observer(topics, namespace)
    try:
        yield graph, observer
    finally:
        observer.close()
        graph.stop()
