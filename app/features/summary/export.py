"""A summary as a file that other programs open: Markdown, HTML, a Word document or JSON, written in one step."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from app.core.errors import DiskFull, FolderNotWritable
from app.features.summary.export_html import as_html
from app.features.summary.export_markdown import as_markdown, as_text
from app.features.summary.report import with_anchors
from app.features.summary.result import Summary

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
    try:
        handle, scratch = tempfile.mkstemp(prefix=".summary-", dir=path.parent)
    except OSError as error:
        raise _problem(error, path) from error
    try:
        with os.fdopen(handle, "wb") as file:
            _write(summary, file, path.suffix.lower(), paths, errors)
            file.flush()
            os.fsync(file.fileno())
        _give_usual_mode(Path(scratch), path)
        Path(scratch).replace(path)
    except OSError as error:
        raise _problem(error, path) from error
    finally:
        Path(scratch).unlink(missing_ok=True)


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


def _give_usual_mode(scratch: Path, path: Path) -> None:
    """A temporary file is its owner's alone; this one gets the mode of the file it replaces, or of any new file."""
    if path.exists():
        scratch.chmod(path.stat().st_mode & 0o777)
        return
    mask = os.umask(0)
    os.umask(mask)
    scratch.chmod(0o666 & ~mask)


def _problem(error: OSError, path: Path) -> DiskFull | FolderNotWritable:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return DiskFull(str(path.parent))
    return FolderNotWritable(str(path.parent))
