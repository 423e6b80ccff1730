"""OpenVINO, imported in one place, without what it would send over the network.

Its package reports its import and every conversion to its makers where ``openvino_telemetry`` is
installed beside it, which pip does. This program uses no network unless asked: the reporting
package is kept from being imported, and OpenVINO then takes its own stub in its place.
"""

from __future__ import annotations

import importlib
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

from contextlib import contextmanager

DEVICE: Final = "CPU"
_REPORTER: Final = "openvino_telemetry"
_lock = threading.Lock()
_cores: list[Any] = []


@contextmanager
def _unreported() -> Iterator[None]:
    """Keep the reporting package from being imported meanwhile, unless somebody imported it."""
    if _REPORTER in sys.modules:
        yield
        return
    sys.modules[_REPORTER] = None  # type: ignore[assignment]  # Python's own way to forbid it
    try:
        yield
    finally:
        sys.modules.pop(_REPORTER, None)


def openvino() -> Any:  # noqa: ANN401 (a module without types)
    """The package.

    Raises:
        ImportError: It is not installed, or does not work on this computer.
    """
    with _lock, _unreported():
        return importlib.import_module("openvino")


def core() -> Any:  # noqa: ANN401 (OpenVINO's own class)
    """The one entry to the devices that the package knows.

    Raises:
        ImportError: The package is not there, or does not work.
    """
    package = openvino()
    with _lock:
        if not _cores:
            _cores.append(package.Core())
        return _cores[0]


def converter() -> Any:  # noqa: ANN401 (a function of OpenVINO)
    """What turns a torch module into a graph.

    Raises:
        ImportError: The package is not there, or does not work.
    """
    openvino()
    with _lock, _unreported():
        return importlib.import_module("openvino.tools.ovc").convert_model


def computes_bfloat16() -> bool:
    """Whether this processor computes with bfloat16.

    Raises:
        ImportError: The package is not there, or does not work.
    """
    return "BF16" in core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")
