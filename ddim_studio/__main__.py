"""``ddim-studio`` and ``python -m ddim_studio``: the window without arguments, else a command."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WITHOUT_DISPLAY = {"offscreen", "minimal", "minimalegl", "vnc", "eglfs", "linuxfb"}
"""Platform plugins of Qt that need neither an X server nor a Wayland compositor."""


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window, or run a command.

    Args:
        argv: The arguments after the program's name, those of the process by default.

    Returns:
        The exit code of the process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments:
        try:
            from ddim_studio.cli.main import main as run_command
            from ddim_studio.models.acceleration.engine import let_conversions_finish

            let_conversions_finish()
            return run_command(arguments)
        except KeyboardInterrupt:  # before the command could begin
            return 130
    if reason := missing_for_window():
        from ddim_studio.cli.headless import instead_of_window

        return instead_of_window(reason)
    # Threads of OpenMP that spin while they wait would take the window's core. It must be known
    # before torch is imported. The command line wants every core at full speed, and leaves it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from ddim_studio.gui.app import launch

    return launch()


def missing_for_window() -> str:
    """Why no window can open here and what to do about it, in one sentence, or nothing."""
    platform = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    wayland = os.environ.get("WAYLAND_DISPLAY") and platform != "xcb"
    needs_x = sys.platform.startswith("linux") and platform not in WITHOUT_DISPLAY and not wayland
    if needs_x and not os.environ.get("DISPLAY"):
        return (
            "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window "
            "can open; run it in a desktop session, or connect with ssh -X."
        )
    try:
        import PySide6.QtWidgets
    except ImportError as error:
        return _library_missing(error)
    return _x_server_missing(Path(PySide6.__file__).parent) if needs_x else ""


def _x_server_missing(qt: Path) -> str:
    """Why Qt, which ends the whole process then, could not open a window on the X server."""
    plugin = qt / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    try:
        if plugin.is_file():
            ctypes.CDLL(str(plugin))
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        return _library_missing(error)
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    refused = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if not refused:
        return ""
    return (
        f"the display {os.environ['DISPLAY']!r} does not answer, so no window can open; set "
        "DISPLAY to one that does, or connect with ssh -X."
    )


def _library_missing(error: Exception) -> str:
    return (
        f"the window needs a library that is missing here ({error}); install the system packages "
        "that the README names."
    )


if __name__ == "__main__":
    sys.exit(main())
