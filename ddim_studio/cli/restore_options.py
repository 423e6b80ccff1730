"""The options of ``ddim-studio restore``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ddim_studio.cli import sampler_options
from ddim_studio.cli.arguments import SUMMARIES, Parser, either, real, sentence, whole
from ddim_studio.cli.inversion_options import add_fitting
from ddim_studio.cli.planning import add_class, add_tau
from ddim_studio.cli.sampler_options import add_clip, add_device, add_manners, add_model
from ddim_studio.diffusion.restore_settings import DEFAULT_ETA, GREYS, RESTORE_METHODS, TASKS
from ddim_studio.diffusion.settings import MAX_SEED
from ddim_studio.jobs.restore_order import RestoreRun

if TYPE_CHECKING:
    from collections.abc import Callable

PRESET = RestoreRun(count=1, degrade=False)
EXAMPLES = (
    "ddim-studio restore photo.png --task inpaint --mask hole.png --model faces --out filled.png",
    "ddim-studio restore old.jpg --task colorize --model faces --count 8 --out colours.png",
    "ddim-studio restore small.png --task superres --scale 4 --out large.png",
    "ddim-studio restore noisy.png --task denoise --sigma 0.3 --out clean.png",
    "ddim-studio restore coat.png --task superres --scale 7 --degrade --count 4 --out try.gif",
    "ddim-studio restore other.png --settings filled.png --mask hole.png --out other-filled.png",
)
READERS: Final[dict[str, Callable[[str], Any]]] = {
    **sampler_options.READERS,
    "task": str,
    "method": str,
    "scale": whole,
    "grey": str,
    "sigma": real,
    "travel_length": whole,
    "travel_interval": whole,
    "travel_repeats": whole,
    "seed": whole,
    "count": whole,
    "noise_seed": whole,
}


def parser(prog: str) -> Parser:
    """The options of the command."""
    found = Parser(prog, sentence(SUMMARIES["restore"]), EXAMPLES)
    found.add_argument("image", metavar="IMAGE", nargs="?", help="a picture of any size and kind")
    found.value(
        "--task",
        "TASK",
        "what the picture lacks: colours, a part of it, its details, or freedom from noise",
        either(TASKS),
    )
    found.value(
        "--mask",
        "FILE",
        "inpaint: a picture whose white is what to fill, of the size of IMAGE or of the model",
        "a picture in black and white",
        "none",
    )
    found.value(
        "--scale",
        "K",
        "superres: how many times larger the model's images are than IMAGE",
        "a whole number that divides the size of the model's images",
        str(PRESET.scale),
    )
    found.value("--grey", "KIND", "colorize: how colours became grey", either(GREYS), PRESET.grey)
    found.value(
        "--sigma",
        "S",
        "σ, the noise of the picture, where white minus black is 2; needed for denoise",
        "a number from 0 to 2",
        "0",
    )
    found.switch(
        "--degrade",
        "IMAGE is clean: make it grey, small, noisy or holed first, and say how near to it the "
        "restored images come",
    )
    found.value(
        "--noise-seed",
        "N",
        "with --degrade: the seed of the noise of --sigma",
        f"a whole number from 0 to {MAX_SEED}",
        "0",
    )
    found.value(
        "--out",
        "PATH",
        "where to write",
        "FILE.png for a sheet of the images; FILE.gif, .webp, .mp4 or .apng for the way there; "
        "FILE.npz for arrays; a folder for one PNG an image; files there are replaced",
    )
    found.value(
        "--settings",
        "FILE",
        "restore as the picture FILE was restored; options given beside it override its settings",
        "a PNG written by this command, or a .json file of settings",
        "none",
    )
    _add_walk(found)
    return found


def _add_walk(found: Parser) -> None:
    add_model(found, PRESET)
    found.value(
        "--method",
        "KIND",
        "ddnm corrects x̂_0 in every step, and knows of noise; repaint fills holes only",
        either(RESTORE_METHODS),
        PRESET.method,
    )
    found.value(
        "--eta",
        "ETA",
        "η, how random the steps are",
        "a number from 0 to 1",
        f"{DEFAULT_ETA['ddnm']} for ddnm, {DEFAULT_ETA['repaint']:g} for repaint",
    )
    add_tau(found, PRESET.spacing)
    found.value(
        "--travel-length",
        "L",
        "how many steps a time-travel goes back; repaint's jump length",
        "a whole number from 1",
        str(PRESET.travel_length),
    )
    found.value(
        "--travel-interval",
        "N",
        "how many steps lie between one time-travel and the next",
        "a whole number from 1",
        "the length",
    )
    found.value(
        "--travel-repeats",
        "R",
        "how often each stretch is walked in all; repaint's resampling",
        "a whole number from 1 to 1000",
        "1, no time-travel, for ddnm; 10 for repaint",
    )
    add_clip(found, PRESET)
    found.value(
        "--seed",
        "N",
        "n; image i is found with the seed n + i",
        f"a whole number from 0 to {MAX_SEED}",
        str(PRESET.seed),
    )
    found.value("--count", "N", "how many images to find", "a whole number from 1", "1")
    add_class(found)
    add_fitting(found)
    add_device(found, PRESET)
    found.switch(
        "--trajectory",
        "with FILE.npz: store every step, as x (steps+1,N,C,H,W) from x_T to x_0, and x0 and "
        "epsilon (steps,N,C,H,W)",
    )
    add_manners(found)
