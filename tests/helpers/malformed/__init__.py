"""A catalogue of inputs that are no models, or broken ones, each with a word of its sentence.

They are made on demand in a folder of their own, small and fast, and none needs the network.
"""

from malformed import archives, configs, families, folders, others, pickles, places, tensors
from malformed.item import CATALOGUE, Item, built
from malformed.payloads import MARKER, PAYLOADS

__all__ = [
    "CATALOGUE",
    "MARKER",
    "PAYLOADS",
    "Item",
    "archives",
    "built",
    "configs",
    "families",
    "folders",
    "others",
    "pickles",
    "places",
    "tensors",
]
