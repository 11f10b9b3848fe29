"""What users change in a model is one line each, and goes all the way to an evaluation."""

import hashlib

import numpy as np
import pytest
import torch

from policy_ros.data.splits import read_split
from policy_ros.evaluation.evaluating import evaluate
from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.models.settings import ModelSettings, Shapes
from policy_ros.models.zoo import build_model
from policy_ros.training.learner import Learner
from policy_ros.training.preparation import Preparation
from policy_ros.training.run_folder import read_manifest
from policy_ros.training.training import train
from tests.models.checkpoints import write_checkpoint
from tests.training.small import recipe
from tiltbot_ros.errors import ConfigError, ModelError


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("network.audio_encoder=resnet", lambda c: c.settings.audio_encoder == "resnet"),
        ("network.audio_channels=differences", lambda c: c.settings.audio_channels[0] == "d"),
        ("microphones=[2, 0]", lambda c: c.microphones == (2, 0)),
        (
            "front_end={transform: log_mel, frequencies: 20, times: 18, window: 126}",
            lambda c: c.inputs[0].shape == (4, 20, 18),
        ),
        ("front_end={window: 64, frequencies: 16, times: 16}", lambda c: c.front_end.window == 64),
        ("inverse_weight=0.7", lambda c: c.model == "multitask"),
    ],
)
def test_one_line_changes_the_model_that_is_trained_and_evaluated(store, tmp_path, line, told):
    chosen = recipe("tiltbot", line, "schedule.epochs=1")
    train(chosen, store, read_split(store, "set_a"), out=tmp_path / "run", seed=0)
    rows = read_split(store, "a_to_b").part("test")
    contract, measures, _ = evaluate(tmp_path / "run" / "checkpoint", store, rows)
    assert told(contract)
    assert [(measure.name, measure.rows) for measure in measures] == [
        ("inverse error, mean squared", len(rows))
    ]
    assert np.isfinite(measures[0].value)


def test_weights_from_outside_are_kept_as_they_are_and_told(store, tmp_path):
    network = ModelSettings(image_encoder="resnet18", image_projection=False, embedding=512)
    other = build_model("image_classifier", network, Shapes(classes=2), seed=9).picture.encoder
    path = tmp_path / "resnet18.pth"
    torch.save(other.state_dict(), path)
    chosen = recipe(
        "image_classifier",
        "network.image_encoder=resnet18",
        "network.image_projection=false",
        "network.embedding=512",
        "schedule.epochs=1",
        f"image_weights={path}",
    )
    train(chosen, store, read_split(store, "set_a"), out=tmp_path / "run", seed=0)
    model, contract = load_checkpoint(tmp_path / "run" / "checkpoint")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert contract.origin.image_weights == digest
    assert read_manifest(tmp_path / "run").origin.image_weights == digest
    kept = model.picture.encoder.state_dict()
    for name, value in other.state_dict().items():
        assert torch.equal(kept[name], value), name
    torch.save(torch.nn.Linear(1, 1), path)
    with pytest.raises(ModelError, match="tensors alone"):
        train(chosen, store, read_split(store, "set_a"), out=tmp_path / "run", seed=0)
    torch.save({name: value + 1 for name, value in other.state_dict().items()}, path)
    with pytest.raises(ConfigError, match=f"image weights .*got.*image weights {digest[:12]}"):
        train(chosen, store, read_split(store, "set_a"), out=tmp_path / "run", seed=0)


def test_the_control_hears_other_rows_by_another_front_end_too(store):
    chosen = recipe(
        "tiltbot", "shuffled=true", "front_end={window: 64, frequencies: 16, times: 16}"
    )
    prepare = Preparation(chosen, store, ())
    rows = torch.arange(6)
    # The toy store is silent: its derived spectrograms are put in the place of marked ones.
    prepare._sound = Marked()
    swapped = prepare({"row": rows, "sensed_row": rows.flip(0)}, None)["spectrogram"]
    assert swapped[:, 0, 0, 0].tolist() == [5, 4, 3, 2, 1, 0]
    assert prepare({"row": rows}, None)["spectrogram"][:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]


class Marked:
    def take(self, rows):
        return rows.float()[:, None, None, None].expand(-1, 4, 16, 16)


def test_batches_are_prepared_on_the_processor_and_moved_to_the_model(store):
    chosen = recipe("tiltbot", "augmentations=[symmetry, gain]")
    prepare = Preparation(chosen, store, ("a0", "a1", "a2", "a3"))
    model = build_model(chosen.model, chosen.network, prepare.shapes, seed=0)
    learner = Learner(model, chosen, prepare, seed=0, steps=1).to("meta")  # stands for a GPU
    batch = {
        "row": torch.arange(4),
        "spectrogram": torch.zeros(4, *prepare.shapes.spectrogram),
        "before": torch.zeros(4, *prepare.shapes.picture),
        "object": torch.arange(4),
        "action": torch.zeros(4, 2),
    }
    assert learner.transfer_batch_to_device(batch, torch.device("meta"), 0) is batch
    assert learner.training_step(batch, 0).device.type == "meta"


def test_a_checkpoint_of_another_store_is_refused_with_every_difference(store, tmp_path):
    write_checkpoint(tmp_path / "other")
    with pytest.raises(ModelError, match=r"sound in a row.*picture size.*tilt of an action of 1"):
        evaluate(tmp_path / "other", store, np.arange(3))
