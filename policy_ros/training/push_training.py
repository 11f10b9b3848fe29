"""Training of the table's forward models (Tilt-Bot, IV-G)."""

import hashlib
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
from tiltbot_ros.errors import ModelError
from tiltbot_ros.generating.push_set import MANIFEST, PushSet

Rows = npt.NDArray[np.int64]

COLUMNS = ("location_start", "push_start", "push_end", "location_end")
VALIDATION = 0.1
"""Part of each training object's pushes that a training is stopped by."""


def store_objects(pushes: PushSet, store: Store) -> Rows:
    """Return the index in the store of every push's object, (n,).

    Raises:
        ModelError: an object was never in the tray.
    """
    numbers = {entry.name: number for number, entry in enumerate(store.objects)}
    missing = [name for name in pushes.manifest.objects if name not in numbers]
    if missing:
        raise ModelError(
            f"expected interactions in the tray with every pushed object; the store {store.path} "
            f"has none with {', '.join(missing)}"
        )
    lookup = np.array([numbers[name] for name in pushes.manifest.objects], np.int64)
    return lookup[pushes.object]


def usable_pushes(pushes: PushSet, part: Rows) -> Rows:
    """Return those pushes whose object was seen after them."""
    return part[np.isfinite(np.asarray(pushes.location_end)[part]).all(1)]


def deal(pushes: PushSet) -> tuple[Rows, Rows]:
    """Return the training objects' pushes, to learn from and to stop by."""
    rows = usable_pushes(pushes, pushes.rows("train"))
    number = np.asarray(pushes.number)[rows]
    # Every tenth of each object's: the same for all, and of all objects.
    held = number % round(1 / VALIDATION) == 0
    return rows[~held], rows[held]


def push_columns(pushes: PushSet, store: Store) -> dict[str, torch.Tensor]:
    """Return the pushes as tensors by name, `object` as the store numbers it."""
    columns = {
        name: torch.from_numpy(np.array(getattr(pushes, name), np.float32)) for name in COLUMNS
    }
    return {**columns, "object": torch.from_numpy(store_objects(pushes, store))}


def train_pushing(
    recipe: Recipe,
    store: Store,
    split: Split,
    pushes: PushSet,
    source: Source,
    *,
    out: Path,
    seed: int,
    progress: bool = False,
) -> Metrics:
    """Train a pushing model on the pushes of the training objects.

    The object is represented by an interaction with it in the tray, drawn anew
    every epoch from the split's training rows.

    Args:
        recipe: how.
        store: of the interactions in the tray.
        split: which of them may be heard.
        pushes: what it learns from.
        source: what tells it what objects are like.
        out: folder of the training.
        seed: of weights, order and draws.
        progress: show a bar.

    Returns:
        What was measured.

    Raises:
        ConfigError: the folder is another training's.
        ModelError: a pushed object was never in the tray, or no push is left.
    """
    train, validation = deal(pushes)
    heard = np.concatenate((split.part("train"), split.part("validation")))
    manifest = (pushes.path / MANIFEST).read_bytes()
    lesson = Lesson(
        table=Table(
            columns=push_columns(pushes, store),
            train=torch.from_numpy(train),
            validation=torch.from_numpy(validation),
        ),
        train=heard,
        validation=heard,
        own_rows=False,
        data_hash=f"{store.hash}+{hashlib.sha256(manifest).hexdigest()[:16]}",
        path=pushes.path,
        max_tilt_rad=None,
        half_side_m=pushes.manifest.half_side_m,
    )
    return train_dynamics(
        recipe, store, split, source, lesson, out=out, seed=seed, progress=progress
    )
