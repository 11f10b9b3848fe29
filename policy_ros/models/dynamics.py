"""Where will it be? From where it is, what is done to it, and what the object is like."""

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from policy_ros.models.embedding import AudioEmbedding, PictureEmbedding
from policy_ros.models.model import Normalizer, TiltModel
from policy_ros.models.settings import ModelSettings, Shapes


class Dynamics(TiltModel):
    """Base of the models that predict a location.

    What the object is like comes from a frozen network that was trained
    before, from its class, or not at all. A training gives the vector of the
    object, made once for every interaction, as `embedding`; an answer makes it
    from the model's inputs.
    """

    state: ClassVar[tuple[str, ...]]
    """Inputs of two components each: where the object is, what is done to it."""

    def __init__(self, settings: ModelSettings, shapes: Shapes, *, features: int) -> None:
        """Build the head over `features` numbers that say what the object is like."""
        super().__init__(settings, shapes)
        self.normalizer = Normalizer((features,))
        self.share = 1.0 / math.sqrt(max(features, 1))
        self.head = nn.Sequential(
            nn.Dropout(settings.dropout),
            nn.Linear(features + 2 * len(self.state), settings.hidden),
            nn.ReLU(),
            nn.Linear(settings.hidden, settings.hidden),
            nn.ReLU(),
            nn.Linear(settings.hidden, 2),
        )

    def represent(self, *inputs: Tensor) -> Tensor:
        """Return (batch, features) from the inputs before the state."""
        raise NotImplementedError

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return locations (batch, 2)."""
        own = len(self.inputs) - len(self.state)
        return (self.predict(self.represent(*inputs[:own]), *inputs[own:]),)

    def predict(self, embedding: Tensor, *state: Tensor) -> Tensor:
        """Return locations (batch, 2) from vectors of objects (batch, features) and the state.

        However many features there are, together they are as large as one number of the
        state: side by side with 128 of unit size, the state would hardly be learned from.
        """
        told = self.normalizer(embedding) * self.share
        result: Tensor = self.head(torch.cat((told, *state), 1))
        return result

    def learn(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return predictions from the vectors of objects that the batch holds."""
        state = (batch[name] for name in self.state)
        return {self.outputs[0]: self.predict(batch["embedding"], *state)}


class AudioDynamics(Dynamics):
    """The object is known by the embedding of how it sounded in another interaction."""

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it."""
        super().__init__(settings, shapes, features=settings.embedding)
        self.audio = AudioEmbedding(settings, shapes).requires_grad_(requires_grad=False)

    def represent(self, *inputs: Tensor) -> Tensor:
        """Return embeddings of spectrograms."""
        result: Tensor = self.audio(inputs[0])
        return result


class ImageDynamics(Dynamics):
    """The object is known by the features of a picture of another interaction."""

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it."""
        super().__init__(settings, shapes, features=settings.embedding)
        self.picture = PictureEmbedding(settings, shapes).requires_grad_(requires_grad=False)

    def represent(self, *inputs: Tensor) -> Tensor:
        """Return features of pictures."""
        result: Tensor = self.picture(inputs[0])
        return result


class OracleDynamics(Dynamics):
    """The object is told, as a vector that is 1 at its class."""

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it for `shapes.classes` objects."""
        super().__init__(settings, shapes, features=shapes.classes)

    def represent(self, *inputs: Tensor) -> Tensor:
        """Return the vectors as they are."""
        return inputs[0]


class BlindDynamics(Dynamics):
    """Nothing is known of the object."""

    def __init__(self, settings: ModelSettings, shapes: Shapes) -> None:
        """Build it."""
        super().__init__(settings, shapes, features=0)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return locations (batch, 2)."""
        return (self.predict(inputs[0].new_zeros(len(inputs[0]), 0), *inputs),)
