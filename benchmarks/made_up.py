"""A data folder of any size with plausible facts and without bags, for the benchmarks."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from tiltbot_ros.episodes.detector import HeardContact
from tiltbot_ros.episodes.facts import Check, EpisodeFacts, TiltAction
from tiltbot_ros.episodes.verdict import verdict_of
from tiltbot_ros.worlds.objects import ObjectCatalogue

NS = 1_000_000_000
EPOCH_NS = 1_767_600_000 * NS
MOST_RAD = 0.45
TOPICS = (
    "/audio",
    "/camera/color/image_raw",
    "/camera/aligned_depth_to_color/image_raw",
    "/camera/color/camera_info",
    "/tray/pose",
    "/tray/joint_states",
    "/tray/reference",
    "/object_location",
)
FLAWS = (
    ("continuity", "/audio", "441 frames lost in 1 holes"),
    ("gap", "/camera/color/image_raw", "longest gap 512.0 ms (limit 416.7 ms)"),
    ("xruns", "/audio", "2 overruns"),
    ("tilt", "/tilt", "no tilt explains the contact"),
)


def write_facts(folder: Path, count: int, seed: int = 0) -> None:
    """Write `count` episodes that have an episode.json alone: all that tables are made from.

    Objects follow one another, about four contacts a minute, a pause of an
    hour or so between them; one episode in 25 is flagged.
    """
    rng = np.random.default_rng(seed)
    names = ObjectCatalogue.load().names
    stamp_ns = EPOCH_NS
    before = ""
    for number in range(1, count + 1):
        name = names[(number - 1) * len(names) // count]
        if name != before:
            stamp_ns += int(rng.uniform(1800, 5400) * NS)
            loudness = rng.normal(math.log(0.12), 0.5)
            before = name
        stamp_ns += int((6.0 + rng.exponential(8.0)) * NS)
        facts = _facts(rng, number, name, stamp_ns, loudness)
        place = folder / facts.id
        place.mkdir(parents=True)
        (place / "episode.json").write_bytes(facts.to_json())


def _facts(
    rng: np.random.Generator, number: int, name: str, stamp_ns: int, loudness: float
) -> EpisodeFacts:
    angle, size = rng.uniform(0, 2 * np.pi), math.sqrt(rng.uniform(0.09, 1.0))
    ax, ay = size * math.cos(angle), size * math.sin(angle)
    checks = [
        Check(name=kind, topic=topic, ok=True, value=24.0, limit=24.0, text="24 messages of 24")
        for topic in TOPICS
        for kind in ("required", "count", "gap", "loss")
    ]
    if rng.random() < 0.04:
        kind, topic, text = FLAWS[int(rng.choice(4, p=(0.5, 0.25, 0.15, 0.1)))]
        checks.append(Check(name=kind, topic=topic, ok=False, value=1.0, limit=0.0, text=text))
    verdict = verdict_of(checks)
    facts = EpisodeFacts(
        id=f"ep_{number:06d}",
        object=name,
        contact=HeardContact(
            sample=number,
            stamp_ns=stamp_ns,
            channel=int(rng.integers(4)),
            level=float(min(1.0, math.exp(rng.normal(loudness, 0.7)))),
            threshold=0.0117,
            detector="523690dd1340",
        ),
        start_ns=stamp_ns - 2 * NS,
        end_ns=stamp_ns + 2 * NS,
        suppressed=int(rng.poisson(0.8)),
        tilt=TiltAction(
            rotation=(ax * MOST_RAD, ay * MOST_RAD, 0.0),
            ax=ax,
            ay=ay,
            start_ns=stamp_ns - NS,
            end_ns=stamp_ns + 2 * NS,
        ),
        verdict=verdict,
        drops=(),
        messages=1657,
        payload_bytes=1_500_000,
        bag_bytes=int(rng.normal(1_560_000, 40_000)),
        bag_crc32=int(rng.integers(1 << 32)),
        finished_ns=stamp_ns + 3 * NS,
    )
    if rng.random() < 0.02:
        outcome = str(rng.choice(["fell out", "stuck in a corner", "tipped over"]))
        return replace(facts, outcome=outcome, labels={"who": "ada"})
    return facts
