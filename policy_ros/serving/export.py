"""Export of a checkpoint to ONNX, which counts only when it answers as PyTorch does."""

import logging
import os
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.models.contract import Contract, Quantity
from policy_ros.models.model import TiltModel
from policy_ros.serving.onnx_engine import ONNX, SIGNED, OnnxEngine
from policy_ros.serving.torch_engine import TorchEngine
from tiltbot_ros.errors import ModelError

TOLERANCE = 1e-4
"""Greatest difference of an output, as part of its own greatest value (at least 1)."""


def export(folder: Path) -> float:
    """Write `model.onnx` into a checkpoint's folder.

    Args:
        folder: the checkpoint.

    Returns:
        The greatest difference from PyTorch over random inputs, as part of
        the outputs' size.

    Raises:
        ModelError: the checkpoint cannot be used, or the exported model
            answers differently; nothing is written then.
    """
    model, contract = load_checkpoint(folder)
    data = _convert(model, contract)
    difference = parity(model, contract, data)
    if not difference <= TOLERANCE:
        raise ModelError(
            f"the exported model differs from PyTorch by {difference:.2g} of its outputs' size, "
            f"more than {TOLERANCE:g}; serve this checkpoint with the torch backend"
        )
    partial = folder / f"{ONNX}.partial"
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(folder / ONNX)
    except OSError as error:
        raise ModelError(f"cannot write {folder / ONNX}: {error.strerror}") from error
    return difference


def parity(model: TiltModel, contract: Contract, data: bytes) -> float:
    """Return the greatest difference between an exported model and PyTorch.

    Batches of 1 and 3 samples drawn over the inputs' whole ranges.
    """
    ours, theirs = TorchEngine(model, "cpu"), OnnxEngine(data, contract)
    rng = np.random.default_rng(0)
    worst = 0.0
    for rows in (1, 3):
        batch = {quantity.name: _random(quantity, rows, rng) for quantity in contract.inputs}
        expected, came = ours.run(batch), theirs.run(batch)
        for name, value in expected.items():
            size = max(1.0, float(np.abs(value).max()))
            worst = max(worst, float(np.abs(value - came[name]).max()) / size)
    return worst


def _random(quantity: Quantity, rows: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    low = -1.0 if quantity.low is None else quantity.low
    high = 1.0 if quantity.high is None else quantity.high
    return rng.uniform(low, high, (rows, *quantity.shape)).astype(np.float32)


def _convert(model: TiltModel, contract: Contract) -> bytes:
    rng = np.random.default_rng(1)
    # An exporter takes a batch of one for a constant.
    example = tuple(torch.from_numpy(_random(q, 2, rng)) for q in contract.inputs)
    batch = torch.export.Dim("batch", min=1, max=65536)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # torchvision's absence, four lines
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model,
            example,
            dynamo=True,
            dynamic_shapes={"inputs": tuple({0: batch} for _ in example)},
            input_names=list(model.inputs),
            output_names=list(model.outputs),
            verbose=False,
        )
    if program is None:
        raise ModelError("PyTorch's exporter returned no model")
    proto = program.model_proto
    entry = proto.metadata_props.add()
    entry.key, entry.value = SIGNED, contract.weights_sha256
    data: bytes = proto.SerializeToString()
    return data
