"""Training of everything that learns from the store's rows themselves."""

from pathlib import Path

import numpy as np

from policy_ros.data.module import StoreModule
from policy_ros.data.splits import Split
from policy_ros.data.store import Store
from policy_ros.models.checkpoint import save_checkpoint
from policy_ros.models.contract import Origin
from policy_ros.models.embedding import AudioEmbedding, PictureEmbedding
from policy_ros.models.model import MODELS, TiltModel
from policy_ros.models.outside_weights import load_image_weights
from policy_ros.models.zoo import build_model
from policy_ros.training.fitting import fit, started
from policy_ros.training.learner import Learner
from policy_ros.training.preparation import Preparation, classes_of
from policy_ros.training.provenance import git_sha
from policy_ros.training.recipe import Recipe
from policy_ros.training.run_folder import Metrics, RunFolder
from tiltbot_ros.errors import ConfigError

NORMALIZING_ROWS = 1024
"""So many training rows tell mean and deviation."""


def train_on_store(
    recipe: Recipe,
    store: Store,
    split: Split,
    *,
    out: Path,
    seed: int,
    threads: int = 1,
    progress: bool = False,
) -> Metrics:
    """Train a model on a split of a store, or go on where its folder is.

    Args:
        recipe: how.
        store: what it learns from.
        split: which rows.
        out: folder of the training.
        seed: of weights, order and augmentations.
        threads: of PyTorch on the processor.
        progress: show a bar.

    Returns:
        What was measured.

    Raises:
        ConfigError: the recipe does not fit the store, or the folder is another training's.
        ModelError: weights from outside cannot be used.
        StoreError: there is nothing to train or to validate on.
    """
    has_classes = "logits" in MODELS.get(recipe.model).outputs
    classes = classes_of(store, split) if has_classes else ()
    prepare = Preparation(recipe, store, classes, seed=seed)
    data = StoreModule(
        store,
        split,
        prepare.arrays(),
        batch=recipe.schedule.batch,
        seed=seed,
        control="shuffled" if recipe.shuffled else "none",
        picture=recipe.picture,
    )
    if not len(data.parts["validation"]):
        raise ConfigError(
            f"expected rows for validation in the split '{split.name}', found none: a training is "
            "stopped by them"
        )
    model = build_model(recipe.model, recipe.network, prepare.shapes, seed=seed)
    fit_normalizers(model, data, prepare, seed=seed)
    image_weights = ""
    if recipe.image_weights:
        image_weights = load_image_weights(model, Path(recipe.image_weights).expanduser())
    origin = Origin(
        recipe=recipe.name,
        seed=seed,
        data_hash=store.hash,
        split=split.name,
        split_hash=split.hash,
        image_weights=image_weights,
        git_sha=git_sha(),
    )
    manifest = started(recipe, origin, store.path)
    learner = Learner(model, recipe, prepare, seed=seed, steps=data.steps)
    folder = RunFolder(out, manifest)

    def save() -> None:
        save_checkpoint(
            folder.checkpoint,
            model,
            classes=classes,
            microphones=recipe.microphones,
            front_end=prepare.front_end,
            seconds=store.settings.seconds,
            picture_size=store.settings.picture_size,
            max_tilt_rad=store.settings.max_tilt_rad,
            half_side_m=store.settings.half_side_m,
            origin=origin,
        )

    with folder:
        return fit(folder, learner, data, save=save, threads=threads, progress=progress)


def fit_normalizers(
    model: TiltModel, data: StoreModule, prepare: Preparation, *, seed: int
) -> None:
    """Set the normalizers of a model from training rows."""
    dataset = data.parts["train"]
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(dataset))[:NORMALIZING_ROWS]
    batch = prepare(dataset[np.sort(chosen)], None)
    for part in model.modules():
        if isinstance(part, AudioEmbedding):
            part.fit(batch["spectrogram"])
        if isinstance(part, PictureEmbedding):
            part.normalizer.fit(batch["before"])
