"""Write an export: a folder, or a tar archive to send away."""

import io
import shutil
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tiltbot_ros.episodes.catalogue import Listed
from tiltbot_ros.episodes.exporting import README, ExportOptions, files_of, table_of
from tiltbot_ros.errors import EpisodeError, RecordingError

_PACKED = (".tar", ".tgz", ".gz")


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was exported.

    Attributes:
        out: the folder or the archive.
        episodes: ids, in order.
        bytes: of all files, before an archive packs them [B].
        refused: path and reason of those that cannot be read.
    """

    out: Path
    episodes: tuple[str, ...]
    bytes: int
    refused: tuple[tuple[Path, str], ...]


def export(
    entries: Iterable[Listed],
    out: Path,
    options: ExportOptions,
    *,
    tell: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Write episodes as plain files; the whole appears under its name when it is done.

    Args:
        entries: of the catalogue.
        out: a new or empty folder, or a file named *.tar, *.tar.gz or *.tgz.
        options: what is exported.
        tell: told how many episodes are done.

    Raises:
        RecordingError: something is there, it cannot be written, or two
            episodes have the same id.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise RecordingError(f"{out}: expected a new or empty folder, or a new archive")
    refused: list[tuple[Path, str]] = []
    done: list[Listed] = []
    names: set[str] = set()
    try:
        with _Archive(out) if out.suffix in _PACKED else _Tree(out) as target:
            for entry in entries:
                name = entry.path.name
                if name in names:
                    raise RecordingError(
                        f"{entry.path}: expected every id once, got {name} twice: merge the "
                        "folders first (`tiltbot episodes merge`)"
                    )
                names.add(name)
                try:
                    files = list(files_of(entry.path, options))
                except EpisodeError as error:
                    refused.append((entry.path, str(error)))
                    continue
                for file in files:
                    target.add(f"{name}/{file.name}", file.data)
                done.append(entry)
                tell(len(done))
            target.add("episodes.csv", table_of(e.facts for e in done if e.facts is not None))
            target.add("README.txt", README.encode())
            size = target.bytes
    except OSError as error:
        raise RecordingError(f"{out}: cannot be written: {error.strerror}") from error
    return Exported(
        out=out,
        episodes=tuple(entry.path.name for entry in done),
        bytes=size,
        refused=tuple(refused),
    )


class _Tree:
    """A folder that gets its name when all is in it."""

    def __init__(self, out: Path) -> None:
        self.bytes = 0
        self._out = out
        self._scratch = out.with_name(f"{out.name}.partial")

    def __enter__(self) -> Self:
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        return self

    def add(self, name: str, data: bytes) -> None:
        place = self._scratch / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        self.bytes += len(data)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._scratch.replace(self._out)
        else:
            shutil.rmtree(self._scratch, ignore_errors=True)


class _Archive:
    """A tar archive that gets its name when all is in it."""

    def __init__(self, out: Path) -> None:
        self.bytes = 0
        self._out = out
        self._scratch = out.with_name(f"{out.name}.partial")
        self._root = out.name.removesuffix(out.suffix).removesuffix(".tar")

    def __enter__(self) -> Self:
        self._out.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._scratch.open("wb")
        # Closed on exit.
        self._tar = tarfile.open(
            fileobj=self._file, mode="w" if self._out.suffix == ".tar" else "w:gz"
        )
        return self

    def add(self, name: str, data: bytes) -> None:
        entry = tarfile.TarInfo(f"{self._root}/{name}")
        entry.size, entry.mode = len(data), 0o644
        self._tar.addfile(entry, io.BytesIO(data))
        self.bytes += len(data)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._tar.close()
        finally:
            self._file.close()
        if kind is None:
            self._scratch.replace(self._out)
        else:
            self._scratch.unlink(missing_ok=True)
