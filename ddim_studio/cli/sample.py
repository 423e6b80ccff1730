"""``ddim-studio sample``: from options to a run, and from a run to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ddim_studio.cli import sampler_options
from ddim_studio.cli.arguments import SUMMARIES, Parser, either, sentence, usage, whole
from ddim_studio.cli.bulk import BATCH, BULK_FROM, GPU_BATCH, bulk_place, draw_bulk
from ddim_studio.cli.planning import (
    MAX_BATCH,
    add_class,
    add_tau,
    planned,
    read_batch_size,
    read_given,
)
from ddim_studio.cli.progress import follow
from ddim_studio.cli.sampler_options import (
    add_clip,
    add_device,
    add_eta,
    add_manners,
    add_model,
    add_precision,
    tell_unused_tau,
)
from ddim_studio.cli.terminal import FINISHED, UsageError, tell
from ddim_studio.diffusion.settings import MAX_SEED, SettingsError, check_choice
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.png import read_settings
from ddim_studio.jobs.animation_sink import ANIMATED_VIEWS, AnimationSink
from ddim_studio.jobs.file_sink import Plan
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.outputs import SUFFIXES, output_kind, sink_for
from ddim_studio.jobs.runs import MAX_COUNT, SampleRun
from ddim_studio.jobs.sample import sample_job

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from ddim_studio.jobs.events import View
    from ddim_studio.jobs.file_sink import FileSink
    from ddim_studio.jobs.outputs import Kind
    from ddim_studio.models.info import ModelInfo

OUTPUTS: Final[dict[str, Kind]] = {".tar": "tar", **SUFFIXES}
EXAMPLES = (
    "ddim-studio sample --out sheet.png",
    "ddim-studio sample --steps 20 --seed 7 --count 4 --out denoising.gif",
    "ddim-studio sample --eta 1 --steps 100 --count 1000 --out images/",
    "ddim-studio sample --count 50000 --pixels --out samples.npz",
    "accelerate launch --num_processes 4 -m ddim_studio sample --count 50000 --out images/",
    "ddim-studio sample --eta hat --clip clamp --count 8 --trajectory --out run.npz",
    "ddim-studio sample --timesteps 0,100,250,500,999 --out five-steps.png",
    "ddim-studio sample --settings sheet.png --eta 0.5 --out sheet-with-noise.png",
)
READERS: Final[dict[str, Callable[[str], Any]]] = {
    **sampler_options.READERS,
    "seed": whole,
    "count": whole,
    "precision": str,
}


def parser(prog: str) -> Parser:
    """The options of the command."""
    found = Parser(prog, sentence(SUMMARIES["sample"]), EXAMPLES)
    preset = SampleRun()
    found.value(
        "--out",
        "PATH",
        "where to write",
        "FILE.png for a sheet of the images; FILE.gif, .webp, .mp4 or .apng for the denoising; "
        "FILE.npz for arrays; a folder for one PNG an image; FILE.tar for an archive of these; "
        f"files there are replaced; from {BULK_FROM} images on, and by several processes, folders "
        "and archives are streamed, and the same command goes on where it was stopped",
    )
    found.value(
        "--settings",
        "FILE",
        "repeat the run that made a picture; options given beside it override its settings",
        "a PNG written by DDIM Studio, or a .json file of settings",
        "none",
    )
    add_model(found, preset)
    add_eta(found, preset)
    add_tau(found, preset.spacing)
    add_clip(found, preset)
    found.value(
        "--seed",
        "N",
        "n; image i is drawn from the seed n + i, whatever the batch and the device",
        f"a whole number from 0 to {MAX_SEED}",
        str(preset.seed),
    )
    add_class(found)
    found.value(
        "--count",
        "N",
        "how many images",
        f"a whole number from 1 to {MAX_COUNT}",
        str(preset.count),
    )
    add_device(found, preset)
    add_precision(found, preset)
    found.value(
        "--batch-size",
        "N",
        "how many images go through the network at once; changes the memory needed, not the images",
        f"a whole number from 1 to {MAX_BATCH}",
        f"{BATCH}, in a stream on a GPU up to {GPU_BATCH}",
    )
    found.value(
        "--view",
        "V",
        "what an animation shows: x_t, x̂_0 (the guess at the clean image) or ε_θ (at the noise)",
        either(ANIMATED_VIEWS),
        "x",
    )
    found.switch(
        "--trajectory",
        "with FILE.npz: store every step, as x (S+1,N,C,H,W) from x_T to x_0, and x0 and epsilon "
        "(S,N,C,H,W)",
    )
    found.switch(
        "--pixels",
        "with FILE.npz: store the images as arr_0 (N,H,W,C) uint8, as tools that measure FID read "
        "them, in place of x0 (N,C,H,W) float32",
    )
    add_manners(found)
    return found


def command(prog: str, argv: Sequence[str]) -> int:
    """Sample as the options say.

    Returns:
        The exit code 0.

    Raises:
        UsageError: An option is wrong.
        FailureError: The run failed.
    """
    arguments = parser(prog).read(argv)
    try:
        kind, batch_size = _check_output(arguments)
        run, info = _planned(read_given(arguments, READERS), arguments.settings)
        tau = tau_of(run, info.timesteps)
        plan = Plan(run, tuple(reversed(tau)), info.image_shape)
        bulk = bulk_place(arguments, kind, plan)
        sink = None if bulk else _sink(arguments, plan)
    except SettingsError as error:
        raise usage(error) from error
    if not arguments.quiet:
        _tell_notices(arguments, sink)
    if bulk:
        return draw_bulk(bulk, plan, batch_size, quiet=arguments.quiet)
    size = batch_size or BATCH
    job = sample_job(run, ModelCache(1), sink=sink, views=(), batch_size=size)
    follow(job, "Sampling", quiet=arguments.quiet)
    return FINISHED


def _sink(arguments: Namespace, plan: Plan) -> FileSink:
    """The sink of a small run."""
    view: View = arguments.view or "x"
    return sink_for(arguments.out, plan, trajectory=arguments.trajectory, view=view)


def _check_output(arguments: Namespace) -> tuple[Kind, int | None]:
    """Check the options about the output; what it is, and the batch size if that was given."""
    if arguments.out is None:
        raise UsageError(f"--out is missing: a file ending in {', '.join(OUTPUTS)}, or a folder")
    kind = output_kind(arguments.out, OUTPUTS)
    for name in ("trajectory", "pixels"):
        if getattr(arguments, name) and kind != "archive":
            raise UsageError(f"--{name} needs an --out that ends in .npz, not {arguments.out!r}")
    if arguments.trajectory and arguments.pixels:
        raise UsageError("--pixels cannot be given with --trajectory, which stores no pixels")
    if arguments.view is not None:
        check_choice("view", arguments.view, ANIMATED_VIEWS)
        if kind != "animation":
            raise UsageError(f"--view needs an --out that is an animation, not {arguments.out!r}")
    given = arguments.batch_size
    return kind, None if given is None else read_batch_size(given, BATCH)


def _planned(given: dict[str, Any], settings: str | None) -> tuple[SampleRun, ModelInfo]:
    """The run that the options ask for, and the card of its model.

    The run names the model so that it can be repeated from any folder.
    """
    values = SampleRun().to_dict() if settings is None else _read_run(settings).to_dict()
    if "timesteps" not in given and given.keys() & {"steps", "spacing"}:
        values["timesteps"] = None  # they replace the list that the settings had
    return planned(SampleRun, values | given)


def _read_run(path: str) -> SampleRun:
    try:
        return SampleRun.from_json(read_settings(path))
    except SettingsError as error:
        raise ImageError(f"The settings in {path} cannot be used: {error}") from error


def _tell_notices(arguments: Namespace, sink: object) -> None:
    tell_unused_tau(arguments)
    if isinstance(sink, AnimationSink) and sink.notice:
        tell(sink.notice)
