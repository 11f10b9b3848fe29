"""Launch files declare their arguments and start the graph of the table.

How they behave under the real `launch` is told in docs/launch.md; here only
their structure is checked, against a stand-in.
"""

from pathlib import Path

import pytest
import yaml

from tests.launch import standin
from tiltbot_ros import bringup
from tiltbot_ros.collecting import AutostartSettings
from tiltbot_ros.errors import ConfigError, EpisodeError
from tiltbot_ros.replaying import ReplaySettings
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.serving import ServingSettings

FOLDER = Path(__file__).parents[2] / "launch"
FILES = sorted(FOLDER.glob("*.launch.py"))


@pytest.fixture(autouse=True)
def _launch(monkeypatch):
    standin.install(monkeypatch)


@pytest.fixture
def bag(tmp_path):
    """Something that looks like a bag; the launch file does not open it."""
    folder = tmp_path / "bag"
    folder.mkdir()
    (folder / "metadata.yaml").touch()
    return folder


def _collect(**arguments):
    return standin.execute(standin.load(FOLDER / "collect.launch.py"), **arguments)


def _replay(**arguments):
    return standin.execute(standin.load(FOLDER / "replay.launch.py"), **arguments)


def _serve(**arguments):
    return standin.execute(standin.load(FOLDER / "serve.launch.py"), **arguments)


def _values(node):
    """Return the parameters of a node action as plain values."""
    (parameters,) = node.parameters
    return {
        name: value.value if isinstance(value, standin.ParameterValue) else value
        for name, value in parameters.items()
    }


def _assert_same_graph(nodes, specs):
    assert [node.name for node in nodes] == [spec.name for spec in specs]
    for node, spec in zip(nodes, specs, strict=True):
        assert node.package == "tiltbot"
        assert node.executable == spec.executable
        assert _values(node) == dict(spec.parameters)
        assert node.respawn == spec.respawn
        assert (node.on_exit is not None) == spec.required


def test_there_are_the_four_launch_files():
    names = {file.name for file in FILES}
    assert names == {
        "collect.launch.py",
        "replay.launch.py",
        "serve.launch.py",
        "teleop.launch.py",
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_argument_is_described_and_its_default_is_a_choice(file):
    declared = [
        entity
        for entity in standin.load(file).entities
        if isinstance(entity, standin.DeclareLaunchArgument)
    ]
    names = {argument.name for argument in declared}
    assert {"rig", "namespace", "use_sim_time", "log_level"} <= names
    for argument in declared:
        assert len(argument.description) > 20
        assert not argument.choices or argument.default_value in argument.choices


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_argument_is_in_the_documentation(file):
    text = (FOLDER.parent / "docs" / "launch.md").read_text()
    for entity in standin.load(file).entities:
        if isinstance(entity, standin.DeclareLaunchArgument):
            assert f"`{entity.name}`" in text


def test_collect_starts_the_graph_of_the_table(tmp_path):
    specs = bringup.collect_graph(load_rig("sim"), out=tmp_path)
    _assert_same_graph(_collect(out=str(tmp_path)), specs)


def test_collect_with_objects_begins_by_itself_and_ends_with_the_last(tmp_path):
    nodes = _collect(out=str(tmp_path), object="025_mug, 005_tomato_soup_can", episodes="7")
    autostart = AutostartSettings(objects=["025_mug", "005_tomato_soup_can"], episodes=7)
    specs = bringup.collect_graph(load_rig("sim"), out=tmp_path, autostart=autostart)
    _assert_same_graph(nodes, specs)
    assert next(node for node in nodes if node.name == "collect").on_exit is not None


def test_collect_takes_a_rig_from_a_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"arm": {"driver": "kinematic"}, "camera": None}))
    names = [node.name for node in _collect(rig=str(path), out=str(tmp_path))]
    assert names == ["tray", "microphones", "contacts", "recorder", "collect"]


def test_namespace_log_level_and_time_reach_every_node():
    for node in _collect(namespace="rig_a", log_level="debug", use_sim_time="true"):
        assert node.namespace == "rig_a"
        assert node.ros_arguments == ["--log-level", "debug"]
        assert _values(node)["use_sim_time"] is True


def test_texts_stay_texts():
    """The digest of a detector may consist of figures alone."""
    recorder = next(node for node in _collect() if node.name == "recorder")
    (parameters,) = recorder.parameters
    for value in parameters.values():
        assert not isinstance(value, str)
        if isinstance(value, standin.ParameterValue):
            assert value.value_type is str


def test_discovery_stays_on_this_host_unless_the_user_says_otherwise(monkeypatch):
    for name in bringup.DISCOVERY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for node in _collect():
        assert node.additional_env["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    for node in _collect():
        assert "ROS_AUTOMATIC_DISCOVERY_RANGE" not in node.additional_env


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rig": "nope"}, "expected a rig"),
        ({"object": "025_mugg", "episodes": "1"}, "025_mug"),
        ({"object": "025_mug"}, "episodes or minutes"),
        ({"object": "025_mug", "episodes": "many"}, "episodes"),
    ],
)
def test_bad_arguments_are_named_before_anything_starts(arguments, words):
    with pytest.raises(ConfigError, match=words):
        _collect(**arguments)


def test_values_outside_the_choices_are_refused():
    with pytest.raises(standin.InvalidArgumentError, match="log_level"):
        _collect(log_level="loud")
    with pytest.raises(standin.InvalidArgumentError, match="path"):
        _replay()


def test_replay_starts_the_graph_of_the_table(bag, tmp_path):
    replay = ReplaySettings(path=str(bag))
    _assert_same_graph(_replay(path=str(bag)), bringup.replay_graph(load_rig("sim"), replay=replay))
    changed = ReplaySettings(path=str(bag), rate=2.0, stamps="kept", loop=True)
    _assert_same_graph(
        _replay(
            path=str(bag), rate="2", stamps="kept", loop="true", listen="false", out=str(tmp_path)
        ),
        bringup.replay_graph(load_rig("sim"), replay=changed, listen=False, out=tmp_path),
    )


@pytest.mark.parametrize(("given", "expected"), [("auto", False), ("true", True), ("false", False)])
def test_replay_can_be_told_whose_time_to_take(bag, given, expected):
    nodes = _replay(path=str(bag), use_sim_time=given)
    contacts = next(node for node in nodes if node.name == "contacts")
    assert _values(contacts).get("use_sim_time", False) == expected


def test_replay_names_a_recording_that_is_not_there(tmp_path):
    with pytest.raises(EpisodeError, match="absent"):
        _replay(path=str(tmp_path / "absent"))
    with pytest.raises(ConfigError, match="rate"):
        _replay(path=str(Path(__file__)), rate="fast")


def test_serve_starts_the_graph_of_the_table(tmp_path):
    checkpoints = {"inverse": tmp_path / "a", "classify": tmp_path / "b"}
    given = {role: str(path) for role, path in checkpoints.items()}
    rig = load_rig("sim")
    _assert_same_graph(_serve(**given), bringup.serve_graph(rig, checkpoints=checkpoints))
    settings = ServingSettings(backend="onnx")
    _assert_same_graph(
        _serve(**given, live="false", backend="onnx"),
        bringup.serve_graph(rig, checkpoints=checkpoints, live=False, settings=settings),
    )
    for node in _serve(**given, use_sim_time="true"):
        assert _values(node)["use_sim_time"] is True


def test_serve_without_a_model_says_what_it_needs():
    with pytest.raises(ConfigError, match="expected a checkpoint"):
        _serve()
