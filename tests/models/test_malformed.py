"""The whole catalogue of malformed inputs, each opened as a model in one process."""

import os
import pickle
import re

import pytest

from ddim_studio.models.errors import ModelError
from ddim_studio.models.loading import load_model
from malformed import CATALOGUE, MARKER, PAYLOADS, built

LIBRARY = re.compile(
    r"weights_only|[Uu]npickl|pickle module|Traceback|Error\b|Exception|safetensors_rust|"
    r"huggingface|add_safe_globals|0x[0-9a-f]{6}"
)
"""What a library says, and a user cannot use."""

pytestmark = pytest.mark.timeout(20)


@pytest.fixture(params=CATALOGUE)
def item(request):
    found = CATALOGUE[request.param]
    if found.needs_pipes and not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    return found


def is_one_sentence(text):
    return text.endswith(".") and not re.search(r"\.\s+[A-Z]", text)


@pytest.fixture(scope="module", autouse=True)
def _warm():
    """Import what opening a model takes, so that no entry is timed with it."""
    load_model("fashion-28", device="cpu")


def test_it_is_refused_in_a_sentence_of_its_own(item, tmp_path_factory):
    folder, source = built(item.name, tmp_path_factory.mktemp)
    with pytest.raises(ModelError) as caught:
        load_model(source, device="cpu")
    message, advice = str(caught.value), caught.value.advice
    assert re.search(item.says, message), message
    assert is_one_sentence(message), message
    assert len(message) <= 300
    for text in (message, advice):
        assert text.isprintable()
        assert not LIBRARY.search(text), text
    assert not (folder / MARKER).exists()


def test_the_catalogue_is_as_large_as_it_should_be():
    assert len(CATALOGUE) >= 70
    assert len({item.about for item in CATALOGUE.values()}) == len(CATALOGUE)


@pytest.mark.parametrize("name", PAYLOADS)
def test_the_payloads_are_real(name, tmp_path):
    """A careless reader runs them: else that they are not run here would mean nothing."""
    marker = tmp_path / MARKER
    pickle.loads(PAYLOADS[name](marker))
    assert marker.exists()


def test_no_setting_of_the_environment_makes_torch_run_code(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    folder, source = built("zip: os.system", tmp_path_factory.mktemp)
    with pytest.raises(ModelError, match="nothing in it was run"):
        load_model(source, device="cpu")
    assert not (folder / MARKER).exists()
