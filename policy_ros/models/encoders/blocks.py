"""Pieces that the encoders share."""

from torch import Tensor, nn


def normalization(channels: int) -> nn.Module:
    """Return a group normalization of up to 8 groups of 8 channels or more.

    It does not look at the rest of the batch, so that training on several
    processes gives what training on one does, and a server what training saw.
    Groups of fewer channels cost twice the time in training.
    """
    fitting = (count for count in (8, 4, 2) if channels % (8 * count) == 0)
    return nn.GroupNorm(next(fitting, 1), channels)


class ConvBlock(nn.Sequential):
    """A convolution, group normalization and ReLU."""

    def __init__(self, channels: int, out: int, *, kernel: int = 3, stride: int = 1) -> None:
        """Make one from `channels` to `out` channels; the picture shrinks by `stride`."""
        super().__init__(
            nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False),
            normalization(out),
            nn.ReLU(inplace=True),
        )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (He et al., 2016)."""

    def __init__(self, channels: int, out: int, *, stride: int = 1) -> None:
        """Make one from `channels` to `out` channels; the picture shrinks by `stride`."""
        super().__init__()
        self.body = nn.Sequential(
            ConvBlock(channels, out, stride=stride),
            nn.Conv2d(out, out, 3, 1, 1, bias=False),
            normalization(out),
        )
        self.shortcut: nn.Module = (
            nn.Identity()
            if stride == 1 and channels == out
            else nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), normalization(out))
        )
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return features (batch, out, height / stride, width / stride)."""
        result: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return result
