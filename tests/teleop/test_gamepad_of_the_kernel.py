"""The gamepad as a source, on a joystick that the kernel itself has made (uinput, joydev)."""

import fcntl
import os
import time
from pathlib import Path
from struct import pack

import pytest

from tiltbot_ros.teleop.gamepad import GamepadSource
from tiltbot_ros.teleop.settings import GamepadSettings

UINPUT = Path("/dev/uinput")
PATIENCE_S = 5.0

# linux/uinput.h, linux/input-event-codes.h
SET_EVENT, SET_KEY, SET_AXIS = 0x40045564, 0x40045565, 0x40045567
SETUP, SETUP_AXIS, CREATE = 0x405C5503, 0x401C5504, 0x5501
GET_NAME = 0x8040552C
EV_SYN, EV_KEY, EV_ABS = 0, 1, 3
AXES = (0, 1, 2, 3, 4, 5)
SOUTH, EAST, TL, TR, TR2, START = 0x130, 0x131, 0x136, 0x137, 0x139, 0x13B
# As a PlayStation pad has them: triggers before select and start.
BUTTONS = (SOUTH, EAST, 0x133, 0x134, TL, TR, 0x138, TR2, 0x13A, START)


class MadePad:
    """A pad that exists as long as this."""

    def __init__(self):
        self.descriptor: int | None = os.open(UINPUT, os.O_WRONLY | os.O_NONBLOCK)
        for kind in (EV_KEY, EV_ABS):
            fcntl.ioctl(self.descriptor, SET_EVENT, kind)
        for button in BUTTONS:
            fcntl.ioctl(self.descriptor, SET_KEY, button)
        for axis in AXES:
            fcntl.ioctl(self.descriptor, SET_AXIS, axis)
            range_of = pack("=Hxxiiiiii", axis, 0, -32767, 32767, 0, 0, 0)
            fcntl.ioctl(self.descriptor, SETUP_AXIS, range_of)
        identity = pack("=HHHH80sI", 3, 0x054C, 0x0CE6, 1, b"tiltbot test pad", 0)
        fcntl.ioctl(self.descriptor, SETUP, identity)
        fcntl.ioctl(self.descriptor, CREATE)
        name = bytearray(64)
        fcntl.ioctl(self.descriptor, GET_NAME, name)
        folder = Path("/sys/devices/virtual/input") / name.rstrip(b"\0").decode()
        end = time.monotonic() + PATIENCE_S
        self.path = Path("/dev/input/none")
        while not os.access(self.path, os.R_OK) and time.monotonic() < end:
            time.sleep(0.05)
            for found in folder.glob("js*"):
                self.path = Path("/dev/input") / found.name

    def send(self, kind, code, value):
        now = pack("=qq", 0, 0)
        os.write(self.descriptor, now + pack("=HHi", kind, code, value))
        os.write(self.descriptor, now + pack("=HHi", EV_SYN, 0, 0))

    def close(self):
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


@pytest.fixture
def made():
    if not os.access(UINPUT, os.W_OK):
        pytest.skip("this kernel or user has no /dev/uinput")
    pad = MadePad()
    if not os.access(pad.path, os.R_OK):
        pad.close()
        pytest.skip("this kernel has no joydev, or its devices may not be read")
    yield pad
    pad.close()


def until(source, condition):
    """Read until a sample, or what came with it, fulfils a condition."""
    end = time.monotonic() + PATIENCE_S
    while not (found := condition(source.read(time.monotonic()))):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def test_sticks_buttons_and_the_end_of_a_real_device(made):
    source = GamepadSource(GamepadSettings(device=str(made.path)))
    source.open()
    try:
        source.read(time.monotonic())
        made.send(EV_KEY, TR, 1)
        made.send(EV_ABS, 1, -32767)
        sample = until(source, lambda s: s.position[0] > 0.01 and s)
        assert sample.engaged
        for button in (TR2, START, EAST):  # the trigger is no wish
            made.send(EV_KEY, button, 1)
        wishes = []
        until(source, lambda _: wishes.extend(source.wishes()) or len(wishes) >= 2)
        assert wishes == ["start", "stop"]
        made.send(EV_KEY, SOUTH, 1)
        until(source, lambda s: s.gripper == 1.0)
        made.close()  # it is unplugged
        end = time.monotonic() + PATIENCE_S
        last = source.read(time.monotonic())
        while source.read(time.monotonic()) is not last:
            assert time.monotonic() < end
            last = source.read(time.monotonic())
            time.sleep(0.05)
    finally:
        source.close()
