import numpy as np
import pytest
import yaml

from tiltbot_ros.arms.limits import load_limits, robots_directory
from tiltbot_ros.errors import ConfigError

ROBOTS = sorted(file.stem for file in robots_directory().glob("*.yaml"))


def changed(tmp_path, change):
    content = yaml.safe_load((robots_directory() / "sawyer.yaml").read_text())
    change(content)
    path = tmp_path / "robot.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_the_robots_of_the_rigs_are_there():
    assert {"sawyer", "fr3", "panda", "gen3"} <= set(ROBOTS)


@pytest.mark.parametrize("robot", ROBOTS)
def test_every_number_of_a_robot_has_a_source(robot):
    limits = load_limits(robot)
    for axes in (limits.joints, limits.pose):
        assert (axes.lower < axes.upper).all()
        assert (axes.velocity > 0).all()
        assert (axes.braking <= axes.acceleration).all()
    for group in ("lower", "upper", "velocity", "acceleration"):
        for space in ("joints", "pose"):
            assert len(limits.sources[f"{space}.{group}"]) > 8


def test_a_braking_fr3_stays_below_the_velocity_it_allows_near_the_end_of_a_range():
    # libfranka, include/franka/rate_limiting.h: computeUpper/LowerLimitsJointVelocity.
    offset = np.array([0.30, 0.20, 0.20, 0.30, 0.35, 0.35, 0.35])
    gain = np.array([12.0, 5.17, 7.0, 8.0, 34.0, 11.0, 34.0])
    upper = np.array([2.7501, 1.7918, 2.9065, -0.1458, 2.8101, 4.5205, 3.0196])
    lower = np.array([-2.7501, -1.7918, -2.9065, -3.0481, -2.8101, 0.54092, -3.0196])
    margin = 0.1
    joints = load_limits("fr3").joints.reduced(margin=margin)
    left = np.linspace(0.0, 2.5, 2000)[:, None]
    ours = np.minimum(np.sqrt(2 * joints.braking * left), joints.velocity)
    for end in (upper - joints.upper, joints.lower - lower):
        theirs = np.minimum(joints.velocity, np.sqrt(gain * (left + end)) - offset)
        assert (ours <= theirs).all()


def test_a_rig_makes_limits_stricter():
    limits = load_limits("sawyer").joints
    reduced = limits.reduced(speed=0.3, acceleration=0.5, margin=0.05)
    np.testing.assert_allclose(reduced.velocity, 0.3 * limits.velocity)
    np.testing.assert_allclose(reduced.upper, limits.upper - 0.05)
    np.testing.assert_allclose(reduced.jerk, 0.5 * limits.jerk)
    with pytest.raises(ConfigError, match=r"leaves.*none for right_j0"):
        limits.reduced(margin=3.1)


def test_an_unknown_robot_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"sawyer.*got 'sawyr'"):
        load_limits("sawyr")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["joints"]["lower"]["values"].pop(), "expected 7 numbers for lower, got 6"),
        (lambda c: c["joints"]["velocity"].pop("source"), "joints.velocity.source"),
        (lambda c: c["joints"]["velocity"]["values"].__setitem__(2, -1.0), "velocity above 0"),
        (
            lambda c: c["joints"]["upper"]["values"].__setitem__(0, -4.0),
            "lower < upper for right_j0",
        ),
        (lambda c: c["pose"].__setitem__("names", list("abcdef")), "the pose's axes"),
        (
            lambda c: c["joints"].__setitem__("braking", {"values": [9.0] * 7, "source": "a" * 9}),
            "braking at most the acceleration",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_reason(tmp_path, change, words):
    with pytest.raises(ConfigError, match=words):
        load_limits(changed(tmp_path, change))
