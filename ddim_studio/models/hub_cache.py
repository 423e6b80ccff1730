"""Models of the Hugging Face hub that are on this computer: names and folders, no network.

The cache is the hub library's own, so that whatever another program has downloaded is found here,
and the other way round: ``models--owner--name/refs/main`` holds a commit, and the folder
``snapshots/<commit>`` links to the files of that commit.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.folder import STEM, VARIANT, WEIGHT_NAMES, read_folder

HUB_PREFIX = "hub:"
MAIN = "main"
COMMIT = re.compile(r"[0-9a-f]{40}")
_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}")
_STARTS = ("unet/", "")
"""What the names of the network's files begin with, in the pipeline and in the flat layout."""
NETWORKS = ("UNet2DModel", "UNetModel")


@dataclass(frozen=True)
class HubName:
    """The name of a model on the hub.

    Attributes:
        repo: ``owner/name``.
        revision: A branch, tag or commit; None for the main branch.
    """

    repo: str
    revision: str | None = None

    @property
    def source(self) -> str:
        """What `load_model` takes to open it."""
        return HUB_PREFIX + self.repo + (f"@{self.revision}" if self.revision else "")


def hub_name(text: str) -> HubName:
    """Read ``hub:owner/name`` or ``hub:owner/name@revision``; the prefix may be missing.

    Raises:
        ModelError: It is no such name.
    """
    name, mark, revision = text.strip().removeprefix(HUB_PREFIX).partition("@")
    parts = name.split("/")
    good = len(parts) == 2 and all(_is_part(part) for part in parts)
    if not good or (mark and not _is_revision(revision)):
        raise ModelError(
            f"'{excerpt(text, 200)}' is not the name of a model on the hub.",
            "Write its owner and its name, such as hub:google/ddpm-cifar10-32.",
        )
    return HubName(name, revision or None)


def _is_part(text: str) -> bool:
    return bool(_PART.fullmatch(text)) and "--" not in text and ".." not in text


def _is_revision(text: str) -> bool:
    return bool(_REVISION.fullmatch(text)) and ".." not in text and "//" not in text


def cache_root() -> Path:
    """The hub library's cache, as the environment says now."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return _path(os.environ[variable])
    if os.environ.get("HF_HOME"):
        return _path(os.environ["HF_HOME"]) / "hub"
    return _path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def _path(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser()


def repo_folder(repo: str) -> Path:
    """Where the cache keeps a model."""
    return cache_root() / f"models--{repo.replace('/', '--')}"


def cached_folder(name: HubName) -> Path | None:
    """The complete folder of a downloaded model, or None. No network is touched."""
    folder = repo_folder(name.repo)
    revision = name.revision or MAIN
    try:
        named = folder / "refs" / revision
        commit = named.read_text(encoding="utf-8").strip() if named.is_file() else revision
        if not COMMIT.fullmatch(commit):
            return None
        return read_folder(folder / "snapshots" / commit).path
    except (ModelError, OSError, ValueError):
        return None


def cached_models() -> list[HubName]:
    """The downloaded models that this program opens, by name."""
    try:
        folders = sorted(cache_root().glob("models--*--*"))
    except OSError:
        return []
    return [name for folder in folders if (name := _cached_model(folder)) is not None]


def _cached_model(folder: Path) -> HubName | None:
    try:
        name = hub_name("/".join(folder.name.removeprefix("models--").split("--")))
        snapshot = cached_folder(name)
        known = snapshot is not None and read_folder(snapshot).network.get("_class_name")
    except ModelError:
        return None
    return name if known in NETWORKS else None


def needed_files(names: set[str]) -> tuple[str, ...]:
    """Which of a model's files are needed to open it: small ones first, those of weights last.

    Nothing but configs, the card and tensors: no code, no other folder. Empty where no network of
    diffusers is among them.
    """
    for start in _STARTS:
        weights = _weights({name.removeprefix(start) for name in names if name.startswith(start)})
        if f"{start}config.json" in names and weights:
            small = (
                "README.md",
                "model_index.json",
                "scheduler/scheduler_config.json",
                "scheduler_config.json",
                f"{start}config.json",
            )
            return (*(name for name in small if name in names), *(start + file for file in weights))
    return ()


def _weights(names: set[str]) -> list[str]:
    """The files of weights that `read_folder` would take: one, or an index and its parts."""
    for name in WEIGHT_NAMES:
        if name in names:
            return [name]
        if f"{name}.index.json" in names:
            part = re.compile(rf"{STEM}-\d+-of-\d+\.{name.rpartition('.')[2]}")
            return [f"{name}.index.json", *sorted(filter(part.fullmatch, names))]
    variants = sorted(filter(VARIANT.fullmatch, names), key=_variant_rank)
    return variants[:1]


def _variant_rank(name: str) -> tuple[bool, bool, bool, str]:
    """Averaged weights come first, and safetensors before pickles, as `read_folder` has it."""
    return "non_ema" in name, ".ema." not in name, name.endswith(".bin"), name


def downloaded_folder(source: str) -> Path:
    """The folder of a model of the hub that was downloaded before.

    Raises:
        ModelError: It is no name of a model on the hub, or it is not on this computer yet.
    """
    name = hub_name(source)
    folder = cached_folder(name)
    if folder is None:
        raise ModelError(
            f"'{excerpt(name.source, 200)}' is not on this computer yet.",
            "Download it on the Models page, or with "
            f"'ddim-studio models download {excerpt(name.source, 200)}'.",
        )
    return folder
