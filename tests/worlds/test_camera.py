import os
import subprocess
import sys
import time

import numpy as np
import pytest

from tiltbot_ros.errors import MissingDependencyError, WorldError
from tiltbot_ros.sensors.image_codec import pack
from tiltbot_ros.worlds.camera import Painter, PictureSettings, TrayCamera, intrinsics, pose
from tiltbot_ros.worlds.camera_process import CameraProcess
from tiltbot_ros.worlds.hinges import orientation
from tiltbot_ros.worlds.tray import TrayWorld

EXACT = PictureSettings(color_noise=0.0, depth_noise=0.0)


def tilted(name, *, seed=3, tilt=(0.2, -0.25), frames=24_000):
    world = TrayWorld(seed=seed)
    world.place(name)
    world.command(np.array(tilt))
    world.advance(frames)
    return world


def project(settings, camera, point):
    local = np.linalg.inv(camera) @ [*point, 1.0]
    pixel = intrinsics(settings) @ local[:3]
    return pixel[:2] / pixel[2], local[2]


@pytest.mark.parametrize("mount", ["tray", "world"])
@pytest.mark.parametrize("tilt", [(0.2, -0.25), (-0.3, 0.1)])
def test_object_is_drawn_where_its_position_says(mount, tilt):
    settings = EXACT.model_copy(update={"mount": mount})
    world = tilted("058_golf_ball", tilt=tilt)
    state = world.state
    centre = state.object_position
    camera = pose(settings)
    if mount == "world":
        centre = orientation(state.joint_position) @ centre
    painter = Painter(settings, seed=0)
    painter.load(world.tray_model)
    snapshot = world.snapshot()
    mask = painter.segment(snapshot)
    rows, columns = np.nonzero(mask)
    (x, y), depth = project(settings, camera, centre)
    assert x == pytest.approx(columns.mean(), abs=2.0)
    assert y == pytest.approx(rows.mean(), abs=2.0)
    seen = painter.paint(snapshot).depth[round(y), round(x)]
    painter.close()
    assert seen == pytest.approx(1000 * (depth - 0.0427 / 2), abs=5.0)


def test_depth_of_the_level_floor_is_the_height_of_the_camera():
    world = TrayWorld(seed=0)
    camera = TrayCamera(world, EXACT)
    frame = camera.render()
    middle = frame.depth[200:280, 280:360]
    assert np.abs(middle.astype(float) - 520.0).max() <= 1.0
    assert frame.color.shape == (480, 640, 3)
    assert frame.color.dtype == np.uint8
    # The inner wall's foot: 150 mm from the centre, at 520 mm.
    focal = camera.intrinsics[0, 0]
    edge = 319.5 + 0.150 / 0.520 * focal
    row = frame.depth[240].astype(float)
    assert row[int(edge) - 4] == pytest.approx(520.0, abs=2.0)
    assert row[int(edge) + 6] < 512.0
    camera.close()


def test_new_object_is_drawn_at_once_and_noise_is_repeatable():
    world = TrayWorld(seed=0)
    camera = TrayCamera(world)
    empty = camera.render()
    np.testing.assert_array_equal(empty.color, camera.render().color)
    world.place("red_cube")
    full = camera.render()
    middle = full.color[225:255, 305:335].reshape(-1, 3).mean(axis=0)
    assert middle[0] > 1.8 * middle[1]
    assert np.abs(full.color.astype(int) - empty.color).max() > 60
    assert world.frame == full.frame
    camera.close()


def test_process_draws_the_same_picture():
    world = tilted("005_tomato_soup_can")
    here = TrayCamera(world).render()
    there = CameraProcess(world)
    try:
        assert there.fetch() is None
        assert there.request()
        assert not there.request()
        frame = there.fetch(20.0)
        np.testing.assert_array_equal(frame.color, here.color)
        np.testing.assert_array_equal(frame.depth, here.depth)
        assert frame.packed is None
        there.request(pack=True)
        assert there.fetch(20.0).packed == pack(
            here.color, here.depth, jpeg_quality=90, png_level=4
        )
        world.place("green_cube")
        there.request()
        assert (there.fetch(20.0).color != here.color).any()
        there._process.kill()
        there._process.join()
        with pytest.raises(WorldError, match="ended"):
            _ = there.request() and there.fetch(5.0)
    finally:
        there.close()


def test_missing_renderer_names_the_packages_and_leaves_physics():
    code = (
        "from tiltbot_ros.worlds.tray import TrayWorld\n"
        "from tiltbot_ros.worlds.camera import TrayCamera\n"
        "from tiltbot_ros.errors import MissingDependencyError\n"
        "world = TrayWorld(seed=0); world.advance(441)\n"
        "try: TrayCamera(world).render()\n"
        "except MissingDependencyError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MUJOCO_GL": "disable"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "libegl1 libopengl0 libgl1-mesa-dri" in done.stdout, done.stderr


def test_process_reports_a_missing_renderer(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "disable")
    with pytest.raises(MissingDependencyError, match="libegl1"):
        CameraProcess(TrayWorld(seed=0))


def test_asking_for_pictures_does_not_hold_up_the_sound():
    world = tilted("red_cube")
    camera = CameraProcess(world)
    try:
        camera.request()
        camera.fetch(20.0)
        started = time.monotonic()
        assert camera.request()
        assert time.monotonic() - started < 0.05
    finally:
        camera.close()
