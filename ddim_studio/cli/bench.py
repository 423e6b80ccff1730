"""``ddim-studio bench``: what this machine does, beside the bare network and beside diffusers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ddim_studio.cli.arguments import SUMMARIES, Parser, sentence, usage, whole, whole_list
from ddim_studio.cli.planning import read_given
from ddim_studio.cli.sampler_options import add_device, add_manners, add_source
from ddim_studio.cli.terminal import FINISHED, say, tell
from ddim_studio.diffusion.settings import SettingsError
from ddim_studio.jobs.bench import Bench, BenchOrder
from ddim_studio.jobs.models import ModelCache
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.models.loading import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddim_studio.jobs.bench import BenchRow

EXAMPLES = (
    "ddim-studio bench",
    "ddim-studio bench --batches 1,64 --steps 20 --rounds 9",
    "ddim-studio bench --model my-model/ --device cuda --json > bench.json",
)
READERS: Final[dict[str, Callable[[str], Any]]] = {
    "model": str,
    "device": str,
    "batches": whole_list,
    "steps": whole,
    "rounds": whole,
}
HEADS: Final = ("", "ms/call", "min–max", "images/s", "ratio", "|Δpixel|")
WIDTHS: Final = (26, 9, 17, 9, 7, 9)


def parser(prog: str) -> Parser:
    """The options of the command."""
    found = Parser(prog, sentence(SUMMARIES["bench"]), EXAMPLES)
    preset, number = BenchOrder(), "a whole number from 1"
    add_source(found, SampleRun())
    add_device(found, SampleRun())
    found.value(
        "--batches",
        "LIST",
        "how many images go through the network at once; each is a table",
        "whole numbers from 1, with commas between",
        ",".join(map(str, preset.batches)),
    )
    found.value("--steps", "S", "S, how many timesteps", f"{number} to T", str(preset.steps))
    found.value(
        "--rounds",
        "N",
        f"how often each is timed, unless a table takes {preset.seconds:.0f} seconds",
        number,
        str(preset.rounds),
    )
    found.switch("--json", "write JSON in place of tables")
    add_manners(found)
    return found


def command(prog: str, argv: Sequence[str]) -> int:
    """Measure as the options say.

    Returns:
        The exit code 0.

    Raises:
        UsageError: An option is wrong.
        ModelError: There is no such model or device.
    """
    arguments = parser(prog).read(argv)
    try:
        order = BenchOrder(**read_given(arguments, READERS))
    except SettingsError as error:
        raise usage(error) from error
    describe(order.model)  # a wrong name is told before torch is imported
    bench = Bench(order, ModelCache(1))
    machine, every = bench.machine(), []
    if not arguments.json:
        say(_head(machine))
    for rows in bench.rows():
        every += rows
        if not arguments.json:
            say(_table(rows, order.steps))
    if arguments.json:
        values = {**machine, "rows": [row.to_dict() for row in every], "notes": bench.notes}
        say(json.dumps(values, indent=1, ensure_ascii=False))
    elif not arguments.quiet:
        for note in bench.notes:
            tell(note)
    return FINISHED


def _head(machine: dict[str, Any]) -> str:
    threads = f", {machine['threads']} of {machine['cores']} cores"
    on_cpu = str(machine["device"]).startswith("cpu")
    return (
        f"{machine['model']} ({machine['parameters'] / 1e6:.1f} million parameters) on "
        f"{machine['device']}: {machine['processor']}{threads if on_cpu else ''}, "
        f"torch {machine['torch']}"
    )


def _table(rows: Sequence[BenchRow], steps: int) -> str:
    """The rows of one batch, as text."""
    images = "image" if rows[0].batch == 1 else "images"
    lines = [
        "",
        f"Batches of {rows[0].batch} {images}, S = {steps}, medians of {rows[0].rounds} rounds",
        _line(HEADS),
    ]
    for row in rows:
        spread = f"{row.low:.1f}–{row.high:.1f}"
        change = "" if row.change is None else f"{row.change:.3f}"
        cells = (f"{row.milliseconds:.2f}", spread, f"{row.images_per_second:.2f}")
        lines.append(_line((row.name, *cells, f"{row.ratio:.2f}", change)))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    first, *others = zip(cells, WIDTHS, strict=True)
    return f"  {first[0]:{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in others)
