"""``ddim-studio models``: which models there are, and what each one is."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

from ddim_studio.cli.arguments import SUMMARIES, Parser, sentence, suggestion
from ddim_studio.cli.terminal import FINISHED, UsageError, say
from ddim_studio.models.catalog import bundled_models
from ddim_studio.models.loading import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.models.info import ModelInfo

ACTIONS = {
    "list": "list the bundled models",
    "info": "tell what a model is: images, size, schedule, prediction, licence",
}


def command(prog: str, argv: Sequence[str]) -> int:
    """List models, or show the card of one.

    Returns:
        The exit code 0.

    Raises:
        UsageError: The action is unknown, or an option wrong.
        ModelError: The model cannot be opened.
    """
    action, rest = (argv[0], argv[1:]) if argv else ("", ())
    if action in {"-h", "--help"}:
        say(_help(prog))
        return FINISHED
    if action not in ACTIONS:
        problem = (
            f"unknown action {action!r}{suggestion(action, ACTIONS)}" if action else "no action"
        )
        raise UsageError(f"{problem}: give {' or '.join(ACTIONS)}")
    return _list(f"{prog} list", rest) if action == "list" else _info(f"{prog} info", rest)


def _help(prog: str) -> str:
    lines = [f"usage: {prog} {{{','.join(ACTIONS)}}} …", "", sentence(SUMMARIES["models"])]
    lines += ["", "actions:", *(f"  {name:6}{text}" for name, text in ACTIONS.items())]
    lines += ["", "options:", "  --help  show this help; each action has one of its own"]
    lines += ["", "examples:", f"  {prog} list", f"  {prog} info fashion-28 --json"]
    return "\n".join(lines)


def _list(prog: str, argv: Sequence[str]) -> int:
    parser = Parser(prog, "List the bundled models, the default one first.", (prog,))
    parser.switch("--json", "print a JSON list of cards")
    parser.switch("--debug", "show the traceback of a failure")
    arguments = parser.read(argv)
    cards = [describe(name) for name in bundled_models()]
    if arguments.json:
        say(json.dumps([asdict(card) for card in cards], indent=2))
        return FINISHED
    width = max(len(card.name) for card in cards) if cards else 0
    for card in cards:
        say(f"{card.name:{width}}  {_short(card)}")
    return FINISHED


def _info(prog: str, argv: Sequence[str]) -> int:
    parser = Parser(
        prog,
        "Tell what a model is. Its weights are not loaded.",
        (f"{prog} fashion-28", f"{prog} path/to/model --json"),
    )
    parser.add_argument(
        "model",
        metavar="M",
        nargs="?",
        help="the name of a bundled model (see models list), or the folder of a diffusers model",
    )
    parser.switch("--json", "print the card as a JSON object")
    parser.switch("--debug", "show the traceback of a failure")
    arguments = parser.read(argv)
    if arguments.model is None:
        raise UsageError(
            f"M is missing: the name of a bundled model ({', '.join(bundled_models())}) or a folder"
        )
    card = describe(arguments.model)
    say(json.dumps(asdict(card), indent=2) if arguments.json else _long(card))
    return FINISHED


def _short(card: ModelInfo) -> str:
    rows = dict(card.lines())
    keys = ("Images", "Parameters", "Timesteps", "Licence")
    return " · ".join(rows[key] + (" parameters" if key == "Parameters" else "") for key in keys)


def _long(card: ModelInfo) -> str:
    rows = card.lines()
    width = max(len(label) for label, _ in rows)
    lines = [f"{label:{width}}  {text}" for label, text in rows]
    return "\n".join(lines + (["", textwrap.fill(card.summary, 80)] if card.summary else []))
