"""The network of a run: diffusers' ``UNet2DModel``, its config and its first weights."""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ddim_studio.training.draws import WEIGHTS, generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddim_studio.training.settings import TrainSettings

    Forward = Callable[[Tensor, Tensor], Tensor]

HEAD = 32
"""Channels of an attention head, where they divide those of the levels."""


def network_config(settings: TrainSettings, channels: int) -> dict[str, Any]:
    """The arguments of ``UNet2DModel``.

    Args:
        settings: Size, widths and levels with attention.
        channels: 1 for grey images, 3 for colour.
    """
    widths = settings.channels
    attention = [side in (settings.attention or ()) for side in settings.sides]
    attended = [width for width, chosen in zip(widths, attention, strict=True) if chosen]
    head = reduce(math.gcd, attended, widths[-1])
    return {
        "sample_size": settings.size,
        "in_channels": channels,
        "out_channels": channels,
        "layers_per_block": settings.layers_per_block,
        "block_out_channels": list(widths),
        "down_block_types": [f"{'Attn' if chosen else ''}DownBlock2D" for chosen in attention],
        "up_block_types": [f"{'Attn' if chosen else ''}UpBlock2D" for chosen in attention[::-1]],
        "norm_num_groups": _groups(widths),
        "norm_eps": 1e-6,
        "attention_head_dim": HEAD if head % HEAD == 0 else head,
    }


def _groups(widths: tuple[int, ...]) -> int:
    """The most groups, up to 32 of at least 4 channels each, that divide every width."""
    common = reduce(math.gcd, widths)
    most = min(32, min(widths) // 4)
    return max(groups for groups in range(1, most + 1) if common % groups == 0)


def build_network(config: dict[str, Any], seed: int) -> nn.Module:
    """A network with its first weights, which the seed decides.

    As in Ho et al.'s code, the last convolution of every residual branch and of the network is 0,
    so that the network says 0 at first. torch's own random numbers are left as they were.
    """
    from diffusers import UNet2DModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator(seed, WEIGHTS).integers(2**63)))
        network: nn.Module = UNet2DModel(**config)
    for name, module in network.named_modules():
        if name == "conv_out" or name.endswith((".conv2", ".to_out.0")):
            for weight in module.parameters():
                nn.init.zeros_(weight)
    return network


class _Float32Conv(nn.Conv2d):
    """A convolution that computes in float32 wherever it stands."""

    result = torch.float32

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float()).to(self.result)


def keep_ends_float32(network: nn.Module, dtype: torch.dtype) -> None:
    """Let the first and the last convolution compute in float32 under autocast.

    bfloat16 has 8 bits: x_t at the first timesteps, and ε at the last, need more. The names of the
    weights, and the weights themselves, stay as they are.

    Args:
        network: To be changed.
        dtype: What the layers between compute in, and so what the first one hands on.
    """
    for name, result in (("conv_in", dtype), ("conv_out", torch.float32)):
        old = getattr(network, name)
        with torch.device("meta"):
            new = _Float32Conv(
                old.in_channels, old.out_channels, old.kernel_size, padding=old.padding
            )
        new.weight, new.bias, new.result = old.weight, old.bias, result
        setattr(network, name, new)


def forward_of(network: nn.Module) -> Forward:
    """The network as a function of x_t (n, C, H, W) and t (n,)."""

    def forward(x_t: Tensor, t: Tensor) -> Tensor:
        output: Tensor = network(x_t, t, return_dict=False)[0]
        return output

    return forward


def compiled(network: nn.Module, images: Tensor, dtype: torch.dtype) -> tuple[Forward, str]:
    """The compiled network, tried with a forward and a backward pass.

    Args:
        network: To be compiled; its gradients are cleared.
        images: Of the shape that it will be called with, (n, C, H, W).
        dtype: What it computes in.

    Returns:
        The compiled function and "", or the plain one and why it could not be compiled.
    """
    plain = forward_of(network)
    try:
        fast = forward_of(torch.compile(network, dynamic=False))  # type: ignore[arg-type]
        with torch.autocast(images.device.type, dtype, enabled=dtype != torch.float32):
            output = fast(images, torch.zeros(len(images), dtype=torch.int64, device=images.device))
        torch.autograd.backward(output.float().sum())
    except Exception as error:  # noqa: BLE001 (compilers fail in many ways)
        network.zero_grad()
        reason = " ".join((str(error) or type(error).__name__).split())[:120]
        return plain, f"The network cannot be compiled here, so it runs as it is ({reason})."
    network.zero_grad()
    return fast, ""


def precision_of(name: str, device: torch.device) -> torch.dtype:
    """What "auto", "float32" or "bfloat16" means on a device.

    "auto" is bfloat16 where the device multiplies such matrices itself, else float32.
    """
    if name != "auto":
        return torch.bfloat16 if name == "bfloat16" else torch.float32
    if device.type == "cuda":
        fast = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        fast = device.type == "cpu" and _has_matrix_unit()
    return torch.bfloat16 if fast else torch.float32


def _has_matrix_unit() -> bool:
    """Whether this processor has AMX for bfloat16."""
    check = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(check is not None and check())
