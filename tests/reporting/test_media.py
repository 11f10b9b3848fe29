"""Pictures, arrow, spectrogram and sound are those of the episode."""

import io

import cv2
import numpy as np
import pytest
import soundfile
import whole_episodes as rig

from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.pictures.scene import Scene
from tiltbot_ros.pictures.sound import Waves
from tiltbot_ros.reporting.media import media_of
from tiltbot_ros.reporting.settings import ReportSettings
from tiltbot_ros.reporting.sounds import encode

SETTINGS = ReportSettings(picture_width_px=80)


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    (written,) = rig.write(tmp_path_factory.mktemp("one"), rig.Wanted())
    return written


@pytest.fixture(scope="module")
def media(path):
    return media_of(path, SETTINGS, cover=True)


def test_the_frames_are_reduced_and_in_their_colours(path, media):
    view = media.view
    assert (view.width, view.height) == (80, 60)
    frames = Scene.of(Episode.open(path)).images.frames
    for picture, frame in zip((view.before, view.after), frames, strict=True):
        small = cv2.resize(frame, (80, 60), interpolation=cv2.INTER_AREA).astype(int)
        assert np.abs(decoded(picture.data) - small).mean() < 6
    assert view.before.time_s < 0 < view.after.time_s


def test_arrow_and_way_are_scaled_with_the_frames(path, media):
    scene = Scene.of(Episode.open(path))
    assert media.view.arrow == pytest.approx(scene.arrow().ravel() / 2, abs=0.06)
    assert np.array(media.view.way) == pytest.approx(scene.way().pixels / 2, abs=0.06)


def test_the_cover_shows_the_object_in_its_middle(media):
    cover = decoded(media.view.cover)
    middle = cover[len(cover) // 2, cover.shape[1] // 2]
    assert middle == pytest.approx([200, 60, 40], abs=30)


def test_no_picture_is_enlarged(path):
    assert media_of(path, ReportSettings(picture_width_px=1000)).view.width == rig.WIDTH


def test_the_spectrogram_is_bright_at_the_contact(media):
    image = decoded(media.spectrogram.data).sum(axis=(0, 2))
    start, end = media.spectrogram.span_s
    times = start + (np.arange(len(image)) + 0.5) * (end - start) / len(image)
    assert times[image.argmax()] == pytest.approx(0.0, abs=0.06)
    assert (start, end) == pytest.approx((-2.0, 2.0), abs=0.02)


@pytest.mark.parametrize(("kind", "rate"), [("ogg", 22050), ("flac", 44100)])
def test_the_sound_is_that_of_the_loudest_microphone(path, kind, rate):
    sound = media_of(path, ReportSettings(sound=kind)).sound
    samples, found = soundfile.read(io.BytesIO(sound.data))
    assert found == rate
    assert sound.microphone == "mic_1"
    assert len(samples) / rate == pytest.approx(sound.seconds, abs=0.01)
    assert sound.start_s == pytest.approx(-2.0, abs=0.01)
    loudest = np.abs(samples).argmax() / rate + sound.start_s
    assert loudest == pytest.approx(0.0, abs=0.02)
    original = Episode.open(path).audio().samples[:, 1] / 32768
    gain = 10 ** (sound.gain_db / 20)
    assert np.abs(samples).max() == pytest.approx(np.abs(original).max() * gain, rel=0.25)


def test_lossless_is_lossless_but_for_the_gain(path):
    sound = media_of(path, ReportSettings(sound="flac")).sound
    samples, _ = soundfile.read(io.BytesIO(sound.data))
    original = Episode.open(path).audio().samples[:, 1] / 32768
    gain = 10 ** (sound.gain_db / 20)
    assert np.abs(samples / gain - original).max() <= 1 / 32768


def test_silence_is_not_blown_up():
    heard = Waves(samples=np.zeros((1000, 2), np.float32), start_s=0.0, sample_rate=8000, missing=0)
    sound = encode(heard, channel=0, name="a", kind="ogg")
    samples, rate = soundfile.read(io.BytesIO(sound.data))
    assert rate == 8000
    assert np.abs(samples).max() < 1e-3
    assert sound.gain_db == pytest.approx(40.0)


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        ((rig.COLOR,), "view"),
        (("audio", "audio/info"), "spectrogram"),
    ],
)
def test_what_was_not_recorded_is_left_out(tmp_path, without, missing):
    (path,) = rig.write(tmp_path, rig.Wanted(without=without))
    media = media_of(path, SETTINGS)
    assert media.problem == ""
    assert getattr(media, missing) is None
    assert (media.view is None) != (media.spectrogram is None)


def test_no_sound_where_none_is_wanted(path):
    media = media_of(path, ReportSettings(sound="none"))
    assert media.sound is None
    assert media.spectrogram is not None


def test_a_bag_that_cannot_be_read_says_why(data):
    media = media_of(data / "ep_000006", SETTINGS)
    assert media.problem.startswith("ep_000006/ep_000006.mcap: expected")
    assert media.view is None
