"""What a headset's page may send, and what becomes of nonsense."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiltbot_ros.errors import FormatError
from tiltbot_ros.teleop.following import is_sound
from tiltbot_ros.teleop.headset_message import read_message

GOOD = {
    "position": [0.1, 1.2, -0.3],
    "orientation": [0.0, 0.0, 0.0, 1.0],
    "clutch": True,
    "gripper": 0.5,
    "wishes": ["start"],
}


def read(**changed):
    return read_message(json.dumps({**GOOD, **changed}), received_s=7.0)


def test_axes_become_those_of_the_person():
    message = read()
    np.testing.assert_allclose(message.sample.position, [0.3, -0.1, 1.2])
    np.testing.assert_allclose(message.sample.rotation, np.eye(3))
    assert (message.sample.engaged, message.sample.gripper) == (True, 0.5)
    assert (message.wishes, message.sample.received_s) == (("start",), 7.0)


def test_a_turn_about_the_headsets_up_is_one_about_the_persons_up():
    half = math.sqrt(0.5)
    rotation = read(orientation=[0.0, half, 0.0, half]).sample.rotation
    np.testing.assert_allclose(rotation @ [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize(
    "changed",
    [
        {"position": [None, 0.0, 0.0]},
        {"position": [math.nan, 0.0, 0.0]},
        {"position": ["1", 0.0, 0.0]},
        {"position": [10**400, 0.0, 0.0]},
        {"orientation": [0.0, 0.0, 0.0, 0.0]},
        {"orientation": [None, 0.0, 0.0, 1.0]},
        {"orientation": [5.0, 0.0, 0.0, 1.0]},
    ],
)
def test_numbers_that_make_no_sense_come_to_the_follower_as_unsound(changed):
    assert not is_sound(read(**changed).sample)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "\xff",
        json.dumps({**GOOD, "position": [0.0, 0.0]}),
        json.dumps({**GOOD, "wishes": "start"}),
        json.dumps({**GOOD, "wishes": ["start"] * 9}),
        "[" * 100_000,
    ],
)
def test_what_is_no_message_is_refused(text):
    with pytest.raises(FormatError):
        read_message(text, received_s=0.0)


def test_only_true_closes_the_clutch_and_only_known_wishes_count():
    assert not read(clutch=1).sample.engaged
    assert read(wishes=["rm", 3, "stop", None]).wishes == ("stop",)


def test_a_trigger_that_is_not_there_leaves_the_gripper():
    assert math.isnan(read(gripper=None).sample.gripper)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(sorted(GOOD)), json_values))
def test_no_json_does_anything_else_than_a_message_or_a_refusal(changed):
    try:
        read(**changed)
    except FormatError:
        return
