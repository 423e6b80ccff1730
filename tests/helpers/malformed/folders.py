"""Folders that are no models, or of which something is missing or is no file."""

from __future__ import annotations

import os

from malformed.item import STEM, file_of, item, sound, unet, weights, write_json
from malformed.tensors import CHANGES

GROUP = "folders"


@item(GROUP, "an empty folder", "holds no diffusers model")
def empty_folder(folder):
    return str(folder)


@item(GROUP, "a folder with a README.md alone", "holds no diffusers model")
def only_a_card(folder):
    (folder / "README.md").write_text("# A model")
    return str(folder)


@item(GROUP, "a folder of pictures", "holds no diffusers model")
def folder_of_pictures(folder):
    for name in ("a.png", "b.png"):
        file_of(folder, b"\x89PNG\r\n\x1a\n", name)
    return str(folder)


@item(GROUP, "a folder with two checkpoints", "holds 2 checkpoints: a.pt, b.pt")
def two_checkpoints(folder):
    for name in ("a.pt", "b.pt"):
        file_of(folder, b"x", name)
    return str(folder)


@item(GROUP, "a text-to-image pipeline (Stable Diffusion)", "is a UNet2DConditionModel, which")
def text_to_image_pipeline(folder):
    model = sound(folder, network={"_class_name": "UNet2DConditionModel", "in_channels": 4})
    write_json(model / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    return str(model)


@item(GROUP, "a pipeline whose network is a transformer", "StableDiffusion3Pipeline")
def transformer_pipeline(folder):
    write_json(folder / "model_index.json", {"_class_name": "StableDiffusion3Pipeline"})
    (folder / "transformer").mkdir()
    write_json(folder / "transformer" / "config.json", {"_class_name": "SD3Transformer2DModel"})
    return str(folder)


@item(GROUP, "a diffusers folder without weights", "weights are missing")
def no_weights(folder):
    model = sound(folder)
    (unet(model) / f"{STEM}.safetensors").unlink()
    return str(model)


@item(GROUP, "a config.json that is a folder", "holds no diffusers model")
def config_is_a_folder(folder):
    model = sound(folder)
    (unet(model) / "config.json").unlink()
    (unet(model) / "config.json").mkdir()
    return str(model)


@item(GROUP, "weights that are a folder", "weights are missing")
def weights_are_a_folder(folder):
    model = sound(folder)
    (unet(model) / f"{STEM}.safetensors").unlink()
    (unet(model) / f"{STEM}.safetensors").mkdir()
    return str(model)


def _pipe(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@item(GROUP, "a config.json that is a named pipe", "holds no diffusers model", needs_pipes=True)
def config_is_a_pipe(folder):
    model = sound(folder)
    _pipe(unet(model) / "config.json")
    return str(model)


@item(GROUP, "weights that are a named pipe", "weights are missing", needs_pipes=True)
def weights_are_a_pipe(folder):
    model = sound(folder)
    _pipe(unet(model) / f"{STEM}.safetensors")
    return str(model)


@item(GROUP, "an index of parts that is a named pipe", "is neither a file nor", needs_pipes=True)
def index_is_a_pipe(folder):
    model = sound(folder)
    (unet(model) / f"{STEM}.safetensors").unlink()
    _pipe(unet(model) / f"{STEM}.safetensors.index.fp16.json")
    return str(model)


@item(GROUP, "a README.md that is a named pipe, and no weights", "weights are", needs_pipes=True)
def card_is_a_pipe(folder):
    model = no_weights(folder)
    os.mkfifo(folder / "model" / "README.md")
    return model


@item(GROUP, "a README.md that is a named pipe, and NaN", "NaN or infinite", needs_pipes=True)
def card_is_a_pipe_and_weights_are_nan(folder):
    tensors = weights()
    CHANGES["NaN in the weights"][0](tensors)
    model = sound(folder, tensors=tensors)
    os.mkfifo(model / "README.md")
    return str(model)


@item(GROUP, "weights that lead to /dev/zero", "weights are missing", needs_pipes=True)
def weights_are_dev_zero(folder):
    model = sound(folder)
    (unet(model) / f"{STEM}.safetensors").unlink()
    (unet(model) / f"{STEM}.safetensors").symlink_to("/dev/zero")
    return str(model)


@item(GROUP, "a config.json that leads to /dev/random", "no diffusers model", needs_pipes=True)
def config_is_dev_random(folder):
    model = sound(folder)
    (unet(model) / "config.json").unlink()
    (unet(model) / "config.json").symlink_to("/dev/random")
    return str(model)


@item(GROUP, "a config.json that leads to itself", "holds no diffusers model", needs_pipes=True)
def config_leads_to_itself(folder):
    model = sound(folder)
    (unet(model) / "config.json").unlink()
    (unet(model) / "config.json").symlink_to("config.json")
    return str(model)


@item(GROUP, "a folder that holds itself without end", "holds no diffusers model", needs_pipes=True)
def folder_in_itself(folder):
    (folder / "unet").symlink_to(folder)
    return str(folder)
