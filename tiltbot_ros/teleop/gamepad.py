"""A gamepad as a pose source, through the joystick device of Linux.

The kernel's interface (Documentation/input/joydev/joystick-api.rst) is a stream of
8-byte events and needs no library and no special rights. A pad numbers its axes and
buttons as it likes; the device says which is which (linux/joystick.h).
"""

import fcntl
import math
import os
from array import array
from collections.abc import Sequence
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.teleop.jogging import JoggedHand
from tiltbot_ros.teleop.settings import GamepadSettings
from tiltbot_ros.teleop.source import HandSample, News, Wish

_EVENT = Struct("=IhBB")
_BUTTON, _AXIS, _INITIAL = 1, 2, 0x80
_FULL = 32767.0

# linux/joystick.h: JSIOCGAXMAP fills 64 bytes, JSIOCGBTNMAP 512 shorts.
_AXIS_MAP, _MOST_AXES = 0x80406A32, 64
_BUTTON_MAP, _MOST_BUTTONS = 0x84006A34, 512

# linux/input-event-codes.h
_LEFT_X, _LEFT_Y, _RIGHT_X, _RIGHT_Y = 0, 1, 3, 4
_SOUTH, _EAST, _NORTH, _WEST = 0x130, 0x131, 0x133, 0x134
_LEFT_BUMPER, _RIGHT_BUMPER, _SELECT, _START = 0x136, 0x137, 0x13A, 0x13B

_XPAD_AXES = (0, 1, 2, 3, 4, 5, 0x10, 0x11)
_XPAD_BUTTONS = (
    *(_SOUTH, _EAST, _NORTH, _WEST, _LEFT_BUMPER, _RIGHT_BUMPER, _SELECT, _START),
    *(0x13C, 0x13D, 0x13E),
)
"""Those of the driver xpad, for a device that does not say."""

_WISHES: dict[int, Wish] = {
    _EAST: "stop",
    # By xpad, X is the button in the north, and Y that in the west.
    _NORTH: "failure",
    _WEST: "success",
    _SELECT: "discard",
    _START: "start",
}


def _asked(descriptor: int, request: int, kind: str, most: int) -> Sequence[int]:
    """Return the codes of a device's axes or buttons, in the order of their numbers; or none."""
    codes = array(kind, [0] * most)
    try:
        fcntl.ioctl(descriptor, request, codes)
    except OSError:  # no joystick, such as a recording
        return ()
    return codes


class GamepadSource:
    """Moves a hand by two sticks while the right bumper is held."""

    name = "gamepad"
    help = (
        "hold right bumper: clutch   left stick: forward, back, left, right\n"
        "right stick: up, down, yaw   with left bumper, left stick: pitch, roll   A: gripper\n"
        "Start: record   Y: success   X: failure   Back: discard   B: stop"
    )

    def __init__(self, settings: GamepadSettings) -> None:
        self._settings = settings
        self._speeds = np.array([settings.speed_m_s] * 3 + [settings.speed_rad_s] * 3)
        self._descriptor: int | None = None
        self._rest = b""
        self._axis_codes: Sequence[int] = _XPAD_AXES
        self._button_codes: Sequence[int] = _XPAD_BUTTONS
        self._axes: dict[int, float] = {}
        self._held: set[int] = set()
        self._gripper = math.nan
        self._wishes: list[Wish] = []
        self._hand = JoggedHand()
        self._last: HandSample | None = None

    def open(self) -> None:
        """Open the device.

        Raises:
            DeviceError: there is none, or it may not be read.
        """
        try:
            self._descriptor = os.open(
                self._settings.device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            )
        except OSError as error:
            raise DeviceError(
                f"expected a gamepad at {self._settings.device} ({error.strerror}): plug it in, or "
                f"name its device in gamepad.device (ls /dev/input/js*)"
            ) from error
        axes = _asked(self._descriptor, _AXIS_MAP, "B", _MOST_AXES)
        buttons = _asked(self._descriptor, _BUTTON_MAP, "H", _MOST_BUTTONS)
        self._axis_codes, self._button_codes = axes or _XPAD_AXES, buttons or _XPAD_BUTTONS

    def read(self, now_s: float) -> HandSample | None:
        """Return the hand after what the sticks said; no newer one once the gamepad is gone."""
        if not self._take_events():
            return self._last
        engaged = _RIGHT_BUMPER in self._held
        passed_s = self._hand.passed_s(now_s)
        if engaged:
            self._hand.move(self._directions() * self._speeds * passed_s)
        self._last = self._hand.sample(now_s, engaged=engaged, gripper=self._gripper)
        return self._last

    def wishes(self) -> tuple[Wish, ...]:
        """Return what was asked for since the last call."""
        found, self._wishes = tuple(self._wishes), []
        return found

    def tell(self, news: News) -> None:
        """Do nothing: there is nothing to show it on."""

    def close(self) -> None:
        """Close the device."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _take_events(self) -> bool:
        """Take what has come; return whether the gamepad is there."""
        while self._descriptor is not None:
            try:
                data = os.read(self._descriptor, 64 * _EVENT.size)
            except BlockingIOError:
                return True
            except OSError:
                data = b""
            if not data:
                self.close()
                break
            data = self._rest + data
            whole = len(data) - len(data) % _EVENT.size
            self._rest = data[whole:]
            for _, value, kind, number in _EVENT.iter_unpack(data[:whole]):
                self._on_event(value, kind, number)
        return False

    def _on_event(self, value: int, kind: int, number: int) -> None:
        axis = kind & ~_INITIAL == _AXIS
        codes = self._axis_codes if axis else self._button_codes
        if number >= len(codes):
            return
        code = codes[number]
        if axis:
            self._axes[code] = value / _FULL
        elif kind & ~_INITIAL == _BUTTON:
            (self._held.add if value else self._held.discard)(code)
            if value and not kind & _INITIAL:
                self._on_press(code)

    def _on_press(self, code: int) -> None:
        if code == _SOUTH:
            self._gripper = 0.0 if self._gripper == 1.0 else 1.0
        elif code in _WISHES:
            self._wishes.append(_WISHES[code])

    def _directions(self) -> NDArray[np.float64]:
        """Return where the sticks point, (6,) in [-1, 1] along the person's axes."""
        forward, left = -self._stick(_LEFT_Y), -self._stick(_LEFT_X)
        up, yaw = -self._stick(_RIGHT_Y), -self._stick(_RIGHT_X)
        if _LEFT_BUMPER in self._held:
            return np.array([0.0, 0.0, up, -left, forward, yaw])
        return np.array([forward, left, up, 0.0, 0.0, yaw])

    def _stick(self, axis: int) -> float:
        value, dead = self._axes.get(axis, 0.0), self._settings.dead
        size = min(max(abs(value) - dead, 0.0) / (1.0 - dead), 1.0)
        return math.copysign(size, value)
