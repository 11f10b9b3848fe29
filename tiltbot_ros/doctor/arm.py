"""The arm: what its driver needs, and what the device says before anything moves."""

import importlib
from collections.abc import Mapping

from tiltbot_ros.doctor.findings import Finding, Needs, ok

_EXAMINERS: Mapping[str, str] = {
    "franka": "tiltbot_ros.doctor.franka",
    "kinova": "tiltbot_ros.doctor.kinova",
    "mujoco": "tiltbot_ros.doctor.mujoco_arm",
}
"""Modules whose `examine(needs)` looks at the arm of a driver."""


def examine(needs: Needs) -> list[Finding]:
    """Examine the arm of the rig, without a motion."""
    driver = needs.arm.driver
    if driver not in _EXAMINERS:
        return [ok("arm", f"'{driver}': it is examined when it connects")]
    findings: list[Finding] = importlib.import_module(_EXAMINERS[driver]).examine(needs)
    return findings
