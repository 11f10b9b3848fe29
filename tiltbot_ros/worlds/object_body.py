"""An object of the catalogue as a free MuJoCo body: the same in every world."""

import mujoco

from tiltbot_ros.worlds.objects import ObjectSpec
from tiltbot_ros.worlds.scenery import add_material
from tiltbot_ros.worlds.shapes import Part, half_extents

HULLS, FEET = 2, 4
"""Collision bits of what everything touches, and of what only stands on the floor."""

_KINDS = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "capsule": mujoco.mjtGeom.mjGEOM_CAPSULE,
    "ellipsoid": mujoco.mjtGeom.mjGEOM_ELLIPSOID,
}


def set_physics(world: mujoco.MjSpec, *, step_s: float, gravity_m_s2: float) -> None:
    """Set solver, integrator, step [s] and gravity [m/s^2] as in every world."""
    option = world.option
    option.timestep = step_s
    option.gravity = [0.0, 0.0, -gravity_m_s2]
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 5
    option.iterations = 20
    option.ls_iterations = 20
    option.tolerance = 1e-6


def rolls(spec: ObjectSpec) -> bool:
    """Say whether an object rolls on the side that it rests on."""
    return spec.shape in ("sphere", "ellipsoid", "capsule") or (
        spec.shape in ("cylinder", "bottle") and spec.lying
    )


def object_friction(spec: ObjectSpec | None, *, scale: float = 1.0) -> list[float]:
    """Return MuJoCo's sliding, torsional and rolling friction of an object on a smooth surface.

    Args:
        spec: the object; None for a surface that carries none.
        scale: factor on the material's sliding friction.
    """
    sliding = spec.contact.friction if spec is not None else 0.2
    rolling = 0.0002 + (0.0003 * spec.contact.loss_factor / 0.2 if spec is not None else 0.0)
    return [sliding * scale, 0.002, rolling]


def add_object(world: mujoco.MjSpec, spec: ObjectSpec, parts: tuple[Part, ...]) -> None:
    """Add the body `object` with a free joint, at rest over the origin of the world.

    Args:
        world: that it goes into.
        spec: mass, colours, gloss.
        parts: its primitives, from `parts_of`.
    """
    body = world.worldbody.add_body(name="object", pos=[0.0, 0.0, float(half_extents(parts)[2])])
    joint = body.add_freejoint()
    joint.name = "object"
    add_material(world, "object", "", 1.0, spec.contact.shininess)
    total = sum(part.share for part in parts if part.touches == "all")
    shell = spec.hollow and len([part for part in parts if part.touches == "all"]) == 1
    for index, part in enumerate(parts):
        color = spec.accent if part.accent and spec.accent else spec.color
        body.add_geom(
            name=f"object {index}",
            type=_KINDS[part.kind],
            size=[*part.size, 0.0, 0.0][:3],
            pos=list(part.position),
            quat=list(part.quaternion),
            mass=spec.mass_kg * part.share / total if part.touches == "all" else 0.0,
            typeinertia=mujoco.mjtGeomInertia.mjINERTIA_SHELL
            if shell and part.touches == "all"
            else mujoco.mjtGeomInertia.mjINERTIA_VOLUME,
            material="object",
            rgba=[*_rgb(color), 1.0],
            contype={"all": HULLS, "floor": FEET, "none": 0}[part.touches],
            conaffinity=1 if part.touches == "all" else 0,
            condim=1,
            group=0 if part.drawn else 4,
        )


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
