"""Tables in docs/ that a benchmark makes anew."""

from __future__ import annotations

from pathlib import Path


def replace_part(page: Path, command: str, text: str) -> None:
    """Put ``text`` between the two marks of ``command`` in a page."""
    begin, end = f"<!-- table of {command} -->", f"<!-- end of {command} -->"
    head, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{page} has no marks of {command}.")
    page.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")
