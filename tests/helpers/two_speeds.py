"""An engine with a fast network that is off by a known amount, for tests of what is told of it."""

from __future__ import annotations

OFF = 0.05
"""What the fast network adds to every number."""


class Shifted:
    """A network whose output is moved by a constant."""

    def __init__(self, network, precision, off):
        self._network, self.precision, self._off = network, precision, off
        self.calls = 0

    def __call__(self, *given):
        self.calls += 1
        return self._network(*given) + self._off


class TwoSpeeds:
    """Plays `Engine`: both precisions are ready, or one of them cannot be had."""

    def __init__(self, model, without=""):
        self.without = without
        self.offers = {
            precision: Shifted(model.network, precision, off)
            for precision, off in (("precise", 0.0), ("fast", OFF))
        }

    def best(self, precision):
        return self.offers["precise" if self.without else precision]

    def fault(self, precision):
        return self.without if precision == "fast" else ""

    def prepare(self, precision, count=1):
        return self.best(precision)

    def news(self):
        return iter(())

    def survey(self):
        pass

    def noted(self, given, output):
        pass

    def stop(self):
        pass


def give_engines(monkeypatch, without=""):
    """Have every model that is opened from now on get such an engine."""
    from ddim_studio.models.acceleration import engine

    monkeypatch.setattr(engine, "engine_for", lambda model: TwoSpeeds(model, without))
