"""What the paper found, and whether it holds here: decided by the figures, not by hand."""

from dataclasses import dataclass

from policy_ros.evaluation import paper
from policy_ros.evaluation.measures import Spread
from policy_ros.evaluation.results import Part, Results
from policy_ros.evaluation.study import JOINT, embedding_group, forward_group


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordering:
    """One statement.

    Attributes:
        text: what is said.
        holds: whether the means say so.
        figures: them.
        clear: the difference is more than the larger deviation over seeds.
    """

    text: str
    holds: bool
    figures: str
    clear: bool


def less(text: str, one: Spread, other: Spread, *, digits: int = 4) -> Ordering:
    """Return whether the first figure is less than the second."""
    gap = abs(other.mean - one.mean)
    return Ordering(
        text=text,
        holds=one.mean < other.mean,
        figures=f"{one.text(digits)} against {other.text(digits)}",
        clear=gap > max(one.deviation, other.deviation),
    )


def more(text: str, one: Spread, other: Spread, *, digits: int = 3) -> Ordering:
    """Return whether the first figure is more than the second."""
    turned = less(text, other, one, digits=digits)
    return Ordering(
        text=text,
        holds=turned.holds,
        figures=f"{one.text(digits)} against {other.text(digits)}",
        clear=turned.clear,
    )


def orderings(results: Results, *, pushing: bool) -> tuple[Ordering, ...]:
    """Return the paper's findings with what comes out here."""
    joint, alone = embedding_group(JOINT), embedding_group(1.0)
    unseen = {w: results.inverse(embedding_group(w), "unseen") for w in paper.WEIGHTS}
    best = min(unseen, key=lambda weight: unseen[weight].mean)
    found = [
        more(
            "joint training classifies set A better than λ = 0",
            results.accuracy(joint, "seen", "set_a"),
            results.accuracy(embedding_group(0.0), "seen", "set_a"),
        ),
        more(
            "joint training classifies all objects better than λ = 0",
            results.accuracy("all_joint", "all", "all"),
            results.accuracy("all_0", "all", "all"),
        ),
        less(
            "sound tells the action better than pictures, seen objects (λ = 1)",
            results.inverse(alone, "seen"),
            results.inverse("image_inverse", "seen"),
        ),
        less(
            "sound tells the action better than pictures, unseen objects (λ = 1)",
            unseen[1.0],
            results.inverse("image_inverse", "unseen"),
        ),
        Ordering(
            text="a λ between 0.05 and 0.2 is best on unseen objects",
            holds=best in (0.05, 0.1, 0.2),
            figures=f"best is λ = {best:g} with {unseen[best].text(4)}; λ = 1 has "
            f"{unseen[1.0].text(4)}",
            clear=abs(unseen[best].mean - unseen[1.0].mean)
            > max(unseen[best].deviation, unseen[1.0].deviation),
        ),
    ]
    parts: tuple[tuple[Part, str, str], ...] = (
        ("seen", "seen", "forward_oracle"),
        ("unseen_test", "unseen", "forward_oracle_all"),
    )
    for part, word, oracle in parts:
        audio = results.forward(forward_group(JOINT), part)
        image = results.forward("forward_image", part)
        told = results.forward(oracle, part)
        found += [
            less(f"forward: audio embedding beats image features, {word} objects", audio, image),
            less(f"forward: the oracle beats the audio embedding, {word} objects", told, audio),
        ]
    shots = results.shots()
    curve = results.few_shot(joint)
    found.append(
        more(
            f"few-shot accuracy rises from k = {shots[0]} to k = {shots[-1]}",
            curve[-1],
            curve[0],
        )
    )
    found.append(
        more(
            f"few-shot, k = {shots[-1]}: the trained embedding beats a random network",
            curve[-1],
            results.few_shot("random")[-1],
        )
    )
    if pushing:
        found.append(
            less(
                "pushing: the audio embedding lowers the error on test objects",
                results.pushing("pushing_audio"),
                results.pushing("pushing_none"),
            )
        )
    return tuple(found)
