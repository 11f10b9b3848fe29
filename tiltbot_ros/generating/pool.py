"""Pieces of work in parallel, a process each with one thread; any of them can be given up."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import TypeVar

from tiltbot_ros.errors import RecordingError
from tiltbot_ros.lifeline import end_with_parent

LOOK_S = 0.5
"""How often `look` is called [s]."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LP_NUM_THREADS")
"""One thread each: OpenMP's, BLAS's, and those of Mesa's software renderer."""

_stop: Event | None = None

Item = TypeVar("Item")
Result = TypeVar("Result")


def work_through(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    ended: Callable[[Item, Result], None],
    look: Callable[[], None] = lambda: None,
) -> None:
    """Do every piece of work, in processes that are started afresh.

    Whatever ends this early, KeyboardInterrupt included, lets `stopped` be
    true in the workers, and waits for them.

    Args:
        work: a function of a module, called in a worker.
        items: its arguments, which are pickled.
        workers: processes at a time.
        ended: called here with every item whose work is done, in the order of their ends.
        look: called here about twice a second.

    Raises:
        RecordingError: a worker was killed.
    """
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with (
        _one_thread(),
        ProcessPoolExecutor(
            min(workers, max(1, len(items))),
            mp_context=context,
            initializer=_prepare,
            initargs=(stop,),
        ) as pool,
    ):
        try:
            running: dict[Future[Result], Item] = {pool.submit(work, item): item for item in items}
            while running:
                done, _ = wait(running, timeout=LOOK_S, return_when=FIRST_COMPLETED)
                for future in done:
                    ended(running.pop(future), future.result())
                look()
        except BrokenProcessPool as error:
            raise RecordingError(
                "a worker was killed, perhaps for lack of memory: start again with fewer "
                "--workers; what is finished is kept"
            ) from error
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def stopped() -> bool:
    """Say, in a worker, whether its work is to be given up."""
    return _stop is not None and _stop.is_set()


@contextmanager
def _one_thread() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _prepare(stop: Event) -> None:
    """Begin a worker: it ends on its owner's word, and with its owner."""
    global _stop  # noqa: PLW0603 - a pool has no other way to hand it to its tasks
    _stop = stop
    # Ctrl-C in a terminal reaches every process; the owner says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
