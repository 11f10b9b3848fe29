"""The forward models of the table: where a push takes the object (Tilt-Bot, IV-G)."""

from policy_ros.models.dynamics import AudioDynamics, BlindDynamics, ImageDynamics, OracleDynamics
from policy_ros.models.model import MODELS

STATE = ("location_start", "push_start", "push_end")
RESULT = ("location_end",)


@MODELS.register("pushing_audio")
class PushingModel(AudioDynamics):
    """From how the object sounded in the tray, its location and the push."""

    inputs = ("spectrogram", *STATE)
    outputs = RESULT
    state = STATE


@MODELS.register("pushing_image")
class ImagePushingModel(ImageDynamics):
    """From a picture of the object in the tray, its location and the push."""

    inputs = ("before", *STATE)
    outputs = RESULT
    state = STATE


@MODELS.register("pushing_oracle")
class OraclePushingModel(OracleDynamics):
    """From the object's class, its location and the push."""

    inputs = ("object", *STATE)
    outputs = RESULT
    state = STATE


@MODELS.register("pushing_none")
class BlindPushingModel(BlindDynamics):
    """From the location and the push alone."""

    inputs = STATE
    outputs = RESULT
    state = STATE
