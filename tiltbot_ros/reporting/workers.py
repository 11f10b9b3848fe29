"""Make pictures and sound, a chunk of episodes at a time, by some processes."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from tiltbot_ros.errors import ReportError
from tiltbot_ros.reporting.media import media_of
from tiltbot_ros.reporting.page import chunk_json, data_uri
from tiltbot_ros.reporting.settings import ReportSettings

_AHEAD = 3
"""Chunks that wait for a worker or for the disk, for each worker: what memory is bounded by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkJob:
    """A chunk to be made.

    Attributes:
        number: of the chunk.
        paths: directories of its episodes.
        cover: make the object's small picture of its first readable episode.
    """

    number: int
    paths: tuple[Path, ...]
    cover: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeChunk:
    """A chunk that was made.

    Attributes:
        number: of the chunk.
        block: its media as JSON.
        cover: the object's small picture, a data URI; empty: there is none.
        problems: id and reason of those that could not be read.
    """

    number: int
    block: bytes
    cover: str
    problems: tuple[tuple[str, str], ...]


def make_chunk(job: ChunkJob, settings: ReportSettings) -> MadeChunk:
    """Make a chunk."""
    cover = ""
    found = []
    for path in job.paths:
        media = media_of(path, settings, cover=job.cover and not cover)
        if media.view is not None and media.view.cover:
            cover = data_uri(media.view.cover)
            media = replace(media, view=replace(media.view, cover=None))
        found.append(media)
    return MadeChunk(
        number=job.number,
        block=chunk_json(found),
        cover=cover,
        problems=tuple((media.id, media.problem) for media in found if media.problem),
    )


def make_chunks(
    jobs: Sequence[ChunkJob], settings: ReportSettings, *, workers: int
) -> Iterator[MadeChunk]:
    """Make chunks and yield each as soon as it is made, in any order.

    Args:
        jobs: what is to be made.
        settings: of the report.
        workers: processes; with 1, or one chunk, it is done in this one.

    Raises:
        ReportError: a worker was killed.
    """
    workers = min(workers, len(jobs))
    if workers <= 1:
        yield from (make_chunk(job, settings) for job in jobs)
        return
    left = iter(jobs)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare) as pool:
        running: set[Future[MadeChunk]] = set()
        try:
            while True:
                while len(running) < _AHEAD * workers and (job := next(left, None)) is not None:
                    running.add(pool.submit(make_chunk, job, settings))
                if not running:
                    return
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield future.result()
        except BrokenProcessPool as error:
            raise ReportError(
                "a worker was killed, perhaps for lack of memory: start again with fewer --workers"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _prepare() -> None:
    cv2.setNumThreads(1)
    # Ctrl-C in a terminal reaches every process; the owner says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
