"""The arm of a rig as the arm node needs it: taking poses, commanded, perhaps in a dry run."""

from collections.abc import Callable
from typing import Protocol

from tiltbot_ros.arms.commanded import CommandedArm
from tiltbot_ros.arms.deltas import DeltaSettings
from tiltbot_ros.arms.drivers import ArmRig, arm_kind, make_arm, robot_limits
from tiltbot_ros.arms.gripping import GripperSettings
from tiltbot_ros.arms.guard import GuardSettings, rig_limits
from tiltbot_ros.arms.preview import PreviewArm
from tiltbot_ros.arms.tool_settings import ToolSettings


class CommandedRig(ArmRig, Protocol):
    """What a commanded arm asks of a rig, besides what its driver asks."""

    @property
    def guard(self) -> GuardSettings:
        """Limits, deadman and gate."""

    @property
    def deltas(self) -> DeltaSettings:
        """Steps of the tool."""

    @property
    def gripper(self) -> GripperSettings:
        """How the gripper follows."""

    @property
    def tool(self) -> ToolSettings:
        """Where the tool is."""


def open_arm(rig: CommandedRig, *, clock: Callable[[], int], dry_run: bool = False) -> CommandedArm:
    """Return the arm of a rig behind its limits, not connected.

    An arm that takes joints only gets kinematics in front of it; in a dry run these
    still run, and the device gets nothing.

    Args:
        rig: the rig, or the groups of settings of its arm.
        clock: the ROS clock [ns].
        dry_run: read the device and send it nothing.

    Raises:
        ConfigError: the rig has no arm, or its settings do not fit.
        MissingDependencyError: a library or a model of the arm is missing.
    """
    robot = robot_limits(rig)
    arm = make_arm(rig, clock=clock)
    if dry_run:
        arm = PreviewArm(arm)
    if "pose" not in arm.spaces:
        # MuJoCo, SciPy and mink take a second to import.
        from tiltbot_ros.arms.pose_by_joints import PoseByJoints, tool_model  # noqa: PLC0415

        model = tool_model(rig.tool, robot=arm_kind(rig).robot(rig), joints=arm.joint_names)
        arm = PoseByJoints(arm, model, rig_limits(robot, rig.guard, "joint"), rig.tool)
    return CommandedArm(arm, robot, guard=rig.guard, deltas=rig.deltas, gripper=rig.gripper)
