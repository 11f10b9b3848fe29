"""A simulated arm: is there a model of it, and does it stand?"""

import numpy as np

from tiltbot_ros.arms.mujoco_arm import MujocoArm
from tiltbot_ros.arms.robots import find_model
from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok
from tiltbot_ros.errors import TiltbotError

STEADY_RAD = 0.01


def examine(needs: Needs) -> list[Finding]:
    """Examine the model of the rig's simulated arm."""
    settings = needs.mujoco_arm
    try:
        path, _ = find_model(settings)
        now_s = [0.0]
        arm = MujocoArm(settings, monotonic=lambda: now_s[0])
        arm.connect()
        start = arm.state().positions
        for _ in range(20):
            now_s[0] += 0.01
            arm.stream_joints(start, np.zeros(len(start)))
        moved = float(np.abs(arm.state().positions - start).max())
    except TiltbotError as error:
        return [fail("arm", str(error), "docs/simulated_arms.md")]
    if moved > STEADY_RAD:
        return [fail("arm", f"'{settings.robot}' does not stand: {moved:.3f} rad", str(path))]
    return [ok("arm", f"simulated '{settings.robot}' of {path}")]
