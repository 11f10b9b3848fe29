"""The arm: what its driver needs, and what the device says before anything moves."""

import importlib
from collections.abc import Mapping

from tiltbot_ros.arms.drivers import ARMS, robot_limits
from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok
from tiltbot_ros.errors import MissingDependencyError, TiltbotError

_EXAMINERS: Mapping[str, str] = {
    "franka": "tiltbot_ros.doctor.franka",
    "kinova": "tiltbot_ros.doctor.kinova",
    "mujoco": "tiltbot_ros.doctor.mujoco_arm",
    "sawyer": "tiltbot_ros.doctor.sawyer",
}
"""Modules whose `examine(needs)` looks at the arm of a driver."""

_TAKE_POSES = {"franka"}
"""Drivers whose device needs no kinematics of ours."""


def examine(needs: Needs) -> list[Finding]:
    """Examine the arm of the rig, without a motion."""
    driver = needs.arm.driver
    if driver in _EXAMINERS:
        found: list[Finding] = importlib.import_module(_EXAMINERS[driver]).examine(needs)
    else:
        found = [ok("arm", f"'{driver}': it has no device")]
    if driver in ARMS and driver not in _TAKE_POSES:
        found.append(_kinematics(needs))
    return found


def _kinematics(needs: Needs) -> Finding:
    """Find the joints of one pose of the tool, as steps of the tool ask for."""
    try:
        # MuJoCo, SciPy and mink take a second to import.
        from tiltbot_ros.arms.pose_by_joints import tool_model  # noqa: PLC0415
        from tiltbot_ros.arms.robots import start_of  # noqa: PLC0415

        limits = robot_limits(needs)
        robot = ARMS[needs.arm.driver].robot(needs)
        model = tool_model(needs.tool, robot=robot, joints=limits.joints.names)
        start = start_of(limits)
        model.solve(model.tool(start), seed=start)
    except MissingDependencyError as error:
        return fail("kinematics", str(error), "pip install 'tiltbot[arms]'")
    except TiltbotError as error:
        return fail("kinematics", str(error), "set the group tool in the rig's YAML")
    return ok("kinematics", f"of '{robot}' to its tool, by mink")
