"""From the signals of an interaction to a row of a store: the same for bags and imports."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from policy_ros.data.sample import Provenance, Sample
from policy_ros.data.store_settings import StoreSettings
from policy_ros.signals.front_end import FrontEnd
from tiltbot_ros.errors import FormatError

Picture = npt.NDArray[np.uint8]

NS_PER_S = 1_000_000_000

_LOUDEST = 1e6

_LATEST_NS = 1 << 62
"""Stamps beyond do not fit with their differences into 64 bits [ns]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RawInteraction:
    """An interaction as it was measured.

    Attributes:
        samples: (n, channels) int16, or int32 where full scale is more than 32768.
        sample_rate: of them [Hz].
        full_scale: magnitude of digital full scale, a power of two.
        first_stamp_ns: time of the first frame [ns].
        contact_frame: index of the frame at the contact; the row's sound is centred on it, with
            silence where the samples do not reach.
        contact_ns: when it was heard [ns].
        contact_channel, contact_level: which microphone heard it, how loud [full scale].
        before, after: (height, width, 3) uint8, RGB, of any size.
        rotation: (2,) x and y of the tilt's rotation vector [rad].
        location_before, location_after: (2,) x and y in the tray frame [m]; NaN: not seen.
        tray_stamps_ns: (m,) int64, ascending, of the tray's measured rotations [ns].
        tray_rotations: (m, 2) x and y of its rotation vector [rad]; m = 0: not measured.
        object: its name.
        clean: no check of the verdict failed, or a person kept it.
        provenance: where it is from.
        clip_stamps_ns: (k,) int64, ascending, of the window's pictures; only for clips [ns].
        clip: (k, height, width, 3) uint8, RGB; None: there are none.
    """

    samples: npt.NDArray[np.int16] | npt.NDArray[np.int32]
    sample_rate: int
    full_scale: int
    first_stamp_ns: int
    contact_frame: int
    contact_ns: int
    contact_channel: int
    contact_level: float
    before: Picture
    after: Picture
    rotation: npt.NDArray[np.floating[Any]]
    location_before: npt.NDArray[np.floating[Any]]
    location_after: npt.NDArray[np.floating[Any]]
    tray_stamps_ns: npt.NDArray[np.int64]
    tray_rotations: npt.NDArray[np.floating[Any]]
    object: str
    clean: bool
    provenance: Provenance
    clip_stamps_ns: npt.NDArray[np.int64] | None = None
    clip: Picture | None = None


class SampleMaker:
    """Makes rows of raw interactions. It keeps workspace: an instance belongs to one thread.

    Args:
        settings: of the store.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self.settings = settings
        self.front_end = FrontEnd(settings.front_end)

    def make(self, raw: RawInteraction) -> Sample:
        """Return the row of an interaction.

        Raises:
            FormatError: something is of another shape, size or range than a row can hold.
        """
        settings = self.settings
        audio = self._audio(raw)
        action = np.asarray(raw.rotation, np.float64) / settings.max_tilt_rad
        if action.shape != (2,) or not np.isfinite(action).all() or np.abs(action).max() > 1 + 1e-6:
            raise FormatError(
                f"expected a tilt of at most max_tilt_rad = {settings.max_tilt_rad:g} rad about "
                f"each axis, got {np.asarray(raw.rotation).tolist()}"
            )
        if not 0 <= raw.contact_channel < settings.channels:
            raise FormatError(
                f"expected a contact on one of {settings.channels} channels, got "
                f"{raw.contact_channel}"
            )
        if abs(raw.contact_ns) > _LATEST_NS or not 0.0 <= raw.contact_level < _LOUDEST:
            raise FormatError(
                "expected the stamp and the level of a contact, got "
                f"{raw.contact_ns} ns and {raw.contact_level}"
            )
        start_ns = raw.contact_ns - round(settings.seconds * NS_PER_S / 2)
        return Sample(
            audio=audio,
            spectrogram=self.front_end.spectrogram(audio).astype(np.float16),
            before=self.picture(raw.before),
            after=self.picture(raw.after),
            action=np.clip(action, -1.0, 1.0).astype(np.float32),
            rotation=np.asarray(raw.rotation, np.float32),
            location_before=self._location(raw.location_before),
            location_after=self._location(raw.location_after),
            tray=self._tray(raw, start_ns),
            object=raw.object,
            contact_channel=raw.contact_channel,
            contact_level=raw.contact_level,
            contact_ns=raw.contact_ns,
            start_ns=start_ns,
            clean=raw.clean,
            provenance=raw.provenance,
            clip=self._clip(raw, start_ns) if settings.clip else None,
        )

    def picture(self, picture: Picture) -> Picture:
        """Return the central square of a picture (height, width, 3), shrunk to the store's size.

        Raises:
            FormatError: it is no RGB picture of 8 bits.
        """
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise FormatError(
                f"expected a picture (height, width, 3) of 8 bits, got {picture.dtype} "
                f"{picture.shape}"
            )
        height, width = picture.shape[:2]
        side = min(height, width)
        if not side:
            raise FormatError(f"expected a picture with pixels, got {picture.shape}")
        top, left = (height - side) // 2, (width - side) // 2
        square = picture[top : top + side, left : left + side]
        size = self.settings.picture_size
        kind = cv2.INTER_AREA if side >= size else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(square, (size, size), interpolation=kind), np.uint8)

    def _audio(self, raw: RawInteraction) -> npt.NDArray[np.int16]:
        settings = self.settings
        samples = raw.samples
        if samples.ndim != 2 or samples.shape[1] != settings.channels:
            raise FormatError(
                f"expected sound of {settings.channels} channels, got an array {samples.shape}"
            )
        before = round(settings.seconds / 2 * raw.sample_rate)
        wanted = round(settings.seconds * raw.sample_rate)
        first = raw.contact_frame - before
        if not -before <= first <= len(samples) - before:
            raise FormatError(
                f"expected the contact within the {len(samples)} frames of sound, got frame "
                f"{raw.contact_frame}"
            )
        part = _as_int16(samples[max(first, 0) : first + wanted], raw.full_scale)
        if len(part) < wanted:
            whole = np.zeros((wanted, settings.channels), np.int16)
            whole[max(-first, 0) : max(-first, 0) + len(part)] = part
            part = whole
        audio = self.front_end.resample(part, raw.sample_rate)
        if audio.shape[1] != settings.audio_frames:
            raise FormatError(
                f"expected a sample rate at which {settings.seconds:g} s become "
                f"{settings.audio_frames} frames, got {raw.sample_rate} Hz"
            )
        return audio

    def _location(self, position: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        if np.shape(position) != (2,):
            raise FormatError(f"expected a location (x, y), got an array {np.shape(position)}")
        return (np.asarray(position, np.float64) / self.settings.half_side_m).astype(np.float32)

    def _tray(self, raw: RawInteraction, start_ns: int) -> npt.NDArray[np.float32]:
        steps = self.settings.tray_steps
        if not len(raw.tray_stamps_ns):
            return np.full((steps, 2), np.nan, np.float32)
        if raw.tray_rotations.shape != (len(raw.tray_stamps_ns), 2):
            raise FormatError(
                f"expected {len(raw.tray_stamps_ns)} rotations of the tray (x, y), got an array "
                f"{raw.tray_rotations.shape}"
            )
        at = np.arange(steps) * (NS_PER_S / self.settings.tray_hz)
        measured = (raw.tray_stamps_ns - start_ns).astype(np.float64)
        return np.stack(
            [np.interp(at, measured, raw.tray_rotations[:, axis]) for axis in (0, 1)], axis=1
        ).astype(np.float32)

    def _clip(self, raw: RawInteraction, start_ns: int) -> Picture:
        if raw.clip is None or raw.clip_stamps_ns is None or not len(raw.clip):
            raise FormatError("expected the pictures of the whole window for a clip, got none")
        period_ns = NS_PER_S / self.settings.clip_hz
        at = start_ns + (np.arange(self.settings.clip_frames) + 0.5) * period_ns
        nearest = np.abs(raw.clip_stamps_ns[None] - at[:, None]).argmin(axis=1)
        shrunk = {int(index): self.picture(raw.clip[index]) for index in np.unique(nearest)}
        return np.stack([shrunk[int(index)] for index in nearest])


def _as_int16(
    samples: npt.NDArray[np.int16] | npt.NDArray[np.int32], full_scale: int
) -> npt.NDArray[np.int16]:
    if samples.dtype == np.int16:
        return np.asarray(samples, np.int16)
    return np.asarray(samples // max(full_scale // 32768, 1)).astype(np.int16)
