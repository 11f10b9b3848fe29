"""An exported model counts only when it answers as PyTorch does, and is the contract's."""

import json

import numpy as np
import pytest

from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.serving import export as export_module
from policy_ros.serving.export import TOLERANCE, export, parity
from policy_ros.serving.onnx_engine import OnnxEngine
from policy_ros.serving.predictor import Predictor
from tiltbot_ros.errors import ModelError


def copy_of(folder, out):
    out.mkdir()
    for path in folder.iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    return out


def test_an_export_that_answers_otherwise_is_refused_and_not_written(
    exported_checkpoint, tmp_path, monkeypatch
):
    folder = copy_of(exported_checkpoint, tmp_path / "checkpoint")
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").unlink()
    model, contract = load_checkpoint(folder)
    assert parity(model, contract, data) < TOLERANCE
    # One number of the last bias, by 1: as if an operation had been exported wrongly.
    bias = model.classes.bias.detach().numpy().tobytes()
    assert data.count(bias) == 1
    wrong = data.replace(bias, (model.classes.bias.detach().numpy() + 1).tobytes())
    monkeypatch.setattr(export_module, "_convert", lambda *_: wrong)
    with pytest.raises(ModelError, match=r"differs from PyTorch by .* more than 0\.0001"):
        export(folder)
    assert not list(folder.glob("model.onnx*"))


@pytest.mark.parametrize(
    ("group", "change", "reason"),
    [
        ("inputs", lambda q: {**q, "name": "sound"}, "with the inputs sound.*got spectrogram"),
        ("outputs", lambda q: {**q, "name": "verdict"}, "with the outputs verdict, action"),
    ],
)
def test_an_export_of_another_contract_is_refused(
    exported_checkpoint, tmp_path, group, change, reason
):
    folder = copy_of(exported_checkpoint, tmp_path / "checkpoint")
    document = json.loads((folder / "contract.json").read_text())
    document[group][0] = change(document[group][0])
    (folder / "contract.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match=reason):
        Predictor.open(folder, backend="onnx")


def test_an_export_that_cannot_be_run_says_so(exported_checkpoint):
    _, contract = load_checkpoint(exported_checkpoint)
    engine = OnnxEngine.open(exported_checkpoint, contract)
    with pytest.raises(ModelError, match="cannot be run"):
        engine.run(
            {
                "spectrogram": np.zeros((1, 4, 32, 64), np.float32),
                "before": np.zeros((1, 3, 64, 64), np.float32),
            }
        )


class SickEngine:
    def run(self, inputs):
        return {"logits": np.full((1, 3), np.nan, np.float32)}


def test_an_answer_that_is_not_finite_is_none(exported_checkpoint):
    _, contract = load_checkpoint(exported_checkpoint)
    with pytest.raises(ModelError, match="'logits' that is not finite"):
        Predictor(contract, SickEngine(), backend="none").predict(
            {
                "spectrogram": np.zeros((4, 64, 64), np.float32),
                "before": np.zeros((3, 64, 64), np.float32),
            }
        )
