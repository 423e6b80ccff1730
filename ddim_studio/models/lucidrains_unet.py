"""The U-Net of denoising-diffusion-pytorch, which no class of diffusers can be.

Written from its description: two residual blocks and one attention a level, the skip connections
taken after each of both; linear attention where the image is large. The parts have the names that
they have in its checkpoints, so that these load as they are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 (everyone's name)

if TYPE_CHECKING:
    from torch import Tensor

    from ddim_studio.models.lucidrains_plan import Level, Plan

    Stages = list[tuple[nn.Module, nn.Module, nn.Module, nn.Module]]


class Norm(nn.Module):
    """Normalises over the channels of every pixel, and scales.

    Args:
        channels: How many.
        centred: By mean and variance, not by the root mean square.
    """

    def __init__(self, channels: int, *, centred: bool = False) -> None:
        super().__init__()
        self.centred = centred
        self.g = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (N, C, H, W)."""
        if self.centred:
            variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
            return (x - mean) * (variance + 1e-5).rsqrt() * self.g
        return F.normalize(x, dim=1) * (self.g * math.sqrt(x.shape[1]))


class Block(nn.Module):
    """Convolution, normalisation, perhaps scale and shift, SiLU."""

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.GroupNorm(groups, outputs) if groups else Norm(outputs)

    def forward(self, x: Tensor, scale_shift: tuple[Tensor, ...] = ()) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        x = self.norm(self.proj(x))
        if scale_shift:
            scale, shift = scale_shift
            x = x * (1 + scale) + shift
        return F.silu(x)


class Resnet(nn.Module):
    """Two blocks beside a skip; the time embedding scales and shifts in the first."""

    def __init__(self, inputs: int, outputs: int, time: int, groups: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time, 2 * outputs))
        self.block1 = Block(inputs, outputs, groups)
        self.block2 = Block(outputs, outputs, groups)
        self.res_conv = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """(N, inputs, H, W) and (N, time) to (N, outputs, H, W)."""
        scale_shift = self.mlp(time)[:, :, None, None].chunk(2, dim=1)
        h: Tensor = self.block2(self.block1(x, scale_shift)) + self.res_conv(x)
        return h


class LinearAttention(nn.Module):
    """Attention whose cost grows with the number of pixels, not with its square."""

    def __init__(self, channels: int, heads: int, hidden: int, plan: Plan) -> None:
        super().__init__()
        self.heads, self.averaged = heads, plan.averaged
        self.norm = Norm(channels, centred=plan.centred)
        if plan.memory:
            self.mem_kv = nn.Parameter(torch.zeros(2, heads, hidden // heads, plan.memory))
        self.to_qkv = nn.Conv2d(channels, 3 * hidden, 1, bias=False)
        self.to_out = nn.Sequential(
            nn.Conv2d(hidden, channels, 1), Norm(channels, centred=plan.centred)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        count, _, height, width = x.shape
        joint = self.to_qkv(self.norm(x)).reshape(count, 3, self.heads, -1, height * width)
        q, k, v = joint.unbind(1)  # (N, heads, d, pixels)
        if hasattr(self, "mem_kv"):
            k, v = (
                torch.cat([own.expand(count, -1, -1, -1), given], dim=3)
                for own, given in zip(self.mem_kv, (k, v), strict=True)
            )
        if self.averaged:
            v = v / (height * width)
        q = q.softmax(dim=2) * q.shape[2] ** -0.5
        context = k.softmax(dim=3) @ v.transpose(2, 3)  # (N, heads, d of k, d of v)
        h = (context.transpose(2, 3) @ q).reshape(count, -1, height, width)
        out: Tensor = self.to_out(h)
        return out


class Attention(nn.Module):
    """Full attention of every pixel to every other."""

    def __init__(self, channels: int, heads: int, hidden: int, plan: Plan) -> None:
        super().__init__()
        self.heads = heads
        self.norm = Norm(channels, centred=plan.centred)
        if plan.memory:
            self.mem_kv = nn.Parameter(torch.zeros(2, heads, plan.memory, hidden // heads))
        self.to_qkv = nn.Conv2d(channels, 3 * hidden, 1, bias=False)
        self.to_out = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        count, _, height, width = x.shape
        joint = self.to_qkv(self.norm(x)).reshape(count, 3, self.heads, -1, height * width)
        q, k, v = joint.transpose(3, 4).unbind(1)  # (N, heads, pixels, d)
        if hasattr(self, "mem_kv"):
            k, v = (
                torch.cat([own.expand(count, -1, -1, -1), given], dim=2)
                for own, given in zip(self.mem_kv, (k, v), strict=True)
            )
        h = F.scaled_dot_product_attention(q, k, v).transpose(2, 3)
        out: Tensor = self.to_out(h.reshape(count, -1, height, width))
        return out


class SinusoidalEmbedding(nn.Module):
    """sin and cos of t at frequencies from 1 down to 1/10000."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.waves = channels // 2

    def forward(self, t: Tensor) -> Tensor:
        """(N,) to (N, channels)."""
        powers = torch.arange(self.waves, device=t.device) * (-math.log(10_000) / (self.waves - 1))
        phases = t[:, None] * powers.exp()[None]
        return torch.cat([phases.sin(), phases.cos()], dim=1)


class LucidrainsUNet(nn.Module):
    """The network. It is called as ``UNet2DModel`` is."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        first, (waves, time) = plan.levels[0].channels, plan.time_channels
        self.init_conv = nn.Conv2d(
            plan.channels * (2 if plan.self_conditioned else 1), first, 7, padding=3
        )
        self.time_mlp = nn.Sequential(
            SinusoidalEmbedding(waves), nn.Linear(waves, time), nn.GELU(), nn.Linear(time, time)
        )
        last = len(plan.levels) - 1
        self.downs = nn.ModuleList(
            _down(level, plan, last=i == last) for i, level in enumerate(plan.levels)
        )
        wide = plan.levels[-1].wide
        self.mid_block1 = Resnet(wide, wide, time, plan.groups)
        self.mid_attn = Attention(wide, *plan.middle, plan)
        self.mid_block2 = Resnet(wide, wide, time, plan.groups)
        self.ups = nn.ModuleList(
            _up(level, plan, last=i == last) for i, level in enumerate(plan.levels[::-1])
        )
        self.final_res_block = Resnet(2 * first, first, time, plan.groups)
        self.final_conv = nn.Conv2d(first, plan.out_channels, 1)

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        class_labels: None = None,  # noqa: ARG002 (it has no classes)
        *,
        return_dict: bool = False,  # noqa: ARG002 (always a tuple)
    ) -> tuple[Tensor]:
        """The network's output for x (N, C, H, W) at t (N,), as a tuple of one."""
        if self.plan.self_conditioned:
            x = torch.cat([torch.zeros_like(x), x], dim=1)
        x = start = self.init_conv(x)
        time = self.time_mlp(t)
        skips = []
        for block1, block2, attention, down in cast("Stages", self.downs):
            skips.append(block1(x, time))
            x = block2(skips[-1], time)
            skips.append(x + attention(x))
            x = down(skips[-1])
        x = self.mid_block1(x, time)
        x = self.mid_block2(x + self.mid_attn(x), time)
        for block1, block2, attention, up in cast("Stages", self.ups):
            x = block1(torch.cat([x, skips.pop()], dim=1), time)
            x = block2(torch.cat([x, skips.pop()], dim=1), time)
            x = up(x + attention(x))
        x = self.final_res_block(torch.cat([x, start], dim=1), time)
        return (self.final_conv(x),)


def _attention(channels: int, level: Level, plan: Plan) -> nn.Module:
    kind = Attention if level.full else LinearAttention
    return kind(channels, level.heads, level.hidden, plan)


def _down(level: Level, plan: Plan, *, last: bool) -> nn.ModuleList:
    time, narrow = plan.time_channels[1], level.channels
    halving = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * narrow, level.wide, 1))
    return nn.ModuleList(
        [
            Resnet(narrow, narrow, time, plan.groups),
            Resnet(narrow, narrow, time, plan.groups),
            _attention(narrow, level, plan),
            nn.Conv2d(narrow, level.wide, 3, padding=1) if last else halving,
        ]
    )


def _up(level: Level, plan: Plan, *, last: bool) -> nn.ModuleList:
    time, joint = plan.time_channels[1], level.wide + level.channels
    convolution = nn.Conv2d(level.wide, level.channels, 3, padding=1)
    doubling = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), convolution)
    return nn.ModuleList(
        [
            Resnet(joint, level.wide, time, plan.groups),
            Resnet(joint, level.wide, time, plan.groups),
            _attention(level.wide, level, plan),
            convolution if last else doubling,
        ]
    )
