"""Write one episode as a Rerun recording (.rrd): all of it on one timeline."""

from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from policy_ros.data.bag_signals import Track
from policy_ros.data.exporters.rows import track_of
from tiltbot_ros import topics
from tiltbot_ros.episodes.folder import sync_directory, sync_file
from tiltbot_ros.episodes.images import compressed_names
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.episodes.typestore import COMPRESSED_TYPE
from tiltbot_ros.errors import EpisodeError, FormatError, MissingDependencyError, RecordingError

CLOCK = "ros_time"
SINCE = "since_contact"
"""Timelines: the ROS clock, and the time since the contact."""

WAVE_HZ = 1000
"""Rate of the envelope that stands for the waveform [Hz]."""
WINDOW, HOP = 1024, 1024
"""Of the spectra [frames]."""
SPECTRUM_BINS = 128
FLOOR_DB, CEILING_DB = -100.0, -20.0
"""Range of the spectrogram's colours [dB of full scale]."""

_APPLICATION = "tiltbot"
_HALF_TRAY = (0.15, 0.15, 0.005)
_DEPTH_PER_M = 1000.0

Stamps = npt.NDArray[np.int64]


def export_rrd(episode: Episode, out: Path) -> None:
    """Write an episode to a file that does not exist yet.

    Args:
        episode: what to write.
        out: the file; it is whole as soon as it has this name.

    Raises:
        MissingDependencyError: the extra `rerun` is not installed.
        FormatError: the file exists.
        EpisodeError: the episode has no sound, or is corrupt.
        RecordingError: the file cannot be written.
    """
    rerun = _rerun()
    sound = track_of(episode)
    if out.exists():
        raise FormatError(f"{out}: expected a file that does not exist yet: give another --out")
    partial = out.with_name(f"{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with rerun.RecordingStream(
            _APPLICATION, recording_id=f"{episode.path.parent.name}/{episode.facts.id}"
        ) as recording:
            recording.save(partial, default_blueprint=_blueprint(sound.samples.shape[1]))
            _Writer(rerun, recording, episode).write(sound)
            recording.flush()
            recording.disconnect()
        sync_file(partial)
        partial.replace(out)
        sync_directory(out.parent)
    except OSError as error:
        raise RecordingError(f"{out}: cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _rerun() -> ModuleType:
    try:
        import rerun  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingDependencyError(
            f"expected the Python package 'rerun-sdk' ({error}): pip install 'tiltbot[rerun]'"
        ) from error
    return rerun


class _Writer:
    def __init__(self, rerun: ModuleType, recording: Any, episode: Episode) -> None:
        self._rr = rerun
        self._recording = recording
        self._episode = episode
        self._contact_ns = episode.contact().stamp_ns

    def write(self, sound: Track) -> None:
        """Write everything that the episode has."""
        self._facts()
        self._sound(sound)
        self._pictures(topics.COLOR.name, "camera/color")
        self._pictures(topics.DEPTH.name, "camera/depth")
        self._tray()
        self._object()
        self._contact()

    def _columns(self, path: str, stamps: Stamps, *columns: Any) -> None:
        indexes = [
            self._rr.TimeColumn(CLOCK, timestamp=stamps.astype("datetime64[ns]")),
            self._rr.TimeColumn(
                SINCE, duration=(stamps - self._contact_ns).astype("timedelta64[ns]")
            ),
        ]
        for column in columns:
            self._recording.send_columns(path, indexes, column)

    def _facts(self) -> None:
        facts = self._episode.facts
        tilt = facts.tilt
        lines = [
            f"# {facts.id}",
            f"- object: **{facts.object or 'not named'}**",
            f"- rig: {self._episode.constant.rig}",
            f"- tilt: ({tilt.ax:+.3f}, {tilt.ay:+.3f})" if tilt else "- tilt: not known",
            f"- contact: microphone {facts.contact.channel}, level {facts.contact.level:.3f}",
            f"- verdict: {'clean' if facts.verdict.clean else '; '.join(facts.verdict.problems)}",
            *(f"- {name}: {value}" for name, value in facts.labels.items()),
        ]
        text = self._rr.TextDocument("\n".join(lines), media_type="text/markdown")
        self._recording.log("facts", text, static=True)

    def _sound(self, sound: Track) -> None:
        rate = sound.sample_rate
        levels = sound.samples.astype(np.float32) / np.float32(sound.full_scale)
        step = max(1, rate // WAVE_HZ)
        count = len(levels) // step
        parts = levels[: count * step].reshape(count, step, -1)
        waves = np.stack([parts.min(axis=1), parts.max(axis=1)], axis=1)
        at = _stamps(sound.first_stamp_ns, np.arange(count) * step, rate)
        spectra = spectra_db(levels)
        centres = _stamps(
            sound.first_stamp_ns, np.arange(spectra.shape[1]) * HOP + WINDOW // 2, rate
        )
        for channel in range(levels.shape[1]):
            path = f"sound/mic_{channel}"
            names = [f"mic_{channel} least", f"mic_{channel} greatest"]
            self._recording.log(f"{path}/waveform", self._rr.SeriesLines(names=names), static=True)
            self._columns(
                f"{path}/waveform", at, self._rr.Scalars.columns(scalars=waves[:, :, channel])
            )
            self._recording.log(
                f"{path}/spectrogram",
                self._rr.Image(_coloured(spectra[channel]), color_model="BGR"),
                static=True,
            )
            bars = spectra[channel][:, : SPECTRUM_BINS * (WINDOW // 2 // SPECTRUM_BINS)]
            bars = bars.reshape(len(bars), SPECTRUM_BINS, -1).mean(axis=2) - FLOOR_DB
            for stamp, values in zip(centres.tolist(), np.maximum(bars, 0.0), strict=True):
                self._log(f"{path}/spectrum", stamp, self._rr.BarChart(values))

    def _log(self, path: str, stamp_ns: int, what: Any) -> None:
        self._recording.set_time(CLOCK, timestamp=np.datetime64(stamp_ns, "ns"))
        since = np.timedelta64(stamp_ns - self._contact_ns, "ns")
        self._recording.set_time(SINCE, duration=since)
        self._recording.log(path, what)

    def _pictures(self, name: str, path: str) -> None:
        forms = (name, *compressed_names(name))
        for topic in self._episode.constant.topics:
            if any(f"/{topic.name}".endswith(f"/{form}") for form in forms):
                break
        else:
            return
        if topic.type == COMPRESSED_TYPE and name == topics.COLOR.name:
            stamps = [message.stamp_ns for message in self._episode.messages[topic.name]]
            for stamp, message in zip(stamps, self._episode.deserialised(topic.name), strict=True):
                data = np.asarray(message.data, np.uint8).tobytes()
                kind = "image/jpeg" if data.startswith(b"\xff\xd8") else "image/png"
                self._log(path, stamp, self._rr.EncodedImage(contents=data, media_type=kind))
            return
        images = self._episode.images(name)
        for stamp, frame in zip(images.stamps_ns.tolist(), images.frames, strict=True):
            if images.encoding in {"16UC1", "mono16"}:
                self._log(path, stamp, self._rr.DepthImage(frame, meter=_DEPTH_PER_M))
            else:
                model = {"rgb8": "RGB", "bgr8": "BGR"}.get(images.encoding, "L")
                self._log(path, stamp, self._rr.Image(frame, color_model=model).compress(90))

    def _tray(self) -> None:
        rr = self._rr
        self._recording.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        self._recording.log("world/tray", rr.Boxes3D(half_sizes=[_HALF_TRAY]), static=True)
        tilt = self._episode.tilt()
        if tilt is not None:
            # A rotation about x lowers the side at -y: the object slides along (ry, -rx).
            way = (tilt.rotation[1], -tilt.rotation[0], 0.0)
            self._recording.log("world/tilt", rr.Arrows3D(vectors=[way]), static=True)
        for name, path in (
            (topics.TRAY_POSE.name, "tray/measured"),
            (topics.TRAY_REFERENCE.name, "tray/commanded"),
        ):
            try:
                poses = self._episode.poses(name)
            except EpisodeError:  # this rig has none
                continue
            lines = rr.SeriesLines(names=[f"{path} x [rad]", f"{path} y [rad]"])
            self._recording.log(path, lines, static=True)
            columns = rr.Scalars.columns(scalars=poses.rotation_vectors[:, :2])
            self._columns(path, poses.stamps_ns, columns)
            if name == topics.TRAY_POSE.name:
                turns = rr.Transform3D.columns(quaternion=poses.orientations)
                self._columns("world/tray", poses.stamps_ns, turns)

    def _object(self) -> None:
        try:
            seen = self._episode.locations(topics.OBJECT_LOCATION.name)
        except EpisodeError:  # this rig does not track it
            return
        if seen.valid.any():
            points = self._rr.Points3D.columns(positions=seen.positions[seen.valid])
            self._columns("world/tray/object", seen.stamps_ns[seen.valid], points)

    def _contact(self) -> None:
        contact = self._episode.contact()
        text = f"contact on microphone {contact.channel}, level {contact.level:.3f}"
        self._log("contact", contact.stamp_ns, self._rr.TextLog(text))


def spectra_db(levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the spectra of sound (n, channels) in [-1, 1] as (channels, times, bins) [dB]."""
    window = np.hanning(WINDOW).astype(np.float32)
    padded = np.pad(levels, ((0, max(0, WINDOW - len(levels))), (0, 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded.T, WINDOW, axis=1)[:, ::HOP]
    magnitudes = np.abs(np.fft.rfft(frames * window, axis=2)) * 2 / window.sum()
    return np.asarray(20 * np.log10(np.maximum(magnitudes, 1e-9)), np.float32)


def _coloured(spectra: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return a picture of spectra (times, bins): time to the right, low frequencies below."""
    part = np.clip((spectra - FLOOR_DB) / (CEILING_DB - FLOOR_DB), 0.0, 1.0)
    grey = np.rint(part.T[::-1] * 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(grey, cv2.COLORMAP_VIRIDIS), np.uint8)


def _stamps(first_ns: int, frames: npt.NDArray[np.int64], rate: int) -> Stamps:
    return first_ns + frames * 1_000_000_000 // rate


def _blueprint(channels: int) -> Any:
    from rerun import blueprint as rrb  # noqa: PLC0415 - an extra

    microphones = [f"sound/mic_{i}" for i in range(channels)]
    return rrb.Blueprint(
        rrb.Horizontal(
            rrb.Vertical(
                rrb.Spatial2DView(origin="camera/color", name="camera"),
                rrb.Spatial3DView(origin="world", name="tray"),
                rrb.TextDocumentView(origin="facts", name="facts"),
            ),
            rrb.Vertical(
                rrb.TimeSeriesView(
                    origin="/", contents=[f"/{m}/waveform" for m in microphones], name="sound"
                ),
                rrb.TimeSeriesView(origin="tray", name="rotation of the tray"),
                rrb.Horizontal(
                    *(rrb.Spatial2DView(origin=f"{m}/spectrogram", name=m) for m in microphones)
                ),
            ),
        ),
        collapse_panels=True,
    )
