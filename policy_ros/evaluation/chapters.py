"""The chapters of the report of a study: tables, pictures and what they mean."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from policy_ros.evaluation import paper, sections
from policy_ros.evaluation.figures.curves import few_shot_figure, weights_figure
from policy_ros.evaluation.orderings import orderings
from policy_ros.evaluation.results import Results
from policy_ros.evaluation.study import IMPROVED, JOINT, embedding_group
from policy_ros.evaluation.tables import (
    table_all,
    table_directions,
    table_few_shot,
    table_improved,
    table_one,
    table_pushing,
    table_two,
)

TABLE_ONE = """\
Accuracy: higher is better. Inverse error: mean squared, of (ax, ay) in [-1, 1]; lower is better.
A: held-out interactions of set A. B: all interactions of set B, whose objects were never heard in
training."""

ARROWS = """\
Arrows point downhill; red: the action, black: what the model (λ = {joint:g}) read from the left
picture and the sound. Rows evenly spaced over the test rows."""

FEW_SHOTS = """\
Nearest neighbour among k known interactions of each of {count} objects of set B; the rest are the
queries. Image features: {features}."""

TRAINED_FEATURES = """\
those of a residual network trained to tell the objects of set A apart by their pictures, since no
ImageNet weights were given; it sees colours, which most simulated objects do not share"""

TABLE_TWO = """\
Mean absolute error of the location's components, in units of half the tray's side. The object is
known by another interaction with it. The oracle of set B was trained on the training rows of all
objects, because the classes of set B mean nothing otherwise."""

DIRECTIONS = """\
Direction: median angle between the action that was read and the true one. Strength: root mean
squared error of an action's length, of 1 for the steepest tilt."""

LOCATIONS = """\
Green: where it was; arrow: the tilt, downhill; circle: where it came to be; red: where it was
predicted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A figure of a chapter.

    Attributes:
        name: of its file, without the ending.
        alt: what it shows, in words.
        figure: drawn.
    """

    name: str
    alt: str
    figure: Figure


@dataclass(frozen=True, kw_only=True, slots=True)
class Chapter:
    """A chapter: paragraphs and tables of Markdown, and pictures, from top to bottom."""

    title: str
    blocks: Sequence[str | Picture]


def chapters(results: Results, *, image_weights: str) -> list[Chapter]:
    """Return the chapters in their order.

    Args:
        results: of the study.
        image_weights: name of the file that image features are from; empty: they were trained.
    """
    seed = results.seeds[0]
    told = [
        _findings(results),
        _objects_and_actions(results),
        _improvement(results),
        _actions(results, seed),
        _confusion(results),
        _alike(results, seed),
        _few_shots(results, image_weights),
        _locations(results, seed),
    ]
    if results.place.pushes is not None:
        told.append(Chapter(title="Pushing on the table", blocks=[table_pushing(results)]))
    return told


def _findings(results: Results) -> Chapter:
    lines = [
        "| | holds | beyond the seeds' deviation | figures |",
        "|---|---|---|---|",
        *(
            f"| {found.text} | {'yes' if found.holds else '**no**'} | "
            f"{'yes' if found.clear else 'no'} | {found.figures} |"
            for found in orderings(results, pushing=results.place.pushes is not None)
        ),
    ]
    return Chapter(title="What the paper found, and what comes out here", blocks=["\n".join(lines)])


def _objects_and_actions(results: Results) -> Chapter:
    groups = [embedding_group(weight) for weight in paper.WEIGHTS]
    panels = {
        "accuracy, set A": (
            [results.accuracy(group, "seen", "set_a") for group in groups],
            paper.ACCURACY_SET_A,
        ),
        "inverse error, set A": (
            [results.inverse(group, "seen") for group in groups],
            paper.INVERSE_SEEN,
        ),
        "inverse error, set B": (
            [results.inverse(group, "unseen") for group in groups],
            paper.INVERSE_UNSEEN,
        ),
    }
    errors = [title for title in panels if "error" in title]
    by_weight = weights_figure(paper.WEIGHTS, panels, logarithmic=errors)
    return Chapter(
        title="Table I: which object, which action",
        blocks=[
            TABLE_ONE,
            table_one(results),
            Picture(name="weights", alt="by λ", figure=by_weight),
            table_all(results),
        ],
    )


def _improvement(results: Results) -> Chapter:
    joint = embedding_group(JOINT)
    before, after = results.inverse(joint, "unseen"), results.inverse("improved", "unseen")
    least = min(
        (results.inverse(embedding_group(w), "unseen") for w in paper.WEIGHTS),
        key=lambda value: value.mean,
    )
    old, new = (results.accuracy(group, "seen", "set_a") for group in (joint, "improved"))
    gain = (
        f"Recipe `{IMPROVED}` (config/recipes), on the same splits and seeds. Inverse error on "
        f"unseen objects: {after.text(4)} against {before.text(4)} of the paper's at λ = {JOINT:g} "
        f"({_percent(after.mean, before.mean)}), and against {least.text(4)} at the paper's "
        f"recipe's best λ ({_percent(after.mean, least.mean)}). Accuracy on set A: "
        f"{new.text()} against {old.text()} ({100 * (new.mean - old.mean):+.1f} points)."
    )
    return Chapter(title="The improved recipe", blocks=[gain, table_improved(results)])


def _actions(results: Results, seed: int) -> Chapter:
    shown = sections.actions(results, seed)
    return Chapter(
        title="Predicted actions",
        blocks=[
            ARROWS.format(joint=JOINT),
            Picture(name="actions", alt="actions", figure=shown.figure),
            DIRECTIONS,
            table_directions(results),
        ],
    )


def _confusion(results: Results) -> Chapter:
    shown = sections.confusion(results)
    return Chapter(
        title="What is taken for what",
        blocks=[shown.text, Picture(name="confusion", alt="confusion", figure=shown.figure)],
    )


def _alike(results: Results, seed: int) -> Chapter:
    retrieval = sections.retrieval(results, seed)
    tsne = sections.tsne(results, seed)
    return Chapter(
        title="Which objects sound alike",
        blocks=[
            retrieval.text,
            Picture(name="retrieval", alt="retrieval", figure=retrieval.figure),
            Picture(name="tsne", alt="t-SNE", figure=tsne.figure),
        ],
    )


def _few_shots(results: Results, image_weights: str) -> Chapter:
    shots, count = results.shots(), len(results.split("set_b").objects)
    curves = {
        **{
            f"audio, λ = {weight:g}": results.few_shot(embedding_group(weight))
            for weight in paper.WEIGHTS
        },
        "audio, improved recipe": results.few_shot("improved"),
        "random network": results.few_shot("random"),
        "image features": results.few_shot("image_features"),
    }
    chance = 1 / count
    drawn = few_shot_figure(shots, curves, paper=paper.FEW_SHOT, chance=chance)
    features = f"those of `{image_weights}`" if image_weights else TRAINED_FEATURES
    return Chapter(
        title="Few shots",
        blocks=[
            FEW_SHOTS.format(count=count, features=features),
            table_few_shot(shots, curves, chance=chance),
            Picture(name="few_shot", alt="few shots", figure=drawn),
        ],
    )


def _locations(results: Results, seed: int) -> Chapter:
    shown = sections.locations(results, seed)
    return Chapter(
        title="Table II: where the object will be",
        blocks=[
            TABLE_TWO,
            table_two(results),
            Picture(name="locations", alt="locations", figure=shown.figure),
            LOCATIONS,
        ],
    )


def _percent(new: float, old: float) -> str:
    return f"{100 * (new - old) / old:+.0f} %" if old > 0 else "—"
