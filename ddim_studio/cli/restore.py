"""``ddim-studio restore``: a grey, holed, small or noisy picture, and images that agree with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddim_studio.cli.arguments import either, usage
from ddim_studio.cli.inversion_options import picture_options
from ddim_studio.cli.masks import read_mask
from ddim_studio.cli.pictures import read_pictures
from ddim_studio.cli.planning import planned, read_given
from ddim_studio.cli.progress import follow
from ddim_studio.cli.restore_options import PRESET, READERS, parser
from ddim_studio.cli.sampler_options import tell_unused_tau
from ddim_studio.cli.tables import columns
from ddim_studio.cli.terminal import FINISHED, UsageError, say, tell
from ddim_studio.diffusion.restore_settings import DEFAULT_ETA, TASKS, check_task, walk
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.loading import open_image
from ddim_studio.imaging.png import read_settings
from ddim_studio.jobs.file_sink import Plan
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.outputs import SUFFIXES, output_kind
from ddim_studio.jobs.restore import restore_job
from ddim_studio.jobs.restore_events import Restored
from ddim_studio.jobs.restore_files import restore_sink
from ddim_studio.jobs.restore_order import RestoreOrder, RestoreRun

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from ddim_studio.jobs.runner import Job
    from ddim_studio.models.info import ModelInfo


def command(prog: str, argv: Sequence[str]) -> int:
    """Restore as the options say.

    Returns:
        The exit code 0.

    Raises:
        UsageError: An option is wrong.
        ImageError: A picture cannot be read, or does not fit.
        FailureError: The run failed.
    """
    arguments = parser(prog).read(argv)
    try:
        _check_options(arguments)
        run, info = _planned(arguments)
        _check_mask(arguments, run)
        moves = walk(run, tau_of(run, info.timesteps))
        order = _order(arguments, run, info)
        plan = Plan(run, tuple(t for t, _ in moves), info.image_shape)
        sink = restore_sink(arguments.out, plan, trajectory=arguments.trajectory)
    except SettingsError as error:
        raise usage(error) from error
    if not arguments.quiet:
        tell_unused_tau(arguments)
    kept: list[Restored] = []
    job = restore_job(order, ModelCache(1), sink=sink, views=())
    follow(_kept(job, kept), "Restoring", quiet=arguments.quiet)
    for line in table(kept[0]):
        say(line)
    return FINISHED


def table(found: Restored) -> list[str]:
    """A line of headings, one an image, and one for what is done without a model.

    Args:
        found: The images, with their likeness to the clean one where that is known.
    """
    agreement = [f"{value:.1e}" for value in found.final_max]
    names = [f"seed {seed}" for seed in found.seeds]
    measured = found.measured
    if measured.baseline_quality is None:
        return columns([("image", "max |A x - y|"), *zip(names, agreement, strict=True)])
    pairs = zip((*names, measured.baseline_name), (*agreement, "-"), strict=True)
    qualities = (*found.quality, measured.baseline_quality)
    rows = [
        (name, f"{quality.psnr:.1f}", f"{quality.ssim:.4f}", agrees)
        for (name, agrees), quality in zip(pairs, qualities, strict=True)
    ]
    return columns([("image", "PSNR dB", "SSIM", "max |A x - y|"), *rows])


def _kept(job: Job, kept: list[Restored]) -> Job:
    """The events of a job, of which the result is kept."""
    for event in job:
        if isinstance(event, Restored):
            kept.append(event)
        yield event


def _check_options(arguments: Namespace) -> None:
    if not arguments.image:
        raise UsageError("IMAGE is missing: a picture")
    if arguments.out is None:
        raise UsageError(f"--out is missing: a file ending in {', '.join(SUFFIXES)}, or a folder")
    if arguments.task is None and arguments.settings is None:
        raise UsageError(f"--task is missing: {either(TASKS)}")
    kind = output_kind(arguments.out)  # refuses other names before any work
    if arguments.trajectory and kind != "archive":
        raise UsageError(f"--trajectory needs an --out that ends in .npz, not {arguments.out!r}")


def _planned(arguments: Namespace) -> tuple[RestoreRun, ModelInfo]:
    """The run that the options ask for, and the card of its model."""
    given = read_given(arguments, READERS)
    values = _preset(arguments.settings)
    if arguments.settings is None or "method" in given:
        values |= {"travel_repeats": None}
        if given.get("method") in DEFAULT_ETA:
            values["eta"] = DEFAULT_ETA[given["method"]]
    if "timesteps" not in given and given.keys() & {"steps", "spacing"}:
        values["timesteps"] = None  # they replace the list that the settings had
    if arguments.degrade:
        values["degrade"] = True
    run, info = planned(RestoreRun, values | given)
    check_task(run, info.image_shape)
    return run, info


def _preset(settings: str | None) -> dict[str, Any]:
    if settings is None:
        return PRESET.to_dict()
    try:
        return RestoreRun.from_json(read_settings(settings)).to_dict()
    except SettingsError as error:
        raise ImageError(f"The settings in {settings} cannot be used: {error}") from error


def _check_mask(arguments: Namespace, run: RestoreRun) -> None:
    if run.task == "inpaint" and arguments.mask is None:
        raise UsageError("--mask is missing: a picture whose white is what to fill")
    if run.task != "inpaint" and arguments.mask is not None:
        raise UsageError(f"--mask is of the task inpaint only, and the task is {run.task}")


def _order(arguments: Namespace, run: RestoreRun, info: ModelInfo) -> RestoreOrder:
    """The picture and the mask, fitted to the model, and what to do with them."""
    channels, height, width = info.image_shape
    fit, background = picture_options(arguments)
    if run.task == "superres" and not run.degrade:
        height, width = height // run.scale, width // run.scale
    picture = open_image(arguments.image)
    shape = (channels, height, width)
    quiet = arguments.quiet
    paths = [Path(arguments.image)]
    (image,) = read_pictures(paths, shape, fit, background, quiet=quiet)
    mask = None
    if arguments.mask is not None:
        mask = read_mask(arguments.mask, picture.size, info.image_shape, fit)
    if run.sigma > 0 and not run.degrade and picture.size != (width, height) and not quiet:
        tell("The picture was resized, which changes its noise: --sigma is that after it.")
    assert image.pixels is not None
    return RestoreOrder(run, image.pixels, mask, image.label)
