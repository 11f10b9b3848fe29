"""`demo record`: lead an arm and record what is shown."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from rich.console import Console

from tiltbot_ros.bringup import teleop_graph, teleop_parameters
from tiltbot_ros.commands.arguments import TEXT, Flag
from tiltbot_ros.commands.leading import with_source
from tiltbot_ros.demonstrations.catalogue import demonstrations
from tiltbot_ros.demonstrations.settings import DemonstrationSessionSettings
from tiltbot_ros.rigs import load_rig
from tiltbot_ros.teleop.settings import SourceName


@dataclass(frozen=True, kw_only=True)
class Record:
    """Lead an arm and record whole demonstrations: all sensors, and a row a step.

    Begin and end them with the keys or buttons that are printed at the start.
    """

    rig: str = "arm_sim"
    """name of a rig (config/rigs) or the path of a YAML file"""
    source: SourceName | None = None
    """what you hold; else that of the rig"""
    out: Path = Path("demos")
    """folder that the demonstrations go to; it is continued when it exists"""
    task: Annotated[str, TEXT] = ""
    """what they show, in your words"""
    label: Literal["success", "failure"] | None = None
    """outcome of those that are ended without one"""
    namespace: str = ""
    """of all nodes and topics"""
    plain: Flag = False
    """print lines instead of a line that changes"""

    def run(self) -> int:
        """Lead and record; return 0 at the person's word, 130 after Ctrl-C."""
        console = Console(highlight=False)
        rig = with_source(load_rig(self.rig), self.source)
        session = DemonstrationSessionSettings.of(
            rig,
            directory=str(self.out.expanduser().resolve()),
            label=self.label or "",
            task=self.task,
        )
        specs = teleop_graph(rig, session=session, person=False)
        before = (
            {entry.path.name for entry in demonstrations(self.out)} if self.out.is_dir() else set()
        )

        # The node needs ROS 2; checks of the options must not wait for it.
        from tiltbot_ros.commands.leading_session import LeadingSession  # noqa: PLC0415

        with LeadingSession(
            specs,
            parameters=teleop_parameters(rig),
            namespace=self.namespace,
            console=console,
            live=console.is_terminal and not self.plain,
            task=self.task,
            recorded=True,
            log_directory=self.out / "logs" / time.strftime("%Y%m%d-%H%M%S"),
        ) as leading:
            status = leading.lead()
        self._sum_up(console, before)
        return status

    def _sum_up(self, console: Console, before: set[str]) -> None:
        new = [entry for entry in demonstrations(self.out) if entry.path.name not in before]
        for entry in new:
            facts = entry.facts
            if facts is None:
                console.print(f"{entry.path.name}: {entry.problem}", markup=False)
                continue
            verdict = "clean" if facts.verdict.clean else "; ".join(facts.verdict.problems)
            console.print(
                f"{facts.id} {facts.outcome or 'kept'}: {facts.duration_s:.1f} s, "
                f"{facts.steps} steps, {verdict}",
                markup=False,
            )
        console.print(f"{len(new)} new demonstrations in {self.out}", markup=False)
