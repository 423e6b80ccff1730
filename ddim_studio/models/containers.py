"""Which of the tensors in a training state are the network's: nested states, EMA, prefixes.

Training scripts save the network together with its optimizer and its moving average (EMA). Only a
few places are looked at, by name; what else the file holds is neither walked through nor read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ddim_studio.models.errors import ModelError, excerpt
from ddim_studio.models.weights import is_state_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from torch import Tensor

    State = Mapping[str, Tensor]

NETWORKS: Final = ("model", "state_dict", "model_state_dict", "net", "network", "unet", "denoiser")
AVERAGES: Final = ("ema", "model_ema", "ema_model", "ema_state_dict", "state_dict_ema")
WRAPPERS: Final = ("module.", "_orig_mod.", "unet.", "network.", "net.")
"""What parallel training, compilation and other wrappers put before every name."""
AVERAGED: Final = "ema_model."
BOOKKEEPING: Final = ("initted", "step", "num_updates", "decay")
EMA_NOTE: Final = "The weights are the moving average (EMA) that its training state holds."
RAW_NOTE: Final = (
    "Its training state holds no moving average (EMA) that can be read: these are the raw weights."
)


class Inside(NamedTuple):
    """What a file holds of the network.

    Attributes:
        tensors: Its state.
        facts: Texts and numbers that stand beside it, such as the version that wrote the file.
        notes: What a user should know, one sentence each.
    """

    tensors: State
    facts: dict[str, str | int | float]
    notes: tuple[str, ...]


def inside(path: Path, values: Any) -> Inside:  # noqa: ANN401 (whatever the file holds)
    """The network's state within what was read from a file.

    Raises:
        ModelError: There is none.
    """
    if is_state_dict(values) and values:
        if any(name.startswith(AVERAGED) for name in values):
            return _merged(path, None, values, {})
        return Inside(unwrapped(values), {}, ())
    if isinstance(values, list | tuple):
        return _merged(path, _state(values[:1]), _state(values[4:5]), {})
    if isinstance(values, dict):
        facts = {
            key: value
            for key, value in values.items()
            if isinstance(key, str) and isinstance(value, str | int | float)
        }
        networks = _state([values[key] for key in NETWORKS if key in values])
        averages = _state([values[key] for key in AVERAGES if key in values])
        return _merged(path, networks, averages, facts)
    raise _nothing(path)


def unwrapped(names: Mapping[str, Any]) -> dict[str, Any]:
    """The same entries without the prefixes that wrappers put before every name."""
    stripped = dict(names)
    for _ in range(4):
        prefix = next((text for text in WRAPPERS if _all_begin(stripped, text)), "")
        stripped = {name.removeprefix(prefix): value for name, value in stripped.items()}
    return stripped


def _all_begin(names: Iterable[str], prefix: str) -> bool:
    return all(name.startswith(prefix) for name in names)


def _state(candidates: Iterable[Any]) -> State | None:
    """The first of the candidates that is a state with something in it."""
    return next((value for value in candidates if is_state_dict(value) and value), None)


def _merged(path: Path, network: State | None, average: State | None, facts: Any) -> Inside:  # noqa: ANN401
    """The EMA where there is one, completed by what it does not cover, such as buffers."""
    averaged = None if average is None else _average(average)
    if network is None and averaged is None:
        raise _nothing(path)
    if averaged is None:
        return Inside(unwrapped(network or {}), facts, (RAW_NOTE,))
    whole = {} if network is None else unwrapped(network)
    if whole and not all(
        name in whole and whole[name].shape == tensor.shape for name, tensor in averaged.items()
    ):
        raise ModelError(
            f"The moving average in {excerpt(path.name)} belongs to another network than the "
            "weights beside it.",
            "Save the network's state_dict in a file of its own.",
        )
    return Inside(whole | averaged, facts, (EMA_NOTE,))


def _average(state: State) -> dict[str, Tensor] | None:
    """The averaged network within the state of an averaging object; None before it began."""
    if "initted" in state and not bool(state["initted"].all()):
        return None
    inner = {n.removeprefix(AVERAGED): v for n, v in state.items() if n.startswith(AVERAGED)}
    plain = {name: value for name, value in state.items() if name not in BOOKKEEPING}
    return unwrapped(inner or plain)


def _nothing(path: Path) -> ModelError:
    return ModelError(
        f"{excerpt(path.name)} does not hold a plain list of named tensors, nor a training state "
        "with one.",
        "Save the network's state_dict, or give the file of weights.",
    )
