"""The `tiltbot` command: finds its verbs and runs one."""

import sys
from importlib.metadata import EntryPoint, entry_points

import tyro
from rich.console import Console
from rich.table import Table

from tiltbot_ros.errors import TiltbotError

GROUP = "tiltbot.verbs"


def _verbs() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


def _print_help(console: Console, verbs: dict[str, EntryPoint]) -> None:
    console.print("[bold]tiltbot[/] VERB [OPTIONS]\n\nA robot that hears.\n")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 2))
    for name, point in verbs.items():
        summary = (point.load().__doc__ or "").strip().splitlines()[0]
        table.add_row(f"[bold]{name}[/]", summary)
    console.print(table)
    console.print("\n`tiltbot VERB --help` tells the options of one.")


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; return the exit status.

    A verb is a function in the entry-point group `tiltbot.verbs`; its
    signature is its command line. It is imported only when it is called (or
    when the help is printed) and returns its exit status.
    """
    given = sys.argv[1:] if arguments is None else arguments
    verbs = _verbs()
    if not given or given[0] in {"-h", "--help"}:
        _print_help(Console(), verbs)
        return 0
    errors = Console(stderr=True)
    if given[0] not in verbs:
        errors.print(
            f"[red]tiltbot:[/] expected a verb ({', '.join(verbs)}), got '{given[0]}'",
            highlight=False,
        )
        return 2
    try:
        status = tyro.cli(verbs[given[0]].load(), prog=f"tiltbot {given[0]}", args=given[1:])
    except TiltbotError as error:
        errors.print("[red]tiltbot:[/]", str(error), highlight=False, markup=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return int(status or 0)
