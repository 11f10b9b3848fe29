"""Make pictures and sound, a chunk of episodes at a time, by some processes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2

from tiltbot_ros.generating.pool import stopped, work_through
from tiltbot_ros.reporting.media import media_of
from tiltbot_ros.reporting.page import chunk_json, data_uri
from tiltbot_ros.reporting.settings import ReportSettings


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
    cv2.setNumThreads(1)
    cover = ""
    found = []
    for path in job.paths:
        if stopped():
            break
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
    jobs: Sequence[ChunkJob],
    settings: ReportSettings,
    *,
    workers: int,
    made: Callable[[MadeChunk], None],
) -> None:
    """Make chunks.

    Args:
        jobs: what is to be made.
        settings: of the report.
        workers: processes; with 1, or one chunk, it is done in this one.
        made: called here with each as soon as it is made, in any order.

    Raises:
        RecordingError: a worker was killed.
    """
    if min(workers, len(jobs)) <= 1:
        for job in jobs:
            made(make_chunk(job, settings))
        return
    work_through(
        partial(make_chunk, settings=settings),
        jobs,
        workers=workers,
        ended=lambda _, chunk: made(chunk),
    )
