"""A store and a split, as Lightning wants them."""

from collections.abc import Iterator, Sequence

import lightning
import numpy as np
from torch import Tensor

from policy_ros.data.dataset import Control, StoreDataset
from policy_ros.data.splits import PARTS, Part, Split
from policy_ros.data.store import Store
from tiltbot_ros.errors import StoreError


class StoreModule(lightning.LightningDataModule):
    """Batches of a split: shuffled for training, in order for validation and testing.

    The order of an epoch depends on the seed and the epoch alone, and a batch
    is never larger than the part. What does not fill a batch waits for another
    epoch. Of several processes each gets its part of every batch. Batches are
    those of `StoreDataset`.

    Args:
        store: to read from.
        split: which rows are for what.
        names: arrays to read.
        batch: samples a step, over all processes.
        seed: of the order and of the control.
        require: arrays without NaN in every row.
        control: see `StoreDataset`; it is the same in every part.
        picture: side to which pictures are shrunk [px]; None: not at all.

    Attributes:
        parts: the datasets, by name of the part.

    Raises:
        StoreError: there is nothing to train on, or the store has no such array.
    """

    def __init__(
        self,
        store: Store,
        split: Split,
        names: Sequence[str],
        *,
        batch: int,
        seed: int,
        require: Sequence[str] = (),
        control: Control = "none",
        picture: int | None = None,
    ) -> None:
        super().__init__()
        if split.store != store.hash:
            raise StoreError(
                f"expected a split of the store {store.hash} ({store.path}), got '{split.name}' of "
                f"the store {split.store}"
            )
        self.store = store
        self.split = split
        self.parts: dict[Part, StoreDataset] = {
            part: StoreDataset(
                store,
                split.part(part),
                names,
                require=require,
                control=control,
                seed=seed,
                picture=picture,
            )
            for part in PARTS
        }
        if not len(self.parts["train"]):
            raise StoreError(
                f"{store.path}: expected rows to train on in the split '{split.name}', found none"
                f"{f' with {list(require)}' if require else ''}"
            )
        self._batch = min(batch, len(self.parts["train"]))
        self._seed = seed

    @property
    def steps(self) -> int:
        """Optimizer steps of an epoch."""
        return len(self.parts["train"]) // self._batch

    def train_dataloader(self) -> "StoreBatches":
        """Return the shuffled batches of the trainer's epoch."""
        return StoreBatches(self, "train")

    def val_dataloader(self) -> "StoreBatches":
        """Return the batches of the validation part, in order."""
        return StoreBatches(self, "validation")

    def test_dataloader(self) -> "StoreBatches":
        """Return the batches of the test part, in order."""
        return StoreBatches(self, "test")

    def places(self, part: Part) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
        """Return the numbers within the part of each batch of this process, for this epoch."""
        count = len(self.parts[part])
        order = np.arange(count)
        if part == "train":
            epoch = self.trainer.current_epoch if self.trainer else 0
            order = np.random.default_rng((self._seed, epoch)).permutation(count)
            order = order[: self.steps * self._batch]
        world = self.trainer.world_size if self.trainer else 1
        rank = self.trainer.global_rank if self.trainer else 0
        return [
            order[start : start + self._batch][rank::world]
            for start in range(0, len(order), self._batch)
        ]


class StoreBatches:
    """What Lightning iterates over, once an epoch."""

    def __init__(self, module: StoreModule, part: Part) -> None:
        self._module = module
        self._part: Part = part

    def __len__(self) -> int:
        return len(self._module.places(self._part))

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        dataset = self._module.parts[self._part]
        for places in self._module.places(self._part):
            yield dataset[places]
