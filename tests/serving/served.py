"""Whole episodes and small untrained models to serve them with."""

from functools import cache
from pathlib import Path

import numpy as np

from policy_ros.models.checkpoint import save_checkpoint
from policy_ros.models.contract import Contract, Origin
from policy_ros.models.settings import ModelSettings, Shapes
from policy_ros.models.zoo import build_model
from policy_ros.serving.rig import RigFacts
from policy_ros.signals.settings import FrontEndSettings
from tests.commands import whole_episodes
from tiltbot_ros.episodes.cdr import AudioMessage, read_audio
from tiltbot_ros.episodes.moments import before_and_after
from tiltbot_ros.episodes.reader import Episode
from tiltbot_ros.rigs import Rig, load_rig
from tiltbot_ros.serving import ServedRigSettings

OBJECT = "025_mug"
CLASSES = ("red_cube", OBJECT, "048_hammer")
SMALL = ModelSettings(audio_width=4, image_width=4, embedding=8, hidden=8)


@cache
def rig() -> Rig:
    """Return the rig that the episodes are from."""
    return load_rig("sim")


def facts() -> RigFacts:
    return RigFacts(**ServedRigSettings.of(rig()).model_dump())


def make_episodes(out: Path) -> list[Path]:
    """Write three episodes of a mug, whose sound differs: in two a block is missing."""
    return whole_episodes.write(
        out,
        *(
            whole_episodes.Wanted(
                object=OBJECT,
                action=action,
                contact_ns=whole_episodes.EPOCH_NS + 10_000_000_000 * number,
                lost_block=lost,
            )
            for number, (action, lost) in enumerate(
                (((0.6, 0.3), None), ((-0.2, 0.7), 205), ((0.1, -0.8), 230))
            )
        ),
    )


def make_checkpoint(folder: Path, name: str = "multitask", **changes: object) -> Contract:
    """Write an untrained model; `changes` are arguments of `save_checkpoint`."""
    model = build_model(name, SMALL, Shapes(classes=len(CLASSES)), seed=7).eval()
    arguments = {
        "classes": CLASSES,
        "microphones": (0, 1, 2, 3),
        "front_end": FrontEndSettings(),
        "seconds": 4.0,
        "picture_size": 128,
        "max_tilt_rad": rig().tilt.max_tilt_rad,
        "half_side_m": 0.15,
        "origin": Origin(),
        **changes,
    }
    return save_checkpoint(folder, model, **arguments)


def blocks_of(path: Path) -> list[AudioMessage]:
    """Return the blocks of sound of an episode."""
    episode = Episode.open(path)
    name = episode.topic("audio").name
    return [read_audio(message.data) for message in episode.messages[name]]


def before_of(path: Path) -> np.ndarray:
    """Return the picture before the tilt as it was recorded."""
    episode = Episode.open(path)
    images, tilt = episode.images(), episode.tilt()
    index, _ = before_and_after(
        images.stamps_ns, tilt_start_ns=tilt.start_ns, tilt_end_ns=tilt.end_ns
    )
    return images.frames[index]
