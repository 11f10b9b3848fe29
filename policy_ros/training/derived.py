"""Spectrograms by another front end than the store's, made once and kept beside its shards."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from policy_ros.data.store import Store
from policy_ros.signals.front_end import FrontEnd
from policy_ros.signals.settings import FrontEndSettings
from tiltbot_ros.errors import ConfigError, StoreError

FOLDER = "derived"
_ROWS = 256


class DerivedArray:
    """An array that follows from the store's: (rows, ...) float16, memory-mapped.

    Args:
        values: it.
    """

    def __init__(self, values: npt.NDArray[np.float16]) -> None:
        self._values = values

    @classmethod
    def spectrograms(cls, store: Store, settings: FrontEndSettings) -> "DerivedArray":
        """Return the spectrograms of all rows by another front end.

        They are made from the store's sound, which takes some ms a row, and
        kept in `<store>/derived`; the file's name tells the settings and the
        store's hash.

        Raises:
            ConfigError: the front end wants another rate than the store's sound has.
            StoreError: they cannot be written.
        """
        kept = store.settings.front_end.sample_rate_hz
        if settings.sample_rate_hz != kept:
            raise ConfigError(
                f"expected front_end.sample_rate_hz={kept}, at which the store keeps its sound, "
                f"got {settings.sample_rate_hz}; convert the bags again for another rate"
            )
        path = store.path / FOLDER / f"spectrogram_{settings.digest()}_{store.hash}.npy"
        shape = (len(store), store.settings.channels, settings.frequencies, settings.times)
        if not path.is_file():
            _make(path, store, settings, shape)
        values = np.load(path, mmap_mode="r", allow_pickle=False)
        if values.shape != shape or values.dtype != np.float16:
            raise StoreError(
                f"{path}: expected float16 {shape}, got {values.dtype} {values.shape}: delete it"
            )
        return cls(np.asarray(values))

    def take(self, rows: Tensor) -> Tensor:
        """Return rows (n,) as float32 (n, ...)."""
        return torch.from_numpy(self._values[rows.numpy()].astype(np.float32))


def _make(
    path: Path, store: Store, settings: FrontEndSettings, shape: tuple[int, int, int, int]
) -> None:
    front_end = FrontEnd(settings)
    sound = store.array("audio")
    # Its own name: two trainings may make it at the same time.
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(exist_ok=True)
        values = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
        for start in range(0, len(store), _ROWS):
            for row in range(start, min(start + _ROWS, len(store))):
                values[row] = front_end.spectrogram(sound[row])
        values.flush()
        partial.rename(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
