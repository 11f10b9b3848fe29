"""One interaction, as a training store holds it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """Where a row is from.

    Attributes:
        id: of the episode, unique within its folder: `ep_000042`.
        folder: absolute path of the data folder, or of the imported file.
        origin: what it was read from, with its rig: `bag sim`, `tiltbot-release`.
        outcome, labels: as the episode is labelled.
        kept: a person looked at it and wants it.
        problems: of the verdict.
        bag_bytes, bag_crc32: of the bag (or of what was imported); with `contact_ns` they tell
            copies of the same interaction.
    """

    id: str
    folder: str
    origin: str
    outcome: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    kept: bool = False
    problems: tuple[str, ...] = ()
    bag_bytes: int = 0
    bag_crc32: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One interaction; shapes with the default settings.

    Attributes:
        audio: (4, 44100) int16, full scale 32768, centred on the contact.
        spectrogram: (4, 64, 64) float16, see `policy_ros.signals`.
        before, after: (128, 128, 3) uint8, RGB.
        action: (2,) float32, (ax, ay) in [-1, 1].
        rotation: (2,) float32, x and y of the tilt's rotation vector [rad].
        location_before, location_after: (2,) float32 in units of half the tray's inner side;
            NaN: not seen.
        tray: (400, 2) float32, the tray's measured rotation vector [rad]; NaN: not measured.
        object: name of the object.
        contact_channel: microphone that heard the contact.
        contact_level: its peak, in units of full scale.
        contact_ns: when it was heard [ns].
        start_ns: time of the first frame of the sound [ns].
        clean: no check of the verdict failed, or a person kept it.
        provenance: where it is from.
        clip: (24, 128, 128, 3) uint8 where the store keeps clips, else None.
    """

    audio: npt.NDArray[np.int16]
    spectrogram: npt.NDArray[np.float16]
    before: npt.NDArray[np.uint8]
    after: npt.NDArray[np.uint8]
    action: npt.NDArray[np.float32]
    rotation: npt.NDArray[np.float32]
    location_before: npt.NDArray[np.float32]
    location_after: npt.NDArray[np.float32]
    tray: npt.NDArray[np.float32]
    object: str
    contact_channel: int
    contact_level: float
    contact_ns: int
    start_ns: int
    clean: bool
    provenance: Provenance
    clip: npt.NDArray[np.uint8] | None = None
