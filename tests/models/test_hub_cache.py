"""The names of models on the hub, the files that they need, and the hub library's cache."""

import pytest
from hub_server import fetch

from ddim_studio.models.errors import ModelError
from ddim_studio.models.hub_cache import cache_root, cached_models, hub_name, needed_files


@pytest.mark.parametrize(
    "text",
    [
        *("", "hub:", "tiny", "a/b/c", "../b", "a/..", "a//b", "/a", "a/b@", "a/b@../x", "a/b@/x"),
        *("a b/c", "a/b\nc", "a--b/c", "-a/b", "a/b.", "a/" + "b" * 97, "https://x/y", "a/b@x//y"),
    ],
)
def test_names_that_are_none(text):
    with pytest.raises(ModelError, match="is not the name of a model on the hub"):
        hub_name(text)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("google/ddpm-cifar10-32", "hub:google/ddpm-cifar10-32"),
        (" hub:a_b/C.d-1 ", "hub:a_b/C.d-1"),
        ("hub:a/b@v1.0", "hub:a/b@v1.0"),
        ("hub:a/b@refs/pr/3", "hub:a/b@refs/pr/3"),
    ],
)
def test_names_that_are_some(text, source):
    assert hub_name(text).source == source
    assert hub_name(source) == hub_name(text)


def test_safetensors_go_before_pickles_and_the_weights_come_last():
    names = {"config.json", "diffusion_pytorch_model.bin", "diffusion_pytorch_model.safetensors"}
    assert needed_files(names | {"evil.py"})[-1] == "diffusion_pytorch_model.safetensors"
    assert needed_files({"config.json", "pytorch_model.bin"}) == ()
    assert needed_files({"diffusion_pytorch_model.bin"}) == ()


def test_parts_and_variants_are_those_that_open():
    stem, config = "unet/diffusion_pytorch_model", "unet/config.json"
    parts = [f"{stem}-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = f"{stem}.safetensors.index.json"
    assert needed_files({config, index, *parts, f"{stem}.bin"}) == (config, index, *parts)
    variants = {f"{stem}.fp16.bin", f"{stem}.fp16.safetensors", f"{stem}.non_ema.safetensors"}
    assert needed_files({config, *variants}) == (config, f"{stem}.fp16.safetensors")
    assert needed_files({config, *variants, f"{stem}.bin"}) == (config, f"{stem}.bin")


def test_a_cache_that_others_filled_is_searched_without_trusting_it(hub, tmp_path):
    fetch()
    root = cache_root()
    for name in ("models--x", "models--x--y--z", "models--..--..", "datasets--a--b"):
        (root / name / "refs").mkdir(parents=True, exist_ok=True)
        (root / name / "refs" / "main").write_text("../../../..")
    (root / "models--b--bad" / "refs").mkdir(parents=True)
    (root / "models--b--bad" / "refs" / "main").write_bytes(b"\xff\xfe")
    assert [name.repo for name in cached_models()] == ["a/tiny"]
