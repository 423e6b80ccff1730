"""LPIPS is there only where all that it needs is, and never fetches anything."""

import subprocess
import sys

import pytest
import torch

from ddim_studio.evaluation import perceptual
from ddim_studio.evaluation.perceptual import BACKBONE, lpips_available, open_lpips


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """The folder of torch.hub's checkpoints, empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    caches = perceptual._torchvision_works, perceptual._opened
    for cache in caches:
        cache.cache_clear()
    yield folder
    for cache in caches:
        cache.cache_clear()


def test_without_weights_the_answer_loads_nothing(checkpoints, tmp_path):
    code = (
        "import sys\n"
        "from ddim_studio.evaluation.perceptual import lpips_available\n"
        "print(lpips_available(), 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    assert open_lpips() is None
    assert list(checkpoints.iterdir()) == []


@pytest.mark.parametrize("cache", [True, False])
def test_the_weights_are_looked_for_where_torch_keeps_them(checkpoints, monkeypatch, cache):
    if cache:
        monkeypatch.delenv("TORCH_HOME")
        monkeypatch.setenv("XDG_CACHE_HOME", "~/elsewhere")
    expected = f"{torch.hub.get_dir()}/checkpoints/{BACKBONE}"
    assert str(perceptual._backbone()) == expected


@pytest.mark.parametrize(
    "broken", ["raise RuntimeError('operator torchvision::nms does not exist')", "import no_such"]
)
def test_a_broken_torchvision_is_as_good_as_none(checkpoints, tmp_path, monkeypatch, broken):
    (checkpoints / BACKBONE).write_bytes(b"")
    package = tmp_path / "packages" / "torchvision"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(broken)
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    assert lpips_available() is False
    assert open_lpips() is None


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"cos\nsystem\n(S'false'\ntR."])
def test_a_damaged_or_hostile_file_is_never_run(checkpoints, monkeypatch, content):
    from torchmetrics.image import lpip

    built = []
    monkeypatch.setattr(perceptual, "_torchvision_works", lambda: True)
    monkeypatch.setattr(lpip, "LearnedPerceptualImagePatchSimilarity", built.append)
    (checkpoints / BACKBONE).write_bytes(content)
    assert lpips_available() is True
    assert open_lpips() is None
    assert built == []  # what reads the file as a pickle is not even made


def test_what_would_be_fetched_is_not_opened(checkpoints, monkeypatch, tmp_path):
    from torchmetrics.image import lpip

    built = []

    def build(net_type):
        built.append(net_type)
        return torch.nn.Identity()

    monkeypatch.setattr(perceptual, "_torchvision_works", lambda: True)
    monkeypatch.setattr(lpip, "LearnedPerceptualImagePatchSimilarity", build)
    torch.save({"features.0.bias": torch.zeros(64)}, checkpoints / BACKBONE)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "elsewhere"))
        assert open_lpips() is None
    assert built == []
    assert open_lpips() is not None
    assert built == ["alex"]


def test_images_are_prepared_for_the_network():
    x = torch.randn(2, 1, 28, 20, generator=torch.Generator().manual_seed(0))
    prepared = perceptual._prepared(x)
    assert prepared.shape == (2, 3, 28 * 4, 20 * 4)  # 4 is the least factor to reach 64
    for channel in range(3):
        assert torch.allclose(prepared[:, channel, ::4, ::4], x[:, 0].clamp(-1, 1), atol=1e-6)
        assert torch.equal(prepared[:, channel, 3::4, 2::4], prepared[:, channel, ::4, ::4])
    large = torch.zeros(1, 3, 64, 64)
    assert perceptual._prepared(large).shape == (1, 3, 64, 64)


def test_distances_with_the_network_itself(checkpoints):
    """Random weights: equal images are at 0, others apart, each pair alone."""
    models = pytest.importorskip("torchvision.models", exc_type=Exception)
    torch.manual_seed(0)
    torch.save(models.alexnet(weights=None).state_dict(), checkpoints / BACKBONE)
    distance = open_lpips()
    a, b = torch.rand(2, 3, 1, 28, 28) * 2 - 1
    assert distance(a, a) == [0.0] * 3
    apart = distance(a, b)
    assert min(apart) > 0
    assert distance(a[1:2], b[1:2]) == pytest.approx(apart[1:2], rel=1e-4)
