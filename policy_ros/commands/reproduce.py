"""The verb `reproduce`: a paper's experiments, from the store to a report."""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tiltbot_ros.commands.output import remarks, screen
from tiltbot_ros.commands.usage import UsageError

_Paper = Annotated[Literal["tiltbot"], tyro.conf.Positional, tyro.conf.arg(metavar="{tiltbot}")]
_Dir = Annotated[Path, tyro.conf.arg(metavar="DIR")]
_Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")]
_File = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")]


def reproduce(
    paper: _Paper,
    *,
    store: _Dir,
    out: _Dir,
    pushes: _Folder = None,
    seeds: int = 3,
    workers: int = 2,
    image_weights: _File = None,
    precision: Literal["float32", "bfloat16"] = "float32",
    quick: bool = False,
) -> int:
    """Reproduce a paper's experiments: train everything, write a report beside its figures.

    `tiltbot`: Gandhi et al., "Swoosh! Rattle! Thump!", sections IV A to G.
    Every training is a folder in OUT/runs; what is done is not done again.
    OUT/report gets Markdown, pictures and a manifest. docs/learning.md
    describes the study.

    Args:
        paper: which one
        store: folder of the training store
        out: folder of the study
        pushes: pushing data set (`tiltbot generate-pushes`); without it the section on pushing
            is left out
        seeds: so many of each training
        workers: trainings at a time, each in a process with one thread
        image_weights: ResNet-18 weights with torchvision's names (.pth, .safetensors) for the
            image features; without them a network is trained for those
        precision: of products and convolutions in training; bfloat16 is faster where the
            processor has it
        quick: small networks and few epochs, to see that everything works

    Returns:
        0, or 130 after Ctrl-C.
    """
    if seeds < 1 or workers < 1:
        raise UsageError(f"expected --seeds and --workers above 0, got {seeds} and {workers}")
    # They import torch and Lightning; the check above must not wait for them.
    from policy_ros.evaluation.reproducing import reproduce as run  # noqa: PLC0415
    from policy_ros.evaluation.runner import Place  # noqa: PLC0415

    assert paper == "tiltbot"  # noqa: S101 - tyro has checked it
    console = remarks()
    place = Place(
        store=store.expanduser(),
        pushes=pushes.expanduser() if pushes is not None else None,
        out=out.expanduser(),
    )
    try:
        with Progress(
            TextColumn("trainings"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        ) as bar:
            task = bar.add_task("", total=None)
            report = run(
                place,
                seeds=seeds,
                quick=quick,
                workers=workers,
                image_weights=image_weights.expanduser() if image_weights is not None else None,
                precision=precision,
                tell=lambda text: console.print(text, markup=False, soft_wrap=True),
                step=lambda count, total: bar.update(task, completed=count, total=total),
            )
    except KeyboardInterrupt:
        console.print(
            f"stopped; finished epochs are kept in {out}, the same command goes on",
            markup=False,
            soft_wrap=True,
        )
        raise
    screen().print(f"report: {report}", markup=False)
    return 0
