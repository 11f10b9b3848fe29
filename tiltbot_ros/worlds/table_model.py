"""The MuJoCo model of the table: a flat top, one free object, a stick that two servos move.

The object is the tray's, body and friction alike. What acts on it is a tool:
a body of its own with its own joints and servos, put in by one function.
Another interaction (a finger that pokes, a gripper) is another such function.
"""

from dataclasses import dataclass

import mujoco
from pydantic import Field

from tiltbot_ros.errors import WorldError
from tiltbot_ros.settings import Settings
from tiltbot_ros.worlds.object_body import (
    FEET,
    HULLS,
    add_object,
    object_friction,
    rolls,
    set_physics,
)
from tiltbot_ros.worlds.objects import ObjectSpec
from tiltbot_ros.worlds.scenery import add_scenery
from tiltbot_ros.worlds.shapes import Part, half_extents, parts_of

CAMERA = "world_camera"
"""The name under which `worlds.camera.Painter` looks for a camera that stands still."""

_TOP_HALF_M = 0.45
_TOP_THICKNESS_M = 0.03


class TableSettings(Settings):
    """Physics of the table and of the stick."""

    half_side_m: float = Field(
        0.30,
        ge=0.1,
        le=0.4,
        description="half the side of the square that normalised coordinates -1 .. 1 span [m]",
    )
    step_s: float = Field(0.001, ge=0.0001, le=0.002, description="physics step [s]")
    gravity_m_s2: float = Field(9.81, ge=0.0, le=20.0, description="gravity [m/s^2]")
    friction_scale: float = Field(
        1.0, ge=0.1, le=4.0, description="factor on every material's friction"
    )
    stick_radius_m: float = Field(0.008, ge=0.002, le=0.03, description="radius of the stick [m]")
    stick_length_m: float = Field(0.20, ge=0.05, le=0.5, description="length of the stick [m]")
    stick_gap_m: float = Field(
        0.003, ge=0.001, le=0.05, description="from the table to the stick's flat end [m]"
    )
    stick_mass_kg: float = Field(
        3.0,
        ge=0.1,
        le=50.0,
        description="mass that an object feels behind the stick: hand and reflected arm [kg]",
    )
    stick_stiffness_n_m: float = Field(
        20_000.0, ge=100.0, le=1e6, description="position gain of the stick's servos [N/m]"
    )
    stick_damping_n_s_m: float = Field(
        490.0, ge=1.0, le=1e5, description="velocity gain of the stick's servos [N s/m]"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TableModel:
    """A compiled table with what is needed to read it.

    Attributes:
        spec: the object on it, or None.
        model: the MuJoCo model. qpos: the stick's x and y, then the object's free joint.
        parts: primitives of the object, in its frame.
        rest_height: height of the object's origin when it rests [m].
    """

    spec: ObjectSpec | None
    model: mujoco.MjModel
    parts: tuple[Part, ...]
    rest_height: float


def build_table(settings: TableSettings, spec: ObjectSpec | None) -> TableModel:
    """Compile the table with `spec` on it; its frame has its origin in the middle of the top.

    Raises:
        WorldError: MuJoCo refuses the model.
    """
    world = mujoco.MjSpec()
    world.modelname = "table"
    set_physics(world, step_s=settings.step_s, gravity_m_s2=settings.gravity_m_s2)
    add_scenery(world)
    _add_top(world, settings, spec)
    _add_stick(world, settings, spec)
    parts = parts_of(spec) if spec is not None else ()
    if spec is not None:
        add_object(world, spec, parts)
    try:
        model = world.compile()
    except ValueError as error:
        raise WorldError(f"MuJoCo cannot compile the table: {error}") from error
    height = float(half_extents(parts)[2]) if parts else 0.0
    return TableModel(spec=spec, model=model, parts=parts, rest_height=height)


def _add_top(world: mujoco.MjSpec, settings: TableSettings, spec: ObjectSpec | None) -> None:
    half = _TOP_THICKNESS_M / 2
    world.worldbody.add_geom(
        name="table",
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[_TOP_HALF_M, _TOP_HALF_M, half],
        pos=[0.0, 0.0, -half],
        material="floor",
        friction=object_friction(spec, scale=settings.friction_scale),
        condim=6 if spec is not None and rolls(spec) else 4,
        priority=2,
        contype=1,
        conaffinity=HULLS | FEET,
        # As soft as the tray's floor, and for its reason: a stiff one chatters.
        solref=[max(0.012, 4 * settings.step_s), 1.0],
        solimp=[0.5, 0.9, 0.001, 0.5, 2.0],
    )
    world.worldbody.add_camera(name=CAMERA, pos=[0.0, 0.0, 1.0])


def _add_stick(world: mujoco.MjSpec, settings: TableSettings, spec: ObjectSpec | None) -> None:
    """Add an upright stick on two slides; it does not touch the table."""
    half = settings.stick_length_m / 2
    body = world.worldbody.add_body(name="stick", pos=[0.0, 0.0, settings.stick_gap_m + half])
    for name, axis in (("x", [1.0, 0.0, 0.0]), ("y", [0.0, 1.0, 0.0])):
        joint = body.add_joint(name=f"stick_{name}", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
        servo = world.add_actuator(
            name=f"servo_{name}", trntype=mujoco.mjtTrn.mjTRN_JOINT, target=joint.name
        )
        servo.set_to_position(kp=settings.stick_stiffness_n_m, kv=settings.stick_damping_n_s_m)
    ratio = spec.contact.damping_ratio if spec is not None else 0.5
    body.add_geom(
        name="stick",
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[settings.stick_radius_m, half, 0.0],
        mass=settings.stick_mass_kg,
        material="metal",
        rgba=[0.85, 0.45, 0.12, 1.0],
        friction=object_friction(spec, scale=settings.friction_scale),
        condim=4,
        priority=2,
        contype=1,
        conaffinity=HULLS,
        # As a wall of the tray: restitution follows from the material's damping ratio.
        solref=[settings.step_s / (0.35 * ratio), ratio],
        solimp=[0.9, 0.95, 0.001, 0.5, 2.0],
    )
