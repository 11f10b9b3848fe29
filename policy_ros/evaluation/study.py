"""Which trainings make up the reproduction of the paper."""

import json
from dataclasses import dataclass
from pathlib import Path

from policy_ros.evaluation.paper import WEIGHTS
from policy_ros.training.recipe import Recipe, load_recipe

JOINT = 0.2
"""λ of the joint embedding where the paper does not say which; its best on unseen objects."""

PICTURE = 64
"""Side of the pictures that models see, where the store's can be shrunk to it [px]."""

IMPROVED = "tiltbot_improved"
"""Name of the recipe that is to beat the paper's."""

WEIGHTED, DIFFERENT = "weighted", "different"
"""Groups between the paper's recipe and the improved one: its λ alone, and its channels with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One training of the study.

    Attributes:
        group: trainings that differ only in their seed have the same.
        recipe: how.
        split: name of the store's split.
        seed: of everything random.
        source: group whose checkpoint of the same seed it builds on; empty: none.
        pushing: it learns from pushes.
    """

    group: str
    recipe: Recipe
    split: str
    seed: int
    source: str = ""
    pushing: bool = False

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.group}_seed{self.seed}"


def embedding_group(weight: float) -> str:
    """Return the group of the embeddings of set A trained with this λ."""
    return f"embedding_{weight:g}"


def forward_group(weight: float) -> str:
    """Return the group of the forward models over these embeddings."""
    return f"forward_{weight:g}"


def plan(
    *,
    seeds: tuple[int, ...],
    pushing: bool,
    quick: bool,
    side: int,
    image_weights: Path | None = None,
    precision: str = "float32",
) -> tuple[Job, ...]:
    """Return all trainings, those that others build on first.

    Args:
        seeds: each training is done with each.
        pushing: there is a pushing data set.
        quick: small networks and few epochs: to see that everything works, not what comes out.
        side: of the store's pictures [px]; models see them shrunk to PICTURE where that goes.
        image_weights: ResNet-18 weights for the image features; None: they are trained.
        precision: of the trainings, `schedule.precision` of their recipes.
    """
    exact = f"schedule.precision={precision}"
    changes = [f"picture={PICTURE if side % PICTURE == 0 else side}", exact]
    if quick:
        changes += [
            "schedule.epochs=3",
            "schedule.batch=32",
            "network.audio_width=8",
            "network.image_width=8",
            "network.embedding=32",
        ]
    base = {w: load_recipe("tiltbot", [*changes, f"inverse_weight={w}"]) for w in WEIGHTS}
    improved = load_recipe(IMPROVED, changes)
    weighted = [*changes, f"inverse_weight={improved.inverse_weight}"]
    different = [*weighted, f"network.audio_channels={improved.network.audio_channels}"]
    features = changes
    if image_weights is not None:
        # Pictures as large as they are kept; the head alone is trained, which is soon done.
        features = [
            f"image_weights={json.dumps(str(image_weights))}",
            "network.image_encoder=resnet18",
            "network.image_projection=false",
            "network.embedding=512",
            f"picture={side}",
            "schedule.epochs=3",
            exact,
        ]
    groups: list[tuple[str, Recipe, str, str]] = []
    # What most of the rest is judged by comes first.
    weights = sorted(WEIGHTS, key=lambda weight: weight != JOINT)
    groups += [(embedding_group(weights[0]), base[weights[0]], "set_a", "")]
    groups += [
        ("improved", improved, "set_a", ""),
        ("all_0", base[0.0], "all", ""),
    ]
    groups += [(embedding_group(w), base[w], "set_a", "") for w in weights[1:]]
    groups += [
        ("all_joint", base[JOINT], "all", ""),
        ("image_inverse", load_recipe("image_inverse", changes), "set_a", ""),
        ("image_features", load_recipe("image_classifier", features), "set_a", ""),
        ("shuffled", load_recipe("tiltbot", [*changes, "shuffled=true"]), "set_a", ""),
        (WEIGHTED, load_recipe("tiltbot", weighted), "set_a", ""),
        (DIFFERENT, load_recipe("tiltbot", different), "set_a", ""),
    ]
    few = ["schedule.epochs=5"] if quick else []
    audio, blind = load_recipe("forward_audio", few), load_recipe("forward_none", few)
    oracle = load_recipe("forward_oracle", few)
    groups += [(forward_group(w), audio, "set_a", embedding_group(w)) for w in WEIGHTS]
    groups += [
        ("forward_improved", audio, "set_a", "improved"),
        ("forward_image", load_recipe("forward_image", few), "set_a", "image_features"),
        ("forward_oracle", oracle, "set_a", ""),
        ("forward_oracle_all", oracle, "all", ""),
        ("forward_none", blind, "set_a", ""),
    ]
    if pushing:
        sound = load_recipe("pushing_audio", few)
        groups += [
            ("pushing_none", load_recipe("pushing_none", few), "set_a", ""),
            ("pushing_audio", sound, "set_a", embedding_group(JOINT)),
            ("pushing_improved", sound, "set_a", "improved"),
            ("pushing_image", load_recipe("pushing_image", few), "set_a", "image_features"),
        ]
    return tuple(
        Job(
            group=group,
            recipe=recipe,
            split=split,
            seed=seed,
            source=source,
            pushing=group.startswith("pushing"),
        )
        for group, recipe, split, source in groups
        for seed in seeds
    )
