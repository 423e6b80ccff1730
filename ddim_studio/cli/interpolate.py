"""``ddim-studio interpolate``: a walk between the latents of two pictures or seeds, into a file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ddim_studio.cli.arguments import SUMMARIES, Parser, either, real, sentence, usage, whole
from ddim_studio.cli.inversion_options import (
    add_rest,
    add_walk,
    picture_options,
    planned_walk,
    refuse_what_has_no_inverse,
    tell_unused,
)
from ddim_studio.cli.pictures import read_pictures
from ddim_studio.cli.planning import read_batch_size, read_given
from ddim_studio.cli.progress import follow
from ddim_studio.cli.terminal import FINISHED, UsageError
from ddim_studio.diffusion.settings import MAX_SEED, SettingsError, check_real, check_whole
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.imaging.animation import LOWEST_RATE, highest_rate
from ddim_studio.jobs.interpolate import BATCH
from ddim_studio.jobs.orders import ImageInput
from ddim_studio.jobs.outputs import SUFFIXES, output_kind
from ddim_studio.jobs.path_files import (
    FPS,
    MAX_FRAMES,
    PATH_KINDS,
    InterpolateRun,
    Playing,
    interpolate_files_job,
    path_sink,
)
from ddim_studio.jobs.workbench import Workbench

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

SEED = re.compile(r"seed:(.*)", re.DOTALL)
EXAMPLES = (
    "ddim-studio interpolate coat.png dress.png --out walk.gif --ping-pong",
    "ddim-studio interpolate me.jpg seed:7 --frames 9 --out strip.png",
    "ddim-studio interpolate seed:0 seed:1 --path lerp --steps 20 --frames 101 --out frames.npz",
)


def parser(prog: str) -> Parser:
    """The options of the command."""
    found = Parser(prog, sentence(SUMMARIES["interpolate"]), EXAMPLES)
    preset = InterpolateRun()
    for name, which in (("A", "first"), ("B", "last")):
        found.add_argument(
            name.lower(),
            metavar=name,
            nargs="?",
            help=f"the {which} image: a picture of any size and kind, or seed:N for the noise of "
            f"a seed from 0 to {MAX_SEED}",
        )
    found.value(
        "--out",
        "FILE",
        "where to write",
        "FILE.gif, .webp, .mp4 or .apng for an animation; FILE.png for a strip of the frames side "
        "by side; FILE.npz for frames and x_T (N,C,H,W) and alphas (N,); it is replaced",
    )
    found.value(
        "--frames",
        "N",
        "how many frames; the first and the last are the reconstructions of A and B",
        f"a whole number from 2 to {MAX_FRAMES}",
        str(preset.frames),
    )
    found.value(
        "--path",
        "KIND",
        "the way between the latents: along the sphere on which noise lies, or straight",
        either(PATH_KINDS),
        preset.path,
    )
    found.switch("--ping-pong", "with an animation: go back to A rather than start there again")
    found.value(
        "--fps",
        "X",
        "with an animation: frames per second",
        f"a number from {LOWEST_RATE:g} to 120, for .gif to 50",
        f"{FPS:g}",
    )
    add_walk(found)
    add_rest(found, BATCH)
    return found


def command(prog: str, argv: Sequence[str]) -> int:
    """Interpolate as the options say.

    Returns:
        The exit code 0.

    Raises:
        UsageError: An option is wrong.
        ImageError: A picture cannot be read.
        FailureError: The run failed.
    """
    arguments = parser(prog).read(argv)
    refuse_what_has_no_inverse(arguments)
    seeds = [_read_end(name, getattr(arguments, name.lower())) for name in "AB"]
    try:
        playing = _check_output(arguments)
        batch_size = read_batch_size(arguments.batch_size, BATCH)
        fitting = picture_options(arguments)
        more = read_given(arguments, {"frames": whole, "path": str})
        named = {"a": _named(arguments.a), "b": _named(arguments.b)}
        run, info = planned_walk(arguments, InterpolateRun, **named, **more)
        tau_of(run.decoding(), info.timesteps)
        sink = path_sink(arguments.out, run, info.image_shape, playing)
    except SettingsError as error:
        raise usage(error) from error
    quiet = arguments.quiet
    paths = [
        Path(end)
        for end, seed in zip((arguments.a, arguments.b), seeds, strict=True)
        if seed is None
    ]
    pictures = iter(read_pictures(paths, info.image_shape, *fitting, quiet=quiet) if paths else ())
    a, b = (next(pictures) if seed is None else ImageInput(seed=seed) for seed in seeds)
    if not quiet:
        tell_unused(arguments, run)
    job = interpolate_files_job(run, (a, b), Workbench(), sink, batch_size)
    follow(job, "Interpolating", quiet=quiet)
    return FINISHED


def _read_end(name: str, text: str | None) -> int | None:
    """The seed that A or B names, or None where it is a file."""
    if not text:
        raise UsageError(f"{name} is missing: a picture, or seed:N for the noise of a seed")
    found = SEED.fullmatch(text)
    if found is None:
        return None
    seed = whole(found.group(1))
    try:
        check_whole("seed", seed, 0, MAX_SEED)
    except SettingsError as error:
        raise UsageError(f"{name}: {str(error).rstrip('.')}") from error
    return int(seed)


def _named(end: str) -> str:
    """An end so that it is found from any folder."""
    return end if SEED.fullmatch(end) else os.path.abspath(end)  # noqa: PTH100 (links stay)


def _check_output(arguments: Namespace) -> Playing:
    """Check the options about the output."""
    if arguments.out is None:
        raise UsageError(f"--out is missing: a file ending in {', '.join(SUFFIXES)}")
    kind = output_kind(arguments.out, folders=False)
    if kind != "animation":
        for flag, given in (("--ping-pong", arguments.ping_pong), ("--fps", arguments.fps)):
            if given:
                raise UsageError(f"{flag} needs an --out that is an animation: {arguments.out!r}")
        return Playing()
    fps = FPS if arguments.fps is None else real(arguments.fps)
    check_real("fps", fps, LOWEST_RATE, highest_rate(arguments.out))
    return Playing(float(fps), arguments.ping_pong)
