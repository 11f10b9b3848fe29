"""Where a report is written: one file, or a folder with the media beside the page."""

import shutil
from pathlib import Path
from typing import Protocol

from tiltbot_ros.errors import ReportError
from tiltbot_ros.reporting.page import PageChunk, PageTable, chunk_script, is_page, page

PAGE_NAME = "index.html"
MEDIA_NAME = "media"

_START = 4096


class Target(Protocol):
    """Takes chunks as they are made, then the table."""

    def chunk(self, number: int, episodes: tuple[int, ...]) -> PageChunk:
        """Return how the page refers to a chunk."""

    def add(self, number: int, block: bytes) -> None:
        """Take a chunk of media."""

    def finish(self, table: PageTable) -> tuple[Path, int]:
        """Write the page; return where it is and the bytes of the files beside it."""


def target_at(out: Path) -> Target:
    """Return the target at a path: a file where it is named *.html, otherwise a folder.

    Raises:
        ReportError: something else than a report is there.
    """
    if out.suffix.lower() in (".html", ".htm"):
        if out.exists() and not _is_report(out):
            raise ReportError(f"{out}: expected a report or nothing there, found something else")
        return _File(out)
    if out.exists() and not out.is_dir():
        raise ReportError(
            f"{out}: expected a folder, or a file named *.html; found a file of another name"
        )
    if out.is_dir() and any(out.iterdir()) and not _is_report(out / PAGE_NAME):
        raise ReportError(
            f"{out}: expected a new or empty folder, or one with a report, found other files in "
            "it: give another --out"
        )
    return _Folder(out)


class _File:
    """Everything in one file."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._blocks: dict[int, bytes] = {}

    def chunk(self, number: int, episodes: tuple[int, ...]) -> PageChunk:
        del number
        return PageChunk(file="", episodes=episodes)

    def add(self, number: int, block: bytes) -> None:
        self._blocks[number] = block

    def finish(self, table: PageTable) -> tuple[Path, int]:
        self._out.parent.mkdir(parents=True, exist_ok=True)
        blocks = [self._blocks[number] for number in sorted(self._blocks)]
        _replace(self._out, page(table, blocks))
        return self._out, 0


class _Folder:
    """The page, and beside it a folder with a file for every chunk.

    The files of a new report are written under another name and take the
    place of the old ones only with its page.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._new = out / f"{MEDIA_NAME}.new"
        shutil.rmtree(self._new, ignore_errors=True)
        self._new.mkdir(parents=True)
        self._bytes = 0

    def chunk(self, number: int, episodes: tuple[int, ...]) -> PageChunk:
        return PageChunk(file=f"{MEDIA_NAME}/{_name(number)}", episodes=episodes)

    def add(self, number: int, block: bytes) -> None:
        script = chunk_script(number, block)
        (self._new / _name(number)).write_bytes(script)
        self._bytes += len(script)

    def finish(self, table: PageTable) -> tuple[Path, int]:
        whole = page(table)
        old = self._out / MEDIA_NAME
        shutil.rmtree(old, ignore_errors=True)
        self._new.rename(old)
        _replace(self._out / PAGE_NAME, whole)
        return self._out / PAGE_NAME, self._bytes


def _name(number: int) -> str:
    return f"{number:05d}.js"


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return is_page(file.read(_START))


def _replace(path: Path, data: bytes) -> None:
    scratch = path.with_name(f"{path.name}.new")
    scratch.write_bytes(data)
    scratch.replace(path)
