"""The modes that ring: of objects, and of the tray's five surfaces.

A mode is a decaying sinusoid. An impact gives each mode an amplitude by where
it hits (the mode's shape there) and how long it lasts (the spectrum of its
force pulse); a microphone hears it by its place. The recipe is that of modal
sound synthesis (van den Doel and Pai, "The sounds of physical shapes", 1998).
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.worlds.objects import ObjectSpec
from tiltbot_ros.worlds.tray_model import INNER_M, SURFACES

LOWEST_HZ, HIGHEST_HZ = 180.0, 6000.0
"""Range of an object's first mode [Hz]."""

OBJECT_MODES = 8
SURFACE_MODES = 24
FLOOR = SURFACES.index("floor")

_RATIOS = {
    # Free-free bar (Euler-Bernoulli: 1, 2.76, 5.40, 8.93), others between for torsion.
    "bar": (1.0, 1.58, 2.76, 3.40, 5.40, 6.60, 8.93, 11.0),
    # Free plate: the order of a square one, the upper ones filled in.
    "plate": (1.0, 1.45, 1.81, 2.59, 4.55, 5.2, 5.9, 7.1),
    # Thin shell: closely spaced.
    "shell": (1.0, 1.36, 1.72, 2.20, 2.65, 3.30, 3.90, 4.80),
    "compact": (1.0, 1.19, 1.41, 1.63, 1.88, 2.14, 2.43, 2.80),
}
_MICROPHONE_HEIGHT_M = 0.025

MICROPHONES_M: NDArray[np.float64] = np.array(
    [
        [INNER_M / 2, 0.0, _MICROPHONE_HEIGHT_M],
        [0.0, INNER_M / 2, _MICROPHONE_HEIGHT_M],
        [-INNER_M / 2, 0.0, _MICROPHONE_HEIGHT_M],
        [0.0, -INNER_M / 2, _MICROPHONE_HEIGHT_M],
    ]
)
"""Positions (4, 3) of the microphones in the tray frame [m]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Modes:
    """A set of modes.

    Attributes:
        frequency_hz: (M,) [Hz].
        decay_s: (M,) decay rates [1/s].
        gain: (M,) relative strengths, their absolute values sum to 1.
        wave: (M, 3) wave vectors of the mode shapes [rad/m].
        phase: (M, 3) phases of the mode shapes [rad].
        pickup: (M, 4) what each microphone hears of a mode, -1 .. 1.
    """

    frequency_hz: NDArray[np.float64]
    decay_s: NDArray[np.float64]
    gain: NDArray[np.float64]
    wave: NDArray[np.float64]
    phase: NDArray[np.float64]
    pickup: NDArray[np.float64]

    def shape_at(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the strength (M,) with which a force at `point` (3,) [m] excites each mode.

        Never quite zero: a contact is an area, and a real node line is not sharp.
        """
        wave = np.prod(np.cos(self.wave * point + self.phase), axis=1)
        return np.asarray(np.sign(wave) * (0.1 + 0.9 * np.abs(wave)))


def _stable_rng(text: str, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{text}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def first_mode_hz(spec: ObjectSpec) -> float:
    """Return the frequency of an object's first mode [Hz], inside 180 .. 6000 Hz.

    Solid: c h / a^2 with longest side a and shortest h, the bending mode of a
    free bar; for a compact body that is c / a. Hollow: 0.006 c / b, a shell
    whose wall is about 1 % of its width b. Logistic compression keeps the
    audible order while no object leaves the range.
    """
    sides = sorted(_extents(spec))
    speed = spec.contact.wave_speed_m_s
    raw = 0.006 * speed / sides[1] if spec.hollow else speed * sides[0] / sides[2] ** 2
    place = 1.0 / (1.0 + math.exp(-math.log(raw / 1800.0) / 1.6))
    return float(LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** place)


def _extents(spec: ObjectSpec) -> tuple[float, float, float]:
    size = spec.size_m
    if spec.shape == "sphere":
        return size[0], size[0], size[0]
    if spec.shape in ("cylinder", "capsule", "bottle", "mug", "bowl"):
        return size[0], size[0], size[1]
    if spec.shape == "ring":
        return size[0], min(size[1], size[2]), max(size[1], size[2])
    return size[0], size[1], size[2]


def _family(spec: ObjectSpec) -> str:
    if spec.hollow:
        return "shell"
    sides = sorted(_extents(spec))
    if sides[2] > 3.0 * sides[1]:
        return "bar"
    return "plate" if sides[2] > 3.0 * sides[0] else "compact"


def object_modes(spec: ObjectSpec) -> Modes:
    """Return the eight modes of an object; alike objects (`acoustic_key`) have the same."""
    rng = _stable_rng(spec.acoustic_key, 0)
    ratio = np.array(_RATIOS[_family(spec)]) * rng.normal(1.0, 0.03, OBJECT_MODES)
    frequency = first_mode_hz(spec) * ratio
    loss = spec.contact.loss_factor
    gain = rng.uniform(0.5, 1.0, OBJECT_MODES) / np.sqrt(np.arange(1, OBJECT_MODES + 1))
    gain[frequency > 16_000.0] = 0.0
    half = np.array(_extents(spec)) / 2
    return Modes(
        frequency_hz=frequency,
        decay_s=math.pi * frequency * loss + rng.uniform(12.0, 32.0, OBJECT_MODES),
        gain=gain / gain.sum(),
        wave=rng.uniform(0.5, 2.5, (OBJECT_MODES, 3)) / half,
        phase=rng.uniform(-0.6, 0.6, (OBJECT_MODES, 3)),
        pickup=rng.choice([-1.0, 1.0], (OBJECT_MODES, 4))
        * rng.uniform(0.7, 1.0, (OBJECT_MODES, 4)),
    )


def surface_modes(surface: int, *, tray_seed: int) -> Modes:
    """Return the 24 modes of a surface of the tray (index into SURFACES).

    Floor 140 .. 3000 Hz, walls 300 .. 6000 Hz, loss factor 0.03.
    """
    rng = _stable_rng(SURFACES[surface], tray_seed)
    low, high = (140.0, 3000.0) if surface == FLOOR else (300.0, 6000.0)
    frequency = np.geomspace(low, high, SURFACE_MODES) * rng.normal(1.0, 0.03, SURFACE_MODES)
    gain = rng.uniform(0.4, 1.0, SURFACE_MODES) * (frequency / low) ** -0.25
    wave = rng.integers(1, 6, (SURFACE_MODES, 3)).astype(np.float64) * (math.pi / INNER_M)
    pickup = rng.choice([-1.0, 1.0], (SURFACE_MODES, 4)) * rng.uniform(0.5, 1.0, (SURFACE_MODES, 4))
    return Modes(
        frequency_hz=frequency,
        decay_s=math.pi * 0.03 * frequency + 8.0,
        gain=gain / gain.sum(),
        wave=wave,
        phase=rng.uniform(-math.pi / 2, math.pi / 2, (SURFACE_MODES, 3)),
        pickup=pickup,
    )


def pulse_spectrum(frequency_hz: NDArray[np.float64], duration_s: float) -> NDArray[np.float64]:
    """Return the spectrum of a half-sine pulse, 1 at frequency 0."""
    product = 2.0 * frequency_hz * duration_s
    near = np.abs(product - 1.0) < 1e-3
    safe = np.where(near, 0.5, product)
    value = np.abs(np.cos(math.pi * safe / 2) / (1.0 - safe**2))
    # The nulls of an ideal half sine are filled: no real pulse is that regular.
    envelope = 1.0 / (1.0 + product**2)
    return np.asarray(np.where(near, math.pi / 4, 0.7 * value + 0.3 * envelope))


def distance_gain(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each microphone hears from a place: (..., 4), 1 at the microphone.

    0.04 / (0.04 + distance): spreading in the tray's plates.
    """
    distance = np.linalg.norm(points[..., None, :] - MICROPHONES_M, axis=-1)
    return np.asarray(0.04 / (0.04 + distance))
