"""A recipe is read from YAML, changed by lines, and says what is wrong with it."""

import pytest

from policy_ros.training.recipe import load_recipe, recipe_names
from tiltbot_ros.errors import ConfigError


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_package_is_valid(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.about


def test_every_choice_is_one_line():
    recipe = load_recipe(
        "tiltbot",
        [
            "network.audio_encoder=resnet",
            "microphones=[0, 2]",
            "inverse_weight=0.05",
            "front_end={transform: log_mel, frequencies: 40}",
            "augmentations=[gain, masks]",
        ],
    )
    assert recipe.network.audio_encoder == "resnet"
    assert recipe.network.image_encoder == "cnn"
    assert recipe.microphones == (0, 2)
    assert recipe.inverse_weight == 0.05
    assert recipe.front_end.frequencies == 40
    assert recipe.augmentations == ("gain", "masks")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("network.audio_encoder=ast", "audio encoder to be one of cnn, resnet, got 'ast'"),
        ("network.image_encoder=vit", "image encoder to be one of cnn, resnet, resnet18"),
        ("model=transformer", "model to be one of classifier, forward_audio"),
        ("augmentations=[mixup]", "augmentation to be one of colour, gain, masks"),
        ("inverse_weight=2", "inverse_weight: .*less than or equal to 1, got 2"),
        ("learning_rate=1", r"(?s)learning_rate: Extra inputs.*settings of a recipe: name, about"),
        (
            "schedule.rate=1",
            r"(?s)schedule\.rate: Extra.*settings of schedule: batch, learning_rate",
        ),
        (
            "front_end={bands: 3}",
            r"(?s)bands: Extra.*settings of front_end: transform, sample_rate",
        ),
        ("front_end={window: 511}", "expected an even window, got 511"),
        ("augmentations=[symmetry]\nmicrophones=[2, 1]", "one at each wall.*'symmetry'"),
        ("inverse_weight", "a change such as inverse_weight=0.1"),
    ],
)
def test_what_does_not_fit_is_named_with_the_valid_choices(change, reason):
    with pytest.raises(ConfigError, match=reason):
        load_recipe("tiltbot", change.splitlines())


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"image_inverse.*did you mean 'tiltbot'"):
        load_recipe("tiltbt")
    with pytest.raises(ConfigError, match="does not exist"):
        load_recipe("nowhere.yaml")


def test_a_recipe_of_the_users_own_is_a_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("model: inverse\nschedule: {epochs: 2}\n")
    recipe = load_recipe(str(path))
    assert (recipe.name, recipe.model, recipe.schedule.epochs) == ("mine", "inverse", 2)
    path.write_text("- not a mapping\n")
    with pytest.raises(ConfigError, match="expected settings"):
        load_recipe(str(path))
