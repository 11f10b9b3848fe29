"""The loss is the paper's for every λ, and the rate of learning follows its schedule."""

import pytest
import torch
from torch.nn import functional

from policy_ros.models.settings import Shapes
from policy_ros.models.zoo import build_model
from policy_ros.training.learner import rate
from policy_ros.training.objectives import objective
from policy_ros.training.recipe import ScheduleSettings
from tests.training.small import recipe

SHAPES = Shapes(spectrogram=(4, 16, 16), picture=(3, 16, 16), classes=3)


def batch_of(rows=5):
    torch.manual_seed(0)
    return {
        "spectrogram": torch.randn(rows, 4, 16, 16),
        "before": torch.rand(rows, 3, 16, 16),
        "object": torch.arange(rows) % 3,
        "action": torch.rand(rows, 2) * 2 - 1,
    }


@pytest.mark.parametrize("weight", [0.0, 0.05, 0.2, 0.5, 1.0])
def test_both_losses_are_weighed_by_lambda(weight):
    chosen = recipe("tiltbot", f"inverse_weight={weight}")
    model = build_model("multitask", chosen.network, SHAPES, seed=0)
    batch = batch_of()
    answers = model.learn(batch)
    loss, parts = objective(answers, batch, chosen)
    classification = functional.cross_entropy(answers["logits"], batch["object"])
    inverse = (answers["action"] - batch["action"]).square().mean()
    torch.testing.assert_close(loss, (1 - weight) * classification + weight * inverse)
    torch.testing.assert_close(parts["mse"], inverse.detach())
    loss.backward()
    # A head that weighs nothing is not moved.
    assert bool(model.classes.weight.grad.any()) == (weight < 1)
    assert bool(model.head[0].weight.grad.any()) == (weight > 0)
    assert model.audio.encoder.layers[0][0].weight.grad.any()


def test_errors_of_a_location_are_told_by_component_and_by_distance():
    answers = {"location_after": torch.tensor([[0.3, 0.4], [0.0, 0.0]])}
    loss, parts = objective(answers, {"location_after": torch.zeros(2, 2)}, recipe())
    assert float(loss) == pytest.approx(0.25 / 4)
    assert float(parts["l1"]) == pytest.approx(0.7 / 4)
    assert float(parts["l2"]) == pytest.approx(0.25)


def test_the_rate_rises_then_falls_to_nothing():
    factor = rate(ScheduleSettings(warmup_epochs=2, epochs=10), steps=5)
    rates = [factor(step) for step in range(50)]
    assert rates[:11] == sorted(rates[:11])
    assert 0 < rates[0] < 0.1
    assert max(rates) == factor(10) == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert factor(30) == pytest.approx(0.5)
    assert factor(50) == pytest.approx(0.0, abs=1e-9)
