"""All models and encoders, entered under their names, and how one is built."""

import torch

from policy_ros.models.classifier import InstanceClassifier
from policy_ros.models.encoders.cnn import CnnEncoder
from policy_ros.models.encoders.encoder import AUDIO_ENCODERS, IMAGE_ENCODERS
from policy_ros.models.encoders.resnet import ResidualEncoder, ResNet18
from policy_ros.models.forward import (
    BlindForwardModel,
    ForwardModel,
    ImageForwardModel,
    OracleForwardModel,
)
from policy_ros.models.image_classifier import ImageClassifier
from policy_ros.models.inverse import ImageInverseModel, InverseModel
from policy_ros.models.model import MODELS, TiltModel
from policy_ros.models.multitask import MultiTaskModel
from policy_ros.models.pushing import (
    BlindPushingModel,
    ImagePushingModel,
    OraclePushingModel,
    PushingModel,
)
from policy_ros.models.settings import ModelSettings, Shapes

__all__ = [
    "AUDIO_ENCODERS",
    "IMAGE_ENCODERS",
    "MODELS",
    "BlindForwardModel",
    "BlindPushingModel",
    "CnnEncoder",
    "ForwardModel",
    "ImageClassifier",
    "ImageForwardModel",
    "ImageInverseModel",
    "ImagePushingModel",
    "InstanceClassifier",
    "InverseModel",
    "MultiTaskModel",
    "OracleForwardModel",
    "OraclePushingModel",
    "PushingModel",
    "ResNet18",
    "ResidualEncoder",
    "build_model",
]


def build_model(name: str, settings: ModelSettings, shapes: Shapes, *, seed: int) -> TiltModel:
    """Return the model of this name with weights drawn from the seed.

    Raises:
        ConfigError: there is no such model or encoder; the message lists the valid names.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        model = MODELS.get(name)(settings, shapes)
    for parameter in model.parameters():
        if parameter.dim() == 4:  # the layout in which oneDNN's convolutions are fastest
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return model
