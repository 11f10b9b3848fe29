"""Hear contacts: peaks of the sound that rise steeply over the noise floor.

The sound is cut into hops of about 3 ms that lie on absolute frame numbers.
The envelope of a channel is half the range (max - min) / 2 within a hop: the
amplitude of what vibrates faster than about 150 Hz, blind to offset and hum.
A contact is heard where the envelope of a channel passes all of

- `min_level`, a level in itself;
- `on_ratio` x the channel's noise floor, the median over `floor_s` of the
  medians of quarter seconds;
- `rise_ratio` x the greatest envelope of the `recent_s` before the rise: an
  impact rises within one or two hops, sliding friction and motors do not.

What is found depends on absolute frame numbers alone, never on how the sound
was cut into blocks.
"""

from collections import deque
from dataclasses import dataclass
from math import log2

import numpy as np
from pydantic import Field

from tiltbot_ros.episodes.cdr import NS_PER_S
from tiltbot_ros.episodes.envelope import Levels, Samples, hop_envelope, sliding_max
from tiltbot_ros.errors import AudioError
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.settings import Settings

_BATCH_HOPS = 8192
_FLOOR_PERIOD_S = 0.25


class DetectorSettings(Settings):
    """When a sound is a contact."""

    hop_s: float = Field(
        0.0029,
        ge=0.0005,
        le=0.01,
        description="Length of a hop, rounded to a power of two of frames [s]",
    )
    min_level: float = Field(
        0.004,
        ge=0.0,
        le=1.0,
        description="Envelope that a contact must reach at least [fraction of full scale]",
    )
    on_ratio: float = Field(
        3.0, ge=1.0, le=1000.0, description="Envelope over noise floor that starts a contact [1]"
    )
    off_ratio: float = Field(
        0.5,
        gt=0.0,
        le=1.0,
        description="Re-arm when all channels are under this part of the threshold, "
        "or of the last peak [1]",
    )
    rise_ratio: float = Field(
        2.25, ge=1.0, le=100.0, description="Envelope over the recent envelope in a contact [1]"
    )
    rise_s: float = Field(0.003, ge=0.0, le=0.05, description="Time a contact may take to rise [s]")
    recent_s: float = Field(
        0.05, ge=0.002, le=0.2, description="Length of the recent envelope before the rise [s]"
    )
    search_s: float = Field(
        0.008, ge=0.0, le=0.04, description="Where the peak is looked for after the crossing [s]"
    )
    first_peak_ratio: float = Field(
        0.6,
        gt=0.0,
        le=1.0,
        description="The first hop that reaches this part of the greatest envelope is the peak [1]",
    )
    refractory_s: float = Field(
        0.05, ge=0.0, le=2.0, description="No new contact so soon after a crossing [s]"
    )
    floor_s: float = Field(
        4.0, ge=0.25, le=60.0, description="Memory of the noise floor, in quarters [s]"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class HeardContact:
    """One contact.

    Attributes:
        sample: running index of the peak's frame (see AudioBlock.first_sample).
        stamp_ns: time of the peak (ROS clock) [ns].
        channel: loudest channel, 0-based.
        level: envelope at the peak on that channel [fraction of full scale].
        threshold: what the envelope had to pass there [fraction of full scale].
        detector: digest of the detector's settings.
    """

    sample: int
    stamp_ns: int
    channel: int
    level: float
    threshold: float
    detector: str


class ContactDetector:
    """Streaming contact detection in constant memory.

    A contact is reported by the call that brings the last hop of its search
    window: at most `search_s` + two hops after its crossing (about 14 ms),
    plus the length of the block.

    A hole (a step of `first_sample` beyond the block's end) ends a search that
    is under way with what was heard, keeps the noise floor, and silences the
    detector for `recent_s` + `rise_s`. A step back is a device opened anew:
    everything starts afresh. Nothing is reported in the first quarter second
    to half second, before there is a noise floor.

    Args:
        settings: when a sound is a contact.
        audio_format: rate, channels and bits of every block.
        start: `first_sample` expected of the first block; None takes it as it comes.
    """

    def __init__(
        self,
        settings: DetectorSettings,
        audio_format: AudioFormat,
        start: int | None = None,
    ) -> None:
        self.settings = settings
        self.format = audio_format
        self.digest = settings.digest()
        rate, channels = audio_format.sample_rate, audio_format.channels
        self.hop_frames = 1 << max(3, round(log2(settings.hop_s * rate)))
        hop_s = self.hop_frames / rate
        self._rise = round(settings.rise_s / hop_s)
        self._recent = max(1, round(settings.recent_s / hop_s))
        self._search = round(settings.search_s / hop_s)
        self._refractory = max(1, round(settings.refractory_s / hop_s))
        self._period = max(1, round(_FLOOR_PERIOD_S / hop_s))
        self._floors_kept = max(1, round(settings.floor_s / _FLOOR_PERIOD_S))
        self._min_level = np.float32(settings.min_level * audio_format.full_scale)
        self._memory = self._rise + self._recent + self._search + 2
        self._carry = np.zeros((self.hop_frames, channels), audio_format.dtype)
        self._next_sample = start
        self._filled = 0
        self._reset(start or 0)

    def process(self, block: AudioBlock) -> list[HeardContact]:
        """Take the next block and return the contacts that are now certain, in time order.

        Raises:
            AudioError: the block's channels or sample type are not the format's.
        """
        samples = block.samples
        if samples.ndim != 2 or samples.shape[1] != self.format.channels:
            raise AudioError(
                f"expected blocks of shape (frames, {self.format.channels}), "
                f"got {samples.shape}: is the channel count of the microphones right?"
            )
        if samples.dtype != self.format.dtype:
            raise AudioError(
                f"expected {self.format.bits} bit samples as {self.format.dtype}, "
                f"got {samples.dtype}"
            )
        found: list[HeardContact] = []
        if block.first_sample != self._next_sample:
            found += self._interrupt(block.first_sample)
        self._stamps.append((block.first_sample, block.stamp_ns))
        self._next_sample = block.first_sample + len(samples)
        hop = self.hop_frames
        taken = 0
        if self._filled:
            taken = min(hop - self._filled, len(samples))
            self._carry[self._filled : self._filled + taken] = samples[:taken]
            self._filled += taken
            if self._filled == hop:
                found += self._advance(self._carry)
                self._filled = 0
        if self._skip:
            skipped = min(self._skip, len(samples) - taken)
            self._skip -= skipped
            taken += skipped
        hops = (len(samples) - taken) // hop
        for start in range(0, hops, _BATCH_HOPS):
            count = min(_BATCH_HOPS, hops - start)
            found += self._advance(samples[taken + start * hop : taken + (start + count) * hop])
        rest = len(samples) - taken - hops * hop
        if rest:
            self._carry[:rest] = samples[len(samples) - rest :]
            self._filled = rest
        return found

    def flush(self) -> list[HeardContact]:
        """End the stream: return the contact whose search is still under way, if any."""
        if self._crossing is None:
            return []
        nothing = np.empty((0, self.format.channels), self.format.dtype)
        return [self._conclude(nothing, self._envelope, self._hop)]

    def _reset(self, first_sample: int) -> None:
        self._floors = np.zeros((0, self.format.channels), np.float32)
        self._base = np.full(self.format.channels, np.inf, np.float32)
        self._resume(first_sample)

    def _resume(self, first_sample: int) -> None:
        """Start at a frame with nothing heard before it, the noise floor kept."""
        hop, channels = self.hop_frames, self.format.channels
        self._hop = -(-first_sample // hop)
        self._skip = self._hop * hop - first_sample
        self._filled = 0
        self._blind_until = self._hop + self._recent + self._rise
        self._armed, self._armed_from = True, self._hop
        self._last_peak = np.zeros(channels, np.float32)
        self._crossing: int | None = None
        self._threshold = np.zeros(channels, np.float32)
        self._envelope = np.zeros((self._memory, channels), np.float32)
        self._history = np.zeros((self._memory * hop, channels), self.format.dtype)
        self._period_envelope = np.zeros((self._period, channels), np.float32)
        self._heard_from = self._hop % self._period
        self._stamps: deque[tuple[int, int]] = deque()

    def _interrupt(self, first_sample: int) -> list[HeardContact]:
        found: list[HeardContact] = []
        if self._next_sample is not None:
            found = self.flush()
        if self._next_sample is None or first_sample < self._next_sample:
            self._reset(first_sample)
        else:
            self._resume(first_sample)
        return found

    def _advance(self, samples: Samples) -> list[HeardContact]:
        """Take whole hops, (n * hop_frames, channels), that follow on the last ones."""
        new = hop_envelope(samples, self.hop_frames)
        envelope = np.concatenate((self._envelope, new))
        base = self._bases(new)
        before = self._memory - self._rise - self._recent
        recent = sliding_max(envelope, self._recent)[before : before + len(new)]
        threshold = np.maximum(recent * np.float32(self.settings.rise_ratio), base)
        found = self._scan(samples, envelope, base, threshold)
        self._hop += len(new)
        self._envelope = envelope[-self._memory :].copy()
        kept = self._memory * self.hop_frames
        if len(samples) >= kept:
            self._history = samples[-kept:].copy()
        else:
            self._history = np.concatenate((self._history[len(samples) :], samples))
        oldest = (self._hop - self._memory) * self.hop_frames
        while len(self._stamps) > 1 and self._stamps[1][0] <= oldest:
            self._stamps.popleft()
        return found

    def _bases(self, new: Levels) -> Levels:
        """Return max(min_level, on_ratio x noise floor) of each new hop, and learn from them.

        A period's floor is used from the next period on; it counts when at
        least half of the period was heard.
        """
        out = np.empty_like(new)
        period = self._period
        whole = self._whole_periods(new)
        position = 0
        while position < len(new):
            index, at = divmod(self._hop + position, period)
            end = min(len(new), position + period - at)
            out[position:end] = self._base
            if index in whole:
                self._learn(whole[index])
            else:
                if at == 0:
                    self._heard_from = 0
                self._period_envelope[at : at + end - position] = new[position:end]
                if at + end - position == period and 2 * self._heard_from <= period:
                    self._learn(_middle(self._period_envelope[self._heard_from :], 0))
            position = end
        return out

    def _whole_periods(self, new: Levels) -> dict[int, Levels]:
        """Return the medians of the periods that lie entirely in `new`, by period."""
        first = -(-self._hop // self._period)
        count = (self._hop + len(new)) // self._period - first
        if count < 1:
            return {}
        at = first * self._period - self._hop
        block = new[at : at + count * self._period].reshape(count, self._period, -1)
        return dict(enumerate(_middle(block, 1), first))

    def _learn(self, floor: Levels) -> None:
        self._floors = np.concatenate((self._floors, floor[None]))[-self._floors_kept :]
        level = _middle(self._floors, 0) * np.float32(self.settings.on_ratio)
        self._base = np.maximum(level, self._min_level)

    def _scan(
        self, samples: Samples, envelope: Levels, base: Levels, threshold: Levels
    ) -> list[HeardContact]:
        """Go over the hops that matter: ends of searches, re-arming, crossings."""
        found: list[HeardContact] = []
        first, end = self._hop, self._hop + len(base)
        new = envelope[self._memory :]
        candidates = np.flatnonzero((new > threshold).any(axis=1)) + first
        at = first
        while True:
            if self._crossing is not None:
                at = self._crossing + self._search + 1
                if at > end:
                    return found
                found.append(self._conclude(samples, envelope, at))
            if not self._armed:
                start = min(at, end) - first
                louder = (new[start:] > self._escalation(threshold[start:])).any(axis=1)
                off = np.float32(self.settings.off_ratio) * np.maximum(
                    base[start:], self._last_peak
                )
                rested = np.arange(first + start, end) >= self._armed_from
                quiet = (new[start:] < off).all(axis=1)
                changes = np.flatnonzero(louder | (quiet & rested))
                if not len(changes):
                    return found
                self._armed = True
                at = first + start + int(changes[0])
            index = np.searchsorted(candidates, max(at, self._blind_until))
            if index == len(candidates):
                return found
            self._crossing = int(candidates[index])
            self._threshold = threshold[self._crossing - first].copy()

    def _escalation(self, threshold: Levels) -> Levels:
        """Return what a contact must exceed that comes before the last one has died away."""
        louder: Levels = self._last_peak * np.float32(self.settings.rise_ratio)
        return np.maximum(threshold, louder)

    def _conclude(self, samples: Samples, envelope: Levels, end: int) -> HeardContact:
        """Locate the peak of the crossing in the hops before `end`, and disarm.

        Args:
            samples: the frames from `self._hop` on.
            envelope: of the hops from `self._hop` - memory on.
            end: hop after the last one to search.
        """
        assert self._crossing is not None  # noqa: S101
        origin = self._hop - self._memory
        search = envelope[self._crossing - origin : end - origin]
        peaks = search.max(axis=0)
        channel = int(np.argmax(np.where(peaks > self._threshold, peaks, 0)))
        strong = search[:, channel] >= self.settings.first_peak_ratio * peaks[channel]
        peak_hop = self._crossing + int(np.argmax(strong))
        frames, offset = (samples, self._hop) if peak_hop >= self._hop else (self._history, origin)
        at = (peak_hop - offset) * self.hop_frames
        wave = frames[at : at + self.hop_frames, channel].astype(np.float64)
        sample = peak_hop * self.hop_frames + int(np.argmax(np.abs(wave - wave.mean())))
        self._armed = False
        self._armed_from = self._crossing + self._refractory
        self._last_peak = peaks
        threshold = self._threshold[channel]
        self._crossing = None
        return HeardContact(
            sample=sample,
            stamp_ns=self._stamp_of(sample),
            channel=channel,
            level=float(peaks[channel]) / self.format.full_scale,
            threshold=float(threshold) / self.format.full_scale,
            detector=self.digest,
        )

    def _stamp_of(self, sample: int) -> int:
        first, stamp_ns = next(pair for pair in reversed(self._stamps) if pair[0] <= sample)
        return stamp_ns + (sample - first) * NS_PER_S // self.format.sample_rate


def _middle(values: Levels, axis: int) -> Levels:
    """Return the upper median along an axis: an order statistic, so exact in any grouping."""
    middle = values.shape[axis] // 2
    parted: Levels = np.partition(values, middle, axis=axis)
    return parted[middle] if axis == 0 else parted[:, middle]
