"""The `tiltbot` command: finds its verbs and runs one."""

import os
import sys
from importlib.metadata import EntryPoint, entry_points

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tiltbot_ros.commands.usage import UsageError
from tiltbot_ros.errors import TiltbotError

GROUP = "tiltbot.verbs"

OK = 0
FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130
"""As a shell reports SIGINT."""
PIPE_CLOSED = 141
"""As a shell reports SIGPIPE: the reader, such as `head`, has had enough."""

_STYLE = (
    tyro.conf.OmitSubcommandPrefixes,
    tyro.conf.OmitArgPrefixes,
    tyro.conf.FlagCreatePairsOff,
)


def _verbs() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


def _summary(point: EntryPoint) -> str:
    try:
        text = point.load().__doc__ or ""
    except ImportError as error:  # one verb's missing library must not hide the others
        return f"(cannot be loaded: {error})"
    return str(text.strip().splitlines()[0]) if text.strip() else ""


def _print_help(console: Console, verbs: dict[str, EntryPoint]) -> None:
    console.print("[bold]tiltbot[/] VERB [dim]...[/]\n\nA robot that hears.\n")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 2))
    for name, point in verbs.items():
        table.add_row(f"[bold]{name}[/]", escape(_summary(point)))
    console.print(table)
    console.print("\n`tiltbot VERB --help` tells the options of one.")


def _complain(text: str) -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"[red]tiltbot:[/] {escape(text)}", highlight=False)


def _run(given: list[str]) -> int:
    verbs = _verbs()
    if not given or given[0] in {"-h", "--help"}:
        _print_help(Console(), verbs)
        return OK
    if given[0] not in verbs:
        _complain(f"expected a verb ({', '.join(verbs)}), got '{given[0]}'")
        return WRONG_USE
    try:
        verb = verbs[given[0]].load()
    except ImportError as error:
        _complain(f"'{given[0]}' cannot be loaded: {error}; `tiltbot doctor` tells what is missing")
        return FAILED
    status = tyro.cli(
        verb,
        prog=f"tiltbot {given[0]}",
        args=given[1:],
        config=_STYLE,
        console_outputs=True,
    )
    return int(status or OK)


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; return the exit status.

    A verb is a function in the entry-point group `tiltbot.verbs`; its
    signature is its command line. It is imported only when it is called (or
    when the help is printed) and returns its exit status.

    The status is 2 for a wrong command line, 1 for an error that tiltbot
    raises on purpose, and as a shell has it when the user or a closed pipe
    ended the verb.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        try:
            status = _run(given)
        except SystemExit as end:  # how tyro ends after --help and after a wrong option
            status = end.code if isinstance(end.code, int) else OK
        sys.stdout.flush()
    except TiltbotError as error:
        _complain(str(error))
        return WRONG_USE if isinstance(error, UsageError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is left in the buffer would raise again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    return status
