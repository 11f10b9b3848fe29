import numpy as np
import pytest
from pydantic import ValidationError

from tiltbot_ros import bringup, topics
from tiltbot_ros.episodes.recorder_settings import RecorderSettings
from tiltbot_ros.rigs import Rig
from tiltbot_ros.sensors.cameras import CameraSettings
from tiltbot_ros.session import SessionSettings

MATRIX = [600.0, 601.0, 319.5, 239.5]


def rig(**camera):
    arm = {"driver": "kinematic"}
    return Rig.model_validate({"name": "lab", "arm": arm, "camera": camera})


def recorded(rig):
    streams = SessionSettings.of(rig).streams(RecorderSettings(), full_name=str)
    return {stream.topic.name for stream in streams}


def node(rig, name, tmp_path):
    specs = bringup.collect_graph(rig, out=tmp_path)
    return next((spec for spec in specs if spec.name == name), None)


@pytest.mark.parametrize(
    ("camera", "depth", "located"),
    [
        ({"source": "realsense"}, True, True),
        ({"source": "realsense", "depth": False}, False, True),
        ({"source": "uvc"}, False, False),
        ({"source": "uvc", "matrix": MATRIX}, False, True),
    ],
)
def test_what_is_recorded_and_tracked_follows_from_the_camera(camera, depth, located, tmp_path):
    lab = rig(**camera)
    names = recorded(lab)
    assert topics.COLOR.name in names
    assert topics.CAMERA_INFO.name in names
    assert (topics.DEPTH.name in names) == depth
    assert (topics.OBJECT_LOCATION.name in names) == located
    tracker = node(lab, "tracker", tmp_path)
    assert (tracker is not None) == located
    assert tracker is None or tracker.parameters["tracker.depth"] == depth
    recorder = node(lab, "recorder", tmp_path).parameters
    assert (recorder["session.depth"], recorder["session.located"]) == (depth, located)


def test_compressed_depth_is_left_out_with_the_depth():
    lab = rig(source="uvc")
    settings = RecorderSettings(images="compressed")
    streams = SessionSettings.of(lab).streams(settings, full_name=str)
    names = {stream.topic.name for stream in streams}
    assert topics.COLOR_COMPRESSED.name in names
    assert topics.DEPTH_COMPRESSED.name not in names


def test_a_video_has_no_model_unless_one_is_given(tmp_path):
    video = tmp_path / "a.avi"
    video.touch()
    assert not CameraSettings(source="file", path=str(video)).has_model
    assert CameraSettings(source="file", path=str(video), matrix=MATRIX).has_model
    assert CameraSettings(source="file", path=str(tmp_path)).has_model


def test_a_given_model_belongs_to_its_size():
    settings = CameraSettings(matrix=MATRIX, distortion=[0.1, 0.2, 0.3, 0.4, 0.5])
    found = settings.given_intrinsics(640, 480)
    assert np.array_equal(found.k, [[600, 0, 319.5], [0, 601, 239.5], [0, 0, 1]])
    assert found.distortion.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert not settings.given_intrinsics(1280, 720).k.any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"matrix": [600.0, 600.0]},
        {"matrix": MATRIX, "distortion": [0.1]},
        {"distortion": [0.1, 0.0, 0.0, 0.0, 0.0]},
        {"source": "webcam"},
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValidationError):
        CameraSettings.model_validate(wrong)
