"""A camera that runs by itself: its thread reads frames, and opens it anew when it is gone."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.sensors.camera_reconnect import Reconnector
from tiltbot_ros.sensors.cameras import (
    CameraHealth,
    CameraIntrinsics,
    CameraSettings,
    CameraState,
    FrameSink,
    RgbdFrame,
    Tally,
)

_NS = 1_000_000_000
_READ_S = 0.2
_PERIODS = 3.0
_HUNG_S = 30.0
_JOIN_S = 5.0
_LOG = logging.getLogger(__name__)


class CameraStream(Protocol):
    """An open camera."""

    @property
    def name(self) -> str:
        """Device, size and rate, for a person."""

    @property
    def remark(self) -> str:
        """In what it falls short of the settings; empty when in nothing."""

    @property
    def intrinsics(self) -> CameraIntrinsics:
        """The model of its colour camera."""

    @property
    def ended(self) -> bool:
        """Whether it is a recording that was played to its end."""

    def read(self, timeout_s: float) -> RgbdFrame | None:
        """Wait for the next frame of the wanted rate; None when it did not come in time.

        Raises:
            DeviceError: the device is gone.
        """

    def close(self) -> None:
        """Give the device back; never raises."""


class CameraOpener(Protocol):
    """Knows how to open one camera, again and again."""

    def open(self, tally: Tally) -> CameraStream:
        """Open the camera.

        Args:
            tally: where the stream counts; frames that come must be `seen`.

        Raises:
            DeviceError: it is absent or refuses its configuration.
        """


class LiveCamera:
    """A `CameraSource` over any opener: delivers, watches, and reconnects with growing pauses.

    A library that hangs on a device that was pulled out cannot be interrupted:
    after 30 s the health says "failed", so that the process is started anew.

    Args:
        settings: rate, patience and loop.
        opener: of the camera.
        monotonic: the monotonic clock [ns].
    """

    def __init__(
        self,
        settings: CameraSettings,
        *,
        opener: CameraOpener,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._settings = settings
        self._opener = opener
        self._monotonic = monotonic
        self._watch = Reconnector(
            stall_s=max(settings.stall_s, _PERIODS / settings.rate_hz),
            retry_max_s=settings.retry_max_s,
            monotonic=monotonic,
        )
        self._tally = Tally()
        self._stream: CameraStream | None = None
        self._intrinsics = settings.given_intrinsics(settings.width, settings.height)
        self._name = ""
        self._state: CameraState = "stopped"
        self._detail = ""
        self._frames = 0
        self._delivered_ns = 0
        self._beat_ns = 0
        self._stop = threading.Event()
        self._sinking = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def intrinsics(self) -> CameraIntrinsics:
        """The camera's model; its matrix is zero until it was opened."""
        return self._intrinsics

    def start(self, sink: FrameSink) -> None:
        """Open the camera and begin to deliver frames.

        Raises:
            DeviceError: it is absent or refuses its configuration.
        """
        self._stop.clear()
        self._beat_ns = self._monotonic()
        self._open()
        self._say("running", "waiting for the first frame")
        # A daemon, because a library that hangs must not keep the process from ending.
        self._thread = threading.Thread(
            target=self._run, args=(sink,), name="live_camera", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop delivering; no frame reaches the sink after the return."""
        with self._sinking:
            self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)
            if thread.is_alive():
                _LOG.error("%s hangs in its library and is left behind", self._name)
        if self._state not in {"ended", "failed"}:
            self._say("stopped")

    def health(self) -> CameraHealth:
        """Return how the camera is doing."""
        state, detail = self._state, self._detail
        silent_s = (self._monotonic() - self._beat_ns) / _NS
        if state in {"running", "stalled"} and silent_s > _HUNG_S:
            state = "failed"
            detail = f"the library of {self._name} has hung for {silent_s:.0f} s"
        return CameraHealth(
            state=state,
            detail=detail,
            frames=self._frames,
            late=0,
            stream=self._name,
            misses=self._watch.misses,
            reconnects=self._watch.reconnects,
            tally=replace(self._tally),
        )

    def _say(self, state: CameraState, detail: str = "") -> None:
        self._state, self._detail = state, detail

    def _open(self) -> None:
        stream = self._stream = self._opener.open(self._tally)
        self._name = stream.name
        self._intrinsics = stream.intrinsics
        self._delivered_ns = self._monotonic()
        self._watch.opened()

    def _run(self, sink: FrameSink) -> None:
        try:
            while not self._stop.is_set() and self._state not in {"ended", "failed"}:
                self._beat_ns = self._monotonic()
                if self._stream is not None:
                    self._read(self._stream, sink)
                elif not self._stop.wait(min(self._watch.wait_s, _READ_S)):
                    self._try_again()
        except Exception as error:  # noqa: BLE001 nobody else would notice that this thread ended
            _LOG.exception("reading %s", self._name)
            self._say("failed", f"{type(error).__name__}: {error}")
        finally:
            self._close()

    def _read(self, stream: CameraStream, sink: FrameSink) -> None:
        seen = self._tally.seen
        try:
            frame = stream.read(_READ_S)
        except DeviceError as error:
            self._give_up(str(error))
            return
        if frame is not None:
            self._watch.came()
            self._deliver(stream, frame, sink)
        elif self._tally.seen > seen:
            self._watch.came()
            self._note_useless_frames()
        elif stream.ended:
            self._end()
        elif self._watch.missed():
            self._give_up(f"no frame from {self._name} for {self._settings.stall_s:g} s")

    def _deliver(self, stream: CameraStream, frame: RgbdFrame, sink: FrameSink) -> None:
        with self._sinking:
            if self._stop.is_set():
                return
            sink(frame)
        self._frames += 1
        self._delivered_ns = self._monotonic()
        self._say("running", stream.remark)

    def _note_useless_frames(self) -> None:
        useless_s = (self._monotonic() - self._delivered_ns) / _NS
        if useless_s > self._settings.stall_s + 1.0 / self._settings.rate_hz:
            self._say(
                "stalled",
                f"frames come from {self._name}, but none was usable for {useless_s:.1f} s: "
                f"{self._tally.unmatched} colour frames without depth near enough in time, "
                f"{self._tally.disordered} out of order; stamps are of {self._tally.domain}",
            )

    def _end(self) -> None:
        self._close()
        if self._settings.loop:
            self._try_again()
        else:
            self._say("ended", f"end of {self._settings.path}")

    def _give_up(self, reason: str) -> None:
        _LOG.warning("%s: opening it anew", reason)
        self._say("stalled", reason)
        self._close()
        self._watch.lost()

    def _try_again(self) -> None:
        if self._watch.wait_s > 0.0:
            return
        try:
            self._open()
        except DeviceError as error:
            self._say("stalled", str(error))
            self._watch.lost()

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
