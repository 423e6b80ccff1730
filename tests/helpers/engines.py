"""Graphs made in this process, and what the tests of the engine share."""

from __future__ import annotations

import copy
import time

import torch

import ddim_studio as ds
from ddim_studio.models.acceleration import store
from ddim_studio.models.acceleration.compiled import CompiledNetwork
from ddim_studio.models.acceleration.conversion import graph_of
from ddim_studio.models.acceleration.library import openvino


def graph_of_model(model, folder):
    """What a conversion keeps of a model; written into a folder meanwhile."""
    openvino().save_model(graph_of(model), folder / store.GRAPH, compress_to_fp16=False)
    return store.Graph(*((folder / name).read_bytes() for name in (store.GRAPH, store.WEIGHTS)))


def keep_graph(key, graph):
    """Put a graph into the cache."""

    def write(folder):
        (folder / store.GRAPH).write_bytes(graph.description)
        (folder / store.WEIGHTS).write_bytes(graph.weights)

    store.keep(key, write)


def compiled(graph, model, precision="precise"):
    return CompiledNetwork(graph, model.image_shape, precision, 2)


def batch(model, count):
    """Noise, a timestep of its own for every image, and a class where there are classes."""
    t = torch.arange(count) * 43 % model.schedule.T
    labels = (torch.arange(count) % model.classes,) if model.classes else ()
    return (ds.seeded_noise(model, range(count)), t, *labels)


@torch.no_grad()
def by_torch(model, given):
    return model._forward(*given)


def drawn(model, seeds=range(3), network=None, steps=8):
    """Final images (N, C, H, W), perhaps with another network."""
    view = copy.copy(model)
    view.network = network or model.network
    settings = ds.SampleSettings(steps=steps)
    *_, last = ds.sample(view, ds.seeded_noise(model, seeds), settings)
    return last.x


def wait_until(condition, seconds=100.0):
    """Return as soon as something is so."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it took too long"
        time.sleep(0.01)
