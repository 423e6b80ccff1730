"""The life of an engine: made beside the work by a process of its own, taken up by the next job."""

import os
import signal
import subprocess
import sys
import threading

import pytest
import torch
from engines import batch, by_torch, drawn, keep_graph, wait_until

from ddim_studio.jobs.models import ModelCache
from ddim_studio.models.acceleration import child, conversion, store
from ddim_studio.models.acceleration import engine as engine_module
from ddim_studio.models.acceleration.engine import ENOUGH, LONG, REST, Engine

pytestmark = pytest.mark.usefixtures("engine_on")


class Clock:
    """Stands for the event that ends an engine: time passes only while it is waited for."""

    def __init__(self, monkeypatch, tick=lambda now: None):
        self.now, self.tick = 1000.0, tick
        monkeypatch.setattr(engine_module.time, "monotonic", lambda: self.now)

    def wait(self, timeout):
        self.now += timeout
        self.tick(self.now)
        return False

    def is_set(self):
        return False


class BegunError(Exception):
    """A conversion begins."""


@pytest.fixture
def resting(tiny, tiny_key, monkeypatch):
    """An engine after its first calls, its clock, and what tells when a conversion begins."""
    clock, engine = Clock(monkeypatch), Engine(tiny)
    monkeypatch.setattr(threading.Thread, "start", lambda thread: None)  # `_make` is called here
    engine._stopped = clock
    given = batch(tiny, 3)
    for _ in range(ENOUGH):
        engine.noted(given, by_torch(tiny, given))
    assert engine._thread is not None

    def begin(source, key):
        assert (source, key) == (tiny.info.source, tiny_key)
        raise BegunError

    monkeypatch.setattr(engine_module, "Conversion", begin)
    return engine, clock


def test_it_begins_when_the_network_has_rested(resting):
    engine, clock = resting
    with pytest.raises(BegunError):
        engine._make()
    assert clock.now == pytest.approx(1000 + REST)


def test_a_run_that_goes_on_is_left_alone_at_first(resting, tiny):
    engine, clock = resting
    given = batch(tiny, 3)
    output = by_torch(tiny, given)

    def tick(now):
        if now < 1005:
            engine.noted(given, output)
            calls.append(now)

    calls, clock.tick = [], tick
    with pytest.raises(BegunError):
        engine._make()
    assert clock.now == pytest.approx(calls[-1] + REST) == pytest.approx(1004.75 + REST)


def test_beside_a_long_run_it_begins_after_a_while(resting, tiny):
    engine, clock = resting
    given = batch(tiny, 3)
    output = by_torch(tiny, given)
    clock.tick = lambda now: engine.noted(given, output)
    with pytest.raises(BegunError):
        engine._make()
    assert clock.now == pytest.approx(1000 + LONG)


def test_a_single_call_is_no_run(tiny):
    engine = Engine(tiny)
    given = batch(tiny, 1)
    for calls in range(1, ENOUGH + 1):
        assert engine._thread is None
        engine.noted(given, by_torch(tiny, given))
        assert engine._calls == calls
    thread = engine._thread
    assert thread.is_alive()
    engine.stop()
    assert not thread.is_alive()


def test_it_waits_for_another_process_that_converts_the_same(
    tiny, tiny_key, tiny_graph, monkeypatch
):
    mark = child._claim(tiny_key)
    engine, ticks = Engine(tiny), []

    def tick(now):
        ticks.append(now)
        if len(ticks) == 20:
            assert engine.offer("precise") is None
            keep_graph(tiny_key, tiny_graph)
            mark.unlink()

    engine._stopped = Clock(monkeypatch, tick)
    engine._first = engine._last = 1000.0
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a second one began"))
    engine._make()
    assert len(ticks) == 20
    assert engine.offer("precise") is not None
    assert list(engine.news()) == []


@pytest.fixture
def conversions(monkeypatch):
    """The conversions that engines begin, at once after a run."""
    begun = []

    class Recorded(child.Conversion):
        def __init__(self, source, key):
            super().__init__(source, key)
            begun.append(self)

    monkeypatch.setattr(engine_module, "Conversion", Recorded)
    monkeypatch.setattr(engine_module, "REST", 0.05)
    yield begun
    for conversion_ in begun:
        conversion_.stop()


def test_the_next_job_is_on_the_engine_that_a_process_made(
    tiny, tiny_pipeline, tiny_key, conversions, monkeypatch
):
    monkeypatch.setattr(child, "_stand_back", lambda process: None)  # these cores are busy
    monkeypatch.setattr(conversion, "graph_of", lambda model: pytest.fail("it was made here"))
    models = ModelCache()
    expected = drawn(tiny)

    def get():
        return models.get(str(tiny_pipeline), "cpu")

    first = get()
    assert first.compiled is None
    assert torch.equal(drawn(first), expected)
    wait_until(lambda: conversions)
    assert get() is first  # nothing is ready yet, and nobody waits
    first.engine._thread.join(100)
    assert [done._process.returncode for done in conversions] == [conversion.DONE]
    assert {path.name for path in store.cache_folder().iterdir()} == {tiny_key}
    assert torch.equal(drawn(first), expected)  # a run keeps to what it began with
    second = get()
    assert second.compiled is first.engine.offer("precise")
    assert get() is second
    ours = drawn(second)
    assert not torch.equal(ours, expected)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-4)
    assert list(first.engine.news()) == []
    models.clear()
    assert not first.engine._thread.is_alive()
    assert len(conversions) == 1


def test_stopping_ends_the_process_at_once(tiny, tiny_pipeline, conversions):
    models = ModelCache()
    drawn(models.get(str(tiny_pipeline), "cpu"))
    engine = models.open(str(tiny_pipeline), "cpu").engine
    wait_until(lambda: conversions)
    process = conversions[0]._process
    assert process.poll() is None
    if hasattr(os, "sched_getscheduler"):
        assert os.sched_getscheduler(process.pid) == os.SCHED_IDLE
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
    assert store.busy_mark(engine._key).exists()
    models.clear()
    assert process.returncode == -signal.SIGKILL
    assert not engine._thread.is_alive()
    assert list(store.cache_folder().iterdir()) == []
    assert list(engine.news()) == []


def test_a_process_that_is_killed_leaves_torch(tiny, tiny_pipeline, conversions):
    model = ModelCache().get(str(tiny_pipeline), "cpu")
    drawn(model)
    wait_until(lambda: conversions)
    conversions[0]._process.kill()
    model.engine._thread.join(60)
    (told,) = model.engine.news()
    assert "it could not be converted" in told
    assert list(store.cache_folder().iterdir()) == []
    assert torch.equal(drawn(model), drawn(tiny))
    assert len(conversions) == 1  # it is not tried again and again


@pytest.mark.parametrize("lasting", [False, True])
def test_the_conversion_of_a_command_may_outlive_it(tiny, tiny_pipeline, monkeypatch, lasting):
    begun = []
    monkeypatch.setattr(engine_module, "Conversion", lambda *given: begun.append(given))
    monkeypatch.setattr(Engine, "lasting", lasting)
    models = ModelCache()
    model = models.get(str(tiny_pipeline), "cpu")
    drawn(model)  # it ends before the network has rested
    models.clear()
    assert begun == ([(model.info.source, model.engine._key)] if lasting else [])
    models.clear()
    model.engine.stop()
    assert len(begun) == lasting


ENDS = """
from types import SimpleNamespace
import threading
from ddim_studio.models.acceleration import engine as module
module.REST = 0.01
model = SimpleNamespace(network=None, info=SimpleNamespace(source="nothing"))
engine = module.Engine(model)
engine._key = "key"
engine.take_up = lambda precision="precise": None
begun = threading.Event()
class Conversion(module.Conversion):
    def __init__(self, *given):
        super().__init__(*given)
        print(self._process.pid, flush=True)
        begun.set()
module.Conversion = Conversion
engine._thread = threading.Thread(target=engine._make, daemon=True)
engine._thread.start()
begun.wait(60)
"""


def test_nothing_is_left_running_when_the_program_ends():
    done = subprocess.run(
        [sys.executable, "-c", ENDS], capture_output=True, text=True, check=True, timeout=100
    )
    assert done.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
    assert list(store.cache_folder().iterdir()) == []
