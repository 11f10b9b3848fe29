"""The figures of the tables, on cases whose answer is known."""

import numpy as np
import pytest

from policy_ros.evaluation.few_shot import few_shot_accuracy
from policy_ros.evaluation.figures.scenes import fit_scale
from policy_ros.evaluation.measures import (
    accuracy,
    confusion_matrix,
    direction_error,
    mean_absolute,
    mean_distance,
    mean_squared,
    spread,
    strength_error,
    top_confusions,
)
from policy_ros.evaluation.orderings import less, more
from policy_ros.evaluation.retrieval import agreement, nearest_objects
from tiltbot_ros.errors import ModelError


def test_errors_are_those_of_the_paper():
    predicted, true = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [3.0, 4.0]])
    assert mean_squared(predicted, true) == pytest.approx((1 + 25) / 4)
    assert mean_absolute(predicted, true) == pytest.approx((1 + 7) / 4)
    assert mean_distance(predicted, true) == pytest.approx((1 + 5) / 2)
    assert accuracy(np.array([[0.0, 1.0], [2.0, 1.0]]), np.array([1, 1])) == 0.5


def test_a_spread_is_mean_and_deviation_over_seeds():
    assert spread([1.0, 2.0, 3.0]).text(1) == "2.0 ± 1.0"
    assert spread([0.5]).text() == "0.500"


def test_confusion_tells_what_is_taken_for_what():
    true, taken = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1, 1, 2, 1, 1])
    matrix = confusion_matrix(taken, true, 3)
    np.testing.assert_allclose(matrix, [[0.25, 0.5, 0.25], [0, 1, 0], [0, 0, 0]])
    worst = top_confusions(matrix, 5)
    assert [(error.true, error.taken, error.rate) for error in worst] == [(0, 1, 0.5), (0, 2, 0.25)]


def test_few_shot_accuracy_rises_with_shots_and_is_chance_for_noise():
    rng = np.random.default_rng(0)
    objects = np.repeat(np.arange(5), 30)
    near = rng.normal(0, 1, (150, 8)).astype(np.float32) + 1.2 * np.eye(5, 8)[objects]
    one, many = few_shot_accuracy(near.astype(np.float32), objects, shots=(1, 20))
    assert 0.25 < one < many
    noise = rng.normal(0, 1, (150, 8)).astype(np.float32)
    assert few_shot_accuracy(noise, objects, shots=(5,))[0] == pytest.approx(0.2, abs=0.06)
    exact = np.eye(5, dtype=np.float32)[objects]
    assert few_shot_accuracy(exact, objects, shots=(1,))[0] == 1.0
    with pytest.raises(ModelError, match="more than 30 interactions"):
        few_shot_accuracy(noise, objects, shots=(30,))


def test_retrieval_finds_other_objects_nearest_first():
    embeddings = np.array([[0.0], [0.1], [1.0], [1.1], [5.0], [9.0]], np.float32)
    objects = np.array([0, 0, 1, 1, 2, 3])
    found = nearest_objects(embeddings, objects, np.array([0]), count=3)
    assert found.tolist() == [[2, 4, 5]]
    kinds = np.array([7, 7, 8, 8])
    hit, chance = agreement(found, objects, np.array([0]), kinds)
    assert hit == pytest.approx(1 / 3)
    assert chance == pytest.approx(1 / 3)


def test_an_ordering_says_whether_it_holds_and_whether_it_is_clear():
    low, high = spread([1.0, 1.2]), spread([2.0, 2.2])
    assert less("", low, high).holds
    assert more("", high, low).holds
    assert not more("", low, high).holds
    assert less("", low, high).clear
    assert not less("", low, spread([1.1, 1.4])).clear


def test_the_scale_of_the_pictures_follows_from_the_pictures():
    rng = np.random.default_rng(0)
    side, pixels = 64, 20.0
    locations = rng.uniform(-0.8, 0.8, (60, 2)).astype(np.float32)
    y, x = np.mgrid[:side, :side]
    pictures = np.full((60, side, side, 3), 40, np.uint8)
    for picture, (u, v) in zip(pictures, locations, strict=True):
        column, row = 30 + pixels * u, 33 - pixels * v
        picture[(x - column) ** 2 + (y - row) ** 2 < 9] = 200
    locations[:3] = np.nan
    scale = fit_scale(pictures, locations)
    np.testing.assert_allclose(scale.centre, (30, 33), atol=0.5)
    assert scale.pixels == pytest.approx(pixels, rel=0.05)


def test_direction_and_strength_of_an_action_are_told_apart():
    true = np.array([[0.5, 0.0], [0.0, 0.5], [-0.5, -0.01]])
    turned = np.array([[0.0, 0.5], [-0.5, 0.0], [-0.5, 0.01]])
    assert direction_error(turned, true) == pytest.approx(90.0)
    assert strength_error(turned, true) == pytest.approx(0.0, abs=1e-12)
    assert direction_error(2 * true, true) == pytest.approx(0.0, abs=1e-6)
    assert strength_error(2 * true, true) == pytest.approx(0.5, abs=1e-3)
    across = direction_error(true[2:] * [1, -1], true[2:])
    assert across == pytest.approx(2 * np.degrees(0.01 / 0.5), rel=1e-2)
