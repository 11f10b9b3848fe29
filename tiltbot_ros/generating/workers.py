"""Make what a folder lacks, batch by batch, on an engine that does them in parallel."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from tiltbot_ros.generating.batch import BatchReport, Stopped, make_batch
from tiltbot_ros.generating.plan import Batch
from tiltbot_ros.generating.pool import stopped, work_through
from tiltbot_ros.generating.progress import GeneratedFolder, seal
from tiltbot_ros.generating.ray_pool import work_through_on_ray
from tiltbot_ros.rigs import Rig

Engine = Literal["local", "ray"]


def generate(
    folder: GeneratedFolder,
    rig: Rig,
    *,
    workers: int | None = None,
    engine: Engine = "local",
    tell: Callable[[int], None] = lambda _: None,
) -> tuple[BatchReport, ...]:
    """Make what the plan of a folder still lacks; return the reports of all batches.

    On KeyboardInterrupt the workers give their batches up within a second or
    two; finished batches stay. Whichever engine makes a batch, it is the same
    function, and the same bytes.

    Args:
        folder: opened; it stays the caller's to close. For the engine `ray` on
            more than one computer it must be in a file system that they share.
        rig: that the plan was made for.
        workers: batches at a time; None: one, or on Ray as many as there are processors.
        engine: `local`, processes of this computer; `ray`, a Ray cluster.
        tell: told about twice a second how many episodes there are.

    Raises:
        TiltbotError: a batch failed; those that were finished stay.
    """
    left = folder.left()
    if left:
        items = [(batch, folder.workplace(batch)) for batch in left]
        work = partial(_work, rig=rig)

        def ended(item: tuple[Batch, Path], _: None) -> None:
            folder.take(item[0])

        def look() -> None:
            tell(folder.made())

        if engine == "ray":
            work_through_on_ray(work, items, workers=workers, ended=ended, look=look)
        else:
            work_through(work, items, workers=workers or 1, ended=ended, look=look)
    tell(folder.made())
    return folder.reports()


def _work(item: tuple[Batch, Path], *, rig: Rig) -> None:
    batch, place = item
    if stopped():  # a pool hands a worker its next batch ahead of time
        return
    try:
        report = make_batch(batch, rig, place, stopped=stopped)
    except Stopped:
        return
    seal(place, report)
