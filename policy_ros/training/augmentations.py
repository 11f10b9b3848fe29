"""What is done to training samples so that a model cannot lean on what does not matter.

Each takes a batch by name and the numbers drawn for its rows, and returns the
batch changed. Names as in the training store; what a batch lacks is left out.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from policy_ros.registry import Registry
from policy_ros.training.draws import Draws

Batch: TypeAlias = dict[str, Tensor]
Augmentation: TypeAlias = Callable[[Batch, Draws], Batch]

AUGMENTATIONS: Registry[Augmentation] = Registry("augmentation")

PICTURES = ("before", "after")
LOCATIONS = ("location_before", "location_after")

GAIN_NEPER = 0.5
"""Loudness is changed by up to e^±0.5, 4.3 dB."""
SHIFT_COLUMNS = 3
"""The sound moves by up to so many columns, 0.19 s of 4 s in 64."""
MASKS = 2
MASK_PART = 0.12
"""Of the frequencies or times, the longest stretch that is hidden."""
COLOUR = 0.3
"""Part by which each colour's brightness changes at most."""
SHIFT_PIXELS = 2


@AUGMENTATIONS.register("symmetry")
def symmetry(batch: Batch, draws: Draws) -> Batch:
    """Turn the whole tray by a multiple of 90 degrees about its normal, or mirror it, too.

    The tray is square, with a microphone in the middle of each wall (mic_0 to
    mic_3 at +x, +y, -x, -y) and a camera above it whose pictures have x to the
    right and y up: what happens in a turned tray is as likely. Sound, pictures,
    action and locations are turned together. An action is a rotation vector: a
    mirror at the plane x = 0 turns (ax, ay) to (ax, -ay), a location (x, y) to
    (-x, y).
    """
    if batch.get("spectrogram", torch.empty(0, 4)).shape[1] != 4:
        raise ValueError("expected four microphones for the augmentation 'symmetry'")
    result = dict(batch)
    names = ("spectrogram", *PICTURES, *LOCATIONS, "action")
    present = [name for name in names if name in batch]
    choice = draws.integers("symmetry", 8)
    for name in present:
        result[name] = batch[name].clone()
    for number in range(1, 8):
        rows = torch.nonzero(choice == number)[:, 0]
        if not len(rows):
            continue
        quarters, mirrored = number % 4, number >= 4
        for name in present:
            result[name][rows] = _moved(name, batch[name][rows], quarters, mirrored=mirrored)
    return result


def _moved(name: str, x: Tensor, quarters: int, *, mirrored: bool) -> Tensor:
    if name == "spectrogram":
        if mirrored:
            x = x[:, [2, 1, 0, 3]]
        return x.roll(quarters, 1)
    if name in PICTURES:
        if mirrored:
            x = x.flip(-1)
        return torch.rot90(x, quarters, (-2, -1))
    if mirrored:
        x = x * x.new_tensor([1.0, -1.0] if name == "action" else [-1.0, 1.0])
    for _ in range(quarters):
        x = torch.stack((-x[:, 1], x[:, 0]), 1)
    return x


@AUGMENTATIONS.register("gain")
def gain(batch: Batch, draws: Draws) -> Batch:
    """Make the sound louder or softer, all microphones alike.

    It may leave the front end's limits: who calls this clips it, as the front end does.
    """
    if "spectrogram" not in batch:
        return batch
    sound = batch["spectrogram"]
    shift = draws.between("gain", -GAIN_NEPER, GAIN_NEPER)[:, :, None, None]
    return {**batch, "spectrogram": sound + shift}


@AUGMENTATIONS.register("time_shift")
def time_shift(batch: Batch, draws: Draws) -> Batch:
    """Move the sound in time, repeating its first or last column."""
    if "spectrogram" not in batch:
        return batch
    sound = batch["spectrogram"]
    by = draws.integers("time_shift", 2 * SHIFT_COLUMNS + 1) - SHIFT_COLUMNS
    last = sound.shape[-1] - 1
    columns = (torch.arange(last + 1)[None] - by[:, None]).clamp(0, last)
    index = columns[:, None, None, :].expand_as(sound)
    return {**batch, "spectrogram": sound.gather(-1, index)}


@AUGMENTATIONS.register("masks")
def masks(batch: Batch, draws: Draws) -> Batch:
    """Hide stretches of frequencies and of times (SpecAugment, Park et al., 2019)."""
    if "spectrogram" not in batch:
        return batch
    sound = batch["spectrogram"]
    keep = torch.ones(len(sound), 1, *sound.shape[-2:], dtype=torch.bool)
    for axis, size in ((2, sound.shape[2]), (3, sound.shape[3])):
        drawn = draws.uniform(f"masks/{axis}", 2 * MASKS)
        width = drawn[:, :MASKS] * MASK_PART * size
        start = drawn[:, MASKS:] * (size - width)
        place = torch.arange(size)
        hidden = (place >= start[..., None]) & (place < (start + width)[..., None])
        shape = (len(sound), 1, size, 1) if axis == 2 else (len(sound), 1, 1, size)
        keep &= ~hidden.any(1).reshape(shape)
    mean = sound.mean((1, 2, 3), keepdim=True)
    return {**batch, "spectrogram": torch.where(keep, sound, mean)}


@AUGMENTATIONS.register("colour")
def colour(batch: Batch, draws: Draws) -> Batch:
    """Change the brightness of each colour and their order, alike before and after."""
    result = dict(batch)
    scale = draws.between("colour", 1 - COLOUR, 1 + COLOUR, 3)[:, :, None, None]
    order = draws.uniform("colour/order", 3).argsort(1)
    for name in PICTURES:
        if name in batch:
            picture = batch[name]
            index = order[:, :, None, None].expand_as(picture)
            result[name] = (picture.gather(1, index) * scale).clamp(0, 1)
    return result


@AUGMENTATIONS.register("picture_shift")
def picture_shift(batch: Batch, draws: Draws) -> Batch:
    """Move the pictures by a pixel or two, alike before and after, repeating their edges."""
    result = dict(batch)
    count = 2 * SHIFT_PIXELS + 1
    by_y = draws.integers("picture_shift/y", count) - SHIFT_PIXELS
    by_x = draws.integers("picture_shift/x", count) - SHIFT_PIXELS
    for name in PICTURES:
        if name in batch:
            picture = batch[name]
            height, width = picture.shape[-2:]
            rows = (torch.arange(height)[None] - by_y[:, None]).clamp(0, height - 1)
            columns = (torch.arange(width)[None] - by_x[:, None]).clamp(0, width - 1)
            moved = picture.gather(2, rows[:, None, :, None].expand_as(picture))
            result[name] = moved.gather(3, columns[:, None, None, :].expand_as(picture))
    return result
