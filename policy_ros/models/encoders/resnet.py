"""Residual encoders: a small one, and ResNet-18 as torchvision has it."""

from typing import Self

from torch import Tensor, nn

from policy_ros.models.encoders.blocks import ConvBlock, ResidualBlock
from policy_ros.models.encoders.encoder import AUDIO_ENCODERS, IMAGE_ENCODERS, Encoder


@AUDIO_ENCODERS.register("resnet")
@IMAGE_ENCODERS.register("resnet")
class ResidualEncoder(Encoder):
    """A strided convolution and three residual blocks, each doubling the channels."""

    def __init__(self, shape: tuple[int, int, int], width: int) -> None:
        """Make one for inputs of `shape`; the first layer has `width` channels."""
        super().__init__()
        channels, height, columns = shape
        self.layers = nn.Sequential(
            ConvBlock(channels, width, kernel=5, stride=2),
            *(
                ResidualBlock(width * 2**level, width * 2 ** (level + 1), stride=2)
                for level in range(3)
            ),
        )
        for _ in range(4):  # a stride of 2 rounds up
            height, columns = -(-height // 2), -(-columns // 2)
        self.features = width * 8 * height * columns

    def forward(self, x: Tensor) -> Tensor:
        """Return features (batch, features)."""
        result: Tensor = self.layers(x).flatten(1)
        return result


class _BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with batch normalization, named as in torchvision."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU()
        self.downsample: nn.Module | None = None
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        short = x if self.downsample is None else self.downsample(x)
        result: Tensor = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))) + short)
        return result


@IMAGE_ENCODERS.register("resnet18")
class ResNet18(Encoder):
    """ResNet-18 (He et al., 2016) with the parameter names of torchvision.

    Made for weights from outside (`image_weights` of a recipe); its width is
    fixed. The features are the 512 averages of the last layer.
    """

    def __init__(self, shape: tuple[int, int, int], width: int) -> None:  # noqa: ARG002 - fixed
        """Make one for pictures of any size with `shape[0]` channels."""
        super().__init__()
        self.conv1 = nn.Conv2d(shape[0], 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(_BasicBlock(64, 64, 1), _BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(_BasicBlock(64, 128, 2), _BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(_BasicBlock(128, 256, 2), _BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(_BasicBlock(256, 512, 2), _BasicBlock(512, 512, 1))
        self.features = 512
        self._frozen = False

    def freeze(self) -> None:
        """Keep weights and statistics as they are, whatever is trained around them."""
        self._frozen = True
        self.requires_grad_(requires_grad=False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Switch to training, unless it is frozen."""
        return super().train(mode and not self._frozen)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (batch, 512)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        result: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3))
        return result
