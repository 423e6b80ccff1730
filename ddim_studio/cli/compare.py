"""``ddim-studio compare``: a matrix of runs over two settings, as a figure and as a table."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ddim_studio.cli.arguments import SUMMARIES, Parser, either, sentence, usage
from ddim_studio.cli.matrix_options import PRESET_NAMES, planned_matrix, reference_cell
from ddim_studio.cli.planning import add_class, add_tau
from ddim_studio.cli.progress import follow
from ddim_studio.cli.sampler_options import (
    add_clip,
    add_device,
    add_eta,
    add_manners,
    add_model,
    add_precision,
    output_file,
    tell_unused_tau,
)
from ddim_studio.cli.terminal import FINISHED, FailureError, UsageError, tell
from ddim_studio.diffusion.settings import SettingsError, check_choice
from ddim_studio.evaluation.perceptual import lpips_available
from ddim_studio.jobs.axes import AXIS_FIELDS, MAX_SEEDS
from ddim_studio.jobs.compare import compare_job
from ddim_studio.jobs.compare_files import FIGURE_SUFFIXES, TABLE_SUFFIX, save_figure, save_table
from ddim_studio.jobs.comparison import METRICS, Comparison, ScoreOrder
from ddim_studio.jobs.events import Failure
from ddim_studio.jobs.file_sink import check_place
from ddim_studio.jobs.matrix import dearest
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.jobs.scores import score_job

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from ddim_studio.jobs.matrix import Place
    from ddim_studio.jobs.runner import Job

SUFFIXES = (*FIGURE_SUFFIXES, TABLE_SUFFIX)
EXAMPLES = (
    "ddim-studio compare --rows eta=0,0.2,0.5,1,hat --columns steps=10,20,50,100 --seeds 0-7 "
    "--out table1.png --out table1.csv",
    "ddim-studio compare --preset consistency --seeds 0-3 --out consistency.pdf",
    "ddim-studio compare --rows seed=0-7 --columns eta=0,0.5,1 --steps 20 --out seeds.svg",
    "ddim-studio compare --rows model=toonheads-32,my-model/ --columns clip=none,clamp "
    "--metric psnr --out models.png",
)


def parser(prog: str) -> Parser:
    """The options of the command."""
    found = Parser(prog, sentence(SUMMARIES["compare"]), EXAMPLES)
    preset = SampleRun()
    found.value(
        "--out",
        "FILE",
        "where to write; may be given several times",
        "FILE.png, .svg or .pdf for a labelled figure; FILE.csv for a table with a row for every "
        "cell and seed; files there are replaced",
        repeated=True,
    )
    axis = f"{either(AXIS_FIELDS)}, '=' and values with commas between"
    found.value("--rows", "AXIS", "the setting that changes from row to row", axis)
    found.value("--columns", "AXIS", "the one that changes from column to column", axis)
    found.value(
        "--preset",
        "NAME",
        "in place of --rows and --columns: η = 0 with more and more steps; η and σ̂ by S as in "
        "the paper's Table 1; seeds by η",
        either(PRESET_NAMES),
        "none",
    )
    found.value(
        "--seeds",
        "LIST",
        "the images of every cell, by the seeds of their x_T",
        f"whole numbers and ranges such as 0-7, with commas between, at most {MAX_SEEDS} seeds",
        "0-7",
    )
    found.value(
        "--reference",
        "CELL",
        "the cell that the others are measured against",
        "a value of each axis, such as eta=0,steps=100",
        "the one with the most steps and the smallest η",
    )
    found.value("--metric", "M", "what a figure says of each cell", either(METRICS), METRICS[2])
    add_model(found, preset)
    add_eta(found, preset)
    add_tau(found, preset.spacing)
    add_clip(found, preset)
    add_class(found)
    add_device(found, preset)
    add_precision(found, preset)
    add_manners(found)
    return found


def command(prog: str, argv: Sequence[str]) -> int:
    """Compare as the options say.

    Interrupted, or failed in the middle, it writes what there is of the matrix.

    Returns:
        The exit code 0.

    Raises:
        UsageError: An option is wrong.
        ModelError: There is no such model.
        FailureError: The run failed, or a cell could not be computed.
    """
    arguments = parser(prog).read(argv)
    try:
        _check_output(arguments)
        order = planned_matrix(arguments)
        reference = reference_cell(arguments, order)
    except SettingsError as error:
        raise usage(error) from error
    for out in arguments.out:
        check_place(Path(out).parent)
    quiet = arguments.quiet
    if not quiet:
        tell_unused_tau(arguments)
    comparison = Comparison(order)
    try:
        follow(
            _noted(compare_job(order, ModelCache(), views=()), comparison), "Comparing", quiet=quiet
        )
        _measure(comparison, reference or dearest(order, comparison.images), quiet=quiet)
    except (KeyboardInterrupt, FailureError):
        _keep(comparison, reference or dearest(order), arguments)
        raise
    _save(comparison, arguments)
    if comparison.failures:
        raise FailureError(_failure(comparison))
    return FINISHED


def _check_output(arguments: Namespace) -> None:
    """Check the options about what is written."""
    for out in arguments.out or (None,):
        output_file(out, SUFFIXES)
    if arguments.metric is None:
        arguments.metric = METRICS[2]
    check_choice("metric", arguments.metric, METRICS)
    if arguments.metric == "lpips" and not lpips_available():
        raise UsageError(
            "--metric lpips needs torchvision and the weights of AlexNet in torch's own cache, "
            f"which are not here: give {either(METRICS[:-1])}"
        )


def _noted(job: Job, comparison: Comparison) -> Job:
    """A job whose events are noted in a comparison."""
    with closing(job):
        for event in job:
            comparison.take(event)
            yield event


def _measure(comparison: Comparison, reference: Place, *, quiet: bool) -> None:
    """Measure the cells against the reference, if that is there."""
    if reference in comparison.images:
        order = ScoreOrder(reference, comparison.images)
        follow(_noted(score_job(order), comparison), "Measuring", quiet=quiet)
    elif not quiet:
        tell(f"Nothing is measured: {comparison.run.label(reference)} is not computed.")


def _keep(comparison: Comparison, reference: Place, arguments: Namespace) -> None:
    """Write what there is of a matrix that is not completed, and say so."""
    if not comparison.images:
        return
    if not arguments.quiet:
        done, cells = len(comparison.images), len(comparison.run.places)
        tell(f"{done} of {cells} cells are finished, and are written.")
    if comparison.scored is None:
        _measure(comparison, reference, quiet=True)
    _save(comparison, arguments)


def _save(comparison: Comparison, arguments: Namespace) -> None:
    for out in arguments.out:
        table = Path(out).suffix.lower() == TABLE_SUFFIX
        job = (
            save_table(out, comparison) if table else save_figure(out, comparison, arguments.metric)
        )
        follow(job, "Saving", quiet=True)


def _failure(comparison: Comparison) -> Failure:
    """What to say of a matrix with cells that could not be computed."""
    place, first = next(iter(comparison.failures.items()))
    count, cells = len(comparison.failures), len(comparison.run.places)
    return Failure(
        f"{count} of {cells} cells could not be computed. {comparison.run.label(place)}: "
        f"{first.message}",
        first.advice,
        first.details,
    )
