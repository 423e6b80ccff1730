"""Names and paths that lead to nothing, or to something that is neither file nor folder."""

from __future__ import annotations

import os

from malformed.item import add, item

GROUP = "places"
NAMES = {
    "nothing": ("", r"no model named ''"),
    "blanks": ("   ", "no model named '   '"),
    "a name that is not there": ("no-such-28", "no model named 'no-such-28'"),
    "a path that is not there": ("/no/such/folder/model.pt", "no model named"),
    "the home of a user that is not there": ("~no-such-user-here/a", "no model named '~no-such"),
    "the home of nobody": ("~nobody/model.pt", "no model named '~nobody"),
    "a name with a null": ("fashion-28\0", r"no model named 'fashion-28\?'"),
    "a name of 5000 letters": ("x" * 5000, "no model named 'xxx"),
    "a path of 3000 folders": ("a/" * 3000, "no model named 'a/a/"),
    "an address of the web": ("https://example.com/model", "no model named 'https:"),
    "an escape sequence and a line end": ("\x1b[31mred\n\x1b]0;title\x07", r"\?\[31mred\?"),
    "a hub name of one part": ("hub:ddpm", "'hub:ddpm' is not the name of a model on the hub"),
    "a hub name that leads out": ("hub:../../etc", "is not the name of a model on the hub"),
    "a hub name without an owner": ("hub:/", "is not the name of a model on the hub"),
    "a hub name with an empty version": ("hub:a/b@", "is not the name of a model on the hub"),
    "a hub name with an escape sequence": ("hub:a/\x1b[2J", r"'hub:a/\?\[2J' is not the name"),
    "a model of the hub that is not here": ("hub:nobody/nothing", "not on this computer yet"),
}
for _name, (_source, _says) in NAMES.items():
    add(
        GROUP,
        f"name: {_name}",
        f"as the name of a model: {_name}",
        _says,
        lambda _f, source=_source: source,
    )
for _device in ("/dev/zero", "/dev/random", "/dev/null", "/dev/tty"):
    add(
        GROUP,
        f"the device {_device}",
        f"the device {_device} as a model",
        "neither a file nor a folder",
        lambda _folder, device=_device: device,
        needs_pipes=True,
    )


@item(GROUP, "a named pipe", "neither a file nor a folder", needs_pipes=True)
def named_pipe(folder):
    os.mkfifo(folder / "model.pt")
    return str(folder / "model.pt")


@item(GROUP, "a link to /dev/zero", "neither a file nor a folder", needs_pipes=True)
def link_to_dev_zero(folder):
    (folder / "model.safetensors").symlink_to("/dev/zero")
    return str(folder / "model.safetensors")


@item(GROUP, "a link that leads to itself", "is a link that leads nowhere", needs_pipes=True)
def link_to_itself(folder):
    (folder / "model.pt").symlink_to("model.pt")
    return str(folder / "model.pt")


@item(GROUP, "a link that leads nowhere", "is a link that leads nowhere", needs_pipes=True)
def broken_link(folder):
    (folder / "model.pt").symlink_to("elsewhere.pt")
    return str(folder / "model.pt")


@item(GROUP, "a broken file with an escape sequence in its name", r"a\?\[2J\?b.pt is a text file")
def escape_in_a_file_name(folder):
    path = folder / "a\x1b[2J\nb.pt"
    path.write_text("just a few words")
    return str(path)


@item(GROUP, "an empty folder with an escape sequence in its name", r"holds no diffusers model")
def escape_in_a_folder_name(folder):
    path = folder / "a\x1b[2J\nb"
    path.mkdir()
    return str(path)


@item(GROUP, "a file of the system that ends nowhere", "is empty", needs_pipes=True)
def kernel_memory(folder):
    return "/proc/self/mem"


@item(GROUP, "a file of the system that is waited for", "is empty", needs_pipes=True)
def kernel_messages(folder):
    return "/proc/kmsg"
