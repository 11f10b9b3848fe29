"""The packets between the node and the side process.

One JSON object a packet over a unix socket of type SEQPACKET, which keeps packets
whole and in order. `kind` says which one:

node to side process
    reference  n, sent_s, q [rad], dq [rad/s]  where every joint should be now
    stop                                       brake and hold
    request    id, do: "enable" | "disable"    answered by `done`
    bye                                        brake, hold, and end

side process to node
    hello      protocol, sdk, python, joints   once, when the robot answers
    state      see State in driver.py          with every joint state of the robot
    ack        n, delay_s                      every reference, once the robot has it
    done       id, ok, text                    a request has ended
    failed     cause, text                     why the side process ends
"""

from __future__ import annotations

import json
import socket
from typing import Any

PROTOCOL = 1
LARGEST_PACKET = 16384


class WireError(Exception):
    """A packet is not what it should be."""


class GoneError(WireError):
    """The other end has closed the connection, or does not read from it."""


def pack(kind: str, **fields: Any) -> bytes:
    """Return the packet of a kind.

    Raises:
        WireError: a number is NaN or infinite, or the packet is too long.
    """
    try:
        data = json.dumps({"kind": kind, **fields}, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as error:
        raise WireError(f"packet '{kind}': {error}") from error
    if len(data) > LARGEST_PACKET:
        raise WireError(f"packet '{kind}' has {len(data)} bytes, at most {LARGEST_PACKET}")
    return data


def unpack(data: bytes) -> dict[str, Any]:
    """Return the fields of a packet, with its kind.

    Raises:
        WireError: it is no JSON object with a kind, or has a number that is not finite.
    """
    try:
        fields = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise WireError(f"no JSON: {error}") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("kind"), str):
        raise WireError(f"expected an object with a kind, got {data[:80]!r}")
    return fields


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number here")


def numbers(fields: dict[str, Any], name: str, count: int) -> list[float]:
    """Return the list of finite numbers in a field.

    Raises:
        WireError: it is missing, or has another length or other things in it.
    """
    values = fields.get(name)
    if (
        not isinstance(values, list)
        or len(values) != count
        or not all(type(value) in (int, float) and abs(value) < 1e9 for value in values)
    ):
        raise WireError(f"expected {count} numbers in '{name}', got {values!r}")
    return [float(value) for value in values]


def integer(fields: dict[str, Any], name: str) -> int:
    """Return the whole number in a field.

    Raises:
        WireError: it is missing, or something else.
    """
    value = fields.get(name)
    if type(value) is not int:
        raise WireError(f"expected a whole number in '{name}', got {value!r}")
    return value


def send(connection: socket.socket, data: bytes) -> bool:
    """Send one packet; return False when the other end lives but has long not read.

    Raises:
        GoneError: nobody is there to read it.
    """
    try:
        connection.send(data, socket.MSG_NOSIGNAL)
    except BlockingIOError:
        return False
    except OSError as error:
        raise GoneError(f"cannot send: {error}") from error
    return True


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """Return the next packet of a non-blocking socket, None when there is none.

    Raises:
        GoneError: the other end is gone.
        WireError: the packet is not what it should be.
    """
    try:
        data = connection.recv(LARGEST_PACKET)
    except BlockingIOError:
        return None
    except OSError as error:
        raise GoneError(f"cannot receive: {error}") from error
    if not data:
        raise GoneError("the other end has closed the connection")
    return unpack(data)
