"""What went wrong with the hub, in a sentence, and what to do about it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from ddim_studio.models.errors import ModelError, excerpt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.models.hub_cache import HubName

UNEXPECTED = (
    "The hub's answer is not what is expected of it.",
    "Check HF_ENDPOINT and the proxy, or try again later.",
)
_UNREACHABLE = (
    "The hub cannot be reached.",
    "Check the connection; models that are on this computer open without it.",
)
_LOG_IN = "log in with 'hf auth login', or set HF_TOKEN."
_NETWORK = {"TransportError", "StreamError", "ConnectionError", "LocalEntryNotFoundError"}
"""Names of exceptions of the network libraries that the hub's library has used over the years."""


def refuse_if_offline() -> None:
    """Raise where the user has switched the network off."""
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(variable, "").upper() in {"1", "ON", "YES", "TRUE"}:
            raise ModelError(*_offline(variable))


def _offline(variable: str) -> tuple[str, str]:
    message = f"The network stays unused: {variable} is set in the environment."
    return message, "Unset it and start the program again."


def is_of_the_network(error: Exception) -> bool:
    """Whether the connection failed, not the hub or the disk."""
    return bool({kind.__name__ for kind in type(error).__mro__} & _NETWORK)


def explained(error: Exception, name: HubName) -> ModelError:
    """What an exception of the hub's library, of its network library or of the disk means."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    shown = f"'{excerpt(name.repo, 200)}'"
    texts = _texts(shown, excerpt(name.revision or "main"))
    if type(error).__module__.startswith("filelock"):
        return ModelError(f"Another program is downloading {shown}.", "Wait until it is done.")
    known = next((kind for kind in kinds if kind in texts), None)
    if known is not None:
        return ModelError(*texts[known])
    if "HfHubHTTPError" in kinds:
        return _http_error(error, shown)
    if is_of_the_network(error):
        return ModelError(*_UNREACHABLE)
    return _disk_error(error) if isinstance(error, OSError) else ModelError(*UNEXPECTED)


def _texts(shown: str, revision: str) -> dict[str, tuple[str, str]]:
    """Message and advice by the name of an exception of the hub's library, subclasses first."""
    return {
        "OfflineModeIsEnabled": _offline("HF_HUB_OFFLINE"),
        "GatedRepoError": (
            f"{shown} is gated: its owner lets only those in who have accepted its terms.",
            f"Accept them on its page of the hub, then {_LOG_IN}",
        ),
        "RevisionNotFoundError": (
            f"{shown} has no revision '{revision}'.",
            "Leave the revision out, or give a branch, a tag or a commit of it.",
        ),
        "RepositoryNotFoundError": (
            f"There is no model {shown} on the hub, or it is private.",
            f"Check the name; for a private one, {_LOG_IN}",
        ),
        "RemoteEntryNotFoundError": (
            f"The hub no longer has every file of {shown}.",
            "Look the model up again.",
        ),
    }


def _http_error(error: Exception, shown: str) -> ModelError:
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if status in {401, 403}:
        return ModelError(
            f"The hub does not let you have {shown}.",
            f"Check the token that you use, or {_LOG_IN}",
        )
    if status == 429:
        return ModelError("The hub has had too many requests from here.", "Try again later.")
    return ModelError(f"The hub has trouble of its own (status {status}).", "Try again later.")


def _disk_error(error: OSError) -> ModelError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(None, None)
    reason = error.strerror or "unknown reason"
    return ModelError(
        f"The cache of downloaded models cannot be used: {reason}.",
        "Check the folder that HF_HOME names, or set it to another one.",
    )


def disk_full(needed: int | None, free: int | None) -> ModelError:
    """The download does not fit on the disk; how many bytes it needs, and how many are free."""
    sizes = (
        ""
        if needed is None or free is None
        else (f": {needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free")
    )
    return ModelError(
        f"The disk is full{sizes}.",
        "Free some space, or set HF_HOME to a folder on another disk; what has arrived is kept.",
    )


def damaged(file: str) -> ModelError:
    """What has arrived is not the file that the hub promised."""
    return ModelError(
        f"{excerpt(file)} arrived damaged: its checksum is not the one that the hub states.",
        "Download it again; nothing of the damaged file was kept.",
    )


def broken_off(done: int, total: int) -> ModelError:
    """The connection ended too early."""
    return ModelError(
        f"The connection broke off after {done / 1e6:.1f} of {total / 1e6:.1f} MB.",
        "Download again: it goes on where it stopped.",
    )


def unsuitable(name: HubName, library: str, task: str, parts: Sequence[str]) -> ModelError:
    """A model of another kind, said by what it is.

    Args:
        name: The model.
        library: The class or the library that it was made with, or nothing.
        task: What it is for, such as "text-to-image", or nothing.
        parts: Its folders that an unconditional pixel-space model does not have.
    """
    what = f"made for {excerpt(library)}" if library else ""
    task = f"a model for {excerpt(task).replace('-', ' ')}" if task else ""
    inside = f"with the parts {', '.join(part.rstrip('/') for part in parts)}" if parts else ""
    facts = ", ".join(fact for fact in (task, what, inside) if fact)
    return ModelError(
        f"'{excerpt(name.repo, 200)}' does not open here: it is "
        + (f"{facts}." if facts else "no diffusion model in diffusers' format."),
        "Unconditional models of pixels open: a UNet2DModel of diffusers, as in DDPMPipeline.",
    )
