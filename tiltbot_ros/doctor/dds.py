"""DDS: buffers, shared memory, multicast, and a real round trip between two processes."""

import os
import socket
import struct
from pathlib import Path

from tiltbot_ros.doctor.findings import Finding, Needs, fail, ok, warn
from tiltbot_ros.doctor.roundtrip import RoundTrip, measure
from tiltbot_ros.errors import TiltbotError
from tiltbot_ros.wording import counted, size

_SHM = Path("/dev/shm")  # noqa: S108 - where Fast DDS puts its segments
_SHM_FREE = 64_000_000
_STALE_MOST = 64_000_000
_BUFFER_LEAST = 2_000_000
_SLOW_S = 0.02
_GROUP, _PORT = "239.255.0.1", 0


def examine(needs: Needs) -> list[Finding]:
    """Examine what DDS needs, and DDS itself."""
    return [*round_trip(), _buffers(needs), *shared_memory(_SHM), _multicast()]


def round_trip() -> list[Finding]:
    """Send messages to another process and back."""
    try:
        result = measure()
    except TiltbotError as error:
        return [
            fail(
                "round trip",
                str(error),
                "look at the lines below; a firewall on the loopback, or an own ROS_DOMAIN_ID, "
                "FASTRTPS_DEFAULT_PROFILES_FILE or RMW_IMPLEMENTATION, are the usual causes",
            )
        ]
    return [_judge("round trip, 4 kB", result.small), _judge("round trip, image", result.large)]


def _judge(name: str, trip: RoundTrip) -> Finding:
    text = (
        f"{trip.returned} of {trip.sent} messages, median {trip.median_s * 1e3:.1f} ms, "
        f"slowest {trip.slowest_s * 1e3:.1f} ms"
    )
    if trip.returned < trip.sent:
        advice = "raise net.core.rmem_max, and make room in /dev/shm"
        return (fail if trip.returned == 0 else warn)(name, text, advice)
    if trip.median_s > _SLOW_S:
        return warn(name, text, "this computer is busy: stop what else runs on it")
    return ok(name, text)


def _buffers(needs: Needs) -> Finding:
    path = Path("/proc/sys/net/core/rmem_max")
    try:
        value = int(path.read_text())
    except (OSError, ValueError) as error:
        return warn("socket buffers", f"{path} cannot be read: {error}", "look by hand")
    text = f"net.core.rmem_max is {size(value)}"
    if value >= _BUFFER_LEAST:
        return ok("socket buffers", text)
    if needs.simulated:
        return ok("socket buffers", f"{text}: small, but shared memory is used on one computer")
    return warn(
        "socket buffers",
        f"{text}: images from another computer will be lost",
        "sudo sysctl -w net.core.rmem_max=8388608",
    )


def shared_memory(folder: Path) -> list[Finding]:
    """Examine the folder that Fast DDS puts its shared memory in."""
    try:
        state = os.statvfs(folder)
        held = _locked_inodes()
        segments = {path: path.stat() for path in folder.glob("fastrtps_*")}
    except OSError as error:
        return [
            warn("shared memory", f"{folder}: {error.strerror}", "messages go over UDP, slower")
        ]
    free = state.f_bavail * state.f_frsize
    if free < _SHM_FREE:
        advice = "give the container --shm-size=1g, or remount /dev/shm larger"
        found = [warn("shared memory", f"{size(free)} free in {folder}", advice)]
    else:
        found = [ok("shared memory", f"{size(free)} free in {folder}")]
    stale = [
        path
        for path in segments
        if not path.name.endswith(("_el", "_sl"))
        and (lock := segments.get(path.with_name(f"{path.name}_el"))) is not None
        and lock.st_ino not in held
    ]
    bytes_held = sum(segments[path].st_blocks * 512 for path in stale)
    text = f"{counted(len(stale), 'segment')} of killed nodes, {size(bytes_held)}"
    if bytes_held > _STALE_MOST:
        advice = f"when no node runs: rm {folder}/fastrtps_* {folder}/sem.fastrtps_*"
        return [*found, warn("stale shared memory", text, advice)]
    return [*found, ok("stale shared memory", text)]


def _locked_inodes() -> set[int]:
    """Return the inodes that some process holds a lock on."""
    lines = Path("/proc/locks").read_text().splitlines()
    return {
        int(field.rsplit(":", 1)[1])
        for line in lines
        for field in line.split()
        if ":" in field[:-1]
    }


def _multicast() -> Finding:
    """Send a datagram to a group on the loopback and receive it."""
    try:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        ):
            receiver.bind((_GROUP, _PORT))
            member = struct.pack("4s4s", socket.inet_aton(_GROUP), socket.inet_aton("127.0.0.1"))
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            receiver.settimeout(1.0)
            sender.setsockopt(
                socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1")
            )
            sender.sendto(b"tiltbot", (_GROUP, receiver.getsockname()[1]))
            receiver.recv(16)
    except OSError as error:
        return warn(
            "loopback multicast",
            f"does not work ({error}): nodes may not find each other",
            "sudo ip link set lo multicast on; sudo ip route add 239.0.0.0/8 dev lo",
        )
    return ok("loopback multicast", "works")
