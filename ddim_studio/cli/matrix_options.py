"""From the texts of options to a matrix of runs whose models are there."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from ddim_studio.cli.arguments import either
from ddim_studio.cli.planning import planned, read_given
from ddim_studio.cli.sampler_options import READERS
from ddim_studio.cli.terminal import UsageError
from ddim_studio.diffusion.settings import SettingsError, check_whole
from ddim_studio.diffusion.timesteps import tau_of
from ddim_studio.jobs.axes import AXIS_FIELDS, Axis, parse_seeds
from ddim_studio.jobs.matrix import PRESETS, CompareRun, Place
from ddim_studio.jobs.runs import SampleRun
from ddim_studio.models.loading import describe

if TYPE_CHECKING:
    from argparse import Namespace

    from ddim_studio.models.info import ModelInfo

PRESET_NAMES: Final = ("consistency", "table1", "seeds")
"""What the presets are called here, in their order."""
DEFAULT_SEEDS: Final = tuple(range(8))
AND: Final = re.compile(rf",(?=\s*(?:{'|'.join(AXIS_FIELDS)})\s*=)")
"""The comma between the two values of a reference; there may be others in the name of a model."""


def planned_matrix(arguments: Namespace) -> CompareRun:
    """The matrix that the options ask for, with its models named so that any folder finds them.

    Raises:
        UsageError: An axis is missing or wrong, or a setting is given twice.
        ModelError: There is no such model.
        SettingsError: A value is out of range.
    """
    sides = dict(zip(("rows", "columns"), _axes(arguments), strict=True))
    given = read_given(arguments, {**READERS, "precision": str})
    seeds = parse_seeds(arguments.seeds) if arguments.seeds is not None else DEFAULT_SEEDS
    for side, axis in sides.items():
        option = "seeds" if axis.field == "seed" else axis.field
        if getattr(arguments, option) is not None:
            raise UsageError(f"--{option} is set by the {side} already: give one of them only")
    models = next((axis.values for axis in sides.values() if axis.field == "model"), None)
    values = SampleRun().to_dict() | given
    if models:  # a steps that one of them allows is for the others to fail of
        values["model"] = max(models, key=lambda source: describe(source).timesteps)
    CompareRun(base=SampleRun(), seeds=seeds, **sides)  # what is wrong with it needs no model
    base, info = planned(SampleRun, values)
    if "steps" not in {axis.field for axis in sides.values()}:
        tau_of(base, info.timesteps)
    return CompareRun(
        base=base,
        seeds=seeds,
        **{side: _fitted(side, axis, info) for side, axis in sides.items()},
    )


def reference_cell(arguments: Namespace, order: CompareRun) -> Place | None:
    """The cell that is asked for as the reference, None where none is.

    Raises:
        UsageError: There is no such cell.
    """
    text = arguments.reference
    if text is None:
        return None
    parts = [part.partition("=") for part in AND.split(text)]
    named = {name.strip(): value.strip() for name, _, value in parts}
    axes = dict(zip(("rows", "columns"), _axes(arguments), strict=True))
    if len(parts) != 2 or named.keys() != order.fields:
        names = either([axis.field for axis in axes.values()]).replace(" or ", " and ")
        raise UsageError(f"--reference must give {names}, as in eta=0,steps=100, not {text!r}")
    row, column = (_index(axis, named[axis.field]) for axis in axes.values())
    return Place(row, column)


def _index(axis: Axis, text: str) -> int:
    """Which of the values of an axis a text stands for."""
    try:
        wanted = Axis.of(axis.field, text).values
    except SettingsError as error:
        raise UsageError(f"--reference: {str(error).rstrip('.')}") from error
    if len(wanted) != 1 or wanted[0] not in axis.values:
        raise UsageError(
            f"--reference: {axis.field} must be one of {axis.text()} there, not {text!r}"
        )
    return axis.values.index(wanted[0])


def _axes(arguments: Namespace) -> tuple[Axis, Axis]:
    """The axes as they were typed: rows and columns."""
    if arguments.preset is None:
        return _axis(arguments, "rows"), _axis(arguments, "columns")
    if arguments.rows is not None or arguments.columns is not None:
        raise UsageError("--preset stands for --rows and --columns: leave those out")
    if arguments.preset not in PRESET_NAMES:
        raise UsageError(f"--preset must be {either(PRESET_NAMES)}, not {arguments.preset!r}")
    return tuple(PRESETS.values())[PRESET_NAMES.index(arguments.preset)]


def _axis(arguments: Namespace, side: str) -> Axis:
    text = getattr(arguments, side)
    if text is None:
        raise UsageError(
            f"--{side} is missing: {either(AXIS_FIELDS)}, '=' and values with commas between"
        )
    try:
        return Axis.parse(text)
    except SettingsError as error:
        raise UsageError(f"--{side}: {str(error).rstrip('.')}") from error


def _fitted(side: str, axis: Axis, info: ModelInfo) -> Axis:
    """An axis whose models are named in full, and whose steps the model has."""
    if axis.field == "model":
        return dataclasses.replace(
            axis, values=tuple(describe(source).source for source in axis.values)
        )
    if axis.field == "steps":
        try:
            for steps in axis.values:
                check_whole("steps", steps, 1, info.timesteps)
        except SettingsError as error:
            raise UsageError(f"--{side}: {str(error).rstrip('.')}") from error
    return axis
