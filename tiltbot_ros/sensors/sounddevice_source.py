"""Microphones on a sound card, through PortAudio."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.sensors.blocker import AudioBlocker, AudioSink
from tiltbot_ros.sensors.clockfit import ClockBridge, ClockFit, ClockFitSettings
from tiltbot_ros.sensors.follower import FittedTimebase, StreamFollower
from tiltbot_ros.sensors.microphones import (
    MicrophoneHealth,
    MicrophoneInfo,
    MicrophoneSettings,
    describe,
)
from tiltbot_ros.sensors.portaudio import (
    abandon,
    find_device,
    is_jack,
    load_sounddevice,
    open_input,
    rescan,
    shut_down,
)
from tiltbot_ros.sensors.sample_ring import SampleRing

_NS = 1_000_000_000
_POLL_S = 0.002
_FIRST_RETRY_S = 0.5
_AGE_MAX_S = 10.0
_LOG = logging.getLogger(__name__)


class SounddeviceMicrophones:
    """A `MicrophoneSource` on a PortAudio device: ALSA, PulseAudio or JACK.

    PortAudio's callback copies into a ring and does nothing else. A reader
    thread follows the device's clock, cuts blocks, and opens the device anew
    when its callback has been silent.

    Args:
        settings: with source 'sounddevice'.
        clock: the ROS clock [ns].

    Raises:
        MissingDependencyError: sounddevice or libportaudio2 is not installed.
    """

    def __init__(self, settings: MicrophoneSettings, *, clock: Callable[[], int]) -> None:
        self._sounddevice = load_sounddevice()
        self._settings = settings
        self._clock = clock
        self._device = settings.device
        self._stream: Any = None
        self._ring = self._new_ring()
        self._last_callback_ns = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._state = MicrophoneHealth(state="stopped")
        self._reopened = 0
        self._peak_fill = 0.0
        self._fit = ClockFit(sample_rate_hz=settings.sample_rate_hz)
        self._bridge: ClockBridge | None = None
        self._blocker: AudioBlocker | None = None

    @property
    def info(self) -> MicrophoneInfo:
        """What stays constant; the device's full name once it was opened."""
        return describe(self._settings, device=self._device)

    def start(self, sink: AudioSink) -> None:
        """Open the device and begin to deliver blocks.

        Raises:
            DeviceError: the device is absent or refuses rate, channels or format.
        """
        settings = self._settings
        fit_settings = ClockFitSettings(skip_s=settings.settle_s, anchor_s=settings.settle_s / 2.0)
        self._fit = ClockFit(sample_rate_hz=settings.sample_rate_hz, settings=fit_settings)
        self._bridge = ClockBridge(clock=self._clock, monotonic=time.monotonic_ns)
        self._blocker = AudioBlocker(
            audio_format=settings.audio_format,
            block_frames=settings.block_frames,
            timebase=FittedTimebase(fit=self._fit, bridge=self._bridge),
            sink=sink,
        )
        follower = StreamFollower(
            blocker=self._blocker, fit=self._fit, sample_rate_hz=settings.sample_rate_hz
        )
        self._stop.clear()
        rescan(self._sounddevice)
        try:
            self._open()
        except DeviceError:
            shut_down(self._sounddevice)
            raise
        self._state = MicrophoneHealth(state="settling")
        self._thread = threading.Thread(target=self._read, args=(follower,), name="microphones")
        self._thread.start()

    def stop(self) -> None:
        """Stop delivering and close the device; no block reaches the sink after the return."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._stream is not None:
            self._close()
            shut_down(self._sounddevice)
        self._state = MicrophoneHealth(state="stopped")

    def health(self) -> MicrophoneHealth:
        """Return how the stream is doing; the ring's fill is the largest since the last call."""
        blocker, bridge = self._blocker, self._bridge
        if blocker is None or bridge is None:
            return self._state
        fill, self._peak_fill = self._peak_fill, 0.0
        return MicrophoneHealth(
            state=self._state.state,
            detail=self._state.detail,
            blocks=blocker.blocks,
            xruns=blocker.xruns,
            holes=blocker.holes,
            lost_frames=blocker.lost_frames,
            reopened=self._reopened,
            ring_fill=fill,
            jitter_s=self._fit.jitter_s,
            rate_error_ppm=self._fit.rate_error_ppm,
            clock_steps=bridge.steps,
        )

    def _new_ring(self) -> SampleRing:
        frames = round(self._settings.ring_s * self._settings.sample_rate_hz)
        return SampleRing(frames=frames, channels=self._settings.channels)

    def _open(self) -> None:
        index, self._device = find_device(self._sounddevice, self._settings)
        ring = self._ring = self._new_ring()
        opened_ns = self._last_callback_ns = time.monotonic_ns()
        settled_ns = opened_ns + round(self._settings.settle_s * _NS)
        frame_s = 1.0 / self._settings.sample_rate_hz
        ahead_s = 0.0

        def copy(samples: npt.NDArray[np.float32], frames: int, times: Any, status: Any) -> None:
            nonlocal ahead_s
            now_ns = time.monotonic_ns()
            # Host APIs have clocks of their own: only the difference is of use.
            age_s = times.currentTime - times.inputBufferAdcTime
            if times.inputBufferAdcTime <= 0.0 or abs(age_s) > _AGE_MAX_S:
                age_s = frames * frame_s
            # JACK gives the cycle's begin for ports without a latency of their own, as if its
            # frames were yet to come: no frame is younger than the callback that brings it.
            if now_ns < settled_ns:
                ahead_s = max(ahead_s, frames * frame_s - age_s)
            ring.write(
                samples,
                host_ns=now_ns - round((age_s + ahead_s) * _NS),
                overflow=bool(status.input_overflow),
            )
            self._last_callback_ns = now_ns

        self._stream = open_input(self._sounddevice, self._settings, index=index, callback=copy)

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            stream.abort()
            stream.close()
        except self._sounddevice.PortAudioError as error:
            _LOG.warning("closing %s: %s", self._device, error)

    def _read(self, follower: StreamFollower) -> None:
        stall_ns = round(self._settings.stall_s * _NS)
        try:
            while self._state.state != "failed" and not self._stop.wait(_POLL_S):
                self._peak_fill = max(self._peak_fill, self._ring.fill)
                self._drain(follower)
                if time.monotonic_ns() - self._last_callback_ns > stall_ns:
                    self._handle_silence(follower)
                elif self._state.state != "running" and self._fit.settled:
                    self._state = MicrophoneHealth(state="running")
        except Exception as error:  # noqa: BLE001 nobody else would notice that this thread ended
            _LOG.exception("reading %s", self._device)
            self._state = MicrophoneHealth(
                state="failed", detail=f"{type(error).__name__}: {error}"
            )
            self._close()

    def _drain(self, follower: StreamFollower) -> None:
        while (chunk := self._ring.read()) is not None:
            follower.push(
                chunk.samples,
                host_ns=chunk.host_ns,
                lost_frames=chunk.lost_frames,
                overflow=chunk.overflow,
            )
            self._ring.release()

    def _handle_silence(self, follower: StreamFollower) -> None:
        """Open the device anew, or wait for its JACK server, which PortAudio leaves only alive."""
        if not is_jack(self._sounddevice, self._stream):
            self._reopen(follower)
        elif self._stream.active:
            detail = f"no sound from the JACK server of {self._device!r}: waiting for it"
            self._state = MicrophoneHealth(state="stalled", detail=detail)
        else:
            abandon(self._sounddevice)
            self._stream = None
            detail = (
                f"the JACK server of {self._device!r} has ended, and PortAudio cannot leave it: "
                "start the server and restart this process"
            )
            _LOG.error("%s", detail)
            self._state = MicrophoneHealth(state="failed", detail=detail)

    def _reopen(self, follower: StreamFollower) -> None:
        """Close the silent device and try to open it until it works or we are stopped."""
        reason = f"no sound from {self._device!r} for {self._settings.stall_s:g} s"
        _LOG.warning("%s: opening it anew", reason)
        self._state = MicrophoneHealth(state="stalled", detail=reason)
        self._close()
        follower.reopen()
        pause_s = _FIRST_RETRY_S
        while not self._stop.wait(pause_s):
            try:
                rescan(self._sounddevice)
                self._open()
            except DeviceError as error:
                self._state = MicrophoneHealth(state="stalled", detail=f"{reason}; {error}")
                pause_s = min(2.0 * pause_s, self._settings.retry_max_s)
                continue
            self._reopened += 1
            self._state = MicrophoneHealth(state="settling", detail=f"{reason}; opened anew")
            return
