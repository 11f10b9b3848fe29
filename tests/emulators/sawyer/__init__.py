"""Sawyer without Sawyer: its robot, its SDK, and a ROS 1 node with its topics."""

from pathlib import Path


def ros1_robot_path() -> Path:
    """Return the script of the ROS 1 node."""
    return Path(__file__).parent / "ros1_robot.py"
