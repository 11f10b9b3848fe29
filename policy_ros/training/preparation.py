"""From a batch of the store to a batch of the model, for training and for evaluation."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from policy_ros.data.splits import Split
from policy_ros.data.store import Store
from policy_ros.models.model import MODELS
from policy_ros.models.settings import Shapes
from policy_ros.training.augmentations import AUGMENTATIONS
from policy_ros.training.derived import DerivedArray
from policy_ros.training.draws import Draws
from policy_ros.training.recipe import Recipe
from tiltbot_ros.errors import ConfigError

TARGETS = {"logits": "object", "action": "action", "location_after": "location_after"}
"""Array of the store that each output is compared with."""


class Preparation:
    """Picks microphones, numbers the classes, augments; the dataset has shrunk the pictures.

    Args:
        recipe: what the model wants.
        store: what the batches come from.
        classes: names of the objects, in the order of the logits.
        seed: of the augmentations.

    Raises:
        ConfigError: the store has not what the recipe asks for.
    """

    def __init__(
        self, recipe: Recipe, store: Store, classes: Sequence[str], *, seed: int = 0
    ) -> None:
        settings = store.settings
        if max(recipe.microphones) >= settings.channels or min(recipe.microphones) < 0:
            raise ConfigError(
                f"expected microphones among 0 to {settings.channels - 1}, which the store has, "
                f"got {list(recipe.microphones)}"
            )
        self.recipe = recipe
        self.front_end = recipe.front_end or settings.front_end
        self.classes = tuple(classes)
        self._seed = seed
        self._every = recipe.microphones == tuple(range(settings.channels))
        self._augmentations = [AUGMENTATIONS.get(name) for name in recipe.augmentations]
        self._sound: DerivedArray | None = None
        if self.front_end != settings.front_end:
            self._sound = DerivedArray.spectrograms(store, self.front_end)
        numbers = {name: number for number, name in enumerate(self.classes)}
        self._numbers = torch.tensor([numbers.get(entry.name, -1) for entry in store.objects])

    @property
    def shapes(self) -> Shapes:
        """Sizes of a model's inputs and outputs."""
        side = self.recipe.picture
        return Shapes(
            spectrogram=(
                len(self.recipe.microphones),
                self.front_end.frequencies,
                self.front_end.times,
            ),
            picture=(3, side, side),
            classes=len(self.classes),
        )

    def arrays(self, *, targets: bool = True) -> tuple[str, ...]:
        """Return the store's arrays that the model needs."""
        model = MODELS.get(self.recipe.model)
        names = [*model.inputs]
        if targets:
            names += [TARGETS[name] for name in model.outputs if name in TARGETS]
        if self._sound is not None:
            names = [name for name in names if name != "spectrogram"]
        return tuple(dict.fromkeys(names))

    def __call__(self, batch: dict[str, Tensor], epoch: int | None) -> dict[str, Tensor]:
        """Return the model's batch; augmented when an epoch is given."""
        result = dict(batch)
        if self._sound is not None:
            result["spectrogram"] = self._sound.take(batch.get("sensed_row", batch["row"]))
        if "spectrogram" in result:
            sound = result["spectrogram"]
            result["spectrogram"] = sound if self._every else sound[:, self.recipe.microphones]
        if "object" in result:
            result["object"] = self._numbers[result["object"]]
        if epoch is not None and self._augmentations:
            draws = Draws(batch["row"].numpy(), seed=self._seed, epoch=epoch)
            for augmentation in self._augmentations:
                result = augmentation(result, draws)
            if "spectrogram" in result:
                limits = (self.front_end.floor, self.front_end.ceiling)
                result["spectrogram"] = result["spectrogram"].clamp(*limits)
        return {
            name: value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value
            for name, value in result.items()
        }


def classes_of(store: Store, split: Split) -> tuple[str, ...]:
    """Return the names of the objects in a split's training rows, in the store's order."""
    present = set(np.unique(store.array("object")[split.part("train")]).tolist())
    return tuple(entry.name for number, entry in enumerate(store.objects) if number in present)
