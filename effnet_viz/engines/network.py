"""Network: nine named stages and a linear head over torchvision's and timm's modules."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Network(nn.Module):
    """An EfficientNet as the nine stages of Table 1 (Tan & Le 2019), a pooling and a linear head.

    The stages are the library's own modules in their own order, so the result equals the library
    model's bit for bit. Activations are return values: nothing is ever hooked onto the network.
    """

    def __init__(self, stages: Sequence[nn.Module], pool: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        if len(stages) != len(STAGES):
            raise ValueError(f"A network has {len(STAGES)} stages, not {len(stages)}.")
        self.stages = nn.ModuleList(stages)
        self.pool = pool
        self.head = head

    def activations(self, image: Tensor) -> list[Tensor]:
        """The outputs of stages 1 to 9 for images (B, 3, R, R); each (B, C, h, w)."""
        outputs: list[Tensor] = []
        x = image  # (B, 3, R, R)
        for stage in self.stages:
            x = stage(x)  # (B, C, h, w)
            outputs.append(x)
        return outputs

    def pooled(self, activation: Tensor, stage: int) -> Tensor:
        """What the head sees, (B, C), from the output (B, C', h, w) of a stage, 1 to 9."""
        x = activation  # (B, C', h, w)
        for module in self.stages[stage:]:
            x = module(x)  # (B, C'', h', w')
        pooled: Tensor = self.pool(x).flatten(1)  # (B, C)
        return pooled

    def tail(self, activation: Tensor, stage: int) -> Tensor:
        """Logits (B, classes) from the output (B, C, h, w) of a stage, 1 to 9."""
        logits: Tensor = self.head(self.pooled(activation, stage))  # (B, classes)
        return logits

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes) of images (B, 3, R, R)."""
        return self.tail(image, 0)


STAGES = range(1, 10)
"""The nine stages of Table 1 of the paper: 1 is the stem, 2 to 8 the MBConv stages, 9 the head."""
