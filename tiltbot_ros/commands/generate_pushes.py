"""The verb `generate-pushes`: the table-top pushing data set, in simulation."""

import os
import time
from pathlib import Path
from typing import Annotated

import tyro

from tiltbot_ros.commands.output import remarks, screen
from tiltbot_ros.commands.progress import counting_bar
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.wording import counted

_Count = Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")]


def generate_pushes(
    *,
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    pushes: int = 1000,
    seed: int = 0,
    workers: _Count = None,
    pixels: int = 128,
) -> int:
    """Push 10 + 10 objects over a simulated table: a data set for forward models.

    Each push says where the object was seen before and after, and where the
    stick began and ended. The same options give the same bytes, however many
    workers there are. Started again after Ctrl-C or a kill, it goes on.

    Args:
        out: folder of the data set; new, or one that the same options began
        pushes: of all objects together
        seed: of everything random
        workers: processes at a time; as many as there are processors
        pixels: side of the pictures that are kept

    Returns:
        0, or 130 after Ctrl-C.
    """
    if pushes < 1 or seed < 0 or (workers is not None and workers < 1) or not 16 <= pixels <= 320:
        raise UsageError(
            "expected --pushes and --workers above 0, --seed 0 or more and --pixels 16 .. 320, "
            f"got {pushes}, {workers}, {seed} and {pixels}"
        )
    # They import MuJoCo; the checks above must not wait for it.
    from tiltbot_ros.generating.push_folder import PushFolder  # noqa: PLC0415
    from tiltbot_ros.generating.push_plan import make_push_plan  # noqa: PLC0415
    from tiltbot_ros.generating.pushes import generate_pushes as make  # noqa: PLC0415

    plan = make_push_plan(pushes=pushes, seed=seed, picture_pixels=pixels)
    began = time.monotonic()
    folder = PushFolder(out.expanduser(), plan)
    console = remarks()
    try:
        before = folder.made()
        with counting_bar("pushes", console) as bar:
            task = bar.add_task("", total=pushes, completed=before)
            made = make(
                folder,
                workers=workers or len(os.sched_getaffinity(0)),
                tell=lambda count: bar.update(task, completed=count),
            )
    except KeyboardInterrupt:
        console.print(
            f"stopped; finished batches are kept in {out}, the same command goes on",
            markup=False,
            soft_wrap=True,
        )
        raise
    finally:
        folder.close()
    facts = made.manifest.statistics
    screen().print(
        f"{len(made)} pushes of {counted(len(made.manifest.objects), 'object')} in {out}; moved by "
        f"{1000 * facts['moved_mean_m']:.0f} mm in the mean, {facts['not_seen_after']:.0f} not "
        f"seen afterwards; {len(made) - before} made in {time.monotonic() - began:.0f} s",
        markup=False,
    )
    return 0
