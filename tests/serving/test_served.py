"""What is served is what the store and the offline prediction have, and bad input is refused."""

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from policy_ros.data.episodes import read_interaction
from policy_ros.data.making import SampleMaker
from policy_ros.data.store import Store
from policy_ros.data.store_settings import StoreSettings
from policy_ros.data.writer import StoreWriter
from policy_ros.serving.inputs import picture_input, spectrogram_input
from policy_ros.serving.interaction import from_blocks, from_episode
from policy_ros.serving.predictor import Predictor
from policy_ros.serving.served import ServedModel
from tests.serving import served
from tiltbot_ros.episodes.facts import EpisodeFacts
from tiltbot_ros.errors import AudioError, EpisodeError, FormatError, LimitError, ModelError
from tiltbot_ros.sensors.audio import AudioFormat
from tiltbot_ros.serving import ServingSettings


@cache
def opened(folder, role="inverse", **changes):
    rig = replace(served.facts(), **changes)
    return ServedModel.open(folder, role, rig, ServingSettings(), backend="torch")


@pytest.fixture(scope="session")
def store(episodes, tmp_path_factory):
    """Return a store of the episodes."""
    out = tmp_path_factory.mktemp("stores") / "store"
    settings = StoreSettings(max_tilt_rad=served.rig().tilt.max_tilt_rad)
    maker = SampleMaker(settings)
    with StoreWriter(out, settings) as writer:
        for path in episodes:
            writer.add(maker.make(read_interaction(path, EpisodeFacts.read(path))))
    return Store.open(out)


def inline(path, *, picture=True):
    facts = EpisodeFacts.read(path)
    return from_blocks(
        served.blocks_of(path),
        contact_sample=facts.contact.sample,
        before=served.before_of(path) if picture else None,
    )


# Parity


@pytest.mark.parametrize("way", ["episode", "inline"])
def test_picture_and_spectrogram_are_those_of_the_store_bit_for_bit(
    way, episodes, store, checkpoint
):
    model = opened(checkpoint)
    # Blocks with a hole are refused in a goal, so that only the first is sent whole.
    for row, path in enumerate(episodes if way == "episode" else episodes[:1]):
        raw = from_episode(path.as_uri()) if way == "episode" else inline(path)
        sample, kept = model.sample(raw), store.sample(row)
        np.testing.assert_array_equal(sample.before, kept.before)
        np.testing.assert_array_equal(sample.spectrogram, kept.spectrogram)
        np.testing.assert_array_equal(sample.audio, kept.audio)


def offline(checkpoint, sample, **more):
    predictor = Predictor.open(checkpoint, backend="torch")
    contract = predictor.contract
    values = {
        "spectrogram": spectrogram_input(contract, sample.spectrogram.astype(np.float32)),
        "before": picture_input(contract, sample.before),
        **more,
    }
    return predictor.predict({quantity.name: values[quantity.name] for quantity in contract.inputs})


def test_served_answers_are_the_offline_predictions_from_the_store(
    episodes, store, checkpoint, forward_checkpoint
):
    inverse, classifier = opened(checkpoint), opened(checkpoint, "classify")
    forward = opened(forward_checkpoint, "forward")
    for row, path in enumerate(episodes):
        raw, kept = from_episode(path.as_uri()), store.sample(row)
        expected = offline(checkpoint, kept)
        np.testing.assert_array_equal(
            inverse.inverse(inverse.sample(raw)).action, expected["action"]
        )
        guess = classifier.classify(classifier.sample(raw))
        assert guess.names[0] == served.CLASSES[int(expected["logits"].argmax())]
        assert guess.probabilities.sum() == pytest.approx(1.0)
        assert (np.diff(guess.probabilities) <= 0).all()
        state = {"location_before": np.float32([0.2, -0.4]), "action": np.float32([0.5, 0.1])}
        there = forward.forward(forward.sample(raw), np.array([0.03, -0.06]), np.array([0.5, 0.1]))
        expected = offline(forward_checkpoint, kept, **state)["location_after"]
        np.testing.assert_allclose(there, expected * 0.15, atol=1e-6)


def test_rotation_is_the_action_in_radians(episodes, checkpoint):
    model = opened(checkpoint)
    said = model.inverse(model.of_episode(episodes[0].as_uri()))
    np.testing.assert_allclose(said.rotation, said.action * served.rig().tilt.max_tilt_rad)
    assert np.abs(said.action).max() <= 1.0


def test_sound_is_heard_around_the_contact_and_else_around_its_middle(episodes, checkpoint):
    model = opened(checkpoint)
    blocks, picture = served.blocks_of(episodes[0]), served.before_of(episodes[0])
    exact, middle, later = (
        model.sample(from_blocks(blocks, contact_sample=sample, before=picture)).spectrogram
        for sample in (2 * 44_100, 0, 2 * 44_100 + 4000)
    )
    np.testing.assert_array_equal(exact, middle)
    assert (exact != later).any()


def test_a_model_of_a_shorter_window_hears_no_more_than_that(episodes, tmp_path):
    served.make_checkpoint(tmp_path / "short", seconds=1.0)
    model = opened(tmp_path / "short")
    blocks, picture = served.blocks_of(episodes[0]), served.before_of(episodes[0])
    whole = model.sample(from_blocks(blocks, contact_sample=2 * 44_100, before=picture))
    assert whole.audio.shape == (4, 11_025)
    near = [block for block in blocks if abs(block.block.first_sample - 2 * 44_100) < 24_000]
    cut = model.sample(from_blocks(near, contact_sample=2 * 44_100, before=picture))
    np.testing.assert_array_equal(whole.audio[:, 100:-100], cut.audio[:, 100:-100])


def test_a_classifier_needs_no_picture(episodes, checkpoint):
    model = opened(checkpoint, "classify")
    seen, unseen = (
        model.classify(model.sample(inline(episodes[0], picture=p))) for p in (True, False)
    )
    assert seen.names == unseen.names
    np.testing.assert_allclose(seen.probabilities, unseen.probabilities, rtol=1e-6)


def test_episodes_read_last_are_remembered(episodes, checkpoint, tmp_path):
    copy = Path(shutil.copytree(episodes[0], tmp_path / episodes[0].name))
    settings = ServingSettings(remembered=2)
    model = ServedModel.open(checkpoint, "inverse", served.facts(), settings, backend="torch")
    kept = model.of_episode(copy.as_uri())
    shutil.rmtree(copy)
    model.of_episode(episodes[1].as_uri())
    assert model.of_episode(copy.as_uri()) is kept
    model.of_episode(episodes[2].as_uri())
    assert model.of_episode(copy.as_uri()) is kept
    for path in episodes[1:]:
        model.of_episode(path.as_uri())
    with pytest.raises(EpisodeError, match="found none"):
        model.of_episode(copy.as_uri())


# Bad input


def changed(raw, change):
    samples = raw.samples.copy()
    return replace(raw, samples=change(samples))


def louder(samples):
    return np.clip(samples.astype(np.int64) * 400, -32768, 32767).astype(np.int16)


def deaf(samples):
    samples[:, 2] = 7
    return samples


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (np.zeros_like, "it is silent"),
        (lambda s: s // 400, "it is silent"),
        (louder, r"samples at full scale.*clipped"),
        (deaf, r"all samples of \[2\] are the same"),
        (lambda s: s[:, :1].copy(), "expected sound of 4 microphones.*got 1"),
        (lambda s: s[: len(s) // 2], "2 s of sound before and after the contact"),
        (lambda s: np.tile(s, (20, 1)), "at most 30 s of sound"),
    ],
)
def test_sound_that_says_nothing_is_refused(change, reason, episodes, checkpoint):
    raw = changed(from_episode(episodes[0].as_uri()), change)
    with pytest.raises(AudioError, match=reason):
        opened(checkpoint).sample(raw)


def test_sound_of_another_rate_is_refused(episodes, checkpoint):
    raw = replace(from_episode(episodes[0].as_uri()), sample_rate=32_000)
    with pytest.raises(AudioError, match="expected sound of 44100 Hz, as the rig says, got 32000"):
        opened(checkpoint).sample(raw)


def test_holes_mixed_formats_and_nothing_are_refused(episodes):
    blocks = served.blocks_of(episodes[0])
    with pytest.raises(AudioError, match="without a hole, got frame"):
        from_blocks([*blocks[:10], *blocks[11:]])
    other = AudioFormat(sample_rate=32_000, channels=4, bits=16)
    with pytest.raises(AudioError, match="one format"):
        from_blocks([blocks[0], replace(blocks[1], format=other)])
    with pytest.raises(AudioError, match="neither"):
        from_blocks([])


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.zeros((120, 160, 3), np.uint8), "all of its pixels are the same"),
        (np.zeros((0, 160, 3), np.uint8), "with pixels"),
        (np.zeros((120, 160), np.uint8), "height, width, 3"),
        (np.zeros((120, 160, 3), np.float32), "8 bits"),
    ],
)
def test_a_frame_that_shows_nothing_is_refused(picture, reason, episodes, checkpoint):
    raw = replace(from_episode(episodes[0].as_uri()), before=picture)
    with pytest.raises(FormatError, match=reason):
        opened(checkpoint).sample(raw)


@pytest.mark.parametrize(
    ("location", "action", "reason"),
    [
        ((0.16, 0.0), (0.1, 0.1), "expected a location on the tray, within 0.15 m"),
        ((np.nan, 0.0), (0.1, 0.1), "expected a location on the tray"),
        ((0.0, 0.0), (1.2, 0.0), r"ax and ay in \[-1, 1\]"),
        ((0.0, 0.0), (np.nan, 0.0), r"ax and ay in \[-1, 1\]"),
    ],
)
def test_a_place_off_the_tray_or_a_tilt_beyond_the_rig_is_refused(
    location, action, reason, episodes, forward_checkpoint
):
    model = opened(forward_checkpoint, "forward")
    sample = model.of_episode(episodes[0].as_uri())
    with pytest.raises(LimitError, match=reason):
        model.forward(sample, np.array(location), np.array(action))


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "file:// URI"),
        ("http://host/ep_000001", "on this computer"),
        ("file://elsewhere/ep_000001", "on this computer"),
        ("file:///nowhere/ep_000001", "found none"),
    ],
)
def test_an_uri_that_is_no_episode_is_refused(uri, reason):
    with pytest.raises(EpisodeError, match=reason):
        from_episode(uri)


# Models that do not fit


@pytest.mark.parametrize(
    ("role", "name", "changes", "rig", "reason"),
    [
        ("classify", "inverse", {}, {}, "expected the output 'logits', it has action"),
        ("inverse", "forward_audio", {}, {}, "it asks for location_before, action"),
        ("inverse", "multitask", {"max_tilt_rad": 0.2}, {}, "an action of 1 is 0.2 rad to it"),
        ("inverse", "multitask", {"half_side_m": None}, {}, "does not say what a location of 1"),
        ("inverse", "multitask", {}, {"channels": 2}, "the rig has 0 to 1"),
        ("inverse", "multitask", {}, {"sample_rate_hz": 8000}, "hears at 11025 Hz.*8000 Hz"),
    ],
)
def test_a_model_that_does_not_fit_the_rig_is_refused_with_every_reason(
    role, name, changes, rig, reason, tmp_path
):
    served.make_checkpoint(tmp_path / "model", name, **changes)
    with pytest.raises(ModelError, match=reason):
        opened(tmp_path / "model", role, **rig)
