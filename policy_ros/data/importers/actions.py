"""A table of actions beside a sound file: CSV with named columns."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from tiltbot_ros.errors import FormatError


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One row of the table.

    Attributes:
        file: name of the sound file; empty: the only one.
        start_s, end_s: when the tray left level and was back, after the first frame [s].
        rotation: x and y of the tilt's rotation vector in the level tray's frame [rad].
        action: the same over the greatest tilt, in [-1, 1].
        object: what was in the tray; empty: not told.
        contact_s: when the object hit a wall, after the first frame [s]; None: not told.
        before, after: picture files of the tray before and after; None: not told.
    """

    file: str
    start_s: float
    end_s: float
    rotation: tuple[float, float]
    action: tuple[float, float]
    object: str
    contact_s: float | None
    before: Path | None
    after: Path | None


def read_actions(path: Path, *, max_tilt_rad: float) -> tuple[Action, ...]:
    """Read a table of actions.

    The first line names the columns. `start_s` and `end_s` are needed, and
    either `ax` and `ay` or `rx_rad` and `ry_rad`; `file`, `object`,
    `contact_s`, `before` and `after` may be there; any other column is not
    read.

    Args:
        path: of the CSV file: UTF-8, commas.
        max_tilt_rad: rotation of an action of 1 [rad].

    Raises:
        FormatError: it is not such a table; the text names file and line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, strict=True)
            names = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            _check_columns(names, path)
            rows = [_action(row, path, reader.line_num, max_tilt_rad) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FormatError(
            f"{path}: expected a CSV file in UTF-8, cannot read it: {error}"
        ) from error
    if not rows:
        raise FormatError(f"{path}: expected a row for each action, found none")
    return tuple(rows)


def _check_columns(names: list[str], path: Path) -> None:
    actions = {"ax", "ay"} <= set(names) or {"rx_rad", "ry_rad"} <= set(names)
    missing = [name for name in ("start_s", "end_s") if name not in names]
    if missing or not actions:
        raise FormatError(
            f"{path}: expected the columns start_s, end_s, and ax, ay or rx_rad, ry_rad (and "
            f"perhaps file, object, contact_s, before, after), found {', '.join(names) or 'none'}"
        )
    if len(set(names)) < len(names):
        raise FormatError(f"{path}: expected every column once, found {', '.join(names)}")


def _action(row: dict[str, str | None], path: Path, line: int, max_tilt_rad: float) -> Action:
    where = f"{path}, line {line}"
    start_s, end_s = _number(row, "start_s", where), _number(row, "end_s", where)
    if not 0 <= start_s <= end_s:
        raise FormatError(f"{where}: expected 0 <= start_s <= end_s, got {start_s} and {end_s}")
    if "rx_rad" in row and "ry_rad" in row:
        rotation = _number(row, "rx_rad", where), _number(row, "ry_rad", where)
        action = rotation[0] / max_tilt_rad, rotation[1] / max_tilt_rad
    else:
        action = _number(row, "ax", where), _number(row, "ay", where)
        rotation = action[0] * max_tilt_rad, action[1] * max_tilt_rad
    if math.hypot(*action) > 1.0 + 1e-6:
        raise FormatError(
            f"{where}: expected an action of length 1 at most, got ({action[0]:g}, {action[1]:g}): "
            f"is the greatest tilt {max_tilt_rad:g} rad?"
        )
    contact = (row.get("contact_s") or "").strip()
    return Action(
        file=(row.get("file") or "").strip(),
        start_s=start_s,
        end_s=end_s,
        rotation=rotation,
        action=action,
        object=(row.get("object") or "").strip(),
        contact_s=_number(row, "contact_s", where) if contact else None,
        before=_picture(row, "before", path, where),
        after=_picture(row, "after", path, where),
    )


def _picture(row: dict[str, str | None], name: str, path: Path, where: str) -> Path | None:
    text = (row.get(name) or "").strip()
    if not text:
        return None
    picture = path.parent / text
    if not picture.is_file():
        raise FormatError(f"{where}: expected a picture {picture} as {name}, found none")
    return picture


def _number(row: dict[str, str | None], name: str, where: str) -> float:
    text = row.get(name)
    try:
        value = float(text or "")
    except ValueError as error:
        raise FormatError(f"{where}: expected a number in {name}, got {text!r}") from error
    if not math.isfinite(value):
        raise FormatError(f"{where}: expected a finite number in {name}, got {text!r}")
    return value
