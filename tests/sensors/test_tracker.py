import numpy as np
import pytest

from tiltbot_ros.errors import ConfigError, DeviceError
from tiltbot_ros.sensors.cameras import CameraIntrinsics, RgbdFrame
from tiltbot_ros.sensors.tracker import ObjectTracker, TrackerSettings

MODEL = CameraIntrinsics(
    width=640,
    height=480,
    k=np.array([[600.0, 0, 319.5], [0, 600.0, 239.5], [0, 0, 1]]),
    distortion=np.zeros(5),
)
FLOOR = (120, 110, 100)


def looking_down(x: float = 0.0, y: float = -0.15, z: float = 0.55) -> np.ndarray:
    """Pose of a camera that looks at the tray's centre, with its x axis along the tray's."""
    eye = np.array([x, y, z])
    forward = -eye / np.linalg.norm(eye)
    right = np.array([1.0, 0.0, 0.0]) - forward[0] * forward
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.column_stack([right, np.cross(forward, right), forward])
    pose[:3, 3] = eye
    return pose


POSE = looking_down()


class Scene:
    """Boxes on the floor, drawn by ray casting, with the noise of a real camera."""

    def __init__(self, pose: np.ndarray = POSE) -> None:
        self.rng = np.random.default_rng(7)
        self.eye = pose[:3, 3]
        u, v = np.meshgrid(np.arange(640.0), np.arange(480.0))
        rays = np.stack([(u - 319.5) / 600, (v - 239.5) / 600, np.ones_like(u)], axis=-1)
        self.rays = rays @ pose[:3, :3].T

    def frame(self, *boxes: tuple, stamp_ns: int = 0, noise: bool = True) -> RgbdFrame:
        """Draw boxes, each (center xy, size xyz, colour)."""
        depth = -self.eye[2] / self.rays[..., 2]
        color = np.empty((480, 640, 3))
        color[:] = FLOOR
        for center, size, paint in boxes:
            low = np.array([center[0] - size[0] / 2, center[1] - size[1] / 2, 0.0])
            high = low + size
            with np.errstate(divide="ignore"):
                one, two = (low - self.eye) / self.rays, (high - self.eye) / self.rays
            enter = np.minimum(one, two).max(axis=-1)
            leave = np.maximum(one, two).min(axis=-1)
            hit = (enter < leave) & (enter < depth)
            depth = np.where(hit, enter, depth)
            color[hit] = paint
        if noise:
            color += self.rng.normal(0, 2.0, color.shape)
            depth = depth + self.rng.normal(0, 0.001, depth.shape)
        millimetres = np.rint(depth * 1000).astype(np.uint16)
        if noise:
            millimetres[self.rng.random(depth.shape) < 0.01] = 0
        return RgbdFrame(
            stamp_ns=stamp_ns,
            color=np.clip(color, 0, 255).astype(np.uint8),
            depth=millimetres,
            intrinsics=MODEL,
        )


def tracker_of(scene: Scene, **changes: object) -> ObjectTracker:
    tracker = ObjectTracker(TrackerSettings.model_validate(changes), MODEL, POSE)
    while not tracker.learned:
        tracker.learn(scene.frame())
    return tracker


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


@pytest.fixture(scope="module")
def tracker(scene: Scene) -> ObjectTracker:
    return tracker_of(scene)


@pytest.mark.parametrize(
    "size", [(0.03, 0.03, 0.03), (0.07, 0.04, 0.10), (0.05, 0.05, 0.20), (0.10, 0.06, 0.02)]
)
def test_boxes_are_found_where_they_are(scene, tracker, size):
    errors = []
    for x in (-0.1, 0.0, 0.1):
        for y in (-0.1, 0.0, 0.1):
            location = tracker.locate(scene.frame(((x, y), size, (30, 60, 160)), stamp_ns=42))
            assert location.valid, location.reason
            assert location.stamp_ns == 42
            errors.append(np.hypot(*(location.position[:2] - (x, y))))
    assert np.median(errors) < 0.006
    assert max(errors) < 0.010


def test_a_flat_thing_is_seen_by_its_colour(scene, tracker):
    location = tracker.locate(scene.frame(((0.05, 0.02), (0.06, 0.04, 0.001), (20, 160, 40))))
    assert location.valid
    assert np.abs(location.position - (0.05, 0.02, 0.001)).max() < 0.004


def test_a_thing_of_the_floors_colour_is_seen_by_its_height(scene, tracker):
    location = tracker.locate(scene.frame(((-0.05, 0.08), (0.05, 0.05, 0.04), FLOOR)))
    assert location.valid
    assert np.hypot(*(location.position[:2] - (-0.05, 0.08))) < 0.005


def test_the_empty_tray_has_nothing_on_it(scene, tracker):
    location = tracker.locate(scene.frame())
    assert (location.valid, location.reason, location.pixels) == (False, "nothing", 0)
    assert np.isnan(location.position).all()


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ([((0.0, 0.0), (0.012, 0.008, 0.01), (30, 60, 160))], "too small"),
        ([((0.0, 0.0), (0.25, 0.25, 0.05), (30, 60, 160))], "too large"),
        (
            [
                ((-0.08, 0.0), (0.05, 0.05, 0.05), (30, 60, 160)),
                ((0.08, 0.0), (0.05, 0.05, 0.05), (160, 60, 30)),
            ],
            "several",
        ),
        ([((0.0, 0.32), (0.08, 0.08, 0.08), (30, 60, 160))], "nothing"),
    ],
)
def test_what_is_no_single_object_on_the_tray_is_refused_with_a_reason(
    scene, tracker, boxes, reason
):
    location = tracker.locate(scene.frame(*boxes))
    assert (location.valid, location.reason) == (False, reason)


def test_a_crumb_beside_the_object_does_not_matter(scene, tracker):
    object_ = ((0.0, 0.0), (0.06, 0.06, 0.05), (30, 60, 160))
    crumb = ((0.1, 0.1), (0.02, 0.02, 0.01), (30, 60, 160))
    location = tracker.locate(scene.frame(object_, crumb))
    assert location.valid
    assert np.hypot(*location.position[:2]) < 0.005


def test_before_learning_nothing_is_valid(scene):
    tracker = ObjectTracker(TrackerSettings(learn_frames=3), MODEL, POSE)
    tracker.learn(scene.frame())
    assert tracker.locate(scene.frame()).reason == "not learned"
    tracker.learn(scene.frame())
    tracker.learn(scene.frame())
    assert tracker.learned
    tracker.reset()
    assert tracker.locate(scene.frame()).reason == "not learned"


def test_a_resting_object_does_not_fade(scene):
    tracker = tracker_of(scene, learn_frames=5)
    still = scene.frame(((0.03, 0.03), (0.05, 0.05, 0.05), (30, 60, 160)))
    first = tracker.locate(still)
    for _ in range(300):
        last = tracker.locate(still)
    assert last.valid
    assert last.pixels == first.pixels


def test_slow_changes_of_light_are_followed_and_the_object_stays(scene):
    tracker = tracker_of(scene, learn_frames=5, learning_rate=0.1)
    box = ((0.03, 0.03), (0.05, 0.05, 0.05), (30, 60, 160))
    for step in range(40):
        dark = scene.frame(box)
        color = np.clip(dark.color.astype(int) + step // 2, 0, 255).astype(np.uint8)
        frame = RgbdFrame(stamp_ns=0, color=color, depth=dark.depth, intrinsics=MODEL)
        location = tracker.locate(frame)
    assert location.valid
    assert np.hypot(*(location.position[:2] - (0.03, 0.03))) < 0.005
    fixed = tracker_of(scene, learn_frames=5)
    assert fixed.locate(frame).reason != ""


def test_colour_alone_puts_the_object_on_the_floor(scene):
    tracker = ObjectTracker(TrackerSettings(learn_frames=3), MODEL, POSE)

    def colour(*boxes: tuple) -> RgbdFrame:
        frame = scene.frame(*boxes)
        return RgbdFrame(stamp_ns=0, color=frame.color, depth=None, intrinsics=MODEL)

    for _ in range(3):
        tracker.learn(colour())
    location = tracker.locate(colour(((0.08, -0.05), (0.05, 0.05, 0.002), (30, 60, 160))))
    assert location.valid
    assert np.abs(location.position - (0.08, -0.05, 0.0)).max() < 0.003


def test_an_object_without_any_depth_is_not_located(scene, tracker):
    frame = scene.frame(((0.0, 0.0), (0.05, 0.05, 0.05), (30, 60, 160)))
    frame.depth[...] = 0
    assert tracker.locate(frame).reason == "no depth"


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="calibrated camera"):
        ObjectTracker(
            TrackerSettings(),
            CameraIntrinsics(width=640, height=480, k=np.zeros((3, 3)), distortion=np.zeros(5)),
            POSE,
        )
    with pytest.raises(ConfigError, match="rotation and translation"):
        ObjectTracker(TrackerSettings(), MODEL, 2 * np.eye(4))
    with pytest.raises(ConfigError, match="looking down"):
        ObjectTracker(TrackerSettings(), MODEL, np.eye(4))
    small = RgbdFrame(
        stamp_ns=0, color=np.zeros((48, 64, 3), np.uint8), depth=None, intrinsics=MODEL
    )
    with pytest.raises(DeviceError, match="expected frames of 640 x 480"):
        ObjectTracker(TrackerSettings(), MODEL, POSE).locate(small)
