"""One run of a verb that leads an arm: the graph's processes, and the source in this one.

The source lives in this process because the keyboard does: nodes have no terminal.
"""

import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import rclpy
from rclpy.logging import LoggingSeverity, set_logger_level
from rclpy.signals import SignalHandlerOptions
from rich.console import Console

from tiltbot_ros.bringup import NodeSpec, Value
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.nodes.running import Fault, make_executor
from tiltbot_ros.nodes.teleop_node import TeleopNode
from tiltbot_ros.supervisor import Ending, Supervisor, graph_environment, last_words
from tiltbot_ros.teleop.source import News

SPIN_S = 0.05
ERASE = "\r\x1b[K"


class LeadingSession:
    """Starts the graph and opens the source on entering, ends both on leaving.

    Args:
        specs: the processes of the graph, but for the source's.
        parameters: of the source's node.
        namespace: of all nodes.
        console: where to print.
        live: show one line that changes instead of many.
        task: what demonstrations show.
        recorded: whether the graph has a recorder of them.
        log_directory: a log file a node is written there; None: a temporary one.
    """

    def __init__(
        self,
        specs: Sequence[NodeSpec],
        *,
        parameters: Mapping[str, Value],
        namespace: str,
        console: Console,
        live: bool,
        task: str = "",
        recorded: bool = False,
        log_directory: Path | None = None,
    ) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="tiltbot-logs-")
        self._supervisor = Supervisor(
            specs, log_directory=log_directory or Path(self._scratch.name), namespace=namespace
        )
        self._parameters = parameters
        self._namespace = namespace
        self._console = console
        self._live = live
        self._task = task
        self._recorded = recorded
        self._shown = ""
        self._interrupted = False
        self._fault = Fault()
        self._node: TeleopNode | None = None

    @property
    def node(self) -> TeleopNode:
        """The node of the source.

        Raises:
            DeviceError: the session has not begun.
        """
        if self._node is None:
            raise DeviceError("expected a session that has begun")
        return self._node

    def __enter__(self) -> Self:
        """Open the source, then start the processes: without a source nothing has to run."""
        os.environ.update(graph_environment())
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        try:
            node = TeleopNode(
                self._fault,
                namespace=self._namespace,
                parameters=self._parameters,
                task=self._task,
                recorded=self._recorded,
            )
            self._node = node
            # What it says is in the line below.
            set_logger_level(node.get_logger().name, LoggingSeverity.FATAL)
            self._executor = make_executor()
            self._executor.add_node(node)
            self._supervisor.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self._console.print(node.source.help, markup=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the arm back, end the processes, and give the terminal back."""
        if self._node is not None:
            self._node.close()
        if self._shown and self._live:
            self._console.file.write("\n")
        self._supervisor.stop()
        if self._node is not None:
            self._node.destroy_node()
        rclpy.try_shutdown()
        self._scratch.cleanup()

    def lead(self) -> int:
        """Follow the source until the person quits; return the exit status.

        Raises:
            DeviceError: a node that is needed has ended.
        """
        before = {
            number: signal.signal(number, self._interrupt)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            while not self._fault.raised.is_set() and not self._interrupted:
                self._executor.spin_once(timeout_sec=SPIN_S)
                for ending in self._supervisor.poll():
                    self._on_ending(ending)
                self._show(self.node.news)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._fault.error is not None:
            raise self._fault.error
        return 130 if self._interrupted else 0

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True

    def _on_ending(self, ending: Ending) -> None:
        words = last_words(ending.log)
        what = f"node '{ending.name}' ended with status {ending.status}:\n{words}"
        if ending.required:
            raise DeviceError(what)
        self._console.print(what, markup=False)

    def _show(self, news: News) -> None:
        clutch = self.node.clutch
        if self._live:
            mark = "● " if news.recording else ""
            line = f"{mark}clutch {clutch}   arm {news.mode}   {news.text}"
            line = line[: max(self._console.width - 1, 20)]
        else:
            words = "recording" if news.recording else news.text
            line = f"clutch {clutch}, arm {news.mode}{': ' if words else ''}{words}"
        if line == self._shown:
            return
        self._shown = line
        if self._live:
            self._console.file.write(ERASE + line)
            self._console.file.flush()
        else:
            self._console.print(line, markup=False, soft_wrap=True)
