"""The MuJoCo model of the tray: two hinges, a floor, four walls, one free object.

The facts this model stands on: position servos, implicitfast, elliptic cones,
separate contact parameters for floor and walls, contact sensors with the net
force. The tray moves by its servos; a teleported one would hit nothing.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiltbot_ros.errors import WorldError
from tiltbot_ros.settings import Settings
from tiltbot_ros.worlds.object_body import add_object, object_friction, rolls, set_physics
from tiltbot_ros.worlds.objects import ObjectSpec
from tiltbot_ros.worlds.scenery import add_arm, add_scenery
from tiltbot_ros.worlds.shapes import Part, half_extents, parts_of

SURFACES = ("+x", "+y", "-x", "-y", "floor")
"""Surfaces of the tray in the order of sensors, microphones and modes."""

INNER_M = 0.30
"""Inner side of the square tray, 30 cm (Gandhi et al., 2020, section III) [m]."""

_GUARD_HEIGHT_M = 0.6
_SENSOR_WIDTH = 7


class TraySettings(Settings):
    """Physics of the tray."""

    sample_rate_hz: int = Field(
        44_100, ge=8_000, le=192_000, description="sound frames per second; the world's clock [Hz]"
    )
    step_s: float = Field(
        0.001,
        ge=0.0001,
        le=0.002,
        description="physics step, rounded to whole sound frames [s]",
    )
    latency_s: float = Field(
        0.012,
        ge=0.006,
        le=0.05,
        description="from a command to the servo; physics runs this far ahead of the sound, so "
        "that a contact's whole force is known when its sound begins [s]",
    )
    command_period_s: float = Field(
        0.01, ge=0.001, le=0.1, description="time in which a command is approached [s]"
    )
    max_rate_rad_s: float = Field(
        3.0, ge=0.1, le=20.0, description="largest rate of a hinge's reference [rad/s]"
    )
    stiffness: float = Field(
        6000.0, ge=10.0, le=50_000.0, description="position gain of a servo [N m/rad]"
    )
    damping: float = Field(
        90.0, ge=0.1, le=1000.0, description="velocity gain of a servo [N m s/rad]"
    )
    armature: float = Field(
        0.08, ge=0.0, le=10.0, description="reflected inertia of arm and motor [kg m^2]"
    )
    tray_mass_kg: float = Field(1.2, ge=0.1, le=10.0, description="mass of the empty tray [kg]")
    wall_height_m: float = Field(
        0.06, ge=0.01, le=0.3, description="height of the visible walls [m]"
    )
    friction_scale: float = Field(
        1.0, ge=0.1, le=4.0, description="factor on every material's friction"
    )
    gravity_m_s2: float = Field(9.81, ge=0.0, le=20.0, description="gravity [m/s^2]")
    arm_model: str = Field(
        "",
        description="MJCF file of an arm (such as Sawyer's) drawn under the tray; empty: none",
    )

    @property
    def frames_per_step(self) -> int:
        """Sound frames in one physics step."""
        return max(1, round(self.step_s * self.sample_rate_hz))

    @property
    def exact_step_s(self) -> float:
        """The physics step as simulated: whole frames [s]."""
        return self.frames_per_step / self.sample_rate_hz


@dataclass(frozen=True, kw_only=True, slots=True)
class TrayModel:
    """A compiled tray with what is needed to read it.

    Attributes:
        spec: the object in it, or None.
        model: the MuJoCo model. qpos: 2 hinges, then the object's free joint.
            sensordata: 5 surfaces (SURFACES) x (found, force (3,), position (3,)), in the
            world frame.
        parts: primitives of the object, in its frame.
        rest_height: height of the object's origin when it rests [m].
    """

    spec: ObjectSpec | None
    model: mujoco.MjModel
    parts: tuple[Part, ...]
    rest_height: float


def build_tray(settings: TraySettings, spec: ObjectSpec | None) -> TrayModel:
    """Compile the tray with `spec` in it.

    Raises:
        ConfigError: `arm_model` is not a readable MJCF file.
        WorldError: MuJoCo refuses the model.
    """
    world = mujoco.MjSpec()
    world.modelname = "tray"
    set_physics(world, step_s=settings.exact_step_s, gravity_m_s2=settings.gravity_m_s2)
    # Tray and object are one island whenever they touch: looking for islands only costs.
    world.option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_ISLAND)
    add_scenery(world)
    _tray(world, settings, spec)
    parts = parts_of(spec) if spec is not None else ()
    if spec is not None:
        add_object(world, spec, parts)
        _contact_sensors(world)
    if settings.arm_model:
        add_arm(world, settings.arm_model)
    try:
        model = world.compile()
    except ValueError as error:
        raise WorldError(f"MuJoCo cannot compile the tray: {error}") from error
    height = float(half_extents(parts)[2]) if parts else 0.0
    return TrayModel(spec=spec, model=model, parts=parts, rest_height=height)


def _hinge(body: mujoco.MjsBody, name: str, axis: list[float], settings: TraySettings) -> None:
    body.gravcomp = 1.0
    body.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=axis,
        armature=settings.armature,
        damping=[0.05, 0.0, 0.0],
    )


def _tray(world: mujoco.MjSpec, settings: TraySettings, spec: ObjectSpec | None) -> None:
    gimbal = world.worldbody.add_body(name="gimbal")
    _hinge(gimbal, "hinge_x", [1.0, 0.0, 0.0], settings)
    gimbal.add_geom(
        name="gimbal_shaft",
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=[0.028, 0.05, 0.0],
        pos=[0.0, 0.0, -0.075],
        mass=0.3,
        material="metal",
        rgba=[0.25, 0.26, 0.28, 1.0],
        contype=0,
        conaffinity=0,
    )
    tray = gimbal.add_body(name="tray")
    _hinge(tray, "hinge_y", [0.0, 1.0, 0.0], settings)
    _tray_geoms(tray, settings, spec)
    for body, name in ((tray, "tray_camera"), (world.worldbody, "world_camera")):
        body.add_camera(name=name, pos=[0.0, 0.0, 0.5])
    gain, damping = settings.stiffness, settings.damping
    for joint in ("hinge_x", "hinge_y"):
        servo = world.add_actuator(
            name=f"servo_{joint[-1]}", trntype=mujoco.mjtTrn.mjTRN_JOINT, target=joint
        )
        servo.set_to_position(kp=gain, kv=damping)


def _tray_geoms(tray: mujoco.MjsBody, settings: TraySettings, spec: ObjectSpec | None) -> None:
    half, thick, height = INNER_M / 2, 0.008, settings.wall_height_m
    floor_reference, wall_reference = contact_references(settings, spec)
    shared = {
        "friction": contact_friction(settings, spec),
        "condim": 6 if spec is not None and rolls(spec) else 4,
        "priority": 2,
        "contype": 1,
    }
    box = mujoco.mjtGeom.mjGEOM_BOX
    outer = half + thick
    tray.add_geom(
        name="floor",
        type=box,
        size=[outer, outer, thick],
        pos=[0.0, 0.0, -thick],
        mass=settings.tray_mass_kg * 0.6,
        material="floor",
        solref=floor_reference,
        solimp=[0.5, 0.9, 0.001, 0.5, 2.0],
        conaffinity=6,
        **shared,
    )
    # What collides is thicker and taller than what is seen: nothing gets over or through.
    guard_thick, guard_half = 0.03, _GUARD_HEIGHT_M / 2
    for name, (x, y) in zip(SURFACES, ((1, 0), (0, 1), (-1, 0), (0, -1)), strict=False):
        along_x, along_y = (abs(y), abs(x))
        centre = half + guard_thick
        tray.add_geom(
            name=name,
            type=box,
            size=[
                half + 2 * guard_thick if along_x else guard_thick,
                half + 2 * guard_thick if along_y else guard_thick,
                guard_half,
            ],
            pos=[x * centre, y * centre, guard_half],
            mass=0.0,
            group=4,
            rgba=[0.0, 0.0, 0.0, 0.0],
            solref=wall_reference,
            solimp=[0.9, 0.95, 0.001, 0.5, 2.0],
            conaffinity=2,
            **shared,
        )
        visible = half + thick / 2
        tray.add_geom(
            name=f"{name} seen",
            type=box,
            size=[
                outer if along_x else thick / 2,
                outer if along_y else thick / 2,
                height / 2 + thick,
            ],
            pos=[x * visible, y * visible, height / 2 - thick],
            mass=settings.tray_mass_kg * 0.1,
            material="wall",
            contype=0,
            conaffinity=0,
        )
        microphone = half + thick + 0.004
        tray.add_geom(
            name=f"mic {name}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[0.013 if along_x else 0.004, 0.013 if along_y else 0.004, 0.013],
            pos=[x * microphone, y * microphone, height * 0.45],
            mass=0.01,
            material="metal",
            rgba=[0.12, 0.12, 0.14, 1.0],
            contype=0,
            conaffinity=0,
        )


def contact_friction(settings: TraySettings, spec: ObjectSpec | None) -> list[float]:
    """Return MuJoCo's sliding, torsional and rolling friction of an object in the tray."""
    return object_friction(spec, scale=settings.friction_scale)


def contact_references(
    settings: TraySettings, spec: ObjectSpec | None
) -> tuple[list[float], list[float]]:
    """Return MuJoCo's solref (time constant, damping ratio) of the floor and of the walls.

    The floor is soft (12 ms): a stiff one lets whatever slides chatter on it,
    a hundred tiny knocks a tilt. The walls are as stiff as the step allows.
    """
    step = settings.exact_step_s
    ratio = spec.contact.damping_ratio if spec is not None else 0.5
    return [max(0.012, 4 * step), 1.0], [step / (0.35 * ratio), ratio]


def _contact_sensors(world: mujoco.MjSpec) -> None:
    for surface in SURFACES:
        world.add_sensor(
            name=surface,
            type=mujoco.mjtSensor.mjSENS_CONTACT,
            objtype=mujoco.mjtObj.mjOBJ_GEOM,
            objname=surface,
            reftype=mujoco.mjtObj.mjOBJ_XBODY,
            refname="object",
            intprm=[_CONTACT_DATA, _NET_FORCE, 1],
        )


_CONTACT_DATA = (
    (1 << int(mujoco.mjtConDataField.mjCONDATA_FOUND))
    | (1 << int(mujoco.mjtConDataField.mjCONDATA_FORCE))
    | (1 << int(mujoco.mjtConDataField.mjCONDATA_POS))
)
_NET_FORCE = 3
"""MuJoCo's `reduce="netforce"`: one contact per sensor, the wrench of all of them."""


def sensor_rows(data: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape logged sensordata (K, 35) as (K, 5 surfaces, 7)."""
    return data.reshape(len(data), len(SURFACES), _SENSOR_WIDTH)
