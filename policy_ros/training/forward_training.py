"""Training of the tray's forward models (Tilt-Bot, IV-F)."""

from pathlib import Path

import numpy as np
import torch

from policy_ros.data.splits import Split
from policy_ros.data.store import Store
from policy_ros.models.checkpoint import save_checkpoint
from policy_ros.models.contract import Origin
from policy_ros.models.dynamics import Dynamics
from policy_ros.models.zoo import build_model
from policy_ros.training.dynamics_training import (
    ProbedBatches,
    Source,
    adopt,
    network_of,
    seen_rows,
    shapes_of,
)
from policy_ros.training.fitting import fit, started
from policy_ros.training.learner import Learner
from policy_ros.training.preparation import classes_of
from policy_ros.training.probes import Probes
from policy_ros.training.provenance import git_sha
from policy_ros.training.recipe import Recipe
from policy_ros.training.run_folder import Metrics, RunFolder
from policy_ros.training.table import Table, TableModule


def train_forward(
    recipe: Recipe,
    store: Store,
    split: Split,
    source: Source,
    *,
    out: Path,
    seed: int,
    progress: bool = False,
) -> Metrics:
    """Train a forward model on the rows of a split whose object was seen before and after.

    The object is represented by another interaction with it of the same part,
    drawn anew every epoch.

    Args:
        recipe: how.
        store: what it learns from.
        split: which rows.
        source: what tells it what objects are like.
        out: folder of the training.
        seed: of weights, order and draws.
        progress: show a bar.

    Returns:
        What was measured.

    Raises:
        ConfigError: the folder is another training's.
        ModelError: no row is left to train or to validate on.
    """
    classes = classes_of(store, split)
    objects = store.array("object")[:].astype(np.int64)
    columns = {
        name: torch.from_numpy(store.array(name)[:])
        for name in ("location_before", "action", "location_after")
    }
    train = seen_rows(store, split.part("train"))
    validation = seen_rows(store, split.part("validation"))
    data = TableModule(
        Table(
            columns={**columns, "object": torch.from_numpy(objects)},
            train=torch.from_numpy(train),
            validation=torch.from_numpy(validation),
        ),
        batch=recipe.schedule.batch,
        seed=seed,
    )
    prepare = ProbedBatches(
        source.vectors,
        Probes(split.part("train"), objects[split.part("train")]),
        Probes(split.part("validation"), objects[split.part("validation")]),
        seed=seed,
        itself=True,
    )
    model = build_model(
        recipe.model, network_of(recipe, source), shapes_of(source, classes), seed=seed
    )
    assert isinstance(model, Dynamics)  # noqa: S101 - for the type
    adopt(model, source, split.part("train"))
    origin = Origin(
        recipe=recipe.name,
        seed=seed,
        data_hash=store.hash,
        split=split.name,
        split_hash=split.hash,
        embedding=source.digest,
        git_sha=git_sha(),
    )
    folder = RunFolder(out, started(recipe, origin, store.path))

    def save() -> None:
        save_checkpoint(
            folder.checkpoint,
            model,
            classes=classes,
            microphones=source.microphones,
            front_end=source.front_end or store.settings.front_end,
            seconds=store.settings.seconds,
            picture_size=store.settings.picture_size,
            max_tilt_rad=store.settings.max_tilt_rad,
            half_side_m=store.settings.half_side_m,
            origin=origin,
        )

    learner = Learner(model, recipe, prepare, seed=seed, steps=data.steps)
    with folder:
        return fit(folder, learner, data, save=save, progress=progress)
