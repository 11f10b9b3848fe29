"""The tray of the Tilt-Bot release: its orientation, and the tilts, out of data.pkl."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from policy_ros.data.importers.pickles import load_pickle
from policy_ros.data.importers.release_names import stamp_ns
from policy_ros.data.importers.release_settings import ReleaseSettings, TrayForm
from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.errors import FormatError

Floats = npt.NDArray[np.float64]

_SIZES: dict[TrayForm, tuple[int, ...]] = {
    "rotation_vector": (3,),
    "quaternion_xyzw": (4,),
    "quaternion_wxyz": (4,),
    "euler_xyz": (3,),
    "matrix": (9, 16),
}
_SHOWN = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundTilt:
    """A tilt of the tray.

    Attributes:
        rotation: (2,) x and y of its rotation vector in the level tray's frame [rad].
        start_ns, end_ns: when the tray left level and was back [ns].
    """

    rotation: Floats
    start_ns: int
    end_ns: int


class ReleaseStates:
    """The entries of an experiment's data.pkl, in the order of time.

    Args:
        path: of data.pkl.
        settings: where an entry has what.

    Attributes:
        stamps_ns: (n,) int64 [ns].

    Raises:
        FormatError: the file is missing, or not a dictionary by time stamps.
    """

    def __init__(self, path: Path, settings: ReleaseSettings) -> None:
        self.path = path
        self._settings = settings
        entries = load_pickle(path)
        if not isinstance(entries, dict) or not all(isinstance(name, str) for name in entries):
            raise FormatError(
                f"{path}: expected a dictionary by time stamps, got {type(entries).__name__}"
            )
        order = sorted((stamp_ns(name, path), name) for name in entries)
        self.stamps_ns = np.array([stamp for stamp, _ in order], np.int64)
        self._entries = [entries[name] for _, name in order]

    def structure(self) -> tuple[str, ...]:
        """Return what the first entry holds: keys, types and shapes, a line each."""
        lines = list(_lines("", self._entries[0] if self._entries else {}))
        more = len(lines) - _SHOWN
        return (*lines[:_SHOWN], *((f"... and {more} more",) if more > 0 else ()))

    def orientations(self) -> Floats:
        """Return the tray's orientation in the level tray's frame, (n, 4) x y z w.

        Raises:
            FormatError: an entry has none under the key of the settings.
        """
        settings = self._settings
        values = self._numbers(settings.tray_key, _SIZES[settings.tray_form])
        try:
            turns = _rotations(values, settings.tray_form)
        except ValueError as error:
            raise FormatError(
                f"{self.path}: expected orientations as {settings.tray_form} under "
                f"{settings.tray_key!r}, got numbers that are none: {error}"
            ) from error
        axes = _axes(settings.tray_axes)
        level = turns[0] if settings.tray_level == "first" else Rotation.identity()
        return np.asarray((axes.inv() * level.inv() * turns * axes).as_quat(), np.float64)

    def tilts(self, orientations: Floats | None) -> list[FoundTilt]:
        """Return the tilts: as they were commanded, or found in the tray's motion.

        Args:
            orientations: of the tray, (n, 4) x y z w; None: not known.

        Raises:
            FormatError: an entry has no action under the key of the settings.
        """
        if self._settings.action_key:
            return self._runs(self._numbers(self._settings.action_key, (2, 3))[:, :2])
        if orientations is None or not len(orientations):
            return []
        return self._runs(Rotation.from_quat(orientations).as_rotvec()[:, :2])

    def _runs(self, rotations: Floats) -> list[FoundTilt]:
        """Return each stretch away from level, with its greatest rotation."""
        settings = self._settings
        angles = np.hypot(rotations[:, 0], rotations[:, 1])
        away = np.flatnonzero(angles > settings.tilt_rad)
        if not len(away):
            return []
        pause_ns = settings.tilt_pause_s * NS_PER_S
        apart = (np.diff(self.stamps_ns[away]) > pause_ns) & (np.diff(away) > 1)
        found = []
        for run in np.split(away, np.flatnonzero(apart) + 1):
            first, last = max(run[0] - 1, 0), min(run[-1] + 1, len(angles) - 1)
            peak = run[np.argmax(angles[run])]
            found.append(
                FoundTilt(
                    rotation=rotations[peak],
                    start_ns=int(self.stamps_ns[first]),
                    end_ns=int(self.stamps_ns[last]),
                )
            )
        return found

    def _numbers(self, key: str, sizes: tuple[int, ...]) -> Floats:
        rows = [
            self._value(entry, key, sizes, number) for number, entry in enumerate(self._entries)
        ]
        if len({len(row) for row in rows}) > 1:
            raise FormatError(f"{self.path}: expected {key!r} of one length in all entries")
        return np.array(rows, np.float64).reshape(len(rows), -1)

    def _value(self, entry: Any, key: str, sizes: tuple[int, ...], number: int) -> Floats:
        value = entry
        for part in key.split("/"):
            if isinstance(value, dict) and part in value:
                value = value[part]
            elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                raise FormatError(
                    f"{self.path}: expected {key!r} in every entry, found none in entry {number}; "
                    f"an entry holds {'; '.join(self.structure())}"
                )
        try:
            numbers = np.asarray(value, np.float64).reshape(-1)
        except (TypeError, ValueError) as error:
            raise FormatError(
                f"{self.path}: expected numbers under {key!r}, got {type(value).__name__} in entry "
                f"{number}"
            ) from error
        if len(numbers) not in sizes or not np.isfinite(numbers).all():
            raise FormatError(
                f"{self.path}: expected {' or '.join(map(str, sizes))} finite numbers under "
                f"{key!r}, got {len(numbers)} in entry {number}"
            )
        return numbers


def _rotations(values: Floats, form: TrayForm) -> Rotation:
    if form == "rotation_vector":
        return Rotation.from_rotvec(values)
    if form == "quaternion_xyzw":
        return Rotation.from_quat(values)
    if form == "quaternion_wxyz":
        return Rotation.from_quat(values[:, [1, 2, 3, 0]])
    if form == "euler_xyz":
        return Rotation.from_euler("xyz", values)
    side = 3 if values.shape[1] == 9 else 4
    return Rotation.from_matrix(values.reshape(-1, side, side)[:, :3, :3])


def _axes(text: str) -> Rotation:
    """Return the rotation of the level tray's axes, such as "+x-y-z", in the given frame."""
    columns = np.zeros((3, 3))
    for column, (sign, axis) in enumerate(zip(text[::2], text[1::2], strict=True)):
        columns["xyz".index(axis), column] = 1.0 if sign == "+" else -1.0
    if not np.isclose(np.linalg.det(columns), 1.0):
        raise FormatError(f"expected three axes of a right-handed frame, got {text!r}")
    return Rotation.from_matrix(columns)


def _lines(key: str, value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, dict) and depth < 4:
        for name, part in list(value.items())[: 2 * _SHOWN]:
            yield from _lines(f"{key}/{name}" if key else str(name)[:60], part, depth + 1)
    elif isinstance(value, np.ndarray):
        yield f"{key or '(entry)'}: {value.dtype} {value.shape}"
    elif isinstance(value, list | tuple):
        yield f"{key or '(entry)'}: {type(value).__name__} of {len(value)}"
    else:
        yield f"{key or '(entry)'}: {type(value).__name__}"
