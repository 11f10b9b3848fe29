"""One training, from its folder to its best checkpoint."""

import logging
import pickle
import shlex
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger

from policy_ros.models.contract import Origin
from policy_ros.training.callbacks import KeepCheckpoint
from policy_ros.training.learner import SCORE, Learner
from policy_ros.training.processes import processes, processes_here
from policy_ros.training.provenance import machine
from policy_ros.training.recipe import Recipe
from policy_ros.training.run_folder import Metrics, RunFolder, RunManifest, read_metrics
from tiltbot_ros.errors import ConfigError

PRECISIONS: Mapping[str, Literal["32-true", "bf16-mixed"]] = {
    "float32": "32-true",
    "bfloat16": "bf16-mixed",
}
"""Lightning's names."""


def started(recipe: Recipe, origin: Origin, data: Path) -> RunManifest:
    """Return the manifest of a training that starts now."""
    return RunManifest(
        command=shlex.join(sys.argv),
        recipe=recipe,
        origin=origin,
        store=str(data),
        machine=machine(),
        started=now(),
    )


def fit(
    folder: RunFolder,
    learner: Learner,
    data: lightning.LightningDataModule,
    *,
    save: Callable[[], None],
    threads: int = 1,
    progress: bool = False,
    callbacks: Iterable[lightning.Callback] = (),
) -> Metrics:
    """Train until the recipe's schedule ends it; go on from where the folder is.

    Under torchrun every process calls this; the gradients are averaged over
    gloo (nccl on GPUs), and the first process writes.

    Args:
        folder: of the training, held by this process (of several, by the first).
        learner: what to train.
        data: batches for training and validation.
        save: writes the learner's model as the checkpoint.
        threads: of PyTorch on the processor.
        progress: show a bar.
        callbacks: more of them.

    Returns:
        What was measured.

    Raises:
        ConfigError: the batch cannot be shared out evenly, or what to go on from is no such state.
    """
    if folder.finished:
        return read_metrics(folder.path)
    count, rank = processes()
    if learner.recipe.schedule.batch % count:
        raise ConfigError(
            f"expected schedule.batch to be a multiple of the {count} processes, got "
            f"{learner.recipe.schedule.batch}"
        )
    torch.set_num_threads(threads)
    # Deterministic algorithms would otherwise also fill all new memory: time for nothing.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    schedule = learner.recipe.schedule
    last = schedule.keep == "last"
    keep = KeepCheckpoint(save, every=last)
    with warnings.catch_warnings():
        _quiet()
        trainer = lightning.Trainer(
            accelerator="auto",
            devices=processes_here(),
            num_nodes=max(1, count // processes_here()),
            strategy="ddp" if count > 1 else "auto",
            max_epochs=schedule.epochs,
            gradient_clip_val=schedule.clip,
            deterministic=True,
            precision=PRECISIONS[schedule.precision],
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            enable_progress_bar=progress and rank == 0,
            enable_model_summary=False,
            log_every_n_steps=10,
            logger=TensorBoardLogger(folder.path, name="", version="tensorboard"),
            callbacks=[
                keep,
                *([] if last else [EarlyStopping(SCORE, patience=schedule.patience)]),
                ModelCheckpoint(
                    folder.resume.parent,
                    filename=folder.resume.stem,
                    monitor=None,
                    enable_version_counter=False,
                    save_on_train_epoch_end=True,
                ),
                *([RichProgressBar(leave=False)] if progress and rank == 0 else []),
                *callbacks,
            ],
        )
        # Reading it here first, and as data alone, keeps a file that is no such
        # state from failing somewhere in Lightning.
        state = folder.resume if _is_state(folder.resume) else None
        _run(trainer, learner, data, state)
    metrics = keep.metrics()
    if rank == 0:
        folder.finish(metrics, now())
    return metrics


def _run(
    trainer: lightning.Trainer,
    learner: Learner,
    data: lightning.LightningDataModule,
    state: Path | None,
) -> None:
    """Train; Ctrl-C stays a KeyboardInterrupt, which Lightning would turn into an exit."""
    before = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(learner, datamodule=data, ckpt_path=state, weights_only=True)
    except SystemExit as end:
        if not trainer.interrupted:
            raise
        signal.signal(signal.SIGINT, before)
        raise KeyboardInterrupt from end


def _is_state(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        torch.load(path, map_location="meta", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"cannot go on from {path}: {reason}; delete it to begin again"
        ) from error
    return True


def now() -> str:
    """Return the time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _quiet() -> None:
    # Advice about workers and devices, which are chosen here on purpose.
    warnings.filterwarnings(
        "ignore", category=lightning.fabric.utilities.warnings.PossibleUserWarning
    )
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*exists and is not empty.*")  # to go on from
    warnings.filterwarnings("ignore", message=".*have overridden `transfer_batch_to_device`.*")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
