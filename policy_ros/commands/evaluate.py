"""The verb `evaluate`: any checkpoint on any split."""

from pathlib import Path
from typing import Annotated, Literal

import tyro

from tiltbot_ros.commands.output import Column, print_json, print_listing, screen
from tiltbot_ros.commands.usage import UsageError

_Checkpoint = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="CHECKPOINT")]
_Store = Annotated[Path, tyro.conf.arg(metavar="DIR")]


def evaluate(
    checkpoint: _Checkpoint,
    *,
    store: _Store,
    split: str = "set_a",
    part: Literal["train", "validation", "test", "all"] = "test",
    seed: int = 0,
    objects: bool = False,
    json: bool = False,
) -> int:
    """Measure a checkpoint on a part of a split.

    Classification: accuracy over the objects that it knows. Inverse models:
    mean squared error of (ax, ay). Forward models: mean absolute error of the
    components (L1) and mean distance (L2), in units of half the tray's side.

    Args:
        checkpoint: folder of a checkpoint, or of a training
        store: folder of the training store
        split: name of one of the store's splits, or the path of its file
        part: of the split
        seed: of which interaction tells a forward model what an object is like
        objects: tell each object's figures, too
        json: print JSON, for scripts

    Returns:
        0.
    """
    # They import torch; --help must not wait for it.
    import numpy as np  # noqa: PLC0415

    from policy_ros.data.splits import PARTS, read_split  # noqa: PLC0415
    from policy_ros.data.store import Store  # noqa: PLC0415
    from policy_ros.evaluation.evaluating import evaluate as run  # noqa: PLC0415
    from policy_ros.training.run_folder import CHECKPOINT  # noqa: PLC0415

    checkpoint, opened = checkpoint.expanduser(), Store.open(store)
    dealt = read_split(opened, split)
    rows = np.concatenate([dealt.part(name) for name in PARTS if part in (name, "all")])
    if not len(rows):
        raise UsageError(
            f"expected rows in the part '{part}' of the split '{dealt.name}', got none"
        )
    inside = checkpoint / CHECKPOINT
    contract, measures, by_object = run(
        inside if inside.is_dir() else checkpoint, opened, np.sort(rows), seed=seed
    )
    if json:
        print_json(
            {
                "model": contract.model,
                "weights": contract.weights_sha256,
                "data": opened.hash,
                "split": dealt.name,
                "part": part,
                "measures": measures,
                "objects": by_object if objects else None,
            }
        )
        return 0
    screen().print(
        f"{contract.model} {contract.signature} on {part} of {dealt.name} ({opened.hash})",
        markup=False,
    )
    columns = [Column(title=""), Column(title="value", align=">"), Column(title="rows", align=">")]
    listed = [(m.name, f"{m.value:.4f}", str(m.rows)) for m in measures]
    if objects:
        listed += [
            (f"{name}: {m.name}", f"{m.value:.4f}", str(m.rows))
            for name, some in by_object.items()
            for m in some
        ]
    print_listing(columns, listed, {})
    return 0
