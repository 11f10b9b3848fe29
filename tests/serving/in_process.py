"""A node in the process of its test, spun by a thread."""

import contextlib
import threading

import rclpy
from rclpy.signals import SignalHandlerOptions

from tests.nodes.graphs import Observer
from tiltbot_ros.nodes.running import Fault, make_executor


@contextlib.contextmanager
def in_this_process(make, arguments, *, topics=()):
    """Make a node of a fault, and an observer of topics; nothing may end the node."""
    rclpy.init(args=["--ros-args", *arguments], signal_handler_options=SignalHandlerOptions.NO)
    fault = Fault()
    node = make(fault)
    executor, stop = make_executor(), threading.Event()
    executor.add_node(node)

    def spin():
        while not stop.is_set():
            executor.spin_once(timeout_sec=0.05)

    thread = threading.Thread(target=spin)
    thread.start()
    observer = Observer(list(topics))
    try:
        yield node, observer
        assert fault.error is None
    finally:
        stop.set()
        thread.join()
        observer.close()
        node.close()
        node.destroy_node()
        rclpy.shutdown()
