"""Where models come from: the bundled ones by name, others by path."""

from __future__ import annotations

from pathlib import Path

from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.storage import resources

DEFAULT_MODEL = "fashion-28"
HUB_PREFIX = "hub:"


def bundled_models() -> dict[str, Path]:
    """The models that come with the program, by name, the default one first."""
    folders = [path for path in sorted((resources() / "models").glob("*")) if path.is_dir()]
    folders.sort(key=lambda path: path.name != DEFAULT_MODEL)
    return {path.name: path for path in folders}


def resolve(source: str) -> Path:
    """The path that a model's name or path stands for.

    Raises:
        ModelError: There is nothing at it, or it is no folder.
    """
    bundled = bundled_models()
    if source in bundled:
        return bundled[source]
    names = f"Bundled models: {', '.join(bundled)}; or give the folder of a diffusers model."
    shown = f"'{excerpt(source, 200)}'"
    if source.startswith(HUB_PREFIX):
        raise ModelError(
            f"{shown} cannot be fetched: this version opens models on this computer only.",
            f"Download the model's folder and give its path. {names}",
        )
    path = Path(source)
    try:
        path = path.expanduser()
        found, folder = path.exists(), path.is_dir()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: the home of nobody
        found = folder = False
    if not source or not found:
        raise ModelError(f"There is no model named {shown}, and no such folder.", names)
    if not folder:
        raise ModelError(f"{shown} is a file, not the folder of a diffusers model.", names)
    return path.resolve()
