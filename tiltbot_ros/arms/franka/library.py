"""Finds franky, and carries out its calls, which may block for ever, on a thread of their own."""

import importlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from tiltbot_ros.errors import MissingDependencyError

T = TypeVar("T")


def load_franky() -> Any:
    """Return the module franky.

    Raises:
        MissingDependencyError: it is not installed, or its libraries do not load.
    """
    try:
        return importlib.import_module("franky")
    except ImportError as error:
        raise MissingDependencyError(
            f"expected franky 2, the library of the Franka arm, but {error}: pip install "
            f"'tiltbot[franka]', or pip install franky-control"
        ) from error


class Line:
    """One thread that carries out one call after another.

    libfranka waits without end for the answer to a request of a controller that
    is connected, but hangs. It also gives the thread that connects, and so the control
    threads started from it, the highest real-time priority; the node's own threads
    must not have that.
    """

    def __init__(self) -> None:
        """Start the thread."""
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="franka", daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], T], *, timeout_s: float) -> T:
        """Carry out a call and return its result.

        Args:
            function: is called on the thread; what it raises is raised here.
            timeout_s: longest wait for its end [s]. After it, the line is good for nothing.

        Raises:
            TimeoutError: there is no end in time.
        """
        done = threading.Event()
        results: list[T] = []
        errors: list[BaseException] = []

        def carry_out() -> None:
            try:
                results.append(function())
            except BaseException as error:  # noqa: BLE001 - raised where it was called
                errors.append(error)
            done.set()

        self._calls.put(carry_out)
        if not done.wait(timeout_s):
            raise TimeoutError
        if errors:
            raise errors[0]
        return results[0]

    def end(self) -> None:
        """Let the thread end after what it does now."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
