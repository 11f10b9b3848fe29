"""Points of the tray land on their pixels, also when the tray is tilted."""

import numpy as np
import pytest
import whole_episodes as rig

from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.pictures.projection import TrayCamera, downhill


@pytest.mark.parametrize("action", [(0.7, -0.2), (-0.4, -0.8), (0.0, 1.0)])
def test_downhill_is_where_gravity_pulls(action):
    found = downhill((*action, 0.0))
    assert found / np.linalg.norm(found) == pytest.approx(rig.downhill(action), abs=1e-9)


def test_points_follow_the_tilted_tray(tmp_path):
    (path,) = rig.write(tmp_path, rig.Wanted(action=(0.8, -0.4)))
    episode = Episode.open(path)
    camera = TrayCamera.of(episode)
    tray = episode.tray()
    points = np.array([[0.0, 0.0, 0.0], [0.12, -0.1, 0.0], [-0.1, 0.14, 0.05]])
    for index in (0, 150, 250):
        tilt = tray.rotation_vectors[index, :2]
        expected = [rig.pixel(point, tilt) for point in points]
        assert camera.pixels(points, int(tray.stamps_ns[index])) == pytest.approx(
            np.array(expected), abs=1e-6
        )
    assert np.abs(tray.rotation_vectors[250, :2]).max() > 0.2


def test_points_behind_the_camera_have_no_pixel(tmp_path):
    (path,) = rig.write(tmp_path, rig.Wanted())
    camera = TrayCamera.of(Episode.open(path))
    found = camera.pixels(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]), rig.EPOCH_NS)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
