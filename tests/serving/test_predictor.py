"""A checkpoint answers the same through ONNX Runtime and PyTorch, and refuses bad input."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch

from policy_ros.serving.inputs import picture_input, spectrogram_input
from policy_ros.serving.predictor import Predictor
from policy_ros.signals.pictures import shrink
from tests.models.checkpoints import write_checkpoint
from tiltbot_ros.errors import ConfigError, ModelError

GPU = torch.cuda.is_available()


@pytest.fixture
def exported(exported_checkpoint):
    return exported_checkpoint


@pytest.fixture
def inputs():
    rng = np.random.default_rng(0)
    return {
        "spectrogram": rng.uniform(-5, 5, (4, 64, 64)).astype(np.float32),
        "before": rng.uniform(0, 1, (3, 64, 64)).astype(np.float32),
    }


def test_both_backends_answer_alike_for_one_and_for_many(exported, inputs):
    onnx_runtime = Predictor.open(exported, backend="onnx")
    pytorch = Predictor.open(exported, backend="torch")
    one, same = onnx_runtime.predict(inputs), pytorch.predict(inputs)
    assert {name: value.shape for name, value in one.items()} == {
        "logits": (3,),
        "action": (2,),
        "embedding": (8,),
    }
    many = onnx_runtime.predict_batch({k: np.stack([v] * 5) for k, v in inputs.items()})
    for name, value in one.items():
        np.testing.assert_allclose(value, same[name], atol=1e-5)
        np.testing.assert_allclose(many[name][4], value, atol=1e-5)


def test_the_backend_is_chosen_by_what_is_there(exported, tmp_path):
    assert Predictor.open(exported).backend == ("torch" if GPU else "onnx")
    write_checkpoint(tmp_path / "checkpoint")
    assert Predictor.open(tmp_path / "checkpoint").backend == "torch"


@pytest.mark.skipif(GPU, reason="torch is the better backend here")
def test_an_exported_checkpoint_is_opened_without_torch_where_there_is_no_gpu(exported):
    code = (
        "import sys, pathlib; from policy_ros.serving.predictor import Predictor; "
        "opened = Predictor.open(pathlib.Path(sys.argv[1])); "
        "print(opened.backend, 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(exported)]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"onnx False\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda i: i.pop("before"), "expected the inputs spectrogram, before, got spectrogram"),
        (lambda i: i.update(after=i["before"]), "got spectrogram, before, after"),
        (lambda i: i.update(spectrogram=i["spectrogram"][:1]), r"shape \(4, 64, 64\).*\(1, 64"),
        (lambda i: i.update(spectrogram=i["spectrogram"] * np.nan), "16384 of 16384 are not"),
        (lambda i: i.update(before=i["before"] * 255), r"within \[0, 1\] \[RGB, 1 is white\]"),
        (lambda i: i.update(before=i["before"].astype(str)), "expected numbers as 'before'"),
    ],
)
def test_bad_input_is_refused_with_the_reason(exported, inputs, change, reason):
    predictor = Predictor.open(exported)
    good = predictor.predict(inputs)
    change(inputs)
    with pytest.raises(ModelError, match=reason):
        predictor.predict(inputs)
    assert good  # and it still answers
    assert predictor.contract.model == "multitask"


def test_an_export_of_other_weights_is_refused(exported, tmp_path):
    folder = tmp_path / "checkpoint"
    write_checkpoint(folder, seed=9)
    (folder / "model.onnx").write_bytes((exported / "model.onnx").read_bytes())
    with pytest.raises(ModelError, match="made from other weights"):
        Predictor.open(folder, backend="onnx")


def test_an_export_cut_short_is_refused(exported, tmp_path):
    folder = tmp_path / "checkpoint"
    write_checkpoint(folder)
    data = (exported / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="expected an ONNX model"):
        Predictor.open(folder, backend="onnx")


def test_the_exported_file_is_one_valid_onnx_model(exported):
    onnx.checker.check_model(str(exported / "model.onnx"))


def test_a_store_picture_becomes_the_input_that_training_saw(exported):
    contract = Predictor.open(exported).contract
    picture = np.random.default_rng(1).integers(0, 256, (128, 128, 3), np.uint8)
    value = picture_input(contract, picture)
    blocks = picture.reshape(64, 2, 64, 2, 3).astype(float).mean((1, 3))
    np.testing.assert_allclose(value.transpose(1, 2, 0) * 255, blocks, rtol=1e-6)
    with pytest.raises(ModelError, match=r"uint8 \(128, 128, 3\)"):
        picture_input(contract, picture[:64])


def test_a_rig_with_too_few_microphones_is_refused(exported):
    contract = Predictor.open(exported).contract
    sound = np.zeros((4, 64, 64), np.float32)
    assert spectrogram_input(contract, sound).shape == (4, 64, 64)
    with pytest.raises(ModelError, match="holds the microphones"):
        spectrogram_input(contract, sound[:1])


def test_pictures_shrink_by_whole_factors_only():
    picture = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    np.testing.assert_allclose(shrink(picture, 4)[0], picture[..., 0] / 255, rtol=1e-6)
    np.testing.assert_allclose(shrink(np.full((2, 4, 4, 3), 255, np.uint8), 2), 1, rtol=1e-6)
    with pytest.raises(ConfigError, match="multiple of 3 px"):
        shrink(picture, 3)
