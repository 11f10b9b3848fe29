"""A model in service: raw interactions in, answers in units out, each check with its reason."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from policy_ros.data.making import RawInteraction, SampleMaker
from policy_ros.data.sample import Sample
from policy_ros.models.contract_file import read_contract
from policy_ros.serving.inputs import picture_input, spectrogram_input
from policy_ros.serving.interaction import NO_PICTURE, check_picture, check_sound, from_episode
from policy_ros.serving.predictor import Backend, Predictor
from policy_ros.serving.rig import RigFacts, check_fit, store_settings
from tiltbot_ros.episodes.typestore import typestore
from tiltbot_ros.errors import FormatError, LimitError, ModelError, TiltbotError
from tiltbot_ros.serving import Role, ServingSettings

Floats = npt.NDArray[np.float64]
Tell = Callable[[str], None]
"""Told the phase that begins: "spectrogram" or "inference"; may raise to give up."""

_EDGE = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """What an inverse model says.

    Attributes:
        action: (2,) ax, ay, each in [-1, 1].
        rotation: (2,) x and y of the tilt's rotation vector [rad].
    """

    action: Floats
    rotation: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Guess:
    """What a classifier says.

    Attributes:
        names: of the objects, most probable first.
        probabilities: (n,) of them.
    """

    names: tuple[str, ...]
    probabilities: Floats


class ServedModel:
    """A predictor on a rig. It keeps workspace: an instance belongs to one thread at a time.

    Args:
        predictor: with its contract.
        role: what it is served for.
        rig: where.
        settings: what sound is refused.

    Raises:
        ModelError: the model does not fit the role or the rig; the message says why.
    """

    def __init__(
        self, predictor: Predictor, role: Role, rig: RigFacts, settings: ServingSettings
    ) -> None:
        check_fit(predictor.contract, role, rig)
        self.contract = predictor.contract
        self.backend = predictor.backend
        self.role = role
        self._predictor = predictor
        self._rig = rig
        self._settings = settings
        self._maker = SampleMaker(store_settings(self.contract, rig))
        self._remembered: dict[str, Sample] = {}
        self._inputs = {quantity.name for quantity in self.contract.inputs}
        # The logits of this family do not look at the picture that its action needs.
        self._blind = role == "classify" and self.contract.model == "multitask"

    @classmethod
    def open(
        cls, folder: Path, role: Role, rig: RigFacts, settings: ServingSettings, *, backend: Backend
    ) -> "ServedModel":
        """Load a checkpoint and answer once, so that the first goal is not the slow one.

        Raises:
            ModelError: it cannot be used here; the message says why.
        """
        # The contract alone may say no, which costs nothing.
        check_fit(read_contract(folder), role, rig)
        try:
            served = cls(Predictor.open(folder, backend=backend), role, rig, settings)
            served.warm_up()
        except TiltbotError:
            raise
        except Exception as error:  # whatever a checkpoint holds, who serves it stays
            raise ModelError(
                f"{folder} cannot be served: {type(error).__name__}: {error}"
            ) from error
        return served

    @property
    def hears(self) -> bool:
        """Whether the model takes sound."""
        return "spectrogram" in self._inputs

    @property
    def sees(self) -> bool:
        """Whether the answer depends on the picture before."""
        return "before" in self._inputs and not self._blind

    def sample(self, raw: RawInteraction, tell: Tell = lambda _: None) -> Sample:
        """Check an interaction and make the row of it that a store would hold.

        Raises:
            AudioError: the sound is not of this rig, or there is nothing to hear.
            FormatError: there is no picture where one is needed.
        """
        settings = self._maker.settings
        if self.hears:
            check_sound(
                raw,
                self._rig,
                self._settings,
                microphones=self.contract.microphones,
                seconds=settings.seconds,
            )
        if self.sees and raw.before is NO_PICTURE:
            raise FormatError(
                f"expected an interaction with its picture before, which the model "
                f"'{self.contract.model}' looks at, got sound alone: name an episode"
            )
        if self.sees:
            check_picture(raw.before)
        tell("spectrogram")
        return self._maker.make(raw)

    def of_episode(self, uri: str, tell: Tell = lambda _: None) -> Sample:
        """Return the row of an episode; those read last are remembered.

        Args:
            uri: file:// URI of its directory.
            tell: told each phase.

        Raises:
            TiltbotError: it cannot be read, or the model cannot use it; the message says why.
        """
        sample = self._remembered.pop(uri, None)
        if sample is None:
            sample = self.sample(from_episode(uri), tell)
        self._remembered[uri] = sample
        while len(self._remembered) > self._settings.remembered:
            del self._remembered[next(iter(self._remembered))]
        return sample

    def inverse(self, sample: Sample, tell: Tell = lambda _: None) -> Action:
        """Say which action was applied.

        Raises:
            ModelError: the model cannot answer.
        """
        outputs = self._predict(sample, {}, tell)
        action = np.clip(outputs["action"].astype(np.float64), -1.0, 1.0)
        return Action(action=action, rotation=action * self._rig.max_tilt_rad)

    def classify(self, sample: Sample, tell: Tell = lambda _: None) -> Guess:
        """Say which object it was.

        Raises:
            ModelError: the model cannot answer.
        """
        logits = self._predict(sample, {}, tell)["logits"].astype(np.float64)
        weights = np.exp(logits - logits.max())
        probabilities = weights / weights.sum()
        order = np.argsort(-probabilities, kind="stable")
        return Guess(
            names=tuple(self.contract.classes[index] for index in order),
            probabilities=probabilities[order],
        )

    def forward(
        self,
        sample: Sample | None,
        location_m: Floats,
        action: Floats,
        tell: Tell = lambda _: None,
    ) -> Floats:
        """Say where the object will be, (2,) x and y in the tray frame [m].

        Args:
            sample: another interaction with the object; None for a model that does not listen.
            location_m: (2,) where the object is, in the tray frame [m].
            action: (2,) ax, ay, each in [-1, 1].
            tell: told each phase.

        Raises:
            LimitError: the location is off the tray, or the action beyond the rig's.
            ModelError: the model cannot answer.
        """
        half_m = self._rig.half_side_m
        if not np.isfinite(location_m).all() or np.abs(location_m).max() > half_m * (1 + _EDGE):
            raise LimitError(
                f"expected a location on the tray, within {half_m:g} m of its centre along each "
                f"side, got {np.array2string(location_m, precision=4)} m"
            )
        if not np.isfinite(action).all() or np.abs(action).max() > 1 + _EDGE:
            raise LimitError(
                f"expected an action with ax and ay in [-1, 1], got "
                f"{np.array2string(action, precision=4)}"
            )
        state = {"location_before": location_m / half_m, "action": action}
        outputs = self._predict(sample, state, tell)
        return outputs["location_after"].astype(np.float64) * half_m

    def warm_up(self) -> None:
        """Answer a made-up goal, and load what reading an episode takes."""
        typestore()
        rig, seconds = self._rig, self._maker.settings.seconds
        rng = np.random.default_rng(0)
        samples = rng.integers(-3000, 3000, (round(seconds * rig.sample_rate_hz), rig.channels))
        audio = self._maker.front_end.resample(samples.astype(np.int16), rig.sample_rate_hz)
        side = self.contract.picture_size
        picture = rng.integers(0, 255, (side, side, 3)).astype(np.uint8)
        values: dict[str, npt.ArrayLike] = {
            "location_before": np.zeros(2),
            "action": np.zeros(2),
        }
        if self.hears:
            spectrogram = self._maker.front_end.spectrogram(audio)
            values["spectrogram"] = spectrogram_input(self.contract, spectrogram)
        if "before" in self._inputs:
            values["before"] = picture_input(self.contract, picture)
        self._predictor.predict({name: values[name] for name in self._inputs})

    def _predict(
        self, sample: Sample | None, state: dict[str, Floats], tell: Tell
    ) -> dict[str, npt.NDArray[np.float32]]:
        inputs: dict[str, npt.ArrayLike] = {
            name: np.asarray(value, np.float32)
            for name, value in state.items()
            if name in self._inputs
        }
        if sample is not None and self.hears:
            spectrogram = sample.spectrogram.astype(np.float32)
            inputs["spectrogram"] = spectrogram_input(self.contract, spectrogram)
        if sample is not None and "before" in self._inputs:
            inputs["before"] = picture_input(self.contract, sample.before)
        tell("inference")
        return self._predictor.predict(inputs)
