"""A checkpoint is a folder: `model.safetensors` and `contract.json`. Nothing is unpickled."""

import hashlib
import os
import shutil
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as format_tensors

from policy_ros.models.contract import Contract, NormalizerValues, Origin, describe
from policy_ros.models.contract_file import CONTRACT, WEIGHTS, read_contract
from policy_ros.models.model import MODELS, Normalizer, TiltModel
from policy_ros.models.zoo import build_model
from policy_ros.signals.settings import FrontEndSettings
from tiltbot_ros.errors import ConfigError, ModelError
from tiltbot_ros.settings import explain


def model_name(model: TiltModel) -> str:
    """Return the name under which the model's family is registered."""
    return next(name for name in MODELS.names if MODELS.get(name) is type(model))


def save_checkpoint(
    folder: Path,
    model: TiltModel,
    *,
    classes: tuple[str, ...],
    microphones: tuple[int, ...],
    front_end: FrontEndSettings,
    seconds: float,
    picture_size: int,
    max_tilt_rad: float | None,
    half_side_m: float | None,
    origin: Origin,
) -> Contract:
    """Write the model; the folder appears whole or not at all, and replaces an older one.

    Args:
        folder: where to.
        model: what to write.
        classes: object names in the order of the logits.
        microphones: which of the rig's the spectrogram is made of.
        front_end: how it is made.
        seconds: of sound in it [s].
        picture_size: side of the pictures that the model's are shrunk from [px].
        max_tilt_rad: tilt of an action of 1 [rad].
        half_side_m: of a location of 1 [m].
        origin: where the model is from.

    Returns:
        The contract as written.
    """
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    weights = format_tensors(state)
    normalizers = tuple(
        NormalizerValues(
            name=name,
            mean=tuple(part.mean.flatten().tolist()),
            deviation=tuple(part.deviation.flatten().tolist()),
        )
        for name, part in model.named_modules()
        if isinstance(part, Normalizer)
    )
    contract = Contract(
        model=model_name(model),
        settings=model.settings,
        shapes=model.shapes,
        inputs=tuple(
            describe(name, model.settings, model.shapes, front_end) for name in model.inputs
        ),
        outputs=tuple(
            describe(name, model.settings, model.shapes, front_end) for name in model.outputs
        ),
        classes=classes,
        microphones=microphones,
        front_end=front_end,
        seconds=seconds,
        picture_size=picture_size,
        max_tilt_rad=max_tilt_rad,
        half_side_m=half_side_m,
        normalizers=normalizers,
        origin=origin,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
    )
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _write(partial / WEIGHTS, weights)
    _write(partial / CONTRACT, (contract.model_dump_json(indent=2) + "\n").encode())
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return contract


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def load_checkpoint(folder: Path) -> tuple[TiltModel, Contract]:
    """Read a model back, in evaluation mode.

    Raises:
        ModelError: the folder is no checkpoint, is cut short or changed, or
            does not hold what its contract says.
    """
    contract, weights = read_contract(folder), read_weights(folder)
    return build_from(contract, weights, folder), contract


def read_weights(folder: Path) -> bytes:
    """Return the bytes of the checkpoint's weights, not yet checked.

    Raises:
        ModelError: they cannot be read.
    """
    try:
        return (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(f"expected weights at {folder / WEIGHTS}: {error.strerror}") from error


def build_from(contract: Contract, weights: bytes, folder: Path) -> TiltModel:
    """Build the model that the contract describes and give it its weights.

    Raises:
        ModelError: they do not go together.
    """
    path = folder / WEIGHTS
    digest = hashlib.sha256(weights).hexdigest()
    if digest != contract.weights_sha256:
        raise ModelError(
            f"{path} is not what its contract was made for: expected SHA-256 "
            f"{contract.weights_sha256[:12]}…, got {digest[:12]}… of {len(weights)} bytes; "
            "it was cut short or changed: copy the checkpoint again"
        )
    try:
        state = parse_tensors(weights)
    except (SafetensorError, ValueError) as error:
        raise ModelError(f"{path} is no safetensors file: {error}") from error
    sketch = _sketch(contract, folder)
    expected = {name: tuple(value.shape) for name, value in sketch.state_dict().items()}
    came = {name: tuple(value.shape) for name, value in state.items()}
    if expected != came:
        wrong = sorted(set(expected.items()) ^ set(came.items()))[:3]
        raise ModelError(
            f"{path} does not hold the weights of the model '{contract.model}' as its contract "
            f"describes it; it differs in {', '.join(f'{name} {shape}' for name, shape in wrong)}"
        )
    sick = next((name for name, value in state.items() if not torch.isfinite(value).all()), None)
    if sick:
        raise ModelError(f"{path}: expected finite weights; '{sick}' has others")
    model = build_model(contract.model, contract.settings, contract.shapes, seed=0)
    model.load_state_dict(state)
    return model.eval()


def _sketch(contract: Contract, folder: Path) -> TiltModel:
    """Build the model that the contract describes, without memory for its weights.

    Whatever sizes a contract names, the weights beside it must have them first.
    """
    try:
        with torch.device("meta"):
            model = build_model(contract.model, contract.settings, contract.shapes, seed=0)
    except (ConfigError, ValidationError) as error:
        text = explain(error) if isinstance(error, ValidationError) else str(error)
        raise ModelError(f"{folder / CONTRACT}: {text}") from error
    except (RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{folder / CONTRACT} describes no network that can be built: {reason}"
        ) from error
    for what, names, promised in (
        ("inputs", model.inputs, contract.inputs),
        ("outputs", model.outputs, contract.outputs),
    ):
        told = [(quantity.name, quantity.shape) for quantity in promised]
        known = [
            describe(name, contract.settings, contract.shapes, contract.front_end) for name in names
        ]
        if told != [(quantity.name, quantity.shape) for quantity in known]:
            raise ModelError(
                f"{folder / CONTRACT}: expected the {what} of the model '{contract.model}', "
                f"{', '.join(f'{q.name} {q.shape}' for q in known)}, got "
                f"{', '.join(f'{name} {shape}' for name, shape in told) or 'none'}"
            )
    return model
