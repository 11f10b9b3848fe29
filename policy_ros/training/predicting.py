"""What a model says of many rows of a store."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from policy_ros.data.dataset import StoreDataset
from policy_ros.data.store import Store
from policy_ros.models.contract import Contract
from policy_ros.models.dynamics import AudioDynamics, ImageDynamics
from policy_ros.models.model import TiltModel
from policy_ros.training.preparation import Preparation
from policy_ros.training.recipe import Recipe
from tiltbot_ros.errors import ModelError

Rows = npt.NDArray[np.int64]
Array = npt.NDArray[np.float32]

BATCH = 128


def preparation_of(contract: Contract, store: Store) -> Preparation:
    """Return what prepares a store's batches for a checkpoint.

    Raises:
        ModelError: the store was made with other settings than the checkpoint's.
    """
    settings = store.settings
    on_tray = any(quantity.name == "location_before" for quantity in contract.inputs)
    half_side_m = contract.half_side_m if on_tray else None
    wrong = [
        f"{what}: the checkpoint has {mine}, the store {theirs}"
        for what, mine, theirs in (
            ("sound in a row [s]", contract.seconds, settings.seconds),
            ("picture size [px]", contract.picture_size, settings.picture_size),
            ("tilt of an action of 1 [rad]", contract.max_tilt_rad, settings.max_tilt_rad),
            ("location of 1 [m]", half_side_m, settings.half_side_m),
        )
        if mine is not None and mine != theirs
    ]
    if wrong:
        raise ModelError(f"the checkpoint does not fit the store {store.path}: {'; '.join(wrong)}")
    recipe = Recipe(
        model=contract.model,
        network=contract.settings,
        microphones=contract.microphones,
        front_end=contract.front_end,
        picture=contract.shapes.picture[1],
    )
    return Preparation(recipe, store, contract.classes)


@torch.inference_mode()
def predict(
    model: TiltModel, prepare: Preparation, store: Store, rows: Rows, outputs: Sequence[str]
) -> dict[str, Array]:
    """Return some of a model's outputs for rows of a store, (n, ...) each.

    Raises:
        ModelError: there are no rows.
    """
    if not len(rows):
        raise ModelError("expected rows of the store to ask the model about, got none")
    data = StoreDataset(store, rows, prepare.arrays(targets=False), picture=prepare.recipe.picture)
    model.eval()
    parts: dict[str, list[Array]] = {name: [] for name in outputs}
    for start in range(0, len(rows), BATCH):
        places = np.arange(start, min(start + BATCH, len(rows)))
        answers = model.answer(prepare(data[places], None))
        for name in outputs:
            parts[name].append(answers[name].numpy())
    return {name: np.concatenate(values) for name, values in parts.items()}


@torch.inference_mode()
def represent(
    model: AudioDynamics | ImageDynamics, contract: Contract, store: Store, rows: Rows
) -> torch.Tensor:
    """Return what tells a forward model of objects, (n, features), for rows of a store."""
    prepare = preparation_of(contract, store)
    name = model.inputs[0]
    data = StoreDataset(store, rows, (name,), picture=prepare.recipe.picture)
    model.eval()
    parts = [torch.zeros(0, model.settings.embedding)]
    for start in range(0, len(rows), BATCH):
        places = np.arange(start, min(start + BATCH, len(rows)))
        parts.append(model.represent(prepare(data[places], None)[name]))
    return torch.cat(parts)
