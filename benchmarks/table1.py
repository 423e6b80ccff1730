"""The paper's Table 1 on a bundled model: quality by η and S, as a table and a figure.

    nice python benchmarks/table1.py [--data IDX.gz] [--samples 512] [--all] [--write]
    python benchmarks/table1.py --from-csv      the table and figure of docs/table1.csv as it is

About an hour and a half on one core for 512 samples a cell (--all adds η = 0.2 and 0.5 at S = 100);
samples are kept in --keep, so a run that was stopped goes on. Without the samples (--from-csv)
there are no paired differences. With --write docs/table1.csv,
docs/images/table1.png and the tables in docs/quality.md are made anew.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import torch

from ddim_studio.diffusion.settings import SampleSettings, parse_eta
from ddim_studio.evaluation.blocks import BlockStore, block_seeds, fingerprint
from ddim_studio.evaluation.features import suitable_features
from ddim_studio.evaluation.frechet import NORMAL_95, ReferenceSet, bootstrap, gaussian_of
from ddim_studio.evaluation.quality import RealImages
from ddim_studio.evaluation.shares import CellShare
from ddim_studio.evaluation.team import Alone
from ddim_studio.imaging.datasets import read_images
from ddim_studio.jobs.evaluate import evaluate_job
from ddim_studio.jobs.evaluation_files import write_results
from ddim_studio.jobs.evaluation_order import CellMeasured, EvaluateOrder, Measured
from ddim_studio.jobs.events import Notice
from ddim_studio.jobs.models import ModelCache
from documents import replace_part
from table1_figure import draw_figure

ROOT = Path(__file__).resolve().parent.parent
TEST_IMAGES = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"
DISTANCE = "Fréchet distance (fashion classifier)"
ETAS = (0.0, 0.2, 0.5, 1.0, "hat")
Key = tuple[str, object, int, str]


def cells(etas_at_100: tuple[object, ...] = (0.0, 1.0, "hat")) -> tuple[SampleSettings, ...]:
    """η and σ̂ by S with linear and quadratic τ, σ̂ also with x̂_0 clamped."""
    found = []
    for spacing, steps in (("linear", (10, 20, 50, 100)), ("quadratic", (10, 20))):
        for count in steps:
            etas = etas_at_100 if count == 100 else ETAS
            found += [SampleSettings(steps=count, eta=eta, spacing=spacing) for eta in etas]
            clamped = {"eta": "hat", "spacing": spacing, "clip": "clamp"}
            found.append(SampleSettings(steps=count, **clamped))
    return tuple(sorted(found, key=lambda settings: settings.steps))


def key_of(s: SampleSettings) -> Key:
    """What tells one cell from another."""
    return s.spacing, s.eta, s.steps, s.clip


def measure(order: EvaluateOrder, keep: Path, out: Path) -> dict[Key, Measured]:
    """Run the evaluation, and say what comes of it."""
    found = {}
    job = evaluate_job(order, ModelCache(1), keep, Alone())
    for event in write_results(job, order, out):
        if isinstance(event, CellMeasured):
            found[key_of(event.measured.settings)] = event.measured
        elif isinstance(event, Notice):
            print(event.text, flush=True)
    return found


class Pairs:
    """Differences between cells, whose images share their seeds, with paired intervals."""

    def __init__(self, order: EvaluateOrder, keep: Path) -> None:
        model = ModelCache(1).get(order.model, order.device)
        self.features = suitable_features(model.image_shape)
        data = read_images(order.data, model.image_shape, limit=order.data_limit).pixels
        self.real = RealImages(data, self.features, keep)
        self.reference = ReferenceSet(gaussian_of(self.real.features))
        self._store = BlockStore(keep, fingerprint(model))
        self._seeds = block_seeds(order.seed, order.samples, order.block_size)
        self._known: dict[Key, np.ndarray] = {}

    def resampled(self, settings: SampleSettings) -> np.ndarray:
        """The bootstrap of a cell's distance."""
        key = key_of(settings)
        if key not in self._known:
            share = CellShare(self._store, settings, self._seeds, Alone())
            parts = share.gathered(lambda block: self.features(block.pixels))
            self._known[key] = bootstrap(self.reference, np.concatenate(parts))
        return self._known[key]

    def difference(self, a: Measured, b: Measured) -> str:
        """How far b lies above a, with the 95 % interval of that difference."""
        spread = np.std(self.resampled(b.settings) - self.resampled(a.settings), ddof=1)
        gap, reach = b.distance - a.distance, NORMAL_95 * spread
        return f"{gap:+.2f} ({gap - reach:+.2f} … {gap + reach:+.2f})"


def shown(m: Measured | None) -> str:
    """A distance and half its 95 % interval."""
    return "—" if m is None else f"{m.distance:.2f} ± {NORMAL_95 * m.error:.2f}"


def tables(found: dict[Key, Measured], pairs: Pairs, samples: int, *, paired: bool = True) -> str:
    """The distances and the paired differences, in Markdown."""
    floor = pairs.real.floor(samples)
    columns = [("linear", s) for s in (10, 20, 50, 100)] + [("quadratic", s) for s in (10, 20)]
    rows = [(f"η = {eta:g}", eta, "none") for eta in ETAS[:-1]]
    rows += [("σ̂", "hat", "none"), ("σ̂, x̂₀ clamped", "hat", "clamp")]
    lines = ["| | " + " | ".join(f"{kind} τ, S = {s}" for kind, s in columns) + " |"]
    lines.append("|---|" + "---|" * len(columns))
    for label, eta, clip in rows:
        cells = [shown(found.get((kind, eta, s, clip))) for kind, s in columns]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Real images in the place of samples, {samples} of them against the others of the test "
        f"set: {floor.value:.2f} ± {NORMAL_95 * floor.error:.2f}.",
    ]
    if not paired:
        return "\n".join(lines)
    lines += [
        "",
        "How far each cell lies above η = 0 at the same τ (same seeds, paired bootstrap):",
        "",
        *lines[:2],
    ]
    for label, eta, clip in rows[1:]:
        cells = []
        for kind, s in columns:
            a, b = found.get((kind, 0.0, s, "none")), found.get((kind, eta, s, clip))
            cells.append(pairs.difference(a, b) if a and b else "—")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def known(path: Path) -> dict[Key, Measured]:
    """The cells of a table that was written before."""
    found = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            settings = SampleSettings(
                eta=parse_eta(row["eta"]),
                steps=int(row["steps"]),
                spacing=row["spacing"],
                clip=row["clip"],
            )
            distance, error = float(row[DISTANCE]), float(row["standard_error"])
            measured = Measured(settings, int(row["samples"]), distance=distance, error=error)
            found[key_of(settings)] = measured
    return found


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=TEST_IMAGES)
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--keep", type=Path, default=ROOT / ".bench" / "table1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--from-csv", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    order = EvaluateOrder(
        cells=cells(ETAS) if arguments.all else cells(),
        model=arguments.model,
        data=arguments.data,
        samples=arguments.samples,
        device="cpu",
    )
    out = ROOT / "docs" / "table1.csv" if arguments.write else arguments.keep / "table1.csv"
    old = arguments.from_csv
    if old:
        out = ROOT / "docs" / "table1.csv"
    found = known(out) if old else measure(order, arguments.keep, out)
    text = tables(found, Pairs(order, arguments.keep), arguments.samples, paired=not old)
    print(text)
    if arguments.write or old:
        replace_part(ROOT / "docs" / "quality.md", "benchmarks/table1.py", text)
        with out.open(encoding="utf-8", newline="") as file:
            draw_figure(list(csv.DictReader(file)), ROOT / "docs" / "images" / "table1.png")


if __name__ == "__main__":
    main()
