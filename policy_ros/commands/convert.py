"""The verb `convert`: from bags to a training store."""

import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
import yaml
from rich.console import Console

from tiltbot_ros.commands.output import remarks, screen
from tiltbot_ros.commands.progress import counting_bar
from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.errors import ConfigError
from tiltbot_ros.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy_ros.data.manifest import LeftOut
    from policy_ros.data.store_settings import StoreSettings

_SHOWN = 20

_Folders = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="DATA ...")]
_Count = Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")]
_File = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")]


def convert(
    data: _Folders,
    /,
    *,
    out: Annotated[Path, tyro.conf.arg(metavar="STORE")],
    settings: _File = None,
    clip: bool = False,
    clean: bool = False,
    check: bool = False,
    workers: _Count = None,
) -> int:
    """Convert episodes to a training store, or bring a store up to date with them.

    New episodes are added, relabelled ones changed, removed ones removed; a
    store may hold several folders. Started again after Ctrl-C or a kill, it
    goes on where it was. docs/store.md describes the store.

    Args:
        data: folders of episodes
        out: folder of the store
        settings: of a new store, a YAML file with the settings of docs/store.md
        clip: keep all pictures of an episode in a new store, not only those before and after
        clean: leave out flagged episodes that nobody has kept
        check: then read the whole store and compare it with its checksums; works without DATA
        workers: processes at a time; as many as there are processors

    Returns:
        0, 130 after Ctrl-C, or 1 when something is wrong with an episode.
    """
    if not data and not check:
        raise UsageError("expected one folder of episodes or more, got none")
    if workers is not None and workers < 1:
        raise UsageError(f"expected --workers above 0, got {workers}")
    # They import OpenCV and MuJoCo; the checks above must not wait for them.
    from policy_ros.data.converting import convert as run  # noqa: PLC0415
    from tiltbot_ros.worlds.objects import ObjectCatalogue  # noqa: PLC0415

    told = screen()
    if not data:
        _check(told, out)
        return 0
    began = time.monotonic()
    console = remarks()
    sets = {spec.name: spec.set for spec in ObjectCatalogue.load()}
    try:
        with counting_bar("episodes", console) as bar:
            task = bar.add_task("", total=None)
            done = run(
                data,
                out,
                settings=_settings(settings, clip=clip),
                objects=sets,
                clean_only=clean,
                workers=workers or len(os.sched_getaffinity(0)),
                tell=lambda count, total: bar.update(task, completed=count, total=total),
            )
    except KeyboardInterrupt:
        console.print(
            f"stopped; what is converted is kept in {out}, the same command goes on",
            markup=False,
            soft_wrap=True,
        )
        raise
    _tell_left_out(told, done.left_out, out)
    if check:
        _check(told, out)
    told.print(
        f"{counted(done.rows, 'episode')} in {out}: {done.added} added, {done.relabelled} "
        f"relabelled, {done.removed} removed, {len(done.left_out)} left out, in "
        f"{time.monotonic() - began:.0f} s",
        markup=False,
    )
    return 1 if done.faults else 0


def _check(told: Console, out: Path) -> None:
    from policy_ros.data.store import Store  # noqa: PLC0415

    Store.open(out).verify()
    told.print(f"{out}: every file is as its checksum says", markup=False)


def _settings(file: Path | None, *, clip: bool) -> "StoreSettings | None":
    from policy_ros.data.store_settings import StoreSettings  # noqa: PLC0415
    from tiltbot_ros.settings import checked  # noqa: PLC0415

    if file is None and not clip:
        return None
    values: dict[str, object] = {}
    if file is not None:
        try:
            told = yaml.safe_load(file.expanduser().read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(
                f"expected settings in {file}, but it cannot be read: {error}"
            ) from error
        if not isinstance(told, dict):
            raise ConfigError(f"expected settings in {file}, got {type(told).__name__}")
        values = told
    try:
        return checked(StoreSettings, {**values, **({"clip": True} if clip else {})})
    except ConfigError as error:
        raise ConfigError(f"{file}:\n{error}") from error


def _tell_left_out(told: Console, entries: "Sequence[LeftOut]", out: Path) -> None:
    faults = [entry for entry in entries if entry.cause == "fault"]
    for entry in faults[:_SHOWN]:
        told.print(f"left out: {entry.reason}", markup=False)
    if len(faults) > _SHOWN:
        told.print(
            f"left out: {len(faults) - _SHOWN} more with faults; {out / 'store.json'} lists them",
            markup=False,
        )
    for cause, count in Counter(entry.cause for entry in entries).items():
        if cause != "fault":
            told.print(f"left out: {counted(count, 'episode')} by rule: {cause}", markup=False)
