"""A WebXR headset as a pose source: a page for its browser, and a WebSocket for its poses."""

import hmac
import importlib
import ipaddress
import json
import secrets
import socket
import ssl
import threading
import time
from collections import Counter
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from tiltbot_ros.errors import ConfigError, DeviceError, FormatError, MissingDependencyError
from tiltbot_ros.teleop.headset_message import read_message
from tiltbot_ros.teleop.settings import HeadsetSettings
from tiltbot_ros.teleop.source import HandSample, News, Wish

_FOLDER = Path(__file__).with_name("page")
_FILES = {
    "/": ("headset.html", "text/html; charset=utf-8"),
    "/headset.js": ("headset.js", "text/javascript; charset=utf-8"),
    "/headset.css": ("headset.css", "text/css; charset=utf-8"),
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_POSES = "/poses"
_LARGEST_MESSAGE = 4096
_BUSY = 1013


def _library() -> Any:
    try:
        return importlib.import_module("websockets.sync.server")
    except ImportError as error:
        raise MissingDependencyError(
            f"expected the library of the headset's page ({error}): pip install 'websockets>=13'"
        ) from error


def is_loopback(host: str) -> bool:
    """Say whether only this computer can connect to an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class HeadsetSource:
    """Serves the page and takes the poses of one headset at a time."""

    name = "headset"

    def __init__(self, settings: HeadsetSettings) -> None:
        """Take the settings; it serves from `open` on.

        Raises:
            ConfigError: others could connect, and there is no certificate.
        """
        self._settings = settings
        self._alone = is_loopback(settings.host)
        if not self._alone and not (settings.certificate and settings.key):
            raise ConfigError(
                f"expected headset.certificate and headset.key to serve on {settings.host}: a "
                f"headset's browser gives its poses over HTTPS only, but for the loopback "
                f"(docs/teleop.md says how to make a certificate)"
            )
        self._token = settings.token or ("" if self._alone else secrets.token_urlsafe(16))
        self._lock = threading.Lock()
        self._connection: Any = None
        self._sample: HandSample | None = None
        self._wishes: list[Wish] = []
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self.dropped: Counter[str] = Counter()

    @property
    def port(self) -> int:
        """The port that it serves on."""
        return int(self._server.socket.getsockname()[1]) if self._server else self._settings.port

    @property
    def address(self) -> str:
        """What to open in the headset's browser."""
        scheme = "https" if self._settings.certificate else "http"
        host = "localhost" if self._alone else self._settings.host
        if host in ("0.0.0.0", "::"):  # noqa: S104 - all addresses: name one that works
            host = socket.gethostname()
        token = f"?token={quote(self._token)}" if self._token else ""
        return f"{scheme}://{host}:{self.port}/{token}"

    @property
    def help(self) -> str:
        """How it is used."""
        cable = (
            f"\nwith a cable: adb reverse tcp:{self.port} tcp:{self.port}" if self._alone else ""
        )
        return (
            f"open {self.address} in the headset's browser and press Enter{cable}\n"
            f"hold grip: clutch   trigger: gripper   A: record, then success   B: discard, or stop"
        )

    def open(self) -> None:
        """Serve.

        Raises:
            DeviceError: the address cannot be served on.
            ConfigError: the certificate cannot be read.
            MissingDependencyError: websockets is not installed.
        """
        settings = self._settings
        library = _library()
        try:
            self._server = library.serve(
                self._serve,
                settings.host,
                settings.port,
                ssl=self._encryption(),
                process_request=self._request,
                max_size=_LARGEST_MESSAGE,
                compression=None,
                server_header=None,
                ping_interval=2.0,
                ping_timeout=2.0,
            )
        except OSError as error:
            raise DeviceError(
                f"cannot serve the headset's page on {settings.host}:{settings.port} "
                f"({error.strerror or error}): choose another headset.port or headset.host"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="headset", daemon=True
        )
        self._thread.start()

    def read(self, now_s: float) -> HandSample | None:  # noqa: ARG002 - samples have their time
        """Return the newest pose that came."""
        with self._lock:
            return self._sample

    def wishes(self) -> tuple[Wish, ...]:
        """Return what was asked for since the last call."""
        with self._lock:
            found, self._wishes = tuple(self._wishes), []
        return found

    def tell(self, news: News) -> None:
        """Show on the page what the arm does."""
        self._send(
            {
                "mode": news.mode,
                "commander": news.commander,
                "recording": news.recording,
                "text": news.text,
            }
        )

    def close(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.shutdown()
            with self._lock:
                connection = self._connection
            if connection is not None:
                connection.close(1001, "the teleoperation has ended")
        if self._thread is not None:
            self._thread.join(timeout=2.0)
        self._server = self._thread = None

    def _encryption(self) -> ssl.SSLContext | None:
        settings = self._settings
        if not settings.certificate:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(settings.certificate, settings.key or None)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"expected a certificate and its key (PEM) in {settings.certificate} and "
                f"{settings.key or 'the same file'}, but {error}"
            ) from error
        return context

    def _request(self, connection: Any, request: Any) -> Any:
        """Answer a plain request, refuse a strange one, let a WebSocket through (None)."""
        parts = urlsplit(request.path)
        if parts.path in _FILES and parts.path != "/":
            return self._file(connection, parts.path)
        if not self._knows(parts.query):
            return connection.respond(HTTPStatus.FORBIDDEN, "expected the token in the address\n")
        if parts.path == "/":
            return self._file(connection, "/")
        if parts.path != _POSES:
            return connection.respond(HTTPStatus.NOT_FOUND, "expected /\n")
        # A page from elsewhere, open in a browser of this computer, could connect too.
        origin = urlsplit(request.headers.get("Origin", "")).netloc
        if origin != request.headers.get("Host", ""):
            return connection.respond(HTTPStatus.FORBIDDEN, "expected this server's own page\n")
        return None

    def _knows(self, query: str) -> bool:
        given = parse_qs(query).get("token", [""])[0]
        return not self._token or hmac.compare_digest(given.encode(), self._token.encode())

    def _file(self, connection: Any, path: str) -> Any:
        name, kind = _FILES[path]
        response = connection.respond(HTTPStatus.OK, (_FOLDER / name).read_text(encoding="utf-8"))
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = kind
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    def _serve(self, connection: Any) -> None:
        if not self._seat(connection):
            connection.close(_BUSY, "another headset leads the arm")
            return
        try:
            connection.send(json.dumps({"hand": self._settings.hand}))
            for text in connection:
                if self._connection is not connection:
                    break
                self._take(text)
        except Exception as error:  # noqa: BLE001 - whatever a client does, the next one is served
            self.dropped[type(error).__name__] += 1
        finally:
            with self._lock:
                if self._connection is connection:
                    self._connection = None

    def _seat(self, connection: Any) -> bool:
        """Let a connection lead unless another does; one that is being closed leads no more."""
        with self._lock:
            held = self._connection
            free = held is None or held.state.name != "OPEN"
            if free:
                self._connection = connection
        return free

    def _take(self, text: str | bytes) -> None:
        try:
            message = read_message(text, received_s=time.monotonic())
        except FormatError:
            self.dropped["malformed"] += 1
            return
        with self._lock:
            self._sample = message.sample
            self._wishes += message.wishes

    def _send(self, content: dict[str, Any]) -> None:
        with self._lock:
            connection = self._connection
        if connection is None:
            return
        try:
            connection.send(json.dumps(content))
        except Exception:  # noqa: BLE001 - it has gone; its own thread notices
            self.dropped["news"] += 1
