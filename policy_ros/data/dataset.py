"""Rows of a store as tensors, whole batches at a time."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from policy_ros.data.store import Store
from policy_ros.signals.pictures import shrink
from tiltbot_ros.errors import StoreError

Rows = npt.NDArray[np.int64]
Control = Literal["none", "shuffled", "noise"]

SENSED = ("audio", "spectrogram", "before", "after", "clip")
"""Arrays that a sensor gave, in contrast to what was done and what is true."""

LOCATIONS = ("location_before", "location_after")

_PICTURES = ("before", "after", "clip")


class StoreDataset(Dataset[dict[str, Tensor]]):
    """Rows of a store, by number within the dataset.

    `dataset[[3, 1, 4]]` gives a whole batch: a dict of tensors, each read from
    its memory map at once. A `DataLoader` uses that by itself, given
    `collate_fn=whole_batch`. Tensors are named as the store's arrays:

    | name | type, shape with the default settings | values |
    |---|---|---|
    | `row` | int64 (n,) | row of the store |
    | `audio` | float32 (n, 4, 44100) | full scale is 1 |
    | `spectrogram` | float32 (n, 4, 64, 64) | ln, clipped to [-5, 5] |
    | `before`, `after` | float32 (n, 3, 128, 128) | RGB in [0, 1]; or smaller, by `picture` |
    | `clip` | float32 (n, 24, 3, 128, 128) | RGB in [0, 1] |
    | `action` | float32 (n, 2) | [-1, 1] |
    | `rotation` | float32 (n, 2) | rad |
    | `location_before`, `location_after` | float32 (n, 2) | walls at ±1; 0 where not seen |
    | `location_before_seen`, `location_after_seen` | bool (n,) | whether it was seen |
    | `tray` | float32 (n, 400, 2) | rad; NaN: not measured |
    | `object` | int64 (n,) | index of the store's objects |
    | others | as in the store | |

    Args:
        store: to read from.
        rows: of the store that the dataset has, in its order.
        names: arrays to read.
        require: arrays without NaN in every row; rows that lack one are left out.
        control: `shuffled`: what was sensed comes from another row of the dataset, so that
            nothing can be learned but the averages; `noise`: sound is white noise of the store's
            loudness that depends on the row alone. Both for showing what a result is worth.
        seed: of the control.
        picture: side to which pictures are shrunk, a divisor of the store's [px]; None: theirs.

    Raises:
        ConfigError: it is no divisor.
        StoreError: the store has no such array or row.
    """

    def __init__(
        self,
        store: Store,
        rows: Rows,
        names: Sequence[str],
        *,
        require: Sequence[str] = (),
        control: Control = "none",
        seed: int = 0,
        picture: int | None = None,
    ) -> None:
        self.store = store
        self.names = tuple(names)
        self.rows = _complete(store, np.asarray(rows, np.int64), require)
        for name in self.names:
            store.array(name)
        if len(self.rows) and not 0 <= self.rows.min() <= self.rows.max() < len(store):
            raise StoreError(
                f"{store.path}: expected rows below {len(store)}, got {self.rows.min()} to "
                f"{self.rows.max()}"
            )
        self._seed = seed
        self._control = control
        self._picture = picture or store.settings.picture_size
        shrink(np.zeros((store.settings.picture_size,) * 2 + (3,), np.uint8), self._picture)
        order = np.random.default_rng(seed).permutation(len(self.rows))
        self._sensed = self.rows[order] if control == "shuffled" else self.rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(
        self, index: int | Sequence[int] | npt.NDArray[np.integer]
    ) -> dict[str, Tensor]:
        """Return one sample (without the first dimension), or a batch."""
        if isinstance(index, int | np.integer):
            return {name: value[0] for name, value in self.__getitems__([int(index)]).items()}
        return self.__getitems__(index)

    def __getitems__(self, indices: Sequence[int] | npt.NDArray[np.integer]) -> dict[str, Tensor]:
        """Return a whole batch; what a `DataLoader` calls."""
        places = np.asarray(indices, np.int64)
        rows, sensed = self.rows[places], self._sensed[places]
        batch = {"row": torch.from_numpy(rows)}
        if self._control == "shuffled":
            batch["sensed_row"] = torch.from_numpy(sensed)
        for name in self.names:
            batch.update(self._read(name, sensed if name in SENSED else rows))
        return batch

    def _read(self, name: str, rows: Rows) -> dict[str, Tensor]:
        if self._control == "noise" and name in ("audio", "spectrogram"):
            return {name: self._noise(name, rows)}
        array = self.store.array(name).take(rows)
        if name in _PICTURES:
            return {name: torch.from_numpy(shrink(array, self._picture))}
        values = torch.from_numpy(array)
        if name in LOCATIONS:
            seen = torch.isfinite(values).all(1)
            return {name: torch.where(seen[:, None], values, 0.0), f"{name}_seen": seen}
        if name == "audio":
            values = values.to(torch.float32).div_(32768.0)
        elif name == "spectrogram":
            values = values.to(torch.float32)
        elif name in ("object", "contact_channel"):
            values = values.long()
        return {name: values}

    def _noise(self, name: str, rows: Rows) -> Tensor:
        spec = self.store.array(name).spec
        drawn = np.stack(
            [
                np.random.default_rng((self._seed, int(row))).standard_normal(spec.row, np.float32)
                for row in rows
            ]
        )
        if name == "audio":
            return torch.from_numpy(drawn).mul_(0.01).clamp_(-1.0, 1.0)
        front_end = self.store.settings.front_end
        return torch.from_numpy(drawn).clamp_(front_end.floor, front_end.ceiling)


def whole_batch(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a batch as it is: the `collate_fn` of a `DataLoader` over a `StoreDataset`."""
    return batch


def _complete(store: Store, rows: Rows, require: Sequence[str]) -> Rows:
    for name in require:
        values = store.array(name).take(rows).reshape(len(rows), -1)
        rows = rows[np.isfinite(values).all(axis=1)]
    return rows
