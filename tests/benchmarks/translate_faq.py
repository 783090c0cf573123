"""The Debian FAQ in two languages, chapter by chapter: a source, and what people made of it."""

from __future__ import annotations

from pathlib import Path

from translate_formats_bench import segments_of
from translation_data import translations_folder

from app.documents.segments import Segment

_INSIDE = "usr/share/doc/debian/FAQ"


def chapters(language: str) -> dict[str, Path]:
    """The files by their names without language and ending; "en" or "pt"."""
    package, inside = (
        ("debian-faq", _INSIDE) if language == "en" else (f"debian-faq-{language}", f"{_INSIDE}/{language}")
    )
    folder = translations_folder() / package / inside
    found = {path.name.partition(".")[0]: path for path in sorted(folder.glob(f"*.{language}.html"))}
    return {name: path for name, path in found.items() if name != "index"}


def segments_of_faq(language: str, folder: Path) -> list[Segment]:
    """Those of all chapters, as the document child finds them; their numbers are those of each chapter."""
    return [segment for path in chapters(language).values() for segment in segments_of(path, folder)]
