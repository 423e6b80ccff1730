"""``ddim-studio models download``: a model of the hub, shown before it is fetched."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ddim_studio.cli.arguments import Parser
from ddim_studio.cli.progress import follow
from ddim_studio.cli.terminal import FAILED, FINISHED, UsageError, say, tell
from ddim_studio.jobs.hub import DownloadOrder, download_job
from ddim_studio.models.errors import ModelError
from ddim_studio.models.hub import hub_info
from ddim_studio.models.hub_cache import HUB_PREFIX, HubName, cached_folder, hub_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.models.hub import HubInfo


def download(prog: str, argv: Sequence[str]) -> int:
    """Say what a model of the hub is, ask, and download it.

    Returns:
        The exit code: 0 when the model is on this computer, 1 when the answer was no.

    Raises:
        UsageError: The name is missing or wrong, or there is nobody to ask.
        ModelError: The hub cannot be reached, or has no such model.
        FailureError: The download failed.
    """
    arguments = _parser(prog).read(argv)
    name = _name(arguments.model, arguments.revision)
    if not (arguments.yes or sys.stdin.isatty()):
        raise UsageError("--yes is needed where there is no terminal to ask on")
    info = hub_info(name.source)
    say("\n".join(f"{label:8}  {text}" for label, text in lines(info)))
    if cached_folder(name) == cached_folder(HubName(name.repo, info.commit)) is not None:
        say(f"It is on this computer already: --model {name.source}")
        return FINISHED
    if not (arguments.yes or _agreed(info)):
        tell("Nothing was downloaded.")
        return FAILED
    follow(download_job(DownloadOrder(info)), "Downloading", quiet=arguments.quiet)
    say(f"Downloaded: --model {name.source}")
    return FINISHED


def _parser(prog: str) -> Parser:
    parser = Parser(
        prog,
        "Download a model of the Hugging Face hub into the hub library's own cache.\n"
        "Its size and its licence are shown, and you are asked, before anything is fetched. "
        "A download\nthat was interrupted goes on where it stopped. Without this command the "
        "network is never used.",
        (f"{prog} hub:google/ddpm-cifar10-32", f"{prog} hub:google/ddpm-cifar10-32 --yes"),
    )
    parser.add_argument("model", metavar="M", nargs="?", help="hub:owner/name")
    parser.value("--revision", "R", "which version of it", "a branch, tag or commit", "main")
    parser.switch("--yes", "do not ask")
    parser.switch("--quiet", "no progress bar")
    parser.switch("--debug", "show the traceback of a failure")
    return parser


def _name(text: str | None, revision: str | None) -> HubName:
    """The model of a command line.

    Raises:
        UsageError: It is missing, is no name of a model on the hub, or has two revisions.
    """
    if text is None:
        raise UsageError(f"M is missing: give {HUB_PREFIX}owner/name")
    if revision is not None and "@" in text:
        raise UsageError("--revision stands beside M@R: give one of them")
    try:
        return hub_name(text if revision is None else f"{text}@{revision}")
    except ModelError as error:
        raise UsageError(f"{error} {error.advice}") from error


def lines(info: HubInfo) -> list[tuple[str, str]]:
    """Label and text of what is known of a model before it is downloaded."""
    here = f", {info.cached / 1e6:.1f} MB of them here already" if info.cached else ""
    rows = [
        ("Name", info.name.repo),
        ("Kind", info.summary or "not stated"),
        ("Size", f"{info.nbytes / 1e6:.1f} MB in {len(info.files)} files{here}"),
        ("Licence", info.licence),
        ("Commit", info.commit),
    ]
    gated = "Its owner lets only those in who have accepted its terms on the hub."
    return [*rows, ("Note", gated)] if info.gated else rows


def _agreed(info: HubInfo) -> bool:
    """Whether the user, asked on the terminal, wants the model."""
    missing = (info.nbytes - info.cached) / 1e6
    sys.stderr.write(f"Download {missing:.1f} MB? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
