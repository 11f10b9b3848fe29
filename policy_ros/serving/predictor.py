"""A checkpoint that answers: arrays in, arrays out, each checked against its contract."""

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from policy_ros.models.contract import Contract, Quantity
from policy_ros.models.contract_file import read_contract
from tiltbot_ros.errors import ModelError

Array = npt.NDArray[np.float32]
Backend = Literal["auto", "onnx", "torch"]

_ROCM_DEVICE = Path("/dev/kfd")

ROUNDING = 1e-3
"""How far beyond its limits a value may lie, as part of the limits' distance."""


class Engine(Protocol):
    """Runs the network."""

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return outputs (n, ...) by name for inputs (n, ...) by name."""
        ...


class Predictor:
    """A model loaded from a checkpoint, with its contract.

    Nothing but the inputs that the contract names is accepted, in its shapes,
    finite and within its limits.
    """

    def __init__(self, contract: Contract, engine: Engine, *, backend: str) -> None:
        """Use `open` instead."""
        self.contract = contract
        self.backend = backend
        self._engine = engine

    @classmethod
    def open(cls, folder: Path, *, backend: Backend = "auto") -> "Predictor":
        """Load a checkpoint.

        Args:
            folder: it, as `tiltbot train` wrote it.
            backend: "onnx" for ONNX Runtime on one thread of the processor
                (exports the model first when that has not been done), "torch"
                for PyTorch on the GPU or else one thread of the processor;
                "auto" is torch where there is a GPU or no exported model, and
                otherwise onnx.

        Raises:
            ModelError: the checkpoint cannot be used; the message says why.
        """
        contract = read_contract(folder)
        chosen = backend if backend != "auto" else _best_backend(folder)
        # Each takes seconds to import: only the one that is used is.
        if chosen == "onnx":
            from policy_ros.serving.onnx_engine import ONNX, OnnxEngine  # noqa: PLC0415

            if not (folder / ONNX).is_file():
                from policy_ros.serving.export import export  # noqa: PLC0415

                export(folder)
            return cls(contract, OnnxEngine.open(folder, contract), backend=chosen)
        from policy_ros.serving.torch_engine import TorchEngine  # noqa: PLC0415

        return cls(contract, TorchEngine.open(folder, contract), backend=chosen)

    def predict(self, inputs: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        """Answer for one sample.

        Args:
            inputs: by name, in the shapes and units of the contract.

        Returns:
            Outputs by name, float32.

        Raises:
            ModelError: an input is missing, unknown, of another shape, not
                finite, or out of its limits.
        """
        batch = {name: np.asarray(value)[None] for name, value in inputs.items()}
        return {name: value[0] for name, value in self.predict_batch(batch).items()}

    def predict_batch(self, inputs: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        """Answer for n samples: as `predict`, with a first axis of length n."""
        expected = [quantity.name for quantity in self.contract.inputs]
        if set(inputs) != set(expected):
            raise ModelError(
                f"expected the inputs {', '.join(expected)}, got {', '.join(inputs) or 'none'}"
            )
        checked = {
            quantity.name: _checked(quantity, np.asarray(inputs[quantity.name]))
            for quantity in self.contract.inputs
        }
        if len({len(value) for value in checked.values()}) > 1:
            lengths = ", ".join(f"{len(value)} of {name}" for name, value in checked.items())
            raise ModelError(f"expected as many samples of each input, got {lengths}")
        outputs = self._engine.run(checked)
        sick = next((name for name, value in outputs.items() if not np.isfinite(value).all()), None)
        if sick:
            raise ModelError(f"the model answered with a '{sick}' that is not finite")
        return outputs


def _best_backend(folder: Path) -> Literal["onnx", "torch"]:
    from policy_ros.serving.onnx_engine import ONNX  # noqa: PLC0415

    if not (folder / ONNX).is_file():
        return "torch"
    if not _has_gpu_driver():
        return "onnx"
    import torch  # noqa: PLC0415 - takes seconds

    return "torch" if torch.cuda.is_available() else "onnx"


def _has_gpu_driver() -> bool:
    """Say whether there may be a GPU for PyTorch: without a driver there is none.

    The CUDA runtime reaches a GPU through the driver's library alone, and ROCm through its
    device. The device files of NVIDIA do not tell: they can come with their first use.
    """
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return _ROCM_DEVICE.exists()
    return True


def _checked(quantity: Quantity, value: npt.NDArray[np.generic]) -> Array:
    name = quantity.name
    if value.dtype.kind not in "fiu":
        raise ModelError(f"expected numbers as '{name}', got {value.dtype}")
    if value.shape[1:] != quantity.shape:
        raise ModelError(
            f"expected '{name}' of shape {quantity.shape} [{quantity.unit}], got {value.shape[1:]}"
        )
    result = np.ascontiguousarray(value, np.float32)
    if not np.isfinite(result).all():
        count = int((~np.isfinite(result)).sum())
        raise ModelError(f"expected finite values of '{name}', {count} of {result.size} are not")
    if quantity.low is not None and quantity.high is not None and result.size:
        slack = ROUNDING * (quantity.high - quantity.low)
        least, most = float(result.min()), float(result.max())
        if least < quantity.low - slack or most > quantity.high + slack:
            raise ModelError(
                f"expected '{name}' within [{quantity.low:g}, {quantity.high:g}] "
                f"[{quantity.unit}], got {least:g} to {most:g}"
            )
    return result
