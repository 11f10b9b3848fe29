"""From a spectrogram to the embedding that stands for what was heard."""

from torch import Tensor, nn

from policy_ros.models.encoders.encoder import AUDIO_ENCODERS, IMAGE_ENCODERS
from policy_ros.models.model import Normalizer
from policy_ros.models.settings import ModelSettings, Shapes
from tiltbot_ros.errors import ConfigError


class AudioEmbedding(nn.Module):
    """Normalizer, audio encoder, one linear layer and ReLU: spectrogram to embedding."""

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it for spectrograms of `shapes.spectrogram`."""
        super().__init__()
        _, frequencies, _ = shapes.spectrogram
        # One value a frequency: levels still differ between the microphones.
        self.normalizer = Normalizer((1, frequencies, 1))
        make = AUDIO_ENCODERS.get(settings.audio_encoder)
        self.encoder = make(shapes.spectrogram, settings.audio_width)
        self.projection = nn.Sequential(
            nn.Dropout(settings.dropout),
            nn.Linear(self.encoder.features, settings.embedding),
            nn.ReLU(),
        )

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Return embeddings (batch, embedding) of spectrograms (batch, channels, f, t)."""
        result: Tensor = self.projection(self.encoder(self.normalizer(spectrogram)))
        return result


class PictureEmbedding(nn.Module):
    """Normalizer, image encoder, one linear layer and ReLU: picture to embedding.

    Without `image_projection` the encoder's features are the embedding.

    Raises:
        ConfigError: without it the encoder has other than `embedding` features.
    """

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it for pictures of `shapes.picture`."""
        super().__init__()
        self.normalizer = Normalizer((3, 1, 1))
        make = IMAGE_ENCODERS.get(settings.image_encoder)
        self.encoder = make(shapes.picture, settings.image_width)
        self.projection: nn.Module = nn.Identity()
        if settings.image_projection:
            self.projection = nn.Sequential(
                nn.Dropout(settings.dropout),
                nn.Linear(self.encoder.features, settings.embedding),
                nn.ReLU(),
            )
        elif self.encoder.features != settings.embedding:
            raise ConfigError(
                f"expected network.embedding={self.encoder.features}, which is what the image "
                f"encoder '{settings.image_encoder}' has without a projection, got "
                f"{settings.embedding}"
            )

    def forward(self, picture: Tensor) -> Tensor:
        """Return embeddings (batch, embedding) of pictures (batch, 3, height, width)."""
        result: Tensor = self.projection(self.encoder(self.normalizer(picture)))
        return result
