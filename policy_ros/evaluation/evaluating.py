"""Any checkpoint on any rows: the measures that fit what it answers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from policy_ros.data.store import Store
from policy_ros.evaluation.measures import (
    accuracy,
    mean_absolute,
    mean_distance,
    mean_squared,
)
from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.models.contract import Contract
from policy_ros.models.dynamics import AudioDynamics, Dynamics, ImageDynamics, OracleDynamics
from policy_ros.models.model import TiltModel
from policy_ros.training.draws import Draws
from policy_ros.training.forward_training import seen_rows
from policy_ros.training.predicting import predict, preparation_of, represent
from policy_ros.training.probes import Probes
from tiltbot_ros.errors import ModelError

Rows = npt.NDArray[np.int64]
Array = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One figure.

    Attributes:
        name: what was measured.
        value: of it.
        rows: how many it is over.
    """

    name: str
    value: float
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What a checkpoint said of some rows.

    Attributes:
        rows: (n,) of the store.
        outputs: by name, (n, ...).
    """

    rows: Rows
    outputs: dict[str, Array]


def answer(
    model: TiltModel, contract: Contract, store: Store, rows: Rows, *, seed: int = 0
) -> Answers:
    """Ask a model about rows of a store.

    A forward model is asked only about rows whose object was seen before and
    after; it knows the object by another of the rows, drawn by the seed.

    Raises:
        ModelError: the checkpoint does not fit the store, or was not made for one.
    """
    prepare = preparation_of(contract, store)
    if not isinstance(model, Dynamics):
        return Answers(rows=rows, outputs=predict(model, prepare, store, rows, model.outputs))
    if model.outputs != ("location_after",):
        raise ModelError(
            f"expected a model of interactions in the tray, got a '{contract.model}': its pushes "
            "are evaluated by `tiltbot reproduce`"
        )
    used = seen_rows(store, rows)
    objects = store.array("object")[:].astype(np.int64)
    vectors = torch.zeros(len(used), 0)
    if isinstance(model, AudioDynamics | ImageDynamics):
        probes = Probes(rows, objects[rows])
        drawn = probes.draw(objects[used], Draws(used, seed=seed, epoch=-1), but=used).numpy()
        heard, place = np.unique(drawn, return_inverse=True)
        vectors = represent(model, contract, store, heard)[torch.from_numpy(place)]
    if isinstance(model, OracleDynamics):
        numbers = {name: number for number, name in enumerate(contract.classes)}
        known = np.array([numbers.get(entry.name, -1) for entry in store.objects])[objects[used]]
        if (known < 0).any():
            raise ModelError(
                "expected rows of objects that the model was trained on: one that is told the "
                f"class cannot know others; {int((known < 0).sum())} of {len(used)} rows are"
            )
        vectors = torch.eye(len(contract.classes))[torch.from_numpy(known)]
    state = [torch.from_numpy(store.array(name)[used]) for name in model.state]
    with torch.inference_mode():
        located = model.predict(vectors, *state).numpy()
    return Answers(rows=used, outputs={"location_after": located})


def measure(answers: Answers, contract: Contract, store: Store) -> tuple[Measure, ...]:
    """Compare a model's answers with what the store says.

    Accuracy is over the rows of objects that the model knows.
    """
    found: list[Measure] = []
    rows, outputs = answers.rows, answers.outputs
    if not len(rows):
        return ()
    if "logits" in outputs:
        numbers = {name: number for number, name in enumerate(contract.classes)}
        lookup = np.array([numbers.get(entry.name, -1) for entry in store.objects])
        objects = lookup[store.array("object")[rows]]
        known = objects >= 0
        if known.any():
            value = accuracy(outputs["logits"][known], objects[known])
            found.append(Measure(name="accuracy", value=value, rows=int(known.sum())))
    if "action" in outputs:
        value = mean_squared(outputs["action"], store.array("action")[rows])
        found.append(Measure(name="inverse error, mean squared", value=value, rows=len(rows)))
    if "location_after" in outputs:
        truth = store.array("location_after")[rows]
        came = outputs["location_after"]
        for name, function in (("L1", mean_absolute), ("L2", mean_distance)):
            value = function(came, truth)
            found.append(Measure(name=f"forward error, {name}", value=value, rows=len(rows)))
    return tuple(found)


def evaluate(
    checkpoint: Path, store: Store, rows: Rows, *, seed: int = 0
) -> tuple[Contract, tuple[Measure, ...], dict[str, tuple[Measure, ...]]]:
    """Evaluate a checkpoint on rows of a store.

    Returns:
        Its contract, the measures over all rows, and those of each object by name.

    Raises:
        ModelError: it cannot be used, or does not fit the store.
    """
    model, contract = load_checkpoint(checkpoint)
    answers = answer(model, contract, store, rows, seed=seed)
    objects = store.array("object")[answers.rows]
    by_object = {}
    for number in np.unique(objects):
        chosen = objects == number
        part = Answers(
            rows=answers.rows[chosen],
            outputs={name: value[chosen] for name, value in answers.outputs.items()},
        )
        by_object[store.objects[int(number)].name] = measure(part, contract, store)
    return contract, measure(answers, contract, store), by_object
