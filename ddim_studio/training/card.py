"""The card of a model: its data, licence, recipe and figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ddim_studio.imaging.collection import printable

if TYPE_CHECKING:
    from ddim_studio.training.settings import TrainSettings


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
    """

    step: int
    seconds: float
    images: int
    held_out: int
    parameters: int
    place: str
    loss: float
    validation: float | None


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
        "Made with DDIM Studio.",
    ]
    return "\n".join(lines) + "\n"


def _rows(
    settings: TrainSettings, figures: Figures, data: str, licence: str
) -> list[tuple[str, str]]:
    sides = ", ".join(f"{side}×{side}" for side in settings.attention or ()) or "none"
    widths = "/".join(map(str, settings.channels))
    weighting = {
        "none": "the simple objective",
        "inverse": "the simple objective, each timestep's loss divided by its running mean",
    }[settings.weighting]
    seen = figures.step * settings.batch_size
    rows = [
        ("Data", f"{data}, {figures.images:,} images, and {figures.held_out:,} held out"),
        ("Licence of the data", licence or "not stated"),
        (
            "Network",
            f"diffusers `UNet2DModel`, widths {widths}, {settings.layers_per_block} blocks a "
            f"level, attention: {sides}",
        ),
        ("Schedule", "T = 1000, linear β 1e-4 … 0.02, final ᾱ = 1"),
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
            f"{figures.step:,} steps, {seen:,} images seen ({seen / figures.images:.1f} passes), "
            f"{figures.seconds / 60:.1f} minutes on {figures.place}",
        ),
        ("Training loss", f"{figures.loss:.5f}"),
    ]
    if figures.validation is not None:
        rows.append(("Validation loss", f"{figures.validation:.5f} (EMA, held-out images)"))
    return rows
