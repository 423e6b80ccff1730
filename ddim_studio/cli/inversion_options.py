"""What the commands that invert have in common: options, refusals, and the run they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ddim_studio.cli.arguments import Parser, either, real, whole, whole_list
from ddim_studio.cli.pictures import FITS, read_background
from ddim_studio.cli.planning import MAX_BATCH, add_class, add_tau, planned, read_given
from ddim_studio.cli.sampler_options import add_device, add_manners, add_model, tell_unused_tau
from ddim_studio.cli.terminal import UsageError, tell
from ddim_studio.diffusion.settings import INVERSION_METHODS, check_choice
from ddim_studio.jobs.runs import InvertRun

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import TypeVar

    from ddim_studio.cli.pictures import Colour
    from ddim_studio.imaging.loading import Fit
    from ddim_studio.models.info import ModelInfo

    Run = TypeVar("Run", bound=InvertRun)

READERS: Final[dict[str, Callable[[str], Any]]] = {
    "model": str,
    "steps": whole,
    "spacing": str,
    "method": str,
    "timesteps": whole_list,
    "tolerance": real,
    "max_calls": whole,
    "class_label": whole,
    "device": str,
}
WITHOUT_INVERSE: Final = {
    "eta": ("0", "η = 0", "a step that draws noise cannot be undone"),
    "clip": ("none", "no clipping", "what clipping cuts off cannot be found again"),
    "precision": ("full", "full precision", "rounding on the way is not undone on the way back"),
}
"""Options of sampling that inversion cannot honour: what it takes, in words, and why only that."""
SAME_AS: Final = {"0": ("0.0", "0.", "-0"), "none": (), "full": ("float32", "fp32")}


def add_walk(found: Parser) -> None:
    """Add the options of the walk to x_T: model, τ and method."""
    preset = InvertRun()
    add_model(found, preset)
    found.value(
        "--method",
        "KIND",
        "how a step is undone: source and target take ε_θ of the state it leaves from, at the "
        "timestep left or reached, in one network call; exact solves for the state it reaches",
        either(INVERSION_METHODS),
        preset.method,
    )
    add_tau(found, "quadratic for exact, whose steps near the image must be short, else linear")
    found.value(
        "--tolerance",
        "X",
        "exact: the root mean square residual, over an image, at which a step is solved",
        "a number from 1e-12 to 1",
        f"{preset.tolerance:g}",
    )
    found.value(
        "--max-calls",
        "N",
        "exact: network calls that one step may take for an image",
        "a whole number from 2 to 10000",
        str(preset.max_calls),
    )
    add_class(found)


def add_fitting(found: Parser) -> None:
    """Add the options of how pictures of other shapes are fitted to the model."""
    found.value(
        "--fit",
        "KIND",
        "how pictures that are not square are fitted to the model",
        f"{either(FITS)}; crop keeps the middle, pad adds the background, stretch distorts",
        FITS[0],
    )
    found.value(
        "--background",
        "COLOUR",
        "what is seen under transparency and beside padding",
        "R,G,B, each from 0 to 255, or a name such as white or tomato",
        "black",
    )


def add_rest(found: Parser, batch_size: int) -> None:
    """Add the options of pictures and of the machine, and those that can only be refused."""
    add_fitting(found)
    add_device(found, InvertRun())
    found.value(
        "--batch-size",
        "N",
        "how many images go through the network at once; changes the memory needed, not the images",
        f"a whole number from 1 to {MAX_BATCH}",
        str(batch_size),
    )
    for name, (only, _, reason) in WITHOUT_INVERSE.items():
        meaning = f"always {only} for inversion: {reason}"
        found.value(f"--{name}", "X", meaning, f"only {only}", only)
    add_manners(found)


def refuse_what_has_no_inverse(arguments: Namespace) -> None:
    """Raise where η, clipping or reduced precision is asked for.

    Raises:
        UsageError: It is; the sentence says why it cannot be.
    """
    domain = ", ".join(words for _, words, _ in WITHOUT_INVERSE.values())
    for name, (only, _, reason) in WITHOUT_INVERSE.items():
        text = getattr(arguments, name)
        if text is not None and text.strip().lower() not in {only, *SAME_AS[only]}:
            raise UsageError(
                f"--{name} must be {only}, not {text!r}: inversion is defined for {domain} only, "
                f"since {reason}"
            )


def picture_options(arguments: Namespace) -> tuple[Fit, Colour]:
    """How pictures are fitted, and the background.

    Raises:
        SettingsError: The fit or the colour is unknown.
    """
    fit: Fit = FITS[0] if arguments.fit is None else arguments.fit
    check_choice("fit", fit, FITS)
    return fit, read_background("black" if arguments.background is None else arguments.background)


def planned_walk(arguments: Namespace, kind: type[Run], **more: object) -> tuple[Run, ModelInfo]:
    """The run that the options ask for, and the card of its model.

    Args:
        arguments: The options.
        kind: The kind of run.
        **more: Settings beside those that all inversions have.

    Raises:
        ModelError: There is no such model.
        SettingsError: A value is out of range.
    """
    values = kind().to_dict() | {"spacing": None} | read_given(arguments, READERS) | more
    return planned(kind, values)


def tell_unused(arguments: Namespace, run: InvertRun) -> None:
    """Say which options change nothing."""
    tell_unused_tau(arguments)
    if run.method != "exact" and (arguments.tolerance or arguments.max_calls):
        tell("--tolerance and --max-calls are of the exact method only: they are not used.")
