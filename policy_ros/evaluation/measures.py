"""The numbers that the tables hold, from predictions and truths."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """A figure over several seeds.

    Attributes:
        mean: of the seeds.
        deviation: of a seed (with n - 1); 0 for one seed.
        count: number of seeds.
    """

    mean: float
    deviation: float
    count: int

    def text(self, digits: int = 3) -> str:
        """Return mean ± deviation."""
        if self.count < 2:
            return f"{self.mean:.{digits}f}"
        return f"{self.mean:.{digits}f} ± {self.deviation:.{digits}f}"


def spread(values: list[float]) -> Spread:
    """Return mean and deviation of a figure's values, one a seed."""
    array = np.asarray(values, float)
    deviation = float(array.std(ddof=1)) if len(array) > 1 else 0.0
    return Spread(mean=float(array.mean()), deviation=deviation, count=len(array))


def accuracy(logits: Floats, objects: Ints) -> float:
    """Return the part of rows whose greatest logit is their object's."""
    return float((logits.argmax(1) == objects).mean())


def mean_squared(predicted: Floats, true: Floats) -> float:
    """Return the mean squared error over rows and components."""
    return float(np.mean((np.asarray(predicted, float) - true) ** 2))


def direction_error(predicted: Floats, true: Floats) -> float:
    """Return the median angle between predicted and true actions (n, 2) [deg]."""
    angles = [np.arctan2(action[:, 1], action[:, 0]) for action in (predicted, true)]
    apart = np.abs(np.angle(np.exp(1j * (angles[0] - angles[1]))))
    return float(np.degrees(np.median(apart)))


def strength_error(predicted: Floats, true: Floats) -> float:
    """Return the root mean squared error of the lengths of actions (n, 2)."""
    lengths = [np.linalg.norm(np.asarray(action, float), axis=1) for action in (predicted, true)]
    return float(np.sqrt(np.mean((lengths[0] - lengths[1]) ** 2)))


def mean_absolute(predicted: Floats, true: Floats) -> float:
    """Return the mean absolute error over rows and components (table II's L1)."""
    return float(np.mean(np.abs(np.asarray(predicted, float) - true)))


def mean_distance(predicted: Floats, true: Floats) -> float:
    """Return the mean Euclidean distance over rows (section IV-G's L2)."""
    return float(np.mean(np.linalg.norm(np.asarray(predicted, float) - true, axis=1)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Confusion:
    """How often one object is taken for another.

    Attributes:
        true, taken: index of the object, and what it was taken for.
        rate: part of the true object's rows.
    """

    true: int
    taken: int
    rate: float


def confusion_matrix(predicted: Ints, true: Ints, classes: int) -> npt.NDArray[np.float64]:
    """Return (classes, classes): of each object's rows (row), the part taken for each."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (true, predicted), 1.0)
    rows: npt.NDArray[np.float64] = counts / np.maximum(counts.sum(1, keepdims=True), 1.0)
    return rows


def top_confusions(matrix: npt.NDArray[np.float64], count: int) -> tuple[Confusion, ...]:
    """Return the most frequent errors, the worst first."""
    errors = matrix * (1 - np.eye(len(matrix)))
    order = np.argsort(-errors, axis=None)[:count]
    pairs = zip(*np.unravel_index(order, errors.shape), strict=True)
    return tuple(
        Confusion(true=int(true), taken=int(taken), rate=float(errors[true, taken]))
        for true, taken in pairs
        if errors[true, taken] > 0
    )
