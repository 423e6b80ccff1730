"""From the texts of options to a run that fits its model."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ddim_studio.cli.arguments import either, whole
from ddim_studio.diffusion.settings import (
    SPACINGS,
    Settings,
    SettingsError,
    check_class,
    check_whole,
)
from ddim_studio.models.errors import ModelError
from ddim_studio.models.loading import describe

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping

    from ddim_studio.cli.arguments import Parser
    from ddim_studio.models.info import ModelInfo

MAX_BATCH = 65_536

Run = TypeVar("Run", bound=Settings)


def read_given(arguments: Namespace, readers: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """The options that were given, each read from its text."""
    texts = {name: getattr(arguments, name) for name in readers}
    return {name: readers[name](text) for name, text in texts.items() if text is not None}


def add_tau(found: Parser, preset: str) -> None:
    """The options that choose τ but for its length; ``preset`` says what the spacing is else."""
    found.value(
        "--spacing",
        "KIND",
        "how τ, the timesteps used, is spread over 0 … T−1",
        either(SPACINGS),
        preset,
    )
    found.value(
        "--timesteps",
        "LIST",
        "a list of one's own for τ, in place of --steps and --spacing",
        "strictly increasing whole numbers from 0 to T−1, with commas between",
        "none",
    )


def add_class(found: Parser) -> None:
    """The option that chooses a class."""
    found.value(
        "--class",
        "N",
        "the class to draw, of a model that has classes (see models info)",
        "a whole number from 0",
        "0 for a model that has classes",
        field="class_label",
    )


def read_batch_size(text: str | None, preset: int) -> int:
    """The batch size that an option asks for, or the preset where it was not given.

    Raises:
        SettingsError: It is not a whole number from 1 to `MAX_BATCH`.
    """
    size = preset if text is None else whole(text)
    check_whole("batch_size", size, 1, MAX_BATCH)
    return int(size)


def planned(kind: type[Run], values: dict[str, Any]) -> tuple[Run, ModelInfo]:
    """A run with these values, and the card of its model.

    The run names the model so that it can be repeated from any folder.

    Args:
        kind: The kind of run.
        values: Its settings by name: model, steps and timesteps among them.

    Raises:
        ModelError: There is no such model.
        SettingsError: A value is out of range, or the model has no such class.
    """
    try:
        kind.from_dict(values | {"timesteps": None})  # a list would hide a wrong S
        kind.from_dict(values)
    except SettingsError as error:
        _check_range(error.field, values)
        raise
    info = describe(values["model"])
    check_class(values.get("class_label"), info.classes)
    return kind.from_dict(values | {"model": info.source}), info


def _check_range(field: str, values: dict[str, Any]) -> None:
    """Raise with the model's own T, where the settings alone know only that there is one."""
    if field not in {"steps", "timesteps"}:
        return
    with suppress(ModelError):
        T = describe(values["model"]).timesteps  # noqa: N806 (the paper's name)
        if field == "steps":
            check_whole("steps", values["steps"], 1, T)
            return
        for member in values["timesteps"]:
            check_whole("timesteps", member, 0, T - 1)
        shown = ",".join(map(str, values["timesteps"]))
        raise SettingsError(
            "timesteps",
            f"timesteps must be whole numbers from 0 to {T - 1}, strictly increasing, with commas "
            f"between, not {shown!r}.",
        )
