"""Work in parallel processes whose results come in the order of the work."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from tiltbot_ros.errors import StoreError
from tiltbot_ros.lifeline import end_with_parent

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 3
"""Pieces of work a worker may be ahead of what is taken."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def in_order(
    work: Callable[[Item], Result], items: Sequence[Item], *, workers: int
) -> Iterator[Result]:
    """Yield the result of every item, in order; with one worker, without a process.

    Workers have one thread each, ignore Ctrl-C, and end with this process.

    Args:
        work: a function of a module.
        items: its arguments; they and the results are pickled.
        workers: processes at a time.

    Raises:
        StoreError: a worker was killed.
    """
    if workers <= 1 or len(items) <= 1:
        yield from map(work, items)
        return
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    pool = ProcessPoolExecutor(
        min(workers, len(items)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare,
    )
    try:
        running: deque[Future[Result]] = deque()
        for item in items:
            running.append(pool.submit(work, item))
            if len(running) > workers * _AHEAD:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    except BrokenProcessPool as error:
        raise StoreError(
            "a worker was killed, perhaps for lack of memory: start again with fewer --workers; "
            "finished shards are kept"
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _prepare() -> None:
    # Ctrl-C in a terminal reaches every process; the owner ends the work.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
