"""Downloads from a small local hub: what arrives, resumes and stops, and what is not kept."""

import itertools
import shutil

import pytest
import torch
from hub_server import TINY, WEIGHTS, fetch

import ddim_studio as ds
from ddim_studio.models.errors import ModelError
from ddim_studio.models.hub import hub_info
from ddim_studio.models.hub_cache import cache_root, cached_folder, hub_name
from ddim_studio.models.hub_download import download
from ddim_studio.models.loading import describe, load_model


def test_what_was_downloaded_predicts_what_the_original_does(hub, tiny):
    fetch()
    model = load_model(TINY, device="cpu")
    x = ds.seeded_noise(tiny, range(2))
    assert torch.equal(model.raw(x, 400), tiny.raw(x, 400))
    assert (model.info.name, model.info.source) == ("a/tiny", TINY)
    assert model.schedule.T == tiny.schedule.T


def test_only_what_is_needed_is_fetched_and_nothing_that_runs(hub, tiny_pipeline, tmp_path):
    folder = shutil.copytree(tiny_pipeline, tmp_path / "more")
    (folder / "README.md").write_text("---\nlicense: mit\n---\nA tiny one.")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    for name in ("pipeline.py", "unet/diffusion_pytorch_model.bin", "training.log", "x.ckpt"):
        shutil.copy(weights, folder / name)
    hub.add("a/more", folder)
    fetch("hub:a/more")
    snapshot = cached_folder(hub_name("a/more"))
    found = {p.relative_to(snapshot).as_posix() for p in snapshot.rglob("*") if p.is_file()}
    assert found == {
        "README.md",
        "model_index.json",
        "scheduler/scheduler_config.json",
        "unet/config.json",
        WEIGHTS,
    }
    assert describe("hub:a/more").licence == "mit"
    assert describe("hub:a/more").summary == "A tiny one."


def test_the_flat_layout_and_bin_weights(hub, tiny, tiny_pipeline, tmp_path):
    from diffusers import UNet2DModel

    UNet2DModel.from_pretrained(tiny_pipeline / "unet").save_pretrained(
        tmp_path, safe_serialization=False
    )
    scheduler = tiny_pipeline / "scheduler" / "scheduler_config.json"
    shutil.copy(scheduler, tmp_path)
    hub.add("a/flat", tmp_path)
    fetch("hub:a/flat")
    x = ds.seeded_noise(tiny, [3])
    assert torch.equal(load_model("hub:a/flat", device="cpu").raw(x, 9), tiny.raw(x, 9))


def test_a_second_download_asks_for_no_file_again(hub):
    fetch()
    info = hub_info(TINY)
    assert info.cached == info.nbytes
    before = len(hub.asked("/store/"))
    done, total = list(download(info))[-1]
    assert done == total == info.nbytes
    assert len(hub.asked("/store/")) == before


def test_a_broken_connection_goes_on_where_it_stopped(hub, tiny):
    hub.cut_after = [1000, 500]
    fetch()
    assert [request.range for request in hub.asked("/store/")] == [
        "",
        "bytes=1000-",
        "bytes=1500-",
    ]
    x = ds.seeded_noise(tiny, [0])
    assert torch.equal(load_model(TINY, device="cpu").raw(x, 5), tiny.raw(x, 5))


def test_a_download_that_was_stopped_is_resumed_by_the_next(hub):
    hub.hold_after = 2000
    transfers = download(hub_info(TINY))
    small = hub_info(TINY).nbytes - len(hub.repos["a/tiny"].files[WEIGHTS])
    seen = [t.done for t in itertools.takewhile(lambda t: t.done < small + 2000, transfers)]
    transfers.close()
    assert seen == sorted(seen)
    assert cached_folder(hub_name(TINY)) is None
    hub.go.set()
    hub.hold_after = None
    info = hub_info(TINY)
    assert info.cached == small + 2000
    *_, last = download(info)
    assert last.done == last.total
    assert hub.asked("/store/")[-1].range == "bytes=2000-"
    assert load_model(TINY, device="cpu").info.name == "a/tiny"


def test_nothing_is_written_once_a_download_was_stopped(hub):
    hub.hold_after = 2000
    info = hub_info(TINY)
    transfers = download(info)
    list(itertools.takewhile(lambda _: not hub.held.is_set(), transfers))
    transfers.close()
    before = hub_info(TINY).cached
    hub.go.set()  # the rest is sent now
    hub.go.wait()
    assert hub_info(TINY).cached == before < info.nbytes


def test_a_server_that_knows_no_ranges_sends_all_again(hub, tiny):
    hub.cut_after = [1000]
    hub.ignores_ranges = True
    fetch()
    x = ds.seeded_noise(tiny, [0])
    assert torch.equal(load_model(TINY, device="cpu").raw(x, 5), tiny.raw(x, 5))


def test_a_damaged_file_is_refused_and_not_kept(hub):
    whole, hub.damage = hub.damage, lambda content: content[:-1] + bytes([content[-1] ^ 1])
    with pytest.raises(ModelError, match="arrived damaged"):
        fetch()
    assert cached_folder(hub_name(TINY)) is None
    hub.damage = whole
    fetch()
    assert hub.asked("/store/")[-1].range == ""


def test_a_longer_file_than_promised_fills_no_disk(hub):
    hub.damage = lambda content: content + bytes(5_000_000)
    with pytest.raises(ModelError, match="arrived damaged"):
        fetch()
    assert cached_folder(hub_name(TINY)) is None
    kept = sum(path.stat().st_size for path in cache_root().glob("*/blobs/*"))
    assert kept == hub_info(TINY).nbytes - len(hub.repos["a/tiny"].files[WEIGHTS])


def test_a_revision_is_kept_apart(hub, tiny_pipeline):
    old = hub.repos["a/tiny"].commit
    hub.repos["a/tiny"].branches = ("main", "refs/pr/1")
    fetch("hub:a/tiny@refs/pr/1")
    assert cached_folder(hub_name("a/tiny@refs/pr/1")) == cached_folder(hub_name(f"a/tiny@{old}"))
    assert cached_folder(hub_name("a/tiny")) is None
    assert describe("hub:a/tiny@refs/pr/1").source == "hub:a/tiny@refs/pr/1"


def test_a_newer_commit_replaces_the_older_only_when_it_is_complete(hub):
    fetch()
    first = cached_folder(hub_name(TINY))
    repo = hub.repos["a/tiny"]
    repo.files["README.md"] = b"---\nlicense: mit\n---\n"
    info = hub_info(TINY)
    assert info.commit != first.name
    assert info.nbytes - info.cached == len(repo.files["README.md"])
    assert cached_folder(hub_name(TINY)) == first
    fetch()
    assert describe(TINY).licence == "mit"


def test_a_gated_model_needs_a_token(hub, monkeypatch):
    hub.repos["a/tiny"].gated = True
    info = hub_info(TINY)
    assert info.gated
    with pytest.raises(ModelError, match="'a/tiny' is gated") as caught:
        list(download(info))
    assert "hf auth login" in caught.value.advice
    monkeypatch.setenv("HF_TOKEN", "let-me-in")
    *_, last = download(info)
    assert last.done == info.nbytes
    assert [request.token for request in hub.asked("/store/")] == [""]  # another host's
    assert hub.asked("/resolve/")[-1].token == "Bearer let-me-in"


def test_a_connection_that_breaks_for_good_keeps_what_it_brought(hub):
    info = hub_info(TINY)
    hub.cut_after = [700, 0]
    with pytest.raises(ModelError, match="The connection broke off after") as caught:
        list(download(info))
    assert "goes on where it stopped" in caught.value.advice
    small = info.nbytes - len(hub.repos["a/tiny"].files[WEIGHTS])
    assert hub_info(TINY).cached == small + 700


def test_a_full_disk_is_noticed_before_anything_is_fetched(hub, monkeypatch):
    info = hub_info(TINY)
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=info.nbytes - 1))
    with pytest.raises(ModelError, match="The disk is full"):
        list(download(info))
    assert hub.asked("/resolve/") == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=info.nbytes))
    list(download(info))


def test_a_model_in_parts_is_downloaded_whole(hub, tiny, tiny_pipeline, tmp_path):
    from diffusers import UNet2DModel

    network = UNet2DModel.from_pretrained(tiny_pipeline / "unet")
    network.save_pretrained(tmp_path, max_shard_size="60KB")
    shutil.copy(tiny_pipeline / "scheduler" / "scheduler_config.json", tmp_path)
    repo = hub.add("a/parts", tmp_path)
    assert sum(name.endswith(".safetensors") for name in repo.files) > 1
    fetch("hub:a/parts")
    x = ds.seeded_noise(tiny, [1])
    assert torch.equal(load_model("hub:a/parts", device="cpu").raw(x, 3), tiny.raw(x, 3))
