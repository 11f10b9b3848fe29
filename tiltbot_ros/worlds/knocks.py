"""From contact forces to knocks: when, where, how hard, how fast."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.worlds.tray_model import SURFACES

_LEAST_SPEED = 0.01
"""A force that grows with nothing approaching is a push, not a knock [m/s]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Knock:
    """One impact of the object on a surface of the tray.

    Attributes:
        step: physics step of the first touch.
        surface: index into SURFACES.
        impulse: of the force above what was there before [N s].
        position: (3,) in the tray frame [m].
        point: (3,) in the object's frame [m].
        speed: of approach along the surface's normal at the first touch [m/s].
    """

    step: int
    surface: int
    impulse: float
    position: NDArray[np.float64]
    point: NDArray[np.float64]
    speed: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Touches:
    """What K physics steps felt, in the tray frame.

    Attributes:
        first_step: index of the first of them.
        force: (K, 5) normal force on the object by each surface [N].
        position: (K, 5, 3) centre of each contact [m].
        point: (K, 5, 3) the same in the object's frame [m].
        approach: (K, 5) speed towards each surface at the contact [m/s].
    """

    first_step: int
    force: NDArray[np.float64]
    position: NDArray[np.float64]
    point: NDArray[np.float64]
    approach: NDArray[np.float64]


class _Open:
    """A knock whose force is still acting."""

    __slots__ = ("age", "approach", "impulse", "peak", "step", "trough")

    def __init__(self, step: int, approach: float) -> None:
        self.step = step
        self.approach = approach
        self.age = 0
        self.impulse = 0.0
        self.peak = 0.0
        self.trough = 0.0


class KnockFinder:
    """Finds knocks in a stream of forces, step by step, whatever its chunks."""

    def __init__(self, *, step_s: float, longest_s: float, mass_kg: float, weight_n: float) -> None:
        """Prepare for one object.

        Args:
            step_s: physics step [s].
            longest_s: a force that lasts longer is cut here [s].
            mass_kg: of the object; knocks under 1 cm/s of it are not told.
            weight_n: force with which it rests on the level floor [N].
        """
        self._step_s = step_s
        self._longest = max(2, int(longest_s / step_s))
        self._least_impulse = 0.01 * mass_kg
        self._least_force = 0.02 * mass_kg / 0.005
        self._blend = step_s / 0.02
        self._baseline = [0.0] * len(SURFACES)
        self._baseline[-1] = weight_n
        self._open: list[_Open | None] = [None] * len(SURFACES)
        nowhere = np.zeros(3)
        self._at: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = [
            (nowhere, nowhere) for _ in SURFACES
        ]

    def feed(self, touches: Touches) -> list[Knock]:
        """Return the knocks that end within these steps, in order of their end."""
        found: list[tuple[int, Knock]] = []
        for surface in range(len(SURFACES)):
            column = touches.force[:, surface]
            if self._open[surface] is None and self._baseline[surface] < 1e-6 and not column.any():
                self._baseline[surface] = 0.0
                continue
            self._scan(surface, column.tolist(), touches, found)
        found.sort(key=lambda item: (item[0], item[1].surface))
        return [knock for _, knock in found]

    def _scan(
        self,
        surface: int,
        forces: list[float],
        touches: Touches,
        found: list[tuple[int, Knock]],
    ) -> None:
        baseline, event = self._baseline[surface], self._open[surface]
        for row, force in enumerate(forces):
            step = touches.first_step + row
            if event is None:
                if force <= 3.0 * baseline + self._least_force:
                    baseline += self._blend * (force - baseline)
                    if baseline < 1e-6:
                        baseline = 0.0
                    continue
                event = _Open(step, float(touches.approach[row, surface]))
            excess = max(0.0, force - baseline)
            event.age += 1
            event.impulse += excess * self._step_s
            if excess >= event.peak:
                event.peak, event.trough = excess, excess
                self._at[surface] = (
                    touches.position[row, surface].copy(),
                    touches.point[row, surface].copy(),
                )
            event.trough = min(event.trough, excess)
            rises = excess > 1.5 * event.trough and event.trough < 0.5 * event.peak
            if excess < 0.1 * event.peak or rises or event.age >= self._longest:
                if event.impulse >= self._least_impulse and event.approach >= _LEAST_SPEED:
                    position, point = self._at[surface]
                    knock = Knock(
                        step=event.step,
                        surface=surface,
                        impulse=event.impulse,
                        position=position,
                        point=point,
                        speed=max(event.approach, 0.0),
                    )
                    found.append((step, knock))
                if event.age >= self._longest:
                    baseline = force
                event = None
        self._baseline[surface], self._open[surface] = baseline, event
