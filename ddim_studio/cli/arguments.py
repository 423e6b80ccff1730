"""A parser whose mistakes take one line, and whose help says what every option allows."""

from __future__ import annotations

import argparse
import difflib
import re
from typing import TYPE_CHECKING, Never

from ddim_studio.cli.terminal import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ddim_studio.diffusion.settings import SettingsError

SUMMARIES = {
    "sample": "draw images from noise, and write them or their whole denoising to a file",
    "invert": "take images to the noise x_T that they are drawn from, and back",
    "interpolate": "walk between two images or seeds, from x_T to x_T",
    "compare": "sample a matrix over two settings from one x_T, as a figure and a table",
    "evaluate": "measure samples against real images: distance, precision, recall and time",
    "restore": "colourise, fill, enlarge or denoise a picture with a model that never learned it",
    "train": "train a model on a folder, an archive or an IDX file of images",
    "bench": "what this machine does, beside the bare network and beside diffusers",
    "models": "list models, tell what one is, download one from the hub, or convert one",
}
"""The commands, each a module of this package, and what they do."""
OPTIONS = {"class_label": "--class", "start": "--start-from"}
"""The options whose settings have other names."""


class Parser(argparse.ArgumentParser):
    """Reads every value as text; what the texts mean, and whether they may, is decided later.

    Args:
        prog: The command, such as "ddim-studio sample".
        description: What it does.
        examples: Command lines that show how, for the end of the help.
    """

    def __init__(self, prog: str, description: str, examples: Sequence[str]) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog="\n".join(["examples:", *(f"  {example}" for example in examples)]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._allowed: dict[str, str] = {}

    def value(
        self,
        flag: str,
        metavar: str,
        meaning: str,
        allowed: str,
        default: str | None = None,
        *,
        field: str | None = None,
        repeated: bool = False,
    ) -> None:
        """Add an option that takes a value.

        Args:
            flag: Its name, with the dashes.
            metavar: What stands for the value in the help.
            meaning: What it does.
            allowed: Which values it takes.
            default: What holds without it, None where the option is needed.
            field: The setting that it is, where that has another name.
            repeated: Whether it may be given several times, which makes its value a list.
        """
        self._allowed[flag] = allowed
        end = "" if default is None else f"; default: {default}"
        text = f"{meaning} ({allowed}{end})".replace("%", "%%")
        name = field or flag.lstrip("-").replace("-", "_")
        action = "append" if repeated else "store"
        self.add_argument(flag, metavar=metavar, help=text, dest=name, action=action)

    def switch(self, flag: str, meaning: str) -> None:
        """Add an option that takes no value."""
        self.add_argument(flag, action="store_true", help=meaning.replace("%", "%%"))

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """The options of a command line.

        Raises:
            UsageError: An option is unknown, lacks its value, or stands where none is expected.
        """
        found, extra = self.parse_known_intermixed_args(argv)
        unknown = next((text for text in extra if text.startswith("-") and text != "--"), None)
        if unknown is not None:
            name = unknown.partition("=")[0]
            flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
            raise UsageError(f"unknown option {name}{suggestion(name, flags)} (see --help)")
        if extra:
            raise UsageError(f"unexpected argument {extra[0]!r} (see --help)")
        return found

    def error(self, message: str) -> Never:
        """Raise what argparse found wrong, as one line that names the option.

        Raises:
            UsageError: Always.
        """
        option = re.match(r"argument (?:-\w/)?(-[\w/-]+): (.*)", message, re.DOTALL)
        if option is None:
            raise UsageError(message)
        flag, complaint = option.groups()
        if flag in self._allowed:
            raise UsageError(f"{flag} needs a value: {self._allowed[flag]}")
        if complaint.startswith("ignored explicit argument"):
            raise UsageError(f"{flag} takes no value")
        raise UsageError(f"{flag}: {complaint}")


def suggestion(word: str, known: Iterable[str]) -> str:
    """A question for the known word that is nearest to a mistyped one, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def sentence(text: str) -> str:
    """A summary as a sentence."""
    return f"{text[0].upper()}{text[1:]}."


def usage(error: SettingsError) -> UsageError:
    """A setting's error, as one of its option, which has the same name nearly always."""
    message = str(error).rstrip(".")
    option = OPTIONS.get(error.field, f"--{error.field.replace('_', '-')}")
    if message.startswith(f"{error.field} "):
        return UsageError(option + message[len(error.field) :])
    return UsageError(f"{option}: {message}")


def either(choices: Sequence[str]) -> str:
    """Choices as they are spoken of."""
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def real(text: str) -> float | str:
    """A number, or the text itself where it is none, for the settings to refuse."""
    try:
        return float(text)
    except ValueError:
        return text


def whole(text: str) -> int | str:
    """A whole number, or the text itself where it is none, for the settings to refuse."""
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,40}", text) else text


def whole_list(text: str) -> tuple[int | str, ...]:
    """The members of a list such as ``0,10,20``, each by `whole`; no text is no member."""
    return tuple(whole(part.strip()) for part in text.split(",")) if text.strip() else ()
