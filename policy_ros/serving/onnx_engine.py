"""Running an exported checkpoint in ONNX Runtime, on one thread."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from policy_ros.models.contract import Contract
from tiltbot_ros.errors import ModelError

Array = npt.NDArray[np.float32]

ONNX = "model.onnx"
SIGNED = "weights_sha256"
"""Key of the exported model's metadata: the weights that it was made from."""


class OnnxEngine:
    """An ONNX Runtime session of one thread that sleeps while it waits."""

    def __init__(self, data: bytes, contract: Contract) -> None:
        """Load an exported model.

        Raises:
            ModelError: it is none, was made from other weights than the contract's, or has other
                inputs or outputs.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's have no common base
            raise ModelError(f"expected an ONNX model of {len(data)} bytes: {error}") from error
        signed = self._session.get_modelmeta().custom_metadata_map.get(SIGNED)
        if signed != contract.weights_sha256:
            raise ModelError(
                f"the ONNX model was made from other weights ({signed or 'unsigned'}) than "
                f"{contract.weights_sha256}: delete {ONNX} and export again"
            )
        self._outputs = [output.name for output in self._session.get_outputs()]
        for what, has, promised in (
            ("inputs", [value.name for value in self._session.get_inputs()], contract.inputs),
            ("outputs", self._outputs, contract.outputs),
        ):
            names = [quantity.name for quantity in promised]
            if sorted(has) != sorted(names):
                raise ModelError(
                    f"expected an ONNX model with the {what} {', '.join(names)}, as the contract "
                    f"says, got {', '.join(has) or 'none'}: delete {ONNX} and export again"
                )

    @classmethod
    def open(cls, folder: Path, contract: Contract) -> "OnnxEngine":
        """Load the exported model of a checkpoint.

        Raises:
            ModelError: it has not been exported, cannot be loaded, or differs from the checkpoint.
        """
        path = folder / ONNX
        if not path.is_file():
            raise ModelError(f"expected {path}: export the checkpoint first")
        return cls(path.read_bytes(), contract)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return outputs (n, ...) by name for inputs (n, ...) by name.

        Raises:
            ModelError: the exported network does not take them.
        """
        try:
            values = self._session.run(None, dict(inputs))
        except Exception as error:  # onnxruntime's have no common base
            raise ModelError(f"the exported model cannot be run: {error}") from error
        return dict(zip(self._outputs, values, strict=True))
