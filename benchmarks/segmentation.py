"""Segmentation of a long recording: speed against real time and against librosa.

Times are processor time of one thread, so that other work on the machine does
not count; ratios come from one run on the same sound.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import soundfile

from benchmarks.report import options, tell
from tiltbot_ros.episodes.detector import ContactDetector, DetectorSettings
from tiltbot_ros.episodes.offline import cut_sound
from tiltbot_ros.episodes.offline_session import CutOptions
from tiltbot_ros.episodes.segmenter import Segmenter, SegmenterSettings
from tiltbot_ros.episodes.writer import WriterSettings
from tiltbot_ros.sensors.audio import AudioBlock
from tiltbot_ros.sensors.sound_file import SoundFile

RATE, CHANNELS = 44100, 4
LIBROSA_S = 60


def sound_of(seconds: int, seed: int = 0) -> np.ndarray:
    """Return (frames, 4) int16: a noise floor, an impact about every 6 s, sliding between."""
    rng = np.random.default_rng(seed)
    sound = rng.normal(0, 0.001, (seconds * RATE, CHANNELS)).astype(np.float32)
    ring = np.arange(RATE // 2) / RATE
    time_s = 1.0
    while time_s < seconds - 2:
        modes = rng.uniform(200, 6000, (12, 1))
        wave = np.exp(-(0.03 * modes + 20) * ring) * np.sin(2 * np.pi * modes * ring)
        wave = (rng.normal(size=(1, 12)) @ wave)[0] * np.exp(rng.uniform(-4, -1))
        at = int(time_s * RATE)
        sound[at : at + len(ring)] += wave[:, None] * rng.uniform(0.4, 1, CHANNELS)
        slide = sound[at + RATE // 2 : at + RATE]
        slide += (
            0.01 * np.sin(np.linspace(0, np.pi, len(slide)))[:, None] * rng.normal(size=slide.shape)
        )
        time_s += rng.uniform(3, 9)
    return (np.clip(sound, -1, 1) * 32767).astype(np.int16)


def write_long(path: Path, minutes: int) -> None:
    """Write a WAV of so many minutes, the same minute again and again."""
    minute = sound_of(60)
    with soundfile.SoundFile(path, "w", RATE, CHANNELS, "PCM_16") as file:
        for _ in range(minutes):
            file.write(minute)


def segment(path: Path) -> tuple[int, int]:
    """Read the file, hear contacts, cut windows; return how many of each."""
    segmenter = Segmenter(SegmenterSettings())
    contacts = windows = first = 0
    with SoundFile(path) as file:
        detector = ContactDetector(DetectorSettings(), file.audio_format)
        while len(samples := file.read(10 * RATE)):
            block = AudioBlock(
                stamp_ns=first * 1_000_000_000 // RATE,
                first_sample=first,
                samples=samples,
                xruns=0,
            )
            for contact in detector.process(block):
                segmenter.add(contact)
                contacts += 1
            windows += len(segmenter.advance(block.stamp_ns))
            first += len(samples)
    return contacts, windows


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return processor and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def librosa_onsets(path: Path) -> None:
    """Detect onsets in the first minute as librosa does, mixed to one channel."""
    sound, rate = librosa.load(path, sr=None, mono=True, duration=LIBROSA_S)
    librosa.onset.onset_detect(y=sound, sr=rate, units="time")


def main() -> None:
    """Print the table."""
    chosen = options(__doc__ or "")
    minutes = 4 if chosen.quick else 60
    folder = Path(tempfile.mkdtemp(prefix="segmentation"))
    try:
        path = folder / "long.wav"
        write_long(path, minutes)
        segment(path)  # into the page cache
        contacts, windows = segment(path)
        cpu_s, wall_s = timed(lambda: segment(path))
        librosa_onsets(path)  # compiles
        librosa_s, _ = timed(lambda: librosa_onsets(path))
        cut = CutOptions(object="x", writer=WriterSettings(disk_floor_bytes=0))
        cut_s, cut_wall_s = timed(lambda: cut_sound(path, folder / "cut", cut))
    finally:
        shutil.rmtree(folder)
    length_s = 60.0 * minutes
    speed, speed_librosa = length_s / cpu_s, LIBROSA_S / librosa_s
    figures = {
        "seconds": length_s,
        "contacts": contacts,
        "windows": windows,
        "times_real_time": speed,
        "times_real_time_wall": length_s / wall_s,
        "librosa_times_real_time": speed_librosa,
        "ratio_to_librosa": speed / speed_librosa,
        "cut_times_real_time": length_s / cut_s,
        "cut_times_real_time_wall": length_s / cut_wall_s,
    }
    rows = [
        ("sound, 4 x 44.1 kHz", f"{minutes} min", "60 min"),
        ("contacts / windows", f"{contacts} / {windows}", ""),
        ("read + detect + segment", f"{speed:.0f} x real time", ">= 1000"),
        ("  the same by the wall clock", f"{length_s / wall_s:.0f} x", ""),
        ("librosa onset_detect, mono mix", f"{speed_librosa:.0f} x", ""),
        ("ratio to librosa", f"{speed / speed_librosa:.1f}", ""),
        ("with episodes written (cut_sound)", f"{length_s / cut_s:.0f} x", ""),
        ("  the same by the wall clock", f"{length_s / cut_wall_s:.0f} x", ""),
    ]
    tell("Segmentation", rows, figures=figures, file=chosen.json)


if __name__ == "__main__":
    main()
