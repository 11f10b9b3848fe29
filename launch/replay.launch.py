"""Play recordings back to the nodes that listen, and record new episodes if wanted."""

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument

from tiltbot_ros.bringup import NodeSpec, replay_graph
from tiltbot_ros.launching import Read, common_arguments, graph
from tiltbot_ros.replaying import ReplaySettings, find_recordings
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.settings import checked


def _graph(read: Read) -> list[NodeSpec]:
    path = Path(read("path")).expanduser().resolve()
    find_recordings(path)
    replay = checked(
        ReplaySettings,
        {
            "path": str(path),
            "rate": read("rate"),
            "stamps": read("stamps"),
            "loop": read("loop"),
        },
    )
    use_sim_time = read("use_sim_time")
    return replay_graph(
        load_rig(read("rig")),
        replay=replay,
        listen=read("listen") == "true",
        out=Path(read("out")) if read("out") else None,
        simulated_time=None if use_sim_time == "auto" else use_sim_time == "true",
    )


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "path",
                description="a data folder, one episode, a rosbag2 directory or an MCAP file",
            ),
            DeclareLaunchArgument(
                "rate", default_value="1.0", description="speed: 2 plays twice as fast"
            ),
            DeclareLaunchArgument(
                "stamps",
                default_value="shifted",
                choices=["shifted", "kept"],
                description="shifted: times in the messages are moved to now; kept: they stay, "
                "and /clock tells them",
            ),
            DeclareLaunchArgument(
                "loop",
                default_value="false",
                choices=["true", "false"],
                description="begin again at the end",
            ),
            DeclareLaunchArgument(
                "listen",
                default_value="true",
                choices=["true", "false"],
                description="start the contact and the tracker node, whose recorded results are "
                "left out; false: play everything to nobody in particular",
            ),
            DeclareLaunchArgument(
                "out",
                default_value="",
                description="data folder of a recorder that cuts new episodes; empty: none",
            ),
            DeclareLaunchArgument(
                "rig",
                default_value="sim",
                description="whose detector, tracker and recorder settings to use",
            ),
            DeclareLaunchArgument(
                "use_sim_time",
                default_value="auto",
                choices=["auto", "true", "false"],
                description="take the recording's time from /clock; auto: with kept stamps, or "
                "at another rate than 1",
            ),
            *common_arguments(),
            graph(_graph),
        ]
    )
