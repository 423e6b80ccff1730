"""The command line: finds the command, and turns whatever ends it into an exit code."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import ddim_studio
from ddim_studio.cli.arguments import SUMMARIES, suggestion
from ddim_studio.cli.terminal import FINISHED, PROGRAM, UsageError, guarded, say

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments after the program's name, those of the process by default.

    Returns:
        0 finished, 1 failed, 2 wrong usage, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else ""
    shown = f"{PROGRAM} {name}" if name in SUMMARIES else PROGRAM
    debug = "--debug" in arguments
    return guarded(shown, lambda: _dispatch(name, arguments[1:]), debug=debug)


def _dispatch(name: str, rest: Sequence[str]) -> int:
    if name in {"-h", "--help"}:
        say(_help())
    elif name == "--version":
        say(f"{PROGRAM} {ddim_studio.__version__}")
    elif name in SUMMARIES:
        return _run(name, rest)
    else:
        kind = "option" if name.startswith("-") else "command"
        raise UsageError(
            f"unknown {kind} {name!r}{suggestion(name, SUMMARIES)}: "
            f"give {', '.join(SUMMARIES)}, --help or --version"
        )
    return FINISHED


def _run(name: str, rest: Sequence[str]) -> int:
    module = importlib.import_module(f"ddim_studio.cli.{name}")
    try:
        code: int = module.command(f"{PROGRAM} {name}", rest)
    except SystemExit:  # how argparse ends after --help
        return FINISHED
    return code


def _help() -> str:
    lines = [
        f"usage: {PROGRAM} [COMMAND …]",
        "",
        "A microscope for denoising diffusion. Without a command it opens its window.",
        "",
        "commands:",
        *(f"  {name:13}{text}" for name, text in SUMMARIES.items()),
        "",
        "options:",
        "  --help    show this help; each command has one of its own",
        "  --version show the version",
        "",
        "examples:",
        f"  {PROGRAM}",
        f"  {PROGRAM} sample --steps 50 --seed 0 --count 16 --out sheet.png",
        f"  {PROGRAM} invert photo.jpg --out inversion/",
        f"  {PROGRAM} interpolate coat.png dress.png --out walk.gif --ping-pong",
        f"  {PROGRAM} compare --rows eta=0,0.5,1 --columns steps=10,20,50 --out figure.pdf",
        f"  {PROGRAM} restore photo.png --task inpaint --mask hole.png --out filled.png",
        f"  {PROGRAM} models info fashion-28",
        f"  {PROGRAM} bench",
        "",
        "exit codes: 0 finished, 1 failed, 2 wrong usage, 130 interrupted",
    ]
    return "\n".join(lines)
