"""Inception through torch-fidelity: only from a safe file, and downloaded only after asking."""

from __future__ import annotations

import hashlib
import http.server
import sys
import threading

import numpy as np
import pytest
import torch
from pictures import noisy

from ddim_studio.evaluation import inception
from ddim_studio.evaluation.features import inception_features, suitable_features
from ddim_studio.evaluation.inception import INCEPTION_ADDRESS, download_inception
from ddim_studio.models.errors import ModelError


class Bomb:
    """What a pickle could run."""

    def __reduce__(self):
        return (print, ("run!",))


def test_inception_needs_a_file():
    with pytest.raises(ModelError, match="needs the weights of Inception") as caught:
        inception_features(None)
    assert "pt_inception-2015-12-05-6726825d.pth" in caught.value.advice


def test_nothing_is_run_from_a_file_of_weights(tmp_path, capsys):
    torch.save({"a": Bomb()}, tmp_path / "bomb.pth")
    with pytest.raises(ModelError, match="nothing in it was run"):
        inception_features(tmp_path / "bomb.pth")
    assert "run!" not in capsys.readouterr().out


def test_weights_that_are_not_finite_are_refused(tmp_path):
    torch.save({"a": torch.tensor([float("inf")])}, tmp_path / "bad.pth")
    with pytest.raises(ModelError, match="NaN or infinite"):
        inception_features(tmp_path / "bad.pth")


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    torch.save({"a": torch.zeros(1)}, tmp_path / "some.pth")
    monkeypatch.setattr(inception.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="torch-fidelity, which is missing") as caught:
        inception_features(tmp_path / "some.pth")
    assert "ddim-studio[inception]" in caught.value.advice


def test_a_library_that_does_not_start_is_named(tmp_path, monkeypatch):
    torch.save({"a": torch.zeros(1)}, tmp_path / "some.pth")
    (tmp_path / "torch_fidelity").mkdir()
    (tmp_path / "torch_fidelity" / "__init__.py").write_text("raise RuntimeError('no nms')")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("torch_fidelity")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ModelError, match="does not start"):
        inception_features(tmp_path / "some.pth")


@pytest.fixture(scope="module")
def random_inception(tmp_path_factory):
    """torch-fidelity's own network with random weights, and the file of them."""
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    torch.manual_seed(0)
    build = module.FeatureExtractorInceptionV3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(build, "load_state_dict", lambda *_: None)
        network = build("random", ["2048"])
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(network.state_dict(), path)
    return network, path


def test_inception_is_that_of_torch_fidelity(random_inception):
    network, path = random_inception
    features = inception_features(path)
    pixels = np.stack([noisy(seed, 32, 3) for seed in range(3)])
    expected = network(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()))[0].numpy()
    np.testing.assert_allclose(features(pixels), expected, rtol=1e-5, atol=1e-6)
    assert features.dimension == 2048
    assert features.distance == "Fréchet distance (Inception, other weights)"


def test_inception_sees_grey_images_in_all_colours(random_inception):
    features = inception_features(random_inception[1])
    grey = np.stack([noisy(seed, 16) for seed in range(2)])
    np.testing.assert_array_equal(features(grey), features(grey.repeat(3, axis=3)))
    with pytest.raises(ModelError, match="2-channel"):
        features(grey.repeat(2, axis=3))


def test_only_the_published_weights_make_an_fid(random_inception, monkeypatch):
    path = random_inception[1]
    monkeypatch.setattr(
        inception, "INCEPTION_HASH", hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    )
    features = suitable_features((3, 32, 32), path)
    assert features is not None
    assert (features.title, features.distance) == ("Inception", "FID")


def test_weights_of_another_network_are_refused(random_inception, tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match="another network"):
        inception_features(tmp_path / "other.pth")


def test_the_address_is_that_of_torch_fidelity():
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    assert module.URL_INCEPTION_V3 == INCEPTION_ADDRESS


# --- the download -------------------------------------------------------------------------------

CONTENT = np.random.default_rng(0).bytes(3_000_000)
HASH = hashlib.sha256(CONTENT).hexdigest()[:8]


@pytest.fixture
def server():
    """A server on this machine: its address, and what was asked of it."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            cut = 1_000_000 if "cut" in self.path else len(CONTENT)
            self.send_response(404 if "missing" in self.path else 200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:cut])

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            pass  # a client that has had enough hangs up

    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


def test_nothing_is_sent_without_a_yes(tmp_path, server):
    address, asked = server
    questions = []

    def no(*question):
        questions.append(question)
        return False

    file = tmp_path / "weights.pth"
    assert download_inception(file, no, f"{address}/w-{HASH}.pth") is False
    assert (asked, file.exists()) == ([], False)
    [(where, size)] = questions
    assert where == f"{address}/w-{HASH}.pth"
    assert 90e6 < size < 100e6


def test_the_weights_are_downloaded_after_a_yes(tmp_path, server):
    address, _ = server
    file = tmp_path / "folder" / "weights.pth"
    assert download_inception(file, lambda *_: True, f"{address}/w-{HASH}.pth") is True
    assert file.read_bytes() == CONTENT
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("name", [f"cut-{HASH}", "other-12345678", f"missing-{HASH}"])
def test_a_bad_download_leaves_nothing(tmp_path, server, name):
    with pytest.raises(ModelError, match="download") as caught:
        download_inception(tmp_path / "w.pth", lambda *_: True, f"{server[0]}/{name}.pth")
    assert "in a browser" in caught.value.advice
    assert list(tmp_path.iterdir()) == []


def test_an_endless_download_is_cut(tmp_path, server, monkeypatch):
    monkeypatch.setattr(inception, "_MOST_BYTES", 1_000_000)
    with pytest.raises(ModelError, match="not complete, or is another file"):
        download_inception(tmp_path / "w.pth", lambda *_: True, f"{server[0]}/w-{HASH}.pth")


def test_a_server_that_is_not_there_is_said_so(tmp_path):
    address = f"http://127.0.0.1:9/w-{HASH}.pth"
    with pytest.raises(ModelError, match="could not be downloaded"):
        download_inception(tmp_path / "w.pth", lambda *_: True, address)
