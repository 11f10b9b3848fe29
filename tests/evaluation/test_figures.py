"""The report's figures show what they are given, where it belongs."""

import matplotlib.colors
import numpy as np
import pytest

from policy_ros.evaluation.few_shot import SHOTS
from policy_ros.evaluation.figures.curves import few_shot_figure
from policy_ros.evaluation.figures.maps import confusion_figure, tsne_figure
from policy_ros.evaluation.figures.scenes import (
    ActionScene,
    LocationScene,
    Scale,
    actions_figure,
    locations_figure,
    retrieval_figure,
)
from policy_ros.evaluation.measures import spread
from tests.training.synthetic import DIRECTIONS
from tiltbot_ros.pictures import style

SCALE = Scale(centre=np.array([32.0, 30.0]), pixels=20.0)
PICTURE = np.full((64, 64, 3), 90, np.uint8)


def vector(x, y):
    return np.array([x, y], np.float32)


def arrows(axes):
    """Return from where to where the arrows of some axes go, in pixels, by colour."""
    return {
        matplotlib.colors.to_hex(text.arrow_patch.get_edgecolor()): (
            np.array(text.xyann),
            np.array(text.xy),
        )
        for text in axes.texts
    }


@pytest.mark.parametrize("motion", DIRECTIONS)
def test_arrows_of_actions_point_where_the_object_slides(motion):
    # A tilt about y lets things slide along x: motion is (ay, -ax).
    true = vector(-motion[1], motion[0])
    scene = ActionScene(
        title="mug",
        before=PICTURE,
        after=PICTURE,
        true=true,
        predicted=true / 2,
        location=vector(0.1, -0.2),
    )
    found = arrows(actions_figure([scene], SCALE).axes[0])
    start, tip = found[matplotlib.colors.to_hex(style.CONTACT)]
    np.testing.assert_allclose(start, (32 + 20 * 0.1, 30 + 20 * 0.2), atol=1e-4)
    # To the right is +x; up, where rows get less, is +y.
    np.testing.assert_allclose(tip - start, 20 * 0.6 * motion * (1, -1), atol=1e-4)
    begun, read = found[matplotlib.colors.to_hex("black")]
    np.testing.assert_allclose(read - begun, (tip - start) / 2, atol=1e-4)


def test_locations_are_marked_where_they_are():
    scene = LocationScene(
        title="mug",
        before=PICTURE,
        after=PICTURE,
        action=vector(0.0, 1.0),
        start=vector(-0.5, 0.0),
        end=vector(0.5, 0.5),
        predicted=vector(0.4, 0.5),
    )
    before, after = locations_figure([scene], SCALE).axes[:2]
    ((start_x, start_y),) = before.lines[0].get_xydata()
    assert (start_x, start_y) == pytest.approx((22.0, 30.0))
    end, predicted = (line.get_xydata()[0] for line in after.lines)
    np.testing.assert_allclose(end, (42, 20), atol=1e-4)
    np.testing.assert_allclose(predicted, (40, 20), atol=1e-4)


def test_the_few_shot_figure_has_every_embedding_the_paper_and_chance():
    curves = {
        name: [spread([0.1 + k / 100, 0.2 + k / 100]) for k in SHOTS]
        for name in ("audio", "random network", "image features")
    }
    axes = few_shot_figure(SHOTS, curves, paper={1: 0.25, 20: 0.4}, chance=1 / 30).axes[0]
    lines = {line.get_label(): line.get_xydata() for line in axes.lines}
    assert set(lines) == {*curves, "chance"}
    assert (SHOTS[0], SHOTS[-1]) == (1, 20)
    np.testing.assert_allclose(lines["audio"][:, 0], SHOTS)
    np.testing.assert_allclose(lines["audio"][:, 1], [100 * p.mean for p in curves["audio"]])
    np.testing.assert_allclose(lines["chance"][:, 1], 100 / 30)


def test_the_confusion_matrix_and_the_galleries_show_what_they_are_given():
    matrix = np.array([[0.75, 0.25], [0.0, 1.0]])
    axes = confusion_figure(matrix, ["mug", "spoon"]).axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), matrix)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["mug", "spoon"]
    query, found = PICTURE, PICTURE + 50
    grid = retrieval_figure([[(query, "mug"), (found, "cup")]]).axes
    assert [one.get_title() for one in grid] == ["mug", "cup"]
    np.testing.assert_array_equal(grid[1].images[0].get_array(), found)
    assert [one.spines["left"].get_visible() for one in grid] == [True, False]


def test_alike_embeddings_lie_together_in_the_map():
    rng = np.random.default_rng(0)
    objects = np.repeat(np.arange(3), 20)
    embeddings = (10 * np.eye(3)[objects] + rng.normal(0, 0.1, (60, 3))).astype(np.float32)
    axes = tsne_figure([("objects", embeddings, objects)], ["mug", "cup", "jar"]).axes[0]
    clouds = [np.asarray(cloud.get_offsets()) for cloud in axes.collections]
    assert [len(cloud) for cloud in clouds] == [20, 20, 20]
    middles = [cloud.mean(0) for cloud in clouds]
    spreads = [np.linalg.norm(c - m, axis=1).mean() for c, m in zip(clouds, middles, strict=True)]
    apart = min(np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert max(spreads) < apart / 2
    assert {text.get_text() for text in axes.texts} == {"mug", "cup", "jar"}
