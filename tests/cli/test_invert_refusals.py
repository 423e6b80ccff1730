"""``invert`` and ``interpolate``: what they refuse, how they fail, and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from pictures import noisy, write

PROGRAM = [sys.executable, "-m", "ddim_studio"]
INVERT = "invert p.png --out a.npz"
WALK = "interpolate p.png seed:1 --out a.gif"

WRONG = [
    # the walk
    (f"{INVERT} --steps 0", "--steps", "from 1 to 1000, not 0"),
    (f"{INVERT} --steps 1001", "--steps", "from 1 to 1000, not 1001"),
    (f"{INVERT} --steps ten", "--steps", "from 1 to 1000, not 'ten'"),
    (f"{INVERT} --method magic", "--method", "source, target, exact"),
    (f"{INVERT} --spacing cubic", "--spacing", "linear, quadratic, leading, linspace"),
    (f"{INVERT} --timesteps 5,4", "--timesteps", "strictly increasing"),
    (f"{INVERT} --timesteps 0,1000", "--timesteps", "from 0 to 999"),
    (f"{INVERT} --tolerance 0", "--tolerance", "from 1e-12 to 1, not 0"),
    (f"{INVERT} --tolerance nan", "--tolerance", "from 1e-12 to 1"),
    (f"{INVERT} --tolerance small", "--tolerance", "from 1e-12 to 1, not 'small'"),
    (f"{INVERT} --max-calls 1", "--max-calls", "from 2 to 10000, not 1"),
    (f"{INVERT} --max-calls", "--max-calls", "from 2 to 10000"),
    (f"{INVERT} --device tpu", "--device", "auto, cpu, cuda, mps"),
    (f"{INVERT} --batch-size 0", "--batch-size", "from 1 to 65536, not 0"),
    # pictures
    (f"{INVERT} --fit squeeze", "--fit", "crop, pad, stretch"),
    (f"{INVERT} --fit=", "--fit", "crop, pad, stretch"),
    (f"{INVERT} --background 1,2", "--background", "from 0 to 255"),
    (f"{INVERT} --background 1,2,256", "--background", "from 0 to 255"),
    (f"{INVERT} --background infrared", "--background", "not 'infrared'"),
    (f"{INVERT} --background=", "--background", "from 0 to 255"),
    # places
    ("invert --out a.npz", "IMAGE", "pictures, or folders"),
    ("invert p.png", "--out", ".npz, or a folder"),
    ("invert p.png --out a.png", "--out", ".npz, or in / for a folder, not 'a.png'"),
    ("invert p.png --out .npz", "--out", "with a name"),
    (f"{INVERT} --stpes 5", "--stpes", "did you mean --steps?"),
    ("interpolate --out a.gif", "A", "seed:N"),
    ("interpolate p.png --out a.gif", "B", "seed:N"),
    ("interpolate p.png p.png p.png --out a.gif", "'p.png'", "unexpected argument"),
    ("interpolate p.png seed:x --out a.gif", "B", "0 to 18446744073709551615, not 'x'"),
    ("interpolate seed:-1 p.png --out a.gif", "A", "0 to 18446744073709551615, not -1"),
    ("interpolate p.png seed:1", "--out", ".gif"),
    ("interpolate p.png seed:1 --out d/", "--out", ".npz, not the folder 'd/'"),
    ("interpolate p.png seed:1 --out walk", "--out", ".npz, not 'walk'"),
    ("interpolate p.png seed:1 --out a.jpg", "--out", ".png, .gif, .webp"),
    (f"{WALK} --frames 1", "--frames", "from 2 to 10000, not 1"),
    (f"{WALK} --frames many", "--frames", "from 2 to 10000, not 'many'"),
    (f"{WALK} --path spiral", "--path", "slerp, lerp"),
    (f"{WALK} --fps 0", "--fps", "from 0.01 to 50, not 0"),
    (f"{WALK} --fps 51", "--fps", "from 0.01 to 50, not 51"),
    ("interpolate p.png seed:1 --out a.mp4 --fps 121", "--fps", "from 0.01 to 120"),
    ("interpolate p.png seed:1 --out a.png --fps 5", "--fps", "an animation"),
    ("interpolate p.png seed:1 --out a.npz --ping-pong", "--ping-pong", "an animation"),
    ("interpolate p.png seed:1 --out a.png --frames 482", "--frames", "at most 481"),
    # what has no inverse
    (f"{INVERT} --eta 0.5", "--eta must be 0", "η = 0, no clipping, full precision"),
    (f"{INVERT} --eta hat", "--eta must be 0", "draws noise"),
    (f"{INVERT} --clip clamp", "--clip must be none", "η = 0, no clipping, full precision"),
    (f"{INVERT} --precision half", "--precision must be full", "full precision only"),
    (f"{INVERT} --precision bf16", "--precision must be full", "not 'bf16'"),
    (f"{WALK} --eta 1", "--eta must be 0", "draws noise"),
    (f"{WALK} --clip rederive", "--clip must be none", "clipping"),
    (f"{WALK} --precision float16", "--precision must be full", "rounding"),
]


@pytest.fixture
def picture(tmp_path):
    """A picture p.png where command lines run."""
    write(tmp_path / "p.png", noisy(1))


@pytest.mark.parametrize(("line", "named", "allowed"), WRONG, ids=[line for line, *_ in WRONG])
@pytest.mark.usefixtures("picture")
def test_a_wrong_argument_ends_with_2_and_one_line_that_names_it(run, names, line, named, allowed):
    answer = run(line)
    assert (answer.code, answer.out) == (2, [])
    (message,) = answer.err
    assert message.startswith(f"ddim-studio {line.split()[0]}: ")
    assert named in message
    assert allowed in message
    assert names() == ["p.png"]


@pytest.mark.usefixtures("picture")
def test_options_that_ask_for_what_inversion_is_are_taken(run, tiny_pipeline):
    line = f"{INVERT} --model {tiny_pipeline} --steps 1 --eta 0.0 --clip none --precision full"
    assert run(line).code == 0


@pytest.mark.usefixtures("picture")
def test_options_without_effect_are_told(run, tiny_pipeline):
    line = f"{INVERT} --model {tiny_pipeline} --timesteps 3,9 --steps 4 --method source"
    told = run(f"{line} --tolerance 0.1").err
    assert "--steps and --spacing are not used" in told[0]
    assert "--tolerance and --max-calls are of the exact method" in told[1]


@pytest.mark.usefixtures("picture")
def test_a_failure_is_one_line_that_names_what_failed_and_leaves_nothing(run, tmp_path, names):
    (tmp_path / "bad.png").write_bytes((tmp_path / "p.png").read_bytes()[:60])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty").mkdir()
    before = names()
    for line, told in [
        ("invert missing.png --out a.npz", "There is no file missing.png"),
        ("invert p.png bad.png --out new/d/", "bad.png is damaged"),
        ("invert text.png --out a.npz", "text.png is not an image"),
        ("invert empty --out a.npz", "no picture in the folder empty"),
        ("invert p.png --model missing --out a.npz", "missing"),
        ("invert p.png --out text.png/a.npz", "text.png"),
        ("interpolate p.png missing.png --out a.gif", "There is no file missing.png"),
        ("interpolate bad.png seed:1 --out new/a.npz", "bad.png is damaged"),
        ("interpolate empty p.png --out a.gif", "empty is a folder"),
        ("interpolate seed:1 p.png --out text.png/a.gif", "text.png"),
    ]:
        answer = run(line)
        assert (answer.code, answer.out, len(answer.err)) == (1, [], 1), line
        assert answer.err[0].startswith(f"ddim-studio {line.split()[0]}: ")
        assert told in answer.err[0]
        assert names() == before


@pytest.mark.usefixtures("picture")
@pytest.mark.parametrize("out", ["new/a.npz", "new/d/"])
def test_a_failure_in_the_middle_leaves_nothing(run, tiny_pipeline, monkeypatch, names, out):
    from ddim_studio.jobs import inversion_files

    genuine, batches = inversion_files.invert_job, []

    def failing(order, bench, **keywords):
        batches.append(order)
        if len(batches) == 2:
            raise MemoryError
        return genuine(order, bench, **keywords)

    monkeypatch.setattr(inversion_files, "invert_job", failing)
    line = f"invert p.png p.png --model {tiny_pipeline} --steps 1 --batch-size 1 --out {out}"
    answer = run(line)
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert "not enough memory" in answer.err[0]
    assert names() == ["p.png"]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("invert p.png p.png p.png --batch-size 1 --out deep/d/", "d/.inversion-*/p-latent.png"),
        ("invert p.png p.png p.png --batch-size 1 --out deep/a.npz", ".a-*/*.npy"),
        ("interpolate p.png seed:3 --frames 5000 --out deep/a.npz", ".a-*/*.npy"),
        ("interpolate p.png seed:3 --frames 900 --out deep/a.apng", ".a-*"),
    ],
)
@pytest.mark.usefixtures("picture")
def test_ctrl_c_mid_run_leaves_nothing_behind(tmp_path, tiny_pipeline, names, line, sign):
    options = ["--model", str(tiny_pipeline), "--device", "cpu", "--steps", "400", "--quiet"]
    with subprocess.Popen(
        [*PROGRAM, *line.split(), *options, "--method", "source"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "deep").glob(sign)):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        written, complaint = process.communicate(timeout=60)
    assert (process.returncode, written) == (130, ""), complaint
    assert complaint == f"ddim-studio {line.split()[0]}: interrupted.\n"
    assert names(tmp_path) == ["p.png"]


def test_torch_stays_out_of_help_and_usage_errors(tmp_path):
    write(tmp_path / "p.png", noisy(1))
    lines = ["invert --help", "interpolate --help", f"{INVERT} --steps 5000", f"{WALK} --fps 0"]
    lines += [f"{INVERT} --eta 1", "invert missing.png --out a.npz", f"{WALK} --frames 0"]
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
    assert done.stdout.splitlines()[-1] == "[0, 0, 2, 2, 2, 1, 2] []"


WALK_OPTIONS = {
    "--model": ("default: toonheads-32",),
    "--steps": ("from 1 to T", "default: 50"),
    "--method": ("source, target or exact", "default: exact"),
    "--spacing": ("linear, quadratic, leading", "quadratic for exact"),
    "--timesteps": ("strictly increasing", "default: none"),
    "--tolerance": ("from 1e-12 to 1", "default: 1e-05"),
    "--max-calls": ("from 2 to 10000", "default: 40"),
    "--fit": ("crop, pad or stretch", "default: crop"),
    "--background": ("R,G,B", "default: black"),
    "--device": ("auto, cpu, cuda or mps", "default: auto"),
    "--eta": ("always 0", "draws noise"),
    "--clip": ("always none", "cuts off"),
    "--precision": ("always full", "rounding"),
    "--quiet": ("progress",),
    "--debug": ("traceback",),
}
OPTIONS = {
    "invert": {"--out": (".npz", "report.csv", "(S,N)"), "--batch-size": ("default: 64",)},
    "interpolate": {
        "--out": (".gif", ".webp", ".mp4", ".apng", ".png", ".npz"),
        "--frames": ("from 2 to 10000", "default: 11"),
        "--path": ("slerp or lerp", "default: slerp"),
        "--ping-pong": ("go back to A",),
        "--fps": ("from 0.01 to 120", "default: 12"),
        "--batch-size": ("default: 16",),
    },
}


@pytest.mark.parametrize("command", OPTIONS)
def test_the_help_tells_every_option_with_its_range_and_default(run, command):
    answer = run(f"{command} --help")
    assert (answer.code, answer.err) == (0, [])
    text = " ".join(" ".join(answer.out).split())
    assert f"ddim-studio {command}" in text[text.index("examples:") :]
    for option, facts in {**WALK_OPTIONS, **OPTIONS[command]}.items():
        start = text.index(f" {option} ", text.index("options:"))
        part = text[start : start + 360]
        for fact in facts:
            assert fact in part, (option, fact)
