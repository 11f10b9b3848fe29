"""One run of a verb that leads an arm: the graph's processes, and the source in this one.

The source lives in this process because the keyboard does: nodes have no terminal.
"""

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from rclpy.logging import LoggingSeverity, set_logger_level
from rich.console import Console

from tiltbot_ros.bringup import NodeSpec, Value
from tiltbot_ros.commands.command_graph import CommandGraph
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.nodes.running import Fault
from tiltbot_ros.nodes.teleop_node import TeleopNode
from tiltbot_ros.supervisor import Ending
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
        self._graph = CommandGraph(specs, namespace=namespace, log_directory=log_directory)
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
        self._graph.open(self._make_source)
        self._console.print(self.node.source.help, markup=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the arm back, end the processes, and give the terminal back."""
        self._graph.close()
        if self._shown and self._live:
            self._console.file.write("\n")

    def _make_source(self) -> TeleopNode:
        self._node = TeleopNode(
            self._fault,
            namespace=self._namespace,
            parameters=self._parameters,
            task=self._task,
            recorded=self._recorded,
        )
        # What it says is in the line below.
        set_logger_level(self._node.get_logger().name, LoggingSeverity.FATAL)
        return self._node

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
                self._graph.spin(SPIN_S)
                for ending in self._graph.ended():
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
        if ending.required:
            raise DeviceError(str(ending))
        self._console.print(str(ending), markup=False)

    def _show(self, news: News) -> None:
        clutch = self.node.clutch
        arm = f"arm {news.mode}" if news.ready else "coming up"
        if self._live:
            mark = "● " if news.recording else ""
            line = f"{mark}clutch {clutch}   {arm}   {news.text}"
            line = line[: max(self._console.width - 1, 20)]
        else:
            words = "recording" if news.recording else news.text
            line = f"clutch {clutch}, {arm}{': ' if words else ''}{words}"
        if line == self._shown:
            return
        self._shown = line
        if self._live:
            self._console.file.write(ERASE + line)
            self._console.file.flush()
        else:
            self._console.print(line, markup=False, soft_wrap=True)
