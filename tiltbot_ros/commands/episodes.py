"""The verb `episodes`: list, check, look at, sort and move what was recorded."""

from typing import Annotated

import tyro

from tiltbot_ros.commands.looking import Check, Find, Ls, Show
from tiltbot_ros.commands.moving import Export, Merge
from tiltbot_ros.commands.sorting import Discard, Keep, Relabel, Restore


def episodes(
    command: Annotated[
        Annotated[Ls, tyro.conf.subcommand("ls")]
        | Annotated[Find, tyro.conf.subcommand("find")]
        | Annotated[Check, tyro.conf.subcommand("check")]
        | Annotated[Show, tyro.conf.subcommand("show")]
        | Annotated[Keep, tyro.conf.subcommand("keep")]
        | Annotated[Discard, tyro.conf.subcommand("discard")]
        | Annotated[Restore, tyro.conf.subcommand("restore")]
        | Annotated[Relabel, tyro.conf.subcommand("relabel")]
        | Annotated[Merge, tyro.conf.subcommand("merge")]
        | Annotated[Export, tyro.conf.subcommand("export")],
        tyro.conf.arg(name=""),
    ],
) -> int:
    """List, find, check, look at, sort, merge and export recorded episodes."""
    return command.run()
