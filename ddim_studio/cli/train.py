"""``ddim-studio train``: from a set of images to a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.cli.arguments import (
    SUMMARIES,
    Parser,
    either,
    real,
    sentence,
    usage,
    whole,
    whole_list,
)
from ddim_studio.cli.planning import read_given
from ddim_studio.cli.progress import follow
from ddim_studio.cli.stopping import stop_with_input, stopping
from ddim_studio.cli.terminal import FINISHED, SIGNAL_CODE, UsageError, tell
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.train import train_job
from ddim_studio.training.run_folder import RunFolder
from ddim_studio.training.settings import (
    COLOURS,
    DEFAULT_STEPS,
    DEVICES,
    PRECISIONS,
    PREDICTIONS,
    STORES,
    WEIGHTINGS,
    TrainSettings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXAMPLES = (
    "ddim-studio train --data photos/ --size 32 --minutes 60 --out my-model",
    "ddim-studio train --data faces.zip --size 64 --channels 64,128,256 --flip --steps 50000 "
    "--out faces",
    "ddim-studio train --data train-images-idx3-ubyte.gz --size 28 --out clothes --resume",
    "ddim-studio train --out my-model --minutes 120 --resume",
    "ddim-studio train --data photos/ --start-from my-model --learning-rate 1e-4 --steps 5000 "
    "--out finer",
    "accelerate launch --multi_gpu --num_processes 4 -m ddim_studio train --data photos/ "
    "--size 64 --out faces",
)


def _attention(text: str) -> tuple[Any, ...]:
    return () if text == "none" else whole_list(text)


READERS: Final[dict[str, Callable[[str], Any]]] = {
    "data": str,
    "start": str,
    "size": whole,
    "channels": whole_list,
    "layers_per_block": whole,
    "attention": _attention,
    "colours": str,
    "held_out": whole,
    "batch_size": whole,
    "steps": whole,
    "minutes": real,
    "learning_rate": real,
    "warmup": whole,
    "ema": real,
    "prediction": str,
    "weighting": str,
    "precision": str,
    "store": str,
    "seed": whole,
    "sample_every": whole,
    "checkpoint_every": whole,
    "device": str,
    "threads": whole,
    "licence": str,
    "credit": str,
}
SWITCHES: Final = ("flip", "compile")
NUMBER: Final = "a whole number"


def parser(prog: str) -> Parser:
    """The options of the command."""
    found = Parser(prog, sentence(SUMMARIES["train"]), EXAMPLES)
    preset = TrainSettings(data="images")
    found.value(
        "--data", "PATH", "the images", "a folder, a zip or tar archive, or an IDX file as of MNIST"
    )
    found.value("--out", "DIR", "the folder of the model and of its run", "a new folder")
    found.value(
        "--start-from",
        "MODEL",
        "the model whose network and weights the run begins with; it decides the size, the colours "
        "and all that --channels, --layers-per-block, --attention and --prediction say else",
        "a bundled name or a diffusers folder",
        "random weights",
        field="start",
    )
    found.value("--size", "N", "side of the images, in pixels", NUMBER, str(preset.size))
    _add_network(found, preset)
    _add_course(found, preset)
    _add_records(found, preset)
    found.switch(
        "--stop-with-input",
        "stop when the standard input ends, as for SIGTERM; for programs that start this one",
    )
    found.switch("--quiet", "show neither progress nor notices")
    found.switch("--debug", "show the traceback of a failure")
    return found


def _add_network(found: Parser, preset: TrainSettings) -> None:
    """The options about images and network."""
    found.value("--colours", "KIND", "of the images", either(COLOURS), "what the images are")
    found.switch("--flip", "mirror images at random")
    found.value(
        "--held-out",
        "N",
        "images that are not trained on, for the validation loss",
        NUMBER,
        "a twentieth of them, at most 1000",
    )
    found.value(
        "--channels",
        "LIST",
        "width of the network at each level; every level after the first halves the side",
        "multiples of 4 with commas between",
        ",".join(map(str, preset.channels)),
    )
    found.value(
        "--layers-per-block",
        "N",
        "residual blocks at each level",
        NUMBER,
        str(preset.layers_per_block),
    )
    found.value(
        "--attention",
        "LIST",
        "sides, in pixels, of the levels with attention",
        "whole numbers with commas between, or none",
        "the last level",
    )
    found.value("--prediction", "P", "what the network says", either(PREDICTIONS), "epsilon")


def _add_course(found: Parser, preset: TrainSettings) -> None:
    """The options about the course of the training."""
    found.value("--batch-size", "N", "images a step", NUMBER, str(preset.batch_size))
    found.value("--steps", "N", "steps in all", NUMBER, f"{DEFAULT_STEPS} without --minutes")
    found.value(
        "--minutes", "N", "minutes in all; with --steps the first limit counts", "a number", "none"
    )
    found.value("--learning-rate", "R", "of AdamW", "a number up to 1", f"{preset.learning_rate:g}")
    found.value(
        "--warmup", "N", "steps in which the learning rate rises", NUMBER, str(preset.warmup)
    )
    found.value("--ema", "D", "decay of the moving average", "0 to 0.999999", f"{preset.ema:g}")
    found.value(
        "--weighting",
        "W",
        "inverse divides the loss of each timestep by its running mean",
        either(WEIGHTINGS),
        preset.weighting,
    )
    found.value(
        "--precision",
        "P",
        "of the network; auto is bfloat16 where that is faster",
        either(PRECISIONS),
        preset.precision,
    )
    found.switch("--compile", "compile the network, which takes minutes and then saves time")
    found.value("--seed", "N", "of all that is random", NUMBER, str(preset.seed))
    found.value("--device", "D", "what runs the network", either(DEVICES), preset.device)
    found.value("--threads", "N", "threads of the processor", NUMBER, "torch's own choice")


def _add_records(found: Parser, preset: TrainSettings) -> None:
    """The options about what is written."""
    found.value(
        "--sample-every", "N", "steps between two sheets of samples", NUMBER, "20 sheets in all"
    )
    found.value(
        "--checkpoint-every", "N", "steps between two checkpoints", NUMBER, "every five minutes"
    )
    found.value(
        "--licence", "TEXT", "licence of the data, for the card", "a text", preset.licence or "none"
    )
    found.value(
        "--credit", "TEXT", "who made the data, for the card", "a text", preset.credit or "none"
    )
    found.value(
        "--store",
        "P",
        "how precisely the model's weights are written; checkpoints are float32 in any case",
        either(STORES),
        preset.store,
    )
    found.switch(
        "--resume",
        "go on with the run in --out from its newest checkpoint, or begin it if there is none; "
        "options left out stay as they were",
    )


def command(prog: str, argv: Sequence[str]) -> int:
    """Train as the options say.

    Returns:
        The exit code: 0 when the run has reached its limit, 128 + n when signal n stopped it.

    Raises:
        UsageError: An option is wrong.
        FailureError: The training failed.
        TrainingError: The folder cannot be used.
    """
    arguments = parser(prog).read(argv)
    if not arguments.out:
        raise UsageError("--out is missing: the folder of a new model")
    given = read_given(arguments, READERS)
    given |= {name: True for name in SWITCHES if getattr(arguments, name)}
    folder = RunFolder(Path(arguments.out))
    if arguments.stop_with_input:
        stop_with_input()
    try:
        settings = folder.planned(given, resume=arguments.resume)
    except SettingsError as error:
        raise usage(error) from error
    with stopping() as stop:
        _train(settings, folder, stop, quiet=arguments.quiet)
    if stop.number is None:
        return FINISHED
    if not arguments.quiet:
        tell(f"{prog}: stopped; the same command with --resume goes on.")
    return SIGNAL_CODE + stop.number


def _train(
    settings: TrainSettings, folder: RunFolder, stop: Callable[[], bool], *, quiet: bool
) -> None:
    import torch

    from ddim_studio.evaluation.team import end_team, is_first, join_team
    from ddim_studio.models.devices import pick_device

    if settings.threads:
        torch.set_num_threads(settings.threads)
    team = join_team(pick_device(settings.device))
    try:
        job = train_job(settings, folder, team, stop)
        follow(job, "Training", quiet=quiet or not is_first())
    finally:
        end_team()
