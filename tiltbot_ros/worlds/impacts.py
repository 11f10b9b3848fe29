"""What one knock rings: frequencies, decay rates, and gains at each microphone.

A knock excites modes of the object, of the surface it hits and, through it, of
the floor. Where it hits and how fast decides most; the rest, which no rigid
body knows, is drawn for every knock: the radius of what touches (the pulse),
how firmly the object rests while it rings (damping, a shift of its
frequencies), and the way of each mode through the plates to each microphone.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.worlds.knocks import Knock
from tiltbot_ros.worlds.modes import (
    FLOOR,
    Modes,
    distance_gain,
    object_modes,
    pulse_spectrum,
    surface_modes,
)
from tiltbot_ros.worlds.objects import ObjectSpec
from tiltbot_ros.worlds.responses import CHANNELS, pulse_s
from tiltbot_ros.worlds.sound_settings import SoundSettings
from tiltbot_ros.worlds.tray_model import SURFACES

_NEPER_PER_DB = math.log(10.0) / 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Ringing:
    """Decaying sinusoids that begin together.

    Attributes:
        frequency_hz: (M,) [Hz].
        decay_s: (M,) decay rates [1/s].
        gains: (4, M) amplitudes on each microphone, full scale is 1.
    """

    frequency_hz: NDArray[np.float64]
    decay_s: NDArray[np.float64]
    gains: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A set of modes that one knock rings.

    Attributes:
        modes: of the object or of a surface.
        shape: (M,) how strongly the place of the hit excites each.
        share: of the knock's strength.
    """

    modes: Modes
    shape: NDArray[np.float64]
    share: float


class PlacedObject:
    """An object as it was placed: its modes, a little off those of the last placement."""

    def __init__(self, spec: ObjectSpec, settings: SoundSettings, rng: np.random.Generator) -> None:
        """Draw what differs from placement to placement."""
        self.spec = spec
        modes = object_modes(spec)
        count = len(modes.gain)
        detune = settings.placement_frequency_jitter * rng.standard_normal(count)
        regain = np.exp(settings.placement_gain_jitter * rng.standard_normal(count))
        self.modes = Modes(
            frequency_hz=modes.frequency_hz * (1.0 + detune),
            decay_s=modes.decay_s,
            gain=modes.gain * regain,
            wave=modes.wave,
            phase=modes.phase,
            pickup=modes.pickup,
        )


class Tray:
    """The five surfaces of one specimen of the tray, and how they are struck."""

    def __init__(self, settings: SoundSettings) -> None:
        """Draw the specimen that the settings name."""
        self._settings = settings
        self.surfaces = [
            surface_modes(index, tray_seed=settings.tray_seed) for index in range(len(SURFACES))
        ]

    def strike(
        self, placed: PlacedObject, knock: Knock, rng: np.random.Generator, *, warmth: float
    ) -> Ringing:
        """Return what a knock rings.

        Args:
            placed: the object.
            knock: of it.
            rng: of this knock alone.
            warmth: temperature now, -1 .. 1.
        """
        settings, spec = self._settings, placed.spec
        parts = self._parts(
            placed, knock, np.exp(settings.coupling_jitter * rng.standard_normal(3))
        )
        frequency = np.concatenate([part.modes.frequency_hz for part in parts])
        decay = np.concatenate([part.modes.decay_s for part in parts])
        gain = np.concatenate([part.share * part.modes.gain * part.shape for part in parts])
        pickup = np.concatenate([part.modes.pickup for part in parts])
        count, own = len(gain), len(placed.modes.gain)
        shift = settings.mode_frequency_jitter * rng.standard_normal(count)
        shift += settings.temperature_drift * warmth
        firmness = rng.standard_normal() + rng.standard_normal(own)
        firmness *= settings.damping_jitter / math.sqrt(2.0)
        decay[:own] += settings.contact_damping * np.exp(firmness)
        pulse = pulse_s(spec, knock.speed) * math.exp(settings.pulse_jitter * rng.standard_normal())
        gain = gain * pulse_spectrum(frequency, pulse)
        gain = gain * np.exp(settings.mode_gain_jitter * rng.standard_normal(count))
        strength = settings.sensitivity * knock.impulse
        strength *= (0.1 / spec.mass_kg) ** settings.mass_exponent
        strength *= math.exp(settings.contact_gain_jitter * rng.standard_normal())
        near = distance_gain(knock.position)
        # Beside a microphone the direct way counts, far off the plates' reverberation.
        path = settings.path_spread_db * _NEPER_PER_DB * rng.standard_normal((count, CHANNELS))
        gains = strength * gain[:, None] * pickup * np.exp((1.0 - near) * path) * near
        return Ringing(
            frequency_hz=frequency * np.maximum(1.0 + shift, 0.1), decay_s=decay, gains=gains.T
        )

    def _parts(
        self, placed: PlacedObject, knock: Knock, coupling: NDArray[np.float64]
    ) -> list[_Part]:
        """Return what a knock rings: the object, the surface, and through it the floor."""
        settings, bright = self._settings, placed.spec.contact.brightness
        rung = [
            (placed.modes, knock.point, settings.object_coupling * bright),
            (self.surfaces[knock.surface], knock.position, 1.0 - bright),
        ]
        if knock.surface != FLOOR:
            share = settings.floor_coupling * (1.0 - bright)
            rung.append((self.surfaces[FLOOR], knock.position, share))
        return [
            _Part(modes=modes, shape=modes.shape_at(point), share=share * float(factor))
            for (modes, point, share), factor in zip(rung, coupling, strict=False)
        ]
