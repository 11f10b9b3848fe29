"""A model in training, as Lightning wants it."""

import math
from collections.abc import Callable
from typing import TypeAlias

import lightning
import torch
from torch import Tensor

from policy_ros.models.model import TiltModel
from policy_ros.training.objectives import objective
from policy_ros.training.recipe import Recipe, ScheduleSettings

Batch: TypeAlias = dict[str, Tensor]
Prepare: TypeAlias = Callable[[Batch, int | None], Batch]
"""Turns a batch of the store into one of the model: (batch, epoch); no epoch, no augmentation."""

SCORE = "validation/loss"
"""What is watched: the best checkpoint has the least."""


class Learner(lightning.LightningModule):
    """Model, objective, optimizer and schedule.

    Args:
        model: to be trained.
        recipe: how.
        prepare: what is done to every batch first.
        seed: of everything random within a step.
        steps: optimizer steps of one epoch.
    """

    def __init__(
        self, model: TiltModel, recipe: Recipe, prepare: Prepare, *, seed: int, steps: int
    ) -> None:
        super().__init__()
        self.model = model
        self.recipe = recipe
        self._prepare = prepare
        self._seed = seed
        self._steps = steps

    def on_train_epoch_start(self) -> None:
        """Seed what a step draws (dropout), so that a resumed training goes on the same."""
        torch.manual_seed(hash((self._seed, self.current_epoch, self.global_rank)) % 2**63)

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Leave a batch where the store is: it is prepared on the processor, then moved."""
        del device, dataloader_idx
        return batch

    def training_step(self, batch: Batch, _number: int) -> Tensor:
        """Return the loss of a batch."""
        prepared = self._prepared(batch, self.current_epoch)
        loss, parts = objective(self._answer(prepared), prepared, self.recipe)
        self._tell("train", loss, parts, len(next(iter(batch.values()))))
        return loss

    def validation_step(self, batch: Batch, _number: int) -> None:
        """Add a batch to the epoch's measures."""
        if not len(batch["row"]):  # a last batch smaller than the number of processes
            return
        prepared = self._prepared(batch, None)
        loss, parts = objective(self._answer(prepared), prepared, self.recipe)
        self._tell("validation", loss, parts, len(next(iter(batch.values()))))

    def _prepared(self, batch: Batch, epoch: int | None) -> Batch:
        """Return the model's batch, where the model is."""
        prepared = self._prepare(batch, epoch)
        return {name: value.to(self.device) for name, value in prepared.items()}

    def _answer(self, prepared: Batch) -> Batch:
        """Return what the model says, for the objective in full precision."""
        return {name: value.float() for name, value in self.model.learn(prepared).items()}

    def _tell(self, part: str, loss: Tensor, measures: dict[str, Tensor], count: int) -> None:
        values = {f"{part}/{name}": value for name, value in measures.items()}
        values[f"{part}/loss"] = loss.detach()
        self.log_dict(
            values,
            on_step=False,
            on_epoch=True,
            batch_size=count,
            sync_dist=part == "validation",
        )

    def configure_optimizers(self) -> lightning.pytorch.utilities.types.OptimizerLRScheduler:
        """Return AdamW, and a rate that rises, then falls as a cosine."""
        settings = self.recipe.schedule
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            [
                {
                    "params": [p for p in parameters if p.dim() > 1],
                    "weight_decay": settings.weight_decay,
                },
                # Biases and the gains of normalizations are not pulled to zero.
                {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate(settings, self._steps))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def rate(settings: ScheduleSettings, steps: int) -> Callable[[int], float]:
    """Return the learning rate by step, as a part of its highest."""
    warmup = settings.warmup_epochs * steps
    total = settings.epochs * steps

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        done = (step - warmup) / max(1.0, total - warmup)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    return factor
