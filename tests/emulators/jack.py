"""A sound card without hardware: a JACK dummy server and a client that plays a file.

`jack_player` starts both and gives the device's name and the environment that a
process needs to see it. To PortAudio the player is an input device. What it
plays follows the server's frame clock, as an analogue source would: whoever
misses a cycle misses its sound.

Run as a script, this file is the player itself.
"""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_COUNTER = itertools.count()
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 where JACK keeps its registry
_INSTALL = "sudo apt-get install --no-install-recommends jackd2 libportaudio2"


@dataclass(frozen=True, kw_only=True)
class JackPlayer:
    """A running server and player.

    Attributes:
        device: name of the input device that the player appears as.
        env: variables that a process needs to find it.
        server: the process `jackd`.
        player: the process that plays.
    """

    device: str
    env: dict[str, str]
    server: subprocess.Popen
    player: subprocess.Popen


def jack_environment(server: str) -> dict[str, str]:
    """Return the variables with which a process finds a JACK server and starts none itself."""
    return {
        "JACK_DEFAULT_SERVER": server,
        "JACK_NO_START_SERVER": "1",
        "JACK_NO_AUDIO_RESERVATION": "1",
    }


@contextlib.contextmanager
def jack_server(
    *, rate: int, period: int = 2048, name: str | None = None
) -> Iterator[tuple[subprocess.Popen, dict[str, str]]]:
    """Run a dummy JACK server; gives its process and the environment to find it.

    Args:
        rate: frames per second [Hz].
        period: frames in a cycle; 192 kHz needs 8192.
        name: of the server; one of this process by default.
    """
    if shutil.which("jackd") is None or find_library("portaudio") is None:
        raise RuntimeError(f"expected jackd and libportaudio2 for this test: {_INSTALL}")
    # One name for all: a process can see servers of one name only, as libjack keeps the first.
    name = name or f"tiltbot-{os.getpid()}"
    env = jack_environment(name)
    scheduling = "-R" if _may_be_real_time() else "-r"
    command = ["jackd", "-n", name, "-m", scheduling, "-d", "dummy"]
    command += ["-r", str(rate), "-p", str(period), "-C", "0", "-P", "0"]
    with tempfile.TemporaryFile("w+") as log:
        server = _start_server(command, env, log)
        if not _is_up(name, server) and _sweep_registry():
            server = _start_server(command, env, log)
        try:
            if not _is_up(name, server):
                log.seek(0)
                raise RuntimeError(f"expected jackd to start, it said:\n{log.read()}")
            yield server, env
        finally:
            _end(server)


@contextlib.contextmanager
def jack_player(
    file: Path,
    rate: int,
    channels: int,
    *,
    period: int = 2048,
    silence_s: float = 3.0,
    loop: bool = False,
) -> Iterator[JackPlayer]:
    """Run a server and a client that plays a file to whoever records it.

    The file begins after some silence from the moment that a recorder connects,
    as the first second or two of a new device is left out; after the file there
    is silence again.

    Args:
        file: a WAV file of 16 or 24 bits.
        rate: frames per second [Hz], as the file's.
        channels: as the file's.
        period: frames in a cycle of the server; 192 kHz needs 8192.
        silence_s: silence before the file [s].
        loop: play the file again and again.
    """
    with jack_server(rate=rate, period=period) as (server, env):
        device = f"player-{os.getpid()}-{next(_COUNTER)}"
        # -P keeps this folder, with its own "jack", out of the import path.
        command = [sys.executable, "-P", __file__, device, str(file), str(rate), str(channels)]
        player = subprocess.Popen(
            [*command, str(silence_s), str(int(loop))],
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            line = player.stdout.readline()
            if line != "ready\n":
                raise RuntimeError(f"expected the player to say 'ready', it said {line!r}")
            yield JackPlayer(device=device, env=env, server=server, player=player)
        finally:
            _end(player)


@contextlib.contextmanager
def stopped(process: subprocess.Popen) -> Iterator[None]:
    """Freeze a process (SIGSTOP) while the body runs."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def _may_be_real_time() -> bool:
    """Whether this user gets real-time scheduling, with which a busy machine loses no sound."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


def _start_server(command: list[str], env: dict[str, str], log: IO[str]) -> subprocess.Popen:
    return subprocess.Popen(
        command,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )


def _is_up(name: str, server: subprocess.Popen) -> bool:
    """Wait until the server has opened its own client, or ends."""
    deadline = time.monotonic() + 15.0
    while time.monotonic() < deadline and server.poll() is None:
        if any(_SHARED_MEMORY.glob(f"jack_sem.*_{name}_system")):
            return True
        time.sleep(0.05)
    return False


def _sweep_registry() -> bool:
    """Remove what killed servers left behind, as JACK has room for eight servers only.

    A process that has used JACK before cannot see servers that start after it,
    so this is for when no server starts any more. Does nothing while one runs.
    """
    running = any(
        (folder / "comm").read_text().startswith("jackd")
        for folder in Path("/proc").iterdir()
        if folder.name.isdecimal() and (folder / "comm").exists()
    )
    if not running:
        for left in _SHARED_MEMORY.glob("jack*"):
            with contextlib.suppress(OSError):
                left.unlink()
    return not running


def _end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _play(*, name: str, file: str, rate: int, channels: int, silence_s: float, loop: bool) -> None:
    import jack  # noqa: PLC0415 only the player needs these
    import numpy as np  # noqa: PLC0415
    import soundfile  # noqa: PLC0415

    # A client that dies without closing makes its server hang when it ends.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    samples, file_rate = soundfile.read(file, dtype="float32", always_2d=True)
    if (file_rate, samples.shape[1]) != (rate, channels):
        raise RuntimeError(
            f"expected {channels} channels at {rate} Hz in {file}, "
            f"got {samples.shape[1]} at {file_rate} Hz"
        )
    jack.set_error_function(lambda _: None)
    jack.set_info_function(lambda _: None)
    columns = np.ascontiguousarray(samples.T)
    length = columns.shape[1]
    for attempt in range(100):
        try:
            client = jack.Client(name, servername=os.environ["JACK_DEFAULT_SERVER"])
            break
        except jack.JackOpenError:
            if attempt == 99:
                raise
            time.sleep(0.1)
    ports = [client.outports.register(f"out_{channel + 1}") for channel in range(channels)]
    begin: int | None = None

    @client.set_process_callback
    def process(frames: int) -> None:
        nonlocal begin
        now = client.last_frame_time
        if begin is None and ports[-1].number_of_connections:
            begin = now + round(silence_s * rate)
        position = -frames if begin is None else now - begin
        at = np.arange(position, position + frames)
        silent = at < 0
        if loop:
            at %= length
        else:
            silent |= at >= length
        at[silent] = 0
        for port, column in zip(ports, columns, strict=True):
            out = port.get_array()
            out[:] = column[at]
            out[silent] = 0.0

    @client.set_shutdown_callback
    def shutdown(status: object, reason: str) -> None:
        os._exit(0)

    with client:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    _, name_, file_, rate_, channels_, silence_, loop_ = sys.argv
    _play(
        name=name_,
        file=file_,
        rate=int(rate_),
        channels=int(channels_),
        silence_s=float(silence_),
        loop=bool(int(loop_)),
    )
