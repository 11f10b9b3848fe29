"""Exports that no crash, kill or full disk leaves half done under their own name.

An export is written to `OUT.partial/`, a group of episodes at a time. When
the files of a group are safely on disk its entry goes to
`OUT.partial/.export/`; a group without an entry is written again. When all
groups are there, what describes the whole is written, and the folder is
renamed to `OUT`. So `OUT` is always whole, and it is never changed again.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import Field, ValidationError

from policy_ros.data.exporters.selection import Selected
from tiltbot_ros.episodes.folder import sync_directory, write_durably
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.errors import FormatError, RecordingError, TiltbotError
from tiltbot_ros.settings import Settings, explain

_OWN = ".export"
_PLAN = "plan.json"

S = TypeVar("S", bound=Settings)
T = TypeVar("T")


class LeftOut(Settings):
    """An episode that an export does not have."""

    episode: str = Field(description="its directory")
    reason: str = Field(description="why, in words")


class GroupEntry(Settings):
    """What is known of one group of episodes when its files are on disk."""

    number: int = Field(ge=0, description="of the group")
    episodes: tuple[dict[str, Any], ...] = Field((), description="what the format notes of each")
    left_out: tuple[LeftOut, ...] = Field((), description="episodes that do not fit")


class ExportPlan(Settings):
    """What an export consists of; an export that goes on must have the same."""

    format: str = Field(description="its name")
    options: str = Field(description="digest of the options")
    episodes: str = Field(description="digest of the episodes, in order")
    count: int = Field(ge=1, description="how many")
    group: int = Field(ge=1, description="episodes in a group")
    layout: dict[str, Any] = Field(description="what all episodes have in common")


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Episodes to write.

    Attributes:
        number: of the group.
        episodes: in order.
        done: the groups before it.
    """

    number: int
    episodes: tuple[Selected, ...]
    done: tuple[GroupEntry, ...]

    def before(self) -> list[dict[str, Any]]:
        """Return what the format noted of all episodes before these."""
        return [one for entry in self.done for one in entry.episodes]

    def files(self) -> int:
        """Return how many groups before this one have episodes, and so files."""
        return sum(bool(entry.episodes) for entry in self.done)

    def read(self, make: Callable[[Episode], T], left_out: list[LeftOut]) -> Iterator[T]:
        """Yield what `make` returns of each episode; those that it refuses are noted."""
        for selected in self.episodes:
            try:
                made = make(Episode.open(selected.path))
            except TiltbotError as error:
                left_out.append(LeftOut(episode=str(selected.path), reason=str(error)))
                continue
            yield made


class Format(Protocol):
    """A format that episodes are exported to.

    Attributes:
        name: of it.
        options: digest of its options.
    """

    name: str
    options: str

    def begin(self, first: Selected) -> tuple[int, dict[str, Any]]:
        """Look at an episode; return how many go into a group, and what all must have in common.

        Raises:
            TiltbotError: it cannot be read or does not fit the format.
        """

    def resume(self, layout: dict[str, Any]) -> None:
        """Take what `begin` returned, then or in an earlier process."""

    def write_group(self, folder: Path, group: "Group") -> GroupEntry:
        """Write a group's files, synced to disk."""

    def finish(self, folder: Path, entries: tuple[GroupEntry, ...]) -> None:
        """Write what describes the whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportReport:
    """What became of an export.

    Attributes:
        out: where it is.
        exported: episodes in it.
        left_out: those that are not, and why.
        resumed: groups that were there from an interrupted export.
    """

    out: Path
    exported: int
    left_out: tuple[LeftOut, ...]
    resumed: int


def export(
    target: Format,
    episodes: tuple[Selected, ...],
    out: Path,
    *,
    tell: Callable[[int], None] = lambda _: None,
) -> ExportReport:
    """Export episodes to a folder that does not exist yet.

    Called again with the same episodes and options after an interruption, it
    goes on behind the last whole group; with others it refuses.

    Args:
        target: the format.
        episodes: in the order that they are to have.
        out: the folder.
        tell: told how many episodes have been dealt with.

    Raises:
        FormatError: the folder exists, another export was begun in its place, or no episode fits.
        RecordingError: it cannot be written, or another process writes it.
    """
    out = out.expanduser()
    if out.exists():
        raise FormatError(
            f"{out}: expected a folder that does not exist yet: an export is never changed; give "
            "another --out, or remove it"
        )
    partial = out.with_name(f"{out.name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        lock = _locked(partial)
        try:
            return _export(target, episodes, partial, out, tell)
        finally:
            os.close(lock)
    except OSError as error:
        raise RecordingError(
            f"{partial}: cannot be written: {error.strerror or error}: make room, then give the "
            "same command again, it goes on where it was"
        ) from error


def _export(
    target: Format,
    episodes: tuple[Selected, ...],
    partial: Path,
    out: Path,
    tell: Callable[[int], None],
) -> ExportReport:
    own = partial / _OWN
    plan = _plan(target, episodes, own)
    target.resume(plan.layout)
    entries: list[GroupEntry] = []
    resumed = 0
    for number, start in enumerate(range(0, len(episodes), plan.group)):
        file = own / f"group_{number:05d}.json"
        chosen = episodes[start : start + plan.group]
        if file.is_file():
            entries.append(_read(file, GroupEntry))
            resumed += 1
        else:
            group = Group(number=number, episodes=chosen, done=tuple(entries))
            entry = target.write_group(partial, group)
            write_durably(file, entry.model_dump_json().encode() + b"\n")
            entries.append(entry)
        tell(start + len(chosen))
    exported = sum(len(entry.episodes) for entry in entries)
    left_out = tuple(one for entry in entries for one in entry.left_out)
    if not exported:
        raise FormatError(
            f"{out}: expected an episode that fits, found none of {len(episodes)}: "
            f"{left_out[0].episode}: {left_out[0].reason}"
        )
    target.finish(partial, tuple(entries))
    shutil.rmtree(own)
    sync_directory(partial)
    partial.rename(out)
    sync_directory(out.parent)
    return ExportReport(out=out, exported=exported, left_out=left_out, resumed=resumed)


def _plan(target: Format, episodes: tuple[Selected, ...], own: Path) -> ExportPlan:
    digest = hashlib.sha256("\n".join(episode.key for episode in episodes).encode()).hexdigest()
    file = own / _PLAN
    if file.is_file():
        plan = _read(file, ExportPlan)
        if (plan.format, plan.options, plan.episodes) != (target.name, target.options, digest):
            raise FormatError(
                f"{own.parent}: expected the export that was begun there ({plan.format}, "
                f"{plan.count} episodes), got other episodes or options: give those again, or "
                "remove it"
            )
        return plan
    group, layout = _begin(target, episodes)
    plan = ExportPlan(
        format=target.name,
        options=target.options,
        episodes=digest,
        count=len(episodes),
        group=group,
        layout=layout,
    )
    own.mkdir(exist_ok=True)
    write_durably(file, plan.model_dump_json(indent=1).encode() + b"\n")
    return plan


def _begin(target: Format, episodes: tuple[Selected, ...]) -> tuple[int, dict[str, Any]]:
    """Take what all have in common from the first episode that can be read."""
    problem: TiltbotError | None = None
    for episode in episodes:
        try:
            return target.begin(episode)
        except TiltbotError as error:
            problem = problem or error
    raise FormatError(f"expected an episode that can be exported, found none: {problem}")


def _locked(partial: Path) -> int:
    descriptor = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise RecordingError(f"{partial}: another process writes this export") from error
    return descriptor


def _read(file: Path, model: type[S]) -> S:
    try:
        return model.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise FormatError(
            f"{file}: not of this export: {explain(error)}: remove {file.parents[1]}"
        ) from error
