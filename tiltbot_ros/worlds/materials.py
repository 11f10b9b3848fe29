"""How each material touches and sounds.

The numbers are mid-range values, not measurements of one specimen:

- Sliding friction is against a smooth lacquered tray, 0.10-0.20: the low end of
  what handbooks say of dry contact, because the tray must let an object slide
  at 40 % of the largest tilt (tan 0.18 rad = 0.18).
- Damping ratio of the contact with a wall, 0.15-0.6; the coefficient of
  restitution is exp(-pi z / sqrt(1 - z^2)), so 0.62 .. 0.09.
- Loss factor of vibration, 0.0015 (glass) .. 0.2 (rubber): Cremer, Heckl,
  Petersson, "Structure-Borne Sound"; the same order as the internal
  friction parameters of van den Doel and Pai, "The sounds of physical shapes".
- Wave speed: longitudinal speed of a thin bar, sqrt(E / rho) of handbooks.
- Pulse: duration of a 0.5 m/s impact of 0.1 kg on the tray's wall,
  0.2 ms (hard) .. 2.5 ms (foam), Hertz contact theory.
"""

import math
from dataclasses import dataclass

from tiltbot_ros.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """Contact and acoustic parameters of one material.

    Attributes:
        name: the name that the catalogue uses.
        friction: sliding friction coefficient against the tray, 0.10 .. 0.20.
        damping_ratio: damping ratio of a wall contact, 0.15 .. 0.6.
        loss_factor: loss factor of the object's modes, 0.0015 .. 0.2.
        wave_speed_m_s: bar wave speed [m/s].
        pulse_ms: duration of the contact pulse at 0.5 m/s and 0.1 kg [ms].
        roughness: strength of its friction noise, 0 .. 2 (1: wood).
        brightness: share of the impact that goes into the object's own modes
            rather than into the tray's, 0 .. 1.
        shininess: how glossy it renders, 0 .. 1.
    """

    name: str
    friction: float
    damping_ratio: float
    loss_factor: float
    wave_speed_m_s: float
    pulse_ms: float
    roughness: float
    brightness: float
    shininess: float

    @property
    def restitution(self) -> float:
        """Coefficient of restitution of a central hit on a wall, 0 .. 1."""
        z = self.damping_ratio
        return math.exp(-math.pi * z / math.sqrt(1.0 - z * z))


_TABLE: tuple[tuple[str, float, float, float, float, float, float, float, float], ...] = (
    # name, friction, damping, loss, wave speed, pulse, roughness, brightness, shininess
    ("steel", 0.11, 0.18, 0.0030, 5100.0, 0.22, 0.9, 0.70, 0.9),
    ("aluminium", 0.12, 0.20, 0.0040, 5000.0, 0.25, 0.9, 0.70, 0.8),
    ("tinplate", 0.12, 0.24, 0.0090, 5000.0, 0.30, 1.0, 0.65, 0.7),
    ("glass", 0.10, 0.17, 0.0015, 5300.0, 0.22, 0.6, 0.75, 1.0),
    ("ceramic", 0.11, 0.20, 0.0040, 4600.0, 0.25, 0.8, 0.70, 0.6),
    ("stone", 0.13, 0.22, 0.0080, 4000.0, 0.25, 1.3, 0.50, 0.2),
    ("wood", 0.13, 0.30, 0.0200, 3800.0, 0.45, 1.0, 0.50, 0.2),
    ("cork", 0.16, 0.45, 0.1000, 500.0, 1.20, 1.1, 0.25, 0.0),
    ("plastic", 0.12, 0.26, 0.0300, 1900.0, 0.50, 0.8, 0.50, 0.5),
    ("rubber", 0.20, 0.28, 0.2000, 200.0, 1.40, 0.7, 0.20, 0.1),
    ("leather", 0.16, 0.35, 0.1200, 350.0, 1.10, 0.9, 0.25, 0.2),
    ("felt", 0.17, 0.32, 0.1500, 250.0, 1.50, 1.2, 0.15, 0.0),
    ("cardboard", 0.14, 0.42, 0.0600, 1500.0, 0.90, 1.2, 0.40, 0.1),
    ("foam", 0.18, 0.60, 0.1500, 300.0, 2.50, 0.8, 0.15, 0.0),
    ("fruit", 0.15, 0.38, 0.1000, 600.0, 0.90, 0.6, 0.30, 0.4),
)

MATERIALS: dict[str, Material] = {
    name: Material(
        name=name,
        friction=friction,
        damping_ratio=damping,
        loss_factor=loss,
        wave_speed_m_s=speed,
        pulse_ms=pulse,
        roughness=rough,
        brightness=bright,
        shininess=shine,
    )
    for name, friction, damping, loss, speed, pulse, rough, bright, shine in _TABLE
}


def material(name: str) -> Material:
    """Return the material of that name.

    Raises:
        ConfigError: there is none; the message lists those there are.
    """
    try:
        return MATERIALS[name]
    except KeyError:
        raise ConfigError(
            f"expected a material of {', '.join(sorted(MATERIALS))}; got {name!r}"
        ) from None
