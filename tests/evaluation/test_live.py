"""Live errors are the offline ones, and bad episodes are left out with the reason."""

from dataclasses import replace

import numpy as np
import pytest

from policy_ros.data.converting import convert
from policy_ros.data.store import Store
from policy_ros.evaluation.evaluating import answer, evaluate
from policy_ros.evaluation.live import LiveEvaluator
from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.serving.interaction import from_episode
from policy_ros.serving.served import ServedModel
from policy_ros.signals.settings import FrontEndSettings
from tests.serving import served
from tests.serving.conftest import checkpoint, episodes, forward_checkpoint  # noqa: F401
from tiltbot_ros.serving import ServingSettings


@pytest.fixture(scope="module")
def models(checkpoint, forward_checkpoint):  # noqa: F811
    folders = {"inverse": checkpoint, "forward": forward_checkpoint, "classify": checkpoint}
    return {
        role: ServedModel.open(folder, role, served.facts(), ServingSettings(), backend="torch")
        for role, folder in folders.items()
    }


@pytest.fixture(scope="module")
def raws(episodes):  # noqa: F811
    return [from_episode(path.as_uri()) for path in episodes]


@pytest.fixture(scope="module")
def store(episodes, tmp_path_factory):  # noqa: F811
    """Return what `tiltbot convert` makes of the episodes."""
    path = tmp_path_factory.mktemp("converted") / "store"
    convert([episodes[0].parent], path)
    return Store.open(path)


def evaluator(models):
    return LiveEvaluator(
        models, max_tilt_rad=served.rig().tilt.max_tilt_rad, half_side_m=served.facts().half_side_m
    )


def test_a_served_interaction_is_the_row_that_convert_makes(models, raws, store):
    for row, raw in enumerate(raws):
        kept = store.sample(row)
        assert kept.provenance.id == raw.provenance.id
        for model in models.values():
            sample = model.sample(raw)
            np.testing.assert_array_equal(sample.before, kept.before)
            np.testing.assert_array_equal(sample.spectrogram, kept.spectrogram)


def test_live_errors_are_those_of_an_offline_evaluation(
    models,
    raws,
    store,
    checkpoint,  # noqa: F811
    forward_checkpoint,  # noqa: F811
):
    live = evaluator(models)
    judged = [live.judge(raw) for raw in raws]
    rows = np.arange(len(raws))
    told = {measure.name: measure.value for measure in evaluate(checkpoint, store, rows)[1]}
    assert live.inverse_mse.mean == pytest.approx(told["inverse error, mean squared"], abs=1e-6)
    assert live.accuracy.mean == pytest.approx(told["accuracy"])
    assert live.accuracy.count == live.inverse_mse.count == len(raws)
    forward, contract = load_checkpoint(forward_checkpoint)
    errors = []
    for row in rows[1:]:
        # Of two rows of an object each is known by the other: here by the one before.
        pair = answer(forward, contract, store, np.array([row - 1, row]))
        expected = pair.outputs["location_after"][1]
        np.testing.assert_allclose(judged[row].location_m / 0.15, expected, atol=1e-5)
        errors.append(np.abs(expected - store.array("location_after")[row]).mean())
    assert live.location_l1.mean == pytest.approx(np.mean(errors), abs=1e-5)
    assert live.location_l1.count == len(raws) - 1


def test_another_front_end_and_order_of_microphones_are_heard_live_as_offline(
    raws, store, tmp_path
):
    front_end = FrontEndSettings(transform="log_mel", window=400, hop=100)
    served.make_checkpoint(tmp_path / "mel", microphones=(3, 0, 2, 1), front_end=front_end)
    served_model = ServedModel.open(
        tmp_path / "mel", "inverse", served.facts(), ServingSettings(), backend="torch"
    )
    model, contract = load_checkpoint(tmp_path / "mel")
    offline = answer(model, contract, store, np.arange(len(raws))).outputs["action"]
    live = [served_model.inverse(served_model.sample(raw)).action for raw in raws]
    np.testing.assert_allclose(live, np.clip(offline, -1, 1), atol=1e-6)


def of_sound(change, **fields):
    return lambda raw: replace(raw, samples=change(raw.samples.copy()), **fields)


def clipped(samples):
    return np.clip(samples.astype(int) * 900, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (of_sound(np.zeros_like), "it is silent"),
        (of_sound(clipped), "it is clipped"),
        (of_sound(lambda s: s, sample_rate=48_000), "44100 Hz, as the rig says, got 48000 Hz"),
        (of_sound(lambda s: s[:, :1].copy()), "4 microphones, as the rig says, got 1"),
        (of_sound(lambda s: s[:1000]), "2 s of sound before and after"),
        (lambda raw: replace(raw, rotation=np.array([0.9, 0.0])), "tilt of at most max_tilt_rad"),
        (lambda raw: replace(raw, rotation=np.array([np.nan, 0.0])), "tilt of at most max_tilt"),
    ],
)
def test_a_bad_episode_is_left_out_by_every_model_and_the_next_is_judged(
    spoil, reason, models, raws
):
    live = evaluator(models)
    said = live.judge(spoil(raws[0]))
    assert [line.split(":")[0] for line in said.left_out] == ["inverse", "forward", "classify"]
    assert all(reason in line for line in said.left_out)
    assert np.isnan(said.action).all()
    assert [one.count for one in live.statistics] == [0, 0, 0]
    live.judge(raws[1])
    live.judge(raws[2])
    assert [(one.name, one.count) for one in live.statistics] == [
        ("inverse_mse", 2),
        ("object_accuracy", 2),
        ("location_l1", 1),
    ]


@pytest.mark.parametrize(
    ("spoil", "left_out"),
    [
        (lambda raw: replace(raw, before=raw.before * 0), "inverse: expected a picture that shows"),
        (lambda raw: replace(raw, location_before=np.array([0.2, 0.0])), "forward: expected a loc"),
        (lambda raw: replace(raw, location_before=np.full(2, np.nan)), "forward: the object was"),
        (lambda raw: replace(raw, object="a_brick"), "classify: 'a_brick' is none of the 3"),
    ],
)
def test_what_one_model_cannot_use_the_others_are_judged_by(spoil, left_out, models, raws):
    live = evaluator(models)
    live.judge(raws[0] if "brick" not in left_out else spoil(raws[0]))
    said = live.judge(spoil(raws[1]))
    (line,) = said.left_out
    assert line.startswith(left_out)
    counts = {one.name: one.count for one in live.statistics}
    assert sum(counts.values()) == (2 + 2 + 1) - (2 if "brick" in left_out else 1)


def test_the_forward_model_hears_the_last_episode_of_the_same_object(models, raws):
    live = evaluator(models)
    assert any("no episode of" in line for line in live.judge(raws[0]).left_out)
    other = replace(raws[1], object="a_brick")
    assert any("no episode of 'a_brick'" in line for line in live.judge(other).left_out)
    again = replace(raws[2], object=raws[0].object)
    said = live.judge(again)
    assert not any("no episode of" in line for line in said.left_out)
    forward = models["forward"]
    expected = forward.forward(
        forward.sample(raws[0]), np.asarray(again.location_before), said.true_action
    )
    np.testing.assert_array_equal(said.location_m, expected)
