"""The simulated robots: where their models are looked for, and what is what in them."""

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.limits import RobotLimits, robots_directory
from tiltbot_ros.arms.mujoco_arm_settings import MujocoArmSettings, RobotName
from tiltbot_ros.errors import ConfigError, MissingDependencyError

Array = NDArray[np.float64]

MODELS_VARIABLE = "TILTBOT_ROBOT_MODELS"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingers:
    """A gripper with two fingers, as a model has it.

    Attributes:
        joints: that are driven, each with its position open and closed [m or rad].
        max_width_m: distance of the open fingers [m].
        lever_m: force at the fingers to effort at a joint: 1 for slides [1 or m].
    """

    joints: tuple[tuple[str, float, float], ...]
    max_width_m: float
    lever_m: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Attached:
    """Another model on the robot's hand.

    Attributes:
        file: in the same folder of models.
        hand: body that it sits on.
        position_m: where in that body's frame [m].
        quaternion: w, x, y, z from that body's frame.
        radians: its angles are in radians, though the file does not say so.
        without: lines with these words are left out, which MuJoCo does not take.
    """

    file: str
    hand: str
    position_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quaternion: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    without: tuple[str, ...] = ()
    radians: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFile:
    """One description of a robot.

    Attributes:
        file: in a folder of models.
        joints: of the arm, in the order of the robot's limits.
        hand: body or site that the tool is fixed to.
        tool_m: the tool's centre in its frame [m].
        tool_quaternion: w, x, y, z of the tool's frame in it: z out of the tool.
        attached: a gripper that the file lacks.
        fingers: of the gripper.
    """

    file: str
    joints: tuple[str, ...]
    hand: str
    tool_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tool_quaternion: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    attached: Attached | None = None
    fingers: Fingers | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Robot:
    """One robot.

    Attributes:
        start_rad: joints where it starts, the tool about down in front of the base [rad].
        files: descriptions of it, the first one that is found is taken.
    """

    start_rad: tuple[float, ...]
    files: tuple[ModelFile, ...]


def _numbered(form: str) -> tuple[str, ...]:
    return tuple(form.format(number) for number in range(1, 8))


_SAWYER = tuple(f"right_j{number}" for number in range(7))
_BAXTER = tuple(f"right_{name}" for name in ("s0", "s1", "e0", "e1", "w0", "w1", "w2"))
_GEN3 = _numbered("joint_{}")
_MINUS_QUARTER = (0.7071067811865476, 0.0, 0.0, -0.7071067811865476)
_HALF_X = (0.0, 1.0, 0.0, 0.0)
_HALF_Z = (0.0, 0.0, 0.0, 1.0)

ROBOTS: Mapping[RobotName, Robot] = {
    "plain": Robot(
        start_rad=(0.0, 0.5, 0.0, 1.6, 0.0, 1.0415926, 0.0),
        files=(
            ModelFile(
                file="plain.xml",
                joints=_numbered("joint_{}"),
                hand="tool",
                fingers=Fingers(
                    joints=(("left_finger", 0.04, 0.0), ("right_finger", 0.04, 0.0)),
                    max_width_m=0.08,
                ),
            ),
        ),
    ),
    "panda": Robot(
        start_rad=(0.0, 0.196, 0.0, -2.419, 0.0, 2.615, 0.7854),
        files=(
            # google-deepmind/mujoco_menagerie
            ModelFile(
                file="franka_emika_panda/panda.xml",
                joints=_numbered("joint{}"),
                hand="hand",
                tool_m=(0.0, 0.0, 0.1034),
                fingers=Fingers(
                    joints=(("finger_joint1", 0.04, 0.0), ("finger_joint2", 0.04, 0.0)),
                    max_width_m=0.08,
                ),
            ),
            # ARISE-Initiative/robosuite
            ModelFile(
                file="robots/panda/robot.xml",
                joints=_numbered("joint{}"),
                hand="right_hand",
                tool_m=(0.0, 0.0, 0.097),
                attached=Attached(file="grippers/panda_gripper.xml", hand="right_hand"),
                fingers=Fingers(
                    joints=(("finger_joint1", 0.04, 0.0), ("finger_joint2", -0.04, 0.0)),
                    max_width_m=0.08,
                ),
            ),
        ),
    ),
    "gen3": Robot(
        start_rad=(-0.0058, 0.3811, 3.1501, -1.557, -0.0034, -1.2035, 0.0033),
        files=(
            ModelFile(
                file="kinova_gen3/gen3.xml",
                joints=_GEN3,
                hand="bracelet_link",
                tool_m=(0.0, 0.0, -0.2215),
                tool_quaternion=_HALF_X,
                attached=Attached(
                    file="robotiq_2f85/2f85.xml",
                    hand="bracelet_link",
                    position_m=(0.0, 0.0, -0.0615),
                    quaternion=_HALF_X,
                ),
                fingers=Fingers(
                    joints=(("right_driver_joint", 0.0, 0.8), ("left_driver_joint", 0.0, 0.8)),
                    max_width_m=0.085,
                    lever_m=0.1,
                ),
            ),
            ModelFile(
                file="robots/kinova3/robot.xml",
                joints=_numbered("Actuator{}"),
                hand="right_hand",
                tool_m=(0.0, 0.0, 0.145),
                tool_quaternion=_MINUS_QUARTER,
                attached=Attached(
                    file="grippers/robotiq_gripper_85.xml",
                    hand="right_hand",
                    quaternion=_MINUS_QUARTER,
                    without=("robotiq_arg2f_base_link_vis.stl",),
                    radians=True,
                ),
                fingers=Fingers(
                    joints=(("finger_joint", 0.0, 0.5), ("right_outer_knuckle_joint", 0.0, 0.5)),
                    max_width_m=0.085,
                    lever_m=0.1,
                ),
            ),
            # Ours: coarse shapes, fingers that slide, always there.
            ModelFile(
                file="gen3.xml",
                joints=_GEN3,
                hand="tool",
                fingers=Fingers(
                    joints=(("left_finger", 0.0425, 0.0), ("right_finger", 0.0425, 0.0)),
                    max_width_m=0.085,
                ),
            ),
        ),
    ),
    "sawyer": Robot(
        start_rad=(-0.5341, -1.0008, 0.4093, 1.8515, -0.3095, 0.7828, -1.3572),
        files=(
            ModelFile(
                file="rethink_robotics_sawyer/sawyer.xml",
                joints=_SAWYER,
                hand="right_hand",
            ),
            ModelFile(file="robots/sawyer/robot.xml", joints=_SAWYER, hand="right_hand"),
            # Ours: coarse shapes, always there.
            ModelFile(file="sawyer.xml", joints=_SAWYER, hand="right_hand"),
        ),
    ),
    "baxter": Robot(
        start_rad=(-0.034, -0.5083, 0.7784, 1.3367, -0.7818, 1.0563, 0.0826),
        files=(
            ModelFile(
                file="robots/baxter/robot.xml",
                joints=_BAXTER,
                hand="right_hand",
                tool_quaternion=_HALF_Z,
            ),
        ),
    ),
}


def model_folders() -> list[Path]:
    """Return the folders that models are looked for in, the user's own first."""
    own = [Path(part) for part in os.environ.get(MODELS_VARIABLE, "").split(os.pathsep) if part]
    cache = Path(os.environ.get("ROBOT_DESCRIPTIONS_CACHE", "~/.cache/robot_descriptions"))
    folders = [*own, cache / "mujoco_menagerie"]
    # Its import would take seconds, and it is only asked for its files.
    robosuite = importlib.util.find_spec("robosuite")
    if robosuite is not None and robosuite.origin is not None:
        folders.append(Path(robosuite.origin).parent / "models" / "assets")
    return [folder.expanduser() for folder in folders] + [robots_directory()]


def find_model(settings: MujocoArmSettings) -> tuple[Path, ModelFile]:
    """Return the file of a robot's model, and what is what in it.

    Raises:
        ConfigError: the file that the settings name does not fit any known description.
        MissingDependencyError: no folder has one.
    """
    files = ROBOTS[settings.robot].files
    if settings.model:
        path = Path(settings.model).expanduser()
        if not path.is_file():
            raise ConfigError(
                f"expected the MJCF of '{settings.robot}' in mujoco_arm.model, but {path} does not "
                f"exist"
            )
        for file in files:
            if path.resolve().as_posix().endswith(f"/{file.file}"):
                return path, file
        known = ", ".join(file.file for file in files)
        raise ConfigError(
            f"expected in mujoco_arm.model one of the descriptions of '{settings.robot}' that are "
            f"known ({known}), got {path}"
        )
    folders = model_folders()
    for file in files:
        for folder in folders:
            if (folder / file.file).is_file():
                return folder / file.file, file
    wanted = " or ".join(file.file for file in files)
    raise MissingDependencyError(
        f"expected a model of '{settings.robot}', {wanted}, in one of "
        f"{', '.join(str(folder) for folder in folders)}: clone "
        f"https://github.com/google-deepmind/mujoco_menagerie and set {MODELS_VARIABLE} to that "
        f"folder, or `pip install --no-deps robosuite` (it has Panda, Gen3, Sawyer and Baxter), or "
        f"take mujoco_arm.robot 'plain', which is always there"
    )


def start_of(limits: RobotLimits) -> Array:
    """Return where a robot starts, (n,) [rad]: its usual place, or the middle of its ranges."""
    for name, robot in ROBOTS.items():
        if name == limits.name:
            return np.array(robot.start_rad)
    middle: Array = np.nan_to_num(0.5 * (limits.joints.lower + limits.joints.upper))
    return middle
