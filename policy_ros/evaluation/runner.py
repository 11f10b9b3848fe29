"""Runs the trainings of a study, some at a time; what is done is not done again."""

import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from policy_ros.data.splits import read_split
from policy_ros.data.store import Store
from policy_ros.evaluation.answering import ANSWERS, answer_job
from policy_ros.evaluation.study import Job
from policy_ros.training.run_folder import CHECKPOINT, METRICS
from policy_ros.training.training import train
from tiltbot_ros.lifeline import end_with_parent

RUNS = "runs"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a study's data is, and where its trainings go.

    Attributes:
        store: folder of the training store.
        pushes: folder of the pushing data set, or None.
        out: folder of the study.
    """

    store: Path
    pushes: Path | None
    out: Path

    def folder(self, job: Job) -> Path:
        """Return the folder of a training."""
        return self.out / RUNS / job.name


def done(place: Place, job: Job) -> bool:
    """Whether a training and its answers are there; `run` also checks that they are this one's."""
    folder = place.folder(job)
    return (folder / METRICS).is_file() and (folder / ANSWERS).is_file()


def run(place: Place, job: Job) -> float:
    """Train a job's model unless that has been done, and have it answer; return the seconds.

    Raises:
        ConfigError: its folder is that of another training.
    """
    began = time.monotonic()
    store = Store.open(place.store)
    source = place.out / RUNS / f"{job.source}_seed{job.seed}"
    train(
        job.recipe,
        store,
        read_split(store, job.split),
        out=place.folder(job),
        seed=job.seed,
        embedding=source / CHECKPOINT if job.source else None,
        pushes=place.pushes if job.pushing else None,
    )
    answer_job(place.folder(job), store, place.pushes if job.pushing else None, seed=job.seed)
    return time.monotonic() - began


def run_all(
    place: Place,
    jobs: Iterable[Job],
    *,
    workers: int,
    tell: Callable[[Job, float], None],
) -> None:
    """Run jobs, each after the one that it builds on.

    Args:
        place: where.
        jobs: in an order in which sources come first.
        workers: processes at a time, each with one thread; 1: this process.
        tell: called after each job, with its seconds.
    """
    left = list(jobs)
    if workers == 1:
        for job in left:
            tell(job, run(place, job))
        return
    # Spawned: a fork of a process that has run PyTorch may hang.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_prepare) as pool:
        running: dict[Future[float], Job] = {}
        waiting = list(left)
        try:
            while waiting or running:
                busy = {(job.group, job.seed) for job in (*waiting, *running.values())}
                ready = [job for job in waiting if (job.source, job.seed) not in busy]
                for job in ready[: workers - len(running)]:
                    running[pool.submit(run, place, job)] = job
                    waiting.remove(job)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    tell(running.pop(future), future.result())
        except BaseException:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001 - no other way
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _prepare() -> None:
    end_with_parent()
    logging.getLogger("lightning").setLevel(logging.ERROR)
