"""A page and a book of 150 chapters and 6,000 paragraphs, against the plainest readers that lxml can be made into."""

from __future__ import annotations

import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from comparing import compared, in_turns
from lxml import etree
from run import Row

from app.documents.blocks import BlockPiece
from app.documents.formats.web import epub, html_pages
from app.documents.source import FileSource
from tests.helpers.web_files import long_chapter, write_epub

CHAPTERS = 150
PARAGRAPHS = 40
ROUNDS = 15
MOST = 2.0
_PLAIN_TAGS = ("{*}h1", "{*}p", "{*}td")


def rows() -> Iterator[Row]:
    """Processor time of each format; the plain walker parses with lxml and joins the text of each block it is told of.

    It knows neither lists nor notes nor what is hidden, and has no places.
    """
    random = Random(7)
    bodies = [long_chapter(random, number, PARAGRAPHS) for number in range(CHAPTERS)]
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        page = Path(name) / "page.html"
        page.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>T</title><body>{''.join(bodies)}</body>", "utf-8")
        head = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><body>'
        chapters = {f"chapter{number}.xhtml": f"{head}{body}</body></html>" for number, body in enumerate(bodies)}
        book = write_epub(Path(name) / "book.epub", chapters)
        yield _row("html", lambda: _ours(html_pages.read, page), lambda: _plain_page(page))
        yield _row("epub", lambda: _ours(epub.read, book), lambda: _plain_book(book, list(chapters)))


def _row(name: str, ours: Callable[[], list[str]], plain: Callable[[], list[str]]) -> Row:
    if " ".join(ours()).split() != " ".join(plain()).split():
        raise AssertionError(f"{name}: the two do not read the same words")
    mine, theirs = in_turns([lambda _: _cpu_s(ours), lambda _: _cpu_s(plain)], ROUNDS)
    return compared(f"{name}_of_{CHAPTERS * PARAGRAPHS}_paragraphs", mine, theirs, "s", at_most=MOST)


def _cpu_s(read: Callable[[], list[str]]) -> float:
    began_s = time.process_time()
    read()
    return time.process_time() - began_s


def _ours(read: Callable[[FileSource], Iterator[Any]], path: Path) -> list[str]:
    return [item.text for item in read(FileSource(path)) if isinstance(item, BlockPiece)]


def _plain_page(path: Path) -> list[str]:
    return _texts(etree.fromstring(path.read_bytes(), etree.HTMLParser(encoding="utf-8")))


def _plain_book(path: Path, links: list[str]) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [text for link in links for text in _texts(etree.fromstring(archive.read(f"OEBPS/{link}")))]


def _texts(root: Any) -> list[str]:
    return [" ".join("".join(element.itertext()).split()) for element in root.iter(*_PLAIN_TAGS)]
