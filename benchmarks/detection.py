"""How well contacts are heard in the simulated tray, whose physics knows them.

The signal-to-noise ratio of a true contact is its expected peak over the RMS
of the sound in the 60 ms before it (ambient, motors, sliding, earlier
contacts ringing), on the noisiest channel. Contacts closer together than the
detector's refractory time are one event, heard when one of its louder half is
heard within 10 ms. A heard contact is false when nothing knocked within 10 ms.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.report import options, tell
from tiltbot_ros.arms.tilts import RandomTilts, TiltSettings
from tiltbot_ros.episodes.detector import ContactDetector, DetectorSettings
from tiltbot_ros.sensors.audio import AudioBlock, AudioFormat
from tiltbot_ros.worlds.objects import ObjectCatalogue
from tiltbot_ros.worlds.recording import Recording, simulate
from tiltbot_ros.worlds.tray import TrayWorld

WITHIN_S = 0.01
STEPS_DB = (8, 11, 14, 17, 20, 23, 26, 32)
ABOVE_DB = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One point of the curve."""

    label: str
    judged: bool
    events: int
    recall: float
    f1: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Quality:
    """The curve, contacts heard, how many of them false, and the odds of a chance match."""

    curve: tuple[Step, ...]
    heard: int
    false: int
    chance: float
    seconds: float


def measure(*, objects: int, tilts: int, seed: int = 1700) -> Quality:
    """Simulate so many tilts of so many objects and compare."""
    catalogue = ObjectCatalogue.load()
    names = catalogue.names[4 :: max(1, len(catalogue.names) // objects)][:objects]
    bins: list[list[bool]] = [[] for _ in STEPS_DB]
    above: list[bool] = []
    heard_all = false = 0
    seconds = near_s = 0.0
    for number, name in enumerate(names):
        world = TrayWorld(seed=seed + number, catalogue=catalogue)
        world.place(name)
        generator = RandomTilts(seed + number, TiltSettings())
        recording = simulate(world, [generator.next() for _ in range(tilts)])
        heard = hear(recording)
        true = np.array([c.frame for c in recording.contacts]) / recording.sample_rate
        level = np.array([c.level for c in recording.contacts])
        ratio = ratios(recording)
        heard_all += len(heard)
        seconds += len(recording.samples) / recording.sample_rate
        if not len(true):
            false += len(heard)
            continue
        false += sum(np.abs(true - t).min() > WITHIN_S for t in heard)
        near_s += covered(true)
        for low, high, into in (
            *((a, b, c) for a, b, c in zip(STEPS_DB, (*STEPS_DB[1:], np.inf), bins, strict=True)),
            (ABOVE_DB, np.inf, above),
        ):
            loud = (ratio >= low) & (true > 0.6)
            for event in events(true, loud):
                if ratio[event].max() < high:
                    into.append(is_heard(true[event], level[event], heard))
    precision = 1 - false / max(1, heard_all)
    steps = [
        step(f"SNR {low} - {high} dB", found, precision, judged=False)
        for low, high, found in zip(STEPS_DB, (*STEPS_DB[1:], "inf"), bins, strict=True)
    ]
    steps.append(step(f"SNR >= {ABOVE_DB} dB (all)", above, precision, judged=True))
    return Quality(
        curve=tuple(steps),
        heard=heard_all,
        false=int(false),
        chance=near_s / max(seconds, 1e-9),
        seconds=seconds,
    )


def hear(recording: Recording) -> npt.NDArray[np.float64]:
    """Return the times of the contacts that the detector hears [s]."""
    audio_format = AudioFormat(sample_rate=recording.sample_rate, channels=4, bits=16)
    detector = ContactDetector(DetectorSettings(), audio_format)
    block = AudioBlock(stamp_ns=0, first_sample=0, samples=recording.samples, xruns=0)
    found = detector.process(block) + detector.flush()
    return np.array([contact.sample for contact in found]) / recording.sample_rate


def ratios(recording: Recording) -> npt.NDArray[np.float64]:
    """Return the signal-to-noise ratio of each true contact [dB]."""
    rate = recording.sample_rate
    out = np.empty(len(recording.contacts))
    for index, contact in enumerate(recording.contacts):
        end = max(1, contact.frame - int(0.004 * rate))
        before = recording.samples[max(0, end - int(0.056 * rate)) : end].astype(np.float64)
        noise = np.sqrt((before**2).mean(axis=0).max()) / 32768
        out[index] = 20 * np.log10(max(contact.level, 1e-9) / max(noise, 1e-9))
    return out


def events(
    true: npt.NDArray[np.float64], loud: npt.NDArray[np.bool_]
) -> list[npt.NDArray[np.intp]]:
    """Group the loud contacts that are closer together than the refractory time."""
    index = np.flatnonzero(loud)
    gaps = np.flatnonzero(np.diff(true[index]) >= DetectorSettings().refractory_s) + 1
    return [group for group in np.split(index, gaps) if len(group)]


def is_heard(
    true: npt.NDArray[np.float64],
    level: npt.NDArray[np.float64],
    heard: npt.NDArray[np.float64],
) -> bool:
    """Say whether one of the event's louder contacts was heard in time."""
    if not len(heard):
        return False
    louder = true[level >= 0.5 * level.max()]
    return bool((np.abs(louder[:, None] - heard).min(axis=1) <= WITHIN_S).any())


def covered(true: npt.NDArray[np.float64]) -> float:
    """Return the time that lies within 10 ms of a contact [s]."""
    gaps = np.minimum(np.diff(np.sort(true)), 2 * WITHIN_S)
    return float(gaps.sum() + 2 * WITHIN_S)


def step(label: str, found: list[bool], precision: float, *, judged: bool) -> Step:
    """Sum one point of the curve up."""
    recall = float(np.mean(found)) if found else float("nan")
    return Step(
        label=label,
        judged=judged,
        events=len(found),
        recall=recall,
        f1=2 * precision * recall / max(precision + recall, 1e-9),
    )


def main() -> None:
    """Print the table."""
    chosen = options(__doc__ or "")
    found = measure(objects=3, tilts=3) if chosen.quick else measure(objects=12, tilts=24)
    rows = [
        (
            f"F1 within 10 ms, {step.label}, {step.events} events",
            f"{step.f1:.3f}",
            ">= 0.98" if step.judged else "",
        )
        for step in found.curve
    ]
    rows += [
        ("simulated sound", f"{found.seconds:.0f} s", ""),
        ("heard where nothing knocked", f"{found.false} of {found.heard}", ""),
        ("odds that a knock is as near by chance", f"{found.chance:.0%}", ""),
    ]
    tell("Contact detection", rows, figures=asdict(found), file=chosen.json)


if __name__ == "__main__":
    main()
