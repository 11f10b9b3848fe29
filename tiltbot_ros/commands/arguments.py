"""How options look on the command line, for several verbs."""

import sys
from pathlib import Path
from typing import Annotated

import tyro

from tiltbot_ros.commands.usage import UsageError

Folder = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
Where = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR|EPISODE")]
Some = Annotated[
    tuple[Path, ...],
    tyro.conf.Positional,
    tyro.conf.arg(metavar="EPISODE...", help_behavior_hint="(required)"),
]
Flag = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]
TEXT = tyro.conf.arg(metavar="TEXT", help_behavior_hint="")
NAME = tyro.conf.arg(metavar="NAME", help_behavior_hint="")
Json = Annotated[
    bool, tyro.conf.arg(name="json", help="print JSON, for scripts", help_behavior_hint="")
]
Labels = tyro.conf.UseAppendAction[
    Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=VALUE", help_behavior_hint="")]
]


def given(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the paths that were given; `-` stands for those on standard input, one a line.

    Raises:
        UsageError: there is none.
    """
    found: list[Path] = []
    for path in paths:
        found += map(Path, sys.stdin.read().splitlines()) if path == Path("-") else [path]
    if not found:
        raise UsageError("expected one episode or more, such as data/ep_000042, got none")
    return tuple(found)


def pair(text: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`.

    Raises:
        UsageError: it is something else.
    """
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise UsageError(f"expected a label as NAME=VALUE, got '{text}'")
    return name, value
