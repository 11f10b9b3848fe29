"""Running a checkpoint in PyTorch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from policy_ros.models.checkpoint import build_from, read_weights
from policy_ros.models.contract import Contract
from policy_ros.models.model import TiltModel

Array = npt.NDArray[np.float32]


class TorchEngine:
    """A model on the GPU, where there is one, and otherwise on the processor."""

    def __init__(self, model: TiltModel, device: str) -> None:
        self._model = model.to(device)
        self._device = device

    @classmethod
    def open(cls, folder: Path, contract: Contract) -> "TorchEngine":
        """Load the checkpoint.

        Raises:
            ModelError: its weights are not what the contract says.
        """
        model = build_from(contract, read_weights(folder), folder)
        return cls(model, "cuda" if torch.cuda.is_available() else "cpu")

    @torch.inference_mode()
    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return outputs (n, ...) by name for inputs (n, ...) by name."""
        batch = {name: torch.from_numpy(value).to(self._device) for name, value in inputs.items()}
        return {name: value.cpu().numpy() for name, value in self._model.answer(batch).items()}
