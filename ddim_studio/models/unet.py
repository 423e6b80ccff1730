"""The family of diffusers' ``UNet2DModel``: from a config and weights to a network."""

from __future__ import annotations

import inspect
import itertools
from typing import TYPE_CHECKING, Any

from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.weights import fitted

if TYPE_CHECKING:
    from collections.abc import Container

    import torch
    from torch import Tensor

CLASS_NAMES = ("UNet2DModel", "UNetModel")
SIDES = range(4, 1025)
MAX_BLOCKS = 16
MAX_LAYERS = 32
NO_NETWORK = "The config describes no network that diffusers can build."
CHECK_CONFIG = "Check block types, channels, groups and sample_size in config.json."


def check_network_config(config: dict[str, Any]) -> tuple[int, int, int]:
    """The image shape (C, H, W) of a network config.

    Raises:
        ModelError: It is another class of network, has no size, or needs more than x_t and t.
    """
    class_name = config.get("_class_name", "UNet2DModel")
    if class_name not in CLASS_NAMES:
        raise ModelError(
            f"The network is a {excerpt(class_name)}, which this program does not open.",
            "It opens unconditional pixel-space UNet2DModel networks.",
        )
    if config.get("num_class_embeds") or config.get("class_embed_type"):
        raise ModelError("The network needs a class label; only unconditional models open.")
    channels, out = config.get("in_channels", 3), config.get("out_channels", 3)
    if not (_among(channels, (1, 3)) and _among(out, (channels, 2 * channels))):
        raise ModelError(
            f"The network takes {excerpt(channels)} channels and gives {excerpt(out)}; "
            "pictures have 1 or 3."
        )
    _check_depth(config)
    return channels, *_sides(config.get("sample_size"))


def _among(value: object, allowed: Container[int]) -> bool:
    """Whether it is one of these whole numbers; True and 3.0 are none."""
    return type(value) is int and value in allowed


def _check_depth(config: dict[str, Any]) -> None:
    """Refuse what would take minutes to build only to find that no weights fit."""
    blocks = config.get("down_block_types", ())
    layers = config.get("layers_per_block", 2)
    good = isinstance(blocks, list | tuple) and len(blocks) <= MAX_BLOCKS
    if not good or not _among(layers, range(1, MAX_LAYERS + 1)):
        raise ModelError(NO_NETWORK, CHECK_CONFIG)


def _sides(size: object) -> tuple[int, int]:
    sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2 or not all(_among(side, SIDES) for side in sides):
        raise ModelError(
            f"The config's sample_size is {excerpt(size)}; it must be the size of the images, "
            f"from {SIDES.start} to {SIDES.stop - 1}."
        )
    return sides[0], sides[1]


def build_unet(config: dict[str, Any], tensors: dict[str, Tensor]) -> torch.nn.Module:
    """The network of a config with its weights, in evaluation mode, float32.

    No memory is taken for random weights.

    Raises:
        ModelError: The config makes no network for its own size of images, or the weights are
            not its own.
    """
    import torch
    from diffusers import UNet2DModel

    known = inspect.signature(UNet2DModel.__init__).parameters
    arguments = {name: value for name, value in config.items() if name in known}
    try:
        with torch.device("meta"):
            network: torch.nn.Module = UNet2DModel(**arguments)
    except Exception as error:  # diffusers raises nearly anything for a bad config
        raise ModelError(NO_NETWORK, CHECK_CONFIG) from error
    network.eval().requires_grad_(requires_grad=False)
    _check_forward(network, check_network_config(config))
    network.load_state_dict(fitted(network, tensors), assign=True)
    if any(tensor.is_meta for tensor in itertools.chain(network.parameters(), network.buffers())):
        raise ModelError("The network has parts that its weights do not hold.", CHECK_CONFIG)
    return network.requires_grad_(requires_grad=False)


def _check_forward(network: torch.nn.Module, image_shape: tuple[int, int, int]) -> None:
    """Let a network without memory denoise an image without memory: only shapes are computed.

    Raises:
        ModelError: It cannot take such an image, or does not return one of that size.
    """
    import torch

    x = torch.empty((1, *image_shape), device="meta")
    try:
        with torch.no_grad():
            output = network(x, torch.zeros(1, dtype=torch.int64, device="meta"), return_dict=False)
        fits = output[0].shape[2:] == x.shape[2:]
    except Exception as error:  # torch raises nearly anything where shapes disagree
        raise ModelError(_no_such_images(image_shape), CHECK_CONFIG) from error
    if not fits:
        raise ModelError(_no_such_images(image_shape), CHECK_CONFIG)


def _no_such_images(image_shape: tuple[int, int, int]) -> str:
    _, height, width = image_shape
    return f"The network of this config cannot take images of {width}×{height} pixels."
