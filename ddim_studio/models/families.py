"""Which kind of checkpoint a path is: one module a family, told by the names of its tensors.

Every family of single files is a module with three functions (`Family`). To know another kind of
checkpoint, write such a module and add it to `FAMILIES`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from ddim_studio.models import diffusers_folder, guided, lucidrains, official
from ddim_studio.models.blueprint import Blueprint, Found
from ddim_studio.models.checkpoint_file import only_checkpoint_in, read_checkpoint
from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.folder import is_diffusers_folder, read_folder

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import torch

    from ddim_studio.models.checkpoint_file import Checkpoint


class Family(Protocol):
    """One kind of checkpoint file."""

    def detect(self, names: Collection[str], /) -> bool:
        """Whether these are the names of such a checkpoint's tensors."""

    def blueprint(self, checkpoint: Checkpoint, /) -> Blueprint:
        """What the checkpoint holds; reads as little as possible."""

    def network(self, checkpoint: Checkpoint, blueprint: Blueprint, /) -> torch.nn.Module:
        """The network with its weights, ready to evaluate."""


FAMILIES: Final[tuple[Family, ...]] = (official, guided, lucidrains)
OTHER_NETWORKS: Final = (
    (("first_stage_model.", "cond_stage_model."), "a latent diffusion model, which draws latents"),
    (("transformer_blocks.",), "a network that is conditioned on texts"),
    (("mid_block.", "down_blocks.0."), "a diffusers network without its config"),
    (("all_modules.",), "a score-based network of another code"),
    (("map_layer0.", "enc."), "a network of EDM"),
    (("input_blocks.", "time_embed."), "a classifier or an incomplete network"),
    (("param_groups",), "the state of an optimizer"),
)
"""Names that only other networks have in their tensors, and what these are."""
KNOWN: Final = (
    "Diffusers folders open, and files of the official DDIM/DDPM code, of "
    "denoising-diffusion-pytorch and of guided-diffusion."
)


def find(path: Path) -> Found:
    """The checkpoint at a path, and what it holds.

    Args:
        path: A diffusers folder, a checkpoint file, or a folder with exactly one such file.

    Raises:
        ModelError: There is none, it is of no known kind, or its files are not in order.
    """
    if not path.is_dir():
        return _of_file(path)
    if not is_diffusers_folder(path) and (file := only_checkpoint_in(path)) is not None:
        return _of_file(file)
    folder = read_folder(path)
    plan = diffusers_folder.blueprint(folder)
    nbytes = sum(file.stat().st_size for file in folder.weights)
    return Found(path, nbytes, plan, partial(diffusers_folder.network, folder, plan))


def _of_file(path: Path) -> Found:
    checkpoint = read_checkpoint(path)
    names = checkpoint.shapes.keys()
    _refuse_others(path, names, OTHER_NETWORKS[:2])
    family = next((family for family in FAMILIES if family.detect(names)), None)
    if family is None:
        _refuse_others(path, names, OTHER_NETWORKS[2:])
        raise ModelError(
            f"{excerpt(path.name, 100)} holds no network of a known kind among its "
            f"{len(names)} tensors.",
            KNOWN,
        )
    plan = family.blueprint(checkpoint)
    return Found(path, path.stat().st_size, plan, partial(family.network, checkpoint, plan))


def _refuse_others(
    path: Path, names: Collection[str], others: tuple[tuple[tuple[str, ...], str], ...]
) -> None:
    for marks, kind in others:
        if any(f".{mark}" in f".{name}" for name in names for mark in marks):
            raise ModelError(f"{excerpt(path.name, 100)} is {kind}; it cannot be opened.", KNOWN)
