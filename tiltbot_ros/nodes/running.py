"""How every node of tiltbot starts, fails and ends."""

import os
import signal
import sys
import threading
from collections.abc import Callable

import rclpy
from rclpy.context import Context
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.lifeline import watch

try:
    from rclpy.experimental import EventsExecutor
except ImportError:  # a release of ROS 2 without it
    EventsExecutor = None

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_BAD_CONFIGURATION = 2


class Fault:
    """Where a thread of a node says that the process must end, and why."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.raised = threading.Event()

    def set(self, error: BaseException) -> None:
        """Keep the first error and wake the main loop."""
        if self.error is None:
            self.error = error
        self.raised.set()

    def finish(self) -> None:
        """Wake the main loop: the node has done its work, or has failed before."""
        self.raised.set()


def make_executor(context: Context | None = None) -> Executor:
    """Return the executor that costs least; `context` as of rclpy.

    On 400 messages a second the events executor needs about a third of the
    processor time of the single-threaded one (benchmarks/executors.py). Both
    run callbacks one at a time, so long ones are coroutines.
    """
    kind = SingleThreadedExecutor if EventsExecutor is None else EventsExecutor
    return kind(context=context)


def close(node: Node) -> None:
    """Call a node's own `close`, if it has one; ROS has to be up still."""
    own = getattr(node, "close", None)
    if own is not None:
        own()


def run(make_node: Callable[[Fault], Node], *, niceness: int = 0) -> int:
    """Run one node until it is told to stop; return the exit status.

    SIGINT and SIGTERM both end it in order, and so does the end of the
    supervisor that started it: the node's `close` is called while ROS is
    still up. An error that tiltbot raises on purpose is logged
    without a traceback.
    """
    os.nice(niceness)
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    watch(stop.set)
    fault = Fault()
    node: Node | None = None
    status = EXIT_OK
    try:
        node = make_node(fault)
        executor = make_executor()
        executor.add_node(node)
        while not stop.is_set() and not fault.raised.is_set():
            executor.spin_once(timeout_sec=0.2)
        if fault.error is not None:
            raise fault.error
    except ExternalShutdownException:
        pass
    except TiltbotError as error:
        name = node.get_name() if node else "tiltbot"
        get_logger(name).fatal(str(error))
        status = EXIT_FAILED if node else EXIT_BAD_CONFIGURATION
    finally:
        if node is not None:
            close(node)
            node.destroy_node()
        rclpy.try_shutdown()
    return status
