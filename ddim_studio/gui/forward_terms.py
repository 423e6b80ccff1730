"""The equations of the forward process and of its reverse kernels, with the numbers at t."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ddim_studio.diffusion.posterior import kernel_between
from ddim_studio.gui.typeset import Box, bar, fraction, hat, letters, root, row, space, sub, tilde
from ddim_studio.gui.widgets.equation import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddim_studio.jobs.forward_events import ForwardNumbers

_SIZE, _SMALL = 18.0, 12.0
_FRACTION, _TINY = 11.0, 8.0
TOOLTIP = (
    "α_t = 1 − β_t is the share of the variance that step t keeps; ᾱ_t is the product of all up to "
    "t.\nε is standard normal noise, ε̃ all noise of the chain merged into one draw, ε_θ what the "
    "network takes for the noise.\nμ̃ and β̃ are mean and variance of x_{t−1} when x_t and x_0 are "
    "known; σ is the noise of a reverse kernel, which may be chosen."
)


def _plain(text: str) -> Box:
    return letters(text, _SIZE, italic=False)


def _small(text: str) -> Box:
    return letters(text, _SMALL, italic=text.isalpha())


def _x(index: str) -> Box:
    return sub(letters("x", _SIZE), _small(index))


def _alpha(index: str, *, product: bool = True) -> Box:
    base = letters("α", _SIZE)
    return sub(bar(base) if product else base, _small(index))


def _epsilon(index: str = "") -> Box:
    return sub(letters("ε", _SIZE), _small(index)) if index else letters("ε", _SIZE)


def _short(text: str) -> Box:
    return letters(text, _FRACTION, italic=False)


def _tiny(text: str) -> Box:
    return letters(text, _TINY, italic=text.isalpha())


def _share(index: str) -> Box:
    return sub(bar(letters("α", _FRACTION)), _tiny(index))


def _times(*parts: Box) -> Box:
    spaced: list[Box] = []
    for part in parts:
        spaced += [part, space(4)]
    return row(*spaced[:-1])


def _noise_left(index: str) -> Box:
    return root(row(_plain("1 − "), _alpha(index)))


def _large(number: float) -> str:
    return f"{number:.4g}" if math.isfinite(number) else "∞"


def closed_form(t: int, alpha_bar: float) -> list[Column]:
    """x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε."""
    return [
        Column(_x("t"), f"t = {t}", "in one go", None),
        Column(_times(root(_alpha("t")), _x("0")), f"{math.sqrt(alpha_bar):.4f}", "the image", 0),
        Column(_times(_noise_left("t"), _epsilon()), f"{math.sqrt(1 - alpha_bar):.4f}", "noise", 1),
    ]


def merging(t: int, numbers: ForwardNumbers) -> list[Column]:
    """√(1−α₁α₂) ε̃ = √(α₂(1−α₁)) ε₁ + √(1−α₂) ε₂, with α₁ = ᾱ_{t−1} and α₂ = α_t."""
    c_1, c_2, whole, first, second, merged = numbers.merge
    one, two = _alpha("1", product=False), _alpha("2", product=False)
    left = root(row(_plain("1 − "), one, two))
    old = root(row(two, _plain("(1 − "), one, _plain(")")))
    new = root(row(_plain("1 − "), two))
    return [
        Column(
            _times(left, tilde(_epsilon())),
            f"{whole:.4f} · {merged:+.3f}",
            "all noise so far",
            None,
        ),
        Column(_times(old, _epsilon("1")), f"{c_1:.4f} · {first:+.3f}", "of the steps before", 0),
        Column(_times(new, _epsilon("2")), f"{c_2:.4f} · {second:+.3f}", f"of step t = {t}", 1),
    ]


def one_step_denoising(alpha_bar: float) -> list[Column]:
    """x̂_0 = x_t/√ᾱ_t − √(1/ᾱ_t − 1) ε_θ."""
    inverse_share = 1 / alpha_bar if alpha_bar > 0 else math.inf
    arguments = row(_plain("("), _x("t"), _plain(", "), letters("t", _SIZE), _plain(")"))
    guess = sub(hat(letters("x", _SIZE)), _small("0"))
    inverse = row(_plain("1/"), _alpha("t"))
    return [
        Column(guess, "", "what the network makes of xₜ", None),
        Column(_times(root(inverse), _x("t")), _large(math.sqrt(inverse_share)), "the state", 0),
        Column(
            _times(root(row(inverse, _plain(" − 1"))), row(_epsilon("θ"), arguments)),
            _large(math.sqrt(max(inverse_share - 1, 0.0))),
            "the noise seen in it",
            1,
            "−",
        ),
    ]


def posterior_draw(t: int, alpha_bar_t: float, alpha_bar_s: float) -> list[Column]:
    """x_{t−1} = √ᾱ_{t−1} β_t/(1−ᾱ_t) x_0 + √α_t (1−ᾱ_{t−1})/(1−ᾱ_t) x_t + √β̃_t z."""
    kernel = kernel_between(alpha_bar_t, alpha_bar_s)
    beta = sub(letters("β", _FRACTION), _tiny("t"))
    under = row(_short("1 − "), _share("t"))
    of_x0 = fraction(row(root(_share("t−1")), space(2), beta), under)
    step = sub(letters("α", _FRACTION), _tiny("t"))
    of_xt = fraction(row(root(step), _short("(1 − "), _share("t−1"), _short(")")), under)
    spread = root(sub(tilde(letters("β", _SIZE)), _small("t")))
    return [
        Column(_x("t−1"), f"t = {t}", "one step back", None),
        Column(_times(of_x0, _x("0")), f"{kernel.of_x0:.4g}", "mean: of the image", 0),
        Column(_times(of_xt, _x("t")), f"{kernel.of_xt:.4g}", "mean: of the state", 1),
        Column(_times(spread, letters("z", _SIZE)), f"{kernel.sigma:.4g}", "drawn", 2),
    ]


def kernel_draw(t: int, s: int, alpha_bar_t: float, alpha_bar_s: float, eta: float) -> list[Column]:
    """x_s = √ᾱ_s x_0 + √(1−ᾱ_s−σ²) ε + σ z, where ε is the noise in x_t."""
    sigma = kernel_between(alpha_bar_t, alpha_bar_s, eta).sigma
    direction = math.sqrt(max(1 - alpha_bar_s - sigma**2, 0.0))
    squared = row(letters("σ", _SIZE), _plain("²"))
    under = row(_plain("1 − "), _alpha("s"), _plain(" − "), squared)
    return [
        Column(_x("s"), f"t {t} → {'x₀' if s < 0 else s}", f"η = {eta:g}", None),
        Column(_times(root(_alpha("s")), _x("0")), f"{math.sqrt(alpha_bar_s):.4f}", "image", 0),
        Column(_times(root(under), _epsilon()), f"{direction:.4f}", "noise that xₜ has", 1),
        Column(_times(letters("σ", _SIZE), letters("z", _SIZE)), f"{sigma:.4f}", "fresh noise", 2),
    ]


def spoken(columns: Sequence[Column]) -> str:
    """The terms of an equation for those who cannot see it; nothing where there are none."""
    terms = [f"{column.number} ({column.caption})" for column in columns if column.number]
    return "; ".join(terms)
