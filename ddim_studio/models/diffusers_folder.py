"""The family of diffusers folders that hold a ``UNet2DModel``, of any age."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ddim_studio.models.blueprint import Blueprint
from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.folder import ModelFolder, licence_of, summary_of
from ddim_studio.models.legacy import current_config
from ddim_studio.models.safetensors_list import safetensors_header
from ddim_studio.models.scheduler_config import current_scheduler, scheduler_notes
from ddim_studio.models.sniffing import AGAIN
from ddim_studio.models.unet import build_unet, check_network_config, classes_of, network_notes
from ddim_studio.models.weights import read_weights

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def blueprint(folder: ModelFolder) -> Blueprint:
    """What the folder holds. Reads no weights, and does not load torch for safetensors.

    Raises:
        ModelError: Its configs describe no network or schedule that can be used.
    """
    config = current_config(folder.network)
    image_shape = check_network_config(config)
    scheduler = current_scheduler(folder.scheduler)
    notes = scheduler_notes(folder.scheduler and scheduler) + network_notes(config, image_shape)
    if folder.variant:
        notes.append(f"The weights are the variant {excerpt(folder.variant)}.")
    return Blueprint(
        family=f"diffusers UNet2DModel ({folder.layout} layout)",
        image_shape=image_shape,
        parameters=_parameters(folder),
        scheduler=scheduler,
        network=config,
        classes=classes_of(config),
        licence=licence_of(folder.card),
        summary=summary_of(folder.card),
        notes=tuple(notes),
    )


def network(folder: ModelFolder, plan: Blueprint) -> torch.nn.Module:
    """The network with its weights.

    Raises:
        ModelError: Tensors are missing, left over, damaged, or of other shapes.
    """
    tensors: dict[str, Tensor] = {}
    for path in folder.weights:
        part = read_weights(path)
        if twice := sorted(part.keys() & tensors.keys()):
            raise ModelError(
                f"The weights are damaged: {excerpt(twice[0])} stands in two of its files.", AGAIN
            )
        tensors |= part
    return build_unet(plan.network or {}, tensors)


def _parameters(folder: ModelFolder) -> int:
    shapes: list[tuple[int, ...]] = []
    for path in folder.weights:
        if path.suffix == ".safetensors":
            shapes += [tensor.shape for tensor in safetensors_header(path).values()]
        else:
            shapes += [tuple(tensor.shape) for tensor in read_weights(path).values()]
    return sum(map(math.prod, shapes))
