"""``ddim-studio models``: which models there are, and what each one is."""

from __future__ import annotations

import json
import textwrap
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from ddim_studio.cli.arguments import SUMMARIES, Parser, sentence, suggestion
from ddim_studio.cli.conversion import convert
from ddim_studio.cli.hub import download
from ddim_studio.cli.terminal import FINISHED, UsageError, say
from ddim_studio.models.catalog import bundled_models
from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.hub_cache import cached_models
from ddim_studio.models.loading import describe, load_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ddim_studio.models.info import ModelInfo

MAX_CHECKED_BYTES = 2_000_000_000
ACTIONS = {
    "list": "list the bundled models, and those downloaded from the hub",
    "info": "tell what a model is: images, size, schedule, prediction, licence",
    "download": "download a model from the hub, once you have seen its size and licence",
    "convert": "write a model of any kind as a clean diffusers folder",
}


def command(prog: str, argv: Sequence[str]) -> int:
    """List models, show the card of one, download or convert one.

    Returns:
        The exit code.

    Raises:
        UsageError: The action is unknown, or an option wrong.
        ModelError: The model cannot be opened, downloaded or converted.
        OSError: A folder cannot be written.
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
    actions = {"list": _list, "info": _info, "download": download, "convert": convert}
    return actions[action](f"{prog} {action}", rest)


def _help(prog: str) -> str:
    lines = [f"usage: {prog} {{{','.join(ACTIONS)}}} …", "", sentence(SUMMARIES["models"])]
    lines += ["", "actions:", *(f"  {name:10}{text}" for name, text in ACTIONS.items())]
    lines += ["", "options:", "  --help  show this help; each action has one of its own"]
    lines += ["", "examples:", f"  {prog} list", f"  {prog} info fashion-28 --json"]
    return "\n".join(lines)


def _list(prog: str, argv: Sequence[str]) -> int:
    parser = Parser(
        prog,
        "List the bundled models, the default one first, and those downloaded from the hub.",
        (prog,),
    )
    parser.switch("--json", "print a JSON list of cards")
    parser.switch("--debug", "show the traceback of a failure")
    arguments = parser.read(argv)
    cards = [describe(name) for name in bundled_models()] + list(_downloaded())
    if arguments.json:
        say(json.dumps([asdict(card) for card in cards], indent=2))
        return FINISHED
    width = max(len(card.source) for card in cards) if cards else 0
    for card in cards:
        say(excerpt(f"{card.source:{width}}  {_short(card)}", 5000))
    return FINISHED


def _downloaded() -> Iterator[ModelInfo]:
    """The cards of the models in the hub library's cache; what cannot be opened is left out."""
    for name in cached_models():
        with suppress(ModelError):
            yield describe(name.source)


def _info(prog: str, argv: Sequence[str]) -> int:
    parser = Parser(
        prog,
        "Tell what a model is, and check that its weights are whole, fit and are finite.\n"
        "Weights of more than 2 GB, and those that come with the program, are not checked.",
        (f"{prog} fashion-28", f"{prog} path/to/model --json"),
    )
    parser.add_argument(
        "model",
        metavar="M",
        nargs="?",
        help="the name of a model (see models list), a diffusers folder, or a checkpoint file",
    )
    parser.switch("--json", "print the card as a JSON object")
    parser.switch("--debug", "show the traceback of a failure")
    arguments = parser.read(argv)
    if arguments.model is None:
        raise UsageError(
            f"M is missing: the name of a bundled model ({', '.join(bundled_models())}) or a folder"
        )
    card = describe(arguments.model)
    checked = card.nbytes <= MAX_CHECKED_BYTES and card.source not in bundled_models()
    if checked:
        load_model(arguments.model, "cpu")
    values = asdict(card) | {"checked": checked}
    say(json.dumps(values, indent=2) if arguments.json else _long(card, checked=checked))
    return FINISHED


def _short(card: ModelInfo) -> str:
    rows = dict(card.lines())
    keys = ("Images", "Parameters", "Timesteps", "Licence")
    return " · ".join(rows[key] + (" parameters" if key == "Parameters" else "") for key in keys)


def _long(card: ModelInfo, *, checked: bool) -> str:
    rows = card.lines()
    if checked:
        rows.append(("Checked", "its weights are whole, fit the network and are finite"))
    width = max(len(label) for label, _ in rows)
    lines = [f"{label:{width}}  {excerpt(text, 5000)}" for label, text in rows]
    summary = textwrap.fill(excerpt(card.summary, 5000), 80)
    return "\n".join([*lines, "", summary] if summary else lines)
