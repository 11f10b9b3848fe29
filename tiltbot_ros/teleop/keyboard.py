"""The keyboard of a terminal as a pose source."""

import contextlib
import math
import os
import select
import sys
import termios
import tty
from typing import Any

import numpy as np

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.teleop.jogging import JoggedHand
from tiltbot_ros.teleop.settings import KeyboardSettings
from tiltbot_ros.teleop.source import HandSample, News, Wish

_AXES: dict[str, tuple[int, float]] = {
    "w": (0, 1.0), "s": (0, -1.0), "a": (1, 1.0), "d": (1, -1.0), "r": (2, 1.0), "f": (2, -1.0),
    "u": (3, -1.0), "o": (3, 1.0), "i": (4, 1.0), "k": (4, -1.0), "j": (5, 1.0), "l": (5, -1.0),
    "\x1b[A": (0, 1.0), "\x1b[B": (0, -1.0), "\x1b[D": (1, 1.0), "\x1b[C": (1, -1.0),
    "\x1b[5~": (2, 1.0), "\x1b[6~": (2, -1.0),
}  # fmt: skip
"""Axis and sign of each key; the last six are the arrows, Page Up and Page Down."""

_WISHES: dict[str, Wish] = {
    "\r": "start",
    "\n": "start",
    "y": "success",
    "n": "failure",
    "b": "keep",
    "x": "discard",
    "\x1b": "stop",
    "Q": "quit",
    "\x04": "quit",
}

_MOST_WAITING = 2.0
"""Presses that wait at most: a key that is held must not move the arm after it is let go."""


class KeyboardSource:
    """Moves a hand by key presses; the space bar is the clutch.

    A terminal tells presses and no releases, so each press is a short way.
    """

    name = "keyboard"
    help = (
        "space: clutch   w s a d / arrows: forward, back, left, right   r f / pages: up, down\n"
        "u o: roll   i k: pitch   j l: yaw   g: gripper   Esc: stop   Q: quit\n"
        "Enter: record   y: success   n: failure   b: keep   x: discard"
    )

    def __init__(self, settings: KeyboardSettings, *, descriptor: int | None = None) -> None:
        """Take the keys of a terminal.

        Args:
            settings: size of the steps.
            descriptor: of the terminal; None: standard input.
        """
        self._descriptor = sys.stdin.fileno() if descriptor is None else descriptor
        self._step = np.array([settings.step_m] * 3 + [settings.step_rad] * 3)
        self._press_s = settings.press_s
        self._hand = JoggedHand()
        self._waiting = np.zeros(6)
        self._engaged = False
        self._gripper = math.nan
        self._wishes: list[Wish] = []
        self._before: list[Any] | None = None
        self._ended = False
        self._last: HandSample | None = None

    def open(self) -> None:
        """Take single keys from the terminal.

        Raises:
            ConfigError: it is no terminal.
        """
        if not os.isatty(self._descriptor):
            raise ConfigError(
                "expected a terminal for the source 'keyboard', but standard input is none: run "
                "`tiltbot teleop` or `ros2 run tiltbot teleop_node` in one, or take another source"
            )
        self._before = termios.tcgetattr(self._descriptor)
        tty.setcbreak(self._descriptor)

    def read(self, now_s: float) -> HandSample | None:
        """Return the hand after the keys that were pressed."""
        for key in self._keys():
            self._press(key)
        if self._ended:
            return self._last
        share = self._hand.passed_s(now_s) / self._press_s
        step = np.clip(self._waiting, -share, share)
        self._waiting = self._waiting - step
        self._hand.move(step * self._step)
        self._last = self._hand.sample(now_s, engaged=self._engaged, gripper=self._gripper)
        return self._last

    def wishes(self) -> tuple[Wish, ...]:
        """Return what was asked for since the last call."""
        found, self._wishes = tuple(self._wishes), []
        return found

    def tell(self, news: News) -> None:
        """Do nothing: there is nothing to show it on."""

    def close(self) -> None:
        """Give the terminal back as it was."""
        if self._before is not None:
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
            self._before = None

    def _keys(self) -> list[str]:
        text = ""
        while not self._ended and select.select([self._descriptor], [], [], 0.0)[0]:
            try:
                part = os.read(self._descriptor, 1024)
            except OSError:  # the terminal is gone
                part = b""
            self._ended = not part
            text += part.decode(errors="replace")
        return split_keys(text)

    def _press(self, key: str) -> None:
        if key == " ":
            self._engaged = not self._engaged
            self._waiting = np.zeros(6)
        elif key == "g":
            self._gripper = 0.0 if self._gripper == 1.0 else 1.0
        elif key in _WISHES:
            self._wishes.append(_WISHES[key])
            if key == "\x1b":
                self._engaged = False
        elif key in _AXES:
            axis, sign = _AXES[key]
            waiting = self._waiting[axis] + sign
            self._waiting[axis] = min(max(waiting, -_MOST_WAITING), _MOST_WAITING)


def split_keys(text: str) -> list[str]:
    """Return the keys in what a terminal sent: characters, and escape sequences as a whole.

    Escape alone, or before anything that is no sequence, is the key itself.
    """
    keys, position = [], 0
    while position < len(text):
        end = position + 1
        if text[position] == "\x1b" and text[end : end + 1] == "[":
            end += 1
            while end < len(text) and not "@" <= text[end] <= "~":
                end += 1
            end += 1
        keys.append(text[position:end])
        position = end
    return keys
