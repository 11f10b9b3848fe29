"""Which action was it? From the picture before and the sound (Tilt-Bot, IV-C)."""

import torch
from torch import Tensor, nn

from policy_ros.models.embedding import AudioEmbedding, PictureEmbedding
from policy_ros.models.model import MODELS, TiltModel
from policy_ros.models.settings import ModelSettings, Shapes


class ActionHead(nn.Sequential):
    """Two linear layers from features to an action; nothing bounds it to [-1, 1]."""

    def __init__(self, features: int, hidden: int) -> None:
        """Make one with `hidden` units between."""
        super().__init__(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 2))


@MODELS.register("inverse")
class InverseModel(TiltModel):
    """Spectrogram and the picture before to the action (ax, ay)."""

    inputs = ("spectrogram", "before")
    outputs = ("action", "embedding")

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it."""
        super().__init__(settings, shapes)
        self.audio = AudioEmbedding(settings, shapes)
        self.picture = PictureEmbedding(settings, shapes)
        self.head = ActionHead(2 * settings.embedding, settings.hidden)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return actions (batch, 2) and audio embeddings (batch, embedding)."""
        spectrogram, before = inputs
        embedding = self.audio(spectrogram)
        return self.head(torch.cat((embedding, self.picture(before)), 1)), embedding


@MODELS.register("image_inverse")
class ImageInverseModel(TiltModel):
    """The pictures before and after to the action: the rival that only sees.

    One encoder looks at both pictures, as in the inverse models of Agrawal et
    al. (2016) that the paper builds on.
    """

    inputs = ("before", "after")
    outputs = ("action",)

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it."""
        super().__init__(settings, shapes)
        self.picture = PictureEmbedding(settings, shapes)
        self.head = ActionHead(2 * settings.embedding, settings.hidden)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return actions (batch, 2)."""
        before, after = inputs
        return (self.head(torch.cat((self.picture(before), self.picture(after)), 1)),)
