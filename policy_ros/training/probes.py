"""Which other interaction tells a forward model what an object is like."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from policy_ros.training.draws import Draws
from tiltbot_ros.errors import ModelError

Rows = npt.NDArray[np.int64]


class Probes:
    """Draws an interaction of the same object for every row.

    Args:
        rows: (n,) rows of the store to draw from.
        objects: (n,) index of the object of each.
    """

    def __init__(self, rows: Rows, objects: Rows) -> None:
        order = np.argsort(objects, kind="stable")
        self._rows = rows[order]
        self._names, self._starts, self._counts = np.unique(
            objects[order], return_index=True, return_counts=True
        )

    def draw(self, objects: Rows, draws: Draws, *, but: Rows | None = None) -> Tensor:
        """Return (n,) rows of the store.

        Args:
            objects: (n,) index of the object that each is wanted for.
            draws: random numbers for the n rows.
            but: (n,) rows that must not be drawn, unless the object has no other.

        Raises:
            ModelError: an object has no interaction.
        """
        place = np.searchsorted(self._names, objects)
        known = np.minimum(place, max(0, len(self._names) - 1))
        if not len(self._names) or (self._names[known] != objects).any():
            raise ModelError(
                "expected an interaction of every object, to tell what it is like; there is none "
                f"of {len(np.setdiff1d(objects, self._names))} objects"
            )
        count = self._counts[place]
        number = (draws.uniform("probe")[:, 0].numpy() * count).astype(np.int64)
        rows = self._rows[self._starts[place] + number]
        if but is not None:
            number = np.where(rows == but, (number + 1) % count, number)
            rows = self._rows[self._starts[place] + number]
        return torch.from_numpy(rows)
