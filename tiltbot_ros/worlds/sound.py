"""What four contact microphones on the tray's walls hear, as an endless stream.

Impacts ring the modes of object and tray, friction hisses through the tray,
the servos whine, and every channel has its own noise floor. Nothing depends
on how the stream is cut: noise is a function of absolute time, every impact
has its own random numbers by its own running number.
"""

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.worlds.drift import Drift
from tiltbot_ros.worlds.impacts import PlacedObject, Ringing, Tray
from tiltbot_ros.worlds.knocks import Knock
from tiltbot_ros.worlds.modes import FLOOR
from tiltbot_ros.worlds.noise import ColouredNoise, generator
from tiltbot_ros.worlds.objects import ObjectSpec
from tiltbot_ros.worlds.responses import CHANNELS, ambient_response
from tiltbot_ros.worlds.ring_buffer import RingBuffer
from tiltbot_ros.worlds.running import RunningSound
from tiltbot_ros.worlds.sound_settings import SoundSettings

__all__ = ["SoundSettings", "SoundSynthesizer"]

FULL_SCALE = 32_767.0

_AMBIENT, _MOTOR, _FRICTION, _IMPACT, _PLACEMENT, _DRIFT, _WANDER, _RIG = range(8)
_KNEE = 0.85


class SoundSynthesizer:
    """Turns knocks, friction and servo rates into four channels of int16."""

    def __init__(
        self, settings: SoundSettings, *, sample_rate: int, frames_per_step: int, seed: int
    ) -> None:
        """Start at frame 0, with an empty tray.

        Args:
            settings: levels and variation.
            sample_rate: frames per second [Hz].
            frames_per_step: frames in one physics step.
            seed: of all that is random here but the rig itself.
        """
        self._settings = settings
        self._rate = sample_rate
        self._stride = frames_per_step
        self._seed = seed
        self._tray = Tray(settings)
        self._ambient = ColouredNoise(
            ambient_response(sample_rate), seed=seed, stream=_AMBIENT, independent=True
        )
        self._ambient_level = np.float32(10.0 ** (settings.ambient_dbfs / 20.0))
        rig = generator(settings.tray_seed, _RIG, 0)
        self._gain_db = settings.microphone_spread_db * rig.standard_normal(CHANNELS)
        self._running = RunningSound(
            settings,
            sample_rate=sample_rate,
            frames_per_step=frames_per_step,
            seed=seed,
            streams=(_MOTOR, _FRICTION, _WANDER),
            rig=rig,
        )
        day = generator(seed, _DRIFT, 0)
        self._gain_drift = Drift(day, CHANNELS, shortest_s=90.0, longest_s=900.0)
        self._temperature = Drift(day, 1, shortest_s=90.0, longest_s=900.0)
        self._ringing = RingBuffer(
            sample_rate=sample_rate,
            wave_speed_m_s=settings.wave_speed_m_s,
            longest_s=settings.longest_ring_s,
        )
        self._placed: PlacedObject | None = None
        self._knocks = 0

    def place(self, spec: ObjectSpec | None, *, placement: int) -> None:
        """Change the object that sounds.

        Args:
            spec: the object, or None for the empty tray.
            placement: running number of the placement, which draws its variation.
        """
        self._placed = None
        if spec is not None:
            rng = generator(self._seed, _PLACEMENT, placement)
            self._placed = PlacedObject(spec, self._settings, rng)
        self._running.place(self._placed, self._tray.surfaces[FLOOR], placement=placement)

    def push(
        self,
        friction: NDArray[np.float64],
        position: NDArray[np.float64],
        rate: NDArray[np.float64],
    ) -> None:
        """Tell what the next K physics steps do without a knock.

        Args:
            friction: (K,) mu N v^0.8 of what slides or rolls [N (m/s)^0.8].
            position: (K, 3) where, in the tray frame [m].
            rate: (K,) absolute rate of the hinges [rad/s].
        """
        self._running.push(friction, position, rate)

    def strike(self, knock: Knock) -> tuple[int, float]:
        """Add the sound of a knock; return its peak's frame and level (0 .. 1 and above)."""
        rng = generator(self._seed, _IMPACT, self._knocks)
        self._knocks += 1
        onset = knock.step * self._stride + int(rng.integers(self._stride))
        if self._placed is None:
            return onset, 0.0
        time_s = onset / self._rate
        warmth = float(self._temperature.at(time_s)[0])
        heard = self._tray.strike(self._placed, knock, rng, warmth=warmth)
        drift_db = self._settings.microphone_drift_db * self._gain_drift.at(time_s)
        gain = 10.0 ** ((self._gain_db + drift_db) / 20.0)
        heard = Ringing(
            frequency_hz=heard.frequency_hz,
            decay_s=heard.decay_s,
            gains=heard.gains * gain[:, None],
        )
        return self._ringing.add(onset, heard, knock.position)

    def render(self, first: int, count: int) -> NDArray[np.int16]:
        """Return frames [first, first + count) as (count, 4) int16; read in order."""
        sound = self._ambient.read(first, count) * self._ambient_level
        self._running.add_to(sound, first)
        sound += self._ringing.take(first, count)
        return _to_int16(sound)

    def reserve(self, frame: int) -> None:
        """Make room for sounds that begin before `frame`."""
        self._ringing.reserve(frame)


def _to_int16(sound: NDArray[np.float32]) -> NDArray[np.int16]:
    """Round to int16; above 0.85 of full scale bend towards 1, never wrap."""
    over = np.abs(sound) > _KNEE
    if over.any():
        loud = sound[over]
        excess = (np.abs(loud) - _KNEE) / (1.0 - _KNEE)
        sound[over] = np.sign(loud) * (_KNEE + (1.0 - _KNEE) * excess / (1.0 + excess))
    scaled = np.rint(sound * np.float32(FULL_SCALE))
    return np.ascontiguousarray(scaled.T.astype(np.int16))
