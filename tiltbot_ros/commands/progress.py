"""The progress bar of verbs that work through countable things."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def counting_bar(label: str, console: Console) -> Progress:
    """Return a bar that counts; it shows in a terminal alone, and says at last how long it took.

    Args:
        label: what is counted, or done.
        console: of standard error.
    """
    return Progress(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        disable=not console.is_terminal,
    )
