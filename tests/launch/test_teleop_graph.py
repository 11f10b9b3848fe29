"""The graph in which a person leads an arm."""

from importlib import import_module
from pathlib import Path

import pytest
import yaml

from tests.launch import standin
from tiltbot_ros import bringup
from tiltbot_ros.arms.drivers import ARMS
from tiltbot_ros.demonstrations.settings import DemonstrationSessionSettings
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.rigs import Rig, group_model, load_rig
from tiltbot_ros.settings import checked

LAUNCH = Path(__file__).parents[2] / "launch" / "teleop.launch.py"
ARM = {"arm": {"driver": "kinematic"}, "camera": None}


@pytest.fixture(autouse=True)
def _launch(monkeypatch):
    standin.install(monkeypatch)


@pytest.fixture
def rig_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(ARM))
    return path


def teleop(**arguments):
    return standin.execute(standin.load(LAUNCH), **arguments)


@pytest.mark.parametrize("driver", sorted(ARMS))
def test_the_arm_gets_its_own_groups_and_those_of_its_driver(driver):
    spec = bringup.arm(Rig.model_validate({"arm": {"driver": driver}}))
    groups = {}
    for name, value in spec.parameters.items():
        group, _, key = name.partition(".")
        groups.setdefault(group, {})[key] = value
    assert set(groups) == {*bringup.GROUPS["arm_node"], *ARMS[driver].groups}
    for group, values in groups.items():
        checked(group_model(group), values)


def test_a_rig_whose_tray_is_a_world_has_no_arm_to_lead():
    with pytest.raises(ConfigError, match="no arm"):
        bringup.teleop_graph(load_rig("sim"))


def test_with_a_recorder_come_the_sensors_that_are_there(tmp_path):
    rig = Rig.model_validate(
        {
            "arm": {"driver": "kinematic"},
            "microphones": {"source": "sounddevice"},
            "camera": {"source": "simulated"},
        }
    )
    session = DemonstrationSessionSettings.of(rig, directory=str(tmp_path))
    names = [spec.name for spec in bringup.teleop_graph(rig, session=session)]
    assert names == ["arm", "microphones", "demonstrations", "teleop"]
    assert [spec.name for spec in bringup.teleop_graph(rig, person=False)] == ["arm"]


def test_the_rig_of_a_simulated_arm_has_no_sensors():
    rig = load_rig("arm_sim")
    session = DemonstrationSessionSettings.of(rig, directory="demos")
    assert (session.audio_hz, session.camera_hz, session.steps_hz) == (0.0, 0.0, 10.0)
    names = [spec.name for spec in bringup.teleop_graph(rig, session=session)]
    assert names == ["arm", "demonstrations", "teleop"]


def test_a_dry_run_is_told_to_the_arm_and_is_not_recorded(tmp_path):
    rig = Rig.model_validate(ARM)
    specs = {spec.name: spec for spec in bringup.teleop_graph(rig, dry_run=True)}
    assert specs["arm"].parameters["dry_run"] is True
    session = DemonstrationSessionSettings.of(rig, directory=str(tmp_path))
    with pytest.raises(ConfigError, match="got both"):
        bringup.teleop_graph(rig, session=session, dry_run=True)


@pytest.mark.parametrize("rig", [load_rig("sim"), Rig.model_validate(ARM)])
def test_a_dry_collection_has_no_recorder(rig):
    specs = bringup.collect_graph(rig, out=Path("data"), dry_run=True)
    assert {spec.name for spec in specs} in ({"world", "collect"}, {"tray", "collect"})
    assert all(spec.parameters["dry_run"] is True for spec in specs)
    for spec in specs:
        module = import_module(f"tiltbot_ros.nodes.{spec.executable}")
        assert hasattr(module, "declare_dry_run")


def test_the_launch_file_starts_the_graph_of_the_table(rig_file, tmp_path):
    nodes = teleop(rig=str(rig_file), source="gamepad", out=str(tmp_path), label="success")
    assert [node.name for node in nodes] == ["arm", "demonstrations", "teleop"]
    (parameters,) = nodes[1].parameters
    assert parameters["demonstration_session.label"].value == "success"
    assert all(node.on_exit is not None for node in nodes)
    (dry,) = teleop(rig=str(rig_file), source="headset", dry_run="true")[0].parameters
    assert dry["dry_run"] is True


def test_a_launched_keyboard_is_refused_with_what_to_do(rig_file):
    with pytest.raises(ConfigError, match="tiltbot teleop"):
        teleop(rig=str(rig_file))
