"""The picture of an episode shows what it should, where it should."""

import cv2
import numpy as np
import pytest
import soundfile
import whole_episodes as rig

from tiltbot_ros.episodes.offline import cut_sound
from tiltbot_ros.episodes.offline_session import CutOptions
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import EpisodeError
from tiltbot_ros.pictures.episode import draw_episode
from tiltbot_ros.pictures.scene import Scene

ACTIONS = [(0.6, 0.3), (-0.5, 0.5), (0.0, -0.9), (-0.8, 0.0), (0.1, 0.4)]
CONTACT_RED = np.array([0xD7, 0x26, 0x3D])
ARROW_YELLOW = np.array([0xFF, 0xD2, 0x3F])


@pytest.fixture(scope="module")
def episodes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("episodes")
    return rig.write(folder, *(rig.Wanted(action=action) for action in ACTIONS))


def picture_of(path, out) -> np.ndarray:
    draw_episode(path, out)
    return cv2.imread(str(out))[..., ::-1].astype(int)


def near(image: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return np.abs(image - colour).max(axis=-1) < 30


def test_the_arrow_points_to_where_the_object_slides(episodes):
    for path, action in zip(episodes, ACTIONS, strict=True):
        episode = Episode.open(path)
        scene = Scene.of(episode)
        tail, head = scene.arrow()
        went = episode.locations().positions
        start, end = (rig.pixel(place, np.zeros(2)) for place in (went[0], went[-1]))
        arrow, slide = head - tail, end - start
        cosine = arrow @ slide / np.linalg.norm(arrow) / np.linalg.norm(slide)
        assert cosine > 0.999, action
        assert np.linalg.norm(tail - start) < 1.0


def test_a_stronger_tilt_has_a_longer_arrow(episodes):
    def length(path) -> float:
        scene = Scene.of(Episode.open(path))
        tail, head = scene.arrow()
        return float(np.hypot(*(head - tail)))

    assert length(episodes[3]) / length(episodes[4]) == pytest.approx(0.8 / 0.412, rel=0.02)


def test_the_frames_are_those_before_and_after_the_tilt(episodes):
    episode = Episode.open(episodes[0])
    scene = Scene.of(episode)
    stamps, tilt = episode.image_stamps(), episode.facts.tilt
    before, after = scene.images.stamps_ns
    assert before == stamps[stamps <= tilt.start_ns].max()
    assert after == stamps[stamps >= tilt.end_ns].min(initial=stamps[-1])


def test_the_picture_shows_frames_sound_and_contact(episodes, tmp_path):
    image = picture_of(episodes[0], tmp_path / "deep" / "a.png")
    height, width, _ = image.shape
    assert (width, height) == (1705, 968)
    left, right = image[:, : width // 3], image[:, width // 3 :]
    # The tray is drawn in both frames, the arrow in the upper one alone.
    tray = near(left, np.array([200, 190, 170]))
    assert tray[: height // 2].sum() > 20_000
    assert tray[height // 2 :].sum() > 20_000
    arrow = near(left, ARROW_YELLOW)
    assert arrow[: height // 2].sum() > 300
    assert arrow[height // 2 :].sum() < 100
    # The contact is a line through all panels over time, in their middle.
    line = near(right, CONTACT_RED).sum(axis=0)
    column = int(line.argmax())
    assert line[column] > 0.3 * height
    # The spectrogram is dark before the contact and bright behind it.
    band = image[int(0.5 * height) : int(0.65 * height), width // 3 :].mean(axis=(0, 2))
    assert band[column + 5 : column + 25].mean() > 1.5 * band[column - 200 : column - 20].mean()


def test_each_picture_has_a_figure_of_its_own(episodes, tmp_path):
    first = picture_of(episodes[0], tmp_path / "a.png")
    picture_of(episodes[1], tmp_path / "b.png")
    again = picture_of(episodes[0], tmp_path / "c.png")
    assert (first == again).all()


def test_an_episode_of_sound_alone_is_drawn(tmp_path):
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.001, (44100 * 8, 2))
    samples[44100 * 4 : 44100 * 4 + 400] += 0.3
    soundfile.write(tmp_path / "a.wav", samples, 44100)
    cut = cut_sound(tmp_path / "a.wav", tmp_path / "out", CutOptions())
    image = picture_of(cut.outcomes[0].path, tmp_path / "a.png")
    assert near(image, CONTACT_RED).sum() > 300
    assert image.std() > 20


@pytest.mark.parametrize(
    "without",
    [
        ("camera/pose",),
        ("tilt",),
        ("audio", "audio/info"),
        (rig.COLOR,),
    ],
)
def test_what_was_not_recorded_is_left_out(tmp_path, without):
    (path,) = rig.write(tmp_path / "data", rig.Wanted(without=without))
    image = picture_of(path, tmp_path / "a.png")
    arrow = near(image, ARROW_YELLOW)[: len(image) // 2].sum()
    known = without == ("audio", "audio/info")
    assert (arrow > 300) == known
    assert near(image, CONTACT_RED).sum() > 300


def test_the_picture_of_a_namespaced_rig_has_everything(tmp_path):
    (path,) = rig.write(tmp_path / "data", rig.Wanted(namespace="/rig_a"))
    image = picture_of(path, tmp_path / "a.png")
    assert near(image, ARROW_YELLOW).sum() > 300


def test_a_picture_that_cannot_be_written_is_told(episodes, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EpisodeError, match="cannot be written"):
        draw_episode(episodes[0], tmp_path / "file" / "a.png")
