"""Looking up a model of the Hugging Face hub: size, licence and kind, before anything is fetched.

This and `ddim_studio.models.hub_download` are all that uses the network, and nothing in them runs
unless the user asks for this very model.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.folder import PIPELINES
from ddim_studio.models.hub_cache import (
    COMMIT,
    HubName,
    hub_name,
    needed_files,
    repo_folder,
)
from ddim_studio.models.hub_errors import UNEXPECTED, explained, refuse_if_offline, unsuitable

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 10.0
"""How long the hub may be silent: dead, it costs this and not a minute."""
MAX_FILES = 100_000
_ETAG = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_OTHER_PARTS = ("vae/", "vqvae/", "text_encoder/", "bert/", "transformer/", "prior/", "movq/")


class HubFile(NamedTuple):
    """A file of a model.

    Attributes:
        name: Its path inside the model.
        size: In bytes.
        etag: The checksum of its contents: SHA-256, or that of git for small files.
    """

    name: str
    size: int
    etag: str


@dataclass(frozen=True)
class HubInfo:
    """What there is to know of a model before anything of it is fetched.

    Attributes:
        name: Owner, name and the revision asked for.
        commit: What that revision is now.
        files: Those that are needed, in the order to fetch them.
        cached: How many of their bytes are here already.
        licence: As its card says, or "not stated".
        summary: What kind of model it is, and how old, in a line.
        gated: Whether its owner lets only people in who accepted terms.
    """

    name: HubName
    commit: str
    files: tuple[HubFile, ...]
    cached: int
    licence: str
    summary: str
    gated: bool = False

    @property
    def nbytes(self) -> int:
        """Size of all files, in bytes."""
        return sum(file.size for file in self.files)


def endpoint() -> str:
    """Address of the hub, as the environment says now."""
    from huggingface_hub import constants

    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def hub_info(source: str) -> HubInfo:
    """Ask the hub what a model is. This uses the network, and fetches no file.

    Args:
        source: ``hub:owner/name`` or ``hub:owner/name@revision``.

    Raises:
        ModelError: The hub cannot be reached, has no such model, or it is none that opens here.
    """
    name = hub_name(source)
    refuse_if_offline()
    from huggingface_hub import HfApi

    try:
        api = HfApi(endpoint=endpoint(), library_name="ddim-studio")
        answer = api.model_info(
            name.repo, revision=name.revision, timeout=SECONDS, files_metadata=True
        )
        return _info(name, answer)
    except ModelError:
        raise
    except Exception as error:  # the library raises those of several others
        raise explained(error, name) from error


def _info(name: HubName, answer: Any) -> HubInfo:  # noqa: ANN401 (the library's own class)
    siblings = {file.rfilename: file for file in (answer.siblings or [])[:MAX_FILES]}
    wanted = needed_files(set(siblings))
    kind = _pipeline(answer)
    parts = [part for part in _OTHER_PARTS if any(file.startswith(part) for file in siblings)]
    if not wanted or parts or (kind and kind not in PIPELINES and "UNet2DModel" not in kind):
        raise unsuitable(name, kind or answer.library_name or "", answer.pipeline_tag or "", parts)
    files = tuple(_file(siblings[file]) for file in wanted)
    if not COMMIT.fullmatch(answer.sha or ""):
        raise ModelError(*UNEXPECTED)
    return HubInfo(
        name,
        answer.sha,
        files,
        sum(_here(name, file) for file in files),
        _licence(answer),
        _summary(answer, kind),
        bool(answer.gated),
    )


def _pipeline(answer: Any) -> str:  # noqa: ANN401
    """The class that diffusers builds of it, as the hub read it from the configs, or nothing."""
    config = answer.config if isinstance(answer.config, dict) else {}
    about = config.get("diffusers")
    kind = about.get("_class_name") if isinstance(about, dict) else ""
    return excerpt(kind) if isinstance(kind, str) else ""


def _file(sibling: Any) -> HubFile:  # noqa: ANN401
    lfs = sibling.lfs
    etag = lfs.sha256 if lfs is not None else sibling.blob_id
    if not isinstance(etag, str) or not _ETAG.fullmatch(etag):  # it becomes the name of a file
        raise ModelError(*UNEXPECTED)
    if type(sibling.size) is not int or sibling.size < 0:
        raise ModelError(*UNEXPECTED)
    return HubFile(sibling.rfilename, sibling.size, etag)


def _licence(answer: Any) -> str:  # noqa: ANN401
    card = answer.card_data
    stated = card.get("license") if card is not None else None
    tags = [tag.partition(":")[2] for tag in answer.tags or [] if tag.startswith("license:")]
    names = stated if isinstance(stated, list) else [stated] if stated else tags
    return excerpt(", ".join(map(str, names))) if names else "not stated"


def _summary(answer: Any, kind: str) -> str:  # noqa: ANN401
    day = answer.last_modified
    loads = answer.downloads
    facts = (
        (answer.pipeline_tag or "").replace("-", " "),
        f"diffusers {kind}" if kind else answer.library_name or "",
        f"changed {day:%B %Y}" if day is not None else "",
        f"{loads:,} downloads a month" if isinstance(loads, int) and loads > 0 else "",
    )
    return " · ".join(excerpt(fact) for fact in facts if fact)


def _here(name: HubName, file: HubFile) -> int:
    """How many bytes of a file are in the cache."""
    blob = repo_folder(name.repo) / "blobs" / file.etag
    for path in (blob, part_of(blob)):
        if path.is_file():
            return min(path.stat().st_size, file.size)
    return 0


def part_of(blob: Path) -> Path:
    """Where a file is kept while it is incomplete."""
    return blob.with_name(f"{blob.name}.incomplete")
