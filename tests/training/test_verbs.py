"""`tiltbot train` and `tiltbot evaluate`, as a user types them."""

import json

import pytest

from policy_ros.serving import export
from tests.training.small import CHANGES
from tiltbot_ros.cli import main


@pytest.fixture(scope="module")
def trained(store, tmp_path_factory):
    out = tmp_path_factory.mktemp("verb") / "run"
    changes = [word for change in CHANGES for word in ("--set", change)]
    assert main(["train", "--store", str(store.path), "--out", str(out), *changes]) == 0
    return out


def test_a_training_ends_with_its_figures_and_its_checkpoint(trained, capsys):
    assert (trained / "checkpoint" / "contract.json").is_file()
    manifest = json.loads((trained / "run.json").read_text())
    assert manifest["status"] == "finished"
    assert manifest["recipe"]["schedule"]["epochs"] == 3


def test_a_checkpoint_is_evaluated_on_any_split(trained, store, capsys):
    words = ["evaluate", str(trained), "--store", str(store.path), "--json", "--objects"]
    assert main([*words, "--split", "a_to_b"]) == 0
    new = json.loads(capsys.readouterr().out)
    assert [measure["name"] for measure in new["measures"]] == ["inverse error, mean squared"]
    assert set(new["objects"]) == {"b0", "b1", "b2", "b3"}
    assert main([*words, "--split", "set_a", "--part", "all"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert [measure["rows"] for measure in seen["measures"]] == [120, 120]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--recipe", "tilt"], "did you mean 'tiltbot'"),
        (["--split", "set_c"], "there are a_to_b, all"),
        (["--set", "network.audio_encoder=ast"], "one of cnn, resnet"),
        (["--set", "front_end={transform: wavelet}"], "a transform of ['log_mel', 'log_stft']"),
        (["--seed", "-1"], "expected --seed 0 or more"),
        (["--embedding", "somewhere"], "expected no --embedding"),
    ],
)
def test_a_wrong_command_says_what_is_right(store, tmp_path, capsys, words, reason):
    given = ["train", "--store", str(store.path), "--out", str(tmp_path / "run"), *words]
    assert main(given) in (1, 2)
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_finished_training_is_exported_when_asked_for(trained, store, capsys, monkeypatch):
    asked = []
    # What an export does, and that it must answer alike, tests/serving/test_export.py tells.
    monkeypatch.setattr(export, "export", lambda folder: asked.append(folder) or 3e-7)
    changes = [word for change in CHANGES for word in ("--set", change)]
    words = ["train", "--store", str(store.path), "--out", str(trained), *changes]
    assert main([*words, "--export"]) == 0
    assert asked == [trained / "checkpoint"]
    assert "exported to ONNX; it differs by 3.0e-07 at most" in capsys.readouterr().out


def test_a_part_without_rows_is_refused(trained, store, capsys):
    words = ["evaluate", str(trained), "--store", str(store.path), "--split", "b_5_shot"]
    assert main([*words, "--part", "validation"]) == 2
    assert "the part 'validation' of the split 'b_5_shot', got none" in capsys.readouterr().err


def test_what_is_no_checkpoint_is_refused(store, tmp_path, capsys):
    assert main(["evaluate", str(tmp_path), "--store", str(store.path)]) == 1
    assert "expected a checkpoint" in capsys.readouterr().err
