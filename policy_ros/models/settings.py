"""How a network is built, without the network: readable where torch is not installed."""

from typing import Literal

from pydantic import Field

from tiltbot_ros.settings import Settings


class ModelSettings(Settings):
    """How a network is built."""

    audio_encoder: str = Field("cnn", description="name of the encoder of spectrograms")
    audio_channels: Literal["levels", "differences"] = Field(
        "levels",
        description="what the audio encoder is given: the spectrogram of each microphone, or the "
        "mean of all and how each differs from it",
    )
    image_encoder: str = Field("cnn", description="name of the encoder of pictures")
    audio_width: int = Field(
        32, ge=4, le=1024, description="channels of the audio encoder's first layer [1]"
    )
    image_width: int = Field(
        16, ge=4, le=1024, description="channels of the image encoder's first layer [1]"
    )
    embedding: int = Field(128, ge=2, le=8192, description="length of an embedding [1]")
    image_projection: bool = Field(
        default=True, description="a linear layer makes the image encoder's features an embedding"
    )
    hidden: int = Field(128, ge=2, le=8192, description="units of the heads' hidden layers [1]")
    dropout: float = Field(
        0.0, ge=0.0, lt=1.0, description="part of the encoders' features left out in training [1]"
    )


class Shapes(Settings):
    """What a network is built for: the sizes of its inputs and outputs."""

    spectrogram: tuple[int, int, int] = Field(
        (4, 64, 64), description="channels, frequencies, times"
    )
    picture: tuple[int, int, int] = Field((3, 64, 64), description="channels, height, width")
    classes: int = Field(0, ge=0, le=100_000, description="number of objects told apart [1]")
