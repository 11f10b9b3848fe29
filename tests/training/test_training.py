"""Trainings learn, repeat with their seed, go on after a stop, and refuse what does not fit."""

import json
import signal

import numpy as np
import pytest
import torch
import yaml

from policy_ros.data.splits import read_split
from policy_ros.evaluation.evaluating import evaluate
from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.training.callbacks import KeepCheckpoint
from policy_ros.training.run_folder import RunFolder, read_manifest, read_metrics
from policy_ros.training.training import train
from tests.training.small import recipe
from tiltbot_ros.errors import ConfigError


def weights(folder):
    return load_checkpoint(folder / "checkpoint")[0].state_dict()


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def run(store, out, chosen, *, seed=0, split="set_a", **options):
    return train(chosen, store, read_split(store, split), out=out, seed=seed, **options)


@pytest.fixture(scope="module")
def finished(store, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    chosen = recipe("tiltbot", "schedule.epochs=8", "augmentations=[gain]")
    return out, chosen, run(store, out, chosen)


def test_a_training_learns_which_object_it_was(finished, store):
    out, _, metrics = finished
    assert metrics.best["validation/accuracy"] > 0.7
    rows = read_split(store, "set_a").part("test")
    contract, measures, by_object = evaluate(out / "checkpoint", store, rows)
    assert contract.classes == ("a0", "a1", "a2", "a3")
    named = {measure.name: measure.value for measure in measures}
    assert named["accuracy"] > 0.7
    assert set(by_object) == set(contract.classes)
    mean = np.mean([found[0].value for found in by_object.values()])
    assert mean == pytest.approx(named["accuracy"])


def test_in_half_precision_it_learns_the_same_and_its_weights_stay_whole(finished, store, tmp_path):
    _, _, whole = finished
    chosen = recipe(
        "tiltbot", "schedule.epochs=8", "augmentations=[gain]", "schedule.precision=bfloat16"
    )
    metrics = run(store, tmp_path / "run", chosen)
    assert metrics.best["validation/accuracy"] > 0.7
    # Rounded on the way, but not led elsewhere.
    first, exact = (m.epochs[0].measures["train/loss"] for m in (metrics, whole))
    assert first != exact
    assert first == pytest.approx(exact, rel=0.02)
    assert {value.dtype for value in weights(tmp_path / "run").values()} == {torch.float32}


def test_the_folder_tells_everything_the_training_was_made_from(finished, store):
    out, chosen, metrics = finished
    manifest = json.loads((out / "run.json").read_text())
    assert manifest["status"] == "finished"
    assert manifest["origin"]["data_hash"] == store.hash
    assert manifest["origin"]["split_hash"] == read_split(store, "set_a").hash
    assert len(manifest["origin"]["git_sha"]) >= 7
    _, contract = load_checkpoint(out / "checkpoint")
    assert contract.origin.model_dump(mode="json") == manifest["origin"]
    assert contract.front_end == store.settings.front_end
    assert {quantity.name: quantity.unit for quantity in contract.inputs} == {
        "spectrogram": "ln of magnitude (front_end)",
        "before": "RGB, 1 is white",
    }
    written = yaml.safe_load((out / "recipe.yaml").read_text())
    assert written == chosen.model_dump(mode="json")
    assert read_metrics(out) == metrics
    assert len(metrics.epochs) == 8
    assert metrics.samples_per_s > 0
    assert 0 <= metrics.waiting < 1
    assert list((out / "tensorboard").glob("events*"))
    assert not list((out / "resume").iterdir())


def test_a_finished_training_is_not_done_again(finished, store, monkeypatch):
    out, chosen, metrics = finished
    monkeypatch.setattr(KeepCheckpoint, "on_fit_start", None)
    assert run(store, out, chosen) == metrics


def test_the_folder_of_another_training_is_left_alone(finished, store):
    out, chosen, _ = finished
    with pytest.raises(ConfigError, match=r"seed 1.*got.*seed 0.*another --out"):
        run(store, out, chosen, seed=1)
    changed = recipe("tiltbot", "schedule.epochs=8", "inverse_weight=0.3")
    with pytest.raises(ConfigError, match="holds another training"):
        run(store, out, changed)


def test_a_folder_that_is_trained_in_is_left_alone(finished, store):
    out, chosen, _ = finished
    with (
        RunFolder(out, read_manifest(out)),
        pytest.raises(ConfigError, match="another process trains here"),
    ):
        run(store, out, chosen)


def test_the_same_seed_gives_the_same_weights(store, tmp_path):
    chosen = recipe("tiltbot", "augmentations=[symmetry]", "network.dropout=0.2")
    run(store, tmp_path / "one", chosen, seed=4)
    run(store, tmp_path / "two", chosen, seed=4)
    run(store, tmp_path / "three", chosen, seed=5)
    assert same(weights(tmp_path / "one"), weights(tmp_path / "two"))
    assert not same(weights(tmp_path / "one"), weights(tmp_path / "three"))


@pytest.mark.parametrize("keep", ["last", "best"])
def test_a_stopped_training_goes_on_to_the_same_end(store, tmp_path, monkeypatch, keep):
    chosen = recipe(
        "tiltbot",
        "network.dropout=0.2",
        "schedule.epochs=4",
        "augmentations=[symmetry]",
        f"schedule.keep={keep}",
    )
    whole = run(store, tmp_path / "whole", chosen)
    original = KeepCheckpoint.on_train_batch_start

    def stop(self, trainer, *arguments):
        if trainer.current_epoch == 2 and not trainer.fit_loop.restarting:
            signal.raise_signal(signal.SIGINT)
        original(self, trainer, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(KeepCheckpoint, "on_train_batch_start", stop)
        with pytest.raises(KeyboardInterrupt):
            run(store, tmp_path / "stopped", chosen)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert load_checkpoint(tmp_path / "stopped" / "checkpoint")  # the best so far is whole
    resumed = run(store, tmp_path / "stopped", chosen)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "stopped"))
    assert [epoch.measures for epoch in resumed.epochs] == [
        epoch.measures for epoch in whole.epochs
    ]


def test_a_hostile_state_to_resume_from_is_not_unpickled(store, tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    folder = tmp_path / "run" / "resume"
    folder.mkdir(parents=True)
    torch.save({"state_dict": {}, "callbacks": Hostile()}, folder / "last.ckpt")
    with pytest.raises(ConfigError, match="cannot go on from"):
        run(store, tmp_path / "run", recipe())
    assert not (tmp_path / "owned").exists()


def test_training_stops_when_nothing_gets_better(store, tmp_path):
    chosen = recipe(
        "tiltbot",
        "schedule.keep=best",
        "schedule.epochs=40",
        "schedule.patience=2",
        "shuffled=true",
    )
    metrics = run(store, tmp_path / "run", chosen)
    assert len(metrics.epochs) < 40
    assert metrics.best_epoch == len(metrics.epochs) - 3
    assert metrics.best["validation/accuracy"] < 0.6  # the control must not learn


def test_the_last_epoch_is_kept_where_the_recipe_says_so(store, tmp_path):
    few = (
        "schedule.epochs=12",
        "schedule.patience=1",
        "schedule.learning_rate=0.01",
        "shuffled=true",
    )
    metrics = run(store, tmp_path / "last", recipe("tiltbot", "schedule.keep=last", *few))
    losses = [epoch.measures["validation/loss"] for epoch in metrics.epochs]
    assert len(losses) == 12
    assert metrics.best_epoch == 11 != int(np.argmin(losses))


@pytest.mark.parametrize("name", ["image_inverse", "inverse", "classifier", "image_classifier"])
def test_every_family_trains(store, tmp_path, name):
    metrics = run(store, tmp_path / "run", recipe(name, "schedule.epochs=1"))
    assert np.isfinite(metrics.best["validation/loss"])
    rows = read_split(store, "all").part("test")
    _, measures, _ = evaluate(tmp_path / "run" / "checkpoint", store, rows)
    wanted = "accuracy" if "classifier" in name else "inverse error, mean squared"
    assert [measure.name for measure in measures] == [wanted]


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("forward_audio", {}, "expected --embedding CHECKPOINT"),
        ("pushing_audio", {}, "expected --pushes DIR"),
        ("tiltbot", {"pushes": "x"}, "expected no --pushes"),
    ],
)
def test_what_does_not_go_together_is_refused(store, tmp_path, name, options, reason):
    with pytest.raises(ConfigError, match=reason):
        run(store, tmp_path / "run", recipe(name, "picture=64"), **options)


def test_a_split_without_validation_is_refused(store, tmp_path):
    with pytest.raises(ConfigError, match=r"rows for validation in the split 'b_5_shot'"):
        run(store, tmp_path / "run", recipe(), split="b_5_shot")


def test_normalizers_see_training_rows_alone(store, tmp_path):
    run(store, tmp_path / "run", recipe("classifier", "schedule.epochs=1"))
    model, contract = load_checkpoint(tmp_path / "run" / "checkpoint")
    train_rows = read_split(store, "set_a").part("train")
    sound = store.array("spectrogram")[train_rows].astype(np.float64)
    expected = sound.mean((0, 1, 3))
    np.testing.assert_allclose(model.audio.normalizer.mean[0, :, 0].numpy(), expected, atol=1e-4)
    told = {part.name: part for part in contract.normalizers}
    np.testing.assert_allclose(told["audio.normalizer"].mean, expected, atol=1e-4)
