"""The network of the official DDIM code (Ho et al. 2020, appendix B)."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import pad

from references.store import attended, doubled, silu

EPS = 1e-6


def waves(t, channels):
    """sin, then cos, at frequencies from 1 down to 1/10000, both ends included.

    The phases are float32 numbers, as they were in training.
    """
    powers = torch.arange(channels // 2, device=t.device) * -(
        math.log(10_000) / (channels // 2 - 1)
    )
    phases = (t.float()[:, None] * powers.exp()).double()
    return torch.cat([phases.sin(), phases.cos()], 1)


def norm(w, name, x):
    return w.group_norm(name, x, 32, EPS)


def resnet(w, name, x, temb, out):
    h = w.conv(f"{name}.conv1", silu(norm(w, f"{name}.norm1", x)), out, 3, padding=1)
    h = h + w.linear(f"{name}.temb_proj", silu(temb), out)[:, :, None, None]
    h = w.conv(f"{name}.conv2", silu(norm(w, f"{name}.norm2", h)), out, 3, padding=1)
    if x.shape[1] != out:
        x = w.conv(f"{name}.nin_shortcut", x, out, 1)
    return x + h


def attention(w, name, x):
    channels, (height, width) = x.shape[1], x.shape[2:]
    h = norm(w, f"{name}.norm", x)
    q, k, v = (w.conv(f"{name}.{part}", h, channels, 1).flatten(2).mT for part in "qkv")
    h = attended(q, k, v).mT.reshape(-1, channels, height, width)
    return x + w.conv(f"{name}.proj_out", h, channels, 1)


def official(w, x, t, *, ch, mult, blocks, attention_at, out=3):
    """ε_θ(x, t) in float64."""
    x = x.double()
    temb = w.linear("temb.dense.0", waves(t, ch), 4 * ch)
    temb = w.linear("temb.dense.1", silu(temb), 4 * ch)
    h = w.conv("conv_in", x, ch, 3, padding=1)
    skips = [h]
    for level, factor in enumerate(mult):
        for block in range(blocks):
            h = resnet(w, f"down.{level}.block.{block}", h, temb, ch * factor)
            if h.shape[2] in attention_at:
                h = attention(w, f"down.{level}.attn.{block}", h)
            skips.append(h)
        if level < len(mult) - 1:
            h = w.conv(
                f"down.{level}.downsample.conv", pad(h, (0, 1, 0, 1)), h.shape[1], 3, stride=2
            )
            skips.append(h)
    return upwards(w, h, temb, skips, ch=ch, mult=mult, attention_at=attention_at, out=out)


def upwards(w, h, temb, skips, *, ch, mult, attention_at, out):
    blocks = (len(skips) - len(mult)) // len(mult)
    h = resnet(w, "mid.block_1", h, temb, h.shape[1])
    h = attention(w, "mid.attn_1", h)
    h = resnet(w, "mid.block_2", h, temb, h.shape[1])
    for level in reversed(range(len(mult))):
        for block in range(blocks + 1):
            h = torch.cat([h, skips.pop()], 1)
            h = resnet(w, f"up.{level}.block.{block}", h, temb, ch * mult[level])
            if h.shape[2] in attention_at:
                h = attention(w, f"up.{level}.attn.{block}", h)
        if level:
            h = w.conv(f"up.{level}.upsample.conv", doubled(h), h.shape[1], 3, padding=1)
    assert not skips
    return w.conv("conv_out", silu(norm(w, "norm_out", h)), out, 3, padding=1)
