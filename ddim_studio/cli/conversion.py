"""``ddim-studio models convert``: a model that diffusers can hold, as a clean diffusers folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddim_studio.cli.arguments import Parser
from ddim_studio.cli.terminal import FINISHED, UsageError, say, tell
from ddim_studio.models.convert import convert as write

if TYPE_CHECKING:
    from collections.abc import Sequence


def convert(prog: str, argv: Sequence[str]) -> int:
    """Convert a model as the options say.

    Returns:
        The exit code 0.

    Raises:
        UsageError: A path is missing, or an option wrong.
        ModelError: The model cannot be opened, or not be converted.
        OSError: The folder cannot be written.
    """
    parser = Parser(
        prog,
        "Write a model as a diffusers folder with safetensors, opened again and compared.",
        (f"{prog} model-790000.ckpt cifar10", f"{prog} old-folder clean-folder --force"),
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help="the name of a model (see models list), a diffusers folder, or a checkpoint file",
    )
    parser.add_argument(
        "destination", metavar="DEST", nargs="?", help="the folder to write; it must not exist"
    )
    parser.switch("--force", "replace a model that is at DEST")
    parser.switch("--quiet", "say nothing of what the model is")
    parser.switch("--debug", "show the traceback of a failure")
    arguments = parser.read(argv)
    for name, value in (("SOURCE", arguments.source), ("DEST", arguments.destination)):
        if not value:
            raise UsageError(f"{name} is missing: give the model, and the folder to write")
    card = write(arguments.source, arguments.destination, force=arguments.force)
    if not arguments.quiet:
        for note in card.notes:
            tell(note)
    say(card.source)
    return FINISHED
