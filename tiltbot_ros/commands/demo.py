"""The verb `demo`: record, list, look at, sort and replay demonstrations."""

from typing import Annotated

import tyro

from tiltbot_ros.commands.demo_recording import Record
from tiltbot_ros.commands.demo_replaying import Replay
from tiltbot_ros.commands.demo_sorting import Discard, Label, List, Restore, Show


def demo(
    command: Annotated[
        Annotated[Record, tyro.conf.subcommand("record")]
        | Annotated[List, tyro.conf.subcommand("list")]
        | Annotated[Show, tyro.conf.subcommand("show")]
        | Annotated[Label, tyro.conf.subcommand("label")]
        | Annotated[Discard, tyro.conf.subcommand("discard")]
        | Annotated[Restore, tyro.conf.subcommand("restore")]
        | Annotated[Replay, tyro.conf.subcommand("replay")],
        tyro.conf.arg(name=""),
    ],
) -> int:
    """Record, list, look at, sort and replay demonstrations."""
    return command.run()
