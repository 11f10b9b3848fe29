"""What every model here is: named tensors in, named tensors out."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from policy_ros.models.settings import ModelSettings, Shapes
from policy_ros.registry import Registry


class TiltModel(nn.Module):
    """A model whose inputs and outputs have names.

    `forward` takes the tensors named by `inputs`, in this order, in the units
    of the training store (spectrograms as the front end gives them, pictures
    as RGB in [0, 1]): normalizers are part of the model. It returns the
    tensors named by `outputs`.
    """

    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar[tuple[str, ...]]

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Keep what the model is built from."""
        super().__init__()
        self.settings = settings
        self.shapes = shapes

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs, each (batch, ...)."""
        raise NotImplementedError

    def answer(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the outputs by name for a batch that holds the inputs by name."""
        results = self(*(batch[name] for name in self.inputs))
        return dict(zip(self.outputs, results, strict=True))

    def learn(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what a training compares with its targets: here the answer itself."""
        return self.answer(batch)


MODELS: Registry[type[TiltModel]] = Registry("model")


class Normalizer(nn.Module):
    """(x - mean) / deviation, fitted on training data and saved with the model."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Make one that changes nothing; `shape` broadcasts against one sample."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("deviation", torch.ones(shape))

    def fit(self, samples: Tensor) -> None:
        """Take mean and deviation from samples (n, ...), over all axes of length 1 here."""
        axes = [0, *(axis + 1 for axis, size in enumerate(self.mean.shape) if size == 1)]
        flat = samples.double()
        self.mean.copy_(flat.mean(axes, keepdim=True)[0])
        # What never changes stays zero instead of growing without bound.
        self.deviation.copy_(flat.std(axes, keepdim=True)[0].clamp(min=1e-3))

    def forward(self, x: Tensor) -> Tensor:
        """Return x (batch, ...), normalized."""
        return (x - self.mean) / self.deviation
