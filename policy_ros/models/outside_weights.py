"""ResNet-18 weights from outside: read as data, refused unless they fit as a whole."""

import hashlib
import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from torch import Tensor

from policy_ros.models.embedding import PictureEmbedding
from policy_ros.models.encoders.resnet import ResNet18
from policy_ros.models.model import TiltModel
from tiltbot_ros.errors import ConfigError, ModelError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
"""Of RGB in [0, 1], as torchvision's models expect."""

_PREFIXES = ("module.", "convnet.", "backbone.", "encoder.")
_NESTED = ("state_dict", "model", "r3m")


def load_image_weights(model: TiltModel, path: Path) -> str:
    """Give a model's picture encoder the weights in a file, and freeze it.

    Args:
        model: with an image encoder `resnet18`.
        path: weights with torchvision's names (`.safetensors`, or `.pth` and `.pt` of tensors
            alone), with or without a prefix, as torchvision and R3M publish theirs.

    Returns:
        SHA-256 of the file.

    Raises:
        ConfigError: the model has no such encoder.
        ModelError: the file cannot be read, holds other objects than tensors, or lacks a weight.
    """
    parts = [part for part in model.modules() if isinstance(part, PictureEmbedding)]
    encoder = parts[0].encoder if len(parts) == 1 else None
    if not isinstance(encoder, ResNet18):
        raise ConfigError(
            "expected network.image_encoder=resnet18 in a model that sees pictures, for "
            f"image_weights={path}"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"expected weights at {path}: {error.strerror}") from error
    state = {_plain(name): value for name, value in _tensors(path, data).items()}
    state = {name: value for name, value in state.items() if not name.startswith("fc.")}
    expected = encoder.state_dict()
    # Counters of batches, which older files lack, say nothing in evaluation.
    missing = sorted(n for n in set(expected) - set(state) if not n.endswith("batches_tracked"))
    unexpected = sorted(set(state) - set(expected))
    wrong = sorted(n for n in set(state) & set(expected) if state[n].shape != expected[n].shape)
    if missing or unexpected or wrong:
        raise ModelError(
            f"{path} does not hold ResNet-18 as torchvision names it: missing "
            f"{missing[:3] or 'none'}, unexpected {unexpected[:3] or 'none'}, of another shape "
            f"{wrong[:3] or 'none'} ({len(missing)}, {len(unexpected)}, {len(wrong)} in all)"
        )
    encoder.load_state_dict(state, strict=False)
    encoder.freeze()
    parts[0].normalizer.mean.copy_(torch.tensor(IMAGENET_MEAN)[:, None, None])
    parts[0].normalizer.deviation.copy_(torch.tensor(IMAGENET_DEVIATION)[:, None, None])
    return hashlib.sha256(data).hexdigest()


def _tensors(path: Path, data: bytes) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return parse_tensors(data)
        document = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, ValueError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} cannot be read as tensors alone: {reason}") from error
    for name in _NESTED:
        if isinstance(document, dict) and isinstance(document.get(name), dict):
            document = document[name]
    if not isinstance(document, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in document.items()
    ):
        raise ModelError(f"expected tensors by name in {path}, got {type(document).__name__}")
    return document


def _plain(name: str) -> str:
    stripped = True
    while stripped:
        stripped = False
        for prefix in _PREFIXES:
            if name.startswith(prefix):
                name, stripped = name.removeprefix(prefix), True
    return name
