"""What each trained model says of everything it is tested on, kept beside it."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from policy_ros.data.splits import PARTS, read_split
from policy_ros.data.store import Store
from policy_ros.evaluation.evaluating import Answers, answer
from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.models.contract import Contract
from policy_ros.models.dynamics import AudioDynamics, Dynamics, ImageDynamics, OracleDynamics
from policy_ros.models.model import TiltModel
from policy_ros.training.draws import Draws
from policy_ros.training.predicting import represent
from policy_ros.training.probes import Probes
from policy_ros.training.push_training import push_columns, usable_pushes
from policy_ros.training.run_folder import CHECKPOINT
from tiltbot_ros.errors import ModelError
from tiltbot_ros.generating.push_set import PushSet

Rows = npt.NDArray[np.int64]

ANSWERS = "answers.npz"


def asked_rows(store: Store, model: TiltModel, contract: Contract) -> Rows:
    """Return the rows that a model of the study is asked about.

    Embeddings: all rows of the splits, because forward models and few-shot
    learning want them. Forward models: the test rows of both sets, of objects
    that one which is told the class was trained on.
    """
    dealt = read_split(store, "all")
    if not isinstance(model, Dynamics):
        return np.sort(np.concatenate([dealt.part(name) for name in PARTS]))
    rows = dealt.part("test")
    if isinstance(model, OracleDynamics):
        known = {n for n, entry in enumerate(store.objects) if entry.name in contract.classes}
        rows = rows[np.isin(store.array("object")[rows], list(known))]
    return rows


def answer_job(folder: Path, store: Store, pushes: Path | None, *, seed: int) -> None:
    """Write the answers of the model in a run's folder, unless they are there."""
    target = folder / ANSWERS
    model, contract = load_checkpoint(folder / CHECKPOINT)
    if target.is_file() and _signature(target) == contract.weights_sha256:
        return
    if pushes is not None:
        assert isinstance(model, Dynamics)  # noqa: S101 - for the type
        answers = answer_pushes(model, contract, store, PushSet.open(pushes), seed=seed)
    else:
        answers = answer(model, contract, store, asked_rows(store, model, contract), seed=seed)
    arrays: dict[str, Any] = {
        "rows": answers.rows,
        "weights": np.array(contract.weights_sha256),
        **{f"output_{name}": value for name, value in answers.outputs.items()},
    }
    partial = folder / f"{ANSWERS}.partial"
    with partial.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(target)


def read_answers(folder: Path) -> Answers:
    """Return the answers of the model in a run's folder.

    Raises:
        ModelError: there are none.
    """
    path = folder / ANSWERS
    try:
        with np.load(path, allow_pickle=False) as file:
            outputs = {
                name.removeprefix("output_"): file[name]
                for name in file.files
                if name.startswith("output_")
            }
            return Answers(rows=file["rows"], outputs=outputs)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"expected answers at {path}: {error}") from error


def answer_pushes(
    model: Dynamics, contract: Contract, store: Store, pushes: PushSet, *, seed: int
) -> Answers:
    """Ask a pushing model about the pushes of the test objects.

    It knows an object by an interaction in the tray, drawn by the seed from
    all of the store's.

    Returns:
        Rows are those of the pushing data set.
    """
    rows = usable_pushes(pushes, pushes.rows("test"))
    columns = push_columns(pushes, store)
    objects = columns["object"].numpy()[rows]
    vectors = torch.zeros(len(rows), 0)
    if isinstance(model, AudioDynamics | ImageDynamics):
        dealt = read_split(store, "all")
        heard = np.concatenate([dealt.part(name) for name in PARTS])
        probes = Probes(heard, store.array("object")[heard].astype(np.int64))
        drawn = probes.draw(objects, Draws(rows, seed=seed, epoch=-1)).numpy()
        used, place = np.unique(drawn, return_inverse=True)
        vectors = represent(model, contract, store, used)[torch.from_numpy(place)]
    state = [columns[name][torch.from_numpy(rows)] for name in model.state]
    with torch.inference_mode():
        located = model.predict(vectors, *state).numpy()
    return Answers(rows=rows, outputs={"location_end": located})


def _signature(path: Path) -> str:
    try:
        with np.load(path, allow_pickle=False) as file:
            return str(file["weights"])
    except (OSError, ValueError, KeyError):
        return ""
