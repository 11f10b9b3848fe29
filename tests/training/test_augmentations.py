"""Augmentations keep what is true: turned together, drawn by row and epoch."""

import numpy as np
import pytest
import torch

from policy_ros.training.augmentations import AUGMENTATIONS
from policy_ros.training.draws import Draws
from tests.training.synthetic import DIRECTIONS

ROWS = np.arange(64)


def a_batch(rows=64, side=16):
    """Return interactions in which everything follows from action and location."""
    torch.manual_seed(0)
    action = torch.rand(rows, 2) * 2 - 1
    before = (torch.rand(rows, 2) * 2 - 1) * 0.7
    motion = torch.stack((action[:, 1], -action[:, 0]), 1)
    after = (before + 0.2 * motion).clamp(-0.9, 0.9)
    heard = motion @ torch.from_numpy(DIRECTIONS).float().T
    return {
        "spectrogram": heard[:, :, None, None].expand(rows, 4, 6, 5).clone(),
        "before": picture_of(before, side),
        "after": picture_of(after, side),
        "action": action,
        "location_before": before,
        "location_after": after,
        "object": torch.arange(rows),
    }


def picture_of(location, side):
    x = (torch.arange(side) + 0.5) / side * 2 - 1
    distance = (x[None, None, :] - location[:, 0, None, None]) ** 2
    distance = distance + (-x[None, :, None] - location[:, 1, None, None]) ** 2
    return torch.exp(-distance / 0.05)[:, None].repeat(1, 3, 1, 1)


def test_a_turned_tray_still_obeys_its_own_physics():
    batch = a_batch()
    turned = AUGMENTATIONS.get("symmetry")(batch, Draws(ROWS, seed=0, epoch=0))
    action, before = turned["action"], turned["location_before"]
    motion = torch.stack((action[:, 1], -action[:, 0]), 1)
    torch.testing.assert_close(turned["location_after"], (before + 0.2 * motion).clamp(-0.9, 0.9))
    heard = motion @ torch.from_numpy(DIRECTIONS).float().T
    torch.testing.assert_close(turned["spectrogram"][:, :, 0, 0], heard)
    torch.testing.assert_close(turned["before"], picture_of(before, 16))
    torch.testing.assert_close(turned["after"], picture_of(turned["location_after"], 16))
    assert torch.equal(turned["object"], batch["object"])
    moved = (turned["action"] != batch["action"]).any(1).float().mean()
    assert 0.7 < moved < 1.0  # all but one of the eight move it
    assert len(torch.unique((turned["action"].sign() * batch["action"].sign()), dim=0)) == 4


def test_symmetry_needs_four_microphones():
    batch = {**a_batch(), "spectrogram": torch.zeros(64, 2, 6, 5)}
    with pytest.raises(ValueError, match="four microphones"):
        AUGMENTATIONS.get("symmetry")(batch, Draws(ROWS, seed=0, epoch=0))


@pytest.mark.parametrize("name", AUGMENTATIONS.names)
def test_a_sample_meets_the_same_in_whatever_batch_it_is(name):
    batch = a_batch()
    whole = AUGMENTATIONS.get(name)(batch, Draws(ROWS, seed=3, epoch=5))
    chosen = torch.tensor([40, 7, 21])
    part = AUGMENTATIONS.get(name)(
        {key: value[chosen] for key, value in batch.items()},
        Draws(chosen.numpy(), seed=3, epoch=5),
    )
    for key, value in part.items():
        assert torch.equal(value, whole[key][chosen]), key


@pytest.mark.parametrize("name", AUGMENTATIONS.names)
def test_every_epoch_brings_something_else_of_the_same_shape(name):
    batch = a_batch()
    batch["spectrogram"] = torch.randn(64, 4, 32, 32)
    kept = {key: value.clone() for key, value in batch.items()}
    one = AUGMENTATIONS.get(name)(batch, Draws(ROWS, seed=0, epoch=0))
    other = AUGMENTATIONS.get(name)(batch, Draws(ROWS, seed=0, epoch=1))
    assert {key: value.shape for key, value in one.items()} == {
        key: value.shape for key, value in batch.items()
    }
    assert any(not torch.equal(one[key], other[key]) for key in one)
    assert all(torch.equal(batch[key], value) for key, value in kept.items())


def test_draws_are_uniform_and_differ_between_purposes():
    draws = Draws(np.arange(20_000), seed=0, epoch=0)
    values = draws.uniform("a", 2)
    assert 0 <= values.min() < values.max() < 1
    torch.testing.assert_close(values.mean(0), torch.full((2,), 0.5), atol=0.01, rtol=0)
    torch.testing.assert_close(values.var(0), torch.full((2,), 1 / 12), atol=0.002, rtol=0)
    assert abs(float(torch.corrcoef(values.T)[0, 1])) < 0.02
    assert not torch.equal(values, draws.uniform("b", 2))
    counts = torch.bincount(draws.integers("c", 8))
    assert len(counts) == 8
    assert counts.min() > 2300
