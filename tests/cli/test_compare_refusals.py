"""``compare`` refuses what makes no sense in one line that names it; its help tells the rest."""

from __future__ import annotations

import shutil

import pytest

WRONG = [
    ("", "--out is missing: a file ending in .png, .svg, .pdf, .csv"),
    ("--out a.gif", "--out must end in .png, .svg, .pdf, .csv, not 'a.gif'"),
    ("--out a.png", "--rows is missing: eta, steps, spacing, seed, model or clip"),
    ("--out a.png --rows eta=0", "--columns is missing"),
    ("--out a.png --columns eta=0", "--rows is missing"),
    ("--out a.png --rows eta=2 --columns steps=5", "--rows: eta must be a number from 0 to 1"),
    ("--out a.png --rows size=2 --columns steps=5", "--rows: An axis is one of eta, steps"),
    ("--out a.png --rows eta=0 --columns eta=1", "--columns: Rows and columns are both eta"),
    ("--out a.png --rows eta=0 --columns steps=0", "--columns: steps must be a whole number"),
    ("--out a.png --rows eta=0 --columns steps=1001", "from 1 to 1000, not 1001"),
    ("--out a.png --rows steps=1001 --columns eta=0", "--rows: steps must be"),
    ("--out a.png --rows eta=0,1 --columns steps=5 --eta 0", "--eta is set by the rows already"),
    ("--out a.png --rows eta=0 --columns steps=5 --steps 9", "--steps is set by the columns"),
    ("--out a.png --rows seed=1 --columns eta=0 --seeds 3", "--seeds is set by the rows already"),
    ("--out a.png --rows eta=0 --columns clip=none --steps 1001", "--steps must be a whole number"),
    ("--out a.png --rows eta=0 --columns clip=none --steps 1001", "from 1 to 1000, not 1001"),
    ("--out a.png --rows eta=0 --columns clip=none --timesteps 0,1000", "from 0 to 999"),
    ("--out a.png --rows eta=0 --columns clip=none --timesteps 4,2", "--timesteps must be"),
    ("--out a.png --rows eta=0 --columns steps=5 --timesteps 1,2", "--timesteps: A list for τ"),
    ("--out a.png --rows eta=0 --columns steps=5 --seeds x", "--seeds must be whole numbers"),
    ("--out a.png --rows eta=0 --columns steps=5 --seeds 1,1", "--seeds: Give from 1 to 64 seeds"),
    ("--out a.png --rows eta=0 --columns steps=5 --metric fid", "mse, psnr, ssim, lpips"),
    ("--out a.png --rows eta=0 --columns steps=5 --metric=", "--metric must be one of mse"),
    ("--out a.png --rows eta=0 --columns steps=5 --class 1", "--class must be left out"),
    ("--out a.png --rows eta=0 --columns steps=5 --device tpu", "--device must be one of auto"),
    ("--out a.png --rows eta=0 --columns steps=5 --reference eta=0", "must give eta and steps"),
    ("--out a.png --rows eta=0 --columns steps=5 --reference 0,5", "--reference must give"),
    (
        "--out a.png --rows eta=0 --columns steps=5 --reference eta=0,eta=0",
        "--reference must give",
    ),
    (
        "--out a.png --rows eta=0 --columns steps=5,6 --reference eta=0,steps=7",
        "--reference: steps must be one of 5,6 there, not '7'",
    ),
    (
        "--out a.png --rows eta=0 --columns steps=5 --reference eta=x,steps=5",
        "--reference: eta must be a number",
    ),
    ("--out a.png --preset table2", "--preset must be consistency, table1 or seeds"),
    ("--out a.png --preset table1 --rows eta=0", "--preset stands for --rows and --columns"),
    ("--out a.png --preset table1 --steps 5", "--steps is set by the columns already"),
    ("--out a.png --preset table1 --colums eta=0", "did you mean --columns?"),
]


@pytest.mark.parametrize(("line", "says"), WRONG, ids=[line or "nothing" for line, _ in WRONG])
def test_a_wrong_option_ends_with_2_and_one_line(run, line, says, names):
    answer = run(f"compare {line}")
    assert (answer.code, answer.out, len(answer.err)) == (2, [], 1)
    assert answer.err[0].startswith("ddim-studio compare: ")
    assert says in answer.err[0]
    assert names() == []


def test_lpips_is_refused_where_it_cannot_be(run, monkeypatch):
    from ddim_studio.cli import compare as command

    monkeypatch.setattr(command, "lpips_available", lambda: False)
    answer = run("compare --preset table1 --metric lpips --out a.png")
    assert answer.code == 2
    assert "torchvision" in answer.err[0]
    assert "give mse, psnr or ssim" in answer.err[0]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("--rows model=missing,fashion-28 --columns steps=2", "missing"),
        ("--rows eta=0 --columns steps=2 --model missing", "missing"),
        ("--rows eta=0 --columns steps=2 --out file/a.png", "file"),
    ],
)
def test_a_failure_is_one_line_and_leaves_nothing(run, tmp_path, names, line, named):
    (tmp_path / "file").write_text("")
    answer = run(f"compare --out a.png {line}")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert named in answer.err[0]
    assert names() == ["file"]


def test_when_no_cell_can_be_computed_nothing_is_written(run, tiny_pipeline, tmp_path, names):
    folder = shutil.copytree(tiny_pipeline, tmp_path / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    answer = run("compare --model model --rows eta=0,1 --columns steps=2,3 --out a.png")
    assert (answer.code, answer.out, len(answer.err)) == (1, [], 1)
    assert names() == ["model"]


def test_the_help_tells_every_option(run):
    answer = run("compare --help")
    assert (answer.code, answer.err) == (0, [])
    text = " ".join(" ".join(answer.out).split())
    for option, fact in {
        "--out": "may be given several times",
        "--rows": "eta, steps, spacing, seed, model or clip",
        "--columns": "commas between",
        "--preset": "consistency, table1 or seeds",
        "--seeds": "default: 0-7",
        "--reference": "eta=0,steps=100",
        "--metric": "mse, psnr, ssim or lpips; default: ssim",
        "--model": "default: toonheads-32",
        "--eta": "from 0 to 1",
        "--clip": "none, clamp or rederive",
        "--device": "default: auto",
        "--quiet": "progress",
    }.items():
        start = text.index(f" {option} ", text.index("options:"))
        assert fact in text[start : start + 360], option
    assert text.index("examples:") < text.rindex("ddim-studio compare")


def test_torch_stays_out_of_usage_errors(tmp_path, monkeypatch):
    import subprocess
    import sys

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    code = (
        "import sys\nfrom ddim_studio.__main__ import main\n"
        "codes = [main(line.split()) for line in ('compare --help', 'compare --out a.txt', "
        "'compare --out a.png --rows eta=0 --columns steps=5000', "
        "'compare --out a.png --preset table1 --metric lpips')]\n"
        "heavy = {'torch', 'diffusers', 'matplotlib', 'PySide6'} & set(sys.modules)\n"
        "print(codes, sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[0, 2, 2, 2] []"
