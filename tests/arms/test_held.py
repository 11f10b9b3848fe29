import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.held import TiltTable, held_tray_model
from tiltbot_ros.arms.held_settings import HeldTraySettings
from tiltbot_ros.arms.limits import load_limits
from tiltbot_ros.arms.tilts import TiltMotion, TiltSettings
from tiltbot_ros.errors import ConfigError, LimitError
from tiltbot_ros.rigs import load_rig

LIMITS = load_limits("sawyer").joints
TILT = 0.45


def model(**settings):
    return held_tray_model(HeldTraySettings(**settings), robot="sawyer", joints=LIMITS.names)


def table(*, limits=LIMITS, max_tilt_rad=TILT, level=None, **settings):
    joints = HeldTraySettings().level_joints_rad if level is None else level
    return TiltTable(
        model(**settings),
        level_joints=np.array(joints),
        max_tilt_rad=max_tilt_rad,
        limits=limits,
    )


@pytest.fixture(scope="module")
def sawyer():
    return table()


def test_the_hand_is_where_rethinks_numbers_put_it():
    # In the vendor's URDF all joints at 0 stretch the arm along x; lengths add up.
    hand = model(offset_m=[0.0, 0.0, 0.0]).tool(np.zeros(7))
    np.testing.assert_allclose(hand.position, [1.0155, 0.1603, 0.317], atol=2e-4)


@pytest.mark.parametrize("seed", range(5))
def test_every_tilt_of_the_box_is_within_a_milliradian_about_the_same_point(sawyer, seed):
    rng = np.random.default_rng(seed)
    held = model()
    for rotation in rng.uniform(-TILT, TILT, (40, 2)):
        joints = sawyer.joints(rotation)
        np.testing.assert_allclose(sawyer.rotation(joints), [*rotation, 0.0], atol=1e-3)
        tool = held.tool(joints)
        np.testing.assert_allclose(tool.position, sawyer.level.position, atol=1e-3)
        assert ((joints > LIMITS.lower) & (joints < LIMITS.upper)).all()


def test_the_level_frame_is_upright_and_keeps_its_heading(sawyer):
    taught = model().tool(np.array(HeldTraySettings().level_joints_rad))
    np.testing.assert_allclose(sawyer.level.rotation[:, 2], [0, 0, 1], atol=1e-9)
    turned = Rotation.from_matrix(taught.rotation.T @ sawyer.level.rotation)
    assert turned.magnitude() < 0.01


def test_tilting_is_about_the_axes_of_the_tray(sawyer):
    """A tilt about the tray's x lowers its -y side: the floor's normal leans to -y."""
    tool = model().tool(sawyer.joints(np.array([0.3, 0.0])))
    normal = sawyer.level.rotation.T @ tool.rotation[:, 2]
    np.testing.assert_allclose(normal, [0.0, -math.sin(0.3), math.cos(0.3)], atol=1e-3)


def test_the_tilts_of_the_rig_are_within_what_it_allows():
    rig = load_rig("sawyer")
    limits = LIMITS.reduced(
        speed=rig.guard.speed_ratio,
        acceleration=rig.guard.acceleration_ratio,
        margin=rig.guard.margin_rad,
    )
    tilts = table(limits=limits, max_tilt_rad=rig.tilt.max_tilt_rad)
    tilts.require(rig.tilt)
    demand = tilts.demand(rig.tilt)
    fastest = 0.0
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        motion = TiltMotion((math.cos(angle), math.sin(angle)), rig.tilt)
        times = np.arange(0.0, motion.duration_s, 0.01)
        path = np.array([tilts.joints(motion.reference(t)) for t in times])
        fastest = max(fastest, (np.abs(np.diff(path, axis=0) / 0.01) / limits.velocity).max())
    # The bound is over the whole box and all directions, so it is above every tilt.
    assert 0.5 * demand.speed < fastest <= demand.speed <= 1.0


def test_tilts_too_fast_for_the_joints_are_refused_with_what_would_do(sawyer):
    with pytest.raises(ConfigError, match=r"% of the speed of right_j\d.*tilt.ramp_s.*at least"):
        sawyer.require(TiltSettings(ramp_s=0.1))


def test_a_tray_that_would_hit_the_arm_is_refused():
    with pytest.raises(LimitError, match=r"the tray hits l\d.*held.level_joints_rad"):
        table(offset_m=[0.0, 0.0, 0.0], side_m=0.9, depth_m=0.3)


def test_a_tilt_beyond_a_joints_range_is_refused():
    upper = LIMITS.upper.copy()
    upper[4] = 1.6
    narrow = LIMITS.__class__(
        **{
            name: getattr(LIMITS, name)
            for name in ("names", "lower", "velocity", "acceleration", "braking", "jerk")
        },
        upper=upper,
    )
    with pytest.raises(LimitError, match="right_j4 at"):
        table(limits=narrow)


def test_joints_that_hold_the_tray_askew_are_refused():
    level = HeldTraySettings().level_joints_rad
    with pytest.raises(ConfigError, match=r"0\.\d\d rad off: read the joints again"):
        table(level=[*level[:5], level[5] + 0.3, level[6]])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "/nowhere/sawyer.xml"}, "does not exist"),
        ({"hand": "left_hand"}, r"held\.hand among .*right_hand"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(settings, words):
    with pytest.raises(ConfigError, match=words):
        model(**settings)


def test_a_robot_without_a_model_asks_for_one():
    with pytest.raises(ConfigError, match=r"model of 'fr3'.*held\.model"):
        held_tray_model(HeldTraySettings(), robot="fr3", joints=LIMITS.names)
