"""One port of the controller: a TCP connection for commands, UDP for states and references."""

import contextlib
import select
import socket
from collections.abc import Iterator, Sequence
from struct import Struct


class Link:
    """Takes one client at a time, as the controller does."""

    def __init__(
        self, address: str, port: int, *, header: Struct, commands: Sequence[str], status: Struct
    ) -> None:
        self._header, self._commands, self._status = header, commands, status
        self._listener = socket.create_server((address, port), backlog=1)
        self._listener.setblocking(False)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 0))
        self.udp.setblocking(False)
        self._client: socket.socket | None = None
        self._peer: tuple[str, int] | None = None
        self._read = b""

    @property
    def connected(self) -> bool:
        """Whether a client has greeted."""
        return self._peer is not None

    def sockets(self) -> list[socket.socket]:
        """What to wait for."""
        return [self._listener if self._client is None else self._client]

    def requests(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield what came since last time: command, number, the rest of the message."""
        if not select.select(self.sockets(), [], [], 0.0)[0]:
            return
        if self._client is None:
            self._client, _ = self._listener.accept()
            self._client.setblocking(False)
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return
        try:
            data = self._client.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.hang_up()
            return
        self._read += data
        while len(self._read) >= self._header.size:
            command, number, size = self._header.unpack_from(self._read)
            if len(self._read) < size:
                return
            payload, self._read = self._read[self._header.size : size], self._read[size:]
            yield self._commands[command], number, payload

    def greet(self, number: int, payload: bytes, *, version: int, status: int) -> None:
        """Answer the client's greeting, which says where it wants its states."""
        port = int.from_bytes(payload[2:4], "little")
        self.answer("connect", number, status, version.to_bytes(2, "little"))
        if status == 0 and self._client is not None:
            self._peer = (self._client.getpeername()[0], port)

    def answer(self, command: str, number: int, status: int, rest: bytes = b"") -> None:
        """Answer a request."""
        if self._client is None:
            return
        body = self._status.pack(status) + rest
        size = self._header.size + len(body)
        header = self._header.pack(self._commands.index(command), number, size)
        with contextlib.suppress(OSError):
            self._client.sendall(header + body)

    def send(self, state: bytes) -> None:
        """Send a state."""
        if self._peer is not None:
            with contextlib.suppress(OSError):
                self.udp.sendto(state, self._peer)

    def hang_up(self) -> None:
        """End the connection."""
        if self._client is not None:
            self._client.close()
        self._client, self._peer, self._read = None, None, b""
