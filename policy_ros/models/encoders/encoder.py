"""What an encoder is, and where it is found by name."""

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor, nn

from policy_ros.registry import Registry


class Encoder(nn.Module):
    """A network from (batch, channels, height, width) to (batch, features)."""

    features: int
    """Length of the vector that it returns."""

    def forward(self, x: Tensor) -> Tensor:
        """Return features (batch, features) of a batch of normalized pictures or sounds."""
        raise NotImplementedError


EncoderMaker: TypeAlias = Callable[[tuple[int, int, int], int], Encoder]
"""Makes an encoder for inputs of (channels, height, width), of a width in channels."""

AUDIO_ENCODERS: Registry[EncoderMaker] = Registry("audio encoder")
"""Encoders of spectrograms: (channels, frequencies, frames)."""

IMAGE_ENCODERS: Registry[EncoderMaker] = Registry("image encoder")
"""Encoders of pictures: (3, height, width)."""
