"""What a training makes small, and what it reports beside it."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional

from policy_ros.training.recipe import Recipe


def objective(
    answers: Mapping[str, Tensor], batch: Mapping[str, Tensor], recipe: Recipe
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss of a batch and its parts.

    - classification: cross entropy of `logits` against `object`, an index
      among the model's classes.
    - inverse: mean squared error of `action`, both components alike
      (normalized, as in table I).
    - forward: mean squared error of a location.

    With classification and inverse loss both, the loss is (1 - λ) ·
    classification + λ · inverse (Tilt-Bot, IV-D).

    Args:
        answers: of the model, by name.
        batch: inputs and targets, by name.
        recipe: λ and the smoothing of labels.

    Returns:
        The loss, and by name the parts and the measures: `accuracy`, `mse`
        (of the action), `l1` and `l2` (of the location: mean of the absolute
        components, and of the distance).
    """
    parts: dict[str, Tensor] = {}
    losses: dict[str, Tensor] = {}
    if "logits" in answers:
        logits, target = answers["logits"], batch["object"]
        losses["classification"] = functional.cross_entropy(
            logits, target, label_smoothing=recipe.smoothing
        )
        parts["accuracy"] = (logits.argmax(1) == target).float().mean()
    if "action" in answers:
        losses["inverse"] = functional.mse_loss(answers["action"], batch["action"])
        parts["mse"] = losses["inverse"].detach()
    for name in ("location_after", "location_end"):
        if name in answers:
            error = answers[name] - batch[name]
            losses["forward"] = error.square().mean()
            parts["l1"] = error.detach().abs().mean()
            parts["l2"] = error.detach().norm(dim=1).mean()
    if set(losses) == {"classification", "inverse"}:
        weight = recipe.inverse_weight
        loss = (1 - weight) * losses["classification"] + weight * losses["inverse"]
    else:
        (loss,) = losses.values()
    parts.update({f"{name}_loss": value.detach() for name, value in losses.items()})
    return loss, parts
