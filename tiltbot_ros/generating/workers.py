"""Make batches in parallel, a process each with one thread."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from pathlib import Path

from tiltbot_ros.errors import RecordingError
from tiltbot_ros.generating.batch import BatchReport, Stopped, make_batch
from tiltbot_ros.generating.plan import Batch
from tiltbot_ros.generating.progress import GeneratedFolder, seal
from tiltbot_ros.rigs import Rig

_LOOK_S = 0.5
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LP_NUM_THREADS")
"""One thread each: OpenMP's, BLAS's, and those of Mesa's software renderer."""

_stop: Event | None = None


def generate(
    folder: GeneratedFolder,
    rig: Rig,
    *,
    workers: int = 1,
    tell: Callable[[int], None] = lambda _: None,
) -> tuple[BatchReport, ...]:
    """Make what the plan of a folder still lacks; return the reports of all batches.

    On KeyboardInterrupt the workers give their batches up within a second or
    two; finished batches stay.

    Args:
        folder: opened; it stays the caller's to close.
        rig: that the plan was made for.
        workers: processes at a time.
        tell: told about twice a second how many episodes there are.

    Raises:
        TiltbotError: a batch failed; those that were finished stay.
    """
    left = folder.left()
    if left:
        _make(folder, rig, left, workers=min(workers, len(left)), tell=tell)
    tell(folder.made())
    return folder.reports()


def _make(
    folder: GeneratedFolder,
    rig: Rig,
    left: tuple[Batch, ...],
    *,
    workers: int,
    tell: Callable[[int], None],
) -> None:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        with ProcessPoolExecutor(
            workers, mp_context=context, initializer=_prepare, initargs=(stop,)
        ) as pool:
            try:
                running: dict[Future[None], Batch] = {
                    pool.submit(_work, batch, rig, folder.workplace(batch)): batch for batch in left
                }
                while running:
                    ended, _ = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                    for future in ended:
                        future.result()
                        folder.take(running.pop(future))
                    tell(folder.made())
            except BrokenProcessPool as error:
                raise RecordingError(
                    f"{folder.path}: a worker was killed, perhaps for lack of memory: start again "
                    f"with fewer --workers; finished batches are kept"
                ) from error
            finally:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
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
    threading.Thread(target=_end_with_owner, daemon=True).start()


def _end_with_owner() -> None:
    owner = multiprocessing.parent_process()
    if owner is not None:
        owner.join()
        os._exit(1)


def _work(batch: Batch, rig: Rig, place: Path) -> None:
    def stopped() -> bool:
        return _stop is not None and _stop.is_set()

    if stopped():  # the pool hands a worker its next batch ahead of time
        return
    try:
        report = make_batch(batch, rig, place, stopped=stopped)
    except Stopped:
        return
    seal(place, report)
