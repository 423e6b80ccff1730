"""Looking models of a small local hub up: what is told, and what is refused in a sentence."""

import pytest
from hub_server import TINY, WEIGHTS, fetch

import ddim_studio as ds
from ddim_studio.models.errors import ModelError
from ddim_studio.models.hub import hub_info
from ddim_studio.models.hub_cache import cached_models
from ddim_studio.models.loading import describe, load_model


def test_size_and_licence_are_known_before_a_file_is_asked_for(hub):
    info = hub_info(TINY)
    files = hub.repos["a/tiny"].files
    assert info.nbytes == sum(len(files[file.name]) for file in info.files)
    assert {file.name for file in info.files} == set(files)
    assert info.licence == "apache-2.0"
    assert info.commit == hub.repos["a/tiny"].commit
    assert info.cached == 0
    assert "unconditional image generation · diffusers DDIMPipeline" in info.summary
    assert [request.path for request in hub.requests] == ["/api/models/a/tiny"]


def test_offline_the_hub_is_asked_nothing(hub):
    for ask in (describe, load_model, ds.load_model):
        with pytest.raises(ModelError, match="not on this computer yet") as caught:
            ask(TINY)
        assert "ddim-studio models download hub:a/tiny" in caught.value.advice
    assert cached_models() == []
    assert hub.requests == []
    fetch()
    asked = len(hub.requests)
    describe(TINY)
    load_model(TINY, device="cpu")
    assert [name.source for name in cached_models()] == [TINY]
    assert len(hub.requests) == asked


KINDS = {
    "text": {
        "about": {
            "library_name": "diffusers",
            "pipeline_tag": "text-to-image",
            "config": {"diffusers": {"_class_name": "StableDiffusionPipeline"}},
        },
        "says": "model for text to image, made for StableDiffusionPipeline, with the parts vae",
        "more": ["vae/config.json", "text_encoder/config.json"],
    },
    "latent": {
        "about": {"config": {"diffusers": {"_class_name": "LDMPipeline"}}},
        "says": "made for LDMPipeline, with the parts vqvae",
        "more": ["vqvae/config.json"],
    },
    "language": {
        "about": {"library_name": "transformers", "pipeline_tag": "text-generation"},
        "says": "model for text generation, made for transformers",
        "less": [WEIGHTS],
    },
    "none": {"about": {}, "says": "no diffusion model in diffusers' format", "less": [WEIGHTS]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_another_kind_is_said_to_be_what_it_is(hub, kind, tiny_pipeline):
    entry = KINDS[kind]
    repo = hub.add("b/other", tiny_pipeline, about=entry["about"])
    for name in entry.get("less", ()):
        del repo.files[name]
    repo.files |= dict.fromkeys(entry.get("more", ()), b"{}")
    with pytest.raises(ModelError, match="'b/other' does not open here: it is") as caught:
        hub_info("hub:b/other")
    assert entry["says"] in str(caught.value)
    assert len(hub.requests) == 1


def test_a_network_of_another_class_is_refused_before_its_weights(hub, folder, edit):
    edit(folder / "unet" / "config.json", _class_name="UNet2DConditionModel")
    hub.add("b/conditional", folder)
    with pytest.raises(ModelError, match="UNet2DConditionModel"):
        fetch("hub:b/conditional")
    assert hub.asked("/store/") == []


def gone(hub):
    hub.shutdown()
    hub.server_close()


FAILURES = {
    "unknown": (lambda hub: hub.repos.clear(), "There is no model 'a/tiny' on the hub", "HF_TOKEN"),
    "dead": (gone, "The hub cannot be reached", "Check the connection"),
    "busy": (lambda hub: hub.status.update(api=429), "too many requests", "later"),
    "trouble": (lambda hub: hub.status.update(api=503), "trouble of its own .status 503", "later"),
    "forbidden": (lambda hub: hub.status.update(api=403), "does not let you have", "HF_TOKEN"),
    "no checksum": (
        lambda hub: hub.repos["a/tiny"].about.update(siblings=[{"rfilename": "config.json"}]),
        "does not open here",
        "Unconditional",
    ),
    "no hub": (lambda hub: hub.repos["a/tiny"].about.update(sha="../../x"), "not what", "HF_END"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails_on_looking_up_is_said_in_a_sentence(hub, name):
    break_it, message, advice = FAILURES[name]
    break_it(hub)
    with pytest.raises(ModelError, match=message) as caught:
        hub_info(TINY)
    assert advice in caught.value.advice
    assert "\n" not in str(caught.value)


def test_an_etag_that_is_no_checksum_becomes_no_path(hub):
    repo = hub.repos["a/tiny"]
    files = [repo.sibling(name) for name in repo.files]
    for file in files:
        file["blobId"] = "../../../evil"
        file.get("lfs", {}).update(sha256="../../../evil")
    repo.about["siblings"] = files
    with pytest.raises(ModelError, match="not what is expected"):
        hub_info(TINY)


def test_a_missing_revision(hub):
    with pytest.raises(ModelError, match="'a/tiny' has no revision 'nine'"):
        hub_info("hub:a/tiny@nine")


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_a_network_that_the_user_switched_off_stays_off(hub, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    with pytest.raises(ModelError, match=f"{variable} is set"):
        hub_info(TINY)
    assert hub.requests == []
