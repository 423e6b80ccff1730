"""Checkpoints of lucidrains' denoising-diffusion-pytorch, versions 0.32 and later.

Beside the network, a file holds the buffers of its diffusion, from which the schedule is read as it
was, and what the network predicts: the weight of the loss at every t is 1, the SNR or SNR/(SNR + 1)
for ε, x_0 and v. It does not hold the size of the images, and of versions whose tensors have
the same names not always which one wrote it; `hints` say these.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ddim_studio.diffusion.settings import MAX_STEPS
from ddim_studio.models.blueprint import Blueprint
from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.hints import SCHEDULER_KEYS, asked_for
from ddim_studio.models.lucidrains_shapes import VERSIONS, Version, plan_of
from ddim_studio.models.weights import fitted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import torch
    from torch import Tensor

    from ddim_studio.models.checkpoint_file import Checkpoint

FAMILY: Final = "denoising-diffusion-pytorch checkpoint"
PREFIXES: Final = ("model.", "denoise_fn.", "")
"""Where the network stands within the diffusion that was saved; it may be saved alone."""
SIGNATURE: Final = "time_mlp.1.weight"
"""Of all networks of the package."""
BUFFERS: Final = re.compile(
    r"betas|alphas_cumprod(_prev)?|(sqrt|log)_\w*alphas_cumprod|posterior_\w+|(p2_)?loss_weight"
)
OTHERS: Final = {
    "classes_emb.weight": "It draws classes by classifier-free guidance, which is not supported.",
    "time_mlp.0.weights": "It was trained in continuous time, for which no timesteps t exist.",
}
"""Networks of the package that cannot be opened, by a tensor that only they have."""
CLOSE: Final = 1e-3


def detect(names: Collection[str]) -> bool:
    """Whether these are the names of such a checkpoint's tensors."""
    return any(_is_inside(names, prefix) for prefix in PREFIXES)


def _is_inside(names: Collection[str], prefix: str) -> bool:
    first = f"{prefix}downs.0.0."
    return f"{prefix}{SIGNATURE}" in names and any(name.startswith(first) for name in names)


class Parts(NamedTuple):
    """The network and what stands beside it.

    Attributes:
        shapes: Of the network's tensors, by the names that today's versions give them.
        sources: What the file calls them.
        buffers: Names of the tensors of the diffusion.
        prefix: What the file puts before the network's names.
    """

    shapes: dict[str, tuple[int, ...]]
    sources: dict[str, str]
    buffers: set[str]
    prefix: str


def blueprint(checkpoint: Checkpoint) -> Blueprint:
    """What the checkpoint holds.

    Raises:
        ModelError: Its network cannot be opened, or the size of the images is not told.
    """
    parts = _parts(checkpoint)
    version, notes = _version(checkpoint)
    plan = plan_of(checkpoint, parts.shapes, version)
    if "sample_size" not in checkpoint.hints:
        raise asked_for(checkpoint.path, "the size of its images", '"sample_size": 128')
    size = checkpoint.hints["sample_size"]
    height, width = size if isinstance(size, list) else (size, size)
    if height % plan.factor or width % plan.factor:
        raise ModelError(
            f"The network cannot take images of {width}×{height} pixels: it halves them "
            f"{plan.factor.bit_length() - 1} times.",
            f"Give a sample_size that is a multiple of {plan.factor}.",
        )
    scheduler, more = _scheduler(checkpoint, parts)
    notes = (*checkpoint.notes, *notes, *more)
    if plan.self_conditioned:
        notes += ("It was trained to see its last x̂_0 too; it is given none.",)
    return Blueprint(
        family=FAMILY,
        image_shape=(plan.channels, height, width),
        parameters=sum(map(math.prod, parts.shapes.values())),
        scheduler=scheduler,
        licence=checkpoint.hints.get("license", "not stated"),
        notes=notes,
    )


def network(checkpoint: Checkpoint, _blueprint: Blueprint) -> torch.nn.Module:
    """The network with its weights.

    Raises:
        ModelError: Tensors are missing, left over, damaged, or of other shapes.
    """
    import torch

    from ddim_studio.models.lucidrains_unet import LucidrainsUNet

    parts = _parts(checkpoint)
    version, _ = _version(checkpoint)
    plan = plan_of(checkpoint, parts.shapes, version)
    given = checkpoint.tensors()
    tensors = {name: given[source] for name, source in parts.sources.items()}
    with torch.device("meta"):
        unet = LucidrainsUNet(plan)
    state = fitted(unet, tensors, lambda name: parts.sources.get(name, parts.prefix + name))
    if version.standardised:
        state |= {name: _standardised(state[name]) for name in state if BLOCK.fullmatch(name)}
    unet.load_state_dict(state, assign=True)
    return unet.eval().requires_grad_(requires_grad=False)


BLOCK: Final = re.compile(r".*\.block[12]\.proj\.weight")


def _standardised(weight: Tensor) -> Tensor:
    """The weight of a convolution with mean 0 and variance 1 for every output channel.

    The versions that have this do it at every call (Qiao et al. 2019); the weights are fixed here.
    """
    import torch

    variance, mean = torch.var_mean(weight, dim=(1, 2, 3), correction=0, keepdim=True)
    return (weight - mean) * (variance + 1e-5).rsqrt()


def _parts(checkpoint: Checkpoint) -> Parts:
    names = checkpoint.shapes.keys()
    prefix = next(text for text in PREFIXES if _is_inside(names, text))
    inside = {name for name in names if name.startswith(prefix)}
    if not prefix:
        inside -= {name for name in inside if BUFFERS.fullmatch(name)}
    buffers = set(names) - inside
    strange = sorted(name for name in buffers if not BUFFERS.fullmatch(name))
    if strange:
        raise ModelError(
            f"The checkpoint holds more than a network and its diffusion: {excerpt(strange[0])}.",
            "Only the package's plain GaussianDiffusion can be opened.",
        )
    sources = {_today(name.removeprefix(prefix)): name for name in sorted(inside)}
    for name, reason in OTHERS.items():
        if name in sources:
            raise ModelError(
                f"This network of denoising-diffusion-pytorch cannot be opened. {reason}",
                "The package's plain Unet can be opened.",
            )
    return Parts(
        {name: tuple(checkpoint.shapes[source]) for name, source in sources.items()},
        sources,
        buffers,
        prefix,
    )


def _today(name: str) -> str:
    """The name without the wrappers that attention had before version 1.8."""
    return name.replace(".fn.fn.", ".").replace(".fn.norm.", ".norm.")


def _version(checkpoint: Checkpoint) -> tuple[Version, tuple[str, ...]]:
    """Which of the networks that the package had, and a note where that was concluded.

    Raises:
        ModelError: The file does not tell.
    """
    names = checkpoint.shapes.keys()
    if not any(".block1.proj.weight" in name for name in names) or not any(
        "final_res_block." in name for name in names
    ):
        raise _too_old(checkpoint)
    if not any(".fn.norm.g" in name for name in names):
        return VERSIONS[-1], ()  # all differences since 1.8 are seen in the tensors
    text = checkpoint.hints.get("version", checkpoint.facts.get("version"))
    if text is None and "step" in checkpoint.facts:
        return VERSIONS[0], ("No version stands in the file: one before 1.0 is assumed.",)
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", str(text))
    if numbers is None:
        raise asked_for(
            checkpoint.path, "which version of the package wrote it", '"version": "1.6.4"'
        )
    given = tuple(int(number or 0) for number in numbers.groups())
    if given < (0, 32, 0):
        raise _too_old(checkpoint)
    return next(version for version in VERSIONS[::-1] if version.since <= given), ()


def _too_old(checkpoint: Checkpoint) -> ModelError:
    return ModelError(
        f"{excerpt(checkpoint.path.name, 100)} was written by a version before 0.32 of "
        "denoising-diffusion-pytorch, whose network was another.",
        "Train it again with a later version.",
    )


def _scheduler(checkpoint: Checkpoint, parts: Parts) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The schedule and the prediction, as a diffusers scheduler config; and notes."""
    given = {key: value for key, value in checkpoint.hints.items() if key in SCHEDULER_KEYS}
    scheduler: dict[str, Any] = {"clip_sample": False} | given
    notes: tuple[str, ...] = ()
    if "betas" in parts.buffers:
        betas = _buffer(checkpoint, "betas")
        if not bool(((betas >= 0) & (betas <= 1)).all()):
            raise _damaged("betas", "numbers from 0 to 1")
        scheduler["trained_betas"] = betas.tolist()
    elif not given.keys() & {"beta_schedule", "trained_betas"}:
        raise asked_for(
            checkpoint.path,
            "its schedule, since it holds the network alone",
            '"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"',
        )
    if "prediction_type" not in given:
        kind = None
        if {"betas", "loss_weight"} <= parts.buffers:
            kind = _prediction(betas, _buffer(checkpoint, "loss_weight"))
        elif "p2_loss_weight" in parts.buffers:
            kind = "epsilon"
            notes = ("The file does not say what it predicts: ε, as by default, is assumed.",)
        if kind is None:
            raise asked_for(
                checkpoint.path, "what it predicts", '"prediction_type": "v_prediction"'
            )
        scheduler["prediction_type"] = kind
    return scheduler, notes


def _buffer(checkpoint: Checkpoint, name: str) -> Tensor:
    """A buffer of the diffusion in float64, (T,).

    Raises:
        ModelError: It is no list of numbers.
    """
    import torch

    tensor = checkpoint.tensors()[name]
    if tensor.ndim != 1 or not 1 <= len(tensor) <= MAX_STEPS or not tensor.is_floating_point():
        raise _damaged(name, "a list of numbers")
    return tensor.to(torch.float64)


def _damaged(name: str, wanted: str) -> ModelError:
    return ModelError(
        f"The schedule in the checkpoint is damaged: {name} must be {wanted}.",
        "Copy or download the model again.",
    )


def _prediction(betas: Tensor, weight: Tensor) -> str | None:
    """What the network predicts, by the weight of its loss; None where that fits nothing.

    The weight is 1, SNR or SNR/(SNR + 1) with the numerator's SNR clipped at some γ or not at all
    (Hang et al. 2023), so that it tells min(SNR, γ) once the kind is known.
    """
    import torch

    if betas.shape != weight.shape:
        return None
    alpha_bars = (1 - betas).cumprod(0)
    snr = alpha_bars / (1 - alpha_bars)
    factors: Mapping[str, Tensor] = {
        "epsilon": snr,
        "sample": torch.ones_like(snr),
        "v_prediction": snr + 1,
    }
    for kind, factor in factors.items():
        clipped = weight * factor
        if torch.allclose(clipped, snr.clamp(max=float(clipped.max())), rtol=CLOSE, atol=0):
            return kind
    return None
