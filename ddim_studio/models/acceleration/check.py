"""Whether a compiled network says what torch says of the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import Tensor

    from ddim_studio.diffusion.denoiser import Network
    from ddim_studio.diffusion.settings import Precision

MOST: Final[dict[Precision, float]] = {"precise": 1e-4, "fast": 0.1}
"""How far any number may be from torch's, as a share of the largest (of 1, if that is more).

float32 differs by about 2e-6 of it, bfloat16 by about 5e-3.
"""


@dataclass(frozen=True)
class Answer:
    """What torch said of some images.

    Attributes:
        given: x_t (N, C, H, W), t (N,) and, with classes, label (N,).
        output: The network's output, (N, C', H, W).
    """

    given: tuple[Tensor, ...]
    output: Tensor


def difference(network: Network, answer: Answer) -> float:
    """The largest difference from torch, as a share of torch's largest number or of 1.

    Not a number where the network's output is not finite.
    """
    theirs = answer.output
    ours = network(*answer.given)
    if ours.shape != theirs.shape or not bool(ours.isfinite().all()):
        return float("nan")
    scale = max(1.0, float(theirs.abs().max()))
    return float((ours - theirs).abs().max()) / scale


def agrees(network: Network, answer: Answer, precision: Precision) -> bool:
    """Whether a network of this precision may stand in for torch's."""
    return difference(network, answer) <= MOST[precision]  # false for not a number
