"""The one way from a microphone's sound to what a model sees, offline and live."""

import numpy as np
import numpy.typing as npt

from policy_ros.signals.resampling import Resampler
from policy_ros.signals.settings import FrontEndSettings
from policy_ros.signals.transforms import TRANSFORMS, Transform
from tiltbot_ros.errors import AudioError, ConfigError


class FrontEnd:
    """Resamples sound and turns it into a picture, the same wherever it runs.

    Deterministic, without threads and without torch. It keeps its workspace:
    an instance belongs to one thread.

    Args:
        settings: what to make of the sound.

    Raises:
        ConfigError: there is no transform of that name.
    """

    def __init__(self, settings: FrontEndSettings) -> None:
        if settings.transform not in TRANSFORMS:
            raise ConfigError(
                f"expected a transform of {sorted(TRANSFORMS)}, got {settings.transform!r}"
            )
        self.settings = settings
        self._transform: Transform = TRANSFORMS[settings.transform](settings)
        self._resamplers: dict[int, Resampler] = {}

    def resample(self, samples: npt.NDArray[np.int16], sample_rate: int) -> npt.NDArray[np.int16]:
        """Bring sound to the front end's rate.

        Args:
            samples: (n, channels) int16.
            sample_rate: of them [Hz].

        Returns:
            (channels, m) int16, m = n · `sample_rate_hz` / `sample_rate`, rounded.

        Raises:
            AudioError: the samples are of another type or shape.
        """
        if sample_rate not in self._resamplers:
            self._resamplers[sample_rate] = Resampler(sample_rate, self.settings.sample_rate_hz)
        return self._resamplers[sample_rate](samples)

    def spectrogram(self, audio: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        """Turn sound into a picture.

        Args:
            audio: (channels, m) int16 at the front end's rate.

        Returns:
            (channels, frequencies, times) float32 within [floor, ceiling].

        Raises:
            AudioError: the sound is of another type or shape, or empty.
        """
        if audio.dtype != np.int16 or audio.ndim != 2 or not audio.size:
            raise AudioError(
                f"expected int16 sound of shape (channels, frames), got {audio.dtype} {audio.shape}"
            )
        return self._transform(audio)
