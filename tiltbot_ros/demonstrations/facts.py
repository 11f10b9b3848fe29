"""What is written about a demonstration besides its messages: `demonstration.json`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tiltbot_ros.episodes.facts import DropCount, Verdict
from tiltbot_ros.episodes.facts_file import FactsFile
from tiltbot_ros.episodes.folder import FolderKind

FORMAT_VERSION = 1
FACTS_FILE = "demonstration.json"
DEMONSTRATIONS = FolderKind(prefix="demo", facts_file=FACTS_FILE)

Outcome = Literal["", "success", "failure"]
Ending = Literal["person", "disk", "too_long", "shutdown"]
"""Why a demonstration ended: a person said so, the disk became full, it became too long, or
its recorder was ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DemonstrationFacts:
    """What is known of a demonstration when it is over.

    Attributes:
        id: `demo_000042`.
        task: what it shows, in a person's words.
        outcome: whether it went well; empty: nobody said.
        labels: the lab's own, name to value.
        kept: somebody wants it.
        commander: who made its steps; empty: there are none.
        rate_hz: steps a second, the policy's rate [Hz].
        steps: rows of actions in it.
        start_ns, end_ns: its window [ns].
        ending: why it ended.
        verdict: of the recorder.
        drops: losses within the window.
        messages, payload_bytes: in the bag.
        bag_bytes, bag_crc32: size and CRC-32 of the bag's file.
        finished_ns: when it was written (ROS clock) [ns].
        format_version: of this layout.
    """

    id: str
    task: str
    outcome: Outcome
    commander: str
    rate_hz: float
    steps: int
    start_ns: int
    end_ns: int
    ending: Ending
    verdict: Verdict
    drops: tuple[DropCount, ...]
    messages: int
    payload_bytes: int
    bag_bytes: int
    bag_crc32: int
    finished_ns: int
    kept: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def duration_s(self) -> float:
        """Length of the window [s]."""
        return (self.end_ns - self.start_ns) * 1e-9

    def to_json(self) -> bytes:
        """Return the text of `demonstration.json`."""
        return _FACTS.text(self)

    @staticmethod
    def read(directory: Path) -> "DemonstrationFacts":
        """Read `demonstration.json` of a demonstration's directory.

        Raises:
            EpisodeError: it is missing, no JSON, or of another format.
        """
        return _FACTS.read(directory)


def _misfit(facts: DemonstrationFacts) -> str:
    if 0 <= facts.start_ns <= facts.end_ns < 1 << 62 and 0 < facts.rate_hz < 1e4:
        return ""
    return (
        f"a window in time order and a rate in (0, 10000), got {facts.start_ns} .. "
        f"{facts.end_ns} and {facts.rate_hz}"
    )


_FACTS = FactsFile(
    DemonstrationFacts,
    name=FACTS_FILE,
    subject="a demonstration",
    version=FORMAT_VERSION,
    misfit=_misfit,
)
