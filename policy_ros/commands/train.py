"""The verb `train`: a recipe, a store, a split, a run folder."""

from pathlib import Path
from typing import Annotated

import tyro

from tiltbot_ros.commands.output import remarks, screen
from tiltbot_ros.commands.usage import UsageError

_Dir = Annotated[Path, tyro.conf.arg(metavar="DIR")]
_Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")]
_Changes = Annotated[
    tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="SETTING=VALUE")
]


def train(
    *,
    store: _Dir,
    out: _Dir,
    recipe: str = "tiltbot",
    split: str = "set_a",
    seed: int = 0,
    set: _Changes = (),  # noqa: A002 - the option's name
    embedding: _Folder = None,
    pushes: _Folder = None,
    threads: int = 1,
    export: bool = False,
) -> int:
    """Train a model by a recipe, on a split of a training store.

    The folder gets the resolved recipe, the manifest, TensorBoard's events,
    the metrics and the best checkpoint. Started again after Ctrl-C or a kill,
    it goes on where it was. On several processors or machines:
    `torchrun --nproc-per-node 2 --no-python tiltbot train ...`.
    docs/learning.md describes recipes and run folders.

    Args:
        store: folder of the training store
        out: folder of the training; new, or one that the same options began
        recipe: name of a recipe (config/recipes) or the path of a YAML file
        split: name of one of the store's splits, or the path of its file
        seed: of everything random
        set: change a setting of the recipe, such as inverse_weight=0.1; repeat it for more
        embedding: checkpoint that tells a forward or pushing model what objects are like
        pushes: pushing data set of a pushing model
        threads: of PyTorch on the processor
        export: write the checkpoint for ONNX Runtime, too

    Returns:
        0, or 130 after Ctrl-C.
    """
    if seed < 0 or threads < 1:
        raise UsageError(f"expected --seed 0 or more and --threads above 0, got {seed}, {threads}")
    # They import torch and Lightning; the check above must not wait for them.
    from policy_ros.data.splits import read_split  # noqa: PLC0415
    from policy_ros.data.store import Store  # noqa: PLC0415
    from policy_ros.training.processes import processes  # noqa: PLC0415
    from policy_ros.training.recipe import load_recipe  # noqa: PLC0415
    from policy_ros.training.training import train as run  # noqa: PLC0415

    chosen = load_recipe(recipe, set)
    opened = Store.open(store)
    out = out.expanduser()
    first = processes()[1] == 0
    try:
        metrics = run(
            chosen,
            opened,
            read_split(opened, split),
            out=out,
            seed=seed,
            embedding=embedding.expanduser() if embedding is not None else None,
            pushes=pushes.expanduser() if pushes is not None else None,
            threads=threads,
            progress=first and remarks().is_terminal,
        )
    except KeyboardInterrupt:
        if first:
            remarks().print(
                f"stopped; finished epochs are kept in {out}, the same command goes on",
                markup=False,
                soft_wrap=True,
            )
        raise
    if not first:
        return 0
    told = screen()
    for name, value in metrics.best.items():
        if name.startswith("validation/"):
            told.print(f"{name.removeprefix('validation/'):24} {value:.4f}", markup=False)
    told.print(
        f"checkpoint of epoch {metrics.best_epoch} of {len(metrics.epochs)}, after "
        f"{metrics.seconds_to_best:.0f} s; {metrics.samples_per_s:.0f} samples/s, "
        f"{100 * metrics.waiting:.1f} % of it waiting for data\ncheckpoint: {out / 'checkpoint'}",
        markup=False,
    )
    if export:
        from policy_ros.serving.export import export as to_onnx  # noqa: PLC0415

        difference = to_onnx(out / "checkpoint")
        told.print(f"exported to ONNX; it differs by {difference:.1e} at most", markup=False)
    return 0
