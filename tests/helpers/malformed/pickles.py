"""Files of weights whose pickle is more than weights, or is broken."""

from __future__ import annotations

import pickle
import zipfile

from malformed.item import STEM, add, file_of, item, sound, unet, weights
from malformed.payloads import (
    MARKER,
    PAYLOADS,
    called,
    dumped,
    inner,
    legacy,
    touching,
    zipped,
)

GROUP = "pickles"
NAMED = {
    "os.system": r"\(posix\.system\)",
    "builtins.eval": r"\(eval\)",
    "builtins.exec": r"\(exec\)",
    "subprocess.call": r"\(commands\.call\)",
    "pathlib.Path.touch": "pickle protocol 4",
    "a NumPy array of objects": r"\(_codecs\.encode\)",
    "a storage that reduces itself to a call": r"\(posix\.system\)",
    "torch.utils.collect_env.run": r"\(torch\.utils\.collect_env\.run\)",
}

for _name, _payload in PAYLOADS.items():
    add(
        GROUP,
        f"zip: {_name}",
        f"a file of today's torch whose pickle calls {_name}",
        NAMED[_name],
        lambda folder, payload=_payload: file_of(folder, zipped(payload(folder / MARKER))),
    )
    add(
        GROUP,
        f"legacy: {_name}",
        f"a file of an old torch whose pickle calls {_name}",
        NAMED[_name],
        lambda folder, payload=_payload: file_of(
            folder, legacy(payload(folder / MARKER)), "model.ckpt"
        ),
    )
for _protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    add(
        GROUP,
        f"bare pickle, protocol {_protocol}",
        f"a pickle of protocol {_protocol} that calls os.system, without torch's own format",
        "is a text file" if _protocol == 0 else "no checkpoint|torch did not write",
        lambda folder, protocol=_protocol: file_of(
            folder, dumped(touching(folder / MARKER), protocol), "model.pth"
        ),
    )


@item(GROUP, "a payload deep inside a training state", r"\(posix\.system\)")
def nested_in_a_training_state(folder):
    state = {"model": {"conv_in.weight": [touching(folder / MARKER)]}, "step": 1}
    return file_of(folder, zipped(dumped(state)))


@item(GROUP, "a payload in the .bin of a diffusers folder", r"\(posix\.system\)")
def payload_in_a_diffusers_folder(folder):
    model = sound(folder)
    (unet(model) / f"{STEM}.safetensors").unlink()
    (unet(model) / f"{STEM}.bin").write_bytes(zipped(dumped(touching(folder / MARKER))))
    return str(model)


@item(GROUP, "a payload in the deflated member of an archive", r"\(eval\)")
def payload_deflated(folder):
    body = PAYLOADS["builtins.eval"](folder / MARKER)
    return file_of(folder, zipped(body, compression=zipfile.ZIP_DEFLATED))


@item(GROUP, "a whole module, saved with torch.save", r"\(torch\.nn\.modules\.linear\.Linear\)")
def whole_module(folder):
    import torch

    torch.save(torch.nn.Linear(2, 2), folder / "module.pt")
    return str(folder / "module.pt")


@item(GROUP, "lists in lists, 100,000 deep", "does not hold")
def deep_lists(folder):
    return file_of(folder, zipped(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."))


@item(GROUP, "a dictionary whose key is a tuple, a million deep", "built to exhaust its reader")
def deep_key(folder):
    return file_of(folder, zipped(b"\x80\x02})" + b"\x85" * 1_000_000 + b"Ns."))


@item(GROUP, "100,000 whole numbers with one hash in a dictionary", "built to exhaust its reader")
def colliding_keys(folder):
    modulus = 2**61 - 1
    numbers = (dumped(modulus * (2**20 + index)) for index in range(100_000))
    return file_of(
        folder, zipped(b"\x80\x02}(" + b"".join(n[2:-1] + b"N" for n in numbers) + b"u.")
    )


@item(GROUP, "bytearray(10¹⁰), which torch would call", r"\(builtins\.bytearray\)")
def bytearray_of_gigabytes(folder):
    call = b"cbuiltins\nbytearray\n\x8a\x05" + (10**10).to_bytes(5, "little") + b"\x85R"
    return file_of(folder, legacy(b"\x80\x02" + call + b"."))


@item(GROUP, "a text encoded 40 times, twice as long each time", r"\(_codecs\.encode\)")
def doubling_text(folder):
    start = called("_codecs.encode", "ab").removesuffix(b"\x85R") + b"X\x06\0\0\0latin1\x86R"
    twice = b"X\x03\0\0\0hex\x86R"
    body = b"\x80\x02" + b"c_codecs\nencode\n" * 40 + start + twice * 40 + b"."
    return file_of(folder, zipped(body))


@item(GROUP, "an instruction LONG4 that claims 2 GB", "damaged or cut short")
def long4_of_gigabytes(folder):
    return file_of(folder, zipped(b"\x80\x02\x8b\xff\xff\xff\x7f1."))


@item(GROUP, "an instruction BINBYTES8 that claims 2⁶³ bytes", "damaged or cut short")
def binbytes8_of_exabytes(folder):
    return file_of(folder, zipped(b"\x80\x02\x8e" + b"\xff" * 7 + b"\x7fa."))


@item(GROUP, "an old file whose BINBYTES8 claims 2⁶³ bytes", "damaged or cut short")
def binbytes8_in_an_old_file(folder):
    return file_of(folder, legacy(b"\x80\x02\x8e" + b"\xff" * 7 + b"\x7fa."))


@item(GROUP, "a memo number of 2³²−1", "does not hold")
def huge_memo(folder):
    return file_of(folder, zipped(b"\x80\x02]r\xff\xff\xff\xff."))


@item(GROUP, "an instruction that takes from the empty stack", "damaged or cut short")
def empty_stack(folder):
    return file_of(folder, zipped(b"\x80\x02s."))


@item(GROUP, "a dictionary with a number in the place of its method items", "does not hold")
def hidden_method(folder):
    body = b"ccollections\nOrderedDict\n)R}X\x05\0\0\0itemsK\x05sb"
    return file_of(folder, legacy(b"\x80\x02" + body + b"."))


@item(GROUP, "a tensor with a number in the place of its method numel", ".")
def tensor_with_a_hidden_method(folder):
    import torch

    tensor = torch.zeros(4)
    tensor.numel = 5
    torch.save({"a": tensor}, folder / "model.pt")
    return str(folder / "model.pt")


@item(GROUP, "a list that holds itself", "does not hold")
def list_of_itself(folder):
    return file_of(folder, zipped(b"\x80\x02]q\0h\0a."))


@item(GROUP, "a dictionary that holds itself", "does not hold")
def dictionary_of_itself(folder):
    return file_of(folder, zipped(b"\x80\x02}q\0X\x05\0\0\0modelh\0s."))


@item(GROUP, "a good file of weights cut short in the middle", "damaged or cut short")
def cut_short(folder):
    import torch

    torch.save(weights(), folder / "model.pt")
    content = (folder / "model.pt").read_bytes()
    return file_of(folder, content[: len(content) // 2])


@item(GROUP, "an old file of weights cut short in the middle", "damaged or cut short")
def old_file_cut_short(folder):
    import torch

    torch.save(weights(), folder / "model.pt", _use_new_zipfile_serialization=False)
    content = (folder / "model.pt").read_bytes()
    return file_of(folder, content[: len(content) // 2])


@item(GROUP, "a pickle that ends before its last instruction", "damaged or cut short")
def pickle_without_end(folder):
    return file_of(folder, zipped(inner(dumped({"a": 1}))))
