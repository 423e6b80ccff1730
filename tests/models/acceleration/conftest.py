"""The graph of the small random model, made once, and put into the cache of who asks for it."""

import pytest
from engines import graph_of_model, keep_graph

from ddim_studio.models.acceleration.fingerprint import key_of


@pytest.fixture
def engine_on(monkeypatch):
    """The environment leaves the choice of the engine to the program."""
    monkeypatch.setenv("DDIM_STUDIO_ENGINE", "auto")


@pytest.fixture(scope="session")
def tiny_graph(tiny, tmp_path_factory):
    """The graph of the small random model, as a conversion writes it."""
    return graph_of_model(tiny, tmp_path_factory.mktemp("graph"))


@pytest.fixture
def tiny_key(tiny):
    return key_of(tiny)


@pytest.fixture
def cached(engine_on, tiny_key, tiny_graph):
    """The cache holds the graph of the small random model; its key."""
    keep_graph(tiny_key, tiny_graph)
    return tiny_key


@pytest.fixture(autouse=True)
def _not_lasting(monkeypatch):
    """As in a window; a command that another test ran in this process may have said otherwise."""
    from ddim_studio.models.acceleration.engine import Engine

    monkeypatch.setattr(Engine, "lasting", False)
