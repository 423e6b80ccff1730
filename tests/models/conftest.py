"""A model folder to damage, and what every refusal must be."""

import contextlib
import json
import re
import shutil
import time

import pytest

FORBIDDEN = re.compile(
    r"weights_only|huggingface|safetensors_rust|Traceback|Error\b|Exception|(?<!\()torch\.|0x[0-9a-f]{6}"
)


@pytest.fixture
def folder(tiny_pipeline, tmp_path):
    """A copy of the tiny model, in the pipeline layout."""
    return shutil.copytree(tiny_pipeline, tmp_path / "model")


def edit(path, **changes):
    """Change entries of a JSON file; an Ellipsis removes one."""
    values = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not ...}))


@pytest.fixture(name="edit")
def _edit():
    return edit


@pytest.fixture
def refused(tiny):
    """Checks that a source is refused in the way a user can read; gives the message.

    It depends on an opened model so that the imports are not timed.
    """
    from ddim_studio.models.errors import ModelError
    from ddim_studio.models.loading import describe, load_model

    def check(source, says):
        begun = time.process_time()
        with pytest.raises(ModelError) as caught:
            load_model(source, device="cpu")
        assert time.process_time() - begun < 2
        message, advice = str(caught.value), caught.value.advice
        assert re.search(says, message)
        for text in (message, advice):
            assert text.isprintable()
            assert not FORBIDDEN.search(text)
            assert len(text) < 450
            assert text == "" or text.endswith(".")
        assert message
        assert len(re.findall(r"[.!?](?=\s|$)", message)) <= 2
        with contextlib.suppress(ModelError):  # it reads less, so it may find nothing wrong
            describe(source)
        return message

    return check
