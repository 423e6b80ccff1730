"""The networks that denoising-diffusion-pytorch has had since version 0.32."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import conv2d

from references.official_ddim import waves
from references.store import attended, doubled, silu


class Lucidrains:
    """The network, under the names of the package's arguments.

    Args:
        w: Where the weights come from.
        version: (major, minor, patch) of the package.
        dim: Channels of the first level.
        dim_mults: Of the levels behind, as multiples of it.
        full: Levels with full attention; the middle has it always.
        prefix: Before every name.
    """

    def __init__(
        self,
        w,
        version,
        *,
        dim=16,
        dim_mults=(1, 2),
        channels=3,
        full=(),
        heads=4,
        dim_head=32,
        groups=8,
        self_condition=False,
        learned_variance=False,
        prefix="model.",
    ):
        self.w, self.version, self.prefix = w, version, prefix
        self.dims = [dim, *(dim * factor for factor in dim_mults)]
        self.full, self.heads, self.hidden = full, heads, heads * dim_head
        self.groups, self.self_condition = groups, self_condition
        self.out = channels * (2 if learned_variance else 1)
        self.standardised = version < (1, 7, 2)
        self.layer_norm = version < (1, 7, 0)
        self.wrapped = self.averaged = version < (1, 8, 0)
        self.memory = 0 if version < (1, 9, 0) else 4
        self.rms = version >= (2, 0, 0)

    def conv(self, name, x, out, size, **options):
        return self.w.conv(self.prefix + name, x, out, size, **options)

    def norm(self, name, x, *, layer=False):
        scale = self.w.draw(f"{self.prefix}{name}.g", (1, x.shape[1], 1, 1), mean=1, deviation=0.2)
        if layer:
            variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
            return (x - mean) / (variance + 1e-5).sqrt() * scale
        return x / (x**2).mean(1, keepdim=True).sqrt() * scale

    def block(self, name, x, out, modulation=None):
        w, full = self.w, f"{self.prefix}{name}"
        weight = w.weight(f"{full}.proj.weight", out, x.shape[1], 3, 3)
        if self.standardised:
            variance, mean = torch.var_mean(weight, dim=(1, 2, 3), correction=0, keepdim=True)
            weight = (weight - mean) / (variance + 1e-5).sqrt()
        h = conv2d(x, weight, w.bias(f"{full}.proj.bias", out), padding=1)
        if self.rms:
            h = self.norm(f"{name}.norm", h)
        else:
            h = w.group_norm(f"{full}.norm", h, self.groups, 1e-5)
        if modulation is not None:
            h = h * (modulation[:, :out] + 1) + modulation[:, out:]
        return silu(h)

    def resnet(self, name, x, time, out):
        modulation = self.w.linear(f"{self.prefix}{name}.mlp.1", silu(time), 2 * out)
        h = self.block(f"{name}.block1", x, out, modulation[:, :, None, None])
        h = self.block(f"{name}.block2", h, out)
        return h + (self.conv(f"{name}.res_conv", x, out, 1) if x.shape[1] != out else x)

    def attention(self, name, x, *, full):
        count, channels, height, width = x.shape
        inner = f"{name}.fn.fn" if self.wrapped else name
        normal = self.norm(
            f"{name}.fn.norm" if self.wrapped else f"{name}.norm", x, layer=self.layer_norm
        )
        joint = self.conv(f"{inner}.to_qkv", normal, 3 * self.hidden, 1, bias=False)
        # (N, heads, pixels, d) each
        q, k, v = (
            part.reshape(count, self.heads, -1, height * width).mT for part in joint.chunk(3, 1)
        )
        if self.memory:
            k, v = self.remembered(inner, k, v, full=full)
        if full:
            h = attended(q, k, v)
        else:
            if self.averaged:
                v = v / (height * width)
            context = torch.einsum("...md,...me->...de", k.softmax(-2), v)
            h = torch.einsum("...nd,...de->...ne", q.softmax(-1) / math.sqrt(q.shape[-1]), context)
        h = h.mT.reshape(count, self.hidden, height, width)
        if full:
            return x + self.conv(f"{inner}.to_out", h, channels, 1)
        h = self.conv(f"{inner}.to_out.0", h, channels, 1)
        return x + self.norm(f"{inner}.to_out.1", h, layer=self.layer_norm)

    def remembered(self, name, k, v, *, full):
        """Keys and values with the learned ones before them."""
        width = k.shape[-1]
        sides = (self.memory, width) if full else (width, self.memory)
        own = self.w.draw(f"{self.prefix}{name}.mem_kv", (2, self.heads, *sides))
        own = own if full else own.mT
        return (
            torch.cat([mine.expand(len(k), -1, -1, -1), given], 2)
            for mine, given in zip(own, (k, v), strict=True)
        )

    def __call__(self, x, t):
        """The output in float64."""
        x = x.double()
        if self.self_condition:
            x = torch.cat([torch.zeros_like(x), x], 1)
        h = start = self.conv("init_conv", x, self.dims[0], 7, padding=3)
        time = self.w.linear(f"{self.prefix}time_mlp.1", waves(t, self.dims[0]), 4 * self.dims[0])
        time = time * (1 + torch.erf(time / math.sqrt(2))) / 2
        time = self.w.linear(f"{self.prefix}time_mlp.3", time, 4 * self.dims[0])
        skips, last = [], len(self.dims) - 2
        for level, (narrow, wide) in enumerate(zip(self.dims, self.dims[1:], strict=False)):
            name = f"downs.{level}"
            h = self.resnet(f"{name}.0", h, time, narrow)
            skips.append(h)
            h = self.resnet(f"{name}.1", h, time, narrow)
            h = self.attention(f"{name}.2", h, full=level in self.full)
            skips.append(h)
            if level == last:
                h = self.conv(f"{name}.3", h, wide, 3, padding=1)
            else:
                quarters = [h[:, :, row::2, column::2] for row in (0, 1) for column in (0, 1)]
                h = torch.stack(quarters, 2).flatten(1, 2)
                h = self.conv(f"{name}.3.1", h, wide, 1)
        h = self.resnet("mid_block1", h, time, self.dims[-1])
        h = self.attention("mid_attn", h, full=True)
        h = self.resnet("mid_block2", h, time, self.dims[-1])
        return self.upwards(h, time, skips, start)

    def upwards(self, h, time, skips, start):
        last = len(self.dims) - 2
        for place, level in enumerate(reversed(range(last + 1))):
            narrow, wide, name = self.dims[level], self.dims[level + 1], f"ups.{place}"
            h = self.resnet(f"{name}.0", torch.cat([h, skips.pop()], 1), time, wide)
            h = self.resnet(f"{name}.1", torch.cat([h, skips.pop()], 1), time, wide)
            h = self.attention(f"{name}.2", h, full=level in self.full)
            if level == 0:
                h = self.conv(f"{name}.3", h, narrow, 3, padding=1)
            else:
                h = self.conv(f"{name}.3.1", doubled(h), narrow, 3, padding=1)
        h = self.resnet("final_res_block", torch.cat([h, start], 1), time, self.dims[0])
        return self.conv("final_conv", h, self.out, 1)
