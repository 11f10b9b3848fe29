"""What the report shows of one episode: frames, arrow, way, spectrogram, sound."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tiltbot_ros.episodes.images import compressed_names
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.pictures.scene import AFTER, BEFORE, Scene
from tiltbot_ros.pictures.sound import Waves, microphones, spectrogram, waves
from tiltbot_ros.reporting.settings import ReportSettings
from tiltbot_ros.reporting.sounds import Sound, encode

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

_COLOR = "camera/color/image_raw"
_TOPICS = (
    _COLOR,
    *compressed_names(_COLOR),
    "camera/color/camera_info",
    "camera/pose",
    "tray/pose",
    "object_location",
    "audio",
    "audio/info",
)
"""What is read of a bag."""

_LOWEST_HZ, _HIGHEST_HZ = 100.0, 11_000.0
_ROWS, _COLUMNS = 96, 320
_RANGE_DB = 75.0
_COVER_PX = 120
_COVER_SHARE = 0.5
"""Side of the square around the object on the cover, of the picture's height."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A JPEG of a moment.

    Attributes:
        data: the file.
        time_s: when it was taken, from the contact [s].
    """

    data: bytes
    time_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SpectrogramPicture:
    """The power of all microphones, frequency upward on a logarithmic scale.

    Attributes:
        data: a JPEG.
        span_s: times of its left and right border from the contact [s].
        range_hz: frequencies of its lower and upper border [Hz].
    """

    data: bytes
    span_s: tuple[float, float]
    range_hz: tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What the camera saw.

    Attributes:
        width, height: of the pictures [pixel].
        before, after: the tilt.
        arrow: of the action in `before`: x and y of tail and head [pixel]; None: not known.
        way: of the object in `after`, as tracked: x and y [pixel].
        cover: a small square picture of the object (JPEG); None: not asked for.
    """

    width: int
    height: int
    before: Picture
    after: Picture
    arrow: tuple[float, ...] | None
    way: tuple[tuple[float, float], ...]
    cover: bytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """An episode to look at and to listen to; what was not recorded is None.

    Attributes:
        id: of the episode.
        problem: why there is nothing; empty otherwise.
        view: what was seen.
        spectrogram: of all microphones.
        sound: of one.
    """

    id: str
    problem: str = ""
    view: View | None = None
    spectrogram: SpectrogramPicture | None = None
    sound: Sound | None = None


def media_of(path: Path, settings: ReportSettings, *, cover: bool = False) -> Media:
    """Return what there is of an episode; one that cannot be read says why.

    Args:
        path: directory of the episode.
        settings: sizes and kinds.
        cover: make the small picture of the object, too.
    """
    try:
        episode = Episode.open(path, only=_TOPICS)
        scene = Scene.of(episode)
        heard = waves(episode)
        return Media(
            id=path.name,
            view=None if scene is None else _view(scene, settings, cover=cover),
            spectrogram=None if heard is None else _spectrogram(heard, settings),
            sound=None if heard is None else _sound(episode, heard, settings),
        )
    except (TiltbotError, OSError) as error:
        return Media(id=path.name, problem=str(error).replace(f"{path.parent}/", ""))


def _view(scene: Scene, settings: ReportSettings, *, cover: bool) -> View:
    height, width = scene.images.frames.shape[1:3]
    scale = min(1.0, settings.picture_width_px / width)
    size = (round(width * scale), max(1, round(height * scale)))
    arrow, way = scene.arrow(), scene.way()
    steps = np.empty((0, 2)) if way is None else way.pixels[np.isfinite(way.pixels).all(axis=1)]
    return View(
        width=size[0],
        height=size[1],
        before=_picture(scene, BEFORE, size, settings),
        after=_picture(scene, AFTER, size, settings),
        arrow=None if arrow is None else tuple((arrow * scale).round(1).ravel().tolist()),
        way=tuple((x, y) for x, y in (steps * scale).round(1).tolist()),
        cover=_jpeg(_bgr(_cover(scene.frame(AFTER), steps[-1:])), settings) if cover else None,
    )


def _picture(scene: Scene, index: int, size: tuple[int, int], settings: ReportSettings) -> Picture:
    frame = _bgr(_resized(scene.frame(index), size))
    return Picture(data=_jpeg(frame, settings), time_s=scene.time_s(index))


def _sound(episode: Episode, heard: Waves, settings: ReportSettings) -> Sound | None:
    if settings.sound == "none":
        return None
    channels = heard.samples.shape[1]
    channel = min(episode.facts.contact.channel, channels - 1)
    name = microphones(episode, channels)[channel]
    return encode(heard, channel=channel, name=name, kind=settings.sound)


def _spectrogram(heard: Waves, settings: ReportSettings) -> SpectrogramPicture:
    highest = min(_HIGHEST_HZ, heard.sample_rate / 2)
    lowest = min(_LOWEST_HZ, highest / 2)
    drawn = spectrogram(heard, lowest_hz=lowest, highest_hz=highest, rows=_ROWS, columns=_COLUMNS)
    decibels = np.flipud(drawn.decibels)
    known = decibels[np.isfinite(decibels)]
    top = float(known.max()) if known.size else 0.0
    bottom = max(top - _RANGE_DB, float(np.percentile(known, 5)) if known.size else -_RANGE_DB)
    share = np.clip((decibels - bottom) / max(top - bottom, 1.0), 0.0, 1.0)
    grey = (255 * np.nan_to_num(share)).astype(np.uint8)
    coloured = np.asarray(cv2.applyColorMap(grey, cv2.COLORMAP_MAGMA), np.uint8)
    return SpectrogramPicture(
        data=_jpeg(coloured, settings),
        span_s=(heard.start_s, heard.start_s + len(heard.samples) / heard.sample_rate),
        range_hz=(lowest, highest),
    )


def _cover(frame: npt.NDArray[Any], place: Floats) -> npt.NDArray[Any]:
    """Return a square around the object, or around the middle where it was not seen."""
    height, width = frame.shape[:2]
    side = min(height, width)
    x, y = width / 2, height / 2
    if len(place):
        side = max(1, round(side * _COVER_SHARE))
        x, y = place[0]
    left = int(np.clip(x - side / 2, 0, width - side))
    upper = int(np.clip(y - side / 2, 0, height - side))
    square = frame[upper : upper + side, left : left + side]
    return _resized(square, (_COVER_PX, _COVER_PX))


def _resized(frame: npt.NDArray[Any], size: tuple[int, int]) -> npt.NDArray[Any]:
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))


def _bgr(frame: npt.NDArray[Any]) -> Bytes:
    """Return a frame as OpenCV wants it: 8 bits, blue first."""
    if frame.dtype != np.uint8:
        finite = np.nan_to_num(frame.astype(np.float32))
        frame = (255 * finite / max(float(finite.max()), 1e-9)).clip(0, 255).astype(np.uint8)
    if frame.ndim == 2:
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))


def _jpeg(bgr: Bytes, settings: ReportSettings) -> bytes:
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality])
    return bytes(data) if done else b""
