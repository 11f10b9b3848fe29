"""The plain convolutional encoder, for sound and for pictures."""

import itertools

from torch import Tensor, nn

from policy_ros.models.encoders.blocks import ConvBlock
from policy_ros.models.encoders.encoder import AUDIO_ENCODERS, IMAGE_ENCODERS, Encoder

DEPTH = 4


@AUDIO_ENCODERS.register("cnn")
@IMAGE_ENCODERS.register("cnn")
class CnnEncoder(Encoder):
    """Four strided convolutions (5 x 5, then 3 x 3), each doubling the channels.

    The "simple CNN" of Tilt-Bot (Gandhi et al., 2020, IV-B), whose layers the
    paper does not list. What is left, a sixteenth of each side, is flattened:
    for sound it still tells when in the window something was heard, for
    pictures where something is.
    """

    def __init__(self, shape: tuple[int, int, int], width: int) -> None:
        """Make one for inputs of `shape`; the first layer has `width` channels."""
        super().__init__()
        channels, height, frames = shape
        widths = [width * 2**level for level in range(DEPTH)]
        self.layers = nn.Sequential(
            ConvBlock(channels, widths[0], kernel=5, stride=2),
            *(ConvBlock(a, b, stride=2) for a, b in itertools.pairwise(widths)),
        )
        for _ in range(DEPTH):  # a stride of 2 rounds up
            height, frames = -(-height // 2), -(-frames // 2)
        self.features = widths[-1] * height * frames

    def forward(self, x: Tensor) -> Tensor:
        """Return features (batch, features)."""
        result: Tensor = self.layers(x).flatten(1)
        return result
