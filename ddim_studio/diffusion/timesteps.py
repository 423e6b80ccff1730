"""τ, the S of T timesteps that are used, by every spacing in common use.

All lists ascend, are strictly increasing, lie in {0, …, T−1} and have exactly S members. They are
computed in integers: the float formulas of other programs drift, repeat members or lose some.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ddim_studio.diffusion.settings import SettingsError, check_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ddim_studio.diffusion.settings import SampleSettings, Spacing


def linear(S: int, T: int) -> list[int]:
    """⌊i·T/S⌋ (DDIM, appendix D.2: "linear")."""
    return [i * T // S for i in range(S)]


def quadratic(S: int, T: int) -> list[int]:
    """⌊c·i²⌋ reaching 0.8·T, kept unique (DDIM, appendix D.2: "quadratic"; CIFAR-10)."""
    tau = [0]
    for i in range(1, S):
        tau.append(max(4 * T * i * i // (5 * (S - 1) ** 2), tau[-1] + 1))
    return tau


def leading(S: int, T: int) -> list[int]:
    """i·⌊T/S⌋ (diffusers' ``leading``): starts well below T − 1 unless S = T."""
    return [i * (T // S) for i in range(S)]


def linspace(S: int, T: int) -> list[int]:
    """i·(T−1)/(S−1), rounded (diffusers' ``linspace``): both 0 and T − 1 are used."""
    return [_rounded(i * (T - 1), max(S - 1, 1)) for i in range(S)]


def trailing(S: int, T: int) -> list[int]:
    """i·T/S − 1, rounded, i = 1 … S (diffusers' ``trailing``): T − 1 is always used."""
    return [_rounded(i * T, S) - 1 for i in range(1, S + 1)]


def _rounded(numerator: int, denominator: int) -> int:
    """numerator/denominator to the nearest whole number, halves to the even one."""
    whole, rest = divmod(numerator, denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1)
    return whole + up


SPACING_FORMULAS: dict[Spacing, Callable[[int, int], list[int]]] = {
    "linear": linear,
    "quadratic": quadratic,
    "leading": leading,
    "linspace": linspace,
    "trailing": trailing,
}


def spaced(spacing: Spacing, S: int, T: int) -> list[int]:
    """τ of S members by ``spacing``, ascending.

    Raises:
        SettingsError: S is not from 1 to T.
    """
    check_whole("steps", S, 1, T)
    return SPACING_FORMULAS[spacing](S, T)


def tau_of(settings: SampleSettings, T: int) -> list[int]:
    """τ that the settings ask for, ascending.

    Raises:
        SettingsError: S exceeds T, or the user's list leaves {0, …, T−1}.
    """
    if settings.timesteps is None:
        return spaced(settings.spacing, settings.steps, T)
    if settings.timesteps[-1] >= T:
        raise SettingsError(
            "timesteps",
            f"timesteps must lie from 0 to {T - 1} for this model, not {settings.timesteps[-1]}.",
        )
    return list(settings.timesteps)


def transitions(tau: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The steps (t, s) of a τ, from the last member down to the clean image (s = −1)."""
    return pairwise([*reversed(tau), -1])


def rest_of(tau: Sequence[int], t: int) -> list[int]:
    """The members of τ below t, and t itself: how to go on from a state at timestep t."""
    return [member for member in tau if member < t] + [t]


def advice(tau: Sequence[int], T: int) -> str:
    """A sentence where this τ will disappoint, else nothing.

    Starting from pure noise at a timestep where the model expects a nearly clean image denoises
    almost nothing.
    """
    if tau[-1] >= T // 2:
        return ""
    return (
        f"τ starts at t = {tau[-1]}, where the model expects an image with little noise left, "
        "so pure noise is hardly denoised. Take more steps, or the spacing trailing."
    )
