"""Checkpoints of guided-diffusion and improved-diffusion (Dhariwal and Nichol 2021).

The tensors tell the architecture but for how attention is split into heads; neither do they tell
the size of the images nor the schedule. The published models are known by their architecture; of
others the code's own defaults are taken and said, or the facts stand beside the file (`hints`).

``UNet2DModel`` can be the same network: attention computes queries, keys and values by one
convolution whose rows are taken apart here, and blocks that resample are its "resnet" samplers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.models.blueprint import Blueprint
from ddim_studio.models.guided_layout import Layout, parts_of, read_layout
from ddim_studio.models.hints import SCHEDULER_KEYS, asked_for
from ddim_studio.models.scheduler_config import timesteps_of
from ddim_studio.models.unet import build_unet, check_network_config, network_notes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import torch

    from ddim_studio.models.checkpoint_file import Checkpoint
    from ddim_studio.models.guided_layout import HeadsOf

FAMILY: Final = "guided-diffusion checkpoint"
SIGNATURE: Final = {"time_embed.0.weight", "input_blocks.0.0.weight", "out.2.weight"}
HEAD_CHANNELS: Final = 64
"""Of all published models with residual resampling but one."""
HEADS: Final = 4
"""What the code takes where it is told nothing."""
LINEAR: Final = {"num_train_timesteps": 1000, "beta_schedule": "linear"}
COSINE: Final = {"num_train_timesteps": 1000, "beta_schedule": "squaredcos_cap_v2"}
COSINE_4000: Final = {"num_train_timesteps": 4000, "beta_schedule": "squaredcos_cap_v2"}


@dataclass(frozen=True)
class Unsaid:
    """What the tensors do not tell.

    Attributes:
        size: Of the images, in pixels.
        scheduler: T and the schedule.
        heads: How many heads attention has; None where their width is fixed.
        head_channels: The width of a head.
        new_order: Whether the rows of the joint projection are sorted into queries, keys and
            values first, and then by head.
        rescaled: Whether the network takes t·1000/T.
    """

    size: int
    scheduler: Mapping[str, Any]
    heads: int | None = None
    head_channels: int | None = None
    new_order: bool = False
    rescaled: bool = False


SIZES: Final[dict[tuple[float, ...], int]] = {
    (1, 2, 2, 2): 32,
    (1, 2, 3, 4): 64,
    (1, 1, 2, 3, 4): 128,
    (1, 1, 2, 2, 4, 4): 256,
}
"""Size of the images by the channels of the levels, as multiples: the code's own table."""
PUBLISHED: Final[dict[tuple[object, ...], Unsaid]] = {
    # base channels, multiples, blocks, levels with attention, residual resampling, classes
    (192, (1, 2, 3, 4), 3, (1, 2, 3), True, True): Unsaid(
        64, COSINE, head_channels=64, new_order=True
    ),
    (256, (1, 1, 2, 3, 4), 2, (2, 3, 4), True, True): Unsaid(128, LINEAR, heads=4),
    (256, (1, 1, 2, 2, 4, 4), 2, (3, 4, 5), True, True): Unsaid(256, LINEAR, head_channels=64),
    (256, (1, 1, 2, 2, 4, 4), 2, (3, 4, 5), True, False): Unsaid(256, LINEAR, head_channels=64),
    (128, (1, 1, 2, 2, 4, 4), 1, (4,), True, False): Unsaid(256, LINEAR, head_channels=64),
    # improved-diffusion
    (128, (1, 2, 2, 2), 3, (1, 2), False, False): Unsaid(32, COSINE_4000, heads=4, rescaled=True),
    (128, (1, 2, 3, 4), 3, (2, 3), False, False): Unsaid(64, COSINE_4000, heads=4, rescaled=True),
    (192, (1, 2, 3, 4), 3, (2, 3), False, True): Unsaid(64, COSINE_4000, heads=4),
    (128, (1, 1, 2, 2, 4, 4), 2, (4,), False, False): Unsaid(256, LINEAR, heads=1),
}


def detect(names: Collection[str]) -> bool:
    """Whether these are the names of such a checkpoint's tensors."""
    return set(names) >= SIGNATURE


def blueprint(checkpoint: Checkpoint) -> Blueprint:
    """What the checkpoint holds.

    Raises:
        ModelError: Its tensors make no network of this family, or do not tell the size.
    """
    layout = read_layout(checkpoint)
    unsaid, notes = _unsaid(checkpoint, layout)
    config = _config(layout) | {"sample_size": checkpoint.hints.get("sample_size", unsaid.size)}
    head_channels, heads = _heads(checkpoint, layout, unsaid)
    config["attention_head_dim"] = head_channels
    image_shape = check_network_config(config)
    scheduler = _scheduler(checkpoint, unsaid)
    rescaled = checkpoint.hints.get("rescale_timesteps", unsaid.rescaled)
    return Blueprint(
        family=FAMILY,
        image_shape=image_shape,
        parameters=sum(map(math.prod, checkpoint.shapes.values())),
        scheduler=scheduler,
        network=config,
        heads=heads,
        time_scale=1000 / timesteps_of(scheduler) if rescaled else 1.0,
        classes=layout.classes,
        licence=checkpoint.hints.get("license", "not stated"),
        notes=(*checkpoint.notes, *notes, *network_notes(config, image_shape)),
    )


def network(checkpoint: Checkpoint, plan: Blueprint) -> torch.nn.Module:
    """The network with its weights.

    Raises:
        ModelError: Tensors are missing, left over, damaged, or of other shapes.
    """
    layout = read_layout(checkpoint)
    unsaid, _ = _unsaid(checkpoint, layout)
    config = plan.network or {}
    new_order = checkpoint.hints.get("use_new_attention_order", unsaid.new_order)
    by_head = _by_head(plan.heads, config["attention_head_dim"])
    parts = parts_of(layout, _in_one_go if new_order else by_head)
    return build_unet(config, checkpoint.tensors(), parts=parts, heads=plan.heads)


def _in_one_go(_channels: int) -> int:
    """The rows are sorted into queries, keys and values, whatever the heads."""
    return 1


def _by_head(heads: int | None, width: int) -> HeadsOf:
    """The rows are sorted by head first."""
    return lambda channels: heads or max(1, channels // width)


def _unsaid(checkpoint: Checkpoint, layout: Layout) -> tuple[Unsaid, tuple[str, ...]]:
    """What the tensors do not tell, by the published models; with a note where it is assumed."""
    base = layout.channels[0]
    known = PUBLISHED.get(
        (
            base,
            layout.multiples,
            layout.blocks,
            layout.attended,
            layout.residual,
            layout.classes > 0,
        )
    )
    if known is not None:
        return known, ()
    size = SIZES.get(layout.multiples, 0)
    if not size and "sample_size" not in checkpoint.hints:
        raise asked_for(checkpoint.path, "the size of its images", '"sample_size": 64')
    notes = []
    if not checkpoint.hints.keys() & {"beta_schedule", "trained_betas"}:
        notes.append("The file does not say its schedule: linear β is assumed.")
    if not checkpoint.hints.keys() & {"num_heads", "num_head_channels"}:
        notes.append("The file does not say how attention is split: the code's default is assumed.")
    if layout.residual:
        return Unsaid(size, LINEAR, head_channels=HEAD_CHANNELS), tuple(notes)
    return Unsaid(size, LINEAR, heads=HEADS), tuple(notes)


def _config(layout: Layout) -> dict[str, Any]:
    """The arguments of ``UNet2DModel`` but for the size of the images and the heads."""
    plain_kind = "Resnet{}sampleBlock2D" if layout.residual else "{}Block2D"
    kinds = ["Attn{}Block2D" if has else plain_kind for has in layout.attention]
    sampler = "resnet" if layout.residual else "conv"
    return {
        "_class_name": "UNet2DModel",
        "in_channels": layout.in_channels,
        "out_channels": layout.out_channels,
        "layers_per_block": layout.blocks,
        "block_out_channels": list(layout.channels),
        "down_block_types": [kind.format("Down") for kind in kinds],
        "up_block_types": [kind.format("Up") for kind in kinds[::-1]],
        "downsample_type": sampler,
        "upsample_type": sampler,
        "downsample_padding": 1,
        "norm_num_groups": 32,
        "attn_norm_num_groups": 32,
        "norm_eps": 1e-5,
        "flip_sin_to_cos": True,
        "freq_shift": 0,
        "resnet_time_scale_shift": "scale_shift" if layout.scale_shift else "default",
        "num_class_embeds": layout.classes or None,
    }


def _heads(checkpoint: Checkpoint, layout: Layout, unsaid: Unsaid) -> tuple[int, int | None]:
    """Channels of a head, and the number of heads where the channels do not give it.

    Raises:
        ModelError: The channels of a level cannot be split so.
    """
    hints = checkpoint.hints
    width, heads = unsaid.head_channels, unsaid.heads
    if hints.keys() & {"num_heads", "num_head_channels"}:
        width, heads = hints.get("num_head_channels"), hints.get("num_heads")
    attended = {layout.channels[-1], *(layout.channels[level] for level in layout.attended)}
    divisor = width or heads or 1
    if any(channels % divisor for channels in attended):
        raise asked_for(
            checkpoint.path, "how its attention is split into heads", '"num_head_channels": 32'
        )
    if width is not None:
        return width, None
    if len(attended) == 1:
        return attended.pop() // divisor, None
    return math.gcd(*attended), divisor  # the width only has to divide them all


def _scheduler(checkpoint: Checkpoint, unsaid: Unsaid) -> dict[str, Any]:
    """The schedule: β of the linear one is scaled so that any T destroys as much of the image."""
    given = {key: value for key, value in checkpoint.hints.items() if key in SCHEDULER_KEYS}
    base = {"beta_start": 1e-4, "beta_end": 0.02, "prediction_type": "epsilon"}
    scheduler = base | {"clip_sample": False} | dict(unsaid.scheduler) | given
    if scheduler["beta_schedule"] == "linear" and not given.keys() & {"beta_start", "beta_end"}:
        scale = 1000 / timesteps_of(scheduler)
        scheduler |= {"beta_start": scale * 1e-4, "beta_end": min(1.0, scale * 0.02)}
    return scheduler
