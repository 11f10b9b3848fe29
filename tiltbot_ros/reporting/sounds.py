"""The sound of an episode for a browser: one microphone, compact, loud enough to hear."""

import io
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

from tiltbot_ros.pictures.sound import Waves

_RATE_HZ = 22_050
_MOST_GAIN_DB = 40.0
_PEAK = 0.89
"""Where the loudest sample ends up, of full scale: about -1 dB."""

_PERIODS = 8

_ROUGHNESS = 0.6
"""Of Ogg Vorbis, 0 best .. 1 smallest: 4 s become about 24 kB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """What a browser plays.

    Attributes:
        data: an Ogg Vorbis or FLAC file.
        type: its media type.
        start_s: time of its first frame from the contact [s].
        seconds: its length [s].
        gain_db: how much louder than recorded it is [dB].
        microphone: whose sound it is.
        what: how it is coded, in words.
    """

    data: bytes
    type: str
    start_s: float
    seconds: float
    gain_db: float
    microphone: str
    what: str


def encode(heard: Waves, *, channel: int, name: str, kind: Literal["ogg", "flac"]) -> Sound:
    """Return one microphone's sound, its peak brought to -1 dBFS by at most 40 dB.

    Ogg Vorbis is lossy and resampled to about 22 kHz where the recording has
    more; FLAC keeps rate and, but for the gain, every sample to 16 bits.
    Holes are silent.

    Args:
        heard: of an episode.
        channel: index of the microphone.
        name: of the microphone.
        kind: how it is coded.
    """
    samples: npt.NDArray[np.float32] = np.nan_to_num(heard.samples[:, channel])
    rate = heard.sample_rate
    if kind == "ogg" and rate >= 2 * _RATE_HZ:
        parts = rate // _RATE_HZ
        rate //= parts
        samples = _every(samples, parts)
    peak = max(float(np.abs(samples).max()), 1e-9)
    gain_db = min(20 * math.log10(_PEAK / peak), _MOST_GAIN_DB)
    samples = samples * np.float32(10 ** (gain_db / 20))
    file = io.BytesIO()
    if kind == "ogg":
        soundfile.write(
            file, samples, rate, format="OGG", subtype="VORBIS", compression_level=_ROUGHNESS
        )
    else:
        soundfile.write(file, samples, rate, format="FLAC", subtype="PCM_16")
    coded = "Ogg Vorbis" if kind == "ogg" else "FLAC"
    return Sound(
        data=file.getvalue(),
        type="audio/ogg" if kind == "ogg" else "audio/flac",
        start_s=heard.start_s,
        seconds=len(samples) / rate,
        gain_db=gain_db,
        microphone=name,
        what=f"1 of {heard.samples.shape[1]} microphones, {rate / 1000:g} kHz, {coded}",
    )


def _every(samples: npt.NDArray[np.float32], parts: int) -> npt.NDArray[np.float32]:
    """Return a sound at a whole fraction of its rate, through a windowed sinc of 16 periods."""
    reach = _PERIODS * parts
    place = np.arange(-reach, reach + 1)
    taps = np.sinc(place / parts) * np.cos(np.pi / 2 * place / (reach + 1)) ** 2
    taps = (taps / taps.sum()).astype(np.float32)
    padded = np.pad(samples, reach)
    count = len(samples) // parts
    found = np.zeros(count, np.float32)
    for at, tap in enumerate(taps):
        found += tap * padded[at : at + count * parts : parts]
    return found
