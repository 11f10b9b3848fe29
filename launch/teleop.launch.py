"""Lead an arm by gamepad or headset, and record demonstrations: arm, source, sensors, recorder."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument

from tiltbot_ros.bringup import NodeSpec, teleop_graph
from tiltbot_ros.commands.leading import with_source
from tiltbot_ros.demonstrations.settings import DemonstrationSessionSettings
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.launching import Read, common_arguments, graph, simulated_time, timed
from tiltbot_ros.rigs import load_rig


def _graph(read: Read) -> list[NodeSpec]:
    rig = with_source(load_rig(read("rig")), read("source") or None)
    if rig.teleop.source == "keyboard":
        raise ConfigError(
            "expected source:=gamepad, headset or scripted: a launched node has no keyboard; run "
            "`tiltbot teleop` in a terminal for that"
        )
    session = None
    if read("out"):
        session = DemonstrationSessionSettings.of(
            rig,
            directory=str(Path(read("out")).expanduser().resolve()),
            label=read("label"),
            task=read("task"),
        )
    specs = teleop_graph(rig, session=session, dry_run=read("dry_run") == "true")
    return timed(specs, read)


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "rig",
                default_value="arm_sim",
                description="name of a rig (config/rigs, TILTBOT_RIG_PATH) or path of a YAML file",
            ),
            DeclareLaunchArgument(
                "source",
                default_value="",
                choices=["", "gamepad", "headset", "scripted"],
                description="what the person holds; empty: that of the rig",
            ),
            DeclareLaunchArgument(
                "out",
                default_value="",
                description="folder that demonstrations go to; empty: nothing is recorded",
            ),
            DeclareLaunchArgument(
                "label",
                default_value="",
                choices=["", "success", "failure"],
                description="outcome of demonstrations that are ended without one",
            ),
            DeclareLaunchArgument(
                "task", default_value="", description="what the demonstrations show"
            ),
            DeclareLaunchArgument(
                "dry_run",
                default_value="false",
                choices=["true", "false"],
                description="send the arm nothing; arm/preview shows what it would be told",
            ),
            simulated_time("real and simulated arms need none"),
            *common_arguments(),
            graph(_graph),
        ]
    )
