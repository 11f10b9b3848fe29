"""The hand behind the protocol of a gripper; real franky, emulated hand."""

import time

import franky
import pytest

from tests.arms.franka.conftest import PATIENT
from tiltbot_ros.arms.franka.gripper import FrankaGripper
from tiltbot_ros.arms.franka.settings import FrankaSettings
from tiltbot_ros.errors import DeviceError

pytestmark = pytest.mark.realtime


@pytest.fixture
def hand(emulator):
    settings = FrankaSettings(host=emulator.address, **PATIENT)
    made = FrankaGripper(settings)
    made.open(franky.Gripper(emulator.address))
    yield made
    made.close()


def done(hand, timeout_s=8.0):
    end = time.monotonic() + timeout_s
    while hand.moving:
        assert time.monotonic() < end, hand.outcome
        time.sleep(0.01)
    return hand.outcome


def asked(emulator):
    return emulator.status()["hand"]["requests"]


def test_it_tells_its_width_and_moves_to_another(hand, emulator):
    assert hand.max_width_m == pytest.approx(0.08)
    assert hand.width_m == pytest.approx(0.04)
    hand.move(0.07, speed_m_s=0.1)
    assert hand.moving
    assert done(hand) == "reached"
    time.sleep(0.1)
    assert hand.width_m == pytest.approx(0.07, abs=1e-6)
    assert asked(emulator)[-1] == ["move", [0.07, 0.1]]


def test_a_grasp_holds_what_is_there_with_the_force_that_was_asked_for(hand, emulator):
    emulator.ask("hand", object_m=0.03)
    hand.grasp(0.03, speed_m_s=0.1, force_n=25.0)
    assert done(hand) == "grasped"
    assert not hand.missed
    kind, (width, inner, outer, speed, force) = asked(emulator)[-1]
    assert (kind, width, speed, force) == ("grasp", 0.03, 0.1, 25.0)
    assert inner == outer == pytest.approx(0.01)


@pytest.mark.parametrize(("width_m", "words"), [(0.03, "about 30 mm"), (0.0, "nothing was there")])
def test_a_missed_grasp_is_told(hand, width_m, words):
    hand.grasp(width_m, speed_m_s=0.2, force_n=20.0)
    assert words in done(hand)
    assert hand.missed


def test_a_grasp_of_any_width_holds_anything(hand, emulator):
    emulator.ask("hand", object_m=0.035)
    hand.grasp(0.0, speed_m_s=0.2, force_n=20.0)
    assert done(hand) == "grasped"


def test_the_newest_wish_wins(hand, emulator):
    hand.move(0.0, speed_m_s=0.02)
    time.sleep(0.2)
    hand.move(0.08, speed_m_s=0.2)
    assert done(hand) == "reached"
    assert emulator.status()["hand"]["width"] == pytest.approx(0.08)
    assert [kind for kind, _ in asked(emulator)] == ["move", "stop", "move"]


def test_the_same_wish_again_is_no_new_motion(hand, emulator):
    for _ in range(10):
        hand.move(0.06, speed_m_s=0.1)
        time.sleep(0.02)
    assert done(hand) == "reached"
    hand.move(0.06, speed_m_s=0.1)
    assert not hand.moving
    assert len(asked(emulator)) == 1


def test_it_stops_where_it_is(hand, emulator):
    hand.move(0.0, speed_m_s=0.02)
    time.sleep(0.3)
    hand.stop()
    done(hand)
    assert 0.0 < emulator.status()["hand"]["width"] < 0.04


def test_homing_finds_the_fingers_that_are_mounted(hand, emulator):
    emulator.ask("hand", most_m=0.06)
    hand.home()
    assert done(hand) == "homed"
    time.sleep(0.1)
    assert hand.max_width_m == pytest.approx(0.06)


def test_a_lost_hand_is_told(hand, emulator):
    emulator.ask("hang_up")
    end = time.monotonic() + 4.0
    while not hand.outcome.startswith("lost"):
        assert time.monotonic() < end
        time.sleep(0.02)
    with pytest.raises(DeviceError, match="hand does not answer"):
        _ = hand.width_m
    hand.close()
    hand.open(franky.Gripper(emulator.address))
    assert hand.width_m == pytest.approx(0.04)


def test_nonsense_is_refused(hand, emulator):
    for width in (float("nan"), -0.01, float("inf")):
        with pytest.raises(DeviceError, match="at least 0"):
            hand.move(width, speed_m_s=0.1)
    assert asked(emulator) == []
