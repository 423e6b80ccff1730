"""The bundled models: a sheet of samples of each, its validation loss and its Fréchet distance.

    nice python benchmarks/bundled.py [--only NAME…] [--data NAME=PATH…] [--samples 512] [--write]

The sheet shows seeds 0 to 63 as they come (S = 50, η = 0). The loss is the simple objective on real
images that the model was not trained on: the test set of Fashion-MNIST, and for others those of
--data that its run held out (`HELD_OUT`). Samples are kept in --keep. With --write the sheets in
docs/images, docs/bundled.csv and the table in docs/bundled.md are made anew; the csv keeps the rows
of weights that came before, known by their hash, so that before and after stand side by side.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ddim_studio.evaluation.blocks import fingerprint
from ddim_studio.evaluation.frechet import NORMAL_95, Estimate
from ddim_studio.imaging.datasets import read_images
from ddim_studio.models.catalog import bundled_models
from ddim_studio.models.folder import summary_of
from ddim_studio.models.loading import load_model
from ddim_studio.models.model import Model
from ddim_studio.training.draws import split
from documents import replace_part
from model_measures import (
    ROOT,
    SHOWN,
    distance_of,
    features_for,
    samples_of,
    validation_of,
    write_sheet,
)

FASHION = Path("/usr/share/datasets/fashion-mnist")
TRAINING, TEST = (FASHION / f"{part}-images-idx3-ubyte.gz" for part in ("train", "t10k"))
HELD_OUT = {"toonheads-32": (0, 1000), "toonheads-64": (0, 1000), "cifar10-32": (0, 1000)}
"""Seed and number of the images that the runs of models held out of their data."""
HOW = "## How to make it"
"""The part of a card that has the commands."""
LEAST_SIDE = 400
"""Pixels that a sheet is wide at least."""


@dataclass(frozen=True)
class Row:
    """What was measured of one set of weights."""

    model: str
    weights: str
    parameters: int
    prediction: str
    validation: float
    quarters: str
    distance_is: str
    distance: float
    half_interval: float
    floor: float
    floor_half_interval: float
    samples: int


def real_images(model: Model, path: Path | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images that samples are compared with, and images that were held out of the training."""
    name, shape = model.info.name, model.image_shape
    if name not in HELD_OUT:
        held_out = read_images(path or TEST, shape).pixels
        chosen = np.random.Generator(np.random.PCG64(0)).permutation(len(held_out))
        return held_out, held_out[chosen]
    if path is None:
        raise SystemExit(f"Give the images of {name} with --data {name}=PATH.")
    pixels = read_images(path, shape).pixels
    seed, count = HELD_OUT[name]
    training, held_out_rows = split(seed, len(pixels), count)
    return pixels[training], pixels[held_out_rows]


def floor_of(reference: NDArray[np.uint8], real: NDArray[np.uint8], samples: int) -> Estimate:
    """The distance that as many real images have from the others."""
    if len(real) == len(reference):  # the same ones in another order
        return distance_of(real[:samples], real[samples:])
    return distance_of(real[:samples], reference)


def measure(model: Model, path: Path | None, samples: int, keep: Path, sheet: Path) -> Row:
    """Draw the sheet, and measure."""
    pixels = samples_of(model, samples, keep)
    side = pixels.shape[2] * 8
    write_sheet(sheet, pixels[:SHOWN], scale=max(1, round(LEAST_SIDE / side)))
    reference, held_out = real_images(model, path)
    loss = validation_of(model, held_out)
    distance = distance_of(pixels, reference)
    floor = floor_of(reference, held_out, samples)
    return Row(
        model=model.info.name,
        weights=fingerprint(model)[:12],
        parameters=model.info.parameters,
        prediction=model.info.prediction,
        validation=round(loss.mean, 6),
        quarters=" ".join(f"{value:.5f}" for value in loss.quarters),
        distance_is=features_for(model.image_shape).title,
        distance=round(distance.value, 5),
        half_interval=round(NORMAL_95 * distance.error, 5),
        floor=round(floor.value, 5),
        floor_half_interval=round(NORMAL_95 * floor.error, 5),
        samples=samples,
    )


def read_rows(path: Path) -> list[Row]:
    """The rows that were written before."""
    if not path.exists():
        return []
    kinds = {"int": int, "float": float, "str": str}
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(**{field.name: kinds[field.type](line[field.name]) for field in fields(Row)})
            for line in csv.DictReader(file)
        ]


def merged(before: list[Row], found: list[Row]) -> list[Row]:
    """All rows, those of the same weights replaced, by model and in the order they came."""
    known = {row.weights: row for row in [*before, *found]}
    return sorted(known.values(), key=lambda row: row.model)


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write them as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def table(rows: list[Row]) -> str:
    """All rows in Markdown; of each model the last one is what comes with the program now."""
    lines = [
        "| model | weights | parameters | validation loss | by quarter of the timesteps, least "
        "noise first | Fréchet distance | of real images | samples |",
        "|---|---|---|---|---|---|---|---|",
    ]
    newest = {row.model: row.weights for row in rows}
    for row in rows:
        state = "now" if newest[row.model] == row.weights else "before"
        digits = 2 if row.distance > 1 else 4
        lines.append(
            f"| {row.model} | {state}, `{row.weights}` | {row.parameters / 1e6:.1f} million, "
            f"{row.prediction.partition(' ')[0]} | {row.validation:.5f} "
            f"| {', '.join(row.quarters.split())} "
            f"| {row.distance:.{digits}f} ± {row.half_interval:.{digits}f} ({row.distance_is}) "
            f"| {row.floor:.{digits}f} ± {row.floor_half_interval:.{digits}f} | {row.samples} |"
        )
    return "\n".join(lines)


def section(name: str, rows: list[Row]) -> str:
    """What a model's card says of it, its samples, and the commands that make it."""
    card = (bundled_models()[name] / "README.md").read_text(encoding="utf-8")
    lines = [f"## {name}", "", summary_of(card), ""]
    _, found, rest = card.partition(HOW)
    if found:
        commands = rest.partition("\nMade with")[0].strip()
        lines += ["Made by", "", commands, ""]
    lines.append(f"![64 samples of {name}](images/sheet-{name}.png)")
    older = ROOT / "docs" / "images" / f"sheet-{name}-before.png"
    if older.exists() and sum(row.model == name for row in rows) > 1:
        lines += ["", "The weights that came before, from the same noise:", ""]
        lines.append(f"![64 samples of the earlier {name}](images/{older.name})")
    return "\n".join(lines)


def read_options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--data", nargs="+", default=[], metavar="NAME=PATH")
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=ROOT / ".bench" / "models")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measure, print, and write where asked to."""
    options = read_options()
    torch.set_num_threads(options.threads)
    paths = {name: Path(path) for name, _, path in (text.partition("=") for text in options.data)}
    pictures = ROOT / "docs" / "images" if options.write else options.keep
    rows = []
    for name in options.only or bundled_models():
        model = load_model(name, device="cpu")
        sheet = pictures / f"sheet-{model.info.name}.png"
        path = paths.get(model.info.name)
        row = measure(model, path, options.samples, options.keep, sheet)
        rows.append(row)
        print(row, flush=True)
    listed = ROOT / "docs" / "bundled.csv"
    rows = merged(read_rows(listed), rows)
    print(table(rows))
    if options.write:
        write_rows(listed, rows)
        text = "\n\n".join([table(rows), *(section(name, rows) for name in bundled_models())])
        replace_part(ROOT / "docs" / "bundled.md", "benchmarks/bundled.py", text)


if __name__ == "__main__":
    main()
