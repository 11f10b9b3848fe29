"""Which object was it? From sound alone (Tilt-Bot, IV-B)."""

from torch import Tensor, nn

from policy_ros.models.embedding import AudioEmbedding
from policy_ros.models.model import MODELS, TiltModel
from policy_ros.models.settings import ModelSettings, Shapes


@MODELS.register("classifier")
class InstanceClassifier(TiltModel):
    """Spectrogram to the logits of the objects, by way of an embedding."""

    inputs = ("spectrogram",)
    outputs = ("logits", "embedding")

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it for `shapes.classes` objects."""
        super().__init__(settings, shapes)
        self.audio = AudioEmbedding(settings, shapes)
        self.classes = nn.Linear(settings.embedding, shapes.classes)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return logits (batch, classes) and embeddings (batch, embedding)."""
        (spectrogram,) = inputs
        embedding = self.audio(spectrogram)
        return self.classes(embedding), embedding
