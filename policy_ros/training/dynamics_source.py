"""What tells a forward model what objects are like: embeddings that were learned before."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from policy_ros.data.store import Store
from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.models.contract import Contract
from policy_ros.models.dynamics import AudioDynamics, Dynamics, ImageDynamics, OracleDynamics
from policy_ros.models.model import MODELS, TiltModel
from policy_ros.models.settings import ModelSettings, Shapes
from policy_ros.signals.settings import FrontEndSettings
from policy_ros.training.predicting import predict, preparation_of
from policy_ros.training.recipe import Recipe
from tiltbot_ros.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Source:
    """What tells a forward model what objects are like.

    Attributes:
        model, contract: of the checkpoint; None for the variants without.
        vectors: (rows of the store, features) float32.
    """

    model: TiltModel | None
    contract: Contract | None
    vectors: Tensor

    @property
    def digest(self) -> str:
        """Digest of the checkpoint; empty: there is none."""
        return self.contract.signature if self.contract is not None else ""

    @property
    def microphones(self) -> tuple[int, ...]:
        """Those that the checkpoint hears; without one as many as `Shapes` has."""
        return self.contract.microphones if self.contract is not None else (0, 1, 2, 3)

    @property
    def front_end(self) -> FrontEndSettings | None:
        """How the checkpoint's sound is made; None: there is no checkpoint."""
        return self.contract.front_end if self.contract is not None else None


def needs_embedding(name: str) -> bool:
    """Whether the model of this name takes its vectors from another checkpoint."""
    return issubclass(MODELS.get(name), AudioDynamics | ImageDynamics)


def is_dynamics(name: str) -> bool:
    """Whether the model of this name predicts locations."""
    return issubclass(MODELS.get(name), Dynamics)


def open_source(
    recipe: Recipe, store: Store, embedding: Path | None, classes: tuple[str, ...]
) -> Source:
    """Return the vectors of all rows, as the recipe's model wants them.

    Raises:
        ConfigError: a checkpoint is wanted and missing, or given and not wanted, or of another
            sort.
        ModelError: it cannot be used.
    """
    family = MODELS.get(recipe.model)
    if not needs_embedding(recipe.model):
        if embedding is not None:
            raise ConfigError(f"expected no --embedding for the model '{recipe.model}'")
        objects = store.array("object")[:].astype(np.int64)
        vectors = torch.zeros(len(store), 0)
        if issubclass(family, OracleDynamics):
            numbers = {name: number for number, name in enumerate(classes)}
            place = np.array([numbers.get(entry.name, -1) for entry in store.objects])[objects]
            vectors = torch.zeros(len(store), len(classes))
            known = torch.from_numpy(np.flatnonzero(place >= 0))
            vectors[known, torch.from_numpy(place[place >= 0])] = 1.0
        return Source(model=None, contract=None, vectors=vectors)
    wanted = "spectrogram" if issubclass(family, AudioDynamics) else "before"
    if embedding is None:
        raise ConfigError(
            f"expected --embedding CHECKPOINT for the model '{recipe.model}': one that makes an "
            f"embedding of '{wanted}'"
        )
    model, contract = load_checkpoint(embedding)
    part = "audio" if wanted == "spectrogram" else "picture"
    if "embedding" not in model.outputs or not hasattr(model, part):
        raise ConfigError(
            f"expected a checkpoint that makes an embedding of '{wanted}', got a "
            f"'{contract.model}' ({embedding})"
        )
    rows = np.arange(len(store))
    prepare = preparation_of(contract, store)
    embeddings = predict(model, prepare, store, rows, ("embedding",))["embedding"]
    return Source(model=model, contract=contract, vectors=torch.from_numpy(embeddings))


def network_of(recipe: Recipe, source: Source) -> ModelSettings:
    """Return the settings of a forward model: the encoders are the source's."""
    if source.contract is None:
        return recipe.network
    own = {"hidden": recipe.network.hidden, "dropout": recipe.network.dropout}
    return source.contract.settings.model_copy(update=own)


def shapes_of(source: Source, classes: tuple[str, ...]) -> Shapes:
    """Return the sizes of a forward model's inputs."""
    base = source.contract.shapes if source.contract is not None else Shapes()
    return base.model_copy(update={"classes": len(classes)})
