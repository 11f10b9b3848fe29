"""Weights from outside fit as a whole and are read as data, or are refused."""

import pickle

import pytest
import torch
from safetensors.torch import save_file

from policy_ros.models.outside_weights import load_image_weights
from policy_ros.models.settings import ModelSettings, Shapes
from policy_ros.models.zoo import build_model
from tiltbot_ros.errors import ConfigError, ModelError

SETTINGS = ModelSettings(image_encoder="resnet18", image_projection=False, embedding=512)
SHAPES = Shapes(picture=(3, 32, 32), classes=2)


@pytest.fixture
def model():
    return build_model("image_classifier", SETTINGS, SHAPES, seed=0)


@pytest.fixture(scope="module")
def weights():
    other = build_model("image_classifier", SETTINGS, SHAPES, seed=9)
    state = other.picture.encoder.state_dict()
    return {name: value.clone().contiguous() for name, value in state.items()}


def test_torchvisions_file_is_loaded_and_frozen(model, weights, tmp_path):
    path = tmp_path / "resnet18.pth"
    torch.save({**weights, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, path)
    assert len(load_image_weights(model, path)) == 64
    encoder = model.picture.encoder
    assert torch.equal(encoder.conv1.weight, weights["conv1.weight"])
    assert model.picture.normalizer.mean[0, 0, 0] == pytest.approx(0.485)
    model.train()
    model(torch.rand(2, 3, 32, 32))[0].sum().backward()
    assert encoder.conv1.weight.grad is None
    assert torch.equal(encoder.bn1.running_mean, weights["bn1.running_mean"])
    assert model.classes.weight.grad is not None


def test_prefixes_nesting_and_missing_counters_do_not_matter(model, weights, tmp_path):
    inside = {
        f"module.convnet.{name}": value
        for name, value in weights.items()
        if not name.endswith("num_batches_tracked")
    }
    torch.save({"r3m": inside}, tmp_path / "r3m.pt")
    load_image_weights(model, tmp_path / "r3m.pt")
    save_file(inside, tmp_path / "r3m.safetensors")
    load_image_weights(model, tmp_path / "r3m.safetensors")
    assert torch.equal(model.picture.encoder.conv1.weight, weights["conv1.weight"])


def test_a_partial_file_is_refused(model, weights, tmp_path):
    part = {name: value for name, value in weights.items() if not name.startswith("layer4.1")}
    torch.save({**part, "head.weight": torch.zeros(1)}, tmp_path / "part.pth")
    with pytest.raises(ModelError, match=r"missing \['layer4\.1.*unexpected \['head\.weight'\]"):
        load_image_weights(model, tmp_path / "part.pth")


def test_a_hostile_pickle_is_not_run(model, tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    (tmp_path / "bad.pth").write_bytes(pickle.dumps({"conv1.weight": Hostile()}))
    with pytest.raises(ModelError, match="cannot be read as tensors alone"):
        load_image_weights(model, tmp_path / "bad.pth")
    assert not (tmp_path / "owned").exists()


def test_another_encoder_has_no_place_for_them(tmp_path):
    model = build_model("image_classifier", ModelSettings(), Shapes(classes=2), seed=0)
    with pytest.raises(ConfigError, match=r"network\.image_encoder=resnet18"):
        load_image_weights(model, tmp_path / "none.pth")
