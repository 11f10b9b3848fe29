"""Where generated episodes go: to the darkroom, then to the writer, one at a time."""

import time
from dataclasses import dataclass

from tiltbot_ros.episodes.facts import ConstantFacts, EpisodeContent
from tiltbot_ros.episodes.folder import DataFolder
from tiltbot_ros.episodes.writer import (
    EpisodeWriter,
    FailedEpisode,
    FinishedEpisode,
    WriterSettings,
)
from tiltbot_ros.generating.darkroom import Darkroom

_POLL_S = 0.001


@dataclass(slots=True)
class SimulatedClock:
    """The time in the simulated world.

    Attributes:
        now_ns: the present [ns].
    """

    now_ns: int


class DevelopingSink:
    """Takes so many episodes, paints their pictures and has them written.

    The writer gets an episode when it has finished the last one: the time
    noted as `finished_ns` then is the simulated one at which it was handed
    over, however fast the disk is. While it writes, the world goes on.

    Args:
        folder: opened data folder; it stays the caller's to close.
        facts, settings: of the writer.
        darkroom: paints.
        clock: of the simulated world.
        most: episodes taken; further ones are left out.
    """

    def __init__(
        self,
        folder: DataFolder,
        facts: ConstantFacts,
        settings: WriterSettings,
        *,
        darkroom: Darkroom,
        clock: SimulatedClock,
        most: int,
    ) -> None:
        self._handed_over_ns = 0
        self._writer = EpisodeWriter(folder, facts, settings, lambda: self._handed_over_ns)
        self._darkroom = darkroom
        self._clock = clock
        self._most = most
        self._taken = 0
        self._outcomes: list[FinishedEpisode | FailedEpisode] = []

    @property
    def full(self) -> bool:
        """Whether all episodes that are wanted were taken."""
        return self._taken >= self._most

    @property
    def pending(self) -> int:
        """Episodes taken whose outcome `poll` has not told yet."""
        return self._writer.pending + len(self._outcomes)

    def submit(self, content: EpisodeContent) -> bool:
        """Take an episode; False when there are enough."""
        if self.full:
            return False
        developed = self._darkroom.develop(content)
        self.drain()
        self._handed_over_ns = self._clock.now_ns
        self._taken += 1
        return self._writer.submit(developed)

    def drain(self) -> None:
        """Wait until the writer has finished what it was given."""
        while self._writer.pending:
            self._outcomes += self._writer.poll()
            if self._writer.pending:
                time.sleep(_POLL_S)

    def poll(self) -> list[FinishedEpisode | FailedEpisode]:
        """Return what became of the episodes that `drain` has waited for."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def close(self) -> list[FinishedEpisode | FailedEpisode]:
        """Write what was taken, end the writer, and return the last outcomes."""
        self._outcomes += self._writer.close()
        return self.poll()
