"""A summary as a file that other programs open: Markdown, HTML, a Word document or JSON, written in one step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from app.features.summary.export_html import as_html
from app.features.summary.export_markdown import as_markdown, as_text
from app.features.summary.report import with_anchors
from app.features.summary.result import Summary
from app.features.work.whole_file import written

__all__ = ["ENDINGS", "as_html", "as_json", "as_markdown", "as_text", "save", "write_docx"]

ENDINGS = (".md", ".json", ".docx", ".html")
"""What `save` writes."""


def as_json(summary: Summary, errors: Sequence[dict[str, str]] = ()) -> str:
    """The object that `summarize --json` prints, and the places of each claim; see `report`."""
    return json.dumps(with_anchors(summary, errors), ensure_ascii=False, indent=1) + "\n"


def write_docx(summary: Summary, out: IO[bytes]) -> None:
    """A Word document into a file that is open for bytes; loads python-docx (0.1 s)."""
    from app.features.summary import export_docx

    export_docx.write_docx(summary, out)


def save(
    summary: Summary, path: Path, paths: Sequence[Path | None] = (), errors: Sequence[dict[str, str]] = ()
) -> None:
    """Writes the file in the format of its ending, one of `ENDINGS`; what was there before is replaced at the end.

    `paths` are the documents' files, for links to pages; `errors` go into JSON. Raises DiskFull or FolderNotWritable.
    """
    with written(path) as file:
        _write(summary, file, path.suffix.lower(), paths, errors)


def _write(
    summary: Summary, file: IO[bytes], ending: str, paths: Sequence[Path | None], errors: Sequence[dict[str, str]]
) -> None:
    match ending:
        case ".docx":
            write_docx(summary, file)
            return
        case ".html":
            text = as_html(summary, paths)
        case ".json":
            text = as_json(summary, errors)
        case _:
            text = as_markdown(summary)
    file.write(text.encode("utf-8", "backslashreplace"))
