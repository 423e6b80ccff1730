"""The command line as a process of its own: exit codes, imports, signals, pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = [sys.executable, "-m", "ddim_studio"]


def test_torch_stays_out_of_help_usage_errors_and_lists(tmp_path):
    lines = ["--help", "sample --help", "sample --out a.png --steps 5000", "sample", "models list"]
    lines += ["models info fashion-28", "sample --out a.png --spacing x", "sampel"]
    code = (
        "import sys\n"
        "from ddim_studio.__main__ import main\n"
        f"codes = [main(line.split()) for line in {lines!r}]\n"
        "heavy = {'torch', 'diffusers', 'PySide6', 'pyqtgraph'} & set(sys.modules)\n"
        "print(codes, sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[0, 0, 2, 2, 0, 0, 2, 2] []"


def test_the_command_line_leaves_waiting_threads_as_they_are(tmp_path):
    code = (
        "import os, sys\n"
        "os.environ.pop('OMP_WAIT_POLICY', None)\n"
        "from ddim_studio.__main__ import main\n"
        "assert main(['models', 'list']) == 0\n"
        "assert 'OMP_WAIT_POLICY' not in os.environ\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)


def test_a_run_says_only_what_it_saved(tmp_path, tiny_pipeline, names):
    line = ["sample", "--model", str(tiny_pipeline), "--steps", "3", "--out", "a.png"]
    done = subprocess.run(
        [*PROGRAM, *line], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "a.png\n", "")
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize(("line", "code"), [("sample", 2), ("models info missing", 1)])
def test_the_exit_code_is_that_of_the_process(tmp_path, line, code):
    done = subprocess.run(
        [*PROGRAM, *line.split()], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    "ending",
    [
        (signal.SIGINT, 130, "ddim-studio sample: interrupted.\n"),
        (signal.SIGTERM, 128 + signal.SIGTERM, ""),
    ],
    ids=["SIGINT", "SIGTERM"],
)
@pytest.mark.parametrize("out", ["deep/a.npz", "a.gif"])
def test_a_signal_mid_run_leaves_nothing_behind(tmp_path, tiny_pipeline, ending, out, names):
    number, code, told = ending
    line = f"sample --model {tiny_pipeline} --steps 1000 --count 5000 --batch-size 4 --quiet"
    kind = ["--trajectory"] if out.endswith(".npz") else []
    with subprocess.Popen(
        [*PROGRAM, *line.split(), "--out", out, *kind],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 120
        while not writing(tmp_path):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        written, complaint = process.communicate(timeout=60)
    assert (process.returncode, written, complaint) == (code, "", told)
    assert names(tmp_path) == []


def writing(folder) -> bool:
    """Whether a temporary file of an output is there, beside those of the trial before the run."""
    return any(path.stem.startswith(".a-") for path in folder.rglob(".a-*"))


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_leaves_early_gets_no_traceback(tmp_path):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*PROGRAM, "models", "info", "fashion-28"],
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert done.stderr == ""


def test_an_output_without_greek_gets_question_marks(tmp_path, tiny_pipeline):
    done = subprocess.run(
        [*PROGRAM, "models", "info", str(tiny_pipeline)],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        check=True,
    )
    assert b"Prediction  ? (noise)" in done.stdout
