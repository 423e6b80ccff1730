"""What goes wrong with a run of training."""

from __future__ import annotations

from ddim_studio.models.errors import ModelError


class TrainingError(ModelError):
    """A model cannot be trained, or not any further."""
