"""EPUB books written back: chapters, other pages, tables of contents and the title; all else keeps its bytes."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockPiece
from app.documents.formats.web.epub import read
from app.documents.segments import SegmentKind, plain
from app.documents.source import FileSource, TargetLanguage
from tests.helpers.rewriting import PlantedWords, backwards, reversed_words, run, upper, written
from tests.helpers.web_files import Page, markers_in, write_epub

ARABIC = TargetLanguage("ar", is_rtl=True)
ROOT = '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" xml:lang="en">'
PACKAGE = (
    '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" xml:lang="en">'
    '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{m}</dc:title><dc:creator>Ann</dc:creator>'
    "<dc:language>en</dc:language><dc:description><![CDATA[{m}]]></dc:description></metadata><manifest>"
    '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="b" href="b.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="cover" href="cover.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
    '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    '<item id="css" href="a.css" media-type="text/css"/></manifest>'
    '<spine toc="ncx"><itemref idref="cover"/><itemref idref="b"/><itemref idref="a"/></spine>'
    '<guide><reference type="text" title="{m}" href="b.xhtml"/></guide></package>'
)
NCX = (
    '<?xml version="1.0"?><ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" xml:lang="en"><head/><docTitle><text>{m}'
    "</text></docTitle><docAuthor><text>Ann</text></docAuthor><navMap><navPoint><navLabel><text>{m}</text></navLabel>"
    '<content src="a.xhtml"/><navPoint><navLabel><text> {m} </text></navLabel><content src="a.xhtml"/></navPoint>'
    "</navPoint></navMap></ncx>"
)
CHAPTER = (
    "<head><title>{m}</title></head><body><h1>{m}<br/>{m}</h1>"
    "<p>{m} <i>{m}</i>&#160;{m}<sup><a href='#n'>1</a></sup></p>"
    "<ul><li>{m}<ul><li>{m}</li></ul>{m}</li></ul><svg xmlns='http://www.w3.org/2000/svg'><text>{m}</text></svg>"
    "<img src='a.png' alt='{m}'/><aside epub:type='footnote' id='n'><p>{m}</p></aside><a id='x'/><p/></body></html>"
)


def book(folder: Path, package: str = PACKAGE, chapter: str = CHAPTER) -> tuple[Path, list[str]]:
    """A book with a word in every place, and the words."""
    words = PlantedWords()
    page = f'<?xml version="1.0" encoding="utf-8"?>\r\n{ROOT}{chapter}'
    path = write_epub(
        folder / "a.epub",
        {
            "cover.xhtml": f"{ROOT}<body><img src='a.png'/></body></html>",
            "a.xhtml": words.plant(page),
            "b.xhtml": words.plant(page),
        },
        navigation=words.plant(
            f"{ROOT}<body><nav epub:type='toc'><ol><li><a href='a.xhtml'>{{m}}</a></li></ol></nav></body></html>"
        ),
        ncx=words.plant(NCX),
        package=words.plant(package),
        others={"OEBPS/a.css": "p { color: red }", "OEBPS/a.png": bytes(range(256))},
    )
    return path, words.all


def test_every_planted_word_comes_back_reversed_and_none_as_it_was(tmp_path: Path) -> None:
    path, words = book(tmp_path)
    result = run("epub", path, reversed_words)
    text = "\n".join(written(result).values())
    assert len(words) > 30
    for word in words:
        assert word[::-1] in text, word
        assert word not in text, word
    assert "Ann" in text
    for name, content in written(result).items():
        if name.endswith(("xhtml", "opf", "ncx")):
            etree.fromstring(content.encode())
    out = tmp_path / "out.epub"
    out.write_bytes(result.data)
    pieces = [item.text for item in read(FileSource(out)) if isinstance(item, BlockPiece)]
    assert len(re.findall(r"dne\d+kram", "".join(pieces))) > 12


def test_a_book_whose_segments_stay_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    path, _ = book(tmp_path)
    for change in (None, lambda segment: segment.content):
        assert run("epub", path, change).data == path.read_bytes()


def test_segments_follow_the_spine_and_pages_count_chapters_with_text(tmp_path: Path) -> None:
    path, words = book(tmp_path)
    segments = run("epub", path).segments
    first = [segment for segment in segments if segment.page == 1]
    assert words[12] in first[0].text
    assert {segment.page for segment in segments} == {0, 1, 2}
    beside = [segment.text for segment in segments if segment.page == 0]
    assert beside == [*words[24:28], words[28], words[29], words[30]]
    assert [segment.kind for segment in segments if segment.kind is SegmentKind.NOTE]


def test_a_member_in_which_nothing_changes_keeps_its_bytes_and_mimetype_is_first(tmp_path: Path) -> None:
    path, _ = book(tmp_path)
    result = run("epub", path, lambda segment: ("New",) if segment.page == 2 else None)
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(io.BytesIO(result.data)) as after:
        names = after.namelist()
        assert names == before.namelist()
        assert [name for name in names if before.read(name) != after.read(name)] == ["OEBPS/a.xhtml"]
        assert names[0] == "mimetype"
        assert after.getinfo("mimetype").compress_type == zipfile.ZIP_STORED


def test_language_and_direction_are_set_everywhere(tmp_path: Path) -> None:
    path, _ = book(tmp_path)
    out = written(run("epub", path, upper, ARABIC))
    for name in ("a", "b", "cover", "nav"):
        assert '<html dir="rtl" xmlns=' in out[f"OEBPS/{name}.xhtml"]
        assert 'xml:lang="ar"' in out[f"OEBPS/{name}.xhtml"]
    assert 'xml:lang="ar"' in out["OEBPS/toc.ncx"]
    package = out["OEBPS/content.opf"]
    assert "<dc:language>ar</dc:language>" in package
    assert '<spine page-progression-direction="rtl" toc="ncx">' in package
    out = written(run("epub", path, upper, TargetLanguage("de")))
    assert "page-progression" not in out["OEBPS/content.opf"]
    assert 'dir="' not in out["OEBPS/a.xhtml"]


@pytest.mark.parametrize(
    ("language", "direction", "target", "expected"),
    [
        ("ar", "rtl", TargetLanguage("de"), "ltr"),
        ("ar", "rtl", TargetLanguage("he", is_rtl=True), "rtl"),
        ("ja", "rtl", TargetLanguage("de"), "rtl"),
        ("en", "ltr", ARABIC, "rtl"),
        ("en", "default", TargetLanguage("de"), "default"),
    ],
)
def test_pages_turn_as_the_language_is_read(
    tmp_path: Path, language: str, direction: str, target: TargetLanguage, expected: str
) -> None:
    package = PACKAGE.replace("<dc:language>en", f"<dc:language>{language}")
    path, _ = book(tmp_path, package.replace("<spine", f'<spine page-progression-direction="{direction}"'))
    out = written(run("epub", path, upper, target))["OEBPS/content.opf"]
    assert f'<spine page-progression-direction="{expected}"' in out


def test_a_book_that_names_no_language_gets_one(tmp_path: Path) -> None:
    path, _ = book(tmp_path, PACKAGE.replace("<dc:language>en</dc:language>", ""))
    root = etree.fromstring(written(run("epub", path, upper, ARABIC))["OEBPS/content.opf"].encode())
    assert [each.text for each in root.iter("{http://purl.org/dc/elements/1.1/}language")] == ["ar"]


def test_named_characters_and_old_document_types_stay(tmp_path: Path) -> None:
    doctype = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">'
    text = f'<?xml version="1.0"?>{doctype}{ROOT}<body><p>a&nbsp;b</p><p>c&mdash;d</p></body></html>'
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": text})
    result = run("epub", path, lambda segment: ("<new>",) if segment.text == "a\xa0b" else None)
    assert result.texts[:2] == ["a\xa0b", "c—d"]
    assert written(result)["OEBPS/a.xhtml"] == text.replace("a&nbsp;b", "&lt;new&gt;")


@given(st.lists(st.randoms(use_true_random=False), min_size=1, max_size=2))
def test_books_of_any_structure_come_back_with_all_their_words(randoms: list[Random]) -> None:
    pages = [Page(random) for random in randoms]
    with TemporaryDirectory() as folder:
        path = write_epub(Path(folder) / "a.epub", {f"c{n}.xhtml": page.xhtml for n, page in enumerate(pages)})
        assert run("epub", path, lambda segment: segment.content).data == path.read_bytes()
        for change in (backwards, upper):
            result = run("epub", path, change, ARABIC)
            for name, text in written(result).items():
                if name.endswith(".xhtml"):
                    etree.fromstring(text.encode())
        (Path(folder) / "b.epub").write_bytes(result.data)
        pieces = [item.text for item in read(FileSource(Path(folder) / "b.epub")) if isinstance(item, BlockPiece)]
    found = re.findall(r"mark\d+end", "\n".join(pieces), re.IGNORECASE)
    assert [word.lower() for word in found] == [word for page in pages for word in page.shown]
    segments = [word for segment in result.segments for word in markers_in(plain(segment.content))]
    code = [part for page in pages for part in re.findall("(?s)<(?:pre|math).*?</(?:pre|math)>", page.body)]
    assert {word for page in pages for word in page.shown} - set(segments) <= set(markers_in("".join(code)))


def encryption(algorithm: str) -> dict[str, str | bytes]:
    """The member that says how something is encrypted."""
    return {
        "META-INF/encryption.xml": (
            '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><EncryptedData '
            f'xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod Algorithm="{algorithm}"/></EncryptedData>'
            "</encryption>"
        )
    }


def test_encrypted_fonts_stay_and_protected_books_are_refused(tmp_path: Path) -> None:
    text = f"{ROOT}<body><p>x</p></body></html>"
    fonts = encryption("http://www.idpf.org/2008/embedding") | {"OEBPS/a.otf": b"\x00\xffOTTO"}
    path = write_epub(tmp_path / "a.epub", {"a.xhtml": text}, others=fonts)
    with zipfile.ZipFile(io.BytesIO(run("epub", path, upper, ARABIC).data)) as archive:
        assert archive.read("OEBPS/a.otf") == b"\x00\xffOTTO"
    locked = encryption("http://www.w3.org/2001/04/xmlenc#aes256-cbc")
    with pytest.raises(DocumentUnreadable) as caught:
        run("epub", write_epub(tmp_path / "b.epub", {"a.xhtml": text}, others=locked))
    assert caught.value.reason == "drm"


def test_a_chapter_with_entities_of_its_own_is_refused(tmp_path: Path) -> None:
    text = f'<!DOCTYPE html [<!ENTITY x "y">]>{ROOT}<body><p>&x;</p></body></html>'
    with pytest.raises(DocumentUnreadable) as caught:
        run("epub", write_epub(tmp_path / "a.epub", {"a.xhtml": text}))
    assert caught.value.reason == "entities"
