"""What a model is, in words and numbers; read without torch and without reading the weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelInfo:
    """The card of a model.

    Attributes:
        name: Bundled name, or the name of the folder.
        source: What `load_model` takes to open it again.
        family: Which kind of checkpoint it is.
        image_shape: (C, H, W).
        parameters: Number of weights.
        nbytes: Size of the weights on disk.
        timesteps: T.
        schedule: Name of the β schedule.
        prediction: What the network predicts: ε, x_0 or v.
        licence: As its card says, or "not stated".
        summary: The first paragraph of its card, may be empty.
        notes: What a user should know before sampling, one sentence each.
        classes: How many classes it draws, one of which a run chooses; 0 where there are none.
    """

    name: str
    source: str
    family: str
    image_shape: tuple[int, int, int]
    parameters: int
    nbytes: int
    timesteps: int
    schedule: str
    prediction: str
    licence: str = "not stated"
    summary: str = ""
    notes: tuple[str, ...] = ()
    classes: int = 0

    def lines(self) -> list[tuple[str, str]]:
        """Label and text of every line of the card, in the order to show them."""
        channels, height, width = self.image_shape
        colour = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
        rows = [
            ("Name", self.name),
            ("Family", self.family),
            ("Images", f"{width}×{height} pixels, {colour}"),
            ("Parameters", f"{self.parameters / 1e6:.1f} million"),
            ("Weights", f"{self.nbytes / 1e6:.1f} MB"),
            ("Timesteps", f"T = {self.timesteps}"),
            ("Schedule", self.schedule),
            ("Prediction", self.prediction),
            ("Licence", self.licence),
            ("Source", self.source),
        ]
        if self.classes:
            rows.insert(3, ("Classes", f"{self.classes}, from 0 to {self.classes - 1}"))
        return rows + [("Note", note) for note in self.notes]
