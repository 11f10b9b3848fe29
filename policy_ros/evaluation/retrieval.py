"""Which other objects sound most alike (Tilt-Bot, figure 9)."""

import numpy as np
import numpy.typing as npt


def nearest_objects(
    embeddings: npt.NDArray[np.float32],
    objects: npt.NDArray[np.int64],
    queries: npt.NDArray[np.int64],
    *,
    count: int = 3,
) -> npt.NDArray[np.int64]:
    """Return the nearest interactions of other objects, each of another object.

    Args:
        embeddings: (n, d).
        objects: (n,) index of the object.
        queries: (q,) rows to look for.
        count: how many; fewer where there are fewer other objects.

    Returns:
        (q, count) rows, the nearest first.
    """
    scale = embeddings.std(0)
    features = embeddings / np.where(scale > 1e-6, scale, 1.0)
    names = np.unique(objects)
    count = min(count, len(names) - 1)
    found = np.empty((len(queries), count), np.int64)
    for number, query in enumerate(queries):
        distances = ((features - features[query]) ** 2).sum(1)
        best = []
        for name in names[names != objects[query]]:
            rows = np.flatnonzero(objects == name)
            row = rows[distances[rows].argmin()]
            best.append((float(distances[row]), int(row)))
        found[number] = [row for _, row in sorted(best)[:count]]
    return found


def agreement(
    found: npt.NDArray[np.int64],
    objects: npt.NDArray[np.int64],
    queries: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.int64],
) -> tuple[float, float]:
    """Return how often what was found is of the query's kind, and how often it would by chance.

    Args:
        found: (q, count) rows, from `nearest_objects`.
        objects: (n,) index of the object of a row.
        queries: (q,) rows.
        kinds: (objects,) kind of every object, such as its material.

    Returns:
        Parts in [0, 1]; by chance every other object is as likely.
    """
    kind = kinds[objects]
    hit = float((kind[found] == kind[queries][:, None]).mean())
    present = np.unique(objects)
    chances = [
        np.mean(kinds[present[present != objects[query]]] == kind[query]) for query in queries
    ]
    return hit, float(np.mean(chances))
