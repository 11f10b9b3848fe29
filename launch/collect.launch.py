"""Collect contact-triggered episodes: devices or the simulated world, listeners, recorder."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument

from tiltbot_ros.bringup import NodeSpec, collect_graph, object_names
from tiltbot_ros.collecting import AutostartSettings
from tiltbot_ros.launching import Read, common_arguments, graph, names, simulated_time, timed
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.settings import checked


def _graph(read: Read) -> list[NodeSpec]:
    rig = load_rig(read("rig"))
    objects = object_names(names(read("object")), rig)
    autostart = checked(
        AutostartSettings,
        {"objects": objects, "episodes": read("episodes"), "minutes": read("minutes")},
    )
    specs = collect_graph(
        rig,
        out=Path(read("out")),
        autostart=autostart if objects else None,
        dry_run=read("dry_run") == "true",
    )
    return timed(specs, read)


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "rig",
                default_value="sim",
                description="name of a rig (config/rigs, TILTBOT_RIG_PATH) or path of a YAML file",
            ),
            DeclareLaunchArgument(
                "out",
                default_value="data",
                description="folder that the episodes go to; it is continued when it exists",
            ),
            DeclareLaunchArgument(
                "object",
                default_value="",
                description="objects to collect at once, with commas between; the launch ends "
                "after the last. Empty: wait for goals of the action 'collect'",
            ),
            DeclareLaunchArgument(
                "episodes",
                default_value="0",
                description="clean episodes of each object; 0: no such limit",
            ),
            DeclareLaunchArgument(
                "minutes",
                default_value="0",
                description="minutes of tilting each object; 0: no such limit",
            ),
            DeclareLaunchArgument(
                "dry_run",
                default_value="false",
                choices=["true", "false"],
                description="tell the tray nothing and record nothing; tray/reference shows what "
                "it would be told",
            ),
            simulated_time("the simulated rig needs none, it runs in real time"),
            *common_arguments(),
            graph(_graph),
        ]
    )
