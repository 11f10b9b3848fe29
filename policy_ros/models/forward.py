"""The forward models of the tray: where a tilt takes the object (Tilt-Bot, IV-F)."""

from policy_ros.models.dynamics import AudioDynamics, BlindDynamics, ImageDynamics, OracleDynamics
from policy_ros.models.model import MODELS

STATE = ("location_before", "action")
RESULT = ("location_after",)


@MODELS.register("forward_audio")
class ForwardModel(AudioDynamics):
    """From the sound of another interaction, the location and the action (figure 4b)."""

    inputs = ("spectrogram", *STATE)
    outputs = RESULT
    state = STATE


@MODELS.register("forward_image")
class ImageForwardModel(ImageDynamics):
    """From a picture of the object, the location and the action."""

    inputs = ("before", *STATE)
    outputs = RESULT
    state = STATE


@MODELS.register("forward_oracle")
class OracleForwardModel(OracleDynamics):
    """From the object's class, the location and the action."""

    inputs = ("object", *STATE)
    outputs = RESULT
    state = STATE


@MODELS.register("forward_none")
class BlindForwardModel(BlindDynamics):
    """From the location and the action alone."""

    inputs = STATE
    outputs = RESULT
    state = STATE
