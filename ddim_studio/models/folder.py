"""The diffusers folder: which of its files hold the network's config, its weights, the schedule.

Two layouts are in use: the pipeline layout (``model_index.json``, ``unet/``, ``scheduler/``) and
the flat one, with ``config.json`` beside the weights.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddim_studio.models.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

MAX_CONFIG_BYTES = 1_000_000
WEIGHT_NAMES = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")


@dataclass(frozen=True)
class ModelFolder:
    """A diffusers folder whose files are known.

    Attributes:
        path: The folder.
        layout: "pipeline" or "flat".
        network: Contents of the network's ``config.json``.
        scheduler: Contents of ``scheduler_config.json``, empty where there is none.
        weights: The file of weights.
        card: Text of its ``README.md``, or empty.
    """

    path: Path
    layout: str
    network: dict[str, Any]
    scheduler: dict[str, Any]
    weights: Path
    card: str


def read_folder(path: Path) -> ModelFolder:
    """Find and read the small files of a diffusers folder.

    Raises:
        ModelError: It is no such folder, a file is missing, or one is unreadable.
    """
    try:
        return _read_folder(path)
    except OSError as error:  # a folder that this user may not enter
        raise ModelError(f"{str(path)!r} cannot be read: {error.strerror}.") from error


def _read_folder(path: Path) -> ModelFolder:
    pipeline = (path / "unet" / "config.json").is_file()
    network_folder = path / "unet" if pipeline else path
    if not (network_folder / "config.json").is_file():
        raise ModelError(
            f"The folder {path.name!r} holds no diffusers model: there is no config.json in it, "
            "nor in a folder unet.",
            "Give the folder that diffusers' save_pretrained wrote.",
        )
    network = read_json(network_folder / "config.json")
    return ModelFolder(
        path,
        "pipeline" if pipeline else "flat",
        network,
        _scheduler(path),
        _weights(network_folder),
        _card(path),
    )


def _weights(folder: Path) -> Path:
    for name in WEIGHT_NAMES:
        if (folder / name).is_file():
            return folder / name
    raise ModelError(
        f"The weights are missing: there is no {WEIGHT_NAMES[0]} in {str(folder)!r}.",
        "Copy or download the model's folder again, with its large files.",
    )


def _scheduler(path: Path) -> dict[str, Any]:
    for candidate in (path / "scheduler" / "scheduler_config.json", path / "scheduler_config.json"):
        if candidate.is_file():
            return read_json(candidate)
    return {}


def _card(path: Path) -> str:
    try:
        with (path / "README.md").open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_CONFIG_BYTES)
    except OSError:
        return ""


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a small file.

    Raises:
        ModelError: The file is too large, unreadable, or holds something else.
    """
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ModelError(f"{path.name} is too large to be a config.")
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{path.name} is damaged: it is not JSON.", "Copy or download the model again."
        ) from error
    if not isinstance(values, dict):
        raise ModelError(f"{path.name} is not a config: it holds no JSON object.")
    return values


def licence_of(card: str) -> str:
    """The licence that a card's front matter names, or "not stated"."""
    for line in _front_matter(card):
        key, _, value = line.partition(":")
        if key.strip() in {"license", "licence"} and value.strip():
            return value.strip()[:80]
    return "not stated"


def summary_of(card: str) -> str:
    """The first paragraph of a card, without its front matter and headings."""
    skipped = _front_matter(card)
    body = "\n".join(card.splitlines()[len(skipped) + 2 if skipped else 0 :])
    for paragraph in body.split("\n\n"):
        text = " ".join(paragraph.split())
        if text and not text.startswith(("#", "|", "!", "<", "```")):
            return text[:600]
    return ""


def _front_matter(card: str) -> list[str]:
    lines = card.splitlines()
    if not lines or lines[0].strip() != "---":
        return []
    for end, line in enumerate(lines[1:], start=1):
        if line.strip() == "---":
            return lines[1:end]
    return []
