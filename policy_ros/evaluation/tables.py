"""The report's tables, as Markdown: each figure beside the paper's."""

from collections.abc import Iterable, Mapping, Sequence

from policy_ros.evaluation import paper
from policy_ros.evaluation.measures import Spread, direction_error, strength_error
from policy_ros.evaluation.results import Part, Results
from policy_ros.evaluation.study import (
    DIFFERENT,
    JOINT,
    WEIGHTED,
    embedding_group,
    forward_group,
)

MISSING = "—"


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, figures to the right."""
    lines = [f"| {' | '.join(header)} |", f"|---|{'---:|' * (len(header) - 1)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def told(value: float | None, digits: int = 3) -> str:
    """Return a figure of the paper."""
    return MISSING if value is None else f"{value:.{digits}f}"


def table_one(results: Results) -> str:
    """Classification and inverse model, by λ (table I)."""
    rows = []
    for weight in paper.WEIGHTS:
        group = embedding_group(weight)
        rows.append(
            (
                f"λ = {weight:g}",
                told(paper.ACCURACY_SET_A.get(weight)),
                results.accuracy(group, "seen", "set_a").text(),
                told(paper.INVERSE_SEEN.get(weight)),
                results.inverse(group, "seen").text(4),
                told(paper.INVERSE_UNSEEN.get(weight)),
                results.inverse(group, "unseen").text(4),
            )
        )
    rows += [
        (
            "pictures before and after",
            MISSING,
            MISSING,
            told(paper.IMAGE_INVERSE_SEEN),
            results.inverse("image_inverse", "seen").text(4),
            f"{paper.IMAGE_INVERSE_UNSEEN} (text), 0.043 (table)",
            results.inverse("image_inverse", "unseen").text(4),
        ),
        (
            "**improved recipe**",
            MISSING,
            f"**{results.accuracy('improved', 'seen', 'set_a').text()}**",
            MISSING,
            f"**{results.inverse('improved', 'seen').text(4)}**",
            MISSING,
            f"**{results.inverse('improved', 'unseen').text(4)}**",
        ),
        (
            "control: sensed data of other rows",
            MISSING,
            results.accuracy("shuffled", "seen", "set_a").text(),
            MISSING,
            results.inverse("shuffled", "seen").text(4),
            MISSING,
            results.inverse("shuffled", "unseen").text(4),
        ),
        (
            "chance: a class or the action at random",
            MISSING,
            told(1 / len(results.split("set_a").objects)),
            told(paper.RANDOM_INVERSE, 1),
            told(results.random_action("seen"), 4),
            told(paper.RANDOM_INVERSE, 1),
            told(results.random_action("unseen"), 4),
        ),
        (
            "always the mean action",
            MISSING,
            MISSING,
            MISSING,
            told(results.constant_action("seen"), 4),
            MISSING,
            told(results.constant_action("unseen"), 4),
        ),
    ]
    return markdown(
        (
            "",
            "accuracy A, paper",
            "here",
            "inverse error A, paper",
            "here",
            "inverse error B, paper",
            "here",
        ),
        rows,
    )


def table_improved(results: Results) -> str:
    """From the paper's recipe to the improved one, a change at a time."""
    steps = (
        (f"the paper's recipe, λ = {JOINT:g}", embedding_group(JOINT)),
        ("the improved recipe's λ", WEIGHTED),
        ("and how the microphones differ", DIFFERENT),
        ("and the tray's symmetries, for longer: the improved recipe", "improved"),
    )
    return markdown(
        ("", "accuracy A", "inverse error A", "inverse error B"),
        (
            (
                name,
                results.accuracy(group, "seen", "set_a").text(),
                results.inverse(group, "seen").text(4),
                results.inverse(group, "unseen").text(4),
            )
            for name, group in steps
        ),
    )


def table_directions(results: Results) -> str:
    """What sound and what pictures tell of an action: where to, and how steep."""
    models = (
        ("sound and the picture before, λ = 1", embedding_group(1.0)),
        ("the same, improved recipe", "improved"),
        ("pictures before and after", "image_inverse"),
    )
    parts: tuple[Part, ...] = ("seen", "unseen")
    return markdown(
        ("", "direction A [°]", "direction B [°]", "strength A", "strength B"),
        (
            (
                name,
                *(results.inverse(group, part, direction_error).text(1) for part in parts),
                *(results.inverse(group, part, strength_error).text() for part in parts),
            )
            for name, group in models
        ),
    )


def table_all(results: Results) -> str:
    """Classification of all objects (IV-B, IV-D)."""
    count = len(results.split("all").objects)
    return markdown(
        ("all objects", "paper", "here"),
        (
            ("λ = 0", told(paper.ACCURACY_ALL), results.accuracy("all_0", "all", "all").text()),
            (
                f"λ = {JOINT:g}",
                told(paper.ACCURACY_ALL_JOINT),
                results.accuracy("all_joint", "all", "all").text(),
            ),
            ("chance", "0.0167", f"{1 / count:.4f}"),
        ),
    )


def table_two(results: Results) -> str:
    """Forward models (table II)."""
    rows = []
    for weight in paper.WEIGHTS:
        group = forward_group(weight)
        rows.append(
            (
                f"audio embedding, λ = {weight:g}",
                told(paper.FORWARD_SEEN.get(weight)),
                results.forward(group, "seen").text(4),
                told(paper.FORWARD_UNSEEN.get(weight)),
                results.forward(group, "unseen_test").text(4),
            )
        )
    rows += [
        (
            "audio embedding, improved recipe",
            MISSING,
            results.forward("forward_improved", "seen").text(4),
            MISSING,
            results.forward("forward_improved", "unseen_test").text(4),
        ),
        (
            "image features (ResNet)",
            told(paper.FORWARD_IMAGE[0]),
            results.forward("forward_image", "seen").text(4),
            told(paper.FORWARD_IMAGE[1]),
            results.forward("forward_image", "unseen_test").text(4),
        ),
        (
            "oracle: the class is told",
            told(paper.FORWARD_ORACLE[0]),
            results.forward("forward_oracle", "seen").text(4),
            told(paper.FORWARD_ORACLE[1]),
            results.forward("forward_oracle_all", "unseen_test").text(4),
        ),
        (
            "nothing is known of the object",
            MISSING,
            results.forward("forward_none", "seen").text(4),
            MISSING,
            results.forward("forward_none", "unseen_test").text(4),
        ),
        (
            "it stays where it was",
            MISSING,
            told(results.still("seen"), 4),
            MISSING,
            told(results.still("unseen_test"), 4),
        ),
    ]
    return markdown(("L1 error", "set A, paper", "here", "set B, paper", "here"), rows)


def table_few_shot(
    shots: Sequence[int], curves: Mapping[str, Sequence[Spread]], *, chance: float
) -> str:
    """Few-shot accuracy on set B (figure 10)."""
    rows = [(name, *(point.text(2) for point in curve)) for name, curve in curves.items()]
    known = (told(paper.FEW_SHOT.get(k), 2) for k in shots)
    pictured = (told(paper.FEW_SHOT_IMAGE.get(k), 2) for k in shots)
    rows.append(("chance", *(f"{chance:.2f}" for _ in shots)))
    rows += [("paper, audio", *known), ("paper, ImageNet features", *pictured)]
    return markdown(("k", *(str(k) for k in shots)), rows)


def table_pushing(results: Results) -> str:
    """Pushing on the table (IV-G)."""
    return markdown(
        ("L2 error, test objects", "paper", "here"),
        (
            (
                "without audio embedding",
                told(paper.PUSHING_BLIND),
                results.pushing("pushing_none").text(4),
            ),
            (
                f"with audio embedding (λ = {JOINT:g})",
                told(paper.PUSHING_AUDIO),
                results.pushing("pushing_audio").text(4),
            ),
            (
                "with audio embedding, improved recipe",
                MISSING,
                results.pushing("pushing_improved").text(4),
            ),
            ("with image features", MISSING, results.pushing("pushing_image").text(4)),
            ("it stays where it was", MISSING, told(results.still_pushes(), 4)),
        ),
    )
