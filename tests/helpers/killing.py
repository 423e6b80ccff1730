"""Runs command lines again and again, each time killed (SIGKILL) at another moment.

Started as a process of its own: it imports everything once, and forks, so that a kill hits a real
process without a new one having to start from nothing.

    python killing.py MODEL < ORDERS

ORDERS is a JSON list of [folder, moments, argv]: for each number of ``moments`` a child runs
``argv`` in the folder, and is killed as soon as the folder and those in it hold so many more files
than before, or as it ends. Then a last child runs it to its end. Written to the standard output, as
JSON: how many children were killed, for each order.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path


def files_in(folder):
    return sum(len(files) for _, _, files in os.walk(folder))


def forked(folder, argv):
    from ddim_studio.__main__ import main

    child = os.fork()
    if child == 0:
        os.chdir(folder)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os._exit(main(argv))
    return child


def killed(folder, argv, more, pause):
    """Whether a child lived until the folder held so many more files, and was killed then."""
    before = files_in(folder)
    child = forked(folder, argv)
    while True:
        ended, _ = os.waitpid(child, os.WNOHANG)
        if ended:
            return False
        if files_in(folder) >= before + more:
            time.sleep(pause)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True
        time.sleep(0.001)


def run_and_kill(orders):
    chance = random.Random(0)
    kills = []
    for folder, moments, argv in orders:
        Path(folder).mkdir()
        kills.append(sum(killed(folder, argv, more, chance.uniform(0, 0.02)) for more in moments))
        _, status = os.waitpid(forked(folder, argv), 0)
        if status:
            return os.waitstatus_to_exitcode(status)
    sys.stdout.write(json.dumps(kills))
    return 0


if __name__ == "__main__":
    import ddim_studio as ds
    import ddim_studio.cli.sample  # for the children

    ds.load_model(sys.argv[1], "cpu")
    sys.exit(run_and_kill(json.load(sys.stdin)))
