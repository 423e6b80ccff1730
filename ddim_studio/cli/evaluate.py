"""``ddim-studio evaluate``: samples of a model against real images, in figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.cli.arguments import (
    SUMMARIES,
    Parser,
    either,
    sentence,
    usage,
    whole,
    whole_list,
)
from ddim_studio.cli.inception_weights import inception_file
from ddim_studio.cli.planning import read_batch_size, read_given
from ddim_studio.cli.progress import follow
from ddim_studio.cli.terminal import FINISHED, UsageError
from ddim_studio.diffusion.settings import CLIPS, SPACINGS, SettingsError, check_whole, parse_eta
from ddim_studio.jobs.evaluate import evaluate_job
from ddim_studio.jobs.evaluation_files import write_results
from ddim_studio.jobs.evaluation_order import BLOCK_SIZE, EvaluateOrder, cells_of
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runs import DEVICE_NAMES
from ddim_studio.models.loading import describe

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

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


GRID: Final[dict[str, Callable[[str], Any]]] = {
    "eta": _etas,
    "steps": whole_list,
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
    found.value("--out", "FILE", "where to write the table", "a file that ends in .csv")
    found.value(
        "--data",
        "PATH",
        "real images that the model was not trained on",
        "a folder, a zip or tar archive, or an IDX file",
        "none: only the time is measured",
    )
    found.value(
        "--model",
        "M",
        "the model",
        "the name of a bundled one (see models list), a folder or a checkpoint file",
        preset.model,
    )
    _add_grid(found)
    number = "a whole number"
    found.value("--samples", "N", "images drawn for each cell", f"{number} from 8", "1024")
    found.value("--seed", "N", "n; image i of every cell has the seed n + i", number, "0")
    found.value(
        "--reconstruction",
        "N",
        "images of --data that are encoded and decoded again, for the reconstruction error of "
        "every cell with η = 0",
        number,
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
        number,
        str(preset.data_limit),
    )
    found.value(
        "--keep",
        "FOLDER",
        "where samples are kept, for a run that goes on where another stopped",
        "a folder",
        "FILE.samples",
    )
    found.value("--device", "D", "what runs the network", either(DEVICE_NAMES), preset.device)
    found.value(
        "--batch-size",
        "N",
        "how many images go through the network at once",
        number,
        str(preset.block_size),
    )
    found.switch("--yes", "download without asking")
    found.switch("--quiet", "show neither progress nor notices")
    found.switch("--debug", "show the traceback of a failure")
    return found


def _add_grid(found: Parser) -> None:
    """The lists whose every combination is a cell."""
    lists = "with commas between"
    found.value("--steps", "LIST", "S", f"whole numbers from 1 to T, {lists}", "50")
    found.value("--eta", "LIST", "η", f"numbers from 0 to 1, or hat for σ̂, {lists}", "0")
    found.value("--spacing", "LIST", "how τ is spread", f"{either(SPACINGS)}, {lists}", "linear")
    found.value(
        "--clip", "LIST", "what to do with x̂_0 outside [−1, 1]", f"{either(CLIPS)}, {lists}", "none"
    )


def command(prog: str, argv: Sequence[str]) -> int:
    """Evaluate as the options say.

    Returns:
        The exit code 0.

    Raises:
        UsageError: An option is wrong.
        FailureError: The evaluation failed.
    """
    from ddim_studio.evaluation.team import end_team, is_first, join_team
    from ddim_studio.models.devices import pick_device

    arguments = parser(prog).read(argv)
    out = _out(arguments)
    try:
        order = _order(arguments)
    except SettingsError as error:
        raise usage(error) from error
    keep = Path(arguments.keep or f"{out}.samples")
    team = join_team(pick_device(order.device))
    try:
        job = evaluate_job(order, ModelCache(1), keep, team)
        quiet = arguments.quiet or not is_first()
        follow(write_results(job, order, out), "Evaluating", quiet=quiet)
    finally:
        end_team()
    return FINISHED


def _out(arguments: Namespace) -> Path:
    if arguments.out is None:
        raise UsageError("--out is missing: a file that ends in .csv")
    out = Path(arguments.out)
    if out.suffix.lower() != ".csv":
        raise UsageError(f"--out must be a file that ends in .csv, not {arguments.out!r}")
    return out


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
    cells = cells_of(grid["eta"], grid["steps"], grid["spacing"], grid["clip"])
    order = EvaluateOrder(cells=cells, **values)
    info = describe(order.model)
    for cell in cells:
        check_whole("steps", cell.steps, 1, info.timesteps)
    return order
