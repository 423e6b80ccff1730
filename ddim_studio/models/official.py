"""Checkpoints of the official DDIM and DDPM code: ``ermongroup/ddim`` and ports of Ho et al.'s.

The tensors tell the whole architecture but for the size of the images, which the published
configurations give, or the level that has attention (at 16×16 pixels in all of them). Every part
has its like in ``UNet2DModel``: attention by 1×1 convolutions becomes linear, and ``up.i`` counts
levels from the finest one, while diffusers counts in the order of the computation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.models.blueprint import Blueprint
from ddim_studio.models.errors import ModelError
from ddim_studio.models.hints import SCHEDULER_KEYS, asked_for
from ddim_studio.models.renaming import Part, Parts, count, matrix, plain, under
from ddim_studio.models.unet import build_unet, check_network_config, network_notes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import torch

    from ddim_studio.models.checkpoint_file import Checkpoint

FAMILY: Final = "official DDIM/DDPM checkpoint"
SIGNATURE: Final = {"temb.dense.0.weight", "conv_in.weight", "down.0.block.0.conv1.weight"}
UNUSED: Final = {"logvar"}
"""The variance of the Bayesian variant: a parameter that the network does not use."""
ATTENTION_AT: Final = 16
"""The size in pixels at which all published configurations have attention."""
PUBLISHED: Final[dict[tuple[object, ...], int]] = {
    ((128, 256, 256, 256), 2, (1,)): 32,
    ((128, 256, 256, 256, 512), 2, (2,)): 64,
    ((128, 128, 256, 256, 512, 512), 2, (4,)): 256,
}
"""Size of the images by channels, blocks a level and levels with attention: CIFAR-10, CelebA and
LSUN."""
SCHEDULER: Final = {
    "num_train_timesteps": 1000,
    "beta_schedule": "linear",
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "prediction_type": "epsilon",
    "clip_sample": False,
}
RESNET: Final = {
    "norm1": "norm1",
    "conv1": "conv1",
    "time_emb_proj": "temb_proj",
    "norm2": "norm2",
    "conv2": "conv2",
    "conv_shortcut": "nin_shortcut",
}
OUTSIDE: Final = {
    "time_embedding.linear_1": "temb.dense.0",
    "time_embedding.linear_2": "temb.dense.1",
    "conv_in": "conv_in",
    "conv_norm_out": "norm_out",
    "conv_out": "conv_out",
}


def detect(names: Collection[str]) -> bool:
    """Whether these are the names of such a checkpoint's tensors."""
    return set(names) >= SIGNATURE


def blueprint(checkpoint: Checkpoint) -> Blueprint:
    """What the checkpoint holds.

    Raises:
        ModelError: Its tensors make no network of this family, or do not tell the size.
    """
    config = _config(checkpoint)
    config["sample_size"], note = _size(checkpoint, config)
    image_shape = check_network_config(config)
    given = {key: value for key, value in checkpoint.hints.items() if key in SCHEDULER_KEYS}
    shapes = (shape for name, shape in checkpoint.shapes.items() if name not in UNUSED)
    return Blueprint(
        family=FAMILY,
        image_shape=image_shape,
        parameters=sum(map(math.prod, shapes)),
        scheduler=SCHEDULER | given,
        network=config,
        licence=checkpoint.hints.get("license", "not stated"),
        notes=(*checkpoint.notes, *note, *network_notes(config, image_shape)),
    )


def network(checkpoint: Checkpoint, plan: Blueprint) -> torch.nn.Module:
    """The network with its weights.

    Raises:
        ModelError: Tensors are missing, left over, damaged, or of other shapes.
    """
    config = plan.network or {}
    given = checkpoint.tensors()
    tensors = {name: tensor for name, tensor in given.items() if name not in UNUSED}
    return build_unet(config, tensors, parts=parts_of(config))


def _config(checkpoint: Checkpoint) -> dict[str, Any]:
    """The arguments of ``UNet2DModel`` but for the size of the images."""
    names = checkpoint.shapes.keys()
    levels = count(names, "down.{}.block.0.conv1.weight")
    first = checkpoint.shape("conv_in.weight", dimensions=4)
    convolutions = [f"down.{level}.block.0.conv1.weight" for level in range(levels)]
    channels = [checkpoint.shape(name, dimensions=4)[0] for name in convolutions]
    attention = [f"down.{level}.attn.0.q.weight" in names for level in range(levels)]
    resampled = levels == 1 or "down.0.downsample.conv.weight" in names
    if channels[0] != first[0] or not resampled:
        raise ModelError(
            "The architecture is none of the published ones: its first level has other channels "
            "than its first convolution, or it resamples without convolutions.",
            "Train with ch_mult beginning with 1 and with resamp_with_conv.",
        )
    return {
        "_class_name": "UNet2DModel",
        "in_channels": first[1],
        "out_channels": checkpoint.shape("conv_out.weight", dimensions=4)[0],
        "layers_per_block": count(names, "down.0.block.{}.conv1.weight"),
        "block_out_channels": channels,
        "down_block_types": ["AttnDownBlock2D" if has else "DownBlock2D" for has in attention],
        "up_block_types": ["AttnUpBlock2D" if has else "UpBlock2D" for has in attention[::-1]],
        "norm_num_groups": 32,
        "norm_eps": 1e-6,
        "downsample_padding": 0,
        "flip_sin_to_cos": False,
        "freq_shift": 1,
        "attention_head_dim": None,
    }


def attended(config: Mapping[str, Any]) -> tuple[int, ...]:
    """The levels that have attention, 0 being the finest."""
    kinds = enumerate(config["down_block_types"])
    return tuple(level for level, kind in kinds if kind == "AttnDownBlock2D")


def _size(checkpoint: Checkpoint, config: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """The size of the images, and a note where it was concluded."""
    if "sample_size" in checkpoint.hints:
        return checkpoint.hints["sample_size"], ()
    levels = attended(config)
    known = PUBLISHED.get((tuple(config["block_out_channels"]), config["layers_per_block"], levels))
    if known is not None:
        return known, ()
    if len(levels) != 1:
        raise asked_for(checkpoint.path, "the size of its images", '"sample_size": 64')
    size = ATTENTION_AT << levels[0]
    note = f"The size {size}×{size} is concluded from where it has attention, taken to be at 16×16."
    return size, (note,)


def parts_of(config: Mapping[str, Any]) -> Parts:
    """Where every part of the network stands in the checkpoint."""
    levels, blocks = len(config["block_out_channels"]), config["layers_per_block"]
    parts = plain(OUTSIDE)
    for level in range(levels):
        parts |= _level(f"down_blocks.{level}", f"down.{level}", blocks, "downsample")
        parts |= _level(f"up_blocks.{levels - 1 - level}", f"up.{level}", blocks + 1, "upsample")
    parts |= under("mid_block.resnets.0", "mid.block_1", RESNET)
    parts |= under("mid_block.resnets.1", "mid.block_2", RESNET)
    return parts | _attention("mid_block.attentions.0", "mid.attn_1")


def _level(target: str, source: str, blocks: int, resampling: str) -> Parts:
    parts = under(target, source, {f"{resampling}rs.0.conv": f"{resampling}.conv"})
    for block in range(blocks):
        parts |= under(f"{target}.resnets.{block}", f"{source}.block.{block}", RESNET)
        parts |= _attention(f"{target}.attentions.{block}", f"{source}.attn.{block}")
    return parts


def _attention(target: str, source: str) -> Parts:
    linear = {"to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
    parts = {
        f"{target}.{ours}": Part(f"{source}.{theirs}", matrix) for ours, theirs in linear.items()
    }
    return parts | under(target, source, {"group_norm": "norm"})
