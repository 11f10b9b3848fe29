import time

import cv2
import numpy as np
import pytest

from tests.emulators.software_realsense import wait_until
from tiltbot_ros.errors import DeviceError
from tiltbot_ros.sensors import uvc
from tiltbot_ros.sensors.camera_opening import open_camera
from tiltbot_ros.sensors.cameras import CameraSettings, Tally
from tiltbot_ros.sensors.live_camera import LiveCamera
from tiltbot_ros.sensors.uvc import UvcOpener

pytestmark = pytest.mark.realtime
WIDTH, HEIGHT, RATE_HZ = 64, 48, 30.0
LEVELS = tuple(range(20, 260, 20))


@pytest.fixture(scope="session")
def video(tmp_path_factory):
    """0.4 s at 30 Hz; each frame is redder than the one before."""
    path = tmp_path_factory.mktemp("uvc") / "webcam.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE_HZ, (WIDTH, HEIGHT))
    for level in LEVELS:
        writer.write(np.full((HEIGHT, WIDTH, 3), (0, 0, level), np.uint8))
    writer.release()
    return path


def settings(**changes):
    values = {"source": "uvc", "width": WIDTH, "height": HEIGHT, "rate_hz": RATE_HZ}
    return CameraSettings.model_validate({**values, **changes})


class Webcam:
    """What OpenCV's capture of a V4L2 device does, over a video's frames.

    Attributes:
        plugged: whether it gives pictures.
        stamped: whether the driver stamps its buffers.
        latency_s: from exposure to arrival.
        skip: frames that the device loses at once.
        told: size and rate that it gives, whatever is asked.
    """

    def __init__(self, video, *, told=(WIDTH, HEIGHT, RATE_HZ)):
        self.video, self.told = video, told
        self.plugged = self.stamped = True
        self.opened = self.skip = 0
        self.latency_s = 0.01
        self.retrieved = 0
        self.gray = False

    def open(self, _):
        if not self.plugged:
            raise DeviceError("expected a webcam, found none")
        self.opened += 1
        self.capture = cv2.VideoCapture(str(self.video))
        self.next_s = time.monotonic()
        return self

    def get(self, what):
        if what == cv2.CAP_PROP_POS_MSEC:
            return self.taken_s * 1000.0 if self.stamped else 0.0
        kinds = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
        return self.told[kinds.index(what)]

    def grab(self):
        if not self.plugged:
            return False
        self.next_s += (1 + self.skip) / RATE_HZ
        self.skip = 0
        self.taken_s = self.next_s
        time.sleep(max(0.0, self.taken_s + self.latency_s - time.monotonic()))
        if not self.capture.grab():
            self.capture = cv2.VideoCapture(str(self.video))
            self.capture.grab()
        return True

    def retrieve(self):
        self.retrieved += 1
        good, picture = self.capture.retrieve()
        return good, picture[..., 0] if self.gray else picture

    def release(self):
        self.capture.release()


@pytest.fixture
def bench(video):
    cameras = []

    def start(webcam=None, **changes):
        webcam = webcam or Webcam(video)
        s = settings(**changes)
        opener = UvcOpener(s, clock=time.time_ns, capture=webcam.open)
        camera, frames = LiveCamera(s, opener=opener), []
        cameras.append(camera)
        camera.start(frames.append)
        return webcam, camera, frames

    yield start
    for camera in cameras:
        camera.stop()


def test_a_video_in_place_of_the_webcam_gives_every_frame_at_its_pace(video):
    camera, frames = open_camera(settings(path=str(video)), clock=time.time_ns), []
    camera.start(frames.append)
    wait_until(lambda: camera.health().state == "ended")
    camera.stop()
    assert len(frames) == len(LEVELS)
    for frame, level in zip(frames, LEVELS, strict=True):
        assert np.abs(frame.color.reshape(-1, 3).mean(axis=0) - (level, 0, 0)).max() < 6
        assert frame.depth is None
    assert np.allclose(np.diff([f.stamp_ns for f in frames]), 1e9 / 30, atol=1e6)
    assert not frames[0].intrinsics.k.any()


def test_stamps_are_those_of_the_drivers_buffers(bench):
    webcam, camera, frames = bench()
    webcam.latency_s = 0.05
    wait_until(lambda: len(frames) > 8)
    camera.stop()
    offset_ns = time.time_ns() - time.monotonic_ns()
    grid = (np.array([f.stamp_ns - offset_ns for f in frames]) / 1e9 - webcam.taken_s) * RATE_HZ
    assert np.abs(grid - np.rint(grid)).max() < 0.15
    assert camera.health().tally.domain == "V4L2 buffer"


def test_without_the_drivers_stamps_the_latency_is_taken_off_the_arrival(bench, video):
    webcam = Webcam(video)
    webcam.stamped = False
    _, camera, frames = bench(webcam, latency_s=0.5)
    wait_until(lambda: frames)
    assert time.time_ns() - frames[-1].stamp_ns > 0.5e9
    assert camera.health().tally.domain == "arrival"


def test_only_the_wanted_frames_are_decoded(bench):
    webcam, camera, frames = bench(rate_hz=6.0)
    wait_until(lambda: len(frames) >= 4)
    camera.stop()
    assert len(frames) <= webcam.retrieved <= len(frames) + 1
    assert np.median(np.diff([f.stamp_ns for f in frames])) == pytest.approx(1e9 / 6, rel=0.05)
    assert camera.health().tally.seen > 3 * len(frames)


def test_a_webcam_that_is_unplugged_comes_back(bench):
    webcam, camera, frames = bench(stall_s=0.2, retry_max_s=0.05)
    wait_until(lambda: len(frames) > 2)
    webcam.plugged = False
    wait_until(lambda: "found none" in camera.health().detail)
    assert camera.health().state == "stalled"
    count = len(frames)
    webcam.plugged = True
    wait_until(lambda: len(frames) > count + 2)
    health = camera.health()
    assert (health.state, health.reconnects, webcam.opened) == ("running", 1, 2)


def test_frames_that_the_device_lost_are_counted(bench):
    webcam, camera, frames = bench()
    wait_until(lambda: len(frames) > 3)
    before = camera.health().tally.dropped
    webcam.skip = 4
    wait_until(lambda: camera.health().tally.dropped >= before + 4)


def test_another_size_or_rate_than_asked_is_said_and_leaves_the_model_unknown(bench, video):
    matrix = [60.0, 60.0, 31.5, 23.5]
    _, camera, frames = bench(width=640, height=480, matrix=matrix)
    wait_until(lambda: frames)
    assert camera.health().detail == (
        "640 x 480 at 30 Hz was asked of /dev/video0, it gives 64 x 48 at 30 Hz"
    )
    assert not frames[0].intrinsics.k.any()
    _, _, frames = bench(matrix=matrix, distortion=[0.1, 0.0, 0.0, 0.0, 0.0])
    wait_until(lambda: frames)
    assert frames[0].intrinsics.k[0, 2] == 31.5
    assert frames[0].intrinsics.distortion[0] == 0.1


def test_pictures_that_are_not_in_three_colours_are_refused(bench, video):
    webcam = Webcam(video)
    webcam.gray = True
    _, camera, frames = bench(webcam)
    wait_until(lambda: "three colours" in camera.health().detail)
    assert not frames


def test_what_is_no_webcam_is_named(tmp_path, monkeypatch):
    def refused(words, **changes):
        with pytest.raises(DeviceError, match=words):
            UvcOpener(settings(**changes), clock=time.time_ns).open(Tally())

    refused(r"expected a webcam at /dev/video97, found ", device="97")
    refused("expected a video file at", path=str(tmp_path / "no.avi"))
    node = tmp_path / "node"
    node.write_bytes(b"no camera")
    refused("expected .*node to open as a camera", device=str(node))
    monkeypatch.setattr(uvc.os, "access", lambda *_: False)
    refused("usermod -aG video", device=str(node))
