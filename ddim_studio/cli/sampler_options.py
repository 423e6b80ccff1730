"""The options that several commands have in common, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.cli.arguments import either, whole, whole_list
from ddim_studio.cli.terminal import UsageError, tell
from ddim_studio.diffusion.settings import CLIPS, PRECISIONS, parse_eta
from ddim_studio.jobs.axes import written
from ddim_studio.jobs.runs import DEVICE_NAMES

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from ddim_studio.cli.arguments import Parser
    from ddim_studio.jobs.evaluation_order import EvaluateOrder
    from ddim_studio.jobs.runs import InvertRun, SampleRun

READERS: Final[dict[str, Callable[[str], Any]]] = {
    "model": str,
    "steps": whole,
    "eta": parse_eta,
    "spacing": str,
    "timesteps": whole_list,
    "clip": str,
    "class_label": whole,
    "device": str,
}
"""How the settings of a run of the sampler are read from their texts, but for those of x_T."""


def output_file(text: str | None, suffixes: Sequence[str]) -> Path:
    """The file that ``--out`` names.

    Raises:
        UsageError: It names none, one with another suffix, or a folder.
    """
    if text is None:
        raise UsageError(f"--out is missing: a file ending in {', '.join(suffixes)}")
    path = Path(text)
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"--out must end in {', '.join(suffixes)}, not {text!r}")
    if path.is_dir():
        raise UsageError(f"--out must be a file, and {text!r} is a folder")
    return path


def add_source(found: Parser, preset: SampleRun | InvertRun | EvaluateOrder) -> None:
    """The model."""
    found.value(
        "--model",
        "M",
        "the model",
        "the name of a bundled one (see models list), a diffusers folder, or a checkpoint file",
        preset.model,
    )


def add_model(found: Parser, preset: SampleRun | InvertRun) -> None:
    """The model, and how many of its timesteps are used."""
    add_source(found, preset)
    found.value(
        "--steps",
        "S",
        "S, how many of the model's T timesteps",
        "a whole number from 1 to T, which is 1000 for most models",
        str(preset.steps),
    )


def add_eta(found: Parser, preset: SampleRun) -> None:
    """How random the steps are."""
    found.value(
        "--eta",
        "ETA",
        "η, how random the steps are: 0 is DDIM, deterministic; 1 is DDPM",
        "a number from 0 to 1, or hat for σ̂, the larger variance of DDPM",
        written(preset.eta),
    )


def add_clip(found: Parser, preset: SampleRun) -> None:
    """What becomes of values that no picture can show."""
    found.value(
        "--clip",
        "KIND",
        "what to do with x̂_0 outside [−1, 1]: nothing, clamp it, or clamp it and derive ε again",
        either(CLIPS),
        preset.clip,
    )


def add_device(found: Parser, preset: SampleRun | InvertRun | EvaluateOrder) -> None:
    """What runs the network."""
    found.value("--device", "D", "what runs the network", either(DEVICE_NAMES), preset.device)


def add_precision(found: Parser, preset: SampleRun) -> None:
    """How exact the network computes."""
    found.value(
        "--precision",
        "KIND",
        "precise: float32 throughout; fast: 16 bits in the network where the device computes with "
        "them, which moves pixels by a level here and there",
        either(PRECISIONS),
        preset.precision,
    )


def add_manners(found: Parser) -> None:
    """What the command says while it runs."""
    found.switch("--quiet", "show neither progress nor notices")
    found.switch("--debug", "show the traceback of a failure")


def tell_unused_tau(arguments: Namespace) -> None:
    """Say so where a list for τ makes other options useless."""
    if arguments.timesteps is not None and (arguments.steps or arguments.spacing):
        tell("--timesteps is the whole of τ: --steps and --spacing are not used.")
