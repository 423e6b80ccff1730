"""What the Restore page says about tasks, methods and steps. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.diffusion.restore_settings import RestoreSettings, Task
    from ddim_studio.jobs.inversion_events import Quality
    from ddim_studio.jobs.restore_events import Restored

TASK_NAMES: Final[dict[Task, str]] = {
    "inpaint": "inpaint",
    "superres": "super-resolve",
    "colorize": "colourise",
    "denoise": "denoise",
}
METHOD_NAMES: Final = {"ddnm": "DDNM", "repaint": "RePaint"}
GREY_NAMES: Final = {"mean": "mean of R, G, B", "luma": "luma (Rec. 601)"}
NOTHING_TO_COLOURISE: Final = (
    "There is nothing to colourise: this model draws grey pictures. Choose a colour model, or "
    "another task."
)


@dataclass(frozen=True)
class TaskWords:
    """A task in plain words.

    Attributes:
        measured: What A does.
        undone: What A⁺ does.
    """

    measured: str
    undone: str


def task_words(settings: RestoreSettings) -> TaskWords:
    """The words for a run's task."""
    k = settings.scale
    return {
        "inpaint": TaskWords(
            "A keeps the pixels beside the hole, and forgets those in it.",
            "A⁺ puts the known pixels back where they were, and 0 (mid-grey) into the hole.",
        ),
        "superres": TaskWords(
            f"A replaces every block of {k}×{k} pixels by its mean: a picture of 1/{k} the size.",
            f"A⁺ spreads each of these means over its {k}×{k} pixels again.",
        ),
        "colorize": TaskWords(
            "A takes the mean of red, green and blue at every pixel."
            if settings.grey == "mean"
            else "A takes the luma of every pixel: 0.299 R + 0.587 G + 0.114 B.",
            "A⁺ gives all three channels this grey."
            if settings.grey == "mean"
            else "A⁺ shares the luma out: each channel gets it times its weight over Σ weight².",
        ),
        "denoise": TaskWords(
            "A = I: every pixel is measured, with noise of standard deviation σ on it.",
            "A⁺ = I: it does nothing, and the noise stays in.",
        ),
    }[settings.task]


def method_words(settings: RestoreSettings) -> str:
    """What the method does in every step, in plain words."""
    if settings.method == "repaint":
        return (
            "In the hole RePaint takes the sampler's own step. Beside it, the state becomes what "
            "is known, noised as far as the step has come. Walking each stretch several times lets "
            "the hole come to agree with what is around it."
        )
    if settings.sigma == 0:
        return (
            "What the measurement sees of the network's guess is replaced by what was measured. "
            "What it cannot see stays the network's own: there it is free to invent. So every step "
            "agrees with y, and so does the answer."
        )
    return (
        "What the measurement sees of the network's guess is replaced by what was measured, whose "
        "noise takes the place of a part of what the step draws. Near the image, where the step "
        "draws less than σ, the correction is only partial (DDNM+): the noise of y is not to stay "
        "in the picture."
    )


def quality_words(baseline: Quality | None, answers: Sequence[Quality]) -> str:
    """What PSNR against the clean image says, in a sentence or two."""
    if baseline is None or not answers:
        return (
            "The clean image is not known, so there is nothing to compare with. Several seeds show "
            "what the measurement leaves open: where they differ, it says nothing."
        )
    better = sum(answer.psnr > baseline.psnr for answer in answers)
    return (
        f"{better} of {len(answers)} {'answer is' if len(answers) == 1 else 'answers are'} nearer "
        "to the clean image than the one without a network, by PSNR. PSNR favours a blur: a sharp "
        "answer that agrees with the measurement may still lie far from what was lost."
    )


def agreement_words(done: Restored) -> str:
    """How well the answers agree with the measurement, in a sentence."""
    worst = max(done.final_max)
    if worst <= 1e-5:
        return "All agree with the measurement to 10⁻⁵ and better before they are rounded."
    return f"Before they are rounded, they miss the measurement by {worst:.2g} at most."
