"""What the doctor says of a rig's camera."""

import cv2
import numpy as np
import pytest

from tests.emulators.software_realsense import SoftwareRealSense, evenly
from tiltbot_ros.doctor import camera
from tiltbot_ros.doctor.examinations import EXAMINATIONS, run_examination
from tiltbot_ros.doctor.findings import Needs
from tiltbot_ros.sensors import realsense
from tiltbot_ros.sensors.cameras import CameraSettings
from tiltbot_ros.sensors.microphones import MicrophoneSettings

pytestmark = pytest.mark.realtime


def needs(tmp_path, **settings):
    return Needs(
        rig="lab",
        simulated=False,
        microphones=MicrophoneSettings(),
        camera=CameraSettings.model_validate(settings) if settings else None,
        out=tmp_path,
        disk_floor_bytes=0,
    )


def examined(tmp_path, **settings):
    return {finding.name: finding for finding in camera.examine(needs(tmp_path, **settings))}


def recorded(tmp_path, **device):
    path = tmp_path / "a.db3"
    SoftwareRealSense(**device).record(path, evenly(24, 30.0), pause_s=1 / 30)
    size = {"width": 64, "height": 48, "rate_hz": 6.0}
    return {"source": "realsense", "path": str(path), **size}


def test_a_good_camera_is_told_in_full_from_a_process_of_its_own(tmp_path):
    settings = recorded(tmp_path)
    examination = next(one for one in EXAMINATIONS if one.name == "camera")
    found = {f.name: f for f in run_examination(examination, needs(tmp_path, **settings))}
    assert all(finding.status == "ok" for finding in found.values()), found
    assert found["camera"].text == "Software D435 77, firmware 5.16.0.1"
    assert found["USB"].text == "3.2"
    assert found["profile"].text == "colour 64 x 48 at 30 Hz, depth 64 x 48 at 30 Hz"
    assert found["depth scale"].text == "1 mm a step"
    assert found["frames"].text.startswith(("5.", "6."))
    assert "of a recording" in found["stamps"].text
    assert "known at 95 %" in found["depth"].text


def test_usb_2_and_another_profile_are_warnings(tmp_path):
    settings = recorded(tmp_path, usb="2.1")
    found = examined(tmp_path, **{**settings, "width": 640, "height": 480})
    assert found["USB"].status == "warn"
    assert "USB 3 cable" in found["USB"].advice
    assert found["profile"].status == "warn"
    assert "the nearest is 64 x 48" in found["profile"].text


def test_a_wrong_depth_scale_fails(tmp_path):
    found = examined(tmp_path, **recorded(tmp_path, depth_units=0.0))
    assert found["camera"].status == "fail"
    assert "depth scale" in found["camera"].text


def test_no_camera_or_another_serial_number_fails_and_names_it(tmp_path):
    found = examined(tmp_path, source="realsense", device="0123")
    assert found["camera"].status == "fail"
    assert "'0123'" in found["camera"].text


def test_a_missing_library_fails_with_both_packages(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyrealsense2", None)
    (finding,) = examined(tmp_path, source="realsense").values()
    assert finding.status == "fail"
    assert "libusb-1.0-0" in finding.advice


@pytest.mark.parametrize(
    ("domain", "status"),
    [("global_time", "ok"), ("system_time", "warn")],
)
def test_the_clock_of_the_stamps_is_judged(tmp_path, monkeypatch, domain, status):
    device = SoftwareRealSense(domain=domain)
    opener = realsense.RealSenseOpener

    class Bench(opener):
        def __init__(self, settings, *, clock):
            super().__init__(settings, clock=clock, select=device.select)

        def open(self, tally):
            stream = super().open(tally)
            read = stream.read

            def fed(timeout_s):
                number = tally.seen + 1
                ms = clock_ns() / 1e6
                (shot,) = evenly(1, 30.0, first=number, start_ms=ms)
                device.shoot(shot)
                return read(timeout_s)

            monkeypatch.setattr(stream, "read", fed)
            return stream

    clock_ns = camera.time.time_ns
    monkeypatch.setattr(camera, "_ENOUGH", 1)
    monkeypatch.setattr(realsense, "RealSenseOpener", Bench)
    found = examined(tmp_path, source="realsense", width=64, height=48, rate_hz=30.0)
    assert found["stamps"].status == status
    assert domain in found["stamps"].text


def test_a_webcam_is_opened_and_looked_at(tmp_path):
    video = tmp_path / "webcam.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (64, 48))
    for _ in range(20):
        writer.write(np.full((48, 64, 3), 3, np.uint8))
    writer.release()
    settings = {"source": "uvc", "path": str(video), "width": 64, "height": 48, "rate_hz": 30.0}
    found = examined(tmp_path, **settings)
    assert found["profile"].text.endswith("colour 64 x 48 at 30 Hz")
    assert found["model"].status == "warn"
    assert found["frames"].status == "ok"
    assert found["picture"].status == "warn"
    assert found["picture"].text.startswith("mean brightness")
    asked = examined(tmp_path, **{**settings, "width": 640, "height": 480})
    assert asked["profile"].status == "warn"
    (absent,) = examined(tmp_path, source="uvc", device="/dev/video97").values()
    assert absent.status == "fail"
    assert "/dev/video97" in absent.text


def test_rigs_without_a_device_need_none(tmp_path):
    assert examined(tmp_path)["camera"].status == "ok"
    assert examined(tmp_path, source="simulated")["camera"].status == "ok"
    found = examined(tmp_path, source="file", path=str(tmp_path / "no"))
    assert found["camera"].status == "fail"
