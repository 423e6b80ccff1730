"""How the blocks of a guided-diffusion network are numbered, and what ``UNet2DModel`` calls them.

``input_blocks`` and ``output_blocks`` are numbered through all levels: a level of n blocks takes
n + 1 numbers on the way down (the last one resamples) and on the way up (the last one holds the
resampling beside its block). Only on the way up do the names tell where the levels end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddim_studio.models.errors import ModelError
from ddim_studio.models.renaming import Part, Parts, count, matrix, plain, third, under

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ddim_studio.models.checkpoint_file import Checkpoint

    HeadsOf = Callable[[int], int]
    """Of how many heads the rows of a joint projection with so many channels are sorted first."""

RESNET: Final = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
OUTSIDE: Final = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "class_embedding": "label_emb",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
UNLIKE: Final = "Networks of guided-diffusion with conv_resample and a first multiple of 1 open."


@dataclass(frozen=True)
class Layout:
    """The architecture of a guided-diffusion network, as its tensors tell it.

    Attributes:
        in_channels: Of the images.
        out_channels: The same, or twice as many with a learned variance.
        channels: Of every level, the finest first.
        blocks: A level.
        attention: Of every level, whether it has attention.
        residual: Whether residual blocks resample, and not mere convolutions.
        scale_shift: Whether the time embedding scales too, and does not merely shift.
        classes: How many classes it draws.
    """

    in_channels: int
    out_channels: int
    channels: tuple[int, ...]
    blocks: int
    attention: tuple[bool, ...]
    residual: bool
    scale_shift: bool
    classes: int

    @property
    def multiples(self) -> tuple[float, ...]:
        """Channels of the levels, as multiples of the first."""
        return tuple(channels / self.channels[0] for channels in self.channels)

    @property
    def attended(self) -> tuple[int, ...]:
        """The levels that have attention, 0 being the finest."""
        return tuple(level for level, has in enumerate(self.attention) if has)


def read_layout(checkpoint: Checkpoint) -> Layout:
    """The architecture that the names and shapes of the tensors tell.

    Raises:
        ModelError: They are not those of a whole network that draws images.
    """
    names = checkpoint.shapes.keys()
    outputs = count(names, "output_blocks.{}.0.in_layers.2.weight")
    ups = sum(_resamples(names, f"output_blocks.{index}") for index in range(outputs))
    levels = ups + 1
    blocks = outputs // levels - 1
    if outputs != levels * (blocks + 1) or blocks < 1:
        raise ModelError(
            "The checkpoint is no network of guided-diffusion that draws images: its output "
            "blocks make no levels.",
            "Classifiers and networks that resample without convolutions cannot be opened.",
        )
    starts = [1 + level * (blocks + 1) for level in range(levels)]
    firsts = [f"input_blocks.{start}.0.out_layers.3.weight" for start in starts]
    channels = tuple(checkpoint.shape(name, dimensions=4)[0] for name in firsts)
    entry = checkpoint.shape("input_blocks.0.0.weight", dimensions=4)
    embedding = checkpoint.shape("time_embed.0.weight", dimensions=2)
    if not entry[0] == channels[0] == embedding[1] or embedding[0] != 4 * embedding[1]:
        raise ModelError(
            "The first level has other channels than the time embedding, as the models for 512 "
            "pixels have.",
            UNLIKE,
        )
    projection = checkpoint.shape("input_blocks.1.0.emb_layers.1.weight", dimensions=2)
    labels = "label_emb.weight"
    return Layout(
        in_channels=entry[1],
        out_channels=checkpoint.shape("out.2.weight", dimensions=4)[0],
        channels=channels,
        blocks=blocks,
        attention=tuple(f"input_blocks.{start}.1.qkv.weight" in names for start in starts),
        residual=f"input_blocks.{blocks + 1}.0.in_layers.2.weight" in names,
        scale_shift=projection[0] == 2 * channels[0],
        classes=checkpoint.shape(labels, dimensions=2)[0] if labels in names else 0,
    )


def _resamples(names: Collection[str], block: str) -> bool:
    """Whether a block of the way up ends its level: it holds a resampling beside its own."""
    inside = ("conv.weight", "in_layers.2.weight")
    return any(f"{block}.{place}.{name}" in names for place in (1, 2) for name in inside)


def parts_of(layout: Layout, heads_of: HeadsOf) -> Parts:
    """Where every part of ``UNet2DModel`` stands in the checkpoint."""
    step = layout.blocks + 1
    parts = plain(OUTSIDE)
    for level, channels in enumerate(layout.channels):
        target, first = f"down_blocks.{level}", level * step + 1
        for block in range(layout.blocks):
            source = f"input_blocks.{first + block}"
            parts |= _block(target, block, source, heads_of(channels))
        source = f"input_blocks.{first + layout.blocks}.0"
        parts |= _resampling(f"{target}.downsamplers.0", source, "op")
    coarsest_first = zip(layout.channels[::-1], layout.attention[::-1], strict=True)
    for place, (channels, attention) in enumerate(coarsest_first):
        target, first = f"up_blocks.{place}", place * step
        for block in range(step):
            source = f"output_blocks.{first + block}"
            parts |= _block(target, block, source, heads_of(channels))
        source = f"{source}.{2 if attention else 1}"
        parts |= _resampling(f"{target}.upsamplers.0", source, "conv")
    parts |= under("mid_block.resnets.0", "middle_block.0", RESNET)
    parts |= under("mid_block.resnets.1", "middle_block.2", RESNET)
    heads = heads_of(layout.channels[-1])
    return parts | _attention("mid_block.attentions.0", "middle_block.1", heads)


def _block(target: str, index: int, source: str, heads: int) -> Parts:
    parts = under(f"{target}.resnets.{index}", f"{source}.0", RESNET)
    return parts | _attention(f"{target}.attentions.{index}", f"{source}.1", heads)


def _resampling(target: str, source: str, convolution: str) -> Parts:
    return under(target, source, {**RESNET, "conv": convolution})


def _attention(target: str, source: str, heads: int) -> Parts:
    joint = {
        f"{target}.{name}": Part(f"{source}.qkv", third(index, heads))
        for index, name in enumerate(("to_q", "to_k", "to_v"))
    }
    parts = joint | under(target, source, {"group_norm": "norm"})
    return parts | {f"{target}.to_out.0": Part(f"{source}.proj_out", matrix)}
