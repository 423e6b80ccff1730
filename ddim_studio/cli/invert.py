"""``ddim-studio invert``: pictures to x_T and back, into a file, with a table of how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddim_studio.cli.arguments import SUMMARIES, Parser, sentence, usage
from ddim_studio.cli.inversion_options import (
    add_rest,
    add_walk,
    picture_options,
    planned_walk,
    refuse_what_has_no_inverse,
    tell_unused,
)
from ddim_studio.cli.pictures import picture_paths, read_pictures
from ddim_studio.cli.planning import read_batch_size
from ddim_studio.cli.progress import follow
from ddim_studio.cli.tables import columns
from ddim_studio.cli.terminal import FINISHED, UsageError, say
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.jobs.inversion_files import (
    INVERSION_SUFFIXES,
    InversionPlan,
    distinct_names,
    inversion_sink,
    invert_files_job,
)
from ddim_studio.jobs.orders import InvertOrder
from ddim_studio.jobs.outputs import output_kind
from ddim_studio.jobs.runs import InvertRun
from ddim_studio.jobs.workbench import Workbench

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from ddim_studio.jobs.inversion_files import ImageReport

DEFAULT_BATCH = 64
EXAMPLES = (
    "ddim-studio invert photo.jpg --out inversion/",
    "ddim-studio invert pictures/ --steps 20 --out latents.npz",
    "ddim-studio invert *.png --method target --steps 100 --out naive/",
    "ddim-studio invert logo.png --fit pad --background white --tolerance 1e-6 --out logo.npz",
)
HEADINGS = ("image", "MSE", "PSNR dB", "SSIM", "calls/step", "unconverged")


def parser(prog: str) -> Parser:
    """The options of the command."""
    found = Parser(prog, sentence(SUMMARIES["invert"]), EXAMPLES)
    found.add_argument(
        "images",
        metavar="IMAGE",
        nargs="*",
        help="pictures of any size and kind; a folder stands for all pictures in it",
    )
    found.value(
        "--out",
        "PATH",
        "where to write",
        "FILE.npz for x0, x_T and reconstruction (N,C,H,W), timesteps (S,), ascending, and "
        "residual (S,N); a folder for four PNGs an image (original, reconstruction, difference, "
        "latent) and report.csv; files there are replaced",
    )
    add_walk(found)
    add_rest(found, DEFAULT_BATCH)
    return found


def command(prog: str, argv: Sequence[str]) -> int:
    """Invert as the options say.

    Returns:
        The exit code 0.

    Raises:
        UsageError: An option is wrong.
        ImageError: A picture cannot be read.
        FailureError: The run failed.
    """
    arguments = parser(prog).read(argv)
    refuse_what_has_no_inverse(arguments)
    try:
        _check_places(arguments)
        batch_size = read_batch_size(arguments.batch_size, DEFAULT_BATCH)
        fitting = picture_options(arguments)
        run, info = planned_walk(arguments, InvertRun)
        tau = tau_of(run.decoding(), info.timesteps)
    except SettingsError as error:
        raise usage(error) from error
    paths = picture_paths(arguments.images)
    names = distinct_names([path.stem for path in paths])
    sink = inversion_sink(arguments.out, InversionPlan(run, tuple(tau), info.image_shape, names))
    images = read_pictures(paths, info.image_shape, *fitting, quiet=arguments.quiet)
    if not arguments.quiet:
        tell_unused(arguments, run)
    job = invert_files_job(InvertOrder(run, images), Workbench(), sink, batch_size)
    follow(job, "Inverting", quiet=arguments.quiet)
    for line in table(sink.rows, run.steps):
        say(line)
    return FINISHED


def table(rows: Sequence[ImageReport], steps: int) -> list[str]:
    """A line of headings and one an image, in columns.

    Args:
        rows: The reports of the images.
        steps: S.
    """
    return columns([HEADINGS, *(_cells(row, steps) for row in rows)])


def _cells(row: ImageReport, steps: int) -> tuple[str, ...]:
    lost = "-" if row.unconverged_steps is None else f"{row.unconverged_steps} of {steps}"
    return (
        row.image,
        f"{row.mse:.2e}",
        f"{row.psnr:.1f}",
        f"{row.ssim:.4f}",
        f"{row.network_calls / steps:.1f}",
        lost,
    )


def _check_places(arguments: Namespace) -> None:
    if not arguments.images:
        raise UsageError("IMAGE is missing: one or more pictures, or folders of pictures")
    if arguments.out is None:
        raise UsageError("--out is missing: a file ending in .npz, or a folder")
    output_kind(arguments.out, INVERSION_SUFFIXES)
