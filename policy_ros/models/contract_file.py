"""Reading a checkpoint's contract, which needs no torch."""

from pathlib import Path

from pydantic import ValidationError

from policy_ros.models.contract import Contract
from tiltbot_ros.errors import ModelError
from tiltbot_ros.settings import explain

CONTRACT = "contract.json"
WEIGHTS = "model.safetensors"
LARGEST_BYTES = 4_000_000
"""A contract is some ten kB; nobody reads a larger file by mistake."""


def read_contract(folder: Path) -> Contract:
    """Return the contract of the checkpoint in a folder.

    Raises:
        ModelError: the folder is no checkpoint, or its contract is not one.
    """
    path = folder / CONTRACT
    if not path.is_file():
        raise ModelError(
            f"expected a checkpoint, a folder with {WEIGHTS} and {CONTRACT}, got {folder}; "
            "`tiltbot train` writes one, files of pickles are never read"
        )
    if path.stat().st_size > LARGEST_BYTES:
        raise ModelError(f"expected a contract of less than {LARGEST_BYTES} bytes at {path}")
    try:
        return Contract.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ModelError(f"{path} is no contract of a checkpoint: {explain(error)}") from error
