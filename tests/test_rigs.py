import pytest
import yaml

from tiltbot_ros import bringup, rigs
from tiltbot_ros.errors import ConfigError


def write(path, content):
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(path)


def test_every_rig_in_the_package_makes_a_graph(tmp_path):
    assert "sim" in rigs.rig_names()
    for name in rigs.rig_names():
        specs = bringup.collect_graph(rigs.load_rig(name), out=tmp_path)
        assert len({spec.name for spec in specs}) == len(specs)


def test_an_unknown_rig_lists_the_known_ones_and_guesses():
    with pytest.raises(ConfigError, match=r"sim.*did you mean 'sim'"):
        rigs.load_rig("simm")


def test_a_user_folder_is_searched_first(tmp_path, monkeypatch):
    write(tmp_path / "sim.yaml", {"description": "mine"})
    monkeypatch.setenv(rigs.SEARCH_PATH_VARIABLE, str(tmp_path))
    assert rigs.load_rig("sim").description == "mine"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"microphones": {"chanels": 4}}, "microphones.chanels"),
        ({"tilt": {"max_tilt_rad": 3.0}}, "tilt.max_tilt_rad.*less than or equal to 0.8"),
        ({"arm": {"driver": "sawyr"}}, "arm.driver"),
        ("[1, 2", "cannot be read"),
        ("just text", "groups of settings"),
    ],
)
def test_a_rig_that_does_not_fit_is_refused_with_the_setting_named(tmp_path, content, words):
    with pytest.raises(ConfigError, match=words):
        rigs.load_rig(write(tmp_path / "bad.yaml", content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        rigs.load_rig(str(tmp_path / "none.yaml"))


def test_the_simulated_rig_refuses_objects_it_cannot_build():
    with pytest.raises(ConfigError, match="025_mug"):
        bringup.object_names(["025_mugg"], rigs.load_rig("sim"))


def test_required_nodes_are_the_recorder_and_the_arm(tmp_path):
    specs = bringup.collect_graph(rigs.load_rig("sim"), out=tmp_path)
    assert {spec.name for spec in specs if spec.required} == {"world", "recorder"}
    assert {spec.name for spec in specs if spec.respawn} == {"contacts", "tracker"}


def test_real_devices_make_nodes_of_their_own(tmp_path):
    content = {"arm": {"driver": "kinematic"}, "microphones": {"source": "sounddevice"}}
    rig = rigs.load_rig(write(tmp_path / "bench.yaml", content))
    names = [spec.name for spec in bringup.collect_graph(rig, out=tmp_path)]
    assert {"tray", "microphones", "camera"} <= set(names)
    assert rig.name == "bench"
