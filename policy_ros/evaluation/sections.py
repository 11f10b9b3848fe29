"""The report's sections that show pictures: retrieval, t-SNE, confusion, arrows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from policy_ros.evaluation.figures.maps import confusion_figure, tsne_figure
from policy_ros.evaluation.figures.scenes import (
    ActionScene,
    LocationScene,
    Scale,
    actions_figure,
    fit_scale,
    locations_figure,
    retrieval_figure,
)
from policy_ros.evaluation.measures import (
    Confusion,
    confusion_matrix,
    spread,
    top_confusions,
)
from policy_ros.evaluation.results import Part, Results
from policy_ros.evaluation.retrieval import agreement, nearest_objects
from policy_ros.evaluation.study import JOINT, embedding_group, forward_group
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.worlds.objects import ObjectCatalogue, ObjectSpec

Rows = npt.NDArray[np.int64]

JOINT_GROUP = embedding_group(JOINT)
_Kind: TypeAlias = Callable[[ObjectSpec], str]

QUERIES = 6
SCENES = 6
TOP_ERRORS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A section: its figure and what stands beside it.

    Attributes:
        figure: drawn.
        text: Markdown.
    """

    figure: Figure
    text: str


def known_specs(results: Results) -> dict[int, ObjectSpec]:
    """Return what the catalogue says of the store's objects, by index."""
    catalogue = ObjectCatalogue.load()
    specs = {}
    for number, name in enumerate(results.names):
        try:
            specs[number] = catalogue.get(name)
        except ConfigError:  # a laboratory's own object
            continue
    return specs


def retrieval(results: Results, seed: int) -> Shown:
    """Which objects of set B sound most alike (figure 9), and whether they are alike."""
    rows = results.rows("unseen_test")
    embeddings = results.embedding(JOINT_GROUP, seed, rows)
    objects = results.objects[rows]
    rng = np.random.default_rng(0)
    everyone = (
        np.arange(len(rows)) if len(rows) < 600 else np.sort(rng.permutation(len(rows))[:600])
    )
    found = nearest_objects(embeddings, objects, everyone)
    specs = known_specs(results)
    lines = []
    kinds_of: tuple[tuple[str, _Kind], ...] = (
        ("material", lambda spec: spec.material),
        ("shape", lambda spec: spec.shape),
    )
    for what, kind in kinds_of:
        named = {number: kind(spec) for number, spec in specs.items()}
        if not set(np.unique(objects)) <= set(named):
            continue
        numbers = {name: place for place, name in enumerate(sorted(set(named.values())))}
        kinds = np.array([numbers.get(named.get(n, ""), -1) for n in range(len(results.names))])
        hit, chance = agreement(found, objects, everyone, kinds)
        lines.append(
            f"Of the three nearest other objects, {100 * hit:.0f} % have the query's {what} "
            f"(by chance {100 * chance:.0f} %)."
        )
    pictures = results.store.array("before")
    shown = rng.choice(np.unique(objects), min(QUERIES, len(np.unique(objects))), replace=False)
    picked = np.array([rng.choice(np.flatnonzero(objects == name)) for name in shown])
    nearest = nearest_objects(embeddings, objects, picked)
    gallery = [
        [(pictures[int(rows[i])], results.names[int(objects[i])]) for i in (query, *neighbours)]
        for query, neighbours in zip(picked.tolist(), nearest.tolist(), strict=True)
    ]
    return Shown(figure=retrieval_figure(gallery), text=" ".join(lines))


def tsne(results: Results, seed: int) -> Shown:
    """Embeddings of the training and of the test objects, flattened (figure 8)."""
    parts: tuple[tuple[str, Part], ...] = (
        ("training objects (set A), held-out interactions", "seen"),
        ("test objects (set B)", "unseen_test"),
    )
    panels = [
        (
            title,
            results.embedding(JOINT_GROUP, seed, results.rows(part)),
            results.objects[results.rows(part)],
        )
        for title, part in parts
    ]
    return Shown(figure=tsne_figure(panels, results.names), text="")


def confusion(results: Results) -> Shown:
    """What is taken for what among all objects, and when (figure 7)."""
    rows = results.rows("all")
    lookup = results.classes("all")
    names = [name for name, place in zip(results.names, lookup, strict=True) if place >= 0]
    matrices, quiet, loud = [], [], []
    level = results.store.array("contact_level")[rows]
    low, high = np.quantile(level, (0.2, 0.8))
    for seed in results.seeds:
        asked, logits = results.output("all_joint", seed, "logits", rows)
        true, taken = lookup[results.objects[asked]], logits.argmax(1)
        matrices.append(confusion_matrix(taken, true, len(names)))
        right = true == taken
        quiet.append(float(right[level <= low].mean()))
        loud.append(float(right[level >= high].mean()))
    matrix = np.mean(matrices, axis=0)
    specs = known_specs(results)
    lines = [
        (
            f"Accuracy on the softest fifth of the contacts is {spread(quiet).text()}, on the "
            f"loudest {spread(loud).text()}: the paper's second mode of failure."
        ),
        "",
        "| object | taken for | rate | |",
        "|---|---|---:|---|",
    ]
    places = {int(place): number for number, place in enumerate(lookup) if place >= 0}
    for error in top_confusions(matrix, TOP_ERRORS):
        remark = _remark(error, specs, places)
        lines.append(
            f"| {names[error.true]} | {names[error.taken]} | {100 * error.rate:.0f} % | {remark} |"
        )
    return Shown(figure=confusion_figure(matrix, names), text="\n".join(lines))


def _remark(error: Confusion, specs: dict[int, ObjectSpec], places: dict[int, int]) -> str:
    one, other = specs.get(places[error.true]), specs.get(places[error.taken])
    if one is None or other is None:
        return ""
    if one.acoustic_key == other.acoustic_key:
        return "differ in colour alone"
    same = [
        word
        for word, alike in (
            ("material", one.material == other.material),
            ("shape", one.shape == other.shape),
        )
        if alike
    ]
    return f"same {' and '.join(same)}" if same else ""


def actions(results: Results, seed: int) -> Shown:
    """Predicted against true actions over pictures (figure 6)."""
    scale = picture_scale(results)
    scenes = []
    parts: tuple[tuple[Part, str], ...] = (("seen", "A"), ("unseen", "B"))
    for part, word in parts:
        rows, action = results.output(JOINT_GROUP, seed, "action", results.rows(part))
        for place in _spread_out(len(rows), SCENES // 2):
            row = int(rows[place])
            scenes.append(
                ActionScene(
                    title=f"{results.names[results.objects[row]]} ({word})",
                    before=results.store.array("before")[row],
                    after=results.store.array("after")[row],
                    true=results.actions[row],
                    predicted=action[place],
                    location=results.store.array("location_before")[row],
                )
            )
    return Shown(figure=actions_figure(scenes, scale), text="")


def locations(results: Results, seed: int) -> Shown:
    """Predicted against true locations over pictures (figure 12)."""
    scale = picture_scale(results)
    scenes = []
    parts: tuple[tuple[Part, str], ...] = (("seen", "A"), ("unseen_test", "B"))
    store = results.store
    for part, word in parts:
        rows, located = results.output(
            forward_group(JOINT), seed, "location_after", results.rows(part)
        )
        for place in _spread_out(len(rows), SCENES // 2):
            row = int(rows[place])
            scenes.append(
                LocationScene(
                    title=f"{results.names[results.objects[row]]} ({word})",
                    before=store.array("before")[row],
                    after=store.array("after")[row],
                    action=results.actions[row],
                    start=store.array("location_before")[row],
                    end=store.array("location_after")[row],
                    predicted=located[place],
                )
            )
    return Shown(figure=locations_figure(scenes, scale), text="")


def picture_scale(results: Results) -> Scale:
    """Return where locations are in the store's pictures, from the pictures themselves."""
    rows = results.rows("all")
    chosen = rows[_spread_out(len(rows), 200)]
    return fit_scale(
        results.store.array("before")[chosen], results.store.array("location_before")[chosen]
    )


def _spread_out(count: int, wanted: int) -> Rows:
    """Return places evenly over a range: drawn by no one's taste."""
    return np.linspace(0, count - 1, min(wanted, count)).astype(np.int64)
