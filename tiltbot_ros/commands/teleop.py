"""Lead an arm: start it, and follow a keyboard, a gamepad or a headset."""

from rich.console import Console

from tiltbot_ros.bringup import teleop_graph, teleop_parameters
from tiltbot_ros.commands.leading import with_source
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.teleop.settings import SourceName


def teleop(
    *,
    rig: str = "arm_sim",
    source: SourceName | None = None,
    dry_run: bool = False,
    namespace: str = "",
    plain: bool = False,
) -> int:
    """Lead an arm by keyboard, gamepad or headset.

    The clutch has to be closed before anything moves. Q or Ctrl-C ends it.

    Args:
        rig: name of a rig (config/rigs) or the path of a YAML file.
        source: what you hold; else that of the rig.
        dry_run: send the arm nothing; arm/preview shows what it would be told.
        namespace: of all nodes and topics.
        plain: print lines instead of a line that changes.

    Returns:
        0 at your word, 130 after Ctrl-C.
    """
    console = Console(highlight=False)
    chosen = with_source(load_rig(rig), source)
    specs = teleop_graph(chosen, person=False, dry_run=dry_run)

    # The node needs ROS 2; checks of the options must not wait for it.
    from tiltbot_ros.commands.leading_session import LeadingSession  # noqa: PLC0415

    with LeadingSession(
        specs,
        parameters=teleop_parameters(chosen),
        namespace=namespace,
        console=console,
        live=console.is_terminal and not plain,
    ) as session:
        if dry_run:
            console.print("[yellow]dry run:[/] nothing is sent to the arm")
        return session.lead()
