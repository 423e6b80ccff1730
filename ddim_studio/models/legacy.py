"""Names that diffusers had for things before, in configs and in files of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

CLASS_NAMES: Final = ("UNet2DModel", "UNetModel", "UNetUnconditionalModel")
CONFIG_NAMES: Final = {
    "image_size": "sample_size",
    "num_res_blocks": "layers_per_block",
    "block_channels": "block_out_channels",
    "down_blocks": "down_block_types",
    "up_blocks": "up_block_types",
    "downscale_freq_shift": "freq_shift",
    "resnet_num_groups": "norm_num_groups",
    "resnet_act_fn": "act_fn",
    "resnet_eps": "norm_eps",
    "num_head_channels": "attention_head_dim",
}
"""Entries of a network's config that were renamed in the summer of 2022."""
PARTS: Final = {
    "mid": "mid_block",
    "downsample_blocks": "down_blocks",
    "upsample_blocks": "up_blocks",
    "time_steps": "time_proj",
}
"""The network's largest parts, renamed at the same time."""
ATTENTION: Final = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""Parts of attention, renamed in 2023; many published models still have the old names."""
TWICE: Final = ("op", "Conv2d_0")
"""What old files call a resampling convolution beside its name ``conv``."""


def current_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A network's config with the names of today; these win where both are given."""
    values = {CONFIG_NAMES[key]: value for key, value in config.items() if key in CONFIG_NAMES}
    return values | {key: value for key, value in config.items() if key not in CONFIG_NAMES}


def current_names(given: Iterable[str], needed: Container[str]) -> dict[str, str]:
    """What the tensors of a file are called today, each with its name in the file.

    A name is changed only where the network needs the new one and the file has not got it, so
    that nothing is lost unseen; a second copy of a tensor is left out.

    Args:
        given: Names in the file.
        needed: Names in the network.
    """
    names: dict[str, str] = {}
    # the name of today comes first, and the second copies last
    for name in sorted(given, key=lambda name: (name not in needed, _is_copy(name), name)):
        current = _current(name, needed)
        if current not in names:
            names[current] = name
        elif not _is_copy(name):
            names[name] = name
    return names


def _is_copy(name: str) -> bool:
    """Whether it may be the second name of a convolution."""
    return any(part in TWICE for part in name.split("."))


def _current(name: str, needed: Container[str]) -> str:
    if name in needed:
        return name
    head, _, rest = name.partition(".")
    renamed = f"{PARTS.get(head, head)}.{rest}"
    owner, _, kind = renamed.rpartition(".")
    block, _, part = owner.rpartition(".")
    for today in (ATTENTION.get(part, part), "conv" if part in TWICE else part):
        if (current := f"{block}.{today}.{kind}") in needed:
            return current
    return name
