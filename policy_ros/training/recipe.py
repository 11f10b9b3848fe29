"""A recipe: every choice of a training, from one YAML file and the command line."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from policy_ros.models.settings import ModelSettings
from policy_ros.signals.settings import FrontEndSettings
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings, explain
from tiltbot_ros.share import share_directory


class ScheduleSettings(Settings):
    """How the weights are moved, and when that ends."""

    batch: int = Field(64, ge=1, le=65536, description="samples a step, over all processes [1]")
    learning_rate: float = Field(1e-3, gt=0.0, le=10.0, description="highest, of AdamW [1]")
    weight_decay: float = Field(1e-2, ge=0.0, le=10.0, description="of AdamW [1]")
    clip: float = Field(1.0, gt=0.0, description="greatest length of a gradient [1]")
    warmup_epochs: float = Field(
        1.0, ge=0.0, le=1000.0, description="over which the rate rises from 0 [epochs]"
    )
    epochs: int = Field(
        24, ge=1, le=100_000, description="at most; the rate falls to 0 over them as a cosine [1]"
    )
    patience: int = Field(
        6, ge=1, le=100_000, description="epochs without a better validation score that end it [1]"
    )
    keep: Literal["best", "last"] = Field(
        "best",
        description="which epoch the checkpoint is from; with 'last' all epochs are trained: for "
        "two tasks, of which the score follows the one that overfits first",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="of products and convolutions in training; weights stay float32. 'bfloat16' "
        "is faster on processors and GPUs that have it (avx512_bf16, amx_bf16)",
    )


class Recipe(Settings):
    """How a model is trained; the store and the split are given beside it."""

    name: str = Field("", description="of the recipe; empty: its file's name")
    about: str = Field("", description="one line for a person")
    model: str = Field("multitask", description="name of the model family")
    network: ModelSettings = ModelSettings()
    image_weights: str = Field(
        "",
        description="file with weights for the image encoder `resnet18`, which then stays as it "
        "is; empty: it is trained",
    )
    inverse_weight: float = Field(
        0.2,
        ge=0.0,
        le=1.0,
        description="λ of (1 - λ) · classification + λ · inverse loss, where a model has both [1]",
    )
    smoothing: float = Field(
        0.0, ge=0.0, lt=1.0, description="of the labels, in the classification loss [1]"
    )
    microphones: tuple[int, ...] = Field(
        (0, 1, 2, 3), min_length=1, description="which of the store's microphones are heard"
    )
    front_end: FrontEndSettings | None = Field(
        None, description="how sound becomes a picture; empty: as in the store"
    )
    picture: int = Field(64, ge=8, le=2048, description="side of the pictures a model sees [px]")
    augmentations: tuple[str, ...] = Field(
        (), description="names of what is done to training samples, in this order"
    )
    shuffled: bool = Field(
        default=False,
        description="give the training rows the targets of others: a control that must fail",
    )
    schedule: ScheduleSettings = ScheduleSettings()

    @model_validator(mode="after")
    def _known_names(self) -> "Recipe":
        # Imported here: a recipe is read where torch may be missing or slow.
        from policy_ros.models.zoo import AUDIO_ENCODERS, IMAGE_ENCODERS, MODELS  # noqa: PLC0415
        from policy_ros.training.augmentations import AUGMENTATIONS  # noqa: PLC0415

        try:
            MODELS.get(self.model)
            AUDIO_ENCODERS.get(self.network.audio_encoder)
            IMAGE_ENCODERS.get(self.network.image_encoder)
            for name in self.augmentations:
                AUGMENTATIONS.get(name)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        if "symmetry" in self.augmentations and self.microphones != (0, 1, 2, 3):
            raise ValueError(
                "expected microphones=[0, 1, 2, 3], one at each wall, with the augmentation "
                f"'symmetry', got {list(self.microphones)}"
            )
        return self


GROUPS: Mapping[tuple[int | str, ...], type[Settings]] = {
    (): Recipe,
    ("network",): ModelSettings,
    ("front_end",): FrontEndSettings,
    ("schedule",): ScheduleSettings,
}
"""A recipe's settings by where they stand."""


def recipe_directory() -> Path:
    """Return the folder of the recipes that come with the package."""
    return share_directory() / "config" / "recipes"


def recipe_names() -> list[str]:
    """Return the names of the recipes that are found without a path."""
    return sorted(file.stem for file in recipe_directory().glob("*.yaml"))


def load_recipe(name: str, changes: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a name, or of the path of a YAML file, with changes.

    Args:
        name: of a recipe in config/recipes, or a path that ends in .yaml.
        changes: each `setting=value`, the setting's groups divided by dots,
            the value as in YAML: `network.audio_encoder=resnet`.

    Raises:
        ConfigError: there is none, it is not YAML, or a setting does not fit;
            the message names it and lists the valid names.
    """
    path = _find(name)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"expected a recipe in {path}, but it cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"expected settings in {path}, got {type(content).__name__}")
    values = {"name": path.stem, **content}
    for change in changes:
        _apply(values, change)
    return make_recipe(values, where=str(path))


def make_recipe(values: Mapping[str, Any], *, where: str = "recipe") -> Recipe:
    """Return the recipe of these settings.

    Raises:
        ConfigError: one does not fit.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{where}:\n{explain(error)}{_valid(error)}") from error


def _valid(error: ValidationError) -> str:
    """Return a line with the settings of every group in which an unknown one was named."""
    unknown = [
        problem["loc"][:-1] for problem in error.errors() if problem["type"] == "extra_forbidden"
    ]
    return "".join(
        f"\nsettings of {'.'.join(map(str, group)) or 'a recipe'}: {', '.join(model.model_fields)}"
        for group, model in GROUPS.items()
        if group in unknown
    )


def _apply(values: dict[str, Any], change: str) -> None:
    setting, equals, text = change.partition("=")
    if not equals or not setting:
        raise ConfigError(f"expected a change such as inverse_weight=0.1, got '{change}'")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"expected a YAML value in '{change}': {error}") from error
    *groups, last = setting.split(".")
    inner = values
    for group in groups:
        inside = inner.get(group)
        inner[group] = dict(inside) if isinstance(inside, dict) else {}
        inner = inner[group]
    inner[last] = value


def _find(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        if not path.is_file():
            raise ConfigError(f"expected the YAML file of a recipe, but {path} does not exist")
        return path
    path = recipe_directory() / f"{name}.yaml"
    if not path.is_file():
        known = recipe_names()
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise ConfigError(
            f"expected a recipe ({', '.join(known)}) or the path of a YAML file, got '{name}'{hint}"
        )
    return path
