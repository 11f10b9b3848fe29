import threading
import time

import numpy as np
import pytest

from tests.emulators.software_realsense import wait_until
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.sensors import live_camera
from tiltbot_ros.sensors.cameras import CameraSettings, RgbdFrame
from tiltbot_ros.sensors.live_camera import LiveCamera


class ScriptedCamera:
    """An opener whose streams do as they are told.

    Attributes:
        plugged: whether it can be opened.
        flowing: whether frames come.
        useless: frames come that cannot be used.
        broken: reading raises.
        end_after: a recording ends after so many frames.
        opened: how often it was opened.
        closed: how often it was closed.
    """

    def __init__(self, settings):
        self.intrinsics = settings.given_intrinsics(settings.width, settings.height)
        self.plugged = self.flowing = True
        self.useless = self.broken = self.ended = False
        self.end_after = None
        self.opened = self.closed = self.made = 0
        self.name, self.remark = "scripted", ""
        self.hang = None

    def open(self, tally):
        if not self.plugged:
            raise DeviceError("no such device")
        self.tally = tally
        self.opened += 1
        self.made = 0
        return self

    def read(self, timeout_s):
        if self.hang is not None:
            self.hang.wait()
        if self.broken:
            raise DeviceError("the device is gone")
        time.sleep(0.002)
        self.ended = self.end_after is not None and self.made >= self.end_after
        if self.ended or not (self.flowing or self.useless):
            time.sleep(0.01)
            return None
        self.tally.seen += 1
        if self.useless:
            self.tally.unmatched += 1
            return None
        self.made += 1
        color = np.zeros((16, 16, 3), np.uint8)
        return RgbdFrame(stamp_ns=self.made, color=color, depth=None, intrinsics=self.intrinsics)

    def close(self):
        self.closed += 1


@pytest.fixture
def rig():
    def make(**changes):
        values = {"source": "uvc", "width": 16, "height": 16, "rate_hz": 100.0, "stall_s": 0.1}
        settings = CameraSettings.model_validate({**values, "retry_max_s": 0.05, **changes})
        device = ScriptedCamera(settings)
        camera = LiveCamera(settings, opener=device)
        cameras.append(camera)
        frames = []
        camera.start(frames.append)
        return device, camera, frames

    cameras = []
    yield make
    for camera in cameras:
        camera.stop()


def test_frames_are_delivered_until_it_is_stopped(rig):
    device, camera, frames = rig()
    wait_until(lambda: len(frames) > 5)
    assert camera.health().state == "running"
    camera.stop()
    count = len(frames)
    assert camera.health().state == "stopped"
    assert camera.health().frames == count
    time.sleep(0.05)
    assert len(frames) == count
    assert (device.opened, device.closed) == (1, 1)


def test_an_absent_device_is_refused_at_the_start():
    settings = CameraSettings(source="uvc")
    device = ScriptedCamera(settings)
    device.plugged = False
    with pytest.raises(DeviceError, match="no such device"):
        LiveCamera(settings, opener=device).start(lambda _: None)


@pytest.mark.parametrize("how", ["silent", "raises"])
def test_an_unplugged_device_is_waited_for_and_opened_again(rig, how):
    device, camera, frames = rig()
    wait_until(lambda: frames)
    device.plugged = False
    device.flowing, device.broken = how == "raises", how == "raises"
    wait_until(lambda: camera.health().detail == "no such device")
    assert camera.health().state == "stalled"
    assert device.opened == device.closed == 1
    device.plugged = device.flowing = True
    device.broken = False
    count = len(frames)
    wait_until(lambda: len(frames) > count + 5)
    health = camera.health()
    assert (health.state, health.reconnects, device.opened) == ("running", 1, 2)
    assert (health.misses > 0) == (how == "silent")


def test_frames_that_cannot_be_used_are_told_and_not_taken_for_an_unplugged_device(rig):
    device, camera, _ = rig()
    device.flowing, device.useless = False, True
    wait_until(lambda: camera.health().state == "stalled")
    time.sleep(0.2)
    assert "colour frames without depth" in camera.health().detail
    assert device.opened == 1
    device.flowing, device.useless = True, False
    wait_until(lambda: camera.health().state == "running")


def test_a_recording_ends_or_begins_again(rig):
    device, camera, frames = rig()
    device.end_after = 4
    wait_until(lambda: camera.health().state == "ended")
    assert (device.opened, device.closed) == (1, 1)
    camera.stop()
    assert camera.health().state == "ended"
    device, camera, frames = rig(loop=True)
    device.end_after = 4
    wait_until(lambda: device.opened > 3)
    assert camera.health().state == "running"
    assert [frame.stamp_ns for frame in frames[:9]] == [1, 2, 3, 4, 1, 2, 3, 4, 1]
    assert camera.health().reconnects == 0


def test_what_falls_short_of_the_settings_is_said(rig):
    device, camera, _ = rig()
    device.remark = "640 x 480 is not offered"
    wait_until(lambda: camera.health().detail == device.remark)
    assert camera.health().state == "running"


def test_a_library_that_hangs_is_a_failure_and_does_not_keep_stop_waiting(rig, monkeypatch):
    monkeypatch.setattr(live_camera, "_HUNG_S", 0.3)
    monkeypatch.setattr(live_camera, "_JOIN_S", 0.2)
    device, camera, frames = rig()
    wait_until(lambda: frames)
    device.hang = threading.Event()
    wait_until(lambda: camera.health().state == "failed")
    assert "has hung" in camera.health().detail
    camera.stop()
    count = len(frames)
    device.hang.set()
    wait_until(lambda: device.closed)
    assert len(frames) == count


def test_an_error_of_the_sink_ends_in_a_failure():
    settings = CameraSettings(source="uvc")
    device = ScriptedCamera(settings)
    camera = LiveCamera(settings, opener=device)
    camera.start(lambda _: 1 // 0)
    wait_until(lambda: camera.health().state == "failed")
    assert "ZeroDivisionError" in camera.health().detail
    assert device.closed == 1
    camera.stop()
