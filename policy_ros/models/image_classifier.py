"""Which object is it? From a picture: the rival of the sound's embedding."""

from torch import Tensor, nn

from policy_ros.models.embedding import PictureEmbedding
from policy_ros.models.model import MODELS, TiltModel
from policy_ros.models.settings import ModelSettings, Shapes


@MODELS.register("image_classifier")
class ImageClassifier(TiltModel):
    """Picture to the logits of the objects, by way of features for other tasks."""

    inputs = ("before",)
    outputs = ("logits", "embedding")

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it for `shapes.classes` objects."""
        super().__init__(settings, shapes)
        self.picture = PictureEmbedding(settings, shapes)
        self.classes = nn.Linear(settings.embedding, shapes.classes)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return logits (batch, classes) and features (batch, embedding)."""
        (before,) = inputs
        embedding = self.picture(before)
        return self.classes(embedding), embedding
