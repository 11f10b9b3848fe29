"""Which nodes make which graph: one table for the launch files and for the command.

It names executables and parameters; it imports no node.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tiltbot_ros import topics
from tiltbot_ros.arms.drivers import arm_kind
from tiltbot_ros.collecting import AutostartSettings
from tiltbot_ros.demonstrations.settings import DemonstrationSessionSettings
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.replaying import ReplaySettings, needs_clock
from tiltbot_ros.rigs import Rig
from tiltbot_ros.serving import (
    ACTIONS,
    EXECUTABLES,
    LiveEvaluationSettings,
    Role,
    ServedRigSettings,
    ServingSettings,
)
from tiltbot_ros.session import SessionSettings
from tiltbot_ros.settings import Settings
from tiltbot_ros.worlds.objects import ObjectCatalogue

LOCALHOST_ONLY: Mapping[str, str] = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
"""Set unless the user has said how far ROS 2 may reach: the loopback by default."""

REPLAY_CLOCK_HZ = 100.0
"""How often a replay tells the recording's time."""

DISCOVERY_VARIABLES = ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_LOCALHOST_ONLY")

Value = bool | int | float | str | list[bool] | list[int] | list[float] | list[str]


GROUPS: Mapping[str, tuple[str, ...]] = {
    "world_node": ("arm", "tilt", "follow", "microphones", "camera", "world", "sound", "view"),
    "tray_node": (
        "arm",
        "kinematic",
        "guard",
        "held",
        "tool",
        "tilt",
        "follow",
    ),
    "arm_node": ("arm", "guard", "deltas", "gripper", "tool"),
    "teleop_node": ("deltas", "teleop", "keyboard", "gamepad", "headset", "scripted"),
    "microphone_node": ("microphones",),
    "camera_node": ("camera", "mount"),
    "contact_node": ("detector",),
    "tracker_node": ("tracker",),
    "recorder_node": ("recorder", "writer", "verdict"),
    "collect_node": ("collect", "tilt"),
    "demonstration_node": ("demonstrations", "writer", "verdict"),
}
"""Which groups of a rig's settings are parameters of which executable."""

DRIVES_ARM = ("tray_node", "arm_node")
"""Executables whose parameters are also the groups that the arm's driver reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeSpec:
    """One process of a graph.

    Attributes:
        executable: in lib/tiltbot, as `ros2 run tiltbot` names it.
        name: of the node.
        parameters: by ROS name.
        respawn: start it again when it ends; for sensors, which lose their devices.
        required: the graph ends when it ends; for the recorder and the arm.
    """

    executable: str
    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    respawn: bool = False
    required: bool = False


def flatten(group: str, settings: Settings) -> dict[str, Value]:
    """Return a group of settings as ROS parameters, `group.field`.

    Empty lists are left out: a parameter file cannot say what they are lists of.
    """
    values: dict[str, Any] = settings.model_dump(mode="json")
    return {f"{group}.{key}": value for key, value in values.items() if value != []}


def _parameters(rig: Rig, executable: str) -> dict[str, Value]:
    values: dict[str, Value] = {}
    of_driver = arm_kind(rig).groups if executable in DRIVES_ARM else ()
    for group in (*GROUPS[executable], *of_driver):
        values |= flatten(group, getattr(rig, group))
    return values


def _node(rig: Rig, executable: str, name: str, *, sensor: bool = False) -> NodeSpec:
    """Return a node with the rig's settings: a sensor is started again, without others all ends."""
    return NodeSpec(
        executable=executable,
        name=name,
        parameters=_parameters(rig, executable),
        respawn=sensor,
        required=not sensor,
    )


def _world(rig: Rig) -> list[NodeSpec]:
    if rig.camera is None:
        raise ConfigError(
            f"expected a camera in rig '{rig.name}': the simulated world always has one"
        )
    return [_node(rig, "world_node", "world")]


def _tray(rig: Rig) -> NodeSpec:
    return _node(rig, "tray_node", "tray")


def _microphones(rig: Rig) -> NodeSpec:
    return _node(rig, "microphone_node", "microphones", sensor=True)


def _camera(rig: Rig) -> NodeSpec:
    return _node(rig, "camera_node", "camera", sensor=True)


def _devices(rig: Rig) -> list[NodeSpec]:
    return [_tray(rig), _microphones(rig), *([_camera(rig)] if rig.camera is not None else [])]


def listeners(rig: Rig) -> list[NodeSpec]:
    """Return the nodes that only listen: they also run on replayed data."""
    specs = [_node(rig, "contact_node", "contacts", sensor=True)]
    if rig.camera is not None and rig.camera.has_model:
        specs.append(
            NodeSpec(
                executable="tracker_node",
                name="tracker",
                parameters={
                    **_parameters(rig, "tracker_node"),
                    "tracker.depth": rig.tracker.depth and rig.camera.has_depth,
                },
                respawn=True,
            )
        )
    return specs


def recorder(rig: Rig, *, out: Path, object_name: str = "") -> NodeSpec:
    """Return the episode recorder, writing to the folder `out`."""
    return NodeSpec(
        executable="recorder_node",
        name="recorder",
        parameters={
            **_parameters(rig, "recorder_node"),
            **flatten(
                "session",
                SessionSettings.of(
                    rig, directory=str(out.expanduser().resolve()), object_name=object_name
                ),
            ),
        },
        required=True,
    )


def collect_graph(
    rig: Rig, *, out: Path, autostart: AutostartSettings | None = None, dry_run: bool = False
) -> list[NodeSpec]:
    """Return the graph that collects: devices, listeners, recorder and collector.

    Args:
        rig: the laboratory, or the simulated one.
        out: the data folder.
        autostart: what the collector begins with by itself; the graph ends
            with it. None: it waits for goals.
        dry_run: the tray is told nothing and nothing is recorded; tray/reference shows
            what the tray would be told.

    Raises:
        ConfigError: the rig does not fit together.
    """
    collector = NodeSpec(
        executable="collect_node",
        name="collect",
        parameters={
            **_parameters(rig, "collect_node"),
            **(flatten("autostart", autostart) if autostart else {}),
        },
        required=autostart is not None,
    )
    if dry_run:
        tray = _world(rig) if rig.simulated else [_tray(rig)]
        return [in_dry_run(spec) for spec in (*tray, collector)]
    return [
        *(_world(rig) if rig.simulated else _devices(rig)),
        *listeners(rig),
        recorder(rig, out=out),
        collector,
    ]


def arm(rig: Rig, *, dry_run: bool = False) -> NodeSpec:
    """Return the node of a rig's arm.

    Args:
        rig: a laboratory, or one with a simulated arm.
        dry_run: read the arm and send it nothing.

    Raises:
        ConfigError: the rig has no arm.
    """
    spec = _node(rig, "arm_node", "arm")
    return in_dry_run(spec) if dry_run else spec


def teleop_graph(
    rig: Rig,
    *,
    session: DemonstrationSessionSettings | None = None,
    person: bool = True,
    dry_run: bool = False,
) -> list[NodeSpec]:
    """Return the graph in which a person leads the arm: arm, source, and a recorder.

    Args:
        rig: a laboratory, or one with a simulated arm.
        session: of the recorder of demonstrations, with the rig's sensors; None: no recorder.
        person: start the node of the pose source; False: the caller is that node.
        dry_run: read the arm and send it nothing; arm/preview shows what it would be told.

    Raises:
        ConfigError: the rig has no arm, or a dry run was to be recorded.
    """
    specs = [arm(rig, dry_run=dry_run)]
    if session is not None:
        if dry_run:
            raise ConfigError(
                "expected a dry run or a recording, got both: in a dry run nothing happens that "
                "could be learned from"
            )
        specs += [_microphones(rig)] if session.audio_hz else []
        specs += [_camera(rig)] if session.camera_hz else []
        specs.append(
            NodeSpec(
                executable="demonstration_node",
                name="demonstrations",
                parameters={
                    **_parameters(rig, "demonstration_node"),
                    **flatten("demonstration_session", session),
                },
                required=True,
            )
        )
    if person:
        specs.append(_node(rig, "teleop_node", "teleop"))
    return specs


def teleop_parameters(rig: Rig) -> dict[str, Value]:
    """Return the parameters of the node of the pose source, for who runs it in its process."""
    return _parameters(rig, "teleop_node")


def replay_graph(
    rig: Rig,
    *,
    replay: ReplaySettings,
    listen: bool = True,
    out: Path | None = None,
    simulated_time: bool | None = None,
) -> list[NodeSpec]:
    """Return the graph that plays recordings back to the nodes that listen.

    What those nodes publish is left out of the replay, since they make it anew.

    Args:
        rig: settings of the listeners and of the recorder.
        replay: what is played, and how.
        listen: start the listeners; else everything recorded is played.
        out: data folder of a recorder that cuts new episodes; None: no recorder.
        simulated_time: the nodes take the recording's time from /clock; None:
            where it differs from this computer's time.

    Raises:
        ConfigError: `out` is the folder that is played.
    """
    if out is not None and out.expanduser().resolve() == Path(replay.path).expanduser().resolve():
        raise ConfigError(
            f"expected another folder for new episodes than the one that is played, got {out}"
        )
    simulated = needs_clock(replay) if simulated_time is None else simulated_time
    others = [
        *(listeners(rig) if listen else []),
        *([recorder(rig, out=out)] if out is not None else []),
    ]
    made_anew = [topics.CONTACT.name, topics.OBJECT_LOCATION.name] if listen else []
    settings = replay.model_copy(
        update={
            "without": [*replay.without, *made_anew],
            "wait_for": [*replay.wait_for, *(spec.name for spec in others)],
            "clock_hz": replay.clock_hz or (REPLAY_CLOCK_HZ if simulated else 0.0),
        }
    )
    player = NodeSpec(
        executable="replay_node",
        name="replay",
        parameters=flatten("replay", settings),
        required=True,
    )
    return [player, *(with_simulated_time(spec) if simulated else spec for spec in others)]


def serve_graph(
    rig: Rig,
    *,
    checkpoints: Mapping[Role, Path],
    live: bool = True,
    settings: ServingSettings | None = None,
) -> list[NodeSpec]:
    """Return the graph that serves models: an action each, and their live evaluation.

    Args:
        rig: that the models must fit; its own nodes are those of `collect_graph`.
        checkpoints: folder of the model of each role.
        live: judge the models by every new episode.
        settings: of the servers, but for the checkpoint.

    Raises:
        ConfigError: there is no model.
    """
    if not checkpoints:
        raise ConfigError(f"expected a checkpoint for one of {', '.join(ACTIONS)}, got none")
    served = flatten("rig", ServedRigSettings.of(rig))
    folders = {role: str(path.expanduser().resolve()) for role, path in checkpoints.items()}
    settings = settings or ServingSettings()
    specs = [
        NodeSpec(
            executable=EXECUTABLES[role],
            name=ACTIONS[role],
            parameters={
                **flatten("serving", settings.model_copy(update={"checkpoint": folder})),
                **served,
            },
            respawn=True,
        )
        for role, folder in folders.items()
    ]
    if live:
        evaluation = LiveEvaluationSettings(
            **{str(role): folder for role, folder in folders.items()}, backend=settings.backend
        )
        specs.append(
            NodeSpec(
                executable="live_evaluation_node",
                name="live_evaluation",
                parameters={**flatten("live", evaluation), **served},
                respawn=True,
            )
        )
    return specs


def in_dry_run(spec: NodeSpec) -> NodeSpec:
    """Return the same node sending its device nothing."""
    return replace(spec, parameters={**spec.parameters, "dry_run": True})


def with_simulated_time(spec: NodeSpec) -> NodeSpec:
    """Return the same node taking its time from /clock."""
    return replace(spec, parameters={**spec.parameters, "use_sim_time": True})


def object_names(names: list[str], rig: Rig) -> list[str]:
    """Check names of objects against the catalogue where the rig must know them.

    A simulated rig builds its objects from the catalogue; in a laboratory any
    name will do.

    Raises:
        ConfigError: the simulated rig does not know one.
    """
    if rig.simulated:
        catalogue = ObjectCatalogue.load()
        for name in names:
            catalogue.get(name)
    return names
