"""The gamepad as a source: events as the kernel sends them, through a pipe."""

import fcntl
import os
from struct import pack

import numpy as np
import pytest

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.teleop.gamepad import GamepadSource
from tiltbot_ros.teleop.settings import GamepadSettings

BUTTON, AXIS, INITIAL = 1, 2, 0x80
LEFT_X, LEFT_Y, RIGHT_X, RIGHT_Y = 0, 1, 3, 4
A, B, Y, LEFT_BUMPER, RIGHT_BUMPER, START = 0, 1, 3, 4, 5, 7


def event(kind, number, value):
    return pack("=IhBB", 1234, value, kind, number)


class Pad:
    """A gamepad behind a named pipe, which ends as the device does when it is unplugged."""

    def __init__(self, path, **settings):
        os.mkfifo(path)
        self.source = GamepadSource(GamepadSettings(device=str(path), **settings))
        self.source.open()
        self._end = os.open(path, os.O_WRONLY)
        self.now_s = 5.0
        for number in range(8):
            self.send(AXIS | INITIAL, number, 0)
        for number in range(11):
            self.send(BUTTON | INITIAL, number, 0)

    def send(self, *what):
        os.write(self._end, event(*what))

    def read(self, steps=1):
        for _ in range(steps):
            sample = self.source.read(self.now_s)
            self.now_s += 0.02
        return sample

    def unplug(self):
        os.close(self._end)


@pytest.fixture
def pad(tmp_path):
    made = Pad(tmp_path / "js0")
    made.read()
    yield made
    made.source.close()


def test_nothing_moves_until_the_bumper_is_held(pad):
    pad.send(AXIS, LEFT_Y, -32767)
    assert not pad.read(50).position.any()
    pad.send(BUTTON, RIGHT_BUMPER, 1)
    sample = pad.read(50)
    assert sample.engaged
    assert sample.position[0] == pytest.approx(0.15, rel=0.05)
    pad.send(BUTTON, RIGHT_BUMPER, 0)
    assert not pad.read().engaged


def test_both_sticks_have_their_axes(pad):
    pad.send(BUTTON, RIGHT_BUMPER, 1)
    for axis in (LEFT_X, RIGHT_X, RIGHT_Y):
        pad.send(AXIS, axis, -32767)
    sample = pad.read(26)
    np.testing.assert_allclose(sample.position, [0.0, 0.075, 0.075], atol=0.005)
    assert np.arctan2(sample.rotation[1, 0], sample.rotation[0, 0]) == pytest.approx(0.3, abs=0.02)


def test_with_the_left_bumper_the_left_stick_turns(pad):
    pad.send(BUTTON, RIGHT_BUMPER, 1)
    pad.send(BUTTON, LEFT_BUMPER, 1)
    pad.send(AXIS, LEFT_Y, -32767)
    sample = pad.read(26)
    assert not sample.position.any()
    assert sample.rotation[0, 2] == pytest.approx(np.sin(0.3), abs=0.02)


def test_a_stick_that_does_not_rest_in_its_middle_is_still(pad):
    pad.send(BUTTON, RIGHT_BUMPER, 1)
    pad.send(AXIS, LEFT_X, 3000)
    assert not pad.read(50).position.any()


def test_buttons_are_wishes_and_their_first_state_is_none(tmp_path):
    pad = Pad(tmp_path / "js1")
    pad.send(BUTTON | INITIAL, START, 1)
    pad.read()
    assert pad.source.wishes() == ()
    for button in (START, Y, B):
        pad.send(BUTTON, button, 1)
        pad.send(BUTTON, button, 0)
    pad.send(BUTTON, A, 1)
    assert pad.read().gripper == 1.0
    assert pad.source.wishes() == ("start", "success", "stop")
    pad.source.close()


# hid-playstation.c, ps_gamepad_buttons: its triggers are buttons 6 and 7.
PLAYSTATION = (0x130, 0x131, 0x133, 0x134, 0x136, 0x137, 0x138, 0x139, 0x13A, 0x13B)
SHARE, OPTIONS = 8, 9


def test_a_pad_that_numbers_its_buttons_otherwise_says_so(tmp_path, monkeypatch):
    answers = {0x84006A34: PLAYSTATION, 0x80406A32: (0, 1, 2, 3, 4, 5, 16, 17)}

    def ioctl(_, request, codes):
        for number, code in enumerate(answers[request]):
            codes[number] = code
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    pad = Pad(tmp_path / "js2")
    pad.read()
    for trigger in (6, 7):
        pad.send(BUTTON, trigger, 1)
    pad.read()
    assert pad.source.wishes() == ()
    for button in (OPTIONS, SHARE, 3, 100):
        pad.send(BUTTON, button, 1)
    pad.send(AXIS, 60, 100)
    pad.read()
    assert pad.source.wishes() == ("start", "discard", "success")
    pad.source.close()


def test_an_unplugged_gamepad_grows_stale(pad):
    pad.send(BUTTON, RIGHT_BUMPER, 1)
    pad.send(AXIS, LEFT_Y, -32767)
    last = pad.read(10)
    pad.unplug()
    assert pad.read(10) is last


def test_a_file_that_has_ended_is_no_gamepad(tmp_path):
    recorded = tmp_path / "events"
    recorded.write_bytes(event(BUTTON, RIGHT_BUMPER, 1) + event(AXIS, LEFT_Y, -32767) + b"\0\0\0")
    source = GamepadSource(GamepadSettings(device=str(recorded)))
    source.open()
    assert source.read(1.0) is None
    source.close()


def test_a_missing_gamepad_is_named(tmp_path):
    with pytest.raises(DeviceError, match=r"js9.*ls /dev/input/js\*"):
        GamepadSource(GamepadSettings(device=str(tmp_path / "js9"))).open()
