"""What a checkpoint promises and asks for, in words that a program can check."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from policy_ros.models.settings import ModelSettings, Shapes
from policy_ros.signals.settings import FrontEndSettings
from tiltbot_ros.settings import Settings

FORMAT = 1
"""Counts up when older readers would misunderstand a newer contract."""


class Quantity(Settings):
    """One input or output of a model."""

    name: str = Field(description="as in the training store")
    shape: tuple[int, ...] = Field(description="of one sample")
    unit: str = Field(description="of its values")
    low: float | None = Field(None, description="least value that makes sense")
    high: float | None = Field(None, description="greatest value that makes sense")


class NormalizerValues(Settings):
    """What a model subtracts and divides by, told for people: the weights hold the same."""

    name: str = Field(description="where in the model")
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


class Origin(Settings):
    """Where a checkpoint is from."""

    recipe: str = Field("", description="name of the recipe that it was trained by")
    seed: int = Field(0, description="of everything random")
    data_hash: str = Field("", description="of the training store")
    split: str = Field("", description="name of the split")
    split_hash: str = Field("", description="of the split")
    embedding: str = Field(
        "", description="digest of the checkpoint whose embedding it builds on; empty: none"
    )
    image_weights: str = Field(
        "", description="SHA-256 of the file that the image encoder's weights are from; empty: none"
    )
    git_sha: str = Field("", description="commit of the code")


class Contract(Settings):
    """Everything beside the weights that using a model takes."""

    format: Literal[1] = Field(1, description="version of this file")
    model: str = Field(description="name of the model family")
    settings: ModelSettings
    shapes: Shapes
    inputs: tuple[Quantity, ...]
    outputs: tuple[Quantity, ...]
    classes: tuple[str, ...] = Field((), description="object names, in the order of the logits")
    microphones: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 1, 2, 3),
        min_length=1,
        description="which of the rig's microphones the spectrogram is made of",
    )
    front_end: FrontEndSettings
    seconds: float = Field(
        4.0, gt=0.0, le=60.0, description="of sound in a spectrogram, centred on the contact [s]"
    )
    picture_size: int = Field(128, ge=8, le=4096, description="side of the store's pictures [px]")
    max_tilt_rad: float | None = Field(None, gt=0.0, description="tilt of an action of 1 [rad]")
    half_side_m: float | None = Field(None, gt=0.0, description="of a location of 1 [m]")
    normalizers: tuple[NormalizerValues, ...] = ()
    origin: Origin = Origin()
    weights_sha256: str = Field(pattern="^[0-9a-f]{64}$", description="of model.safetensors")

    @model_validator(mode="after")
    def _consistent(self) -> "Contract":
        if self.shapes.classes != len(self.classes):
            raise ValueError(
                f"expected {self.shapes.classes} classes, got {len(self.classes)} names"
            )
        if self.shapes.spectrogram[0] != len(self.microphones):
            raise ValueError(
                f"expected {self.shapes.spectrogram[0]} microphones, got {len(self.microphones)}"
            )
        return self

    @property
    def signature(self) -> str:
        """First 12 digits of the weights' SHA-256: what answers are signed with."""
        return self.weights_sha256[:12]


def describe(
    name: str, settings: ModelSettings, shapes: Shapes, front_end: FrontEndSettings
) -> Quantity:
    """Return what is known of the input or output of this name.

    Raises:
        KeyError: it is none.
    """
    unit_of_location = "half the tray's inner side, tray frame"
    known = {
        "spectrogram": Quantity(
            name="spectrogram",
            shape=shapes.spectrogram,
            unit="ln of magnitude (front_end)",
            low=front_end.floor,
            high=front_end.ceiling,
        ),
        "before": Quantity(
            name="before", shape=shapes.picture, unit="RGB, 1 is white", low=0.0, high=1.0
        ),
        "after": Quantity(
            name="after", shape=shapes.picture, unit="RGB, 1 is white", low=0.0, high=1.0
        ),
        "action": Quantity(name="action", shape=(2,), unit="max_tilt_rad", low=-1.0, high=1.0),
        "location_before": Quantity(
            name="location_before", shape=(2,), unit=unit_of_location, low=-1.0, high=1.0
        ),
        "location_after": Quantity(
            name="location_after", shape=(2,), unit=unit_of_location, low=-1.0, high=1.0
        ),
        "logits": Quantity(name="logits", shape=(shapes.classes,), unit="1"),
        "embedding": Quantity(name="embedding", shape=(settings.embedding,), unit="1"),
        "object": Quantity(
            name="object", shape=(shapes.classes,), unit="1 at the object", low=0.0, high=1.0
        ),
    }
    for name_ in ("location_start", "location_end", "push_start", "push_end"):
        known[name_] = Quantity(
            name=name_, shape=(2,), unit="half the table's side, table frame", low=-1.0, high=1.0
        )
    return known[name]
