"""A Franka arm: library, kernel, network, state and limits, without a motion."""

import importlib.metadata
import os
import resource
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np

from tiltbot_ros.arms.franka.controller import FCI_VERSION, Controller
from tiltbot_ros.arms.franka.faults import errors_of, fault_of, mode_of
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.arms.limits import RobotLimits, load_limits
from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok, warn
from tiltbot_ros.errors import ConfigError, DeviceError, MissingDependencyError

FCI_PORT = 1337
_REACH_S = 2.0
_STATES = 500
_GAP_MS = 5
_PRIORITY = "add the user to a group with rtprio 99 in /etc/security/limits.conf: docs/franka.md"


def examine(needs: Needs) -> list[Finding]:
    """Examine everything that a motion would need."""
    settings = needs.franka
    found: list[Finding] = []
    try:
        controller = Controller(settings)
    except MissingDependencyError as error:
        return [fail("franky", str(error), "pip install franky-control")]
    found.append(ok("franky", importlib.metadata.version("franky-control")))
    limits = _limits(needs.arm.limits or "fr3", found)
    found += [_kernel(settings), _priority()]
    reach = _reach(settings)
    found.append(reach)
    if reach.status != "fail":
        found += _robot(controller, settings, limits)
    controller.close()
    return found


def _limits(robot: str, found: list[Finding]) -> RobotLimits | None:
    try:
        limits = load_limits(robot)
    except ConfigError as error:
        found.append(fail("limits", str(error), "set arm.limits in the rig's YAML"))
        return None
    found.append(ok("limits", f"of '{limits.name}', {len(limits.joints.names)} joints"))
    return limits


def _kernel(settings: FrankaSettings) -> Finding:
    flag = Path("/sys/kernel/realtime")
    release = os.uname().release
    if flag.is_file() and flag.read_text().strip() == "1":
        return ok("kernel", f"{release}, real-time")
    text = f"{release} is no real-time kernel"
    if settings.realtime == "enforce":
        return fail("kernel", text, "install one (docs/franka.md), or set franka.realtime: ignore")
    return warn("kernel", text, "expect stops by communication_constraints_violation: docs/franka")


def _priority() -> Finding:
    most = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
    if os.geteuid() == 0 or most in {99, resource.RLIM_INFINITY}:
        return ok("priority", "the control loop may have the highest real-time priority")
    return warn("priority", f"real-time priorities up to {most} only", _PRIORITY)


def _reach(settings: FrankaSettings) -> Finding:
    address = (settings.host, FCI_PORT)
    begin = time.monotonic()
    try:
        socket.create_connection(address, timeout=_REACH_S).close()
    except ConnectionRefusedError:
        text = f"{settings.host} is there, but its port {FCI_PORT} is closed"
        return fail("network", text, "activate FCI in Desk, and unlock the joints")
    except OSError as error:
        advice = "look at franka.host, the cable, and this computer's address: docs/franka.md"
        return fail("network", f"{settings.host} does not answer: {error}", advice)
    took_ms = 1e3 * (time.monotonic() - begin)
    text = f"port {FCI_PORT} of {settings.host} answers after {took_ms:.1f} ms"
    if took_ms > _GAP_MS:
        return warn("network", text, "connect the controller directly, without a switch or Wi-Fi")
    return ok("network", text)


def _robot(
    controller: Controller, settings: FrankaSettings, limits: RobotLimits | None
) -> list[Finding]:
    try:
        robot = controller.open_robot()
        found = [ok("controller", f"speaks FCI version {FCI_VERSION}")]
        state, gap_ms = controller.ask("send states", lambda: _listen(robot))
    except DeviceError as error:
        return [fail("controller", str(error), "look at Desk; only one program may be connected")]
    found += [_state(state), _gap(gap_ms)]
    if limits is not None:
        found.append(_place(state, limits))
    if settings.gripper:
        found.append(_hand(controller))
    return found


def _listen(robot: Any) -> tuple[Any, int]:
    """Return the newest state and the longest gap between two [ms]."""
    times = []
    for _ in range(_STATES):
        state = robot.state
        times.append(state.time.to_msec())
    return state, int(np.diff(times).max())


def _state(state: Any) -> Finding:
    fault = fault_of(state, ended="", following=True)
    text = f"mode {mode_of(state)}"
    if fault:
        return fail("state", f"{text} {errors_of(state)}".strip(), fault)
    return ok("state", f"{text}, no errors")


def _gap(gap_ms: int) -> Finding:
    text = f"{_STATES} states, the longest gap {gap_ms} ms"
    if gap_ms > _GAP_MS:
        advice = "stop what else runs here, and use a real-time kernel and a direct cable"
        return warn("states", text, advice)
    return ok("states", text)


def _place(state: Any, limits: RobotLimits) -> Finding:
    joints = limits.joints
    outside = [
        f"{name} at {at:.3f} rad"
        for name, at, low, high in zip(
            joints.names, np.asarray(state.q), joints.lower, joints.upper, strict=True
        )
        if not low <= at <= high
    ]
    place = ", ".join(f"{value:.3f}" for value in state.O_T_EE.translation)
    if outside:
        return fail("joints", f"outside of the limits: {', '.join(outside)}", "guide it by hand")
    return ok("joints", f"within the limits; tool at {place} m of the base")


def _hand(controller: Controller) -> Finding:
    try:
        hand = controller.open_hand()
        state = controller.ask("tell the state of its hand", lambda: hand.state)
    except DeviceError as error:
        return fail("hand", str(error), "mount it and set it in Desk, or set franka.gripper: false")
    text = f"fingers {1e3 * state.width:.1f} of {1e3 * state.max_width:.1f} mm apart"
    if state.max_width < 0.01:
        return warn("hand", text, "home it once: franka.gripper_home: true")
    return ok("hand", text)
