"""Impulse responses and pulses: the signal processing under the sound."""

import math

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.worlds.modes import MICROPHONES_M, Modes
from tiltbot_ros.worlds.noise import BLOCK
from tiltbot_ros.worlds.objects import ObjectSpec

CHANNELS = len(MICROPHONES_M)


def pulse_s(spec: ObjectSpec, speed: float) -> float:
    """Return the length of the contact pulse [s]: Hertz, mass^0.4 speed^-0.2."""
    scale = (spec.mass_kg / 0.1) ** 0.4 * (max(speed, 0.02) / 0.5) ** -0.2
    return float(np.clip(1e-3 * spec.contact.pulse_ms * scale, 1e-4, 6e-3))


def decaying(
    frequency: NDArray[np.float64],
    decay: NDArray[np.float64],
    gains: NDArray[np.float64],
    life_s: NDArray[np.float64],
    rate: int,
) -> NDArray[np.float32]:
    """Return the sum of decaying sinusoids, (4, T) float32, with gains (4, M).

    z^(256 a + b) = z^(256 a) z^b turns it into one matrix product of the
    coarse and the fine powers, some 30 times cheaper than a sine a sample.
    """
    fine = 256
    coarse = max(1, math.ceil(float(life_s.max()) * rate / fine))
    pole = (-decay + 2j * math.pi * frequency) / rate
    high = np.exp(pole[:, None] * (fine * np.arange(coarse)))
    low = np.exp(pole[:, None] * np.arange(fine)).astype(np.complex64)
    left = (gains[:, None, :] * high.T[None]).reshape(CHANNELS * coarse, -1)
    left = left.astype(np.complex64)
    wave = np.concatenate([left.real, left.imag], axis=1) @ np.concatenate([low.imag, low.real])
    return np.asarray(wave.reshape(CHANNELS, coarse * fine), np.float32)


def _normalised(response: NDArray[np.float64]) -> NDArray[np.float32]:
    """Scale each row to unit energy: unit white noise comes out with unit deviation."""
    energy = np.sqrt((response**2).sum(axis=1, keepdims=True))
    return np.asarray(response / energy, np.float32)


def ambient_response(rate: int) -> NDArray[np.float32]:
    """Return the colour (4, taps) of the noise floor: white over a rise towards 60 Hz."""
    time = np.arange(min(BLOCK, rate // 20)) / rate
    response = 0.15 * np.exp(-time / 0.002) * np.cos(2 * math.pi * 60.0 * time)
    response[0] += 1.0
    return _normalised(np.tile(response, (CHANNELS, 1)))


def motor_response(rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the colour (4, taps) of servo noise: five resonances of gears and frame."""
    time = np.arange(min(BLOCK, rate // 25)) / rate
    rows = [
        sum(
            rng.uniform(0.3, 1.0)
            * np.exp(-time * rng.uniform(150.0, 500.0))
            * np.sin(2 * math.pi * hz * time + rng.uniform(0.0, 6.28))
            for hz in (260.0, 520.0, 890.0, 1500.0, 2300.0)
        )
        for _ in range(CHANNELS)
    ]
    return _normalised(np.stack(rows))


def friction_response(
    floor: Modes, modes: Modes, spec: ObjectSpec, rate: int, *, coupling: float
) -> NDArray[np.float32]:
    """Friction excites the floor's modes, the object's modes, and hisses a little."""
    time = np.arange(min(BLOCK, rate // 20)) / rate
    response = np.zeros((CHANNELS, len(time)))
    for part, share in (
        (floor, 1.0 - spec.contact.brightness),
        (modes, coupling * spec.contact.brightness),
    ):
        for index in range(len(part.gain)):
            # Sliding contact damps what it rubs on.
            damping = 1.5 * part.decay_s[index] + 60.0
            hz = part.frequency_hz[index]
            wave = np.exp(-damping * time) * np.sin(2 * math.pi * hz * time)
            response += share * part.gain[index] * part.pickup[index][:, None] * wave
    hiss = min(1.0, 0.4 / spec.contact.pulse_ms)
    response[:, 0] += 2.0 * hiss * np.abs(response).max()
    return _normalised(response)
