"""No engine where it is switched off or not installed; and nothing is imported that reports."""

import importlib.util
import subprocess
import sys

import pytest
import torch
from engines import batch, by_torch

import ddim_studio as ds
from ddim_studio.jobs.models import ModelCache, engine_notices, opened
from ddim_studio.models.acceleration import precision
from ddim_studio.models.acceleration.engine import engine_for


def without_package(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "openvino" else find(name)
    )


def switched_off(monkeypatch):
    monkeypatch.setenv("DDIM_STUDIO_ENGINE", " Eager ")


@pytest.mark.parametrize(
    ("hinder", "reason"),
    [(without_package, precision.NOT_INSTALLED), (switched_off, precision.SWITCHED_OFF)],
)
@pytest.mark.usefixtures("cached")
def test_there_is_no_engine_and_the_reason_is_told(
    tiny, tiny_pipeline, monkeypatch, hinder, reason
):
    assert precision.hindrance() == ""
    assert engine_for(tiny) is not None
    hinder(monkeypatch)
    assert precision.hindrance() == reason
    assert engine_for(tiny) is None
    given = batch(tiny, 2)
    model = ds.load_model(str(tiny_pipeline), "cpu", engine="auto")
    assert model.engine is None
    assert torch.equal(model.network(*given), by_torch(tiny, given))
    model = ModelCache().get(str(tiny_pipeline), "cpu", "fast")
    assert torch.equal(model.network(*given), by_torch(tiny, given))
    assert (opened(model).engine, opened(model).no_fast) == ("torch, float32", reason)
    assert [notice.text for notice in engine_notices(model, "fast")] == [reason]
    assert list(engine_notices(model, "precise")) == []


@pytest.mark.parametrize("value", ["auto", "", "AUTO", "anything"])
def test_only_one_word_switches_it_off(monkeypatch, value):
    monkeypatch.setenv("DDIM_STUDIO_ENGINE", value)
    assert precision.engine_allowed()
    monkeypatch.delenv("DDIM_STUDIO_ENGINE")
    assert precision.engine_allowed()


def test_on_another_device_there_is_none(tiny, monkeypatch, engine_on):
    monkeypatch.setattr(tiny, "device", torch.device("mps"))
    assert engine_for(tiny) is None


WORKS = """
import sys
import ddim_studio as ds
assert "torch" not in sys.modules and "openvino" not in sys.modules
from ddim_studio.models.acceleration.engine import Engine
model = ds.load_model(sys.argv[1], "cpu")
engine = Engine(model)
assert "openvino" not in sys.modules
engine.survey()
assert "openvino" in sys.modules
assert engine.prepare() is not None, engine.fault("precise")
import openvino.tools.ovc
assert "openvino_telemetry" not in sys.modules
import openvino_telemetry  # the trap itself works, and is not kept shut
"""


def test_the_package_that_reports_is_never_imported(
    tiny_pipeline, tmp_path, monkeypatch, engine_on
):
    trap = tmp_path / "packages" / "openvino_telemetry"
    trap.mkdir(parents=True)
    (trap / "__init__.py").write_text("print('reported')\n__all__ = ['Telemetry']\nTelemetry = 1\n")
    monkeypatch.setenv("PYTHONPATH", str(trap.parent))
    done = subprocess.run(
        [sys.executable, "-c", WORKS, str(tiny_pipeline)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "reported\n"  # by the last line, which asks for it
