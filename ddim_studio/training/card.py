"""The card of a model: its data, licence, recipe and figures."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddim_studio import __version__
from ddim_studio.imaging.collection import printable
from ddim_studio.models.scheduler_config import schedule_name, timesteps_of
from ddim_studio.training.legs import Leg, commands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ddim_studio.training.settings import TrainSettings

LIBRARIES: Final = ("torch", "diffusers", "numpy")


@dataclass(frozen=True)
class Figures:
    """What a card says of a run, beside its settings.

    Attributes:
        step: Steps done.
        seconds: That they took, pauses left out.
        images: Images trained on.
        held_out: Images held out.
        parameters: Number of weights.
        place: What trained, and how precisely, in words.
        loss: The simple objective, a mean over the last steps.
        validation: The same on held-out images with the moving average, None where unknown.
        start: The name of the model that the run started from, None where there was none.
        scheduler: The entries of the scheduler's config that say what the schedule is.
        legs: The parts of the run, each with its settings.
    """

    step: int
    seconds: float
    images: int
    held_out: int
    parameters: int
    place: str
    loss: float
    validation: float | None
    start: str | None = None
    scheduler: Mapping[str, Any] = field(default_factory=dict)
    legs: Sequence[Leg] = ()


def card(name: str, settings: TrainSettings, figures: Figures) -> str:
    """The text of ``README.md``.

    Args:
        name: Of the model.
        settings: Of its run.
        figures: Of its run.
    """
    name, data = printable(name), printable(Path(settings.data).name)
    licence = printable(settings.licence.strip())[:80]
    colour = "grey" if settings.colours == "grey" else "colour"
    side, predicted = settings.size, "ε" if settings.prediction == "epsilon" else "v"
    lines = [
        "---",
        *([f"license: {licence}"] if licence else []),
        "library_name: diffusers",
        "tags: [ddim, ddpm, unconditional-image-generation]",
        "---",
        f"# {name}",
        "",
        f"An unconditional {predicted}-prediction U-Net of {figures.parameters / 1e6:.1f} million "
        f"parameters for {side}×{side} {colour} images, trained on {figures.images:,} images of "
        f"{data}.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {label} | {text} |" for label, text in _rows(settings, figures, data, licence)),
        "",
        *_reproduction(name, settings, figures),
        f"Made with DDIM Studio {__version__}, {_versions()}.",
    ]
    return "\n".join(lines) + "\n"


def _reproduction(name: str, settings: TrainSettings, figures: Figures) -> list[str]:
    """The commands of all legs, each from the step where it began."""
    legs = figures.legs or (Leg(0, settings),)
    lines = ["## How to make it", ""]
    for step, command in commands(name, legs, figures.step):
        if step:
            lines += [f"and, when {step:,} steps were done:", ""]
        lines += ["```bash", command, "```", ""]
    return lines


def _versions() -> str:
    python = ".".join(map(str, sys.version_info[:2]))
    known = [f"{name} {import_module(name).__version__}" for name in LIBRARIES]
    return f"{', '.join(known)} and Python {python}"


def _rows(
    settings: TrainSettings, figures: Figures, data: str, licence: str
) -> list[tuple[str, str]]:
    sides = ", ".join(f"{side}×{side}" for side in settings.attention or ()) or "none"
    widths = "/".join(map(str, settings.channels))
    blocks = f"{settings.layers_per_block} block{'s' * (settings.layers_per_block > 1)}"
    weighting = {
        "none": "the simple objective",
        "inverse": "the simple objective, each timestep's loss divided by its running mean",
    }[settings.weighting]
    shown = figures.step * settings.batch_size
    credit, start = printable(settings.credit.strip())[:200], figures.start
    rows = [
        ("Data", f"{data}, {figures.images:,} images, and {figures.held_out:,} held out"),
        ("Licence of the data", licence or "not stated"),
        *([("Credit", credit)] if credit else []),
        (
            "Network",
            f"diffusers `UNet2DModel`, widths {widths}, {blocks} a level, attention: {sides}",
        ),
        *(
            [("Started from", f"{printable(start)}; its own card tells how it was made")]
            if start
            else []
        ),
        ("Schedule", _schedule(figures.scheduler)),
        ("Prediction", "ε" if settings.prediction == "epsilon" else "v"),
        ("Objective", f"{weighting}; stratified timesteps"),
        (
            "Recipe",
            f"AdamW, batch {settings.batch_size}, learning rate {settings.learning_rate:g} after "
            f"{settings.warmup} steps, falling to 0 in the last fifth; gradients clipped to norm "
            f"1; EMA {settings.ema:g}{'; mirrored at random' if settings.flip else ''}; seed "
            f"{settings.seed}",
        ),
        (
            "Length",
            f"{figures.step:,} steps, {shown:,} images seen ({shown / figures.images:.1f} passes), "
            f"{figures.seconds / 60:.1f} minutes on {figures.place}",
        ),
        ("Training loss", f"{figures.loss:.5f}"),
    ]
    if settings.store == "float16":
        rows.append(("Weights", "stored in half precision"))
    if figures.validation is not None:
        seen = ", which the model at the start may have seen" if start else ""
        rows.append(("Validation loss", f"{figures.validation:.5f} (EMA, held-out images{seen})"))
    return rows


def _schedule(scheduler: Mapping[str, Any]) -> str:
    final = "1" if scheduler.get("set_alpha_to_one", True) else "ᾱ_0"
    return f"T = {timesteps_of(scheduler)}, {schedule_name(scheduler)}, final ᾱ = {final}"
