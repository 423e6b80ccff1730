"""``models info`` of the whole catalogue of malformed inputs: one line each, and it goes on."""

import os
import re
import shutil
import sys

import pytest
from malformed.sweep import swept

from malformed import CATALOGUE, MARKER, built

ENTRIES = [item for item in CATALOGUE.values() if not item.needs_pipes or hasattr(os, "mkfifo")]
LIBRARY = re.compile(r"weights_only|[Uu]npickl|Traceback|Warning|Exception|safetensors_rust")


def check(code, out, err, item):
    assert (code, out, len(err)) == (1, [], 1), err
    assert err[0].startswith("ddim-studio models: ")
    assert re.search(item.says, err[0]), err[0]
    assert err[0].isprintable()
    assert not LIBRARY.search(err[0]), err[0]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("item", ENTRIES, ids=lambda item: item.name)
def test_info_ends_with_one_line(item, run, tmp_path_factory):
    folder, source = built(item.name, tmp_path_factory.mktemp)
    answer = run(["models", "info", source])
    check(answer.code, answer.out, answer.err, item)
    assert not (folder / MARKER).exists()


@pytest.mark.timeout(200)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system does not measure memory so")
def test_one_process_survives_them_all_in_little_time_and_memory(tmp_path_factory, capsys):
    places = {item.name: built(item.name, tmp_path_factory.mktemp) for item in ENTRIES}
    found = swept({name: source for name, (_, source) in places.items()})
    assert [finding["name"] for finding in found["findings"]] == list(places)
    for finding in found["findings"]:
        item = CATALOGUE[finding["name"]]
        check(finding["code"], finding["out"], finding["err"], item)
    assert not [name for name, (folder, _) in places.items() if (folder / MARKER).exists()]
    slowest = max(found["findings"], key=lambda finding: finding["seconds"])
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(places)} malformed inputs: slowest {slowest['seconds']:.2f} s "
            f"({slowest['name']}), memory +{found['peak'] - found['start']:.0f} MB\n"
        )
    assert found["peak"] - found["start"] < 1000


def test_a_sound_file_is_said_to_have_been_checked(run, tiny_pipeline):
    answer = run(["models", "info", str(tiny_pipeline)])
    assert answer.code == 0
    assert any(line.startswith("Checked") for line in answer.out)
    assert not any(line.startswith("Checked") for line in run("models info fashion-28").out)


def test_a_card_cannot_write_escape_sequences(run, tiny_pipeline, tmp_path):
    model = shutil.copytree(tiny_pipeline, tmp_path / "a\x1b[31mb")
    (model / "README.md").write_text("---\nlicense: \x1b[2Jmit\n---\n\nFine \x1b]0;title\x07 work.")
    answer = run(["models", "info", str(model)])
    assert answer.code == 0
    assert all(line.isprintable() for line in answer.out)
    assert any("Fine ?]0;title? work." in line for line in answer.out)
