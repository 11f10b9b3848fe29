"""The contact detection of "Swoosh! Rattle! Thump!" (Gandhi et al., 2020), as published.

Its released script takes every sample whose magnitude exceeds a fixed level on
any channel, cuts 2 s before and after it, and skips samples whose window would
overlap the last one. There is no noise floor and no rise: hum or a loud motor
is a contact every 4 s. It is here to cut recordings as the authors did;
`tiltbot_ros.episodes.detector` is what a rig should hear with.
"""

import numpy as np
from pydantic import Field

from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.errors import AudioError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.settings import Settings


class ThresholdSettings(Settings):
    """When a sound is a contact, by level alone."""

    level: float = Field(
        0.1, ge=0.0, lt=1.0, description="Magnitude that a contact exceeds [fraction of full scale]"
    )
    spacing_s: float = Field(
        4.0, ge=0.0, le=120.0, description="A contact later than this after the last one counts [s]"
    )


class ThresholdDetector:
    """Streaming detection by level; it needs no memory of the sound.

    Args:
        settings: when a sound is a contact.
        audio_format: rate, channels and bits of every block.
    """

    def __init__(self, settings: ThresholdSettings, audio_format: AudioFormat) -> None:
        self.settings = settings
        self.format = audio_format
        self._digest = settings.digest()
        self._limit = settings.level * audio_format.full_scale
        self._spacing = settings.spacing_s * audio_format.sample_rate
        self._last: int | None = None

    def process(self, block: AudioBlock) -> list[HeardContact]:
        """Take the next block and return its contacts, in time order.

        Raises:
            AudioError: the block has other channels than the format.
        """
        samples = block.samples
        if samples.ndim != 2 or samples.shape[1] != self.format.channels:
            raise AudioError(
                f"expected blocks of shape (frames, {self.format.channels}), got {samples.shape}"
            )
        loud = np.flatnonzero(
            np.maximum(samples.max(axis=1), -samples.min(axis=1).astype(np.int64)) > self._limit
        )
        if self._last is not None and block.first_sample <= self._last:
            self._last = None  # a device opened anew counts from zero
        found: list[HeardContact] = []
        at = 0
        while at < len(loud):
            sample = block.first_sample + int(loud[at])
            if self._last is None or sample - self._last > self._spacing:
                self._last = sample
                found.append(self._contact(block, int(loud[at])))
            nearest = self._last + self._spacing - block.first_sample
            at = int(np.searchsorted(loud, nearest, "right"))
        return found

    def flush(self) -> list[HeardContact]:
        """End the stream; nothing is ever under way."""
        return []

    def _contact(self, block: AudioBlock, frame: int) -> HeardContact:
        magnitudes = np.abs(block.samples[frame].astype(np.int64))
        channel = int(np.argmax(magnitudes))
        return HeardContact(
            sample=block.first_sample + frame,
            stamp_ns=block.stamp_ns + frame * NS_PER_S // self.format.sample_rate,
            channel=channel,
            level=float(magnitudes[channel]) / self.format.full_scale,
            threshold=self.settings.level,
            detector=self._digest,
        )
