"""The tracker on rendered pictures of the simulated tray, whose truth is known."""

import dataclasses

import numpy as np
import pytest

from tiltbot_ros.sensors.cameras import CameraIntrinsics, RgbdFrame
from tiltbot_ros.sensors.tracker import Location, ObjectTracker, TrackerSettings
from tiltbot_ros.worlds.camera import Painter, PictureSettings, RenderedFrame, intrinsics, pose
from tiltbot_ros.worlds.tray import TrayWorld

OBJECTS = (
    "005_tomato_soup_can",
    "036_wood_block",
    "055_baseball",
    "024_bowl",
    "010_potted_meat_can",
)
PLACES = ((0.0, 0.0), (0.07, 0.06), (-0.07, 0.06), (0.06, -0.07), (-0.06, -0.05))
VIEW = PictureSettings()
MODEL = CameraIntrinsics(
    width=VIEW.width, height=VIEW.height, k=intrinsics(VIEW), distortion=np.zeros(5)
)


def frame_of(rendered: RenderedFrame) -> RgbdFrame:
    return RgbdFrame(
        stamp_ns=rendered.frame, color=rendered.color, depth=rendered.depth, intrinsics=MODEL
    )


class Stage:
    def __init__(self) -> None:
        self.world = TrayWorld(seed=3)
        self.painter = Painter(VIEW, seed=3)
        self.painter.load(self.world.tray_model)
        self.tracker = ObjectTracker(TrackerSettings(learn_frames=4), MODEL, pose(VIEW))
        for index in range(4):
            self.tracker.learn(frame_of(self.picture(instant=index)))

    def place(self, name: str | None) -> None:
        self.world.place(name)
        self.painter.load(self.world.tray_model)

    def picture(self, *, instant: int, move: tuple[float, float] = (0.0, 0.0)) -> RenderedFrame:
        snapshot = self.world.snapshot()
        qpos = snapshot.qpos.copy()
        if len(qpos) > 2:
            qpos[2:4] += move
        frame = 1000 * instant
        return self.painter.paint(dataclasses.replace(snapshot, qpos=qpos, frame=frame))

    def locate(self, *, instant: int, move: tuple[float, float] = (0.0, 0.0)) -> Location:
        return self.tracker.locate(frame_of(self.picture(instant=instant, move=move)))


@pytest.fixture(scope="module")
def stage():
    stage = Stage()
    yield stage
    stage.painter.close()


def test_the_empty_tray_stays_empty(stage):
    stage.place(None)
    assert stage.locate(instant=50).reason == "nothing"


def test_objects_are_found_within_8_millimetres(stage):
    errors = []
    for name in OBJECTS:
        stage.place(name)
        for instant, move in enumerate(PLACES, start=100):
            location = stage.locate(instant=instant, move=move)
            assert location.valid, (name, move, location.reason)
            errors.append(np.hypot(*(location.position[:2] - move)))
    assert np.median(errors) < 0.008
    assert max(errors) < 0.015
