"""librealsense's own pipeline, over its software device and over recordings of it."""

import math
import time
from types import SimpleNamespace

import cv2
import numpy as np
import pyrealsense2 as rs
import pytest

from tests.emulators.software_realsense import (
    BASELINE_M,
    FAR_MM,
    FOCAL,
    NEAR_MM,
    Shot,
    SoftwareRealSense,
    color_of,
    evenly,
    wait_until,
)
from tiltbot_ros.errors import DeviceError, MissingDependencyError
from tiltbot_ros.sensors.camera_opening import open_camera
from tiltbot_ros.sensors.cameras import CameraSettings, Tally
from tiltbot_ros.sensors.live_camera import LiveCamera
from tiltbot_ros.sensors.realsense import RealSenseOpener
from tiltbot_ros.sensors.realsense_device import (
    color_intrinsics,
    find_device,
    in_millimetres,
    load_realsense,
)

pytestmark = pytest.mark.realtime
NOW_NS = 1_760_000_000_000_000_000


def settings(**changes):
    values = {"source": "realsense", "width": 64, "height": 48, "rate_hz": 30.0}
    return CameraSettings.model_validate({**values, **changes})


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    """0.8 s at 30 Hz; two colour frames and one depth frame are missing."""
    shots = evenly(24, 30.0)
    shots[10] = Shot(number=None, depth_ms=shots[10].depth_ms, depth_number=110)
    shots[11] = Shot(number=None, depth_ms=shots[11].depth_ms, depth_number=111)
    shots[17] = Shot(number=shots[17].number, color_ms=shots[17].color_ms)
    path = tmp_path_factory.mktemp("realsense") / "recording.db3"
    return SoftwareRealSense(domain="hardware_clock").record(path, shots, pause_s=1 / 30)


def played(camera, *, timeout_s=20.0):
    frames = []
    camera.start(frames.append)
    wait_until(lambda: camera.health().state in {"ended", "failed"}, timeout_s)
    camera.stop()
    return frames


def numbers(frames):
    """Tell from its colour which frame it is."""
    known = {color_of(number): number for number in range(251)}
    return [known[tuple(int(v) for v in frame.color[5, 5])] for frame in frames]


def test_a_recording_gives_every_pair_once_with_its_own_times(recording):
    camera = open_camera(settings(path=str(recording)), clock=lambda: NOW_NS)
    frames = played(camera)
    seen = numbers(frames)
    assert seen == sorted(set(seen))
    assert not {110, 111, 117} & set(seen)
    # A busy computer may lose frames, as playback keeps its own pace.
    assert len(seen) > 12
    times = np.array([frame.stamp_ns - NOW_NS for frame in frames])
    assert np.allclose(times, (np.array(seen) - seen[0]) * 1e9 / 30, atol=2000)
    for frame, number in zip(frames, seen, strict=True):
        assert np.array_equal(frame.color, np.broadcast_to(color_of(number), (48, 64, 3)))
        assert frame.depth.dtype == np.uint16
    health = camera.health()
    assert health.detail.startswith("end of")
    assert health.stream.startswith("Software D435 77: colour 64 x 48 at 30 Hz, depth 64 x 48")
    assert health.tally.dropped >= 2
    assert health.tally.unmatched >= 1
    assert health.tally.domain == "hardware_clock"


def test_depth_is_aligned_to_the_colour(recording):
    frame = played(LiveCamera(s := settings(path=str(recording)), opener=opener(s)))[0]
    shift = FOCAL * BASELINE_M / (NEAR_MM / 1000.0)
    columns = np.flatnonzero((frame.depth[20:28] == NEAR_MM).all(axis=0))
    assert columns.min() == pytest.approx(64 // 3 + shift, abs=1)
    assert columns.max() == pytest.approx(2 * 64 // 3 - 1 + shift, abs=1)
    assert set(np.unique(frame.depth)) == {0, NEAR_MM, FAR_MM}
    intrinsics = frame.intrinsics
    assert np.allclose(intrinsics.k, [[60, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])
    assert (intrinsics.width, intrinsics.height) == (64, 48)


def opener(with_settings, **options):
    return RealSenseOpener(with_settings, clock=time.time_ns, **options)


def test_a_recording_is_decimated_to_the_asked_rate(recording):
    s = settings(path=str(recording), rate_hz=6.0)
    frames = played(LiveCamera(s, opener=opener(s)))
    assert 3 <= len(frames) <= 5
    assert np.diff([frame.stamp_ns for frame in frames]).min() > 0.12e9


def test_a_recording_that_loops_goes_on_in_time(recording):
    s = settings(path=str(recording), loop=True, rate_hz=15.0)
    camera, frames = LiveCamera(s, opener=opener(s)), []
    camera.start(frames.append)
    wait_until(lambda: len(frames) > 14)
    camera.stop()
    stamps = np.array([frame.stamp_ns for frame in frames])
    assert (np.diff(stamps) > 0).all()
    assert camera.health().reconnects == 0


class Unpluggable(RealSenseOpener):
    """Takes the end of its recording for an unplugged camera."""

    def open(self, tally):
        stream = super().open(tally)

        class Stream(type(stream)):
            ended = False

        stream.__class__ = Stream
        return stream


def test_a_camera_that_is_unplugged_comes_back_when_it_is_plugged_in(recording, tmp_path):
    cable = tmp_path / "plugged.db3"
    cable.symlink_to(recording)
    s = settings(path=str(cable), stall_s=0.3, retry_max_s=0.1)
    camera, frames = LiveCamera(s, opener=Unpluggable(s, clock=time.time_ns)), []
    camera.start(frames.append)
    wait_until(lambda: frames)
    cable.unlink()
    wait_until(lambda: "found none" in camera.health().detail)
    health = camera.health()
    assert health.state == "stalled"
    assert health.misses >= 1
    before = len(frames)
    cable.symlink_to(recording)
    wait_until(lambda: len(frames) > before + 3)
    assert camera.health().reconnects == 1
    assert camera.health().state == "running"
    camera.stop()
    stamps = [frame.stamp_ns for frame in frames]
    assert stamps == sorted(stamps)


@pytest.fixture
def bench():
    """A live software camera, and what it delivered."""
    cameras = []

    def start(device=None, **changes):
        device = device or SoftwareRealSense()
        s = settings(**changes)
        camera, frames = LiveCamera(s, opener=opener(s, select=device.select)), []
        cameras.append(camera)
        camera.start(frames.append)
        return device, camera, frames

    yield start
    for camera in cameras:
        camera.stop()


def now_ms():
    return time.time_ns() / 1e6


def shoot(device, numbers, *, depth_late_ms=0.0, pause_s=0.01):
    for number in numbers:
        ms = now_ms()
        device.shoot(Shot(number=number, color_ms=ms, depth_ms=ms + depth_late_ms))
        time.sleep(pause_s)


@pytest.mark.parametrize("domain", ["system_time", "global_time"])
def test_a_live_camera_keeps_the_times_of_the_computers_clock(bench, domain):
    device, camera, frames = bench(SoftwareRealSense(domain=domain), rate_hz=30.0)
    begin = now_ms()
    for k in range(12):
        device.shoot(Shot(number=k, color_ms=begin + k / 0.03, depth_ms=begin + k / 0.03))
        time.sleep(1 / 30)
    wait_until(lambda: len(frames) > 6)
    expected = [round((begin + n / 0.03) * 1e6) for n in numbers(frames)]
    assert [f.stamp_ns for f in frames] == pytest.approx(expected, abs=1000)
    tally = camera.health().tally
    assert (tally.domain, tally.restamped) == (domain, 0)


def test_the_cameras_own_clock_gives_stamps_after_a_second(bench):
    device, _, frames = bench(SoftwareRealSense(domain="hardware_clock"))
    truth = {}
    for k in range(60):
        truth[k] = time.time_ns()
        device.shoot(Shot(number=k, color_ms=9000.0 + k / 0.03, depth_ms=9000.0 + k / 0.03))
        time.sleep(1 / 30)
    wait_until(lambda: frames)
    seen = numbers(frames)
    # The device's clock counts 30 Hz evenly; this computer's sleeps are a little longer.
    assert seen[0] >= 28
    stamps = np.array([frame.stamp_ns for frame in frames])
    assert (np.diff(stamps) > 0).all()
    assert np.median(stamps - [truth[n] for n in seen]) / 1e9 == pytest.approx(0.0, abs=0.3)


def test_lost_and_overtaken_frames_are_counted_and_order_is_kept(bench):
    device, camera, frames = bench(rate_hz=200.0)
    base = now_ms()
    for number in (1, 2, 3, 7, 5, 8, 9):
        ms = base + number
        device.shoot(Shot(number=number, color_ms=ms, depth_ms=ms))
        time.sleep(0.03)
    wait_until(lambda: camera.health().tally.seen >= 6)
    time.sleep(0.1)
    seen = numbers(frames)
    assert seen == sorted(set(seen))
    assert 5 not in seen
    assert camera.health().tally.dropped == 3


def test_colour_and_depth_of_different_times_are_no_pair(bench):
    # As when one of the two sensors gives no metadata, and so stamps of another clock.
    mixed = SoftwareRealSense(domain="system_time", depth_domain="hardware_clock")
    device, camera, frames = bench(mixed, stall_s=0.2)
    shoot(device, range(40), depth_late_ms=-5000.0, pause_s=0.02)
    assert not frames
    health = camera.health()
    assert health.state == "stalled"
    assert "without depth near enough" in health.detail
    assert health.detail.endswith("system_time (depth: hardware_clock)")
    assert health.tally.unmatched >= 10
    shoot(device, range(40, 50), depth_late_ms=-10.0)
    wait_until(lambda: frames)
    assert camera.health().state == "running"


def test_a_live_camera_that_falls_silent_is_opened_anew(bench):
    device, camera, frames = bench(stall_s=0.2, retry_max_s=0.05)
    shoot(device, range(5))
    wait_until(lambda: camera.health().state == "stalled")
    count, number = len(frames), 100
    deadline = time.monotonic() + 20.0
    while len(frames) < count + 3:
        assert time.monotonic() < deadline
        shoot(device, [number])
        number += 1
    assert camera.health().reconnects == 1


def test_bgr_becomes_rgb(bench):
    device, _, frames = bench(SoftwareRealSense(color_format="bgr8"))
    shoot(device, [5, 6, 7])
    wait_until(lambda: frames)
    assert numbers(frames)[0] in (5, 6, 7)
    assert frames[0].color.flags.c_contiguous


def test_colour_alone_is_streamed_when_depth_is_not_wanted(bench):
    device, camera, frames = bench(depth=False)
    shoot(device, [1, 2, 3])
    wait_until(lambda: frames)
    assert frames[0].depth is None
    assert "depth" not in camera.health().stream


@pytest.mark.parametrize(("units", "near"), [(0.0001, 40), (0.01, 4000)])
def test_another_depth_scale_is_turned_into_millimetres(bench, units, near):
    device, _, frames = bench(SoftwareRealSense(depth_units=units))
    shoot(device, [1, 2, 3])
    wait_until(lambda: frames)
    assert set(np.unique(frames[0].depth)) <= {0, near, 2 * near}
    assert near in frames[0].depth


@pytest.mark.parametrize("units", [0.0, 1e-9, 5.0, math.nan])
def test_a_depth_scale_that_cannot_be_is_refused(units):
    device = SoftwareRealSense(depth_units=units)
    s = settings()
    with pytest.raises(DeviceError, match="depth scale"):
        opener(s, select=device.select).open(Tally())


def test_what_is_too_far_for_16_bits_is_unknown():
    steps = np.array([[0, 1, 6553, 6554, 65535]], np.uint16)
    assert in_millimetres(steps, 10.0).tolist() == [[0, 10, 65530, 0, 0]]
    assert in_millimetres(steps, 1.00000005).tolist() == steps.tolist()


def test_the_nearest_profile_is_opened_and_the_difference_said(bench):
    device, camera, frames = bench(width=640, height=480, rate_hz=6.0)
    shoot(device, range(10), pause_s=0.04)
    wait_until(lambda: frames)
    assert frames[0].color.shape == (48, 64, 3)
    assert camera.health().detail == (
        "640 x 480 at 6 Hz is not offered, the nearest is 64 x 48 at 30 Hz"
    )


def test_files_that_are_no_recordings_are_named(tmp_path, recording):
    junk = tmp_path / "junk.db3"
    junk.write_bytes(b"junk" * 1000)
    cut = tmp_path / "cut.db3"
    cut.write_bytes(recording.read_bytes()[:20_000])
    for path, words in ((tmp_path / "no.db3", "found none"), (junk, "junk"), (cut, "cut")):
        s = settings(path=str(path))
        with pytest.raises(DeviceError, match=words):
            opener(s).open(Tally())


def test_no_camera_is_told_at_once_not_after_the_pipelines_15_s():
    begin = time.monotonic()
    with pytest.raises(DeviceError, match="expected a RealSense, found none"):
        opener(settings()).open(Tally())
    with pytest.raises(DeviceError, match="serial number '123', found none"):
        opener(settings(device="123")).open(Tally())
    assert time.monotonic() - begin < 10.0


def context(*serials):
    devices = [SoftwareRealSense(serial=serial).device for serial in serials]
    return SimpleNamespace(query_devices=lambda: devices)


def test_of_several_cameras_the_serial_number_chooses():
    found = find_device(rs, context("11", "22"), "22")
    assert found.get_info(rs.camera_info.serial_number) == "22"
    assert find_device(rs, context("11"), "").get_info(rs.camera_info.serial_number) == "11"
    with pytest.raises(DeviceError, match=r"'33', found Software D435 11, Software D435 22"):
        find_device(rs, context("11", "22"), "33")
    with pytest.raises(DeviceError, match=r"found Software D435 11, .*set camera.device"):
        find_device(rs, context("11", "22"), "")


@pytest.mark.parametrize("model", ["brown_conrady", "inverse_brown_conrady"])
def test_the_distortion_is_opencvs(model):
    lens = rs.intrinsics()
    lens.width, lens.height = 640, 480
    lens.fx, lens.fy, lens.ppx, lens.ppy = 610.0, 612.0, 320.5, 238.0
    lens.model = getattr(rs.distortion, model)
    lens.coeffs = [0.12, -0.25, 0.001, -0.0008, 0.1]
    found = color_intrinsics(SimpleNamespace(get_intrinsics=lambda: lens))
    for point in ([0.1, -0.2, 0.7], [0.25, 0.15, 0.6], [-0.2, 0.1, 0.5]):
        expected = rs.rs2_project_point_to_pixel(lens, point)
        pixel, _ = cv2.projectPoints(
            np.array([point]), np.zeros(3), np.zeros(3), found.k, found.distortion
        )
        assert np.allclose(pixel.ravel(), expected, atol=0.1)


def test_a_fisheye_is_refused():
    lens = rs.intrinsics()
    lens.model = rs.distortion.kannala_brandt4
    with pytest.raises(DeviceError, match="kannala_brandt4"):
        color_intrinsics(SimpleNamespace(get_intrinsics=lambda: lens))


def test_a_missing_library_is_named_with_both_packages(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyrealsense2", None)
    with pytest.raises(MissingDependencyError, match=r"pip install pyrealsense2.*libusb-1\.0-0"):
        load_realsense()
    with pytest.raises(MissingDependencyError):
        open_camera(settings(), clock=time.time_ns)
