"""What happens beside the steps of a training."""

# ruff: noqa: ARG002 - the arguments of Lightning's hooks

import time
from collections.abc import Callable, Mapping
from typing import Any

import lightning
import torch

from policy_ros.training.learner import SCORE, Learner
from policy_ros.training.run_folder import Epoch, Metrics


class KeepCheckpoint(lightning.Callback):
    """Writes the checkpoint when the validation score is the best so far, or after every epoch.

    It is written at once: a training that is killed leaves its best or newest model.

    Args:
        save: writes the checkpoint.
        every: after every epoch.
        clock: monotonic time [s].
    """

    def __init__(
        self,
        save: Callable[[], None],
        *,
        every: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._save = save
        self._every = every
        self._clock = clock
        self._began = 0.0
        self._before = 0.0
        self._best = float("inf")
        self._epochs: list[Epoch] = []
        self._best_epoch = -1
        self._stepping = 0.0
        self._waiting = 0.0
        self._samples = 0
        self._mark = 0.0

    def on_fit_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Start the clock."""
        self._began = self._clock()

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Begin to wait for data."""
        self._mark = self._clock()

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        """Count how long the batch was waited for."""
        now = self._clock()
        self._waiting += now - self._mark
        self._stepping += now - self._mark
        self._mark = now

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Mapping[str, torch.Tensor],
        batch_idx: int,
    ) -> None:
        """Count the step and its samples."""
        now = self._clock()
        self._stepping += now - self._mark
        self._mark = now
        self._samples += len(next(iter(batch.values()))) * trainer.world_size

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Note the epoch's measures; keep the model if it is to be kept.

        Validation has run before: this is Lightning's last hook of an epoch.
        """
        measures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        seconds = self._before + self._clock() - self._began
        epoch = Epoch(number=trainer.current_epoch, seconds=seconds, measures=measures)
        self._epochs = [*self._epochs[: trainer.current_epoch], epoch]
        if self._every or measures[SCORE] < self._best:
            self._best, self._best_epoch = measures[SCORE], trainer.current_epoch
            if trainer.is_global_zero:
                assert isinstance(pl_module, Learner)  # noqa: S101 - for the type
                self._save()

    def metrics(self) -> Metrics:
        """Return what was measured so far."""
        best = self._epochs[self._best_epoch]
        return Metrics(
            best_epoch=self._best_epoch,
            best=best.measures,
            seconds=self._epochs[-1].seconds,
            seconds_to_best=best.seconds,
            samples_per_s=self._samples / self._stepping if self._stepping else 0.0,
            waiting=self._waiting / self._stepping if self._stepping else 0.0,
            epochs=tuple(self._epochs),
        )

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs, as plain numbers and texts."""
        return {
            "best": self._best,
            "best_epoch": self._best_epoch,
            "epochs": [epoch.model_dump() for epoch in self._epochs],
            "stepping": self._stepping,
            "waiting": self._waiting,
            "samples": self._samples,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state."""
        self._best = state_dict["best"]
        self._best_epoch = state_dict["best_epoch"]
        self._epochs = [Epoch.model_validate(epoch) for epoch in state_dict["epochs"]]
        self._before = self._epochs[-1].seconds if self._epochs else 0.0
        self._stepping = state_dict["stepping"]
        self._waiting = state_dict["waiting"]
        self._samples = state_dict["samples"]
