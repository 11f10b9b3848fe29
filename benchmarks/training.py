"""What training the multi-task model costs, beside a plain PyTorch loop over the same arrays.

A store of noise in the shapes of the real one. Epochs of Lightning and of the
plain loop take turns; figures are of processor time, so that a busy machine
does not matter, each the median over the epochs but the first. The plain loop
gathers from the same memory maps, with the same model, batch and optimizer,
and does nothing else.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch

from benchmarks.report import options, tell
from policy_ros.data.dataset import StoreDataset
from policy_ros.data.module import StoreModule
from policy_ros.data.sample import Provenance, Sample
from policy_ros.data.splits import Split, SplitSettings, make_splits
from policy_ros.data.store import Store
from policy_ros.data.store_settings import StoreSettings
from policy_ros.data.writer import StoreWriter
from policy_ros.models.contract import Origin
from policy_ros.models.zoo import build_model
from policy_ros.training.fitting import fit, started
from policy_ros.training.learner import Learner
from policy_ros.training.objectives import objective
from policy_ros.training.preparation import Preparation
from policy_ros.training.recipe import Recipe, load_recipe
from policy_ros.training.run_folder import RunFolder

OBJECTS = 30
SETTINGS = StoreSettings(seconds=0.1)
"""Sound itself is not read: a tenth of a second keeps the store small."""


@dataclass
class Meter(lightning.Callback):
    """Processor and wall time of the training steps of each epoch, and of waiting for data."""

    epochs: list[tuple[float, float, float]] = field(default_factory=list)
    _cpu: float = 0.0
    _wall: float = 0.0
    _mark: float = 0.0
    _waited: float = 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        """Start the clocks."""
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        self._mark, self._waited = self._cpu, 0.0
        self.epochs.append((0.0, 0.0, 0.0))

    def on_train_batch_start(self, *_: Any) -> None:
        """Count what the batch cost before its step."""
        self._waited += time.process_time() - self._mark

    def on_train_batch_end(self, *_: Any) -> None:
        """Keep the time until now; the last step of an epoch stays."""
        self._mark = time.process_time()
        elapsed = (self._mark - self._cpu, time.perf_counter() - self._wall, self._waited)
        self.epochs[-1] = elapsed


def write_noise(path: Path, rows: int) -> Store:
    """Write a store of noise."""
    rng = np.random.default_rng(0)
    pool = [_sample(rng, index) for index in range(OBJECTS)]
    sets = {sample.object: "A" for sample in pool}
    with StoreWriter(path, SETTINGS, objects=sets) as writer:
        for row in range(rows):
            writer.add(pool[row % OBJECTS])
    return Store.open(path)


def _sample(rng: np.random.Generator, index: int) -> Sample:
    side, front_end = SETTINGS.picture_size, SETTINGS.front_end
    sound = rng.normal(0, 2, (SETTINGS.channels, front_end.frequencies, front_end.times))
    return Sample(
        audio=np.zeros((SETTINGS.channels, SETTINGS.audio_frames), np.int16),
        spectrogram=np.clip(sound, -5, 5).astype(np.float16),
        before=rng.integers(0, 256, (side, side, 3), np.uint8),
        after=rng.integers(0, 256, (side, side, 3), np.uint8),
        action=rng.uniform(-0.7, 0.7, 2).astype(np.float32),
        rotation=np.zeros(2, np.float32),
        location_before=np.zeros(2, np.float32),
        location_after=np.zeros(2, np.float32),
        tray=np.zeros((SETTINGS.tray_steps, 2), np.float32),
        object=f"object_{index}",
        contact_channel=0,
        contact_level=0.5,
        contact_ns=0,
        start_ns=0,
        clean=True,
        provenance=Provenance(id=f"ep_{index:06d}", folder="/noise", origin="benchmark"),
    )


def with_lightning(store: Store, split: Split, recipe: Recipe, out: Path) -> Meter:
    """Train as `tiltbot train` does."""
    prepare, data, model = _parts(store, split, recipe)
    learner = Learner(model, recipe, prepare, seed=0, steps=data.steps)
    meter = Meter()
    with RunFolder(out, started(recipe, Origin(), store.path)) as folder:
        fit(folder, learner, data, save=lambda: None, callbacks=[meter])
    return meter


def plain(store: Store, split: Split, recipe: Recipe) -> list[tuple[float, float, float]]:
    """Train with nothing but PyTorch."""
    prepare, _, model = _parts(store, split, recipe)
    rows = split.part("train")
    dataset = StoreDataset(store, rows, prepare.arrays(), picture=recipe.picture)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.schedule.learning_rate)
    size, rng, epochs = recipe.schedule.batch, np.random.default_rng(0), []
    for _ in range(recipe.schedule.epochs):
        order = rng.permutation(len(rows))
        cpu, wall, waited = time.process_time(), time.perf_counter(), 0.0
        for start in range(0, len(rows) - size + 1, size):
            mark = time.process_time()
            batch = prepare(dataset[order[start : start + size]], None)
            waited += time.process_time() - mark
            loss, _ = objective(model.answer(batch), batch, recipe)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.schedule.clip)
            optimizer.step()
        epochs.append((time.process_time() - cpu, time.perf_counter() - wall, waited))
    return epochs


def _parts(store: Store, split: Split, recipe: Recipe) -> Any:
    classes = tuple(entry.name for entry in store.objects)
    prepare = Preparation(recipe, store, classes)
    data = StoreModule(
        store,
        split,
        prepare.arrays(),
        batch=recipe.schedule.batch,
        seed=0,
        picture=recipe.picture,
    )
    return prepare, data, build_model(recipe.model, recipe.network, prepare.shapes, seed=0)


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    arguments = options(__doc__ or "")
    torch.set_num_threads(1)
    rows, rounds = (600, 1) if arguments.quick else (2048, 3)
    recipe = load_recipe("tiltbot", ["schedule.epochs=2", "schedule.patience=100"])
    ours: list[tuple[float, float, float]] = []
    theirs: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        store = write_noise(Path(folder) / "store", rows)
        split = next(s for s in make_splits(store, SplitSettings()) if s.name == "all")
        for number in range(rounds):
            ours += with_lightning(store, split, recipe, Path(folder) / f"run{number}").epochs[1:]
            theirs += plain(store, split, recipe)[1:]
    steps = len(split.train) // recipe.schedule.batch * recipe.schedule.batch
    mine, other = np.median(ours, axis=0), np.median(theirs, axis=0)
    speed, wall = steps / mine[0], steps / mine[1]
    tell(
        f"training the multi-task model, one thread, batch {recipe.schedule.batch}",
        [
            ("samples a second of processor time", f"{speed:.0f}", ""),
            ("samples a second by the clock", f"{wall:.0f}", ""),
            ("epoch of set A (5,400 samples), processor time", f"{5400 / speed:.1f} s", ""),
            ("beside a plain PyTorch loop", f"{other[0] / mine[0]:.3f}", ">= 0.95"),
            ("waiting for data", f"{100 * mine[2] / mine[0]:.1f} %", "< 10 %"),
        ],
        figures={
            "samples_per_s_processor": speed,
            "samples_per_s_wall": wall,
            "plain_samples_per_s_processor": steps / other[0],
            "ratio": other[0] / mine[0],
            "waiting": mine[2] / mine[0],
            "rows": rows,
        },
        file=arguments.json,
    )


if __name__ == "__main__":
    main()
