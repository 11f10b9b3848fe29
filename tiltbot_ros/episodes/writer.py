"""Write episodes so that no crash, kill or full disk loses a finished one.

An episode is written to `ep_000042.partial/ep_000042/`: the bag first and,
when the bag is safely on disk, `episode.json`. Then the inner directory is
renamed to `ep_000042/`, which is atomic. So a directory `ep_000042` is always
whole; a partial one with an `episode.json` only lacks the rename, which is
done at the next start; any other partial one is removed then.
"""

import queue
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import Field

from tiltbot_ros.episodes.bag import write_bag
from tiltbot_ros.episodes.facts import (
    FACTS_FILE,
    ConstantFacts,
    EpisodeContent,
    EpisodeFacts,
    TiltAction,
)
from tiltbot_ros.episodes.folder import DataFolder, sync_directory, sync_file, write_durably
from tiltbot_ros.episodes.tilts import read_tilt
from tiltbot_ros.episodes.verdict import judge
from tiltbot_ros.settings import Settings

_CHUNK = 1 << 22


class WriterSettings(Settings):
    """How episodes go to disk."""

    queue_length: int = Field(
        8, ge=1, le=1000, description="Episodes that may wait for the disk; more are dropped [1]"
    )
    disk_floor_bytes: int = Field(
        2_000_000_000,
        ge=0,
        description="Free space that an episode must leave on the disk, or it is dropped [B]",
    )
    compress: bool = Field(
        default=False, description="Compress the bag's chunks with zstd: smaller, more CPU [bool]"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedEpisode:
    """An episode that is safely on disk."""

    path: Path
    facts: EpisodeFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedEpisode:
    """An episode that was lost on its way to disk.

    Attributes:
        cause: `disk_floor` or `write_error`.
        reason: in words.
        contact_stamp_ns: of the contact it was cut around [ns].
    """

    cause: str
    reason: str
    contact_stamp_ns: int


class EpisodeSink(Protocol):
    """Where a recorder sends episodes."""

    def submit(self, content: EpisodeContent) -> bool:
        """Take an episode; False when there is no room for it."""

    def poll(self) -> list[FinishedEpisode | FailedEpisode]:
        """Return what became of episodes since the last call."""

    @property
    def pending(self) -> int:
        """Episodes taken that nothing has become of yet."""


class EpisodeWriter:
    """A thread that judges and writes episodes; the callbacks of a node never wait for the disk.

    Args:
        folder: opened data folder; it stays the caller's to close.
        facts: constant facts of every bag.
        settings: how episodes go to disk.
        clock: gives the time that is noted as `finished_ns` [ns].
        wait_when_full: `submit` waits for room instead of refusing (offline).
    """

    def __init__(
        self,
        folder: DataFolder,
        facts: ConstantFacts,
        settings: WriterSettings,
        clock: Callable[[], int],
        *,
        wait_when_full: bool = False,
    ) -> None:
        self.folder = folder
        self.facts = facts
        self.settings = settings
        self._clock = clock
        self._wait = wait_when_full
        self._queue: queue.Queue[EpisodeContent | None] = queue.Queue(settings.queue_length)
        self._outcomes: queue.SimpleQueue[FinishedEpisode | FailedEpisode] = queue.SimpleQueue()
        self._taken = 0
        self._told = 0
        self._thread = threading.Thread(target=self._run, name="episode_writer", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Episodes taken whose outcome `poll` has not told yet."""
        return self._taken - self._told

    def submit(self, content: EpisodeContent) -> bool:
        """Take an episode; False when the queue is full."""
        try:
            self._queue.put(content, block=self._wait)
        except queue.Full:
            return False
        self._taken += 1
        return True

    def poll(self) -> list[FinishedEpisode | FailedEpisode]:
        """Return what became of episodes since the last call."""
        outcomes = []
        while not self._outcomes.empty():
            outcomes.append(self._outcomes.get())
        self._told += len(outcomes)
        return outcomes

    def close(self) -> list[FinishedEpisode | FailedEpisode]:
        """Write all that was taken, end the thread, and return the last outcomes."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        return self.poll()

    def _run(self) -> None:
        while (content := self._queue.get()) is not None:
            self._outcomes.put(self._write(content))

    def _write(self, content: EpisodeContent) -> FinishedEpisode | FailedEpisode:
        stamp_ns = content.contact.stamp_ns
        episode_id = ""
        try:
            size = sum(len(m.data) for messages in content.messages.values() for m in messages)
            free = self.folder.free_bytes()
            if free - size < self.settings.disk_floor_bytes:
                return FailedEpisode(
                    cause="disk_floor",
                    reason=f"{self.folder.path}: {free} bytes free, an episode of {size} would "
                    f"leave less than disk_floor_bytes = {self.settings.disk_floor_bytes}: "
                    "make room on the disk",
                    contact_stamp_ns=stamp_ns,
                )
            episode_id = self.folder.take_number()
            return self._write_numbered(episode_id, content)
        except Exception as error:  # noqa: BLE001  whatever it is, the next episode is written
            if episode_id:
                self.folder.abandon(episode_id)
            return FailedEpisode(
                cause="write_error",
                reason=f"{self.folder.path}: cannot write an episode: "
                f"{type(error).__name__}: {error}",
                contact_stamp_ns=stamp_ns,
            )

    def _write_numbered(self, episode_id: str, content: EpisodeContent) -> FinishedEpisode:
        directory = self.folder.partial(episode_id)
        directory.parent.mkdir()
        verdict = judge(content, self.facts)
        messages, payload = write_bag(
            directory, content, self.facts, compress=self.settings.compress
        )
        bag = directory / f"{episode_id}.mcap"
        for path in (bag, directory / "metadata.yaml"):
            sync_file(path)
        facts = EpisodeFacts(
            id=episode_id,
            object=content.object,
            contact=content.contact,
            start_ns=content.start_ns,
            end_ns=content.end_ns,
            suppressed=content.suppressed,
            tilt=self._tilt(content),
            verdict=verdict,
            drops=content.drops,
            messages=messages,
            payload_bytes=payload,
            bag_bytes=bag.stat().st_size,
            bag_crc32=file_crc32(bag),
            finished_ns=self._clock(),
        )
        write_durably(directory / FACTS_FILE, facts.to_json())
        sync_directory(directory.parent)
        return FinishedEpisode(path=self.folder.finish(episode_id), facts=facts)

    def _tilt(self, content: EpisodeContent) -> TiltAction | None:
        for topic in self.facts.topics:
            if topic.is_tilt and content.messages.get(topic.name):
                return read_tilt(content.messages[topic.name][0].data)
        return None


def file_crc32(path: Path) -> int:
    """Return the CRC-32 of a file's content."""
    value = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            value = zlib.crc32(chunk, value)
    return value
