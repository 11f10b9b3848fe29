import json
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tiltbot_ros.errors import ConfigError, DeviceError
from tiltbot_ros.sensors.camera_file import FileCamera
from tiltbot_ros.sensors.camera_opening import open_camera
from tiltbot_ros.sensors.cameras import CameraIntrinsics, CameraSettings, RgbdFrame
from tiltbot_ros.sensors.frame_folder import FrameFolder, write_frames

START_NS = 1_700_000_000_000_000_000
SIZE = (48, 64)
MODEL = CameraIntrinsics(
    width=64,
    height=48,
    k=np.array([[60.0, 0, 31.5], [0, 61.0, 23.5], [0, 0, 1]]),
    distortion=np.array([0.1, -0.2, 0.001, 0.0, 0.05]),
)


def frames(count: int, *, depth: bool = True, period_ns: int = 20_000_000) -> list[RgbdFrame]:
    rng = np.random.default_rng(4)
    return [
        RgbdFrame(
            stamp_ns=5_000 + index * period_ns,
            color=rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8),
            depth=rng.integers(0, 65_536, SIZE, dtype=np.uint16) if depth else None,
            intrinsics=MODEL,
        )
        for index in range(count)
    ]


def settings(path: Path, **changes: object) -> CameraSettings:
    values = {"source": "file", "path": str(path), "width": 64, "height": 48, **changes}
    return CameraSettings.model_validate(values)


def play(camera: FileCamera, *, count: int | None = None) -> list[RgbdFrame]:
    seen: list[RgbdFrame] = []
    enough = threading.Event()

    def sink(frame: RgbdFrame) -> None:
        seen.append(frame)
        if len(seen) == count:
            enough.set()

    camera.start(sink)
    if count is None:
        while camera.health().state == "running":
            time.sleep(0.005)
    else:
        assert enough.wait(10)
    camera.stop()
    return seen


@pytest.mark.parametrize("depth", [True, False])
def test_every_pixel_and_the_model_come_back_as_written(tmp_path, depth):
    written = frames(5, depth=depth)
    assert write_frames(tmp_path / "f", written, rate_hz=50.0) == 5
    camera = FileCamera(settings(tmp_path / "f"), clock=lambda: START_NS)
    played = play(camera)
    for before, after in zip(written, played, strict=True):
        assert np.array_equal(before.color, after.color)
        assert (before.depth is None) == (after.depth is None)
        assert before.depth is None or np.array_equal(before.depth, after.depth)
    assert np.array_equal(camera.intrinsics.k, MODEL.k)
    assert np.array_equal(camera.intrinsics.distortion, MODEL.distortion)
    assert [f.stamp_ns - START_NS for f in played] == [k * 20_000_000 for k in range(5)]
    assert camera.health().state == "ended"


def test_frames_come_at_their_own_pace(tmp_path):
    write_frames(tmp_path / "f", frames(10), rate_hz=50.0)
    begin = time.monotonic()
    play(FileCamera(settings(tmp_path / "f"), clock=time.time_ns))
    assert 0.17 < time.monotonic() - begin < 1.0


def test_a_loop_keeps_the_period_across_its_seam(tmp_path):
    write_frames(tmp_path / "f", frames(4), rate_hz=50.0)
    camera = FileCamera(settings(tmp_path / "f", loop=True), clock=lambda: START_NS)
    played = play(camera, count=10)[:10]
    assert np.array_equal(played[0].color, played[8].color)
    assert set(np.diff([f.stamp_ns for f in played])) == {20_000_000}
    assert camera.health().state == "stopped"


def test_a_video_gives_colour_without_a_model(tmp_path):
    path = tmp_path / "video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 50.0, (64, 48))
    for level in (0, 60, 120, 180, 240):
        writer.write(np.full((*SIZE, 3), (level, 0, 0), np.uint8))
    writer.release()
    played = play(FileCamera(settings(path, loop=True), clock=lambda: START_NS), count=7)
    assert [round(int(f.color[5, 5, 2]) / 60) for f in played[:7]] == [0, 1, 2, 3, 4, 0, 1]
    assert played[0].depth is None
    assert not played[0].intrinsics.k.any()
    assert played[5].stamp_ns - START_NS == 100_000_000


def test_what_is_missing_or_wrong_is_named(tmp_path):
    with pytest.raises(DeviceError, match="expected a video file at"):
        FileCamera(settings(tmp_path / "absent"), clock=time.time_ns)
    folder = tmp_path / "f"
    folder.mkdir()
    with pytest.raises(DeviceError, match=r"expected .*camera.json with width"):
        FrameFolder(folder)
    write_frames(folder, frames(3), rate_hz=50.0)
    with pytest.raises(DeviceError, match="choose another folder"):
        write_frames(folder, frames(3), rate_hz=50.0)
    with pytest.raises(DeviceError, match=r"expected 640 x 480 pixels .* has 64 x 48"):
        FileCamera(settings(folder, width=640, height=480), clock=time.time_ns)
    facts = json.loads((folder / "camera.json").read_text())
    (folder / "camera.json").write_text(json.dumps({**facts, "stamps_ns": [1, 2]}))
    with pytest.raises(DeviceError, match="expected 3 stamps_ns"):
        FrameFolder(folder)
    (folder / "camera.json").write_text(json.dumps({**facts, "width": -1}))
    with pytest.raises(DeviceError, match="width"):
        FrameFolder(folder)
    (folder / "camera.json").write_text(json.dumps(facts))
    (folder / "color_000001.png").rename(folder / "color_000007.png")
    with pytest.raises(DeviceError, match="without a gap"):
        FrameFolder(folder)


def test_a_damaged_picture_fails_and_names_itself(tmp_path):
    folder = tmp_path / "f"
    write_frames(folder, frames(3), rate_hz=50.0)
    (folder / "depth_000001.png").write_bytes(b"no picture")
    camera = FileCamera(settings(folder), clock=time.time_ns)
    assert len(play(camera)) == 1
    assert camera.health().state == "failed"
    assert "depth_000001.png" in camera.health().detail


def test_an_8_bit_depth_picture_is_refused(tmp_path):
    folder = tmp_path / "f"
    write_frames(folder, frames(1), rate_hz=50.0)
    cv2.imwrite(str(folder / "depth_000000.png"), np.zeros(SIZE, np.uint8))
    with pytest.raises(DeviceError, match=r"pixels of uint16 .* got 64 x 48 of uint8"):
        FrameFolder(folder).read(0, stamp_ns=0)


def test_simulated_pictures_are_not_opened_here():
    with pytest.raises(ConfigError, match="come from its world node"):
        open_camera(CameraSettings(source="simulated"), clock=lambda: 0)
