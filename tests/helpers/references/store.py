"""Tensors by name, drawn when they are first asked for."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import conv2d


class Store:
    """Random weights of a network, all float32 numbers, handed out as float64.

    Args:
        seed: Of the weights.
        device: "cpu", or "meta" for names and shapes alone.
    """

    def __init__(self, seed=0, device="cpu"):
        self.device = device
        self.tensors = {}
        self._generator = torch.Generator().manual_seed(seed)

    def draw(self, name, shape, *, mean=0.0, deviation=1.0):
        """The tensor of this name."""
        if name not in self.tensors:
            if self.device == "meta":
                self.tensors[name] = torch.empty(shape, device="meta")
            else:
                noise = torch.randn(shape, generator=self._generator)
                self.tensors[name] = mean + deviation * noise
        assert tuple(self.tensors[name].shape) == tuple(shape), name
        return self.tensors[name].double()

    def weight(self, name, *shape):
        """A weight that keeps the size of what it is multiplied with."""
        return self.draw(name, shape, deviation=1 / math.sqrt(math.prod(shape[1:])))

    def bias(self, name, *shape):
        return self.draw(name, shape, deviation=0.1)

    def conv(self, name, x, out, size, *, stride=1, padding=0, bias=True):
        weight = self.weight(f"{name}.weight", out, x.shape[1], size, size)
        given = self.bias(f"{name}.bias", out) if bias else None
        return conv2d(x, weight, given, stride, padding)

    def linear(self, name, x, out):
        weight = self.weight(f"{name}.weight", out, x.shape[1])
        return x @ weight.T + self.bias(f"{name}.bias", out)

    def group_norm(self, name, x, groups, eps):
        channels = x.shape[1]
        weight = self.draw(f"{name}.weight", (channels,), mean=1.0, deviation=0.2)
        parts = x.reshape(x.shape[0], groups, -1)
        variance, mean = torch.var_mean(parts, dim=2, correction=0, keepdim=True)
        normal = ((parts - mean) / (variance + eps).sqrt()).reshape(x.shape)
        bias = self.bias(f"{name}.bias", channels)
        return normal * weight[:, None, None] + bias[:, None, None]


def silu(x):
    return x / (1 + (-x).exp())


def doubled(x):
    """Every pixel four times."""
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def halved(x):
    """The mean of every 2×2 pixels."""
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


def attended(q, k, v):
    """Softmax attention: q (…, n, d), k and v (…, m, d) to (…, n, d)."""
    scores = torch.einsum("...nd,...md->...nm", q, k) / math.sqrt(q.shape[-1])
    return torch.einsum("...nm,...md->...nd", scores.softmax(-1), v)
