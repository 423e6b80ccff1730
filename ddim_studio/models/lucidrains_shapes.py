"""The architecture of a denoising-diffusion-pytorch network, told by the shapes of its tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.hints import asked_for
from ddim_studio.models.lucidrains_plan import Level, Plan
from ddim_studio.models.renaming import count

if TYPE_CHECKING:
    from ddim_studio.models.checkpoint_file import Checkpoint

    Shapes = dict[str, tuple[int, ...]]

HEAD_CHANNELS: Final = 32
"""What the package takes where it is told nothing."""
GROUPS: Final = 8
MEMORY: Final = "mid_attn.mem_kv"


class Version(NamedTuple):
    """What changed without a trace in the tensors.

    Attributes:
        since: The first version that is so.
        standardised: Whether the weights of convolutions in blocks are standardised when used.
        centred: Whether attention normalises by mean and variance, not by the root mean square.
        averaged: Whether linear attention divides the values by their number.
    """

    since: tuple[int, ...]
    standardised: bool
    centred: bool
    averaged: bool


VERSIONS: Final = (
    Version((0, 32, 0), standardised=True, centred=True, averaged=True),
    Version((1, 7, 0), standardised=True, centred=False, averaged=True),
    Version((1, 7, 2), standardised=False, centred=False, averaged=True),
    Version((1, 8, 0), standardised=False, centred=False, averaged=False),
)


def plan_of(checkpoint: Checkpoint, shapes: Shapes, version: Version) -> Plan:
    """The architecture.

    Args:
        checkpoint: For what it says beside its tensors.
        shapes: Of the network's tensors.
        version: Of the package.

    Raises:
        ModelError: The tensors make no network, or do not tell how attention is split.
    """
    entry = _shape(shapes, "init_conv.weight", 4)
    out = _shape(shapes, "final_conv.weight", 4)[0]
    channels, self_conditioned = _channels(entry[1], out)
    time, waves = _shape(shapes, "time_mlp.1.weight", 2)
    levels = _levels(checkpoint, shapes, entry[0])
    grouped = "mid_block1.block1.norm.weight" in shapes
    groups = checkpoint.hints.get("resnet_block_groups", GROUPS) if grouped else 0
    if grouped and any(n % groups for level in levels for n in (level.channels, level.wide)):
        raise asked_for(
            checkpoint.path, "how many groups it normalises", '"resnet_block_groups": 4'
        )
    if waves < 4 or waves % 2 or not levels:
        raise ModelError(
            "The tensors make no network of the package denoising-diffusion-pytorch at all.",
            "Copy or download the model again.",
        )
    return Plan(
        channels=channels,
        out_channels=out,
        self_conditioned=self_conditioned,
        time_channels=(waves, time),
        levels=levels,
        middle=_heads(checkpoint, shapes, "mid_attn"),
        memory=_shape(shapes, MEMORY, 4)[2] if MEMORY in shapes else 0,
        groups=groups,
        centred=version.centred,
        averaged=version.averaged,
    )


def _levels(checkpoint: Checkpoint, shapes: Shapes, first: int) -> tuple[Level, ...]:
    levels = []
    narrow = first
    number = count(shapes.keys(), "downs.{}.0.block1.proj.weight")
    for index in range(number):
        place = f"downs.{index}.3.weight" if index == number - 1 else f"downs.{index}.3.1.weight"
        wide = _shape(shapes, place, 4)[0]
        heads, hidden = _heads(checkpoint, shapes, f"downs.{index}.2")
        full = f"downs.{index}.2.to_out.weight" in shapes
        levels.append(Level(narrow, wide, full, heads, hidden))
        narrow = wide
    return tuple(levels)


def _channels(inputs: int, out: int) -> tuple[int, bool]:
    """Channels of the images, and whether the network takes x̂_0 beside x_t."""
    for channels in (1, 3):
        if out in {channels, 2 * channels} and inputs in {channels, 2 * channels}:
            return channels, inputs == 2 * channels
    raise ModelError(
        f"The network takes {inputs} channels and gives {out}; pictures have 1 or 3.",
        "Give a model that draws pictures, not one of latents or of other data.",
    )


def _heads(checkpoint: Checkpoint, shapes: Shapes, attention: str) -> tuple[int, int]:
    """Heads of an attention, and channels of all together."""
    joint = _shape(shapes, f"{attention}.to_qkv.weight", 4)[0]
    memory = f"{attention}.mem_kv"
    hidden = joint // 3
    if memory in shapes:
        heads = _shape(shapes, memory, 4)[1]
    else:
        heads = checkpoint.hints.get("num_heads", hidden // HEAD_CHANNELS)
    if heads < 1 or joint % 3 or hidden % heads:
        raise asked_for(checkpoint.path, "how its attention is split into heads", '"num_heads": 4')
    return heads, hidden


def _shape(shapes: Shapes, name: str, dimensions: int) -> tuple[int, ...]:
    found = shapes.get(name)
    if found is None or len(found) != dimensions or 0 in found:
        wrong = (
            "is missing from the file" if found is None else "has another shape than it can have"
        )
        raise ModelError(
            f"The weights are incomplete: {excerpt(name)} {wrong}.",
            "Copy or download the model again.",
        )
    return found
