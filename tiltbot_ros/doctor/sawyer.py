"""Sawyer: side process, SDK, robot, joints and the tray's tilts, without a motion."""

import time

import numpy as np

from tiltbot_ros.arms.arm import ArmState
from tiltbot_ros.arms.guard import rig_limits
from tiltbot_ros.arms.limits import RobotLimits, load_limits
from tiltbot_ros.arms.sawyer.driver import JOINTS, SawyerArm
from tiltbot_ros.arms.sawyer.settings import SawyerSettings
from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok, warn
from tiltbot_ros.errors import ConfigError, DeviceError, MissingDependencyError, TiltbotError

LISTENING_S = 1.0
PERIOD_S = 0.005
LONGEST_START_S = 25.0
OLDEST_MS = 20.0
APART_MS = 200.0


def examine(needs: Needs) -> list[Finding]:
    """Examine everything that a motion would need."""
    try:
        limits = load_limits(needs.arm.limits or "sawyer")
    except ConfigError as error:
        return [fail("limits", str(error), "set arm.limits in the rig's YAML")]
    found = [ok("limits", f"of '{limits.name}', {len(limits.joints.names)} joints")]
    found.append(_tilts(needs, limits))
    settings = needs.sawyer
    start_s = min(settings.start_s, LONGEST_START_S)
    # Joints are switched on by a person, never by who only looks.
    arm = SawyerArm(settings.model_copy(update={"enable": False, "start_s": start_s}))
    try:
        arm.connect()
        found.append(ok("SDK", f"{arm.sdk} on ROS 1, under {settings.python}"))
        states = _listen(arm)
    except MissingDependencyError as error:
        return [*found, fail("side process", str(error), "docs/sawyer.md says what to install")]
    except DeviceError as error:
        return [*found, fail("robot", str(error), "docs/sawyer.md, network and time")]
    finally:
        arm.close()
    return [
        *found,
        *_robot(states, settings),
        _place(states[-1], limits),
        _level(states[-1], needs),
    ]


def _tilts(needs: Needs, limits: RobotLimits) -> Finding:
    """Work out the tilts of the rig, as the tray node does when it starts."""
    try:
        # MuJoCo, SciPy and mink take a second to import.
        from tiltbot_ros.arms.held import TiltTable, held_tray_model  # noqa: PLC0415

        table = TiltTable(
            held_tray_model(needs.held, robot=limits.name, joints=JOINTS),
            level_joints=np.array(needs.held.level_joints_rad),
            max_tilt_rad=needs.tilt.max_tilt_rad,
            limits=rig_limits(limits, needs.guard, "joint"),
        )
        table.require(needs.tilt)
    except MissingDependencyError as error:
        return fail("tilts", str(error), "pip install 'tiltbot[arms]'")
    except TiltbotError as error:
        return fail("tilts", str(error), "change the group held, tilt or guard in the rig's YAML")
    demand = table.demand(needs.tilt)
    return ok(
        "tilts",
        f"all within reach; they ask {100 * demand.speed:.0f} % of the speed of "
        f"{demand.speed_joint} and {100 * demand.acceleration:.0f} % of the acceleration of "
        f"{demand.acceleration_joint}",
    )


def _listen(arm: SawyerArm) -> list[ArmState]:
    """Return every joint state that comes within a second, at least one."""
    states = [arm.state()]
    end_s = time.monotonic() + LISTENING_S
    while time.monotonic() < end_s:
        time.sleep(PERIOD_S)
        state = arm.state()
        if state.stamp_ns != states[-1].stamp_ns:
            states.append(state)
    return states


def _robot(states: list[ArmState], settings: SawyerSettings) -> list[Finding]:
    rate_hz = (len(states) - 1) / LISTENING_S
    ages_ms = [float(state.details["age of joint states [ms]"]) for state in states]
    text = f"{rate_hz:.0f} Hz, the oldest {max(ages_ms):.0f} ms old"
    if max(ages_ms) > OLDEST_MS:
        advice = "a cable, one switch, no Wi-Fi between this computer and the robot"
        found = [warn("joint states", text, advice)]
    else:
        found = [ok("joint states", text)]
    apart_ms = float(states[-1].details["clock of the robot behind [ms]"])
    text = f"that of the robot is {apart_ms:.0f} ms behind"
    if abs(apart_ms) > APART_MS:
        advice = "set both clocks by one time server (chrony); until then states are stamped here"
        found.append(warn("its clock", text, advice))
    else:
        found.append(ok("its clock", text))
    state = states[-1]
    if state.fault:
        found.append(fail("state", state.fault, "nothing follows before that"))
    else:
        found.append(ok("state", "enabled, no stop, no error"))
    if settings.enable:
        advice = "sawyer.enable: false leaves it to a person"
        found.append(warn("enable", "the joints are switched on at every start", advice))
    return found


def _place(state: ArmState, limits: RobotLimits) -> Finding:
    joints = limits.joints
    outside = [
        f"{name} at {at:.3f} rad"
        for name, at, low, high in zip(
            joints.names, state.positions, joints.lower, joints.upper, strict=True
        )
        if not low <= at <= high
    ]
    if outside:
        return fail("joints", f"outside of the limits: {', '.join(outside)}", "move it by the cuff")
    return ok("joints", "within the limits")


def _level(state: ArmState, needs: Needs) -> Finding:
    """Say whether the tray would come level by itself."""
    far = np.abs(state.positions - np.array(needs.held.level_joints_rad))
    worst = int(far.argmax())
    text = f"{JOINTS[worst]} is {far[worst]:.2f} rad from the level pose, the others are nearer"
    if far[worst] > needs.held.approach_rad:
        advice = f"bring it within {needs.held.approach_rad:g} rad by the cuff, to use the tray"
        return warn("level pose", text, advice)
    return ok("level pose", text)
