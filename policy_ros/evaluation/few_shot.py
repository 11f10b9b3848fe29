"""How well a few interactions make a new object known (Tilt-Bot, IV-E)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import ModelError

SHOTS = (1, 2, 3, 5, 8, 10, 15, 20)
DRAWS = 20
"""Draws of the known interactions, over which accuracies are averaged."""


def few_shot_accuracy(
    embeddings: npt.NDArray[np.float32],
    objects: npt.NDArray[np.int64],
    *,
    shots: Sequence[int] = SHOTS,
    draws: int = DRAWS,
    seed: int = 0,
) -> npt.NDArray[np.float64]:
    """Return the accuracy of the nearest neighbour among k known interactions an object.

    Of every object k interactions are known; each interaction that is never
    among the known ones of this draw is given the object of its nearest known
    one (Euclidean distance of embeddings, each component scaled to the same
    deviation). The queries are the same for every k of a draw.

    Args:
        embeddings: (n, d).
        objects: (n,) index of the object.
        shots: values of k.
        draws: how often the known interactions are drawn.
        seed: of the draws.

    Returns:
        (len(shots),) mean accuracies, in [0, 1].

    Raises:
        ModelError: an object has too few interactions.
    """
    most = max(shots)
    names, counts = np.unique(objects, return_counts=True)
    if len(names) < 2 or counts.min() <= most:
        raise ModelError(
            f"expected more than {most} interactions of each of two objects or more, got "
            f"{int(counts.min()) if len(counts) else 0} of {len(names)}"
        )
    scale = embeddings.std(0)
    features = embeddings / np.where(scale > 1e-6, scale, 1.0)
    rng = np.random.default_rng(seed)
    correct = np.zeros(len(shots))
    queries = 0
    for _ in range(draws):
        known = np.stack([rng.permutation(np.flatnonzero(objects == n))[:most] for n in names])
        rest = np.setdiff1d(np.arange(len(objects)), known)
        # (queries, objects, most); the nearest of the first k is a running minimum.
        distances = _distances(features[rest], features[known.ravel()])
        distances = distances.reshape(len(rest), len(names), most)
        nearest = np.minimum.accumulate(distances, axis=2)
        for number, k in enumerate(shots):
            found = names[nearest[:, :, k - 1].argmin(1)]
            correct[number] += (found == objects[rest]).sum()
        queries += len(rest)
    result: npt.NDArray[np.float64] = correct / queries
    return result


def _distances(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    result: npt.NDArray[np.float32] = squares
    return result
