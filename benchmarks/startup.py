"""From the start of a fresh process to a visible window, several times.

    python benchmarks/startup.py [--rounds 5]

Runs offscreen unless QT_QPA_PLATFORM says otherwise. Also says which of the slow libraries had been
imported when the window was visible: none should be.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

CHILD = """
import json, sys, time
begun = float(sys.argv[1])
from PySide6.QtWidgets import QApplication
application = QApplication([])
from ddim_studio.gui.app import create_window
window = create_window()
window.show()
window.grab()  # everything has been painted once
visible = time.time() - begun
slow = [name for name in ("torch", "diffusers", "pyqtgraph") if name in sys.modules]
print(json.dumps({"seconds": visible, "imported": slow}), flush=True)
import os
os._exit(0)
"""


def start() -> dict[str, object]:
    """One start in a new process."""
    import time

    with tempfile.TemporaryDirectory() as home:
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, "DDIM_STUDIO_HOME": home}
        command = [sys.executable, "-c", CHILD, str(time.time())]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
    result: dict[str, object] = json.loads(done.stdout)
    return result


def main() -> None:
    """Print the median and every start."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    start()  # warms the disk cache
    starts = [start() for _ in range(options.rounds)]
    seconds = [float(str(one["seconds"])) for one in starts]
    print(f"window visible after {statistics.median(seconds):.2f} s (median of {len(seconds)})")
    print("each:", ", ".join(f"{value:.2f}" for value in seconds))
    print("slow libraries imported by then:", starts[-1]["imported"] or "none")


if __name__ == "__main__":
    main()
