import json
import pickle
import shutil

import pytest
import release
import soundfile

from tiltbot_ros.cli import main


@pytest.fixture
def tiltbot(capsys):
    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def root(made, tmp_path_factory):
    """Return a release with an experiment that is fine and one with a hostile pickle."""
    root = tmp_path_factory.mktemp("verb")
    shutil.copytree(made.parent, root / "release" / "wooden_cube")
    bad = root / "release" / "wooden_cube" / "exp_2"
    shutil.copytree(made / "audio", bad / "audio")
    (bad / "data").mkdir()
    (bad / "data" / "data.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    return root / "release"


def test_a_release_is_imported_and_the_exit_status_tells_of_the_bad_one(tiltbot, root, tmp_path):
    out = tmp_path / "out"
    options = ("--tray-key", "state/orientation", "--tray-form", "quaternion_xyzw")
    status, told, errors = tiltbot("import", "release", root, "--out", out, *options)
    assert status == 1
    assert "wooden_cube/exp_1: 2 contacts in 11.0 s, 2 episodes, 2 clean" in told
    assert "1 recording left out" in told
    assert "exp_2: LEFT OUT" in errors
    assert "data.pkl: refused the name 'posix.system'" in errors
    status, told, _ = tiltbot("import", "release", root, "--out", out, *options, "--json")
    report = json.loads(told)
    assert (status, report["episodes"], report["before"]) == (1, 2, 1)
    status, told, _ = tiltbot("convert", out, "--out", tmp_path / "store", "--workers", 1)
    assert status == 0
    assert "2 episodes" in told


def test_look_prints_what_an_entry_holds(tiltbot, root):
    status, told, _ = tiltbot("import", "release", root / "wooden_cube" / "exp_1", "--look")
    assert status == 0
    assert "state/orientation: float64 (4,)" in told


def test_sound_is_imported_and_converts(tiltbot, tmp_path):
    soundfile.write(tmp_path / "a.wav", release.sound(), release.RATE)
    (tmp_path / "a.csv").write_text("start_s,end_s,ax,ay,object\n2.7,4.7,0.6,0.2,mug\n")
    out = tmp_path / "out"
    assert tiltbot("import", "sound", tmp_path / "a.wav", "--out", out)[0] == 0
    status, told, _ = tiltbot("convert", out, "--out", tmp_path / "store", "--workers", 1)
    assert "1 left out" in told  # the second knock has no action
    assert status == 0


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("release", "nowhere", "--out", "x"), 1, "nowhere: expected a folder with the Tilt-Bot"),
        (("release", ".", "--out", "x", "--tray-axes", "left"), 1, "tray_axes"),
        (("bags", "nowhere", "--out", "x"), 1, "nowhere: expected a bag or a folder of bags"),
        (("bags", ".", "--out", "x", "--topic", "audio"), 1, "expected a topic as OURS="),
        (("bags", ".", "--out", "x", "--object", "a", "--object-by-folder"), 2, "got both"),
        (("sound", "nowhere", "--out", "x"), 1, "nowhere: expected a sound file"),
    ],
)
def test_wrong_use_is_told(tiltbot, tmp_path, monkeypatch, arguments, status, told):
    monkeypatch.chdir(tmp_path)
    found, _, errors = tiltbot("import", *arguments)
    assert found == status
    assert told in errors
    assert not (tmp_path / "x").exists()


def test_without_a_folder_to_write_to_nothing_is_done(tiltbot, root):
    status, _, errors = tiltbot("import", "release", root)
    assert status == 2
    assert "expected --out DIR" in errors


def test_an_episode_is_no_bag_of_another_recorder(tiltbot, tmp_path):
    episode = tmp_path / "data" / "ep_000001"
    episode.mkdir(parents=True)
    for name in ("metadata.yaml", "episode.json"):
        (episode / name).write_bytes(pickle.dumps(None))
    status, _, errors = tiltbot("import", "bags", tmp_path / "data", "--out", tmp_path / "x")
    assert status == 2
    assert "`tiltbot convert` takes it as it is" in errors
