"""Which entry of a network's config is to blame where diffusers can build no network from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ddim_studio.models.errors import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_BLOCKS: Final = 16
MAX_LAYERS: Final = 32
MAX_RESIDUAL_BLOCKS: Final = 64
"""Of all levels together; more would take seconds to build only to find that no weights fit."""
MAX_CHANNELS: Final = 65_536
ACTIVATIONS: Final = ("swish", "silu", "mish", "gelu", "relu")
EMBEDDINGS: Final = ("positional", "fourier", "learned")
SAMPLERS: Final = ("conv", "resnet")


def is_too_deep(config: Mapping[str, Any]) -> bool:
    """Whether a config asks for more blocks than can be built in a moment, or for none."""
    blocks, layers = config.get("down_block_types", ()), config.get("layers_per_block", 2)
    return not (
        isinstance(blocks, list | tuple)
        and len(blocks) <= MAX_BLOCKS
        and _whole(layers, MAX_LAYERS)
        and len(blocks) * layers <= MAX_RESIDUAL_BLOCKS
    )


def fault_of(config: Mapping[str, Any]) -> str:
    """The first entry that no network can have and its value, in words; empty if none is known.

    Args:
        config: Arguments of diffusers' ``UNet2DModel``.
    """
    for name, good in GOOD.items():
        if name in config and not good(config[name], config):
            return f"its {name} is {excerpt(config[name])}"
    channels, blocks = config.get("block_out_channels"), config.get("down_block_types")
    if channels is not None and blocks is not None and len(channels) != len(blocks):
        return f"it has {len(blocks)} blocks on the way down, and channels for {len(channels)}"
    if is_too_deep(config):
        return f"it has {len(blocks or ())} blocks of {config.get('layers_per_block', 2)} layers"
    return ""


def _whole(value: object, most: int) -> bool:
    return type(value) is int and 1 <= value <= most


def _channels(value: Any, _config: Mapping[str, Any]) -> bool:  # noqa: ANN401 (whatever JSON holds)
    return isinstance(value, list | tuple) and all(_whole(one, MAX_CHANNELS) for one in value)


def _groups(value: Any, config: Mapping[str, Any]) -> bool:  # noqa: ANN401
    channels = config.get("block_out_channels", ())
    return _whole(value, MAX_CHANNELS) and all(one % value == 0 for one in channels)


def _blocks(value: Any, _config: Mapping[str, Any]) -> bool:  # noqa: ANN401
    return isinstance(value, list | tuple) and all(
        isinstance(one, str) and one.removeprefix("UNetRes") in BLOCKS for one in value
    )


def _one_of(known: tuple[str, ...]) -> Callable[[Any, Mapping[str, Any]], bool]:
    return lambda value, _config: isinstance(value, str) and value in known


BLOCKS: Final = {
    f"{kind}{way}Block2D"
    for kind in ("", "Attn", "Skip", "AttnSkip", "CrossAttn", "SimpleCrossAttn", "K", "KCrossAttn")
    for way in ("Down", "Up", "DownEncoder", "UpDecoder")
} | {"ResnetDownsampleBlock2D", "ResnetUpsampleBlock2D"}
GOOD: Final[dict[str, Callable[[Any, Mapping[str, Any]], bool]]] = {
    "block_out_channels": _channels,
    "down_block_types": _blocks,
    "up_block_types": _blocks,
    "layers_per_block": lambda value, _config: _whole(value, MAX_LAYERS),
    "norm_num_groups": _groups,
    "attention_head_dim": lambda value, _config: value is None or _whole(value, MAX_CHANNELS),
    "act_fn": _one_of(ACTIVATIONS),
    "time_embedding_type": _one_of(EMBEDDINGS),
    "downsample_type": _one_of(SAMPLERS),
    "upsample_type": _one_of(SAMPLERS),
    "dropout": lambda value, _config: type(value) in {int, float} and 0 <= value <= 1,
    "norm_eps": lambda value, _config: type(value) in {int, float} and value > 0,
}
"""Of every entry, whether a network can have the value; in the order in which they are blamed."""
