"""``ddim-studio evaluate``: samples of a model against real images, in figures."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.cli.arguments import (
    SUMMARIES,
    Parser,
    either,
    sentence,
    usage,
    whole,
)
from ddim_studio.cli.inception_weights import inception_file
from ddim_studio.cli.planning import MAX_BATCH, add_class, read_batch_size, read_given
from ddim_studio.cli.progress import follow
from ddim_studio.cli.sampler_options import add_device, add_manners, add_source, output_file
from ddim_studio.cli.terminal import FINISHED, tell
from ddim_studio.diffusion.settings import (
    CLIPS,
    SPACINGS,
    SettingsError,
    check_class,
    check_whole,
    parse_eta,
)
from ddim_studio.jobs.evaluate import evaluate_job
from ddim_studio.jobs.evaluation_files import write_results
from ddim_studio.jobs.evaluation_order import (
    BLOCK_SIZE,
    SMALLEST_SAMPLE,
    CellMeasured,
    EvaluateOrder,
    cells_of,
)
from ddim_studio.jobs.file_sink import check_place
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runs import MAX_COUNT
from ddim_studio.models.loading import describe
from ddim_studio.storage import DEFAULT_MODEL

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from ddim_studio.jobs.runner import Job

TABLE_SUFFIXES = (".csv",)
EXAMPLES = (
    "ddim-studio evaluate --data test-images-idx3-ubyte.gz --steps 10,20,50 --eta 0,1,hat "
    "--out table.csv",
    "ddim-studio evaluate --data photos/ --model my-model/ --samples 5000 "
    "--inception pt_inception-2015-12-05-6726825d.pth --out fid.csv",
    "ddim-studio evaluate --data photos.zip --steps 10,20,50,100 --reconstruction 512 "
    "--out table2.csv",
    "accelerate launch --num_processes 4 -m ddim_studio evaluate --data photos/ --out table.csv",
)


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _etas(text: str) -> tuple[Any, ...]:
    return tuple(parse_eta(part) for part in _texts(text))


def _wholes(text: str) -> tuple[int | str, ...]:
    return tuple(whole(part) for part in _texts(text))


GRID: Final[dict[str, Callable[[str], Any]]] = {
    "eta": _etas,
    "steps": _wholes,
    "spacing": _texts,
    "clip": _texts,
}
READERS: Final[dict[str, Callable[[str], Any]]] = {
    "model": str,
    "data": str,
    "samples": whole,
    "seed": whole,
    "device": str,
    "reconstruction": whole,
    "data_limit": whole,
}


def parser(prog: str) -> Parser:
    """The options of the command."""
    found = Parser(prog, sentence(SUMMARIES["evaluate"]), EXAMPLES)
    preset = EvaluateOrder(cells=cells_of((0.0,), (50,)))
    found.value(
        "--out",
        "FILE",
        "where to write the table, anew after every cell",
        "a file that ends in .csv; one that is there is replaced",
    )
    found.value(
        "--data",
        "PATH",
        "real images that the model was not trained on",
        "a folder, a zip or tar archive, or an IDX file",
        "none: only the time is measured",
    )
    add_source(found, preset)
    _add_grid(found)
    add_class(found)
    number = "a whole number from"
    low, high = str(SMALLEST_SAMPLE), str(MAX_COUNT)
    found.value(
        "--samples",
        "N",
        "images drawn for each cell",
        f"{number} {low} to {high}",
        str(preset.samples),
    )
    found.value("--seed", "N", "n; image i of every cell has the seed n + i", f"{number} 0", "0")
    found.value(
        "--reconstruction",
        "N",
        "images of --data that are encoded and decoded again, for the reconstruction error of "
        "every cell with η = 0 and no clipping",
        f"{number} 0 to {high}",
        "0",
    )
    found.value(
        "--inception",
        "FILE",
        "weights of the Inception network, for FID and KID; needs the package torch-fidelity",
        "the file pt_inception-2015-12-05-6726825d.pth, or download, which asks first",
        "none: grey 28×28 images are measured by the fashion classifier, others not",
    )
    found.value(
        "--data-limit",
        "N",
        "at most so many images of --data, spread evenly over it",
        f"{number} {low}",
        str(preset.data_limit),
    )
    found.value(
        "--keep",
        "FOLDER",
        "where samples are kept, for a run that goes on where another stopped",
        "a folder",
        "FILE.samples",
    )
    add_device(found, preset)
    found.value(
        "--batch-size",
        "N",
        "how many images go through the network at once, and are kept in one file",
        f"{number} 1 to {MAX_BATCH}",
        str(preset.block_size),
    )
    found.switch("--yes", "download without asking")
    add_manners(found)
    return found


def _add_grid(found: Parser) -> None:
    """The lists whose every combination is a cell."""
    lists = "with commas between"
    timesteps = "S, how many of the model's T timesteps; all combinations of the lists are cells"
    for flag, meaning, allowed, preset in (
        ("--steps", timesteps, "whole numbers from 1 to T", "50"),
        ("--eta", "η: 0 is DDIM, 1 is DDPM", "numbers from 0 to 1, or hat for σ̂", "0"),
        ("--spacing", "how τ, the timesteps used, is spread", either(SPACINGS), "linear"),
        ("--clip", "what to do with x̂_0 outside [−1, 1]", either(CLIPS), "none"),
    ):
        found.value(flag, "LIST", meaning, f"{allowed}, {lists}", preset)


def command(prog: str, argv: Sequence[str]) -> int:
    """Evaluate as the options say.

    Interrupted, it leaves the table of the cells that are measured.

    Returns:
        The exit code 0.

    Raises:
        UsageError: An option is wrong.
        ModelError: There is no such model.
        FailureError: The evaluation failed.
    """
    from ddim_studio.evaluation.team import end_team, is_first, join_team
    from ddim_studio.models.devices import pick_device

    arguments = parser(prog).read(argv)
    out = output_file(arguments.out, TABLE_SUFFIXES)
    try:
        order = _order(arguments)
    except SettingsError as error:
        raise usage(error) from error
    keep = Path(arguments.keep or f"{out}.samples")
    for folder in (out.parent, keep):
        check_place(folder)
    quiet = arguments.quiet or not is_first()
    measured: list[CellMeasured] = []
    team = join_team(pick_device(order.device))
    try:
        job = _noted(evaluate_job(order, ModelCache(1), keep, team), measured)
        follow(write_results(job, order, out), "Evaluating", quiet=quiet)
    except KeyboardInterrupt:
        if not quiet:
            done, cells = len(measured), len(order.cells)
            tell(f"{done} of {cells} cells are measured: the same command goes on from there.")
        raise
    finally:
        end_team()
    return FINISHED


def _noted(job: Job, measured: list[CellMeasured]) -> Job:
    """A job whose cells are noted."""
    with closing(job):
        for event in job:
            if isinstance(event, CellMeasured):
                measured.append(event)
            yield event


def _order(arguments: Namespace) -> EvaluateOrder:
    """What the options ask for.

    Raises:
        ModelError: There is no such model.
        SettingsError: A value is out of range.
    """
    values = read_given(arguments, READERS)
    values["inception"] = inception_file(arguments.inception, agreed=arguments.yes)
    values["block_size"] = read_batch_size(arguments.batch_size, BLOCK_SIZE)
    grid: dict[str, Any] = {"eta": (0.0,), "steps": (50,), "spacing": ("linear",)}
    grid |= {"clip": ("none",)} | read_given(arguments, GRID)
    for name, members in grid.items():
        if not members or len(set(members)) < len(members):
            raise SettingsError(name, f"{name} must be a list with each value once.")
    label = read_given(arguments, {"class_label": whole}).get("class_label")
    EvaluateOrder(cells=cells_of((0.0,), (50,)), **values)  # what is wrong with it needs no model
    info = describe(values.get("model", DEFAULT_MODEL))
    for steps in grid["steps"]:
        check_whole("steps", steps, 1, info.timesteps)
    check_class(label, info.classes)
    cells = cells_of(grid["eta"], grid["steps"], grid["spacing"], grid["clip"], label)
    return EvaluateOrder(cells=cells, **values)
