"""From what the store or a live rig holds to what a checkpoint takes."""

import numpy as np
import numpy.typing as npt

from policy_ros.models.contract import Contract
from policy_ros.signals.pictures import shrink
from tiltbot_ros.errors import ModelError


def picture_input(contract: Contract, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Turn a picture into the input `before` or `after` of a model.

    Args:
        contract: of the model.
        picture: (picture_size, picture_size, 3) uint8 RGB, as in the training store.

    Returns:
        (3, height, width) float32 in [0, 1].

    Raises:
        ModelError: the picture is of another type or shape.
    """
    side = contract.picture_size
    if picture.dtype != np.uint8 or picture.shape != (side, side, 3):
        raise ModelError(
            f"expected a picture of uint8 ({side}, {side}, 3), got {picture.dtype} {picture.shape}"
        )
    return shrink(picture, contract.shapes.picture[1])


def spectrogram_input(
    contract: Contract, spectrogram: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Pick the microphones that a model listens to.

    Args:
        contract: of the model.
        spectrogram: (microphones of the rig, frequencies, times), by the
            contract's front end.

    Returns:
        (channels, frequencies, times) float32, rounded as the store rounds.

    Raises:
        ModelError: the rig has too few microphones.
    """
    if spectrogram.ndim != 3 or len(spectrogram) <= max(contract.microphones):
        raise ModelError(
            f"expected a spectrogram (microphones, frequencies, times) that holds the microphones "
            f"{list(contract.microphones)}, got shape {spectrogram.shape}"
        )
    chosen = spectrogram[list(contract.microphones)]
    return chosen.astype(np.float16).astype(np.float32)
