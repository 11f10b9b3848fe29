"""Training of the tray's forward models (Tilt-Bot, IV-F)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from policy_ros.data.splits import Split
from policy_ros.data.store import Store
from policy_ros.training.dynamics_source import Source
from policy_ros.training.dynamics_training import Lesson, train_dynamics
from policy_ros.training.recipe import Recipe
from policy_ros.training.run_folder import Metrics
from policy_ros.training.table import Table

Rows = npt.NDArray[np.int64]

COLUMNS = ("location_before", "action", "location_after")


def seen_rows(store: Store, rows: Rows) -> Rows:
    """Return those rows whose object was seen before and after."""
    before = store.array("location_before")[rows]
    after = store.array("location_after")[rows]
    return rows[np.isfinite(before).all(1) & np.isfinite(after).all(1)]


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
    objects = torch.from_numpy(store.array("object")[:].astype(np.int64))
    train, validation = split.part("train"), split.part("validation")
    lesson = Lesson(
        table=Table(
            columns={name: torch.from_numpy(store.array(name)[:]) for name in COLUMNS}
            | {"object": objects},
            train=torch.from_numpy(seen_rows(store, train)),
            validation=torch.from_numpy(seen_rows(store, validation)),
        ),
        train=train,
        validation=validation,
        own_rows=True,
        data_hash=store.hash,
        path=store.path,
        max_tilt_rad=store.settings.max_tilt_rad,
        half_side_m=store.settings.half_side_m,
    )
    return train_dynamics(
        recipe, store, split, source, lesson, out=out, seed=seed, progress=progress
    )
