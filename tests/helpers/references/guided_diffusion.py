"""The network of guided-diffusion and improved-diffusion (Dhariwal and Nichol 2021, section 3)."""

from __future__ import annotations

import math

import torch

from references.store import attended, doubled, halved, silu


def waves(t, channels):
    """cos, then sin, at frequencies from 1 down to nearly 1/10000.

    The phases are float32 numbers, as they were in training.
    """
    powers = torch.arange(channels // 2, device=t.device) * -(math.log(10_000) / (channels // 2))
    phases = (t.float()[:, None] * powers.exp()).double()
    return torch.cat([phases.cos(), phases.sin()], 1)


class Guided:
    """The network's settings, under the names of its code's flags.

    Args:
        w: Where the weights come from.
        channels: Of the first level.
        mult: Of all levels, as multiples of it.
        blocks: A level.
        attention_at: Levels that have attention.
        heads: Of an attention with so many channels.
        resblock_updown: Whether residual blocks resample.
        use_scale_shift_norm: Whether the time embedding scales.
        use_new_attention_order: Whether queries, keys and values are separated before heads.
        classes: How many, or None.
    """

    def __init__(
        self,
        w,
        *,
        channels,
        mult,
        blocks,
        attention_at,
        heads,
        out=6,
        resblock_updown=True,
        use_scale_shift_norm=True,
        use_new_attention_order=False,
        classes=None,
    ):
        self.w, self.channels, self.mult, self.blocks = w, channels, mult, blocks
        self.attention_at, self.heads, self.out = attention_at, heads, out
        self.updown, self.scale_shift = resblock_updown, use_scale_shift_norm
        self.new_order, self.classes = use_new_attention_order, classes

    def norm(self, name, x):
        return self.w.group_norm(name, x, 32, 1e-5)

    def resnet(self, name, x, emb, out, resample=None):
        w = self.w
        h = silu(self.norm(f"{name}.in_layers.0", x))
        if resample:
            h, x = resample(h), resample(x)
        h = w.conv(f"{name}.in_layers.2", h, out, 3, padding=1)
        width = 2 * out if self.scale_shift else out
        e = w.linear(f"{name}.emb_layers.1", silu(emb), width)[:, :, None, None]
        if self.scale_shift:
            h = self.norm(f"{name}.out_layers.0", h) * (1 + e[:, :out]) + e[:, out:]
        else:
            h = self.norm(f"{name}.out_layers.0", h + e)
        h = w.conv(f"{name}.out_layers.3", silu(h), out, 3, padding=1)
        if x.shape[1] != out:
            x = w.conv(f"{name}.skip_connection", x, out, 1)
        return x + h

    def attention(self, name, x):
        w, (count, channels, height, width) = self.w, x.shape
        heads = self.heads(channels)
        h = self.norm(f"{name}.norm", x).flatten(2)
        weight = w.weight(f"{name}.qkv.weight", 3 * channels, channels, 1)[:, :, 0]
        rows = weight @ h + w.bias(f"{name}.qkv.bias", 3 * channels)[:, None]
        if self.new_order:  # rows: which of the three, head, channel
            q, k, v = (part.reshape(count, heads, -1, height * width) for part in rows.chunk(3, 1))
        else:  # rows: head, which of the three, channel
            q, k, v = rows.reshape(count, heads, -1, height * width).chunk(3, 2)
        h = attended(q.mT, k.mT, v.mT).mT.reshape(count, channels, -1)
        weight = w.weight(f"{name}.proj_out.weight", channels, channels, 1)[:, :, 0]
        h = weight @ h + w.bias(f"{name}.proj_out.bias", channels)[:, None]
        return x + h.reshape(x.shape)

    def __call__(self, x, t, label=None):
        """The output in float64."""
        w, base = self.w, self.channels
        emb = w.linear("time_embed.0", waves(t, base), 4 * base)
        emb = w.linear("time_embed.2", silu(emb), 4 * base)
        if self.classes:
            emb = emb + w.draw("label_emb.weight", (self.classes, 4 * base))[label]
        h = w.conv("input_blocks.0.0", x.double(), base, 3, padding=1)
        skips, place = [h], 0
        for level, factor in enumerate(self.mult):
            for _ in range(self.blocks):
                place += 1
                h = self.resnet(f"input_blocks.{place}.0", h, emb, base * factor)
                if level in self.attention_at:
                    h = self.attention(f"input_blocks.{place}.1", h)
                skips.append(h)
            if level < len(self.mult) - 1:
                place += 1
                if self.updown:
                    h = self.resnet(f"input_blocks.{place}.0", h, emb, h.shape[1], halved)
                else:
                    name = f"input_blocks.{place}.0.op"
                    h = w.conv(name, h, h.shape[1], 3, stride=2, padding=1)
                skips.append(h)
        h = self.resnet("middle_block.0", h, emb, h.shape[1])
        h = self.attention("middle_block.1", h)
        h = self.resnet("middle_block.2", h, emb, h.shape[1])
        return self.upwards(h, emb, skips)

    def upwards(self, h, emb, skips):
        w, place = self.w, -1
        for level in reversed(range(len(self.mult))):
            for block in range(self.blocks + 1):
                place += 1
                h = torch.cat([h, skips.pop()], 1)
                h = self.resnet(
                    f"output_blocks.{place}.0", h, emb, self.channels * self.mult[level]
                )
                part = 1
                if level in self.attention_at:
                    h = self.attention(f"output_blocks.{place}.1", h)
                    part = 2
                if level and block == self.blocks:
                    name = f"output_blocks.{place}.{part}"
                    if self.updown:
                        h = self.resnet(name, h, emb, h.shape[1], doubled)
                    else:
                        h = w.conv(f"{name}.conv", doubled(h), h.shape[1], 3, padding=1)
        return w.conv("out.2", silu(self.norm("out.0", h)), self.out, 3, padding=1)
