"""The table of nodes fits the nodes: names, executables, and every parameter."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from tiltbot_ros import bringup, topics
from tiltbot_ros.arms.drivers import ARMS
from tiltbot_ros.collecting import AutostartSettings
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.nodes import parameters
from tiltbot_ros.replaying import ReplaySettings
from tiltbot_ros.rigs import Rig, group_model, load_rig, rig_names
from tiltbot_ros.serving import EXECUTABLES, ROLES
from tiltbot_ros.settings import checked
from tiltbot_ros.share import executable_directory

LABORATORY = {"name": "lab", "arm": {"driver": "kinematic"}}
LEARNED = {*EXECUTABLES.values(), "live_evaluation_node"}
AUTOSTART = AutostartSettings(objects=["025_mug", "a, b: true"], episodes=3)


def _rigs():
    return [
        *(load_rig(name) for name in rig_names()),
        Rig.model_validate(LABORATORY),
        Rig.model_validate({**LABORATORY, "camera": None}),
    ]


def _graphs():
    out = Path("data")
    replay = ReplaySettings(path="bag", stamps="kept", without=["tray/pose"])
    for rig in _rigs():
        yield bringup.collect_graph(rig, out=out)
        yield bringup.collect_graph(rig, out=out, autostart=AUTOSTART)
        yield bringup.replay_graph(rig, replay=replay)
        yield bringup.replay_graph(rig, replay=replay, listen=False)
        yield bringup.replay_graph(rig, replay=replay, out=out)


def _serving():
    checkpoints = {role: Path(role) for role in ROLES}
    for rig in _rigs():
        yield bringup.serve_graph(rig, checkpoints=checkpoints)


GRAPHS = list(_graphs())
SERVING = list(_serving())
SPECS = {
    (spec.executable, tuple(sorted(map(str, spec.parameters.items())))): spec
    for specs in (*GRAPHS, *SERVING)
    for spec in specs
}


def _declared(executable):
    """Return the settings that a node declares, by group, read from its source."""
    package = "policy_ros" if executable in LEARNED else "tiltbot_ros"
    modules = [import_module(f"{package}.nodes.{executable}")]
    if hasattr(modules[0], "ModelServerNode"):
        modules.append(import_module("policy_ros.nodes.model_server"))
    return {
        call.args[2].value: getattr(module, call.args[1].id)
        for module in modules
        for call in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == parameters.declare.__name__
        # The groups of an arm's driver are found when it is known.
        and isinstance(call.args[2], ast.Constant)
    }


@pytest.mark.parametrize("specs", [*GRAPHS, *SERVING])
def test_names_are_unique_and_valid(specs):
    names = [spec.name for spec in specs]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z_]*", name) for name in names)


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.executable)
def test_the_executable_is_installed(spec):
    assert (executable_directory() / spec.executable).is_file()


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.executable)
def test_every_parameter_is_one_that_the_node_declares_and_takes(spec):
    declared = _declared(spec.executable)
    if spec.executable in bringup.DRIVES_ARM:
        of_driver = ARMS[spec.parameters["arm.driver"]].groups
        declared |= {group: group_model(group) for group in of_driver}
    values = {}
    for name, value in spec.parameters.items():
        if name == "use_sim_time":
            continue
        group, _, key = name.partition(".")
        assert group in declared
        assert key in declared[group].model_fields
        values.setdefault(group, {})[key] = value
    for group, model in declared.items():
        settings = checked(model, values.get(group, {}))
        for key, value in values.get(group, {}).items():
            assert settings.model_dump(mode="json")[key] == value


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.executable)
def test_every_parameter_has_a_type_that_ros_knows(spec):
    for name, value in spec.parameters.items():
        parts = value if isinstance(value, list) else [value]
        assert parts, f"{name}: an empty list has no type"
        assert len({type(part) for part in parts}) == 1
        assert type(parts[0]) in {bool, int, float, str}


@pytest.mark.parametrize("executable", sorted(bringup.GROUPS))
def test_every_group_of_the_rig_that_a_node_declares_comes_from_the_rig(executable):
    """A group that the table forgets would silently have its defaults."""
    groups = {group for group in _declared(executable) if group in Rig.model_fields}
    assert groups == set(bringup.GROUPS[executable])


@pytest.mark.parametrize("specs", GRAPHS)
def test_what_is_required_is_not_restarted(specs):
    assert not any(spec.required and spec.respawn for spec in specs)
    assert any(spec.required for spec in specs)


def test_a_laboratory_restarts_sensors_and_ends_with_arm_or_recorder():
    specs = bringup.collect_graph(Rig.model_validate(LABORATORY), out=Path("data"))
    restarted = {spec.name for spec in specs if spec.respawn}
    assert restarted == {"microphones", "camera", "contacts", "tracker"}
    assert {spec.name for spec in specs if spec.required} == {"tray", "recorder"}


def test_a_rig_without_a_camera_has_no_node_that_needs_one():
    rig = Rig.model_validate({**LABORATORY, "camera": None})
    names = {spec.name for spec in bringup.collect_graph(rig, out=Path("data"))}
    assert not names & {"camera", "tracker"}


def test_collecting_by_itself_ends_the_graph():
    rig = load_rig("sim")
    waiting, starting = (
        {s.name: s for s in bringup.collect_graph(rig, out=Path("data"), autostart=autostart)}
        for autostart in (None, AUTOSTART)
    )
    assert not waiting["collect"].required
    assert starting["collect"].required
    assert starting["collect"].parameters["autostart.objects"] == AUTOSTART.objects


def _replay(**changes):
    graph = {"replay": ReplaySettings(path="bag"), **changes}
    return {spec.name: spec for spec in bringup.replay_graph(load_rig("sim"), **graph)}


def test_a_replay_leaves_out_what_is_made_anew():
    made_anew = [topics.CONTACT.name, topics.OBJECT_LOCATION.name]
    assert _replay()["replay"].parameters["replay.without"] == made_anew
    assert "replay.without" not in _replay(listen=False)["replay"].parameters


def test_a_replay_waits_for_the_nodes_that_listen():
    assert _replay()["replay"].parameters["replay.wait_for"] == ["contacts", "tracker"]
    recorded = _replay(listen=False, out=Path("data"))
    assert recorded["replay"].parameters["replay.wait_for"] == ["recorder"]
    assert recorded["recorder"].required


@pytest.mark.parametrize(
    ("changes", "simulated"),
    [
        ({}, False),
        ({"replay": ReplaySettings(stamps="kept")}, True),
        ({"replay": ReplaySettings(rate=2.0)}, True),
        ({"replay": ReplaySettings(rate=2.0), "simulated_time": False}, False),
        ({"simulated_time": True}, True),
    ],
)
def test_a_replay_gives_its_own_time_where_it_differs(changes, simulated):
    specs = _replay(**changes, out=Path("data"))
    assert (specs["replay"].parameters["replay.clock_hz"] > 0) == simulated
    assert "use_sim_time" not in specs["replay"].parameters
    for name in ("contacts", "tracker", "recorder"):
        assert specs[name].parameters.get("use_sim_time", False) == simulated


def test_a_replay_is_not_recorded_into_the_folder_that_is_played(tmp_path):
    with pytest.raises(ConfigError, match="another folder"):
        _replay(replay=ReplaySettings(path=str(tmp_path)), out=tmp_path)


def test_a_served_model_is_told_its_checkpoint_and_the_rig_and_is_restarted():
    rig = load_rig("sim")
    specs = bringup.serve_graph(rig, checkpoints={"inverse": Path("runs/a")})
    assert [spec.name for spec in specs] == ["inverse_model", "live_evaluation"]
    server, live = specs
    assert server.parameters["serving.checkpoint"] == str(Path("runs/a").resolve())
    assert server.parameters["rig.max_tilt_rad"] == rig.tilt.max_tilt_rad
    assert live.parameters["live.inverse"] == server.parameters["serving.checkpoint"]
    assert live.parameters["live.forward"] == ""
    assert all(spec.respawn for spec in specs)
    with pytest.raises(ConfigError, match="inverse, forward, classify"):
        bringup.serve_graph(rig, checkpoints={})
