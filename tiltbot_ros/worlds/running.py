"""What sounds without a knock: the object that rubs on the floor, the motors that turn."""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.worlds.drift import Drift
from tiltbot_ros.worlds.impacts import PlacedObject
from tiltbot_ros.worlds.modes import Modes, distance_gain
from tiltbot_ros.worlds.noise import ColouredNoise, generator
from tiltbot_ros.worlds.responses import CHANNELS, friction_response, motor_response
from tiltbot_ros.worlds.sound_settings import SoundSettings

_MOTOR_GAIN, _MOTOR_RATE, _MOTOR_PHASE = CHANNELS, CHANNELS + 1, CHANNELS + 2
_COLUMNS = CHANNELS + 3
_FASTEST = 3.0
"""Motors get no louder above this rate [rad/s]."""

_TURN = 1 << 40
"""One turn of the motors' whine, in its smallest parts."""

_NEPER_PER_DB = math.log(10.0) / 20.0


class RunningSound:
    """Friction and motor noise with a level for every physics step."""

    def __init__(
        self,
        settings: SoundSettings,
        *,
        sample_rate: int,
        frames_per_step: int,
        seed: int,
        streams: tuple[int, int, int],
        rig: np.random.Generator,
    ) -> None:
        """Start at step 0 with an empty tray and still motors.

        Args:
            settings: levels.
            sample_rate: [Hz].
            frames_per_step: frames in one physics step.
            seed: of the noise.
            streams: numbers of the random streams of motors, friction, and its wander.
            rig: draws what belongs to the rig: motors, the tray's surface.
        """
        self._settings = settings
        self._rate = sample_rate
        self._stride = frames_per_step
        self._seed = seed
        motors, self._friction_stream, self._wander_stream = streams
        self._motor = ColouredNoise(
            motor_response(sample_rate, rig), seed=seed, stream=motors, independent=False
        )
        self._motor_gain = rig.uniform(0.7, 1.0, (CHANNELS, 1)).astype(np.float32)
        # Waves of 2.5 to 15 cm over the floor.
        angle, length = rig.uniform(0.0, math.pi, 8), rig.uniform(0.025, 0.15, 8)
        self._patches = 2 * math.pi / length * np.stack([np.cos(angle), np.sin(angle)])
        self._patch_phase = rig.uniform(0.0, 2 * math.pi, 8)
        self._ramp = (np.arange(frames_per_step) / frames_per_step).astype(np.float32)
        self._friction: ColouredNoise | None = None
        self._wander: Drift | None = None
        self._roughness = 0.0
        self._phase = 0
        self._steps = 0
        self._rows: deque[NDArray[np.float32]] = deque()
        self._first_step = 0

    def place(self, placed: PlacedObject | None, floor: Modes, *, placement: int) -> None:
        """Change the object that rubs; None is the empty tray."""
        self._friction = None
        if placed is None:
            return
        self._roughness = placed.spec.contact.roughness
        self._wander = Drift(
            generator(self._seed, self._wander_stream, placement),
            1,
            shortest_s=0.2,
            longest_s=6.0,
        )
        self._friction = ColouredNoise(
            friction_response(
                floor,
                placed.modes,
                placed.spec,
                self._rate,
                coupling=self._settings.object_coupling,
            ),
            seed=self._seed,
            stream=self._friction_stream,
            independent=False,
        )

    def push(
        self,
        friction: NDArray[np.float64],
        position: NDArray[np.float64],
        rate: NDArray[np.float64],
    ) -> None:
        """Take the next K physics steps.

        Args:
            friction: (K,) mu N v^0.8 of what slides or rolls [N (m/s)^0.8].
            position: (K, 3) where, in the tray frame [m].
            rate: (K,) absolute rate of the hinges [rad/s].
        """
        if not len(rate):
            return
        rows = np.zeros((len(rate), _COLUMNS), np.float32)
        rubs = np.flatnonzero(friction) if self._friction is not None else np.zeros(0, np.intp)
        if len(rubs):
            level = self._settings.friction_level * self._roughness * friction[rubs]
            level *= self._surface(position[rubs], self._steps + rubs)
            rows[rubs, :CHANNELS] = level[:, None] * distance_gain(position[rubs]) * 2.0
        self._steps += len(rate)
        turning = np.minimum(rate, _FASTEST)
        rows[:, _MOTOR_GAIN] = 10.0 ** (self._settings.motor_dbfs / 20.0) * np.sqrt(turning)
        cycles = (140.0 + 700.0 * turning) / self._rate
        # Whole numbers, so that the sum is the same however the steps are grouped.
        ticks = np.rint(cycles * (self._stride * _TURN)).astype(np.int64)
        ends = self._phase + np.cumsum(ticks)
        rows[:, _MOTOR_RATE] = cycles
        rows[:, _MOTOR_PHASE] = (ends - ticks) % _TURN / _TURN
        self._phase = int(ends[-1] % _TURN)
        self._rows.append(rows)

    def _surface(
        self, position: NDArray[np.float64], step: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the factors (K,) by where and when it rubs."""
        settings = self._settings
        x, y = position[:, :1], position[:, 1:2]
        turn = x * self._patches[0] + y * self._patches[1] + self._patch_phase
        db = settings.friction_patch_db * 0.5 * np.cos(turn).sum(axis=1)
        if self._wander is not None:
            time_s = np.asarray(step * (self._stride / self._rate), np.float64)
            # The sum of three sines has a deviation of 0.41.
            db += settings.friction_contact_db * 2.45 * self._wander.at(time_s)[:, 0]
        return np.asarray(np.exp(_NEPER_PER_DB * db))

    def add_to(self, sound: NDArray[np.float32], first: int) -> None:
        """Add frames [first, first + count) to `sound` (4, count); read in order."""
        count = sound.shape[1]
        rows, offset = self._cover(first, count)
        friction = rows[:, :CHANNELS]
        if self._friction is not None and friction.any():
            envelope = np.stack(
                [self._spread(friction[:, c], offset, count) for c in range(CHANNELS)]
            )
            envelope *= self._friction.read(first, count)
            sound += envelope
        if rows[:, _MOTOR_GAIN].any():
            level = self._spread(rows[:, _MOTOR_GAIN], offset, count)
            hum = self._whine(rows, offset, count)
            sound += (level * self._motor_gain) * (self._motor.read(first, count) + hum)

    def _cover(self, first: int, count: int) -> tuple[NDArray[np.float32], int]:
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
        phase = rows[:-1, _MOTOR_PHASE, None] + rows[:-1, _MOTOR_RATE, None] * index
        turn = np.float32(2 * math.pi) * (phase.reshape(-1)[offset : offset + count] % 1.0)
        wave = np.sin(turn) + np.float32(0.5) * np.sin(np.float32(2) * turn)
        return np.float32(0.7) * wave
