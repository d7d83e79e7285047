"""The network as PyTorch trains it; cpp/src/network.cpp runs it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

PLANES = 10


class Conv(nn.Sequential):
    """A convolution and its norm, which is folded into it for inference."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1, relu: bool = True
    ):
        layers = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 * dilation, dilation, bias=False),
            nn.BatchNorm2d(outputs, momentum=0.05),
        ]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if relu else []))


class Block(nn.Module):
    """A residual bottleneck."""

    def __init__(self, channels: int, narrow: int, dilation: int = 1) -> None:
        super().__init__()
        self.reduce = Conv(channels, narrow, 1)
        self.middle = Conv(narrow, narrow, dilation=dilation)
        self.expand = Conv(narrow, channels, 1, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.expand(self.middle(self.reduce(x))))


def up(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class Network(nn.Module):
    """(N, 10, S, S) planes, -128..127, to (N, 1, S / 2, S / 2) logits; S a multiple of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(PLANES, 16, stride=2)
        self.s1 = Conv(16, 32, stride=2)
        self.b1 = Block(32, 16)
        self.s2 = Conv(32, 64, stride=2)
        self.b2 = nn.Sequential(Block(64, 32), Block(64, 32, 2))
        self.s3 = Conv(64, 96, stride=2)
        self.b3 = nn.Sequential(Block(96, 48), Block(96, 48, 2))
        self.b4 = nn.Sequential(Block(96, 48), Block(96, 48))
        self.d3 = Block(96, 48)
        self.l3 = Conv(96, 64, 1, relu=False)
        self.d2 = Block(64, 32)
        self.l2 = Conv(64, 32, 1, relu=False)
        self.d1 = nn.Sequential(Block(32, 16), Block(32, 16))
        self.out = nn.Conv2d(32, 4, 3, padding=1)
        # For training alone: answers at an eighth and a sixteenth of the size.
        self.out2, self.out3 = nn.Conv2d(64, 1, 1), nn.Conv2d(96, 1, 1)

    def forward(self, planes: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = planes / 64
        b = self.b1(self.s1(self.stem(x)))
        c = self.b2(self.s2(b))
        d = self.b3(self.s3(c))
        d = self.d3(d + up(self.b4(F.avg_pool2d(d, 2))))
        c = self.d2(F.relu(c + up(self.l3(d))))
        b = self.d1(F.relu(b + up(self.l2(c))))
        logits = F.pixel_shuffle(self.out(b), 2)
        return (logits, self.out2(c), self.out3(d)) if self.training else logits
