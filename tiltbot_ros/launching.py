"""Launch actions made from the table of nodes. The one module that imports `launch`."""

import os
from collections.abc import Callable, Iterable

from launch import LaunchContext, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from tiltbot_ros.bringup import NodeSpec, Value, with_simulated_time
from tiltbot_ros.share import PACKAGE
from tiltbot_ros.supervisor import graph_environment

RESPAWN_DELAY_S = 2.0
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")

Read = Callable[[str], str]
"""Returns the text of a launch argument."""


def common_arguments() -> list[DeclareLaunchArgument]:
    """Return the arguments that every launch file has."""
    return [
        DeclareLaunchArgument(
            "namespace",
            default_value="",
            description="of all nodes and topics, for two rigs side by side; for example rig_a",
        ),
        DeclareLaunchArgument(
            "log_level",
            default_value="info",
            choices=list(LOG_LEVELS),
            description="least severity that the nodes log",
        ),
    ]


def simulated_time(why: str) -> DeclareLaunchArgument:
    """Return the argument that `timed` reads; `why` says when a person wants it."""
    return DeclareLaunchArgument(
        "use_sim_time",
        default_value="false",
        choices=["true", "false"],
        description=f"take the time from /clock; {why}",
    )


def timed(specs: list[NodeSpec], read: Read) -> list[NodeSpec]:
    """Return the nodes, taking their time from /clock where the launch says so."""
    if read("use_sim_time") == "true":
        return [with_simulated_time(spec) for spec in specs]
    return specs


def graph(make: Callable[[Read], Iterable[NodeSpec]]) -> OpaqueFunction:
    """Return the action that starts the nodes which `make` names.

    Args:
        make: gets a function that reads a launch argument (`namespace` and
            `log_level` must be among the declared ones), and returns the nodes.
    """

    def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
        arguments = context.launch_configurations
        specs = list(make(arguments.__getitem__))
        return [
            node_action(spec, namespace=arguments["namespace"], log_level=arguments["log_level"])
            for spec in specs
        ]

    return OpaqueFunction(function=start)


def node_action(spec: NodeSpec, *, namespace: str = "", log_level: str = "info") -> Node:
    """Return the action that runs one node of the table.

    A required node's end shuts the launch down; one that respawns is started
    again. Discovery stays on this host unless the user has said otherwise.
    """
    # Only what differs, so that the launch's own environment stays in charge.
    additions = {
        name: value for name, value in graph_environment().items() if os.environ.get(name) != value
    }
    return Node(
        package=PACKAGE,
        executable=spec.executable,
        name=spec.name,
        namespace=namespace,
        parameters=[{name: _as_text(value) for name, value in spec.parameters.items()}],
        ros_arguments=["--log-level", log_level],
        additional_env=additions,
        output="both",
        respawn=spec.respawn,
        respawn_delay=RESPAWN_DELAY_S,
        on_exit=Shutdown(reason=f"'{spec.name}' has ended") if spec.required else None,
    )


def _as_text(value: Value) -> Value | ParameterValue:
    """Keep a text a text: launch would take "true" or "1e3" for what it says."""
    return ParameterValue(value, value_type=str) if isinstance(value, str) else value


def names(text: str) -> list[str]:
    """Return the names in a text that has commas between them."""
    return [part.strip() for part in text.split(",") if part.strip()]
