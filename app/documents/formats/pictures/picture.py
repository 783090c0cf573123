"""A picture, or a file of several (TIFF), whose text tesseract reads where it is installed.

The file goes to tesseract as it is: nothing here decodes pictures.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.documents.formats.pictures.recognition import find_tesseract
from app.documents.source import Item, Opened, PageRead, Source

MOST_BYTES = 200_000_000


def read(source: Source) -> Iterator[Item]:
    """The paragraphs of each picture; raises DocumentUnreadable: picture, where nothing can read it."""
    tesseract = find_tesseract() if source.recognize else None
    if tesseract is None or source.path.stat().st_size > MOST_BYTES:
        raise source.unreadable("picture")
    found = tesseract.pages(source.path.read_bytes())
    if not found:
        raise source.unreadable("no_text")
    pages = max(found)
    yield Opened("page", pages)
    for page in filter(source.wants, range(1, pages + 1)):
        yield from found.get(page, ())
        yield PageRead(page, has_text=page in found, is_picture=True, recognized=page in found)
