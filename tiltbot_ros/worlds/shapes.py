"""Objects as primitives: what MuJoCo collides, weighs and draws.

Every object is described in its resting pose: z up, the centre of its bounding
box in the origin. `shrink` parts of a compound overlap a little, so that no
gap shows.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.worlds.objects import ObjectSpec

UPRIGHT = (1.0, 0.0, 0.0, 0.0)
ALONG_X = (math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0)
"""Quaternion (w, x, y, z) that lays an axis of z along x."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One primitive of an object.

    Attributes:
        kind: the primitive.
        size: MuJoCo's half sizes [m]: box (x, y, z), sphere (radius,),
            cylinder and capsule (radius, half length), ellipsoid (x, y, z).
        position: centre in the object's frame [m].
        quaternion: orientation in the object's frame (w, x, y, z).
        share: its share of the object's mass, before normalisation.
        accent: drawn in the accent colour.
        touches: what it collides with; "none" is only drawn.
        drawn: seen by cameras; otherwise it only collides.
    """

    kind: Literal["box", "sphere", "cylinder", "capsule", "ellipsoid"]
    size: tuple[float, ...]
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quaternion: tuple[float, float, float, float] = UPRIGHT
    share: float = 1.0
    accent: bool = False
    touches: Literal["all", "floor", "none"] = "all"
    drawn: bool = True


def parts_of(spec: ObjectSpec) -> tuple[Part, ...]:
    """Return the primitives of an object in its resting pose."""
    parts = _BUILDERS[spec.shape](spec)
    parts = tuple(piece for part in parts for piece in _footed(part))
    return tuple(_lay(part) for part in parts) if spec.lying else parts


def half_extents(parts: tuple[Part, ...]) -> NDArray[np.float64]:
    """Return the half extents (3,) of the bounding box of all parts [m]."""
    extent = np.zeros(3)
    for part in parts:
        extent = np.maximum(extent, np.abs(part.position) + _reach(part))
    return extent


def _reach(part: Part) -> NDArray[np.float64]:
    w, x, y, z = part.quaternion
    matrix = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    if part.kind == "sphere":
        return np.full(3, part.size[0])
    if part.kind == "box":
        return np.asarray(np.abs(matrix) @ np.array(part.size), np.float64)
    if part.kind == "ellipsoid":
        return np.asarray(np.sqrt((matrix**2) @ np.array(part.size) ** 2))
    radius, half = part.size
    axis = np.abs(matrix[:, 2])
    if part.kind == "capsule":
        return np.asarray(radius + axis * half, np.float64)
    return np.asarray(axis * half + radius * np.sqrt(np.maximum(0.0, 1 - axis**2)))


def _footed(part: Part) -> tuple[Part, ...]:
    """Stand a cylinder on small spheres along its rims.

    The flat end of a cylinder on a box has one or two contact points that
    wander from step to step, and a standing can would rattle without cause.
    The cylinder is shortened by half a millimetre at either end, and eight
    spheres on each rim carry it on the floor.
    """
    if part.kind != "cylinder" or part.touches != "all" or part.quaternion != UPRIGHT:
        return (part,)
    radius, half = part.size
    foot = min(0.001, half / 4)
    x, y, z = part.position
    feet = tuple(
        Part(
            kind="sphere",
            size=(foot,),
            position=(
                x + 0.97 * (radius - foot) * math.cos(angle),
                y + 0.97 * (radius - foot) * math.sin(angle),
                z + side * (half - foot),
            ),
            share=0.0,
            touches="floor",
            drawn=False,
        )
        for side in (-1.0, 1.0)
        for angle in (math.pi / 4 * index for index in range(8))
    )
    hull = replace(part, size=(radius, half - foot / 2), drawn=False)
    seen = replace(part, share=0.0, touches="none") if part.drawn else None
    return (hull, *feet, *((seen,) if seen else ()))


def _lay(part: Part) -> Part:
    """Turn a part by 90 degrees about y: what was up points along x."""
    x, y, z = part.position
    w1, x1, y1, z1 = ALONG_X
    w2, x2, y2, z2 = part.quaternion
    turned = (
        w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
        w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
        w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
        w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
    )
    return replace(part, position=(z, y, -x), quaternion=turned)


def _box(spec: ObjectSpec) -> tuple[Part, ...]:
    x, y, z = (side / 2 for side in spec.size_m)
    body = Part(kind="box", size=(x, y, z))
    if not spec.accent:
        return (body,)
    # A printed band around the box; drawn only, 0.2 mm proud of it.
    proud = 0.0002
    band = Part(
        kind="box", size=(x + proud, y + proud, z * 0.45), share=0.0, accent=True, touches="none"
    )
    cap = Part(
        kind="box", size=(x * 0.6, y * 0.6, z + proud), share=0.0, accent=True, touches="none"
    )
    return (body, band, cap)


def _sphere(spec: ObjectSpec) -> tuple[Part, ...]:
    radius = spec.size_m[0] / 2
    body = Part(kind="sphere", size=(radius,))
    if not spec.accent:
        return (body,)
    seam = Part(
        kind="cylinder",
        size=(radius * 1.005, radius * 0.06),
        share=0.0,
        accent=True,
        touches="none",
    )
    return (body, seam)


def _ellipsoid(spec: ObjectSpec) -> tuple[Part, ...]:
    x, y, z = (side / 2 for side in spec.size_m)
    return (Part(kind="ellipsoid", size=(x, y, z)),)


def _cylinder(spec: ObjectSpec) -> tuple[Part, ...]:
    radius, half = spec.size_m[0] / 2, spec.size_m[1] / 2
    body = Part(kind="cylinder", size=(radius, half))
    if not spec.accent:
        return (body,)
    lid = Part(
        kind="cylinder",
        size=(radius * 0.9, 0.0003),
        position=(0.0, 0.0, half),
        share=0.0,
        accent=True,
        touches="none",
    )
    label = Part(
        kind="cylinder", size=(radius + 0.0002, half * 0.3), share=0.0, accent=True, touches="none"
    )
    return (body, lid, replace(lid, position=(0.0, 0.0, -half)), label)


def _capsule(spec: ObjectSpec) -> tuple[Part, ...]:
    radius, half = spec.size_m[0] / 2, spec.size_m[1] / 2
    body = Part(kind="capsule", size=(radius, half - radius))
    if not spec.accent:
        return (body,)
    lid = Part(
        kind="cylinder",
        size=(radius + 0.0003, radius * 0.5),
        position=(0.0, 0.0, half - 2 * radius),
        share=0.0,
        accent=True,
        touches="none",
    )
    return (body, lid)


def _bottle(spec: ObjectSpec) -> tuple[Part, ...]:
    radius, half = spec.size_m[0] / 2, spec.size_m[1] / 2
    belly, neck = half * 0.78, half * 0.22
    return (
        Part(kind="cylinder", size=(radius, belly), position=(0, 0, belly - half), share=0.9),
        Part(
            kind="cylinder",
            size=(radius * 0.6, neck),
            position=(0, 0, half - neck),
            share=0.1,
            accent=True,
        ),
    )


def _wall_ring(
    radius: float, half_thickness: float, half_height: float, count: int
) -> tuple[Part, ...]:
    """Return drawn boxes around a circle whose outer faces touch `radius`.

    A round hull collides in their place: nothing ever gets inside, and one
    cylinder costs a tenth of the contacts of twelve boxes.
    """
    middle = radius - half_thickness
    half_length = radius * math.tan(math.pi / count) * 1.02
    return tuple(
        Part(
            kind="box",
            size=(half_thickness, half_length, half_height),
            position=(middle * math.cos(angle), middle * math.sin(angle), 0.0),
            quaternion=(math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2)),
            share=0.0,
            touches="none",
        )
        for angle in (2 * math.pi * index / count for index in range(count))
    )


def _hull(radius: float, half_height: float, height: float = 0.0, share: float = 1.0) -> Part:
    return Part(
        kind="cylinder",
        size=(radius, half_height),
        position=(0.0, 0.0, height),
        share=share,
        drawn=False,
    )


def _ring(spec: ObjectSpec) -> tuple[Part, ...]:
    diameter, rim, height = spec.size_m
    seen = _wall_ring(diameter / 2, rim / 2, height / 2, 16)
    return (_hull(diameter / 2, height / 2), *seen)


def _mug(spec: ObjectSpec) -> tuple[Part, ...]:
    radius, half = spec.size_m[0] / 2, spec.size_m[1] / 2
    handle = Part(
        kind="box",
        size=(0.012, 0.005, half * 0.55),
        position=(radius + 0.010, 0.0, 0.0),
        share=0.1,
        accent=True,
    )
    base = Part(
        kind="cylinder",
        size=(radius * 0.96, 0.003),
        position=(0.0, 0.0, 0.003 - half),
        share=0.0,
        touches="none",
    )
    return (_hull(radius, half, share=0.9), handle, base, *_wall_ring(radius, 0.003, half, 16))


def _bowl(spec: ObjectSpec) -> tuple[Part, ...]:
    """A narrow foot under a wide rim."""
    radius, half = spec.size_m[0] / 2, spec.size_m[1] / 2
    foot = Part(
        kind="cylinder",
        size=(radius * 0.72, half * 0.4),
        position=(0.0, 0.0, -half * 0.6),
        share=0.4,
        accent=True,
    )
    floor = Part(
        kind="cylinder",
        size=(radius * 0.97, 0.003),
        position=(0.0, 0.0, -half * 0.2),
        share=0.0,
        touches="none",
    )
    rim = tuple(
        replace(part, position=(part.position[0], part.position[1], half * 0.4))
        for part in _wall_ring(radius, 0.005, half * 0.6, 16)
    )
    return (_hull(radius, half * 0.6, half * 0.4, share=0.6), foot, floor, *rim)


def _ell(spec: ObjectSpec) -> tuple[Part, ...]:
    """Two arms at a right angle, such as a drill, a clamp or a hinge."""
    x, y, z = (side / 2 for side in spec.size_m)
    arm = min(x, y) * 0.36
    return (
        Part(kind="box", size=(x, arm, z), position=(0.0, y - arm, 0.0), share=0.6),
        Part(
            kind="box",
            size=(arm, y - arm, z * 0.8),
            position=(arm - x, -arm, -z * 0.2),
            share=0.4,
            accent=True,
        ),
    )


def _tee(spec: ObjectSpec) -> tuple[Part, ...]:
    """A handle with a heavy head across its end, such as a hammer."""
    x, y, z = (side / 2 for side in spec.size_m)
    head = z * 1.1
    grip = z * 0.8
    return (
        Part(kind="box", size=(head, y, z), position=(x - head, 0.0, 0.0), share=0.7),
        Part(
            kind="capsule",
            size=(grip, x - head - grip),
            position=(-head, 0.0, grip - z),
            quaternion=ALONG_X,
            share=0.3,
            accent=True,
        ),
    )


def _bar(spec: ObjectSpec) -> tuple[Part, ...]:
    """A shaft with a thicker end, such as a screwdriver, a wrench or a spoon."""
    length, grip, shaft = (side / 2 for side in spec.size_m)
    thick = length * 0.45
    return (
        Part(
            kind="box",
            size=(thick, grip, shaft * 1.3),
            position=(thick - length, 0.0, 0.0),
            share=0.6,
            accent=True,
        ),
        Part(
            kind="box",
            size=(length - thick, shaft, shaft),
            position=(thick, 0.0, -shaft * 0.3),
            share=0.4,
        ),
    )


def _scissors(spec: ObjectSpec) -> tuple[Part, ...]:
    x, y, z = (side / 2 for side in spec.size_m)
    tilt = 0.12
    turned = (math.cos(tilt), 0.0, 0.0, math.sin(tilt))
    back = (math.cos(tilt), 0.0, 0.0, -math.sin(tilt))
    blade = Part(kind="box", size=(x * 0.72, y * 0.14, z * 0.5), position=(x * 0.2, 0.0, -z * 0.5))
    loops = tuple(
        Part(
            kind="cylinder",
            size=(y * 0.42, z),
            position=(y * 0.42 - x, side * y * 0.55, 0.0),
            share=0.7,
            accent=True,
        )
        for side in (-1.0, 1.0)
    )
    return (
        replace(blade, quaternion=turned),
        replace(blade, quaternion=back, position=(x * 0.2, 0.0, z * 0.3)),
        *loops,
    )


_BUILDERS: dict[str, Callable[[ObjectSpec], tuple[Part, ...]]] = {
    "box": _box,
    "sphere": _sphere,
    "ellipsoid": _ellipsoid,
    "cylinder": _cylinder,
    "capsule": _capsule,
    "bottle": _bottle,
    "mug": _mug,
    "bowl": _bowl,
    "ring": _ring,
    "ell": _ell,
    "tee": _tee,
    "bar": _bar,
    "scissors": _scissors,
}
