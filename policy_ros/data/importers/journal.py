"""Which recordings a data folder already has, so that an import goes on where it was."""

import shutil
from pathlib import Path

from pydantic import Field, ValidationError

from tiltbot_ros.episodes.folder import DataFolder, is_episode_name, sync_directory, write_durably
from tiltbot_ros.errors import FormatError
from tiltbot_ros.settings import Settings, explain

FOLDER = ".import"
_UNDER_WAY = "current"
_REPORT = "report.json"


class SourceReport(Settings):
    """What became of one recording; also its entry in the journal."""

    name: str = Field(description="of the recording")
    key: str = Field(description="of its files' names, sizes and times, and of the options")
    episodes: tuple[str, ...] = Field((), description="ids of its episodes")
    clean: int = Field(0, ge=0, description="of them, those whose verdict is clean")
    contacts: int = Field(0, ge=0, description="heard or told in it")
    lost: int = Field(0, ge=0, description="episodes that could not be written")
    seconds: float = Field(0.0, ge=0.0, description="of sound [s]")
    remarks: tuple[str, ...] = Field((), description="what was left aside")
    problem: str = Field("", description="why it could not be read; empty: it could")


class ImportedFolder:
    """A data folder that recordings are imported into, one at a time.

    A recording is cut in `.import/current/`, a data folder of its own whose
    numbers begin at the next free one. When it is whole it gets a
    `report.json`; then its episodes move to the data folder by renaming, and
    last the report moves to `.import/<key>.json`. Whatever is killed when:
    a recording with that file is done, one with a `report.json` only has to
    be moved on, any other is removed and cut again.

    Args:
        path: made when it does not exist.

    Raises:
        RecordingError: another process writes to it, or it cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = DataFolder(path)
        self._own = path / FOLDER
        try:
            self._own.mkdir(exist_ok=True)
            if (self.workplace / _REPORT).is_file():
                self._take()
            shutil.rmtree(self.workplace, ignore_errors=True)
        except BaseException:
            self.close()
            raise

    @property
    def workplace(self) -> Path:
        """Where a recording is cut."""
        return self._own / _UNDER_WAY

    def close(self) -> None:
        """Let go of the folder."""
        self._folder.close()

    def done(self, key: str) -> SourceReport | None:
        """Return what became of a recording that was imported before; None: it was not.

        Raises:
            FormatError: the journal's entry is corrupt.
        """
        file = self._own / f"{key}.json"
        return _read(file) if file.is_file() else None

    def begin(self) -> Path:
        """Return an empty data folder to cut the next recording in."""
        shutil.rmtree(self.workplace, ignore_errors=True)
        inner = DataFolder(self.workplace)
        inner.reserve(self._last())
        inner.close()
        return self.workplace

    def finish(self, report: SourceReport) -> None:
        """Move the episodes of the recording that was cut into the data folder."""
        write_durably(self.workplace / _REPORT, report.model_dump_json(indent=1).encode() + b"\n")
        self._take()

    def abandon(self) -> None:
        """Remove what there is of the recording that was to be cut."""
        shutil.rmtree(self.workplace, ignore_errors=True)

    def _take(self) -> None:
        report = _read(self.workplace / _REPORT)
        for episode in sorted(self.workplace.iterdir()):
            if is_episode_name(episode.name):
                episode.rename(self.path / episode.name)
        sync_directory(self.path)
        self._folder.reserve(self._last())
        (self.workplace / _REPORT).rename(self._own / f"{report.key}.json")
        sync_directory(self._own)
        shutil.rmtree(self.workplace)

    def _last(self) -> int:
        noted = self.path / ".last_id"
        text = (
            noted.read_text(encoding="ascii", errors="replace").strip() if noted.is_file() else ""
        )
        numbers = [int(text) if text.isdecimal() else 0]
        numbers += [
            int(entry.name.removeprefix("ep_"))
            for folder in (self.path, self.path / "trash")
            if folder.is_dir()
            for entry in folder.iterdir()
            if is_episode_name(entry.name)
        ]
        return max(numbers)


def _read(file: Path) -> SourceReport:
    try:
        return SourceReport.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise FormatError(f"{file}: not an entry of an import: {explain(error)}") from error
