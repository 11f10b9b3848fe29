"""Serve models as actions, and judge them by every new episode."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument

from tiltbot_ros.bringup import NodeSpec, serve_graph
from tiltbot_ros.launching import Read, common_arguments, graph, simulated_time, timed
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.serving import ROLES, ServingSettings
from tiltbot_ros.settings import checked


def _graph(read: Read) -> list[NodeSpec]:
    specs = serve_graph(
        load_rig(read("rig")),
        checkpoints={role: Path(read(role)) for role in ROLES if read(role)},
        live=read("live") == "true",
        settings=checked(ServingSettings, {"backend": read("backend")}),
    )
    return timed(specs, read)


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "inverse",
                default_value="",
                description="folder of a checkpoint that says which action was applied",
            ),
            DeclareLaunchArgument(
                "forward",
                default_value="",
                description="folder of a checkpoint that says where the object will be",
            ),
            DeclareLaunchArgument(
                "classify",
                default_value="",
                description="folder of a checkpoint that says which object was heard",
            ),
            DeclareLaunchArgument(
                "rig",
                default_value="sim",
                description="name of the rig that the models must fit, or path of a YAML file",
            ),
            DeclareLaunchArgument(
                "backend",
                default_value="auto",
                choices=["auto", "onnx", "torch"],
                description="ONNX Runtime, PyTorch, or what suits this computer",
            ),
            DeclareLaunchArgument(
                "live",
                default_value="true",
                choices=["true", "false"],
                description="judge the models by every new episode, on the topic 'evaluation'",
            ),
            simulated_time("for a replay beside it"),
            *common_arguments(),
            graph(_graph),
        ]
    )
