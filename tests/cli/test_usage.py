"""Every wrong argument: exit code 2, and one line that names it and what is allowed."""

from __future__ import annotations

import json
import shutil

import pytest

SEEDS = "0 to 18446744073709551615"

WRONG = [
    # S, within the T = 1000 of the default model
    ("sample --out a.png --steps 0", "--steps", "from 1 to 1000, not 0"),
    ("sample --out a.png --steps -5", "--steps", "from 1 to 1000, not -5"),
    ("sample --out a.png --steps 1001", "--steps", "from 1 to 1000, not 1001"),
    ("sample --out a.png --steps 999999999", "--steps", "from 1 to 1000, not 999999999"),
    ("sample --out a.png --steps abc", "--steps", "from 1 to 1000, not 'abc'"),
    ("sample --out a.png --steps 5.0", "--steps", "from 1 to 1000, not '5.0'"),
    ("sample --out a.png --steps 1_0", "--steps", "from 1 to 1000, not '1_0'"),
    ("sample --out a.png --steps=", "--steps", "from 1 to 1000, not ''"),
    ("sample --out a.png --steps", "--steps", "a whole number from 1 to T"),
    # η
    ("sample --out a.png --eta 1.01", "--eta", "from 0 to 1, or 'hat' for σ̂, not '1.01'"),
    ("sample --out a.png --eta -0.1", "--eta", "from 0 to 1"),
    ("sample --out a.png --eta nan", "--eta", "from 0 to 1"),
    ("sample --out a.png --eta inf", "--eta", "from 0 to 1"),
    ("sample --out a.png --eta -inf", "--eta", "from 0 to 1"),
    ("sample --out a.png --eta hut", "--eta", "from 0 to 1"),
    ("sample --out a.png --eta", "--eta", "from 0 to 1"),
    # τ
    ("sample --out a.png --timesteps 5,4", "--timesteps", "strictly increasing"),
    ("sample --out a.png --timesteps 4,4", "--timesteps", "strictly increasing"),
    ("sample --out a.png --timesteps 0,1000", "--timesteps", "from 0 to 999"),
    ("sample --out a.png --timesteps 0,999999999", "--timesteps", "from 0 to 999"),
    ("sample --out a.png --timesteps -1,4", "--timesteps", "from 0 to T−1"),
    ("sample --out a.png --timesteps=-1,4", "--timesteps", "from 0 to 999, not -1"),
    ("sample --out a.png --timesteps 1,x", "--timesteps", "from 0 to 999, not 'x'"),
    ("sample --out a.png --timesteps 1,,2", "--timesteps", "from 0 to 999, not ''"),
    ("sample --out a.png --timesteps=", "--timesteps", "from 0 to 999"),
    ("sample --out a.png --timesteps 4 --steps 0", "--steps", "from 1 to 1000"),
    # choices
    ("sample --out a.png --spacing cubic", "--spacing", "linear, quadratic, leading, linspace"),
    ("sample --out a.png --clip yes", "--clip", "none, clamp, rederive"),
    ("sample --out a.png --device tpu", "--device", "auto, cpu, cuda, mps"),
    ("sample --out a.gif --view noise", "--view", "x, x0, epsilon"),
    ("sample --out a.gif --view x0_term", "--view", "x, x0, epsilon"),
    # seed and numbers of images
    ("sample --out a.png --seed -1", "--seed", f"{SEEDS}, not -1"),
    ("sample --out a.png --seed 18446744073709551616", "--seed", SEEDS),
    ("sample --out a.png --seed dice", "--seed", f"{SEEDS}, not 'dice'"),
    ("sample --out a.png --count 0", "--count", "from 1 to 1000000, not 0"),
    ("sample --out a.png --count -3", "--count", "from 1 to 1000000"),
    ("sample --out a.png --count 2000000", "--count", "from 1 to 1000000"),
    ("sample --out a.png --count many", "--count", "from 1 to 1000000"),
    ("sample --out a.png --count 500000", "--count", "at most 231361 for a sheet"),
    ("sample --out a.gif --count 500000", "--count", "at most 57600 for an animation"),
    ("sample --out a.png --batch-size 0", "--batch-size", "from 1 to 65536, not 0"),
    ("sample --out a.png --batch-size 1.5", "--batch-size", "from 1 to 65536"),
    # outputs
    ("sample", "--out", ".png, .gif, .webp, .mp4, .apng, .npz, or a folder"),
    ("sample --out", "--out", "FILE.png"),
    ("sample --out a.jpg", "--out", ".png, .gif, .webp, .mp4, .apng, .npz"),
    ("sample --out .png", "--out", "a file or a folder with a name"),
    ("sample --out=", "--out", "a file or a folder with a name"),
    ("sample --out a.png --trajectory", "--trajectory", "ends in .npz"),
    ("sample --out folder --trajectory", "--trajectory", "ends in .npz"),
    ("sample --out a.npz --trajectory=yes", "--trajectory", "takes no value"),
    ("sample --out a.npz --view x0", "--view", "an animation"),
    # what does not exist
    ("sample --out a.png --model", "--model", "a diffusers folder, or a checkpoint file"),
    ("sample --out a.png --model=", "--model", "a name or a path"),
    ("sample --out a.png --stpes 5", "--stpes", "did you mean --steps?"),
    ("sample --out a.png --step 5", "--step", "did you mean --steps?"),
    ("sample --out a.png -s 5", "-s", "--help"),
    ("sample --out a.png more", "'more'", "unexpected argument"),
    ("sampel --out a.png", "'sampel'", "did you mean sample?"),
    ("--sample", "'--sample'", "--help"),
    ("models", "action", "list or info"),
    ("models lst", "'lst'", "did you mean list?"),
    ("models info", "M", "fashion-28"),
    ("models info fashion-28 other", "'other'", "unexpected argument"),
    ("models list --jsno", "--jsno", "did you mean --json?"),
]


@pytest.mark.parametrize(("line", "named", "allowed"), WRONG, ids=[line for line, *_ in WRONG])
def test_a_wrong_argument_ends_with_2_and_one_line_that_names_it(run, line, named, allowed, names):
    answer = run(line)
    assert answer.code == 2
    assert answer.out == []
    (message,) = answer.err
    assert named in message
    assert allowed in message
    command = line.split()[0]
    assert message.startswith(f"ddim-studio {command}: " if command in ("sample", "models") else "")
    assert names() == []


def test_a_wrong_argument_in_several_lines_is_told_in_one(run):
    answer = run(["sample", "--out", "a.png", "--spacing", "a\nb", "--eta", "0"])
    assert (answer.code, len(answer.err)) == (2, 1)
    answer = run(["sample", "--out", "a.png", "two\nlines"])
    assert (answer.code, len(answer.err)) == (2, 1)


def test_wrong_options_are_found_before_the_model_is(run):
    assert run("sample --out a.png --model missing --eta 3").code == 2
    assert "from 1 to" in run("sample --out a.png --model missing --steps 0").err[0]


@pytest.mark.parametrize(
    "schedule", [{"num_train_timesteps": 100}, {"trained_betas": [0.01] * 100}]
)
def test_the_range_of_steps_is_that_of_the_model(run, tiny_pipeline, tmp_path, schedule):
    folder = tmp_path / "short"
    shutil.copytree(tiny_pipeline, folder)
    path = folder / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | schedule))
    for line in ("--steps 101", "--steps x"):
        answer = run(f"sample --model {folder} --out a.png {line}")
        assert answer.code == 2
        assert "--steps must be a whole number from 1 to 100, not" in answer.err[0]
    answer = run(f"sample --model {folder} --out a.png --timesteps 0,100")
    assert answer.code == 2
    assert "from 0 to 99 for this model, not 100" in answer.err[0]
    assert run(f"sample --model {folder} --out a.npz --trajectory --steps 100").code == 0


@pytest.mark.parametrize("command", ["", "sample", "models", "models list", "models info"])
def test_help_ends_with_0_and_examples(run, command):
    for flag in ("-h", "--help"):
        answer = run([*command.split(), flag])
        assert (answer.code, answer.err) == (0, [])
        text = "\n".join(answer.out)
        assert f"ddim-studio {command}".strip() in text
        assert text.index("examples:") < text.rindex("ddim-studio ")


def test_the_help_of_sample_tells_every_option_with_its_range_and_default(run):
    text = " ".join(" ".join(run("sample --help").out).split())
    for option, facts in {
        "--out": (".png", ".gif", ".webp", ".mp4", ".npz", "folder"),
        "--settings": ("PNG", ".json", "override"),
        "--model": ("bundled", "folder", "default: toonheads-32"),
        "--steps": ("from 1 to T", "default: 50"),
        "--eta": ("η", "DDIM", "DDPM", "σ̂", "from 0 to 1", "default: 0"),
        "--spacing": ("τ", "linear, quadratic, leading, linspace or trailing", "default: linear"),
        "--timesteps": ("τ", "strictly increasing", "from 0 to T−1"),
        "--clip": ("x̂_0", "none, clamp or rederive", "default: none"),
        "--seed": (SEEDS, "default: 0"),
        "--count": ("1 to 1000000", "default: 16"),
        "--device": ("auto, cpu, cuda or mps", "default: auto"),
        "--batch-size": ("1 to 65536", "default: 64"),
        "--view": ("x, x0 or epsilon", "default: x"),
        "--trajectory": ("(S+1,N,C,H,W)",),
        "--quiet": ("progress",),
        "--debug": ("traceback",),
    }.items():
        start = text.index(f" {option} ", text.index("options:"))
        part = text[start : start + 360]
        for fact in facts:
            assert fact in part, (option, fact)


def test_the_version_is_that_of_the_package(run):
    import ddim_studio

    assert run("--version").out == [f"ddim-studio {ddim_studio.__version__}"]
