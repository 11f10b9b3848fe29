"""Small checkpoints for tests."""

from policy_ros.models.checkpoint import save_checkpoint
from policy_ros.models.contract import Origin
from policy_ros.models.settings import ModelSettings, Shapes
from policy_ros.models.zoo import build_model
from policy_ros.signals.settings import FrontEndSettings

SMALL = ModelSettings(audio_width=4, image_width=4, embedding=8, hidden=8)
CLASSES = ("mug", "spoon", "lemon")


def write_checkpoint(folder, name="multitask", *, seed=0, settings=SMALL):
    """Write an untrained model of the default shapes; return it and its contract."""
    model = build_model(name, settings, Shapes(classes=len(CLASSES)), seed=seed).eval()
    contract = save_checkpoint(
        folder,
        model,
        classes=CLASSES,
        microphones=(0, 1, 2, 3),
        front_end=FrontEndSettings(),
        seconds=4.0,
        picture_size=128,
        max_tilt_rad=0.35,
        half_side_m=0.15,
        origin=Origin(recipe="test", seed=seed, data_hash="0" * 12),
    )
    return model, contract
