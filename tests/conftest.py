"""What every test stands on: no display, no network, no trace in the user's folders."""

import os

os.environ["QT_QPA_PLATFORM"] = os.environ.get("DDIM_STUDIO_TEST_PLATFORM", "offscreen")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("DDIM_STUDIO_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hub")))
    monkeypatch.setenv("DDIM_STUDIO_ENGINE", "eager")  # tests of the engine ask for it
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hub(monkeypatch, tiny_pipeline):
    """A hub on this computer with the model a/tiny, and the network switched on for it alone."""
    from hub_server import HubServer
    from huggingface_hub import constants

    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    about = {
        "library_name": "diffusers",
        "pipeline_tag": "unconditional-image-generation",
        "config": {"diffusers": {"_class_name": "DDIMPipeline"}},
        "cardData": {"license": "apache-2.0"},
    }
    with HubServer() as server:
        server.add("a/tiny", tiny_pipeline, about=about)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture(scope="session")
def fashion():
    """The bundled model, on the CPU."""
    import ddim_studio as ds

    return ds.load_model("fashion-28", device="cpu")


TINY_CONFIG = {
    "sample_size": 8,
    "in_channels": 1,
    "out_channels": 1,
    "layers_per_block": 1,
    "block_out_channels": (8, 16),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "norm_num_groups": 4,
    "attention_head_dim": 8,
}


@pytest.fixture(scope="session")
def tiny_pipeline(tmp_path_factory):
    """A small random model in the pipeline layout, as diffusers itself writes it."""
    import torch
    from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    scheduler = DDIMScheduler(clip_sample=False, beta_schedule="linear")
    DDIMPipeline(UNet2DModel(**TINY_CONFIG), scheduler).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_pipeline):
    """The small random model, opened."""
    import ddim_studio as ds

    return ds.load_model(str(tiny_pipeline), device="cpu")
