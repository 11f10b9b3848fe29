"""Models are built by name, for any shapes, and repeat with their seed."""

import pytest
import torch

from policy_ros.models.model import MODELS, Normalizer
from policy_ros.models.settings import ModelSettings, Shapes
from policy_ros.models.zoo import AUDIO_ENCODERS, build_model
from tiltbot_ros.errors import ConfigError

PLACES = (
    "action",
    "location_before",
    "location_after",
    "location_start",
    "location_end",
    "push_start",
    "push_end",
)
SMALL = ModelSettings(audio_width=4, image_width=4, embedding=8, hidden=8)


def batch_of(shapes, rows=3, seed=0):
    torch.manual_seed(seed)
    return {
        "spectrogram": torch.randn(rows, *shapes.spectrogram),
        "before": torch.rand(rows, *shapes.picture),
        "after": torch.rand(rows, *shapes.picture),
        "object": torch.eye(shapes.classes)[torch.arange(rows) % max(1, shapes.classes)],
        **{name: torch.rand(rows, 2) * 2 - 1 for name in PLACES},
    }


SHAPES = {
    "logits": (3, 5),
    "action": (3, 2),
    "embedding": (3, 8),
    "location_after": (3, 2),
    "location_end": (3, 2),
}


@pytest.mark.parametrize("name", MODELS.names)
def test_answers_have_the_promised_shapes_whatever_the_front_end(name):
    shapes = Shapes(spectrogram=(2, 40, 51), picture=(3, 32, 32), classes=5)
    model = build_model(name, SMALL, shapes, seed=0)
    expected = {key: SHAPES[key] for key in MODELS.get(name).outputs}
    batch = batch_of(shapes)
    assert {key: tuple(value.shape) for key, value in model.answer(batch).items()} == expected


@pytest.mark.parametrize("name", AUDIO_ENCODERS.names)
def test_every_audio_encoder_fits_every_shape(name):
    shapes = Shapes(spectrogram=(1, 33, 70), classes=5)
    settings = SMALL.model_copy(update={"audio_encoder": name})
    model = build_model("classifier", settings, shapes, seed=0)
    assert model.answer(batch_of(shapes))["logits"].shape == (3, 5)


@pytest.mark.parametrize("name", ["forward_audio", "forward_image", "pushing_audio"])
def test_a_forward_model_learns_from_the_embedding_that_it_answers_with(name):
    shapes = Shapes(picture=(3, 32, 32), classes=5)
    model = build_model(name, SMALL, shapes, seed=0)
    batch = batch_of(shapes)
    embedding = model.represent(batch[model.inputs[0]])
    learned = model.learn({**batch, "embedding": embedding})
    torch.testing.assert_close(learned, model.answer(batch))
    frozen = [key for key, value in model.named_parameters() if not value.requires_grad]
    assert frozen
    assert not any(key.startswith("head") for key in frozen)


def test_an_image_encoder_without_projection_must_have_the_features_of_an_embedding():
    settings = SMALL.model_copy(update={"image_encoder": "resnet18", "image_projection": False})
    with pytest.raises(ConfigError, match=r"network\.embedding=512"):
        build_model("image_classifier", settings, Shapes(classes=2), seed=0)
    model = build_model(
        "image_classifier",
        settings.model_copy(update={"embedding": 512}),
        Shapes(classes=2),
        seed=0,
    )
    names = set(model.picture.encoder.state_dict())
    assert {"conv1.weight", "layer2.0.downsample.0.weight", "layer4.1.bn2.running_var"} <= names


def test_the_same_seed_gives_the_same_weights_and_leaves_the_generator_alone():
    shapes = Shapes(classes=3)
    torch.manual_seed(7)
    first = torch.rand(1)
    torch.manual_seed(7)
    one = build_model("multitask", SMALL, shapes, seed=1)
    assert torch.equal(torch.rand(1), first)
    same = build_model("multitask", SMALL, shapes, seed=1)
    other = build_model("multitask", SMALL, shapes, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not all(
        torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)
    )


def test_an_answer_does_not_depend_on_the_rest_of_the_batch():
    shapes = Shapes(classes=3)
    model = build_model("multitask", SMALL, shapes, seed=0).train()
    batch = batch_of(shapes, rows=4)
    alone = {name: value[:1] for name, value in batch.items()}
    for name, value in model.answer(alone).items():
        torch.testing.assert_close(model.answer(batch)[name][:1], value)


def test_differences_hear_the_gain_of_all_microphones_in_the_first_channel_alone():
    settings = SMALL.model_copy(update={"audio_channels": "differences"})
    shapes = Shapes(classes=3, spectrogram=(4, 16, 16))
    audio = build_model("classifier", settings, shapes, seed=0).audio
    heard = batch_of(shapes)["spectrogram"]
    quiet, loud = audio.channels(heard), audio.channels(heard + 1.0)
    assert quiet.shape == (3, 5, 16, 16)
    torch.testing.assert_close(loud[:, 0], quiet[:, 0] + 1.0)
    torch.testing.assert_close(loud[:, 1:], quiet[:, 1:])
    torch.testing.assert_close(quiet[:, 1:] + quiet[:, :1], heard)
    audio.fit(heard)
    normal = audio.normalizer(audio.channels(heard))
    torch.testing.assert_close(normal.std((0, 3)), torch.ones(5, 16), atol=1e-3, rtol=0)


def test_an_unknown_name_lists_the_valid_ones():
    with pytest.raises(ConfigError, match=r"audio encoder to be one of cnn.*did you mean 'cnn'"):
        build_model(
            "classifier", SMALL.model_copy(update={"audio_encoder": "cn"}), Shapes(), seed=0
        )
    with pytest.raises(ConfigError, match="model to be one of classifier"):
        build_model("transformer", SMALL, Shapes(), seed=0)


def test_a_fitted_normalizer_gives_zero_mean_and_unit_deviation_a_frequency():
    torch.manual_seed(0)
    samples = torch.randn(50, 2, 6, 9) * torch.arange(1.0, 7.0)[:, None] + 3
    normalizer = Normalizer((1, 6, 1))
    normalizer.fit(samples)
    result = normalizer(samples)
    torch.testing.assert_close(result.mean((0, 1, 3)), torch.zeros(6), atol=1e-4, rtol=0)
    torch.testing.assert_close(result.std((0, 1, 3)), torch.ones(6), atol=1e-3, rtol=0)


def test_a_value_that_never_changes_stays_finite():
    normalizer = Normalizer((1, 6, 1))
    normalizer.fit(torch.full((5, 2, 6, 9), -5.0))
    assert torch.equal(normalizer(torch.full((1, 2, 6, 9), -5.0)), torch.zeros(1, 2, 6, 9))
