"""The diffusers folder: which of its files hold the network's config, its weights, the schedule.

Two layouts are in use: the pipeline layout (``model_index.json``, ``unet/``, ``scheduler/``) and
the flat one, with ``config.json`` beside the weights.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddim_studio.models.errors import ModelError, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_CONFIG_BYTES = 1_000_000
STEM = "diffusion_pytorch_model"
WEIGHT_NAMES = (f"{STEM}.safetensors", f"{STEM}.bin")
MAX_SHARDS = 1000
PIPELINES = ("DDPMPipeline", "DDIMPipeline", "PNDMPipeline")
PART = re.compile(r"[\w-][\w.-]{0,200}\.(safetensors|bin)")
VARIANT = re.compile(rf"{STEM}\.((?!.*-of-)[\w-]{{1,40}})\.(safetensors|bin)")
VARIANT_INDEX = re.compile(rf"{STEM}\.(safetensors|bin)\.index\.([\w-]{{1,40}})\.json")


@dataclass(frozen=True)
class ModelFolder:
    """A diffusers folder whose files are known.

    Attributes:
        path: The folder.
        layout: "pipeline" or "flat".
        network: Contents of the network's ``config.json``.
        scheduler: Contents of ``scheduler_config.json``, empty where there is none.
        weights: The files of weights: one, or the parts that an index names.
        card: Text of its ``README.md``, or empty.
        variant: Which of several precisions the weights are, such as "fp16"; may be empty.
    """

    path: Path
    layout: str
    network: dict[str, Any]
    scheduler: dict[str, Any]
    weights: tuple[Path, ...]
    card: str
    variant: str = ""


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
        _refuse_pipeline(path)
        raise ModelError(
            f"The folder {excerpt(path.name)!r} holds no diffusers model: there is no config.json "
            "in it, nor in a folder unet, and no checkpoint file.",
            "Give the folder that diffusers' save_pretrained wrote, or a checkpoint file.",
        )
    network = read_json(network_folder / "config.json")
    layout = "pipeline" if pipeline else "flat"
    weights, variant = _weights(network_folder)
    return ModelFolder(path, layout, network, _scheduler(path), weights, _card(path), variant)


def _refuse_pipeline(path: Path) -> None:
    """Raise if a folder holds a pipeline of diffusers with another network."""
    if (path / "model_index.json").is_file():
        name = read_json(path / "model_index.json").get("_class_name")
        if name in PIPELINES:
            return  # one of this kind, of which the network is missing
        raise ModelError(
            f"The folder {excerpt(path.name)!r} holds a {excerpt(name)}, in which there is no "
            "UNet2DModel.",
            "Give a pipeline whose folder unet holds a network that draws pixels.",
        )


def is_diffusers_folder(path: Path) -> bool:
    """Whether a folder has the config of a network where diffusers puts it."""
    try:
        return any((path / name / "config.json").is_file() for name in (".", "unet"))
    except OSError as error:
        raise ModelError(f"{str(path)!r} cannot be read: {error.strerror}.") from error


def _weights(folder: Path) -> tuple[tuple[Path, ...], str]:
    """The files of weights and their variant; the plain names win over variants."""
    for name in WEIGHT_NAMES:
        if (folder / name).is_file():
            return (folder / name,), ""
        if (index := folder / f"{name}.index.json").is_file():
            return _shards(index), ""
    for path in sorted(folder.iterdir(), key=_variant_rank):
        if (match := VARIANT.fullmatch(path.name)) and path.is_file():
            return (path,), match[1]
        if match := VARIANT_INDEX.fullmatch(path.name):
            return _shards(path), match[2]
    raise ModelError(
        f"The weights are missing: there is no {WEIGHT_NAMES[0]} in {excerpt(str(folder), 200)!r}.",
        "Copy or download the model's folder again, with its large files.",
    )


def _variant_rank(path: Path) -> tuple[bool, bool, bool, str]:
    """Averaged weights (ema) come first, and safetensors before pickles."""
    name = path.name
    return "non_ema" in name, ".ema." not in name, path.suffix == ".bin", name


def _shards(index: Path) -> tuple[Path, ...]:
    """The files that the index of a model in several parts names, all in its own folder."""
    places = read_json(index).get("weight_map")
    names: set[str] = set()
    if isinstance(places, dict) and all(map(_is_plain_name, places.values())):
        names = set(places.values())
    if not 1 <= len(names) <= MAX_SHARDS:
        raise ModelError(
            f"{index.name} is damaged: it does not say which files hold the weights.",
            "Copy or download the model again.",
        )
    for name in sorted(names):
        if not (index.parent / name).is_file():
            raise ModelError(
                f"The weights are incomplete: {excerpt(name)}, one of {len(names)} parts, is "
                "missing.",
                "Copy or download the model's folder again, with its large files.",
            )
    return tuple(index.parent / name for name in sorted(names))


def _is_plain_name(name: object) -> bool:
    """Whether it is the name of a file of weights, which leads out of no folder."""
    return isinstance(name, str) and PART.fullmatch(name) is not None


def _scheduler(path: Path) -> dict[str, Any]:
    for candidate in (path / "scheduler" / "scheduler_config.json", path / "scheduler_config.json"):
        if candidate.is_file():
            return read_json(candidate)
    return {}


def _card(path: Path) -> str:
    card = path / "README.md"
    try:
        if not card.is_file() or not card.stat().st_size:
            return ""
        with card.open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_CONFIG_BYTES)
    except OSError:
        return ""


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a small file.

    Raises:
        ModelError: The file is too large, unreadable, or holds something else.
    """
    try:
        if not path.is_file():  # a pipe could be waited for and a device be read for ever
            raise ModelError(f"{path.name} is neither a file nor a link to one.")
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ModelError(f"{path.name} is too large to be a config.")
        text = path.read_text(encoding="utf-8") if path.stat().st_size else ""
        values = json.loads(text, object_pairs_hook=entries_once(path.name))
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{path.name} is damaged: it is not JSON.", "Copy or download the model again."
        ) from error
    if not isinstance(values, dict):
        raise ModelError(f"{path.name} is not a config: it holds no JSON object.")
    return values


def entries_once(file: str) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Makes the objects of a JSON file, and refuses those with an entry that stands there twice.

    Args:
        file: Its name.
    """

    def made(entries: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(entries)
        if len(values) < len(entries):
            twice, _ = Counter(name for name, _ in entries).most_common(1)[0]
            raise ModelError(
                f"{excerpt(file)} is damaged: it has the entry {excerpt(twice)} twice.",
                "Copy or download the model again.",
            )
        return values

    return made


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
