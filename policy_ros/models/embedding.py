"""From a spectrogram to the embedding that stands for what was heard."""

import torch
from torch import Tensor, nn

from policy_ros.models.encoders.encoder import AUDIO_ENCODERS, IMAGE_ENCODERS
from policy_ros.models.model import Normalizer
from policy_ros.models.settings import ModelSettings, Shapes
from tiltbot_ros.errors import ConfigError


class Differences(nn.Module):
    """The mean of all microphones, and how each differs from it: channels + 1 in place of channels.

    Spectrograms are logarithmic, so these are ratios of levels: where a contact
    was. They are small beside what the microphones have in common, which is what
    it was; apart, each is normalized by itself.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, channels + 1, f, t) for spectrograms (batch, channels, f, t)."""
        mean = x.mean(1, keepdim=True)
        return torch.cat((mean, x - mean), 1)


class AudioEmbedding(nn.Module):
    """Normalizer, audio encoder, one linear layer and ReLU: spectrogram to embedding."""

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it for spectrograms of `shapes.spectrogram`."""
        super().__init__()
        channels, frequencies, times = shapes.spectrogram
        self.channels: nn.Module = nn.Identity()
        # One value a frequency: levels still differ between the microphones.
        self.normalizer = Normalizer((1, frequencies, 1))
        if settings.audio_channels == "differences":
            channels += 1
            self.channels = Differences()
            self.normalizer = Normalizer((channels, frequencies, 1))
        make = AUDIO_ENCODERS.get(settings.audio_encoder)
        self.encoder = make((channels, frequencies, times), settings.audio_width)
        self.projection = nn.Sequential(
            nn.Dropout(settings.dropout),
            nn.Linear(self.encoder.features, settings.embedding),
            nn.ReLU(),
        )

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Return embeddings (batch, embedding) of spectrograms (batch, channels, f, t)."""
        result: Tensor = self.projection(self.encoder(self.normalizer(self.channels(spectrogram))))
        return result

    def fit(self, spectrograms: Tensor) -> None:
        """Set the normalizer from spectrograms (n, channels, f, t) of training rows."""
        self.normalizer.fit(self.channels(spectrograms))


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
