import json
import shutil
import sys

import pyarrow.parquet as pq
import pytest
import whole_episodes as rig

from policy_ros.data import exporters
from tiltbot_ros.cli import main


@pytest.fixture
def tiltbot(capsys):
    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_a_dataset_is_exported_and_checked(tiltbot, recorded, tmp_path):
    out = tmp_path / "out"
    status, told, _ = tiltbot("export", "lerobot", recorded, "--out", out, "--object", "mug")
    assert (status, told.strip()) == (0, f"2 episodes in {out}")
    assert tiltbot("export", "check", out)[0] == 0
    info = json.loads((out / "meta/info.json").read_text())
    (out / "meta/info.json").write_text(json.dumps({**info, "fps": 7}))
    status, told, _ = tiltbot("export", "check", out, "--json")
    assert status == 1
    assert any("timestamp" in problem for problem in json.loads(told)["problems"])


def test_what_is_left_out_is_told_and_the_exit_status_tells(tiltbot, recorded, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(recorded, folder)
    bag = folder / "ep_000002" / "ep_000002.mcap"
    bag.write_bytes(bag.read_bytes()[:-10])
    (folder / "ep_000003" / "episode.json").write_text("{}")
    for form in ("webdataset", "parquet"):
        out = tmp_path / form
        status, told, errors = tiltbot("export", form, folder, "--out", out)
        assert status == 1
        assert told.strip() == f"1 episode in {out}; 2 episodes left out"
        assert "ep_000002.mcap" in errors
        assert "ep_000003" in errors


def test_flagged_episodes_are_exported_on_request_alone(tiltbot, tmp_path):
    rig.write(tmp_path / "data", rig.Wanted(lost_block=100))
    out = tmp_path / "out"
    status, _, errors = tiltbot("export", "parquet", tmp_path / "data", "--out", out)
    assert status == 1
    assert "flagged ones are taken with --flagged only" in errors
    told = tiltbot("export", "parquet", tmp_path / "data", "--out", out, "--flagged", "--json")[1]
    assert json.loads(told)["episodes"] == 1
    assert pq.read_table(out)["clean"].to_pylist() == [False]


def test_an_episode_is_exported_to_rerun(tiltbot, recorded, tmp_path, monkeypatch):
    pytest.importorskip("rerun")
    monkeypatch.chdir(tmp_path)
    assert tiltbot("export", "rerun", recorded)[:2] == (0, "ep_000003.rrd\n")
    assert (tmp_path / "ep_000003.rrd").stat().st_size > 100_000


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("lerobot", "nowhere", "--out", "x"), 1, "expected a folder of episodes, found none"),
        (("lerobot", "--out", "x"), 2, "expected one folder of episodes or more"),
        (("lerobot", ".", "--out", "x", "--crf", "99"), 1, "crf"),
        (("parquet", ".", "--out", "x", "--file-mb", "0"), 1, "file_mb"),
        (("webdataset", ".", "--out", "x"), 1, "expected episodes to export"),
        (("rerun", "nowhere"), 1, "nowhere"),
    ],
)
def test_wrong_use_is_told(tiltbot, tmp_path, monkeypatch, arguments, status, told):
    monkeypatch.chdir(tmp_path)
    found, _, errors = tiltbot("export", *arguments)
    assert found == status
    assert told in errors
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("library", "form", "extras"),
    [("av", "lerobot", "learn,video"), ("pyarrow", "parquet", "learn")],
)
def test_a_missing_library_is_named(
    tiltbot, recorded, tmp_path, monkeypatch, library, form, extras
):
    for name in list(sys.modules):
        if name.startswith("policy_ros.data.exporters."):
            monkeypatch.delitem(sys.modules, name)
    for name in ("lerobot", "lerobot_check", "parquet"):
        monkeypatch.delattr(exporters, name, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    status, _, errors = tiltbot("export", form, recorded, "--out", tmp_path / "out")
    assert status == 1
    assert f"expected the Python package {library}, it is not installed" in errors
    assert f"pip install 'tiltbot[{extras}]'" in errors
