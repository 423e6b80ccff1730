"""What an engine offers: only what was checked; else torch runs, and one sentence says why."""

import dataclasses

import pytest
import torch
from engines import batch, by_torch, keep_graph

import ddim_studio as ds
from ddim_studio.models.acceleration import conversion, library, precision, store
from ddim_studio.models.acceleration.check import Answer, agrees, difference
from ddim_studio.models.acceleration.engine import ENOUGH, Engine, engine_for
from ddim_studio.models.acceleration.network import EngineNetwork
from ddim_studio.models.errors import ModelError
from ddim_studio.models.model import Model

pytestmark = pytest.mark.usefixtures("engine_on")


@pytest.fixture
def no_conversion(monkeypatch):
    """Nothing may be converted."""
    monkeypatch.setattr(conversion, "graph_of", lambda model: pytest.fail("it was converted"))


def refused_for(engine, reason, precision="precise"):
    """Whether an engine has nothing to offer, for this reason, and says so once."""
    assert engine.best(precision) is None
    assert engine.fault(precision) == (
        f"The faster engine cannot run this model ({reason}). It runs with torch, as precisely."
    )
    told = list(engine.news())
    assert list(engine.news()) == []
    return told == [engine.fault(precision)]


def test_an_engine_is_made_once_and_taken_up_by_the_next_one(tiny, monkeypatch):
    first = engine_for(tiny)
    assert isinstance(first, Engine)
    assert first.take_up() is first.offer("precise") is None
    made = first.prepare()
    assert made is first.offer("precise")
    monkeypatch.setattr(conversion, "graph_of", lambda model: pytest.fail("it was converted"))
    second = Engine(tiny)
    assert second.offer("precise") is None
    network = second.take_up()
    assert second.take_up() is second.prepare() is second.best("precise") is network
    given = batch(tiny, 2)
    assert torch.equal(network(*given), made(*given))
    assert first.fault("precise") == second.fault("precise") == ""
    assert [*first.news(), *second.news()] == []


def test_a_prepared_engine_has_every_portion(tiny, cached):
    assert sorted(Engine(tiny).prepare("precise", 5)._requests) == [1, 4]


def test_a_damaged_graph_is_made_anew(tiny, cached, tiny_graph, monkeypatch):
    graph = library.core().read_model(tiny_graph.description, tiny_graph.weights)
    monkeypatch.setattr(conversion, "graph_of", lambda model: graph)
    path = store.cache_folder() / cached / store.WEIGHTS
    path.write_bytes(path.read_bytes()[:-4] + bytes(4))
    engine = Engine(tiny)
    assert engine.take_up() is None
    assert engine.fault("precise") == ""
    network = engine.prepare()
    given = batch(tiny, 2)
    torch.testing.assert_close(network(*given), by_torch(tiny, given), rtol=0, atol=1e-4)
    assert store.find(cached).weights == tiny_graph.weights


@pytest.mark.usefixtures("no_conversion")
@pytest.mark.parametrize("off", ["scaled", "weights"])
def test_a_network_whose_numbers_differ_is_not_offered(tiny, tiny_key, tiny_graph, off):
    weights = tiny_graph.weights
    if off == "weights":
        numbers = torch.frombuffer(bytearray(weights), dtype=torch.float32)
        weights = (numbers * 1.01).numpy().tobytes()
        keep_graph(tiny_key, store.Graph(tiny_graph.description, weights))
    else:
        keep_graph(tiny_key, tiny_graph)
        tiny = Model(tiny.unet, tiny.schedule, tiny.info, "epsilon", "cpu", time_scale=0.5)
    engine = Engine(tiny)
    engine._key = tiny_key
    assert refused_for(engine, "its numbers differ from torch's")
    assert engine.prepare() is None


@pytest.mark.usefixtures("no_conversion")
def test_a_graph_that_does_not_compile_is_discarded(tiny, tiny_key):
    keep_graph(tiny_key, store.Graph(b"<net/>", b""))
    assert refused_for(Engine(tiny), "it did not compile")
    assert store.find(tiny_key) is None


def test_a_refusal_is_remembered(tiny, monkeypatch):
    asked = []

    def unknown(model):
        asked.append(model)
        raise NotImplementedError("aten::foo")

    monkeypatch.setattr(conversion, "graph_of", unknown)
    for _ in range(2):
        engine = Engine(tiny)
        assert engine.prepare() is None
        assert refused_for(engine, "it does not know one of its operations")
        assert engine.fault("fast") == engine.fault("precise")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("graph_of", MemoryError()),
        ("converter", ImportError("libtbb.so.12: cannot open shared object file")),
        ("converter", OSError(28, "No space left on device")),
    ],
)
def test_what_is_no_fault_of_the_model_is_not_remembered(tiny, tiny_key, monkeypatch, place, error):
    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(conversion if place == "graph_of" else library, place, fail)
        engine = Engine(tiny)
        assert engine.prepare() is None
        assert refused_for(engine, "it could not be converted")
    assert store.find(tiny_key) is None


def test_a_model_whose_files_are_others_by_now_is_not_converted(tiny, tmp_path):
    other = Model(tiny.unet, tiny.schedule, tiny.info, "epsilon", "cpu", time_scale=0.5)
    engine = Engine(other)
    assert engine.prepare() is None
    assert refused_for(engine, "it could not be converted")
    assert not store.cache_folder().exists()
    gone = dataclasses.replace(tiny.info, source=str(tmp_path / "gone"))
    with pytest.raises(ModelError):
        conversion.convert(gone.source, "key")
    engine = Engine(Model(tiny.unet, tiny.schedule, gone, "epsilon", "cpu"))
    assert engine.prepare() is None
    assert refused_for(engine, "it could not be converted")


def test_a_folder_that_cannot_be_used_leaves_torch(tiny, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DDIM_STUDIO_HOME", str(tmp_path / "file"))
    engine = Engine(tiny)
    assert refused_for(engine, "its folder cannot be used")
    assert engine.fault("fast") == engine.fault("precise")
    assert engine.prepare("fast") is None


def test_without_bfloat16_what_runs_is_precise(tiny, cached, monkeypatch):
    monkeypatch.setattr(library, "computes_bfloat16", lambda: False)
    engine = Engine(tiny)
    network = engine.best("fast")
    assert network is engine.offer("precise")
    assert network.precision == "precise"
    assert engine.fault("fast") == precision.NO_BFLOAT16
    assert engine.prepare("fast") is None
    assert engine.fault("precise") == ""
    assert list(engine.news()) == []  # it is told to those who ask for it


def test_with_bfloat16_fast_has_a_network_of_its_own(tiny, cached, monkeypatch):
    monkeypatch.setattr(library, "computes_bfloat16", lambda: True)
    engine = Engine(tiny)
    engine.survey()
    network = engine.best("fast")
    assert network.precision == "fast"
    assert engine.offer("precise") is None  # not until it is asked for
    assert engine.best("precise").precision == "precise"
    assert engine.fault("fast") == ""
    given = batch(tiny, 2)
    torch.testing.assert_close(network(*given), by_torch(tiny, given), rtol=0, atol=0.1)


def test_a_survey_does_not_keep_an_engine_from_being_made(tiny, monkeypatch):
    monkeypatch.setattr(library, "computes_bfloat16", lambda: False)
    engine = Engine(tiny)
    engine.survey()
    assert engine.fault("fast") == precision.NO_BFLOAT16
    given = batch(tiny, 1)
    try:
        for _ in range(ENOUGH):
            assert engine._thread is None
            engine.noted(given, by_torch(tiny, given))
        assert engine._thread is not None
    finally:
        engine.stop()
    assert not engine._thread.is_alive()


def test_an_installation_that_does_not_work_leaves_torch(tiny, cached, monkeypatch):
    def fail():
        raise ImportError("libopenvino.so: cannot open shared object file")

    monkeypatch.setattr(library, "core", fail)
    engine = Engine(tiny)
    assert refused_for(engine, "OpenVINO does not work on this computer")


def test_what_is_loaded_with_an_engine_runs_on_it_or_on_torch(
    tiny, tiny_pipeline, tiny_key, tiny_graph
):
    given = batch(tiny, 3)
    without = ds.load_model(str(tiny_pipeline), "cpu", engine="auto")
    assert isinstance(without.network, EngineNetwork)
    assert torch.equal(without.network(*given), by_torch(tiny, given))
    keep_graph(tiny_key, tiny_graph)
    model = ds.load_model(str(tiny_pipeline), "cpu", engine="auto")
    assert torch.equal(model.network(*given), model.engine.offer("precise")(*given))
    assert not torch.equal(model.network(*given), by_torch(tiny, given))


@pytest.mark.parametrize(
    ("off", "precise", "fast"),
    [(0.0, True, True), (5e-5, True, True), (5e-4, False, True), (0.3, False, False)],
)
@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_how_much_may_differ_is_a_share_of_the_largest_number(off, precise, fast, scale):
    answer = Answer((torch.ones(2, 1, 2, 2),), scale * torch.linspace(-1, 1, 8).view(2, 1, 2, 2))

    def network(x):
        return answer.output + off * scale * torch.eye(2)

    assert difference(network, answer) == pytest.approx(off, abs=1e-6)
    assert agrees(network, answer, "precise") is precise
    assert agrees(network, answer, "fast") is fast


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "shape"])
def test_what_is_no_answer_never_agrees(wrong):
    answer = Answer((torch.ones(2, 1, 2, 2),), torch.zeros(2, 1, 2, 2))

    def network(x):
        return torch.zeros(2, 2, 2, 2) if wrong == "shape" else x * wrong

    assert not agrees(network, answer, "fast")
