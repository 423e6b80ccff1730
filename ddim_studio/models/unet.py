"""The family of diffusers' ``UNet2DModel``: from a config and weights to a network."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ddim_studio.models.errors import ModelError
from ddim_studio.models.weights import check_fit

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CLASS_NAMES = ("UNet2DModel", "UNetModel")
SIDES = range(4, 1025)


def check_network_config(config: dict[str, Any]) -> tuple[int, int, int]:
    """The image shape (C, H, W) of a network config.

    Raises:
        ModelError: It is another class of network, has no size, or needs more than x_t and t.
    """
    class_name = config.get("_class_name", "UNet2DModel")
    if class_name not in CLASS_NAMES:
        raise ModelError(
            f"The network is a {class_name!s:.60}, which this program does not open.",
            "It opens unconditional pixel-space UNet2DModel networks.",
        )
    if config.get("num_class_embeds") or config.get("class_embed_type"):
        raise ModelError("The network needs a class label; only unconditional models open.")
    channels, out = config.get("in_channels", 3), config.get("out_channels", 3)
    if channels not in {1, 3} or out not in {channels, 2 * channels}:
        raise ModelError(
            f"The network takes {channels} channels and gives {out}; pictures have 1 or 3."
        )
    return channels, *_sides(config.get("sample_size"))


def _sides(size: object) -> tuple[int, int]:
    sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2 or not all(isinstance(side, int) and side in SIDES for side in sides):
        raise ModelError(
            f"The config's sample_size is {size!r}; it must be the size of the images, "
            f"from {SIDES.start} to {SIDES.stop - 1}."
        )
    return sides[0], sides[1]


def build_unet(config: dict[str, Any], tensors: dict[str, Tensor]) -> torch.nn.Module:
    """The network of a config with its weights, in evaluation mode, float32.

    No memory is taken for random weights, and none of the file's tensors is copied.

    Raises:
        ModelError: The config makes no network, or the weights are not its own.
    """
    import torch
    from diffusers import UNet2DModel

    known = inspect.signature(UNet2DModel.__init__).parameters
    arguments = {name: value for name, value in config.items() if name in known}
    try:
        with torch.device("meta"):
            network: torch.nn.Module = UNet2DModel(**arguments)
    except Exception as error:  # diffusers raises nearly anything for a bad config
        raise ModelError(
            "The config describes no network that diffusers can build.",
            "Check block types, channels and groups in config.json.",
        ) from error
    check_fit(network, tensors)
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)
    return network.eval().requires_grad_(requires_grad=False)
