"""What a verb runs: the processes of a graph, and a node of its own beside them."""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from tiltbot_ros.bringup import NodeSpec
from tiltbot_ros.nodes.running import close, make_executor
from tiltbot_ros.supervisor import Ending, Supervisor, graph_environment


class CommandGraph:
    """The processes of a graph and one node in this process, begun and ended together.

    Args:
        specs: the processes.
        namespace: of all nodes.
        log_directory: a log file a node is written there; None: a temporary one.
    """

    def __init__(
        self, specs: Sequence[NodeSpec], *, namespace: str, log_directory: Path | None = None
    ) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="tiltbot-logs-")
        self.logs = log_directory or Path(self._scratch.name)
        self._supervisor = Supervisor(specs, log_directory=self.logs, namespace=namespace)
        self._node: Node | None = None

    def open(self, make_node: Callable[[], Node]) -> None:
        """Make the node, then start the processes; when either fails, end what has begun."""
        os.environ.update(graph_environment())
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        try:
            self._node = make_node()
            self._executor = make_executor()
            self._executor.add_node(self._node)
            self._supervisor.start()
        except BaseException:
            self.close()
            raise

    def spin(self, timeout_s: float) -> None:
        """Let the node do one thing, or wait for one."""
        self._executor.spin_once(timeout_sec=timeout_s)

    def ended(self) -> list[Ending]:
        """Return which processes have ended since this was asked last."""
        return self._supervisor.poll()

    def close(self) -> None:
        """End the node's own work, then the processes, then the node."""
        if self._node is not None:
            close(self._node)
        self._supervisor.stop()
        if self._node is not None:
            self._node.destroy_node()
        rclpy.try_shutdown()
        self._scratch.cleanup()
