"""Laws of the code base that are checked by reading and importing it."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "ddim_studio"
MAX_LINES = 300
HEAVY = ["PIL", "PySide6", "av", "diffusers", "numpy", "pyqtgraph", "safetensors", "torch"]

UNSAFE = {"pickle", "marshal", "shelve", "dill", "joblib"}

CHECKERS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
}
LAYERS = "from importlinter.cli import lint_imports_command as check; check(['--no-cache'])"


def modules(*folders):
    """Every Python file under these folders of the repository, by its path."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path for path in found}


def python(*arguments):
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", CHECKERS)
def test_the_code_is_clean(name):
    done = python("-m", *CHECKERS[name])
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_point_down():
    done = python("-c", LAYERS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* kept, 0 broken", done.stdout)


def test_no_module_is_long():
    lengths = {
        name: len(path.read_text(encoding="utf-8").splitlines())
        for name, path in modules("ddim_studio", "tests", "benchmarks").items()
    }
    assert "ddim_studio/__init__.py" in lengths
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def offences(source):
    """Calls that could run code from a file or the command line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            yield from (
                f"import {n}" for n in names if n in {"pickle", "marshal", "shelve", "dill"}
            )
        elif isinstance(node, ast.Call):
            yield from call_offences(node)


def call_offences(call):
    name = ast.unparse(call.func)
    settings = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if name in {"eval", "exec", "compile", "os.system", "os.popen", "globals"}:
        yield f"{name}()"
    if name == "torch.load" and settings.get("weights_only") != "True":
        yield "torch.load without weights_only=True"
    if name in {"np.load", "numpy.load"} and settings.get("allow_pickle", "False") != "False":
        yield "numpy.load with allow_pickle"
    if settings.get("shell", "False") != "False":
        yield "shell=True"
    if settings.get("trust_remote_code", "False") != "False":
        yield "trust_remote_code"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import load",
        "eval('1')",
        "exec(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "subprocess.run(command, shell=True)",
    ],
)
def test_the_search_for_code_from_files_finds_it(source):
    assert list(offences(source))


def test_nothing_in_the_package_runs_code_from_a_file():
    found = {
        name: list(offences(path.read_text(encoding="utf-8")))
        for name, path in modules("ddim_studio").items()
    }
    assert {name: offence for name, offence in found.items() if offence} == {}


def test_diffusers_lends_the_network_and_nothing_else():
    """The schedules and the steps are this program's own; `bench` measures those of diffusers."""
    lent = set()
    for name, path in modules("ddim_studio").items():
        if name == "ddim_studio/jobs/bench.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("diffusers"):
                lent |= {alias.name for alias in node.names}
    assert lent == {"UNet2DModel"}


def imported_by(module, code=""):
    """Which heavy libraries a fresh interpreter holds after it imported a module."""
    script = f"import sys, {module}\n{code}\nprint(*[n for n in {HEAVY} if n in sys.modules])"
    done = python("-c", script)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_search_for_heavy_imports_finds_them():
    assert imported_by("PIL.Image") == {"PIL"}


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("ddim_studio", set()),
        ("ddim_studio.__main__", set()),
        ("ddim_studio.storage", set()),
        ("ddim_studio.diffusion.settings", set()),
        ("ddim_studio.models.loading", set()),
        ("ddim_studio.jobs.events", set()),
        ("ddim_studio.jobs.runs", set()),
        ("ddim_studio.jobs.runner", set()),
        ("ddim_studio.jobs.models", set()),
        ("ddim_studio.jobs.sample", set()),
        ("ddim_studio.jobs.export", {"numpy", "PIL"}),
        ("ddim_studio.gui.app", {"numpy", "PIL", "PySide6"}),
    ],
)
def test_imports_are_light(module, allowed):
    assert importlib.util.find_spec(module) is not None
    assert imported_by(module) <= allowed


def test_the_names_of_the_package_are_there_and_load_when_asked_for():
    listed = "import ddim_studio as ds; dir(ds); ds.SettingsError; ds.SampleSettings; ds.ModelError"
    assert imported_by("ddim_studio", listed) == set()
    import ddim_studio as ds

    for name in ds.__all__:
        assert getattr(ds, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = ds.no_such_name
