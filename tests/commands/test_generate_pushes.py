from functools import partial

import pytest

from tiltbot_ros import cli
from tiltbot_ros.generating import push_plan
from tiltbot_ros.generating.push_set import PushSet


@pytest.fixture
def few_objects(monkeypatch):
    """Let the plan have two objects and a small camera: the rest is the verb's own."""
    camera = push_plan.CAMERA.model_copy(update={"width": 128, "height": 128})
    short = partial(push_plan.make_push_plan, objects_per_set=1, camera=camera)
    monkeypatch.setattr(push_plan, "make_push_plan", short)


def test_it_makes_a_data_set_and_says_so(few_objects, tiltbot, tmp_path):
    out = tmp_path / "pushes"
    given = ("generate-pushes", "--out", out, "--pushes", 2, "--workers", 1, "--pixels", 16)
    status, said, _ = tiltbot(*given)
    assert status == 0
    assert f"2 pushes of 2 objects in {out}; moved by" in said
    assert PushSet.open(out).before.shape == (2, 16, 16, 3)
    status, said, _ = tiltbot(*given)
    assert status == 0
    assert "0 made in" in said
    status, _, err = tiltbot(*given, "--seed", 1)
    assert status == cli.FAILED
    assert "seed 0, now 1" in err


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        (("--pushes", 0), cli.WRONG_USE, "above 0"),
        (("--pixels", 8), cli.WRONG_USE, "16 .. 320"),
        (("--pushes", 19), cli.FAILED, "at least one push"),
    ],
)
def test_options_that_make_no_sense_are_refused(tiltbot, tmp_path, more, status, words):
    got, _, err = tiltbot("generate-pushes", "--out", tmp_path / "no", *more)
    assert got == status
    assert words in err
    assert not (tmp_path / "no").exists()
