"""Training of the forward models, over embeddings that were learned before."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from policy_ros.data.splits import Split
from policy_ros.data.store import Store
from policy_ros.models.checkpoint import save_checkpoint
from policy_ros.models.contract import Origin
from policy_ros.models.dynamics import (
    AudioDynamics,
    BlindDynamics,
    Dynamics,
    ImageDynamics,
    OracleDynamics,
)
from policy_ros.models.zoo import build_model
from policy_ros.training.draws import Draws
from policy_ros.training.dynamics_source import Source, network_of, shapes_of
from policy_ros.training.fitting import fit, started
from policy_ros.training.learner import Learner
from policy_ros.training.preparation import classes_of
from policy_ros.training.probes import Probes
from policy_ros.training.provenance import git_sha
from policy_ros.training.recipe import Recipe
from policy_ros.training.run_folder import Metrics, RunFolder
from policy_ros.training.table import Table, TableModule

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a forward model learns from.

    Attributes:
        table: where objects were, what was done, where they came to be.
        train, validation: rows of the store that may be drawn to tell what an object is like.
        own_rows: the table's rows are the store's, and none is drawn for itself.
        data_hash: digest of all of it.
        path: of the data.
        max_tilt_rad: what an action of 1 is [rad]; None: the actions are no tilts.
        half_side_m: what a location of 1 is [m].
    """

    table: Table
    train: Rows
    validation: Rows
    own_rows: bool
    data_hash: str
    path: Path
    max_tilt_rad: float | None
    half_side_m: float


def train_dynamics(
    recipe: Recipe,
    store: Store,
    split: Split,
    source: Source,
    lesson: Lesson,
    *,
    out: Path,
    seed: int,
    progress: bool,
) -> Metrics:
    """Train a forward model; the object is represented by an interaction with it in the tray.

    It is drawn anew every epoch.

    Args:
        recipe: how.
        store: of the interactions in the tray.
        split: which of them may be heard.
        source: what tells it what objects are like.
        lesson: what it learns from.
        out: folder of the training.
        seed: of weights, order and draws.
        progress: show a bar.

    Returns:
        What was measured.

    Raises:
        ConfigError: the folder is another training's.
    """
    classes = classes_of(store, split)
    objects = store.array("object")[:].astype(np.int64)
    data = TableModule(lesson.table, batch=recipe.schedule.batch, seed=seed)
    prepare = ProbedBatches(
        source.vectors,
        Probes(lesson.train, objects[lesson.train]),
        Probes(lesson.validation, objects[lesson.validation]),
        seed=seed,
        itself=lesson.own_rows,
    )
    model = build_model(
        recipe.model, network_of(recipe, source), shapes_of(source, classes), seed=seed
    )
    assert isinstance(model, Dynamics)  # noqa: S101 - for the type
    _adopt(model, source, lesson.train)
    origin = Origin(
        recipe=recipe.name,
        seed=seed,
        data_hash=lesson.data_hash,
        split=split.name,
        split_hash=split.hash,
        embedding=source.digest,
        git_sha=git_sha(),
    )
    folder = RunFolder(out, started(recipe, origin, lesson.path))

    def save() -> None:
        save_checkpoint(
            folder.checkpoint,
            model,
            classes=classes,
            microphones=source.microphones,
            front_end=source.front_end or store.settings.front_end,
            seconds=store.settings.seconds,
            picture_size=store.settings.picture_size,
            max_tilt_rad=lesson.max_tilt_rad,
            half_side_m=lesson.half_side_m,
            origin=origin,
        )

    learner = Learner(model, recipe, prepare, seed=seed, steps=data.steps)
    with folder:
        return fit(folder, learner, data, save=save, progress=progress)


class ProbedBatches:
    """Adds to a batch the vector of another interaction with the same object.

    In training it is another one every epoch, in validation always the same.

    Args:
        vectors: (rows of the store, features).
        train, validation: what may be drawn for each.
        seed: of the draws.
        itself: the batches are of the store's rows, which must not be drawn for themselves.
    """

    def __init__(
        self, vectors: Tensor, train: Probes, validation: Probes, *, seed: int, itself: bool
    ) -> None:
        self._vectors = vectors
        self._train = train
        self._validation = validation
        self._seed = seed
        self._itself = itself

    def __call__(self, batch: dict[str, Tensor], epoch: int | None) -> dict[str, Tensor]:
        """Return the batch with `embedding` (n, features)."""
        rows = batch["row"].numpy()
        draws = Draws(rows, seed=self._seed, epoch=-1 if epoch is None else epoch)
        probes = self._validation if epoch is None else self._train
        drawn = probes.draw(batch["object"].numpy(), draws, but=rows if self._itself else None)
        return {**batch, "embedding": self._vectors[drawn]}


def _adopt(model: Dynamics, source: Source, rows: Rows) -> None:
    """Give a forward model its source's network, and fit its normalizer on training rows."""
    if source.model is not None and isinstance(model, AudioDynamics):
        model.audio.load_state_dict(source.model.get_submodule("audio").state_dict())
    if source.model is not None and isinstance(model, ImageDynamics):
        model.picture.load_state_dict(source.model.get_submodule("picture").state_dict())
    if not isinstance(model, OracleDynamics | BlindDynamics):
        model.normalizer.fit(source.vectors[torch.from_numpy(rows)])
