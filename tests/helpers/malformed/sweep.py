"""All entries one after another through ``models info``, with what each takes.

Run as a script, it reads pairs of a name and a source as JSON from its standard input, and writes a
list of findings: a process of its own, so that what is measured is the program's alone.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

WATCHDOG = 10.0
"""After so many seconds an entry counts as hanging, and the process ends."""
HELPERS = Path(__file__).parents[1]


def swept(sources):
    """What came of every source.

    Args:
        sources: By name.

    Returns:
        A dictionary with the peak of memory before (``start``) and after (``peak``), in MB, and
        ``findings``: name, exit code, lines of both outputs, seconds, and seconds of the processor.
    """
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(Path(__file__))],
        input=json.dumps(sources),
        env={**os.environ, "PYTHONPATH": str(HELPERS), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    return json.loads(done.stdout)


def peak():
    """The most memory that this process has had, in MB.

    What the system says of resources counts the process that started this one too.
    """
    import resource

    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1e3
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


def asked(source):
    """What ``models info`` answers: its exit code, and the lines of its two outputs."""
    from ddim_studio.__main__ import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["models", "info", source])
    return code, out.getvalue().splitlines(), err.getvalue().splitlines()


def _all():
    from ddim_studio.models.loading import load_model

    sources = json.load(sys.stdin)
    load_model("fashion-28", "cpu")  # the libraries are in memory from here on
    start, findings = peak(), []
    for name, source in sources.items():
        faulthandler.dump_traceback_later(WATCHDOG, exit=True)
        begun, used = time.perf_counter(), time.process_time()
        code, out, err = asked(source)
        seconds, processor = time.perf_counter() - begun, time.process_time() - used
        faulthandler.cancel_dump_traceback_later()
        findings.append(
            {
                "name": name,
                "code": code,
                "out": out,
                "err": err,
                "seconds": seconds,
                "processor": processor,
            }
        )
    json.dump({"start": start, "peak": peak(), "findings": findings}, sys.stdout)


if __name__ == "__main__":
    _all()
