"""diffusers' ``UNet2DModel``: from a config and weights to a network that denoises."""

from __future__ import annotations

import inspect
import itertools
import warnings
from typing import TYPE_CHECKING, Any

from ddim_studio.diffusion.settings import MAX_CLASSES
from ddim_studio.models.config_faults import fault_of, is_too_deep
from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.legacy import CLASS_NAMES, current_config
from ddim_studio.models.renaming import renamed
from ddim_studio.models.weights import fitted

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    import torch
    from torch import Tensor

    from ddim_studio.models.renaming import Parts

SIDES = range(4, 1025)
NUMBERED_CLASSES = 1000
"""Labels that a network takes whose config gives no number, since it embeds any number."""
CHECK_CONFIG = "Check block types, channels, groups and sample_size in config.json."


def check_network_config(config: Mapping[str, Any]) -> tuple[int, int, int]:
    """The image shape (C, H, W) of a network config.

    Args:
        config: Contents of ``config.json``, with the names of today or of before.

    Raises:
        ModelError: It is another class of network, has no size, or needs more than x_t, t and the
            number of a class.
    """
    config = current_config(config)
    class_name = config.get("_class_name", "UNet2DModel")
    if class_name not in CLASS_NAMES:
        raise ModelError(
            f"The network is a {excerpt(class_name)}, which this program does not open.",
            "It opens pixel-space UNet2DModel networks.",
        )
    classes_of(config)
    channels, out = config.get("in_channels", 3), config.get("out_channels", 3)
    if not (_among(channels, (1, 3)) and _among(out, (channels, 2 * channels))):
        raise ModelError(
            f"The network takes {excerpt(channels)} channels and gives {excerpt(out)}; "
            "pictures have 1 or 3.",
            "Give a model that draws pictures, not one of latents or of other data.",
        )
    _check_depth(config)
    return channels, *_sides(config.get("sample_size"))


def classes_of(config: Mapping[str, Any]) -> int:
    """How many classes the network draws, 0 where it is unconditional.

    Raises:
        ModelError: It takes something else than the number of a class.
    """
    count, kind = config.get("num_class_embeds"), config.get("class_embed_type")
    if kind is not None and kind != "timestep":
        raise ModelError(
            f"The network takes its class as {excerpt(kind)}, which is not the number of a class.",
            "Unconditional models open, and models whose classes are numbers.",
        )
    if count is None:
        return NUMBERED_CLASSES if kind == "timestep" else 0
    if not _among(count, range(1, MAX_CLASSES + 1)):
        raise ModelError(
            f"The config's num_class_embeds is {excerpt(count)}; it must be the number of classes.",
            CHECK_CONFIG,
        )
    return int(count)


def network_notes(config: Mapping[str, Any], image_shape: tuple[int, int, int]) -> list[str]:
    """What a user should know of a network."""
    notes = []
    if config.get("out_channels", 3) == 2 * image_shape[0]:
        notes.append("It has learned its variance too, which is not used.")
    if config.get("class_embed_type") == "timestep" and config.get("num_class_embeds") is None:
        notes.append(
            "Its config does not say how many classes there are: any number is taken as one."
        )
    return notes


def _among(value: object, allowed: Container[int]) -> bool:
    """Whether it is one of these whole numbers; True and 3.0 are none."""
    return type(value) is int and value in allowed


def _check_depth(config: Mapping[str, Any]) -> None:
    """Refuse what would take minutes to build only to find that no weights fit."""
    if is_too_deep(config):
        raise _no_network(config)


def _no_network(config: Mapping[str, Any]) -> ModelError:
    fault = fault_of(config)
    said = f": {fault}" if fault else " that diffusers can build"
    return ModelError(f"The config describes no network{said}.", CHECK_CONFIG)


def _sides(size: object) -> tuple[int, int]:
    sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2 or not all(_among(side, SIDES) for side in sides):
        raise ModelError(
            f"The config's sample_size is {excerpt(size)}; it must be the size of the images, "
            f"from {SIDES.start} to {SIDES.stop - 1}.",
            CHECK_CONFIG,
        )
    return sides[0], sides[1]


def build_unet(
    config: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    *,
    parts: Parts | None = None,
    heads: int | None = None,
) -> torch.nn.Module:
    """The network of a config with its weights, in evaluation mode, float32.

    No memory is taken for random weights.

    Args:
        config: Arguments of ``UNet2DModel``.
        tensors: Its weights.
        parts: Which tensors of another family the network's parts come from; None where the
            weights are diffusers' own.
        heads: How many heads every attention has, in the place of ``attention_head_dim``.

    Raises:
        ModelError: The config makes no network for its own size of images, or the weights are
            not its own.
    """
    network = empty_unet(config, heads=heads)
    if parts is None:
        state = fitted(network, tensors)
    else:
        ready = renamed(network.state_dict(), tensors, parts)
        state = fitted(network, ready.tensors, ready.shown)
    network.load_state_dict(state, assign=True)
    if any(tensor.is_meta for tensor in itertools.chain(network.parameters(), network.buffers())):
        raise ModelError("The network has parts that its weights do not hold.", CHECK_CONFIG)
    return network.requires_grad_(requires_grad=False)


def empty_unet(config: Mapping[str, Any], *, heads: int | None = None) -> torch.nn.Module:
    """The network of a config without weights and without memory, in evaluation mode.

    Raises:
        ModelError: The config makes no network for its own size of images.
    """
    import torch
    from diffusers import UNet2DModel

    config = current_config(config)
    known = inspect.signature(UNet2DModel.__init__).parameters
    arguments = {name: value for name, value in config.items() if name in known}
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of parts without numbers; they are torch's words
            network: torch.nn.Module = UNet2DModel(**arguments)
    except Exception as error:  # diffusers raises nearly anything for a bad config
        raise _no_network(config) from error
    if 0 in arguments.get("block_out_channels", ()):
        raise _no_network(config)
    network.eval().requires_grad_(requires_grad=False)
    if heads is not None:
        set_heads(network, heads)
    _check_forward(network, check_network_config(config))
    return network


def set_heads(network: torch.nn.Module, heads: int) -> None:
    """Let every attention have so many heads, whatever its channels.

    diffusers' configs can give the channels of a head, but not the number of heads.
    """
    for module in network.modules():
        if type(module).__name__ == "Attention":
            width = module.inner_dim // heads  # type: ignore[operator]
            module.heads, module.scale = heads, width**-0.5  # type: ignore[assignment]


def _check_forward(network: torch.nn.Module, image_shape: tuple[int, int, int]) -> None:
    """Let a network without memory denoise an image without memory: only shapes are computed.

    Raises:
        ModelError: It cannot take such an image, or does not return one of that size.
    """
    import torch

    x = torch.empty((1, *image_shape), device="meta")
    t = torch.zeros(1, dtype=torch.int64, device="meta")
    label = None if getattr(network, "class_embedding", None) is None else t
    try:
        with torch.no_grad():
            output = network(x, t, label, return_dict=False)
        fits = output[0].shape[2:] == x.shape[2:]
    except Exception as error:  # torch raises nearly anything where shapes disagree
        raise ModelError(_no_such_images(image_shape), CHECK_CONFIG) from error
    if not fits:
        raise ModelError(_no_such_images(image_shape), CHECK_CONFIG)


def _no_such_images(image_shape: tuple[int, int, int]) -> str:
    _, height, width = image_shape
    return f"The network of this config cannot take images of {width}×{height} pixels."
