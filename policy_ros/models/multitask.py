"""One embedding for both tasks: which object, and which action (Tilt-Bot, IV-D)."""

import torch
from torch import Tensor, nn

from policy_ros.models.embedding import AudioEmbedding, PictureEmbedding
from policy_ros.models.inverse import ActionHead
from policy_ros.models.model import MODELS, TiltModel
from policy_ros.models.settings import ModelSettings, Shapes


@MODELS.register("multitask")
class MultiTaskModel(TiltModel):
    """Spectrogram and the picture before to logits and action, sharing the audio embedding.

    Trained with (1 - λ) · classification + λ · inverse loss (figure 4a).
    """

    inputs = ("spectrogram", "before")
    outputs = ("logits", "action", "embedding")

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it for `shapes.classes` objects."""
        super().__init__(settings, shapes)
        self.audio = AudioEmbedding(settings, shapes)
        self.classes = nn.Linear(settings.embedding, shapes.classes)
        self.picture = PictureEmbedding(settings, shapes)
        self.head = ActionHead(2 * settings.embedding, settings.hidden)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return logits (batch, classes), actions (batch, 2), embeddings (batch, embedding)."""
        spectrogram, before = inputs
        embedding = self.audio(spectrogram)
        action = self.head(torch.cat((embedding, self.picture(before)), 1))
        return self.classes(embedding), action, embedding
