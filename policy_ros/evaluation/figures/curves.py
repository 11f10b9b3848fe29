"""Figures of curves: accuracy by shots, errors by λ."""

from collections.abc import Collection, Mapping, Sequence

from matplotlib.figure import Figure

from policy_ros.evaluation.measures import Spread
from tiltbot_ros.pictures import style


def few_shot_figure(
    shots: Sequence[int],
    curves: Mapping[str, Sequence[Spread]],
    *,
    paper: Mapping[int, float],
    chance: float,
) -> Figure:
    """Draw accuracy over the number of known interactions, one line an embedding (figure 10)."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, (name, curve) in enumerate(curves.items()):
        colour = f"C{number}"
        mean = [100 * point.mean for point in curve]
        low = [100 * (point.mean - point.deviation) for point in curve]
        high = [100 * (point.mean + point.deviation) for point in curve]
        axes.plot(shots, mean, "-o", color=colour, label=name, markersize=4)
        axes.fill_between(shots, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.scatter(
        list(paper),
        [100 * value for value in paper.values()],
        marker="x",
        color=style.INK,
        label="paper, audio embeddings",
        zorder=5,
    )
    axes.axhline(100 * chance, color=style.FAINT, linewidth=1, linestyle=":", label="chance")
    axes.set_xticks(shots)
    axes.set_xlabel("known interactions of each object")
    axes.set_ylabel("accuracy on set B [%]")
    axes.set_ylim(0, 100)
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    style.plain(axes)
    return figure


def weights_figure(
    weights: Sequence[float],
    panels: Mapping[str, tuple[Sequence[Spread], Mapping[float, float]]],
    *,
    logarithmic: Collection[str] = (),
) -> Figure:
    """Draw each measure over λ, with the paper's figures as crosses.

    Args:
        weights: values of λ.
        panels: by title, the measure for each λ, and the paper's by λ.
        logarithmic: titles of those drawn on a logarithmic axis.
    """
    figure = Figure(figsize=(3.6 * len(panels), 3.2), layout="constrained")
    places = range(len(weights))
    for axes, (title, (points, paper)) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        axes.errorbar(
            places,
            [point.mean for point in points],
            [point.deviation for point in points],
            fmt="-o",
            color=style.CHANNELS[0],
            capsize=3,
            label="here",
        )
        known = [(place, paper[w]) for place, w in enumerate(weights) if w in paper]
        axes.plot(*zip(*known, strict=True), "x", color=style.CONTACT, label="paper")
        axes.set_xticks(places, [f"{weight:g}" for weight in weights])
        axes.set_xlabel("λ")
        axes.set_title(title, fontsize=10)
        if title in logarithmic:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.legend(fontsize=8, frameon=False)
        style.plain(axes)
    return figure
