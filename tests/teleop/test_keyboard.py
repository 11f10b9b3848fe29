"""The keyboard as a source, on a real pseudo-terminal."""

import os
import termios

import numpy as np
import pytest

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.teleop.keyboard import KeyboardSource, split_keys
from tiltbot_ros.teleop.settings import KeyboardSettings

UP, DOWN, PAGE_UP = "\x1b[A", "\x1b[B", "\x1b[5~"


class Desk:
    """A keyboard whose keys the test presses."""

    def __init__(self):
        self.person, self.terminal = os.openpty()
        self.source = KeyboardSource(KeyboardSettings(), descriptor=self.terminal)
        self.source.open()
        self.now_s = 10.0

    def press(self, text):
        os.write(self.person, text.encode())

    def read(self, steps=1):
        for _ in range(steps):
            sample = self.source.read(self.now_s)
            self.now_s += 1 / 30
        return sample


@pytest.fixture
def desk():
    made = Desk()
    yield made
    made.source.close()
    for descriptor in (made.person, made.terminal):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_a_key_is_a_short_way_and_the_space_bar_the_clutch(desk):
    assert not desk.read().engaged
    desk.press(" w")
    sample = desk.read(10)
    assert sample.engaged
    np.testing.assert_allclose(sample.position, [0.01, 0.0, 0.0], atol=1e-12)
    desk.press(" ")
    assert not desk.read().engaged


def test_arrows_pages_and_turns(desk):
    desk.read()
    desk.press(UP + UP + DOWN + "a" + PAGE_UP + "j")
    sample = desk.read(10)
    np.testing.assert_allclose(sample.position, [0.01, 0.01, 0.01], atol=1e-12)
    np.testing.assert_allclose(sample.rotation[1, 0], np.sin(0.05), atol=1e-12)


def test_a_held_key_leaves_nothing_to_run_on(desk):
    desk.read()
    desk.press("w" * 40)
    first = desk.read(3)
    later = desk.read(30)
    assert later.position[0] - first.position[0] <= 0.02 + 1e-9
    assert later.position[0] <= 0.02 + 1e-9


def test_wishes_are_told_once(desk):
    desk.press("\ny\x1b")
    desk.read()
    assert desk.source.wishes() == ("start", "success", "stop")
    assert desk.source.wishes() == ()


def test_escape_opens_the_clutch(desk):
    desk.press(" ")
    assert desk.read().engaged
    desk.press("\x1b")
    assert not desk.read().engaged


def test_the_gripper_closes_and_opens(desk):
    assert np.isnan(desk.read().gripper)
    desk.press("g")
    assert desk.read().gripper == 1.0
    desk.press("g")
    assert desk.read().gripper == 0.0


def test_a_terminal_that_is_gone_grows_stale(desk):
    last = desk.read()
    os.close(desk.person)
    assert desk.read(3).received_s <= last.received_s + 1 / 30
    before = desk.read()
    assert desk.read(10) is before


def test_the_terminal_is_given_back_as_it_was():
    person, terminal = os.openpty()
    before = termios.tcgetattr(terminal)
    source = KeyboardSource(KeyboardSettings(), descriptor=terminal)
    source.open()
    assert termios.tcgetattr(terminal) != before
    source.close()
    assert termios.tcgetattr(terminal) == before
    os.close(person)
    os.close(terminal)


def test_what_is_no_terminal_is_refused_with_what_to_do(tmp_path):
    with (tmp_path / "keys").open("w") as file:
        source = KeyboardSource(KeyboardSettings(), descriptor=file.fileno())
        with pytest.raises(ConfigError, match="expected a terminal"):
            source.open()


def test_keys_are_split_where_sequences_end():
    assert split_keys("w\x1b[Aw\x1b[6~\x1b\x1bx") == [
        "w", "\x1b[A", "w", "\x1b[6~", "\x1b", "\x1b", "x",
    ]  # fmt: skip
