"""Where models come from: the bundled ones by name, others by path."""

from __future__ import annotations

from pathlib import Path

from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.hub_cache import HUB_PREFIX, downloaded_folder, hub_name
from ddim_studio.storage import DEFAULT_MODEL, resources


def bundled_models() -> dict[str, Path]:
    """The models that come with the program, by name, the default one first."""
    folders = [path for path in sorted((resources() / "models").glob("*")) if path.is_dir()]
    folders.sort(key=lambda path: path.name != DEFAULT_MODEL)
    return {path.name: path for path in folders}


def resolve(source: str) -> Path:
    """The path that a model's name or path stands for.

    Raises:
        ModelError: There is nothing at it.
    """
    bundled = bundled_models()
    if source in bundled:
        return bundled[source]
    names = (
        f"Bundled models: {', '.join(bundled)}; or give a diffusers folder or a checkpoint file."
    )
    shown = f"'{excerpt(source, 200)}'"
    if source.startswith(HUB_PREFIX):
        return downloaded_folder(source)
    path = Path(source)
    try:
        path = path.expanduser()
        found = path.is_dir() or path.is_file()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: the home of nobody
        found = False
    if source and not found:
        _refuse_oddities(path, shown)
    if not source or not found:
        raise ModelError(f"There is no model named {shown}, and no such folder or file.", names)
    return path.resolve()


def _refuse_oddities(path: Path, shown: str) -> None:
    """Raise if there is something at a path that is neither a file nor a folder."""
    try:
        exists, is_link = path.exists(), path.is_symlink()
    except (OSError, ValueError):
        return
    if exists:
        raise ModelError(
            f"{shown} is neither a file nor a folder, but a device or a pipe.",
            "Give a diffusers folder or a checkpoint file.",
        )
    if is_link:
        raise ModelError(
            f"{shown} is a link that leads nowhere.",
            "Give the folder or file that it should lead to.",
        )


def identity(source: str, path: Path) -> tuple[str, str]:
    """What a model is called, and what opens it again from any folder.

    Args:
        source: What `resolve` was given.
        path: What it returned.
    """
    if source in bundled_models():
        return source, source
    if source.startswith(HUB_PREFIX):
        name = hub_name(source)
        return name.repo, name.source
    return path.name, str(path)
