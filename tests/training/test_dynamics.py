"""Forward models learn from what other interactions tell of an object."""

import numpy as np
import pytest
import torch

from policy_ros.data.splits import read_split
from policy_ros.evaluation.answering import answer_pushes
from policy_ros.evaluation.evaluating import answer, evaluate
from policy_ros.models.checkpoint import load_checkpoint
from policy_ros.training.draws import Draws
from policy_ros.training.probes import Probes
from policy_ros.training.training import train
from tests.training.small import recipe
from tests.training.toy_pushes import write_pushes
from tiltbot_ros.errors import ConfigError, ModelError
from tiltbot_ros.generating.push_set import PushSet

LEARNING = (
    "schedule.epochs=15",
    "schedule.patience=15",
    "schedule.batch=8",
    "schedule.learning_rate=0.01",
    "network.hidden=64",
)
"""Long enough for the object to matter."""


@pytest.fixture(scope="module")
def embedding(store, tmp_path_factory):
    out = tmp_path_factory.mktemp("embedding") / "run"
    chosen = recipe("tiltbot", "schedule.epochs=6", "inverse_weight=0")
    train(chosen, store, read_split(store, "set_a"), out=out, seed=0)
    return out / "checkpoint"


def forward(store, out, name, *changes, **options):
    chosen = recipe(name, *changes)
    train(chosen, store, read_split(store, "set_a"), out=out, seed=0, **options)
    return out / "checkpoint"


def l1(checkpoint, store, rows):
    return evaluate(checkpoint, store, rows)[1][0].value


def test_knowing_the_object_lowers_the_error_also_on_new_objects(store, tmp_path, embedding):
    seen = read_split(store, "set_a").part("test")
    new = read_split(store, "set_b").part("test")
    audio = forward(store, tmp_path / "audio", "forward_audio", *LEARNING, embedding=embedding)
    blind = forward(store, tmp_path / "none", "forward_none", *LEARNING)
    told = forward(store, tmp_path / "oracle", "forward_oracle", *LEARNING)
    still = np.abs(
        store.array("location_before")[seen] - store.array("location_after")[seen]
    ).mean()
    assert l1(blind, store, seen) < still
    assert l1(told, store, seen) < l1(blind, store, seen)
    assert l1(audio, store, new) < l1(blind, store, new)
    with pytest.raises(ModelError, match="told the class cannot know others"):
        evaluate(told, store, new)


def test_the_checkpoint_answers_from_sound_as_it_was_trained_from_embeddings(
    store, tmp_path, embedding
):
    checkpoint = forward(store, tmp_path / "audio", "forward_audio", embedding=embedding)
    model, contract = load_checkpoint(checkpoint)
    source, made = load_checkpoint(embedding)
    assert contract.origin.embedding == made.signature
    assert [quantity.name for quantity in contract.inputs] == [
        "spectrogram",
        "location_before",
        "action",
    ]
    sound = torch.from_numpy(store.array("spectrogram")[:3].astype(np.float32))
    before, action = torch.zeros(3, 2), torch.full((3, 2), 0.3)
    with torch.inference_mode():
        vector = source.audio(sound)
        torch.testing.assert_close(model.represent(sound), vector)
        torch.testing.assert_close(
            model(sound, before, action)[0], model.predict(vector, before, action)
        )


def test_an_object_that_was_not_seen_is_not_asked_about(store, tmp_path, monkeypatch):
    checkpoint = forward(store, tmp_path / "none", "forward_none")
    rows = read_split(store, "set_a").part("test")
    hidden = store.array("location_after")[:]
    hidden[rows[:2]] = np.nan
    original = store.array

    def array(name):
        return hidden if name == "location_after" else original(name)

    monkeypatch.setattr(store, "array", array)
    model, contract = load_checkpoint(checkpoint)
    assert answer(model, contract, store, rows).rows.tolist() == rows[2:].tolist()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("forward_none", "expected no --embedding"),
        ("forward_image", r"embedding of 'before', got a 'classifier'"),
    ],
)
def test_an_embedding_of_another_sort_is_refused(store, tmp_path, name, reason):
    split = read_split(store, "set_a")
    chosen = recipe("classifier", "schedule.epochs=1")
    train(chosen, store, split, out=tmp_path / "source", seed=0)
    with pytest.raises(ConfigError, match=reason):
        forward(store, tmp_path / "run", name, embedding=tmp_path / "source" / "checkpoint")


def test_pushes_are_predicted_better_when_the_sound_is_known(store, tmp_path, embedding):
    path = write_pushes(tmp_path / "pushes", pushes_per_object=40)
    split = read_split(store, "set_a")
    pushes = PushSet.open(path)
    truth = np.asarray(pushes.location_end)
    errors = {}
    for name, source in (("pushing_none", None), ("pushing_audio", embedding)):
        out = tmp_path / name
        chosen = recipe(name, *LEARNING)
        train(chosen, store, split, out=out, seed=0, embedding=source, pushes=path)
        model, contract = load_checkpoint(out / "checkpoint")
        assert contract.half_side_m == 0.4
        answers = answer_pushes(model, contract, store, pushes, seed=0)
        assert (pushes.object[answers.rows] >= 4).all()
        error = answers.outputs["location_end"] - truth[answers.rows]
        errors[name] = np.linalg.norm(error, axis=1).mean()
    assert errors["pushing_audio"] < errors["pushing_none"]
    with pytest.raises(ModelError, match="pushes are evaluated by `tiltbot reproduce`"):
        evaluate(tmp_path / "pushing_none" / "checkpoint", store, split.part("test"))


def test_pushes_of_an_object_that_was_never_in_the_tray_are_refused(store, tmp_path):
    path = write_pushes(tmp_path / "pushes", objects=5)
    with pytest.raises(ModelError, match="has none with a4, b4"):
        train(
            recipe("pushing_none"),
            store,
            read_split(store, "set_a"),
            out=tmp_path / "run",
            seed=0,
            pushes=path,
        )


def test_a_probe_is_another_interaction_with_the_same_object():
    rows = np.arange(100, 160)
    objects = np.repeat([3, 5, 9], 20)
    probes = Probes(rows, objects)
    drawn = [
        probes.draw(objects, Draws(rows, seed=0, epoch=epoch), but=rows).numpy()
        for epoch in range(200)
    ]
    for draw in drawn:
        assert (objects[draw - 100] == objects).all()
        assert (draw != rows).all()
    assert len({tuple(draw) for draw in drawn}) == 200
    assert len({int(draw[0]) for draw in drawn}) == 19  # all the others
    with pytest.raises(ModelError, match="none of 1 objects"):
        probes.draw(np.array([4]), Draws(np.array([0]), seed=0, epoch=0))


def test_the_only_interaction_with_an_object_is_its_own_probe():
    probes = Probes(np.array([7]), np.array([0]))
    draws = Draws(np.array([7]), seed=0, epoch=0)
    assert probes.draw(np.array([0]), draws, but=np.array([7])).tolist() == [7]
