"""The variational bound of a model on held-out images, in bits per dimension.

    nice python benchmarks/bound.py [--model NAME] [--data SET] [--images 512] [--write]

Every image is measured at t = 0 and at one t in each of `draws` strata of 1 … T − 1, narrow near
the image: 512 images at 9 timesteps are 4608 network calls instead of 512,000. The estimate is
unbiased, and its standard error covers images, timesteps and noise. The same calls also give the
bound with x̂_0 clamped to [−1, 1], as Ho et al. computed it. With --write the tables in
docs/forward.md, docs/bound.csv and docs/images/bound.png are made anew.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure

import ddim_studio as ds
from ddim_studio.diffusion.bound_estimate import VARIANCES, Bound, Estimate
from ddim_studio.diffusion.denoiser import Denoiser
from ddim_studio.diffusion.posterior import loss_weight
from ddim_studio.imaging.datasets import read_images
from ddim_studio.imaging.pixels import from_pixels
from ddim_studio.jobs.forward_files import bound_rows
from ddim_studio.jobs.table_file import save_rows
from documents import replace_part

ROOT = Path(__file__).resolve().parent.parent
FASHION = Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
NAMES = {"beta": "σ² = β", "posterior": "σ² = β̃"}
ETAS = (0.2, 0.5, 1.0)


class Remembered:
    """Calls a network once for every batch, and answers the same again in the second round."""

    def __init__(self, network: Callable[..., torch.Tensor]) -> None:
        self._network = network
        self._answers: list[torch.Tensor] = []
        self.replaying = False

    def __call__(self, *batch: torch.Tensor) -> torch.Tensor:
        """The network's output."""
        if self.replaying:
            return self._answers.pop(0)
        self._answers.append(self._network(*batch))
        return self._answers[-1]


def measure(model: Denoiser, images: torch.Tensor, settings: ds.BoundSettings) -> Bound:
    """The bound, with a line of progress now and then."""
    begun = told = time.perf_counter()
    for bound in ds.bound_steps(model, images, settings):
        now = time.perf_counter()
        if now - told > 20 or bound.images == len(images):
            told = now
            total = bound.total("beta")
            print(
                f"{settings.clip}: {bound.images} images, {now - begun:.0f} s, "
                f"{total.value:.3f} ± {total.error:.3f} bits/dim",
                flush=True,
            )
    return bound


def shown(found: Estimate) -> str:
    """Mean and standard error, or the mean alone where it is tiny."""
    if abs(found.value) < 1e-3:
        return f"{found.value:.1e}"
    return f"{found.value:.3f} ± {found.error:.3f}"


def table(found: dict[str, Bound]) -> str:
    """One row for each generative variance and clipping, in Markdown."""
    lines = [
        "| x̂_0 | variance | L_0 | Σ L_{t−1} | L_T | total, bits/dim |",
        "|---|---|---|---|---|---|",
    ]
    for clip, bound in found.items():
        for variance in VARIANCES:
            terms = (bound.decoder(variance), bound.transitions(variance), bound.last())
            cells = " | ".join(shown(term) for term in terms)
            total = shown(bound.total(variance))
            words = "clamped" if clip == "clamp" else "as it is"
            lines.append(f"| {words} | {NAMES[variance]} | {cells} | **{total}** |")
    return "\n".join(lines)


def weights(model: Denoiser, bound: Bound) -> str:
    """L_simple and L_γ of some members of the family, in Markdown."""
    bars = [1.0, *model.schedule.alpha_bars.tolist()]
    cells = [shown(bound.simple_loss())]
    for eta in ETAS:
        gammas = [loss_weight(now, before, eta) for before, now in pairwise(bars)]
        cells.append(shown(bound.weighted(np.array(gammas))))
    heads = ["L_simple", *(f"L_γ, η = {eta:g} (bits/dim)" for eta in ETAS)]
    return "\n".join(
        [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", f"| {' | '.join(cells)} |"]
    )


def draw_figure(found: dict[str, Bound], path: Path) -> None:
    """Terms and simple loss over t, with bands of two standard errors."""
    bound = found["none"]
    x = np.maximum(bound.places(), 0.5)  # t = 0 has a place of its own on a logarithmic axis
    with mpl.rc_context({"font.size": 9, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for variance, colour in zip(VARIANCES, ("#0072b2", "#d55e00"), strict=True):
            mean, error = bound.curve(bound.terms[variance])
            left.errorbar(
                x, mean, 2 * error, marker="o", ms=3, lw=1, color=colour, label=NAMES[variance]
            )
        mean, error = bound.curve(bound.simple)
        right.errorbar(x, mean, 2 * error, marker="o", ms=3, lw=1, color="#009e73")
        left.set_title("Terms of the bound: bits/dim per t (the first is L_0)")
        right.set_title("Simple loss: (ε − ε_θ)²")
        left.legend(frameon=False)
        for axis in (left, right):
            axis.set(xscale="log", yscale="log", xlabel="t (the first point is t = 0)")
            axis.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, dpi=200)


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="fashion-28")
    parser.add_argument("--data", type=Path, default=FASHION)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = ds.load_model(options.model, device="cpu")
    data = read_images(options.data, model.image_shape, limit=options.images)
    images, found = from_pixels(data.pixels), {}
    view = copy.copy(model)
    view.network = network = Remembered(model.network)
    for clip in ("none", "clamp"):
        settings = ds.BoundSettings(draws=options.draws, seed=options.seed, clip=clip)
        found[clip] = measure(view, images, settings)
        network.replaying = True
    first = found["none"]
    text = (
        f"{table(found)}\n\n{weights(model, first)}\n\n{options.model}, {data.source}; "
        f"{first.times.shape[1]} of {first.T} timesteps an image, {first.network_calls} network "
        f"calls; seed {options.seed}."
    )
    print(text)
    if options.write:
        replace_part(ROOT / "docs" / "forward.md", "benchmarks/bound.py", text)
        draw_figure(found, ROOT / "docs" / "images" / "bound.png")
        list(save_rows(ROOT / "docs" / "bound.csv", bound_rows(first)))


if __name__ == "__main__":
    main()
