"""EPUB books: chapters in the order of the spine, their titles, and what books do to a reader."""

from __future__ import annotations

import socket
import zipfile
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.web.epub import read
from app.documents.source import FileSource, Item, Opened, PageRead, ReadingRemark
from tests.helpers.web_files import Page, markers_in, write_epub

HEAD = (
    '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>'
)


def chapter(body: str) -> str:
    """An XHTML document."""
    return f"{HEAD}{body}</body></html>"


def items_of(path: Path) -> list[Item]:
    """All that the reader gives."""
    return list(read(FileSource(path)))


def pieces_of(path: Path) -> list[BlockPiece]:
    """The blocks."""
    return [item for item in items_of(path) if isinstance(item, BlockPiece)]


def reason(path: Path) -> str:
    """Why it cannot be read."""
    with pytest.raises(DocumentUnreadable) as caught:
        items_of(path)
    return caught.value.reason


@given(st.lists(st.randoms(use_true_random=False), min_size=1, max_size=3))
def test_every_word_of_a_book_is_read_once_in_order_and_found_again(randoms: list[Random]) -> None:
    pages = [Page(random) for random in randoms]
    with TemporaryDirectory() as folder:
        path = write_epub(Path(folder) / "a.epub", {f"c{n}.xhtml": page.xhtml for n, page in enumerate(pages)})
        pieces = pieces_of(path)
        with zipfile.ZipFile(path) as archive:
            texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert markers_in("\n".join(piece.text for piece in pieces)) == [word for page in pages for word in page.shown]
    for piece in pieces:
        there = markers_in(texts[piece.place.part][piece.place.start : piece.place.end])
        assert set(markers_in(piece.text)) <= set(there)


def test_chapters_follow_the_spine_and_their_names_are_decoded(tmp_path: Path) -> None:
    chapters = {name: chapter(f"<p>{name}</p>") for name in ("a.xhtml", "b%20%C3%A4.xhtml", "c.xhtml")}
    path = write_epub(tmp_path / "a.epub", chapters, spine=["c.xhtml", "b%20%C3%A4.xhtml", "a.xhtml", "c.xhtml"])
    items = items_of(path)
    assert items[0] == Opened("chapter", 3, "The book")
    found = [(item.page, item.text, item.place.part) for item in items if isinstance(item, BlockPiece)]
    assert found == [
        (1, "c.xhtml", "OEBPS/c.xhtml"),
        (2, "b%20%C3%A4.xhtml", "OEBPS/b ä.xhtml"),
        (3, "a.xhtml", "OEBPS/a.xhtml"),
    ]
    assert [item for item in items if isinstance(item, PageRead)] == [PageRead(1), PageRead(2), PageRead(3)]


def test_a_missing_chapter_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    chapters = {"a.xhtml": chapter("<p>one</p>"), "b.xhtml": chapter("<p>two</p>")}
    items = items_of(write_epub(tmp_path / "a.epub", chapters, spine=["a.xhtml", "gone.xhtml", "b.xhtml"]))
    assert [item.text for item in items if isinstance(item, BlockPiece)] == ["one", "two"]
    assert items[-1] == ReadingRemark("missing_part", {"part": "OEBPS/gone.xhtml"})


def test_a_cover_is_no_chapter(tmp_path: Path) -> None:
    chapters = {"cover.xhtml": chapter("<img src='c.png' alt='Cover'/>"), "a.xhtml": chapter("<p>one</p>")}
    items = items_of(write_epub(tmp_path / "a.epub", chapters))
    assert items[0] == Opened("chapter", 1, "The book")
    assert [item.page for item in items if isinstance(item, BlockPiece)] == [1]
    assert items[-1] == ReadingRemark("pictures", {"count": 1})


def test_a_book_that_is_only_a_cover_has_no_blocks(tmp_path: Path) -> None:
    items = items_of(write_epub(tmp_path / "a.epub", {"cover.xhtml": chapter("<img src='c.png'/>")}))
    assert items == [Opened("chapter", 0, "The book"), ReadingRemark("pictures", {"count": 1})]


def test_only_the_chosen_chapters_are_read(tmp_path: Path) -> None:
    chapters = {f"{n}.xhtml": chapter(f"<p>text {n}</p>") for n in range(1, 5)}
    path = write_epub(tmp_path / "a.epub", chapters)
    items = list(read(FileSource(path, first_page=2, last_page=3)))
    assert [item.text for item in items if isinstance(item, BlockPiece)] == ["text 2", "text 3"]
    assert items[0] == Opened("chapter", 4, "The book")


NAVIGATION = chapter(
    '<nav epub:type="toc"><ol><li><a href="a.xhtml">Part <i>one</i></a><ol><li><a href="b.xhtml#x">Second</a></li></ol>'
    '</li><li><a href="c.xhtml">Third</a></li></ol></nav><nav epub:type="landmarks"><a href="d.xhtml">no</a></nav>'
)
NCX = (
    '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>Part one</text></navLabel>'
    '<content src="a.xhtml"/><navPoint><navLabel><text>Second</text></navLabel><content src="b.xhtml#x"/></navPoint>'
    "</navPoint><navPoint><navLabel><text>Third</text></navLabel><content src='c.xhtml'/></navPoint></navMap></ncx>"
)


@pytest.mark.parametrize("contents", [{"navigation": NAVIGATION}, {"ncx": NCX}, {"navigation": "<broken", "ncx": NCX}])
def test_titles_come_from_the_table_of_contents_where_a_chapter_has_none(
    tmp_path: Path, contents: dict[str, str]
) -> None:
    chapters = {
        "a.xhtml": chapter("<p>text a</p>"),
        "b.xhtml": chapter("<p class='title'>SECOND</p><p>text b</p>"),
        "c.xhtml": chapter("<h3>Own</h3><p>text c</p>"),
        "d.xhtml": chapter("<p>text d</p>"),
    }
    pieces = pieces_of(write_epub(tmp_path / "a.epub", chapters, **contents))
    assert [(piece.kind, piece.level, piece.text) for piece in pieces] == [
        (BlockKind.HEADING, 1, "Part one"),
        (BlockKind.PARAGRAPH, 0, "text a"),
        (BlockKind.HEADING, 2, "SECOND"),
        (BlockKind.PARAGRAPH, 0, "text b"),
        (BlockKind.HEADING, 3, "Own"),
        (BlockKind.PARAGRAPH, 0, "text c"),
        (BlockKind.PARAGRAPH, 0, "text d"),
    ]


def test_a_footnote_is_read_exactly_once(tmp_path: Path) -> None:
    body = '<p>text<a epub:type="noteref" href="#n">1</a></p>'
    body += '<aside epub:type="footnote" id="n" hidden=""><p>note</p></aside>'
    pieces = pieces_of(write_epub(tmp_path / "a.epub", {"a.xhtml": chapter(body)}))
    assert [(piece.kind, piece.label, piece.text) for piece in pieces] == [
        (BlockKind.PARAGRAPH, "", "text[1]"),
        (BlockKind.NOTE, "footnote", "note"),
    ]


def test_broken_markup_in_a_chapter_loses_nothing(tmp_path: Path) -> None:
    page = chapter("<p>one & two<p><b>three</p><br>four</div><ul><li>five").removesuffix("</html>")
    pieces = pieces_of(write_epub(tmp_path / "a.epub", {"a.xhtml": page}))
    assert " ".join(piece.text for piece in pieces).split() == ["one", "&", "two", "three", "four", "five"]


def encryption(algorithm: str) -> dict[str, str]:
    """The member that says which others are encrypted."""
    method = f'<enc:EncryptedData><enc:EncryptionMethod Algorithm="{algorithm}"/></enc:EncryptedData>'
    spaces = 'xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:enc="http://www.w3.org/2001/04/xmlenc#"'
    return {"META-INF/encryption.xml": f"<encryption {spaces}>{method}</encryption>"}


@pytest.mark.parametrize("algorithm", ["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"])
def test_obfuscated_fonts_are_no_protection(tmp_path: Path, algorithm: str) -> None:
    chapters = {"a.xhtml": chapter("<p>one</p>")}
    assert pieces_of(write_epub(tmp_path / "a.epub", chapters, others=encryption(algorithm)))[0].text == "one"


def test_a_protected_book_is_said_to_be(tmp_path: Path) -> None:
    others = encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc")
    assert reason(write_epub(tmp_path / "a.epub", {"a.xhtml": chapter("<p>one</p>")}, others=others)) == "drm"


@pytest.mark.parametrize("where", ["package", "ncx", "navigation", "chapter"])
def test_entities_are_refused_and_nothing_is_opened(tmp_path: Path, where: str) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x.dtd"
        doctype = f'<!DOCTYPE x SYSTEM "{address}" [<!-- c --><!ENTITY x SYSTEM "{canary.as_uri()}">'
        doctype += f'<!ENTITY % y SYSTEM "{address}">%y;]>'
        texts = {"chapter": chapter("<p>&x;</p>").replace("<html", f"{doctype}<html")}
        if where == "package":
            texts["package"] = f"{doctype}<package><metadata><title>&x;</title></metadata></package>"
        elif where != "chapter":
            texts = {where: doctype + (NCX if where == "ncx" else NAVIGATION.removeprefix('<?xml version="1.0"?>'))}
        chapters = {"a.xhtml": texts.pop("chapter", chapter("<p>one</p>"))}
        assert reason(write_epub(tmp_path / "a.epub", chapters, **texts)) == "entities"
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_deep_chapter_is_read(tmp_path: Path) -> None:
    page = chapter("<div>" * 20_000 + "deep" + "</div>" * 20_000)
    assert [piece.text for piece in pieces_of(write_epub(tmp_path / "a.epub", {"a.xhtml": page}))] == ["deep"]


@pytest.mark.parametrize(
    "package", ["<package/>", "<package", "<package><spine><itemref idref='x'/></spine></package>"]
)
def test_a_book_without_chapters_is_damaged(tmp_path: Path, package: str) -> None:
    assert reason(write_epub(tmp_path / "a.epub", {"a.xhtml": chapter("one")}, package=package)) == "damaged"


def test_a_cut_book_is_damaged(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": chapter("one")})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path) == "damaged"


def test_a_book_that_inflates_without_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.documents.source.FREE_BYTES", 10_000_000)
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": chapter("<p>" + " " * 12_000_000)})
    assert reason(path) == "inflates"


def test_a_chapter_too_large_to_be_held_is_refused_while_it_is_inflated(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": chapter("<p>" + "word " * 14_000_000)})
    with pytest.raises(DocumentUnreadable) as caught:
        list(read(FileSource(path)))
    assert caught.value.reason == "inflates"
