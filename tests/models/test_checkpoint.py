"""A checkpoint comes back as it was, or is refused with the reason."""

import json
import pickle

import pytest
import torch

from policy_ros.models.checkpoint import load_checkpoint
from tests.models.checkpoints import CLASSES, write_checkpoint
from tiltbot_ros.errors import ModelError


def edit(folder, change):
    path = folder / "contract.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.fixture
def folder(tmp_path):
    write_checkpoint(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def test_a_model_comes_back_with_its_weights_and_contract(tmp_path):
    model, contract = write_checkpoint(tmp_path / "checkpoint", seed=3)
    model.audio.normalizer.mean.fill_(1.5)
    again, read = load_checkpoint(tmp_path / "checkpoint")
    assert read == contract
    assert read.classes == CLASSES
    assert [(q.name, q.shape) for q in read.inputs] == [
        ("spectrogram", (4, 64, 64)),
        ("before", (3, 64, 64)),
    ]
    model.audio.normalizer.mean.fill_(0.0)
    assert all(
        torch.equal(a, b)
        for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True)
    )
    assert not again.training


def test_saving_again_replaces_the_folder_and_leaves_nothing_beside_it(tmp_path):
    write_checkpoint(tmp_path / "checkpoint", seed=0)
    _, second = write_checkpoint(tmp_path / "checkpoint", seed=1)
    assert load_checkpoint(tmp_path / "checkpoint")[1] == second
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_weights_cut_short_are_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cut short or changed"):
        load_checkpoint(folder)


def test_missing_weights_are_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="expected weights at"):
        load_checkpoint(folder)


def test_weights_of_another_contract_are_refused(folder, tmp_path):
    write_checkpoint(tmp_path / "other", "classifier")
    other = json.loads((tmp_path / "other" / "contract.json").read_text())
    (folder / "model.safetensors").write_bytes(
        (tmp_path / "other" / "model.safetensors").read_bytes()
    )
    edit(folder, lambda document: document.update(weights_sha256=other["weights_sha256"]))
    with pytest.raises(ModelError, match="does not hold the weights of the model 'multitask'"):
        load_checkpoint(folder)


def test_a_hostile_pickle_is_never_loaded(folder, tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    import hashlib  # noqa: PLC0415

    data = pickle.dumps(Hostile())
    (folder / "model.safetensors").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    edit(folder, lambda document: document.update(weights_sha256=digest))
    with pytest.raises(ModelError, match="no safetensors file"):
        load_checkpoint(folder)
    assert not (tmp_path / "owned").exists()


def test_a_file_instead_of_a_folder_is_refused(tmp_path):
    (tmp_path / "model.pt").write_bytes(pickle.dumps({}))
    with pytest.raises(ModelError, match="files of pickles are never read"):
        load_checkpoint(tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(format=2), "format: Input should be 1"),
        (lambda d: d.update(model="oracle"), "model to be one of"),
        (lambda d: d["settings"].update(audio_encoder="ast"), "audio encoder to be one of"),
        (lambda d: d["settings"].update(audio_width=10**9), "audio_width"),
        (lambda d: d.update(classes=["mug"]), "expected 3 classes, got 1 names"),
        (lambda d: d.update(microphones=[0]), "expected 4 microphones, got 1"),
        (lambda d: d["front_end"].update(window=511), "even window"),
        (lambda d: d.pop("weights_sha256"), "weights_sha256"),
        (lambda d: d.update(secret=1), "secret"),
    ],
)
def test_a_contract_that_does_not_fit_is_refused_with_the_reason(folder, change, reason):
    edit(folder, change)
    with pytest.raises(ModelError, match=reason):
        load_checkpoint(folder)


def test_a_contract_that_is_not_json_is_refused(folder):
    (folder / "contract.json").write_bytes(b"\x80\x04nope")
    with pytest.raises(ModelError, match="is no contract"):
        load_checkpoint(folder)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    from policy_ros.models import checkpoint  # noqa: PLC0415

    model, contract = write_checkpoint(tmp_path / "checkpoint")
    with torch.no_grad():
        model.classes.bias[0] = float("nan")
    checkpoint.save_checkpoint(
        tmp_path / "checkpoint",
        model,
        classes=contract.classes,
        microphones=contract.microphones,
        front_end=contract.front_end,
        seconds=contract.seconds,
        picture_size=contract.picture_size,
        max_tilt_rad=contract.max_tilt_rad,
        half_side_m=contract.half_side_m,
        origin=contract.origin,
    )
    with pytest.raises(ModelError, match=r"'classes\.bias' has others"):
        load_checkpoint(tmp_path / "checkpoint")
