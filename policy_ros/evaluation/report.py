"""The report of a study: Markdown and pictures, fit to be committed."""

from pathlib import Path

from policy_ros.evaluation import paper, sections
from policy_ros.evaluation.figures.curves import few_shot_figure, weights_figure
from policy_ros.evaluation.figures.saving import save
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

README = "README.md"

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

QUICK = """\
> **A quick run: small networks and few epochs show that all parts work. The figures mean
> nothing.**"""


def write_report(
    results: Results, folder: Path, *, quick: bool, image_weights: str, manifest: str
) -> Path:
    """Write the report and its pictures.

    Args:
        results: of the study.
        folder: where to.
        quick: say that the figures mean nothing.
        image_weights: name of the file that image features are from; empty: they were trained.
        manifest: name of the manifest's file, beside the report.

    Returns:
        The Markdown file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seed = results.seeds[0]
    pushing = results.place.pushes is not None
    shots = results.shots()
    curves = {
        f"audio, λ = {weight:g}": results.few_shot(embedding_group(weight))
        for weight in paper.WEIGHTS
    }
    curves["audio, improved recipe"] = results.few_shot("improved")
    curves["random network"] = results.few_shot("random")
    curves["image features"] = results.few_shot("image_features")
    count_b = len(results.split("set_b").objects)
    save(
        few_shot_figure(shots, curves, paper=paper.FEW_SHOT, chance=1 / count_b),
        folder / "few_shot.png",
    )
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
    save(weights_figure(paper.WEIGHTS, panels, logarithmic=errors), folder / "weights.png")
    shown = {
        "retrieval": sections.retrieval(results, seed),
        "tsne": sections.tsne(results, seed),
        "confusion": sections.confusion(results),
        "actions": sections.actions(results, seed),
        "locations": sections.locations(results, seed),
    }
    for name, section in shown.items():
        save(section.figure, folder / f"{name}.png")
    features = f"those of `{image_weights}`" if image_weights else TRAINED_FEATURES
    lines = [
        "# Tilt-Bot, reproduced in simulation",
        "",
        *_introduction(results, quick=quick, manifest=manifest),
        "## What the paper found, and what comes out here",
        "",
        "| | holds | beyond the seeds' deviation | figures |",
        "|---|---|---|---|",
        *(
            f"| {found.text} | {'yes' if found.holds else '**no**'} | "
            f"{'yes' if found.clear else 'no'} | {found.figures} |"
            for found in orderings(results, pushing=pushing)
        ),
        "",
        "## Table I: which object, which action",
        "",
        TABLE_ONE,
        "",
        table_one(results),
        "",
        "![by λ](weights.png)",
        "",
        table_all(results),
        "",
        "## The improved recipe",
        "",
        _improvement(results),
        "",
        table_improved(results),
        "",
        "## Predicted actions",
        "",
        ARROWS.format(joint=JOINT),
        "",
        "![actions](actions.png)",
        "",
        DIRECTIONS,
        "",
        table_directions(results),
        "",
        "## What is taken for what",
        "",
        shown["confusion"].text,
        "",
        "![confusion](confusion.png)",
        "",
        "## Which objects sound alike",
        "",
        shown["retrieval"].text,
        "",
        "![retrieval](retrieval.png)",
        "",
        "![t-SNE](tsne.png)",
        "",
        "## Few shots",
        "",
        FEW_SHOTS.format(count=count_b, features=features),
        "",
        table_few_shot(shots, curves, chance=1 / count_b),
        "",
        "![few shots](few_shot.png)",
        "",
        "## Table II: where the object will be",
        "",
        TABLE_TWO,
        "",
        table_two(results),
        "",
        "![locations](locations.png)",
        "",
        LOCATIONS,
        "",
    ]
    if pushing:
        lines += ["## Pushing on the table", "", table_pushing(results), ""]
    path = folder / README
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _introduction(results: Results, *, quick: bool, manifest: str) -> list[str]:
    dealt = results.split("set_a")
    unseen = len(results.rows("unseen"))
    lines = [
        (
            f"Made by `tiltbot reproduce tiltbot`{' --quick' if quick else ''}; [{manifest}]"
            f"({manifest}) tells the command, the code, the data and every training. "
            f"{len(results.store)} interactions (store `{results.store.hash}`), "
            f"{len(dealt.objects)} objects in set A ({len(dealt.train)} interactions to train, "
            f"{len(dealt.validation)} to watch, {len(dealt.test)} to test), "
            f"{len(results.split('set_b').objects)} in set B ({unseen}). Figures are mean ± "
            f"deviation over {len(results.seeds)} seeds of weights and order; the splits "
            "stay. “Paper” is Gandhi et al., 2020, on the real robot."
        ),
        "",
    ]
    if quick:
        lines += [
            QUICK,
            "",
        ]
    return lines


def _improvement(results: Results) -> str:
    joint = embedding_group(JOINT)
    before, after = results.inverse(joint, "unseen"), results.inverse("improved", "unseen")
    least = min(
        (results.inverse(embedding_group(w), "unseen") for w in paper.WEIGHTS),
        key=lambda value: value.mean,
    )
    old, new = (results.accuracy(group, "seen", "set_a") for group in (joint, "improved"))
    return (
        f"Recipe `{IMPROVED}` (config/recipes), on the same splits and seeds. Inverse error on "
        f"unseen objects: {after.text(4)} against {before.text(4)} of the paper's at λ = {JOINT:g} "
        f"({_percent(after.mean, before.mean)}), and against {least.text(4)} at the paper's "
        f"recipe's best λ ({_percent(after.mean, least.mean)}). Accuracy on set A: "
        f"{new.text()} against {old.text()} ({100 * (new.mean - old.mean):+.1f} points)."
    )


def _percent(new: float, old: float) -> str:
    return f"{100 * (new - old) / old:+.0f} %" if old > 0 else "—"
