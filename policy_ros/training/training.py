"""The one way to train any model by its recipe."""

from pathlib import Path

from policy_ros.data.splits import Split
from policy_ros.data.store import Store
from policy_ros.models.model import MODELS
from policy_ros.training.dynamics_source import is_dynamics, open_source
from policy_ros.training.embedding_training import train_on_store
from policy_ros.training.forward_training import train_forward
from policy_ros.training.preparation import classes_of
from policy_ros.training.push_training import train_pushing
from policy_ros.training.recipe import Recipe
from policy_ros.training.run_folder import Metrics
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.generating.push_set import PushSet


def train(
    recipe: Recipe,
    store: Store,
    split: Split,
    *,
    out: Path,
    seed: int,
    embedding: Path | None = None,
    pushes: Path | None = None,
    threads: int = 1,
    progress: bool = False,
) -> Metrics:
    """Train the model of a recipe, or go on where its folder is.

    Args:
        recipe: how.
        store: what it learns from.
        split: which rows.
        out: folder of the training.
        seed: of everything random.
        embedding: checkpoint under a forward or pushing model.
        pushes: pushing data set of a pushing model.
        threads: of PyTorch on the processor.
        progress: show a bar.

    Returns:
        What was measured.

    Raises:
        ConfigError: something is missing, given in vain, or does not go together.
        FormatError: the pushes cannot be read.
        ModelError: the embedding's checkpoint cannot be used.
        StoreError: there is nothing to train or to validate on.
    """
    pushing = "location_end" in MODELS.get(recipe.model).outputs
    if pushing != (pushes is not None):
        raise ConfigError(
            f"expected --pushes DIR for the model '{recipe.model}'"
            if pushing
            else f"expected no --pushes for the model '{recipe.model}'"
        )
    if not is_dynamics(recipe.model):
        if embedding is not None:
            raise ConfigError(f"expected no --embedding for the model '{recipe.model}'")
        return train_on_store(
            recipe, store, split, out=out, seed=seed, threads=threads, progress=progress
        )
    source = open_source(recipe, store, embedding, classes_of(store, split))
    if pushes is None:
        return train_forward(recipe, store, split, source, out=out, seed=seed, progress=progress)
    data = PushSet.open(pushes)
    return train_pushing(recipe, store, split, data, source, out=out, seed=seed, progress=progress)
