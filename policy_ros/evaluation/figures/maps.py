"""Figures of where embeddings lie and of what is taken for what."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from tiltbot_ros.pictures import style

MOST_ROWS = 1500


def confusion_figure(matrix: npt.NDArray[np.float64], names: Sequence[str]) -> Figure:
    """Draw the confusion matrix: true objects down, what they were taken for across."""
    side = 3.0 + 0.15 * len(names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(matrix, cmap="magma_r", vmin=0, vmax=1)
    ticks = range(len(names))
    axes.set_xticks(ticks, names, rotation=90, fontsize=6)
    axes.set_yticks(ticks, names, fontsize=6)
    axes.set_ylabel("object")
    axes.set_xlabel("taken for")
    figure.colorbar(shown, ax=axes, shrink=0.6, label="part of the object's interactions")
    return figure


def tsne_figure(
    panels: Sequence[tuple[str, npt.NDArray[np.float32], npt.NDArray[np.int64]]],
    names: Sequence[str],
) -> Figure:
    """Draw a t-SNE of embeddings for each panel (figure 8).

    Args:
        panels: title, embeddings (n, d), index of the object (n,).
        names: of the objects.
    """
    figure = Figure(figsize=(6.5 * len(panels), 6.5), layout="constrained")
    for axes, (title, embeddings, objects) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        chosen = np.random.default_rng(0).permutation(len(objects))[:MOST_ROWS]
        points = _flattened(embeddings[chosen])
        present = np.unique(objects[chosen])
        for number, name in enumerate(present):
            rows = objects[chosen] == name
            colour = colormaps["gist_ncar"]((number + 0.5) / len(present))
            axes.scatter(*points[rows].T, s=9, color=colour, linewidths=0)
            middle = np.median(points[rows], axis=0)
            axes.annotate(names[name], middle, fontsize=5, color=style.INK, ha="center")
        axes.set_title(title, fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def _flattened(embeddings: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    deviation = embeddings.std(0)
    features = (embeddings - embeddings.mean(0)) / np.where(deviation > 1e-6, deviation, 1.0)
    perplexity = min(30.0, max(2.0, len(features) / 4))
    flat: npt.NDArray[np.float32] = TSNE(
        init="pca", perplexity=perplexity, random_state=0
    ).fit_transform(features)
    return flat
