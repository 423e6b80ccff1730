"""Durations and rates as people read them. No Qt here."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """Such as "0.8 s", "12 s", "3 min 05 s" or "2 h 10 min"; empty if not finite."""
    if not math.isfinite(seconds) or seconds < 0:
        return ""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def short_seconds(seconds: float) -> str:
    """Such as "45 ms", "320 ms", "4.1 s" or "3 min 05 s"."""
    return f"{1000 * seconds:.0f} ms" if 0 <= seconds < 0.9995 else duration(seconds)


def rate(per_second: float, unit: str) -> str:
    """Such as "3.2 steps/s", or "4.1 s/step" where one takes longer than a second."""
    if not math.isfinite(per_second) or per_second <= 0:
        return ""
    if per_second < 1:
        return f"{duration(1 / per_second)}/{unit}"
    number = f"{per_second:.0f}" if per_second >= 99.5 else f"{per_second:.1f}"
    return f"{number} {unit}s/s"


def size(nbytes: float) -> str:
    """Such as "340 kB", "12.3 MB" or "1.42 GB"; as disks are sold, a kB is 1000 bytes."""
    if nbytes < 1e6:
        return f"{nbytes / 1e3:.0f} kB"
    return f"{nbytes / 1e6:.1f} MB" if nbytes < 1e9 else f"{nbytes / 1e9:.2f} GB"


def decibels(value: float) -> str:
    """A signal-to-noise ratio in whole decibels, such as "108"; ∞ where there is no noise."""
    return "∞" if value == math.inf else "–" if math.isnan(value) else f"{value:.0f}"


def short_error(value: float) -> str:
    """An error in five characters or so, such as ".026" or "2e-11"."""
    if not math.isfinite(value):
        return "∞" if value == math.inf else "–"
    return (f"{value:.1g}" if value < 1e-3 else f"{value:.2g}").removeprefix("0")


def small_number(value: float) -> str:
    """A number of any size in two or three digits, such as "0.0123" or "1.7e-11"."""
    if not math.isfinite(value):
        return "∞" if value == math.inf else "–"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.3g}"
    return f"{value:.1e}"
