"""The same pieces of work on a Ray cluster: a local one, or that of RAY_ADDRESS."""

import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tiltbot_ros.errors import MissingDependencyError, RecordingError, TiltbotError
from tiltbot_ros.generating.pool import LOOK_S, THREADS, Item, Result

_ADDRESS = "RAY_ADDRESS"
_KNOCK_S = 10.0
_OBJECT_STORE_BYTES = 100_000_000


def work_through_on_ray(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int | None,
    ended: Callable[[Item, Result], None],
    look: Callable[[], None] = lambda: None,
) -> None:
    """Do every piece of work as a task of Ray with one processor; see `pool.work_through`.

    Without the variable RAY_ADDRESS a local Ray is started and stopped again.
    Tasks under way when this ends early are killed.

    Args:
        work: a function of a module that every node of the cluster has installed.
        items: its arguments, which are pickled.
        workers: tasks at a time; None: as many as the cluster has processors.
        ended: called here with every item whose work is done, in the order of their ends.
        look: called here about twice a second.

    Raises:
        MissingDependencyError: Ray is not installed.
        RecordingError: there is no such cluster, or a task was killed.
    """
    ray = _import_ray()
    _connect(ray, workers)
    try:
        at_once = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))

        def call(item: Item) -> Result:  # a task must be a function, and no other callable
            return work(item)

        task = ray.remote(num_cpus=1, max_retries=0)(call)
        waiting = list(reversed(items))
        running: dict[Any, Item] = {}
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    item = waiting.pop()
                    running[task.remote(item)] = item
                done, _ = ray.wait(list(running), num_returns=1, timeout=LOOK_S)
                for reference in done:
                    ended(running.pop(reference), _result(ray, reference))
                look()
        finally:
            for reference in running:
                ray.cancel(reference, force=True)
    finally:
        ray.shutdown()


def _import_ray() -> Any:
    try:
        import ray  # noqa: PLC0415 - only who asks for it needs it
    except ImportError as error:
        raise MissingDependencyError(
            "expected Ray for the engine 'ray', but it is not installed: "
            "pip install 'tiltbot[ray]', or choose the engine 'local'"
        ) from error
    return ray


def _connect(ray: Any, workers: int | None) -> None:
    one_thread = dict.fromkeys(THREADS, "1")
    quiet = {"log_to_driver": False, "logging_level": "error", "ignore_reinit_error": True}
    address = os.environ.get(_ADDRESS)
    try:
        if address:
            _knock(address)
            ray.init(address=address, runtime_env={"env_vars": one_thread}, **quiet)
            return
        # Nothing outside this computer is to be told of it.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        path = os.pathsep.join(part for part in sys.path if part)
        ray.init(
            address="local",
            num_cpus=workers,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
            runtime_env={"env_vars": {**one_thread, "PYTHONPATH": path}},
            **quiet,
        )
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        where = f"at {_ADDRESS}={address}" if address else "on this computer"
        raise RecordingError(f"expected a Ray cluster {where}, got none: {error}") from error


def _knock(address: str) -> None:
    """See that somebody is there: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_KNOCK_S).close()


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, TiltbotError):
            raise error.cause from None
        raise RecordingError(f"a task of Ray failed: {error}") from error
    except ray.exceptions.RayError as error:
        raise RecordingError(
            f"a task of Ray was killed, perhaps for lack of memory: start again with fewer "
            f"--workers; what is finished is kept ({error})"
        ) from error
