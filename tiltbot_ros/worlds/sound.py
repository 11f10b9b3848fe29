"""What four contact microphones on the tray's walls hear, as an endless stream.

Impacts ring the modes of object and tray, friction hisses through the tray,
the servos whine, and every channel has its own noise floor. Nothing depends
on how the stream is cut: noise is a function of absolute time, every impact
has its own random numbers by its own running number.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiltbot_ros.settings import Settings
from tiltbot_ros.worlds.knocks import Knock
from tiltbot_ros.worlds.modes import (
    FLOOR,
    MICROPHONES_M,
    SURFACE_MODES,
    Modes,
    distance_gain,
    object_modes,
    pulse_spectrum,
    surface_modes,
)
from tiltbot_ros.worlds.noise import ColouredNoise, generator
from tiltbot_ros.worlds.objects import ObjectSpec
from tiltbot_ros.worlds.responses import (
    CHANNELS,
    ambient_response,
    decaying,
    friction_response,
    motor_response,
    pulse_s,
)
from tiltbot_ros.worlds.tray_model import SURFACES

FULL_SCALE = 32_767.0

_AMBIENT, _MOTOR, _FRICTION, _IMPACT, _PLACEMENT, _DRIFT = range(6)
_KNEE = 0.85


class SoundSettings(Settings):
    """Levels of the sound, and how much one contact differs from the next."""

    sensitivity: float = Field(
        27.0, ge=0.0, le=1000.0, description="peak of an impact beside a microphone [1/(N s)]"
    )
    mass_exponent: float = Field(
        0.35,
        ge=0.0,
        le=1.0,
        description="light objects sound (0.1 kg / mass)^this stronger per impulse: their pulses "
        "are shorter, and a contact microphone hears acceleration",
    )
    ambient_dbfs: float = Field(
        -60.0, ge=-140.0, le=0.0, description="noise floor of every channel, RMS [dBFS]"
    )
    motor_dbfs: float = Field(
        -50.0, ge=-140.0, le=0.0, description="servo noise at 1 rad/s, RMS [dBFS]"
    )
    friction_level: float = Field(
        0.02, ge=0.0, le=10.0, description="RMS of friction noise per mu N v^0.8 [1/(N (m/s)^0.8)]"
    )
    contact_gain_jitter: float = Field(
        0.15, ge=0.0, le=2.0, description="deviation of the log gain of one contact"
    )
    mode_gain_jitter: float = Field(
        0.35, ge=0.0, le=3.0, description="deviation of the log gain of one mode in one contact"
    )
    mode_frequency_jitter: float = Field(
        0.002, ge=0.0, le=0.5, description="relative deviation of a mode's frequency by contact"
    )
    placement_frequency_jitter: float = Field(
        0.004, ge=0.0, le=0.5, description="the same, drawn once each time an object is placed"
    )
    placement_gain_jitter: float = Field(
        0.10, ge=0.0, le=3.0, description="log gain deviation of object modes, once a placement"
    )
    temperature_drift: float = Field(
        0.002, ge=0.0, le=0.2, description="slow relative drift of all frequencies, over minutes"
    )
    microphone_spread_db: float = Field(
        1.0, ge=0.0, le=20.0, description="deviation between the gains of the microphones [dB]"
    )
    microphone_drift_db: float = Field(
        0.3, ge=0.0, le=20.0, description="slow drift of a microphone's gain, over minutes [dB]"
    )
    floor_coupling: float = Field(
        0.3, ge=0.0, le=1.0, description="share of a wall's impact that rings the floor"
    )
    wave_speed_m_s: float = Field(
        900.0, ge=50.0, le=10_000.0, description="of sound in the tray's plates [m/s]"
    )
    longest_ring_s: float = Field(
        0.6, ge=0.05, le=5.0, description="an impact's sound is cut after this time [s]"
    )
    tray_seed: int = Field(1, ge=0, description="which specimen of the tray this is")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """A set of modes that one knock rings.

    Attributes:
        modes: of the object or of a surface.
        share: of the knock's strength.
        point: (3,) where it is hit, in its own frame [m].
        detune: (M,) relative shift of the frequencies.
        regain: (M,) factors on the gains.
    """

    modes: Modes
    share: float
    point: NDArray[np.float64]
    detune: NDArray[np.float64]
    regain: NDArray[np.float64]


class _Drift:
    """Slow random functions of time, -1 .. 1: sums of sinusoids of minutes."""

    def __init__(self, rng: np.random.Generator, rows: int) -> None:
        self._rate = 2 * math.pi / rng.uniform(90.0, 900.0, (3, rows))
        self._phase = rng.uniform(0.0, 2 * math.pi, (3, rows))

    def at(self, time_s: float) -> NDArray[np.float64]:
        return np.asarray(np.sin(self._rate * time_s + self._phase).sum(axis=0) / 3)


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
            seed: of all that is random here.
        """
        self._settings = settings
        self._rate = sample_rate
        self._stride = frames_per_step
        self._seed = seed
        self._surfaces = [
            surface_modes(index, tray_seed=settings.tray_seed) for index in range(len(SURFACES))
        ]
        self._ambient = ColouredNoise(
            ambient_response(sample_rate), seed=seed, stream=_AMBIENT, independent=True
        )
        rng = generator(seed, _DRIFT, 0)
        self._motor = ColouredNoise(
            motor_response(sample_rate, rng), seed=seed, stream=_MOTOR, independent=False
        )
        self._motor_gain = rng.uniform(0.7, 1.0, (CHANNELS, 1)).astype(np.float32)
        self._gain_db = settings.microphone_spread_db * rng.standard_normal(CHANNELS)
        self._gain_drift = _Drift(rng, CHANNELS)
        self._temperature = _Drift(rng, 1)
        self._ramp = (np.arange(frames_per_step) / frames_per_step).astype(np.float32)
        self._object: Modes | None = None
        self._spec: ObjectSpec | None = None
        self._friction: ColouredNoise | None = None
        self._detune = np.zeros(0)
        self._regain = np.ones(0)
        self._knocks = 0
        self._phase = 0.0
        # One row a step: 4 friction gains, motor level, whine [cycles per frame], its phase.
        self._rows: deque[NDArray[np.float32]] = deque()
        self._first_step = 0
        self._tail = np.zeros((CHANNELS, 1 << 17), np.float32)
        self._tail_frame = 0

    def place(self, spec: ObjectSpec | None, *, placement: int) -> None:
        """Change the object that sounds.

        Args:
            spec: the object, or None for the empty tray.
            placement: running number of the placement, which draws its variation.
        """
        self._spec = spec
        self._object = object_modes(spec) if spec is not None else None
        self._friction = None
        if spec is None or self._object is None:
            return
        rng = generator(self._seed, _PLACEMENT, placement)
        count = len(self._object.gain)
        self._detune = self._settings.placement_frequency_jitter * rng.standard_normal(count)
        self._regain = np.exp(self._settings.placement_gain_jitter * rng.standard_normal(count))
        self._friction = ColouredNoise(
            friction_response(self._surfaces[FLOOR], self._object, spec, self._rate),
            seed=self._seed,
            stream=_FRICTION,
            independent=False,
        )

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
        rows = np.zeros((len(rate), CHANNELS + 3), np.float32)
        if self._spec is not None and friction.any():
            level = self._settings.friction_level * self._spec.contact.roughness * friction
            rows[:, :CHANNELS] = level[:, None] * distance_gain(position) * 2.0
        loud = 10.0 ** (self._settings.motor_dbfs / 20.0)
        rows[:, CHANNELS] = loud * np.sqrt(np.minimum(rate, 3.0))
        cycles = ((140.0 + 700.0 * np.minimum(rate, 3.0)) / self._rate).tolist()
        phases, phase = [], self._phase
        for value in cycles:
            phases.append(phase)
            phase = (phase + value * self._stride) % 1.0
        self._phase = phase
        rows[:, CHANNELS + 1] = cycles
        rows[:, CHANNELS + 2] = phases
        self._rows.append(rows)

    def strike(self, knock: Knock) -> tuple[int, float]:
        """Add the sound of a knock; return its peak's frame and level (0 .. 1 and above).

        Frequencies, amplitudes and the pulse's length vary from knock to
        knock as the settings say.
        """
        settings, spec, modes = self._settings, self._spec, self._object
        rng = generator(self._seed, _IMPACT, self._knocks)
        self._knocks += 1
        onset = knock.step * self._stride + int(rng.integers(self._stride))
        if spec is None or modes is None:
            return onset, 0.0
        time_s = onset / self._rate
        pulse = pulse_s(spec, knock.speed) * math.exp(0.1 * rng.standard_normal())
        warm = 1.0 + settings.temperature_drift * float(self._temperature.at(time_s)[0])
        frequencies, decays, gains = [], [], []
        for source in self._sources(spec, modes, knock):
            part, count = source.modes, len(source.modes.gain)
            jitter = settings.mode_frequency_jitter * rng.standard_normal(count)
            frequency = part.frequency_hz * warm * (1.0 + source.detune + jitter)
            gain = part.gain * part.shape_at(source.point) * pulse_spectrum(frequency, pulse)
            gain = gain * source.regain
            gain = gain * np.exp(settings.mode_gain_jitter * rng.standard_normal(count))
            frequencies.append(frequency)
            decays.append(part.decay_s)
            gains.append(source.share * gain[:, None] * part.pickup)
        strength = settings.sensitivity * knock.impulse
        strength *= (0.1 / spec.mass_kg) ** settings.mass_exponent
        strength *= math.exp(settings.contact_gain_jitter * rng.standard_normal())
        gain_c = strength * distance_gain(knock.position) * self._microphones(time_s)
        return self._ring(
            onset,
            np.concatenate(frequencies),
            np.concatenate(decays),
            (np.concatenate(gains) * gain_c).T,
            knock.position,
        )

    def _sources(self, spec: ObjectSpec, modes: Modes, knock: Knock) -> list[_Source]:
        """Return what a knock rings: the object, the surface, and through it the floor."""
        bright = spec.contact.brightness
        plain = np.zeros(SURFACE_MODES)
        sources = [
            _Source(
                modes=modes,
                share=bright,
                point=knock.point,
                detune=self._detune,
                regain=self._regain,
            )
        ]
        shares = {knock.surface: 1.0 - bright}
        if knock.surface != FLOOR:
            shares[FLOOR] = self._settings.floor_coupling * (1.0 - bright)
        sources += [
            _Source(
                modes=self._surfaces[surface],
                share=share,
                point=knock.position,
                detune=plain,
                regain=plain + 1.0,
            )
            for surface, share in shares.items()
        ]
        return sources

    def render(self, first: int, count: int) -> NDArray[np.int16]:
        """Return frames [first, first + count) as (count, 4) int16; read in order."""
        sound = self._ambient.read(first, count) * np.float32(
            10.0 ** (self._settings.ambient_dbfs / 20.0)
        )
        rows, offset = self._steps(first, count)
        friction = rows[:, :CHANNELS]
        if self._friction is not None and friction.any():
            envelope = np.stack(
                [self._spread(friction[:, c], offset, count) for c in range(CHANNELS)]
            )
            sound += envelope * self._friction.read(first, count)
        if rows[:, CHANNELS].any():
            level = self._spread(rows[:, CHANNELS], offset, count)
            hum = self._whine(rows, offset, count)
            sound += (level * self._motor_gain) * (self._motor.read(first, count) + hum)
        start = first - self._tail_frame
        sound += self._tail[:, start : start + count]
        self._advance_tail(first + count)
        return _to_int16(sound)

    def _microphones(self, time_s: float) -> NDArray[np.float64]:
        drift = self._settings.microphone_drift_db * self._gain_drift.at(time_s)
        return np.asarray(10.0 ** ((self._gain_db + drift) / 20.0))

    def _ring(
        self,
        onset: int,
        frequency: NDArray[np.float64],
        decay: NDArray[np.float64],
        gains: NDArray[np.float64],
        position: NDArray[np.float64],
    ) -> tuple[int, float]:
        """Add decaying sinusoids to the tail; gains (4, M)."""
        loudest = np.abs(gains).max(axis=0)
        audible = 8e-6  # a quarter of the last bit
        life_s = np.log(np.maximum(loudest / audible, 1.0)) / decay
        life_s = np.minimum(life_s, self._settings.longest_ring_s)
        distance = np.linalg.norm(position - MICROPHONES_M, axis=1)
        delay = np.rint(distance / self._settings.wave_speed_m_s * self._rate).astype(int)
        start = onset - self._tail_frame
        peak, peak_frame = 0.0, onset
        # Long and short modes apart: most of them are gone after 60 ms.
        short = life_s < 0.06
        waves = [
            decaying(frequency[pick], decay[pick], gains[:, pick], life_s[pick], self._rate)
            for pick in (short, ~short)
            if pick.any() and life_s[pick].max() > 0.0
        ]
        for wave in waves:
            for channel in range(CHANNELS):
                begin = start + delay[channel]
                self._tail[channel, begin : begin + wave.shape[1]] += wave[channel]
        if not waves:
            return onset, 0.0
        window = min(int(0.03 * self._rate), *(wave.shape[1] for wave in waves))
        total = np.abs(sum(wave[:, :window] for wave in waves))
        channel, frame = divmod(int(total.argmax()), window)
        peak = float(total[channel, frame])
        peak_frame = onset + int(delay[channel]) + frame
        return peak_frame, peak

    def _steps(self, first: int, count: int) -> tuple[NDArray[np.float32], int]:
        """Return the rows of the steps that cover these frames, one beyond included."""
        low, high = first // self._stride, (first + count - 1) // self._stride + 2
        if len(self._rows) > 1:
            merged = np.concatenate(self._rows)
            self._rows.clear()
            self._rows.append(merged)
        rows = self._rows[0][low - self._first_step :]
        self._first_step = low
        self._rows[0] = rows
        return rows[: high - low], first - low * self._stride

    def _spread(self, values: NDArray[np.float32], offset: int, count: int) -> NDArray[np.float32]:
        """Interpolate one value a step to one value a frame."""
        slope = values[1:] - values[:-1]
        frames = values[:-1, None] + slope[:, None] * self._ramp
        return frames.reshape(-1)[offset : offset + count]

    def _whine(self, rows: NDArray[np.float32], offset: int, count: int) -> NDArray[np.float32]:
        index = np.arange(self._stride, dtype=np.float32)
        phase = rows[:-1, CHANNELS + 2, None] + rows[:-1, CHANNELS + 1, None] * index
        turn = np.float32(2 * math.pi) * (phase.reshape(-1)[offset : offset + count] % 1.0)
        wave = np.sin(turn) + np.float32(0.5) * np.sin(np.float32(2) * turn)
        return np.float32(0.7) * wave

    def _advance_tail(self, frame: int) -> None:
        """Forget what lies before `frame`; compact when half of the buffer is spent."""
        start = frame - self._tail_frame
        size = self._tail.shape[1]
        if start < size // 2 and start + self._reach() < size:
            return
        kept = self._tail[:, start:].copy()
        need = kept.shape[1] + start
        self._tail = np.zeros((CHANNELS, max(size, need)), np.float32)
        self._tail[:, : kept.shape[1]] = kept
        self._tail_frame = frame

    def _reach(self) -> int:
        return int((self._settings.longest_ring_s + 0.2) * self._rate)

    def reserve(self, frame: int) -> None:
        """Make room for sounds that begin before `frame`."""
        need = frame - self._tail_frame + self._reach()
        if need > self._tail.shape[1]:
            grown = np.zeros((CHANNELS, need), np.float32)
            grown[:, : self._tail.shape[1]] = self._tail
            self._tail = grown


def _to_int16(sound: NDArray[np.float32]) -> NDArray[np.int16]:
    """Round to int16; above 0.85 of full scale bend towards 1, never wrap."""
    over = np.abs(sound) > _KNEE
    if over.any():
        loud = sound[over]
        excess = (np.abs(loud) - _KNEE) / (1.0 - _KNEE)
        sound[over] = np.sign(loud) * (_KNEE + (1.0 - _KNEE) * excess / (1.0 + excess))
    scaled = np.rint(sound * np.float32(FULL_SCALE))
    return np.ascontiguousarray(scaled.T.astype(np.int16))
