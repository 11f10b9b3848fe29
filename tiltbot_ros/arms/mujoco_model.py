"""Puts a simulated robot together: arm, gripper, tray in its hand, and position servos."""

from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.kinematics import load_model
from tiltbot_ros.arms.mujoco_arm_settings import MujocoArmSettings
from tiltbot_ros.arms.robots import Attached, Fingers, ModelFile, find_model
from tiltbot_ros.errors import ConfigError

Array = NDArray[np.float64]

TOOL = "tool_of_the_robot"
GRIPPER_PREFIX = "gripper/"
ARMATURE = 0.1
"""Least inertia of a joint, as a gear's rotor has it: without it light wrists ring [kg m2]."""

FINGER_ARMATURE = 0.005
"""The same of a finger's joint [kg m2 or kg]."""

FINGER_FORCE_N = 20.0
"""Greatest force of the fingers without an order [N]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedRobot:
    """A compiled robot.

    Attributes:
        model: of everything.
        qpos: (n,) indices of the arm's joints in qpos.
        dofs: (n,) in qvel.
        servos: (n,) actuators of the arm's joints.
        site: of the tool.
        fingers: of the gripper, None without one.
        finger_qpos: (f,) indices of its driven joints in qpos.
        finger_servos: (f,) their actuators.
        path: of its file.
    """

    model: mujoco.MjModel
    qpos: NDArray[np.int32]
    dofs: NDArray[np.int32]
    servos: NDArray[np.int32]
    site: int
    fingers: Fingers | None
    finger_qpos: NDArray[np.int32]
    finger_servos: NDArray[np.int32]
    path: Path


def build_robot(
    settings: MujocoArmSettings, *, start: Array, held: HeldTraySettings | None = None
) -> SimulatedRobot:
    """Find, put together and compile a robot.

    Args:
        settings: which robot.
        start: (n,) joints at which the servos are tuned [rad].
        held: a tray in its hand, or None.

    Raises:
        MissingDependencyError: there is no model of it.
        ConfigError: its file cannot be read, or is not what it is taken for.
    """
    path, file = find_model(settings)
    spec = load_model(path)
    if file.attached is not None and not _has_joint(spec, file.fingers):
        _attach(spec, path.as_posix().removesuffix(file.file), file.attached)
    for actuator in list(spec.actuators):
        spec.delete(actuator)
    for key in list(spec.keys):
        spec.delete(key)
    for body in spec.bodies:
        body.gravcomp = 1.0
    spec.option.timestep = settings.step_s
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    hand = _hand(spec, file)
    place = np.eye(4)
    place[:3, :3] = Rotation.from_quat(file.tool_quaternion, scalar_first=True).as_matrix()
    place[:3, 3] = file.tool_m
    _add_site(spec, hand, TOOL, place)
    if held is not None:
        _add_tray(spec, held)
    fingers = () if file.fingers is None else tuple(name for name, _, _ in file.fingers.joints)
    names = [*file.joints, *(_finger_name(spec, name) for name in fingers)]
    for name in names:
        joint = spec.joint(name)
        if joint is None:
            raise ConfigError(f"expected joint {name} in {path}: is it the model of another robot?")
        least = ARMATURE if name in file.joints else FINGER_ARMATURE
        joint.armature = max(float(joint.armature), least)
        servo = spec.add_actuator(name=f"servo/{name}", target=name)
        servo.trntype = mujoco.mjtTrn.mjTRN_JOINT
        servo.gaintype = mujoco.mjtGain.mjGAIN_FIXED
        servo.biastype = mujoco.mjtBias.mjBIAS_AFFINE
        servo.forcelimited = True
        servo.forcerange = [-1.0, 1.0]
    try:
        _let_overlap(spec, file.joints, start)
        model = spec.compile()
    except ValueError as error:
        raise ConfigError(f"expected a model in {path} that MuJoCo takes, but {error}") from error
    joints = [model.joint(name).id for name in names]
    arm, more = joints[: len(file.joints)], joints[len(file.joints) :]
    robot = SimulatedRobot(
        model=model,
        qpos=model.jnt_qposadr[arm],
        dofs=model.jnt_dofadr[arm],
        servos=np.array([model.actuator(f"servo/{name}").id for name in file.joints]),
        site=model.site(TOOL).id,
        fingers=file.fingers,
        finger_qpos=model.jnt_qposadr[more],
        finger_servos=np.array(
            [model.actuator(f"servo/{name}").id for name in names[len(file.joints) :]], dtype=int
        ),
        path=path,
    )
    _tune(robot, settings, start, model.jnt_dofadr[more])
    return robot


def _let_overlap(spec: mujoco.MjSpec, joints: tuple[str, ...], start: Array) -> None:
    """Let parts pass through each other that touch where the robot starts: models are coarse."""
    model = spec.compile()
    data = mujoco.MjData(model)
    for name, position in zip(joints, start, strict=True):
        data.joint(name).qpos = position
    mujoco.mj_forward(model, data)
    pairs = {
        tuple(sorted(model.body(model.geom_bodyid[geom]).name for geom in contact.geom))
        for contact in data.contact[: data.ncon]
    }
    for first, second in sorted(pairs):
        spec.add_exclude(bodyname1=first, bodyname2=second)


def _tune(
    robot: SimulatedRobot, settings: MujocoArmSettings, start: Array, finger_dofs: Array
) -> None:
    """Give every servo the asked bandwidth for the inertia that its joint sees at the start."""
    model, data = robot.model, mujoco.MjData(robot.model)
    data.qpos[robot.qpos] = start
    mujoco.mj_forward(model, data)
    inertia = np.zeros((model.nv, model.nv))
    mujoco.mj_fullM(model, data, inertia)
    pairs = [*zip(robot.servos, robot.dofs, strict=True)]
    pairs += zip(robot.finger_servos, finger_dofs, strict=True)
    width = settings.servo_rad_s
    for servo, dof in pairs:
        seen = float(inertia[dof, dof])
        model.actuator_gainprm[servo, 0] = seen * width**2
        model.actuator_biasprm[servo, 1:3] = -seen * width**2, -2.0 * seen * width
        strength = seen * settings.strength_rad_s2
        model.actuator_forcerange[servo] = -strength, strength
    if robot.fingers is not None:
        effort = FINGER_FORCE_N * robot.fingers.lever_m
        model.actuator_forcerange[robot.finger_servos] = -effort, effort


def _has_joint(spec: mujoco.MjSpec, fingers: Fingers | None) -> bool:
    return fingers is not None and spec.joint(fingers.joints[0][0]) is not None


def _finger_name(spec: mujoco.MjSpec, name: str) -> str:
    return name if spec.joint(name) is not None else GRIPPER_PREFIX + name


def _attach(spec: mujoco.MjSpec, folder: str, attached: Attached) -> None:
    path = Path(folder) / attached.file
    if not path.is_file():
        raise ConfigError(f"expected the robot's gripper in {path}, but there is none")
    if attached.without:
        lines = path.read_text().splitlines()
        kept = [line for line in lines if not any(word in line for word in attached.without)]
        gripper = mujoco.MjSpec.from_string("\n".join(kept))
        gripper.modelfiledir = str(path.parent)
    else:
        gripper = load_model(path)
    if attached.radians:
        gripper.compiler.degree = False
    for actuator in list(gripper.actuators):
        gripper.delete(actuator)
    hand = spec.body(attached.hand)
    frame = hand.add_frame(pos=attached.position_m, quat=attached.quaternion)
    spec.attach(gripper, prefix=GRIPPER_PREFIX, frame=frame)


def _hand(spec: mujoco.MjSpec, file: ModelFile) -> str:
    names = {each.name for each in [*spec.sites, *spec.bodies] if each.name}
    if file.hand not in names:
        raise ConfigError(
            f"expected the hand '{file.hand}' in {file.file}, it has {', '.join(sorted(names))}"
        )
    return file.hand


def _add_site(spec: mujoco.MjSpec, hand: str, name: str, place: Array) -> None:
    body, frame = _frame(spec, hand)
    whole = frame @ place
    body.add_site(
        name=name,
        pos=whole[:3, 3],
        quat=Rotation.from_matrix(whole[:3, :3]).as_quat(scalar_first=True),
    )


def _frame(spec: mujoco.MjSpec, hand: str) -> tuple["mujoco.MjsBody", Array]:
    """Return the body of a site or body, and the frame in it."""
    frame = np.eye(4)
    site = spec.site(hand)
    if site is None:
        return spec.body(hand), frame
    placed = spec.compile().site(hand)
    frame[:3, :3] = Rotation.from_quat(placed.quat, scalar_first=True).as_matrix()
    frame[:3, 3] = placed.pos
    return site.parent, frame


def _add_tray(spec: mujoco.MjSpec, held: HeldTraySettings) -> None:
    """Put a tray with a floor and four walls in the hand."""
    body, frame = _frame(spec, held.hand)
    tray = np.eye(4)
    tray[:3, :3] = Rotation.from_rotvec(held.rotation_rad).as_matrix()
    tray[:3, 3] = held.offset_m
    place = frame @ tray
    holder = body.add_body(
        name="held_tray",
        pos=place[:3, 3],
        quat=Rotation.from_matrix(place[:3, :3]).as_quat(scalar_first=True),
    )
    half, wall = held.side_m / 2, 0.005
    box = mujoco.mjtGeom.mjGEOM_BOX
    holder.add_geom(
        name="held_tray", type=box, size=[half, half, wall], pos=[0.0, 0.0, -wall], density=600.0
    )
    height = held.depth_m / 2
    for name, along in (("x", 0), ("y", 1)):
        for side in (-1.0, 1.0):
            size, pos = [half, half, height], [0.0, 0.0, height]
            size[along], pos[along] = wall, side * (half - wall)
            holder.add_geom(
                name=f"held_tray_wall_{name}{'+' if side > 0 else '-'}",
                type=box,
                size=size,
                pos=pos,
                density=600.0,
            )
