"""Batches from arrays that fit in memory: embeddings, locations, pushes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import lightning
import numpy as np
import torch
from torch import Tensor

from policy_ros.training.processes import processes
from tiltbot_ros.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns of the same length, by name.

    Attributes:
        columns: (n, ...) each.
        train, validation: rows of each part, int64.
    """

    columns: Mapping[str, Tensor]
    train: Tensor
    validation: Tensor


class TableModule(lightning.LightningDataModule):
    """Shuffled batches of a table for training, all of its rows in order for validation.

    The order depends on the seed and the epoch alone. Under torchrun every
    process gets its part of each batch.

    Args:
        table: to take rows from; batches also hold them, as `row`.
        batch: samples a step, over all processes.
        seed: of the order.

    Raises:
        ModelError: a part is empty.
    """

    def __init__(self, table: Table, *, batch: int, seed: int) -> None:
        super().__init__()
        if not len(table.train) or not len(table.validation):
            raise ModelError(
                f"expected rows to train and to validate on, got {len(table.train)} and "
                f"{len(table.validation)}"
            )
        self._table = table
        self._seed = seed
        # A batch is never larger than the data: small sets still make a step.
        self._batch = min(batch, len(table.train))

    @property
    def steps(self) -> int:
        """Optimizer steps of an epoch."""
        return len(self._table.train) // self._batch

    def train_dataloader(self) -> "Batches":
        """Return the batches of the trainer's epoch; what does not fill a batch waits."""
        return Batches(self, train=True)

    def val_dataloader(self) -> "Batches":
        """Return the batches of the validation part."""
        return Batches(self, train=False)

    def batches(self, *, train: bool) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of an epoch."""
        world, rank = processes()
        rows = self._table.train if train else self._table.validation
        if train:
            epoch = self.trainer.current_epoch if self.trainer else 0
            order = np.random.default_rng((self._seed, epoch)).permutation(len(rows))
            rows = rows[torch.from_numpy(order)]
            rows = rows[: self.steps * self._batch]
        for start in range(0, len(rows), self._batch):
            own = rows[start : start + self._batch][rank::world]
            yield {
                "row": own,
                **{name: column[own] for name, column in self._table.columns.items()},
            }


class Batches:
    """What Lightning iterates over, once an epoch."""

    def __init__(self, module: TableModule, *, train: bool) -> None:
        self._module = module
        self._train = train

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return self._module.batches(train=self._train)
