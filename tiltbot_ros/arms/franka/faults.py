"""What the robot's mode and errors mean to a person."""

import re
from typing import Any

from tiltbot_ros.errors import DeviceError

_MODES = {
    "UserStopped": "the robot is stopped by hand: release the emergency stop or the user stop, "
    "then recover",
    "Guiding": "somebody guides the robot by hand: let go of the guiding button, then recover",
    "AutomaticErrorRecovery": "the robot recovers by itself: wait, then recover",
    "Other": "the robot is not ready: unlock its joints and activate FCI in Desk, then recover",
}


def mode_of(state: Any) -> str:
    """Return the name of the robot's mode, such as 'Reflex'."""
    return str(state.robot_mode).rpartition(".")[2]


def errors_of(state: Any) -> str:
    """Return the names of the robot's errors: the present ones, else those of the last motion."""
    for errors in (state.current_errors, state.last_motion_errors):
        names: list[str] = re.findall(r"\w+", repr(errors))
        if names:
            return ", ".join(names)
    return ""


def fault_of(state: Any, *, ended: str, following: bool) -> str:
    """Return why the robot would not follow, and what to do; empty when it would.

    Args:
        state: franky's RobotState.
        ended: why the last control loop ended; empty: it did not.
        following: whether a control loop runs.
    """
    mode = mode_of(state)
    if mode == "Reflex":
        return (
            f"the robot has stopped by reflex ({errors_of(state) or 'no reason given'}): look at "
            f"the arm and what it touches, then recover"
        )
    if mode in _MODES:
        return _MODES[mode]
    if ended:
        return f"the robot has ended the motion ({ended}): recover"
    if not following:
        return "the robot holds by itself and does not follow: recover"
    return ""


def lost(error: BaseException) -> DeviceError:
    """Return the error that tells a lost connection."""
    return DeviceError(
        f"the connection to the Franka controller is lost ({one_line(error)}): look at the "
        f"cable and at Desk, then connect again"
    )


def one_line(error: BaseException) -> str:
    """Return what an error of libfranka says, without its prefix and line breaks."""
    return " ".join(str(error).removeprefix("libfranka:").split())
