"""A toy store from which every task can be learned in seconds.

An object's pitch tells how far it slides; which microphones hear it tells the
direction; the picture shows where it is. Objects of set B have pitches between
those of set A.
"""

import numpy as np

from policy_ros.data.sample import Provenance, Sample
from policy_ros.data.store_settings import StoreSettings
from policy_ros.data.writer import StoreWriter
from policy_ros.signals.settings import FrontEndSettings

SETTINGS = StoreSettings(
    seconds=0.2,
    picture_size=32,
    front_end=FrontEndSettings(frequencies=32, times=32, window=126, hop=64),
)
DIRECTIONS = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)], float)
COLOURS = np.array([(1, 0.2, 0.2), (0.2, 1, 0.2), (0.3, 0.3, 1), (1, 1, 0.2)])


def write_store(path, *, rows_per_object=40, objects=4, seed=0):
    """Write a store of `objects` objects in each set; return its path."""
    rng = np.random.default_rng(seed)
    names = [f"{set_}{number}" for set_ in "ab" for number in range(objects)]
    sets = {name: name[0].upper() for name in names}
    order = [name for _ in range(rows_per_object) for name in names]
    with StoreWriter(path, SETTINGS, objects=sets) as writer:
        for row, name in enumerate(order):
            writer.add(_sample(rng, row, name, names, objects))
    return path


def _sample(rng, row, name, names, objects):
    number = int(name[1:])
    slide = (number + (0.5 if name[0] == "b" else 0.0)) / objects  # 0 .. 1
    angle = rng.uniform(0, 2 * np.pi)
    action = np.sqrt(rng.uniform(0.1, 1)) * np.array((np.cos(angle), np.sin(angle)))
    motion = np.array((action[1], -action[0]))  # a rotation about y moves along x
    before = rng.uniform(-0.5, 0.5, 2)
    after = np.clip(before + (0.3 + 0.7 * slide) * motion, -0.9, 0.9)
    size, f = SETTINGS.front_end.frequencies, np.arange(SETTINGS.front_end.frequencies)
    pitch = np.exp(-(((f - 4 - slide * (size - 8)) / 1.5) ** 2))
    decay = np.where(f >= size // 2, np.exp(-(f - size // 2) / 6.0), 0)
    heard = np.maximum(DIRECTIONS @ motion, 0.0)
    sound = -4 + 8 * heard[:, None, None] * pitch[:, None] * decay
    sound += rng.normal(0, 0.1, sound.shape)
    colour = COLOURS[number % 4] * (0.7 if name[0] == "b" else 1.0)
    return Sample(
        audio=np.zeros((4, SETTINGS.audio_frames), np.int16),
        spectrogram=np.clip(sound, -5, 5).astype(np.float16),
        before=_picture(rng, before, colour),
        after=_picture(rng, after, colour),
        action=action.astype(np.float32),
        rotation=(action * SETTINGS.max_tilt_rad).astype(np.float32),
        location_before=before.astype(np.float32),
        location_after=after.astype(np.float32),
        tray=np.zeros((SETTINGS.tray_steps, 2), np.float32),
        object=name,
        contact_channel=int(heard.argmax()),
        contact_level=0.5,
        contact_ns=row * 5_000_000_000,
        start_ns=row * 5_000_000_000 - 100_000_000,
        clean=True,
        provenance=Provenance(id=f"ep_{row:06d}", folder="/synthetic", origin="test"),
    )


def _picture(rng, location, colour):
    side = SETTINGS.picture_size
    x = (np.arange(side) + 0.5) / side * 2 - 1
    distance = (x[None, :] - location[0]) ** 2 + (-x[:, None] - location[1]) ** 2
    blob = np.exp(-distance / 0.03)[..., None] * colour
    picture = 0.1 + 0.8 * blob + rng.normal(0, 0.01, (side, side, 3))
    return (np.clip(picture, 0, 1) * 255).astype(np.uint8)
