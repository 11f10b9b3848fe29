"""The verb `generate`: simulated collection faster than real time."""

import os
import time
from pathlib import Path
from typing import Annotated, Literal

import tyro

from tiltbot_ros.commands.output import remarks, screen
from tiltbot_ros.commands.progress import counting_bar
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.wording import counted

DEFAULT_OBJECTS = ("005_tomato_soup_can", "025_mug")

_Set = Annotated[
    Literal["A", "B", "all"] | None,
    tyro.conf.arg(metavar="{A,B,all}", help_behavior_hint=""),
]
_Count = Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")]
_Names = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="NAME")]


def generate(
    *,
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    rig: str = "sim",
    object: _Names = (),  # noqa: A002 - the option's name
    set: _Set = None,  # noqa: A002 - the option's name
    episodes: int = 5,
    video: bool = False,
    workers: _Count = None,
    engine: Literal["local", "ray"] = "local",
    seed: int = 0,
) -> int:
    """Generate episodes in simulation, faster than real time and without ROS 2.

    They are what `tiltbot collect` records on the simulated rig. The same
    options give the same bytes, however many workers there are. Started again
    after Ctrl-C or a kill, it goes on where it was.

    Args:
        out: folder that the episodes go to; new, or one that the same options began
        rig: name of a simulated rig (config/rigs) or the path of a YAML file
        object: object in the tray; repeat it for more than one
        set: instead of --object: the objects of set A, of set B, or all
        episodes: so many of each object
        video: keep every picture of the 6 a second, not only those before and after the tilt
        workers: batches at a time; as many as there are processors
        engine: 'local', processes of this computer, or 'ray', a Ray cluster: that of the variable
            RAY_ADDRESS, or a local one
        seed: of everything random

    Returns:
        0, 130 after Ctrl-C, or 1 when an object gave too few episodes or flagged ones.
    """
    if episodes < 1 or seed < 0 or (workers is not None and workers < 1):
        raise UsageError(
            f"expected --episodes and --workers above 0 and --seed 0 or more, got {episodes}, "
            f"{workers} and {seed}"
        )
    if object and set is not None:
        raise UsageError("expected --object or --set, got both")
    # They import MuJoCo; the checks above must not wait for it.
    from tiltbot_ros.generating.plan import generated_rig, make_plan  # noqa: PLC0415
    from tiltbot_ros.generating.progress import GeneratedFolder  # noqa: PLC0415
    from tiltbot_ros.generating.workers import generate as make  # noqa: PLC0415
    from tiltbot_ros.rigs import load_rig  # noqa: PLC0415

    chosen = generated_rig(load_rig(rig), video=video)
    names = object or _members(set)
    plan = make_plan(chosen, names, episodes=episodes, seed=seed)
    began = time.monotonic()
    folder = GeneratedFolder(out.expanduser(), plan)
    console = remarks()
    try:
        before = folder.made()
        with counting_bar("episodes", console) as bar:
            task = bar.add_task("", total=plan.total, completed=before)
            reports = make(
                folder,
                chosen,
                workers=workers or (len(os.sched_getaffinity(0)) if engine == "local" else None),
                engine=engine,
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
    made = sum(len(report.episodes) for report in reports)
    clean = sum(report.clean for report in reports)
    told = screen()
    for report in reports:
        if report.reason:
            told.print(f"{report.object}: {report.reason}", markup=False)
    told.print(
        f"{counted(made, 'episode')} in {out}, {clean} of them clean; {made - before} made in "
        f"{time.monotonic() - began:.0f} s",
        markup=False,
    )
    return 0 if made == clean == plan.total else 1


def _members(name: Literal["A", "B", "all"] | None) -> tuple[str, ...]:
    from tiltbot_ros.worlds.objects import ObjectCatalogue  # noqa: PLC0415 - it imports MuJoCo

    catalogue = ObjectCatalogue.load()
    if name is None:
        return DEFAULT_OBJECTS
    if name == "all":
        return catalogue.names
    return tuple(spec.name for spec in catalogue.sets[name])
