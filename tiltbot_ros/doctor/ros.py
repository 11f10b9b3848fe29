"""ROS 2: which installation, and is the package in it?"""

import importlib
import importlib.metadata
import importlib.util
import os
from pathlib import Path

from tiltbot_ros.bringup import LOCALHOST_ONLY
from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok, warn
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.share import executable_directory

_INTERFACES = {
    "tiltbot.msg": ("ContactAudio", "Contact", "Tilt", "Episode", "RecorderStatus"),
    "tiltbot.action": ("Tilt", "CollectObject"),
    "tiltbot.srv": (),
}
_EXECUTABLES = ("contact_node", "recorder_node", "collect_node", "tracker_node")


def examine(needs: Needs) -> list[Finding]:
    """Examine the installation of ROS 2."""
    return [
        _installation(),
        _prefixes(),
        _middleware(),
        _interfaces(),
        _executables(needs),
        _launch(),
        _filters(),
    ]


def _installation() -> Finding:
    try:
        module = importlib.import_module("rclpy")
    except Exception as error:  # noqa: BLE001 - a broken native library raises anything
        return fail(
            "rclpy",
            f"cannot be imported: {type(error).__name__}: {error}",
            "./run setup, or source a ROS 2 installation before starting Python",
        )
    try:
        wheels = importlib.metadata.version("ros-jazzy-rclpy")
    except importlib.metadata.PackageNotFoundError:
        distro = os.environ.get("ROS_DISTRO", "of unknown release")
        return ok("rclpy", f"installation of ROS 2 {distro} at {Path(str(module.__file__)).parent}")
    return ok("rclpy", f"Jazzy, from the wheels (rclpy {wheels})")


def _prefixes() -> Finding:
    prefixes = [part for part in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if part]
    missing = [part for part in prefixes if not Path(part).is_dir()]
    if not prefixes:
        return fail(
            "AMENT_PREFIX_PATH",
            "not set: no package of ROS 2 is found",
            "./run setup, or source the setup script of your workspace",
        )
    if missing:
        return warn(
            "AMENT_PREFIX_PATH",
            f"names folders that do not exist: {', '.join(missing)}",
            "open a new terminal and source your workspace again",
        )
    return ok("AMENT_PREFIX_PATH", os.pathsep.join(prefixes))


def _middleware() -> Finding:
    wanted = os.environ.get("RMW_IMPLEMENTATION", "")
    try:
        rclpy = importlib.import_module("rclpy")
        found = rclpy.get_rmw_implementation_identifier()
    except Exception as error:  # noqa: BLE001 - as above
        return fail(
            "middleware",
            f"cannot be loaded: {error}",
            f"unset RMW_IMPLEMENTATION (it is '{wanted}') or install that middleware",
        )
    reach = {
        name: os.environ[name]
        for name in ("ROS_DOMAIN_ID", *LOCALHOST_ONLY, "ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS")
        if name in os.environ
    }
    told = ", ".join(f"{name}={value}" for name, value in reach.items())
    domain = "" if "ROS_DOMAIN_ID" in reach else "ROS_DOMAIN_ID=0 (not set), "
    return ok("middleware", f"{found}; {domain}{told}")


def _interfaces() -> Finding:
    for name, members in _INTERFACES.items():
        try:
            module = importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - as above
            return fail(
                "interfaces",
                f"{name} cannot be imported: {type(error).__name__}: {error}",
                "./run setup, or colcon build and source the workspace",
            )
        absent = [member for member in members if not hasattr(module, member)]
        if absent:
            return fail(
                "interfaces",
                f"{name} lacks {', '.join(absent)}: it is of another version",
                "./run setup, or colcon build again",
            )
    return ok("interfaces", "tiltbot.msg, .srv and .action can be imported")


def _executables(needs: Needs) -> Finding:
    wanted = (*_EXECUTABLES, "world_node" if needs.simulated else "tray_node")
    try:
        folder = executable_directory()
    except ConfigError as error:
        return fail("nodes", str(error), "./run setup, or colcon build and source the workspace")
    absent = [name for name in wanted if not (folder / name).is_file()]
    if absent:
        return fail("nodes", f"{', '.join(absent)} not in {folder}", "./run setup, or colcon build")
    return ok("nodes", f"installed in {folder}")


def _launch() -> Finding:
    there = all(_installed(name) for name in ("launch", "launch_ros"))
    if there:
        return ok("launch", "launch and launch_ros are installed: `ros2 launch` works")
    return ok("launch", "not installed (it is not among the wheels): `tiltbot collect` stands in")


def _filters() -> Finding:
    if _installed("message_filters"):
        return ok("message_filters", "installed")
    return ok(
        "message_filters", "not installed (it is not among the wheels): tiltbot's own is used"
    )


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
