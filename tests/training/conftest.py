import pytest


@pytest.fixture(autouse=True)
def _short_assessments(monkeypatch):
    """Assessments that take no longer than a few of the tiny steps."""
    monkeypatch.setattr("ddim_studio.training.run.VALIDATED", 32)
    monkeypatch.setattr("ddim_studio.training.assess.SAMPLE_STEPS", 4)
