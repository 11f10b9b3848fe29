from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import CameraInfo, Image

from tiltbot_ros import topics
from tiltbot_ros.nodes.tracker_node import PairTracker
from tiltbot_ros.sensors.tracker import TrackerSettings

HEIGHT, WIDTH, FOCAL, ABOVE_M = 120, 160, 150.0, 0.6


@pytest.fixture
def tracker():
    sent = defaultdict(list)
    node = SimpleNamespace(
        create_publisher=lambda _, name, *__, **___: SimpleNamespace(publish=sent[name].append)
    )
    tracker = PairTracker(node, TrackerSettings(depth=False, learn_frames=5, decimation=1))
    info = CameraInfo(width=WIDTH, height=HEIGHT, d=[0.0] * 5)
    info.k = [FOCAL, 0.0, WIDTH / 2, 0.0, FOCAL, HEIGHT / 2, 0.0, 0.0, 1.0]
    pose = PoseStamped()
    pose.header.frame_id = "tray"
    pose.pose.position.z = ABOVE_M
    pose.pose.orientation.x, pose.pose.orientation.w = 1.0, 0.0
    tracker.on_info(info)
    tracker.on_camera_pose(pose)
    return tracker, sent[topics.OBJECT_LOCATION.name]


def picture(column=None, row=None):
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    if column is not None:
        pixels[row - 6 : row + 6, column - 6 : column + 6] = (220, 30, 30)
    return Image(height=HEIGHT, width=WIDTH, encoding="rgb8", data=pixels.tobytes())


def test_colour_alone_locates_the_object_as_if_it_lay_on_the_floor(tracker):
    tracker, locations = tracker
    for _ in range(5):
        tracker.on_pair(picture())
    tracker.on_pair(picture(column=105, row=45))
    found = locations[-1]
    assert found.valid
    metres = ABOVE_M / FOCAL
    # Image right is +x, image up is +y.
    assert found.position.x == pytest.approx((105 - WIDTH / 2) * metres, abs=0.004)
    assert found.position.y == pytest.approx((HEIGHT / 2 - 45) * metres, abs=0.004)
    assert found.position.z == pytest.approx(0.0, abs=1e-6)
