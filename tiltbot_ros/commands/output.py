"""What every verb prints: tables and lines for people, JSON for scripts."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from pydantic_core import to_json
from rich.console import Console


class Screen(Console):
    """A console that reports a closed pipe instead of ending the process."""

    def on_broken_pipe(self) -> NoReturn:
        """Let the command see that nobody reads on."""
        raise BrokenPipeError


def screen() -> Console:
    """Return the console of standard output; it leaves the wrapping of lines to the terminal."""
    return Screen(highlight=False, soft_wrap=True)


def remarks() -> Console:
    """Return the console of standard error: progress, and what is no result."""
    return Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print dataclasses, numbers, texts, paths, lists and mappings as indented JSON.

    What is not a number becomes null, which is what JSON has for it.
    """
    sys.stdout.write(to_json(value, indent=2, inf_nan_mode="null").decode() + "\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a listing."""

    title: str
    align: Literal["<", ">"] = "<"


def print_listing(
    columns: Sequence[Column], rows: Iterable[Sequence[str]], styles: Mapping[int, str]
) -> None:
    """Print a plain table, one line a row.

    Thousands of rows appear at once, where rich's tables need milliseconds for
    each. A row is coloured only in a terminal.

    Args:
        columns: titles and alignments.
        rows: texts, as many as columns.
        styles: ANSI codes by number of the row, such as {3: "33"}.
    """
    body = [list(row) for row in rows]
    titles = [column.title for column in columns]
    widths = [max(map(len, texts)) for texts in zip(titles, *body, strict=True)]
    coloured = sys.stdout.isatty()

    def line(texts: Sequence[str]) -> str:
        cells = zip(texts, columns, widths, strict=True)
        return "  ".join(f"{text:{column.align}{width}}" for text, column, width in cells).rstrip()

    lines = [line(titles)]
    for number, row in enumerate(body):
        text = line(row)
        code = styles.get(number) if coloured else None
        lines.append(f"\x1b[{code}m{text}\x1b[0m" if code else text)
    sys.stdout.write("\n".join(lines) + "\n")
