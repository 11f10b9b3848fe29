"""Writes a demonstration while it happens, in a thread of its own; crash-safe as episodes are.

It is written to `demo_000042.partial/demo_000042/`, the bag first, `demonstration.json`
when the bag is safely on disk; then the inner directory is renamed, which is atomic.
"""

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rosbags.interfaces import Connection
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from tiltbot_ros.demonstrations.facts import FACTS_FILE
from tiltbot_ros.episodes.bag import message_definition
from tiltbot_ros.episodes.facts import ConstantFacts
from tiltbot_ros.episodes.folder import DataFolder, sync_directory, sync_file, write_durably
from tiltbot_ros.episodes.writer import file_crc32


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenBag:
    """A bag that is whole and synced, its directory not renamed yet.

    Attributes:
        directory: of the bag.
        messages, payload_bytes: in it.
        bag_bytes, bag_crc32: size and CRC-32 of its file.
    """

    directory: Path
    messages: int
    payload_bytes: int
    bag_bytes: int
    bag_crc32: int


class StreamedBag:
    """One bag under way. `put` never waits for the disk."""

    def __init__(
        self,
        folder: DataFolder,
        number: str,
        facts: ConstantFacts,
        *,
        queue_bytes: int,
        compress: bool,
    ) -> None:
        """Begin a bag.

        Args:
            folder: opened data folder.
            number: id of the demonstration, from the folder.
            facts: constant facts of the session.
            queue_bytes: payload that may wait for the disk [B].
            compress: chunks with zstd.
        """
        self._folder = folder
        self._id = number
        self._facts = facts
        self._compress = compress
        self._room = queue_bytes
        self._waiting = 0
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[str, int, bytes] | None] = queue.SimpleQueue()
        self._messages = self._payload = 0
        self.error: Exception | None = None
        self.written: WrittenBag | None = None
        self._thread = threading.Thread(target=self._run, name=f"write_{number}", daemon=True)
        self._thread.start()

    @property
    def payload_bytes(self) -> int:
        """Payload written so far [B]."""
        return self._payload

    @property
    def ended(self) -> bool:
        """Whether the thread has ended: well, with `written`, or not, with `error`."""
        return not self._thread.is_alive()

    def put(self, topic: str, log_ns: int, data: bytes) -> bool:
        """Take a message; False when too much waits for the disk."""
        with self._lock:
            if self._waiting + len(data) > self._room:
                return False
            self._waiting += len(data)
        self._queue.put((topic, log_ns, data))
        return True

    def finish(self) -> None:
        """Let the bag be closed and synced after all that was taken; does not wait."""
        self._queue.put(None)

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def commit(self, facts: bytes) -> Path:
        """Write the late facts and give the demonstration its final name.

        Args:
            facts: text of `demonstration.json`.
        """
        inner = self._folder.partial(self._id)
        write_durably(inner / FACTS_FILE, facts)
        sync_directory(inner.parent)
        return self._folder.finish(self._id)

    def abandon(self) -> None:
        """Remove what there is of it."""
        self._folder.abandon(self._id)

    def _run(self) -> None:
        try:
            self.written = self._write()
        except Exception as error:  # noqa: BLE001 - whatever it is, the recorder goes on
            self.error = error
            # Nothing must wait for a thread that is gone.
            with self._lock:
                self._room = 0

    def _write(self) -> WrittenBag:
        directory = self._folder.partial(self._id)
        directory.parent.mkdir()
        writer = Writer(directory, version=9, storage_plugin=StoragePlugin.MCAP)
        if self._compress:
            writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        for key, value in self._facts.to_custom_data().items():
            writer.set_custom_data(key, value)
        with writer:
            self._copy(writer, self._connections(writer))
        bag = directory / f"{directory.name}.mcap"
        for path in (bag, directory / "metadata.yaml"):
            sync_file(path)
        return WrittenBag(
            directory=directory,
            messages=self._messages,
            payload_bytes=self._payload,
            bag_bytes=bag.stat().st_size,
            bag_crc32=file_crc32(bag),
        )

    def _connections(self, writer: Writer) -> Mapping[str, Connection]:
        connections = {}
        for topic in self._facts.topics:
            text, digest = message_definition(topic.type)
            connections[topic.name] = writer.add_connection(
                topic.name,
                topic.type,
                msgdef=text,
                rihs01=digest,
                offered_qos_profiles=[topic.qos()],
            )
        return connections

    def _copy(self, writer: Writer, connections: Mapping[str, Connection]) -> None:
        while (item := self._queue.get()) is not None:
            topic, log_ns, data = item
            writer.write(connections[topic], log_ns, data)
            self._messages += 1
            self._payload += len(data)
            with self._lock:
                self._waiting -= len(data)
