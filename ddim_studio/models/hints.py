"""What a checkpoint file cannot say of itself: ``NAME.ddim.json`` beside ``NAME.pt``.

Tensors tell the architecture, but seldom the size of the images, the schedule, or how attention
is split into heads. Such facts stand in a small JSON object; its entries have the names that
diffusers, guided-diffusion and denoising-diffusion-pytorch give them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ddim_studio.diffusion.settings import MAX_STEPS
from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.folder import read_json
from ddim_studio.models.scheduler_config import PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SUFFIX: Final = ".ddim.json"
SIDES: Final = range(4, 1025)


def _whole(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _number(value: object) -> bool:
    return type(value) in {int, float}


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 200 and value.isprintable()


def _size(value: object) -> bool:
    sides = value if isinstance(value, list) and len(value) == 2 else [value]
    return all(type(side) is int and side in SIDES for side in sides)


KNOWN: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "sample_size": (_size, "the size of the images in pixels, or [height, width]"),
    "num_train_timesteps": (_whole(1, MAX_STEPS), "a whole number"),
    "beta_schedule": (_text, "linear, scaled_linear, squaredcos_cap_v2 or sigmoid"),
    "beta_start": (_number, "a number"),
    "beta_end": (_number, "a number"),
    "trained_betas": (lambda value: isinstance(value, list), "a list of numbers"),
    "prediction_type": (
        lambda value: isinstance(value, str) and value in PREDICTIONS,
        " or ".join(PREDICTIONS),
    ),
    "num_heads": (_whole(1, 1024), "a whole number"),
    "num_head_channels": (_whole(1, 4096), "a whole number"),
    "use_new_attention_order": (lambda value: isinstance(value, bool), "true or false"),
    "rescale_timesteps": (lambda value: isinstance(value, bool), "true or false"),
    "resnet_block_groups": (_whole(1, 4096), "a whole number"),
    "version": (_text, "the version that wrote the file, in quotes"),
    "license": (_text, "a name in quotes"),
}
"""Every entry: whether a value of it can be right, and what it must be."""
SCHEDULER_KEYS: Final = (
    "num_train_timesteps",
    "beta_schedule",
    "beta_start",
    "beta_end",
    "trained_betas",
    "prediction_type",
)


def hints_path(checkpoint: Path) -> Path:
    """Where the facts about a checkpoint stand."""
    return checkpoint.with_name(checkpoint.stem + SUFFIX)


def read_hints(checkpoint: Path) -> dict[str, Any]:
    """The facts that stand beside a checkpoint, none where there is no such file.

    Raises:
        ModelError: The file is no JSON object, or an entry is unknown or wrong.
    """
    path = hints_path(checkpoint)
    if not path.is_file():
        return {}
    values = read_json(path)
    for name, value in values.items():
        if name not in KNOWN:
            raise ModelError(
                f"{excerpt(path.name)} has an entry {excerpt(name)}, which is not known.",
                f"Known are {', '.join(KNOWN)}.",
            )
        good, wanted = KNOWN[name]
        if not good(value):
            raise ModelError(
                f"{excerpt(path.name)} says that {name} is {excerpt(value)}.",
                f"It must be {wanted}.",
            )
    return values


def asked_for(checkpoint: Path, lacking: str, example: str) -> ModelError:
    """The error of a fact that neither the tensors nor the file beside them tell.

    Args:
        checkpoint: The file.
        lacking: What it does not say, in words.
        example: Entries that would say it, such as ``"sample_size": 64``.
    """
    return ModelError(
        f"{excerpt(checkpoint.name, 100)} does not say {lacking}.",
        f"Write {{{example}}} into a file {excerpt(hints_path(checkpoint).name, 100)} beside it, "
        "with the values of this model.",
    )
