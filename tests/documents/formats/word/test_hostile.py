"""DOCX that are damaged or meant to do harm: a situation, never a traceback, and nothing is reached."""

from __future__ import annotations

import socket
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import DocumentUnreadable
from app.documents import xml_text
from app.documents.formats.word.reading import read
from app.documents.source import Source
from tests.documents.formats.word.test_reading import texts
from tests.helpers.office_files import paragraph, word_part, write_docx, write_zip


def reason(path: Path) -> str:
    """Why a file cannot be read."""
    with pytest.raises(DocumentUnreadable) as caught:
        list(read(Source(path)))
    return caught.value.reason


def test_damage_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    assert reason(write_zip(path, {"word/styles.xml": word_part("styles", "")})) == "damaged"
    assert reason(write_docx(path, "", {"document.xml": word_part("document", "<w:body>")[:-8]})) == "damaged"
    assert reason(write_docx(path, "", {"styles.xml": "no XML"})) == "damaged"
    write_docx(path, paragraph("word " * 1000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path) == "damaged"


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", word_part("document", f"<w:body>{paragraph('marker')}</w:body>"))
    path.write_bytes(path.read_bytes().replace(b"marker", b"merker"))
    assert reason(path) == "damaged"


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    deep = "<w:sdt><w:sdtContent>" * 100_000 + "</w:sdtContent></w:sdt>" * 100_000
    assert reason(write_docx(tmp_path / "a.docx", deep)) == "too_deep"


def test_the_deepest_nesting_that_is_read_ends_well(tmp_path: Path) -> None:
    for opening, closing in (
        ("<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"),
        ("<w:p><w:r><w:pict><w:txbxContent>", "</w:txbxContent></w:pict></w:r></w:p>"),
        ("<w:tbl><w:tr><w:tc><w:p/></w:tc><w:tc>", "</w:tc></w:tr></w:tbl>"),
    ):
        levels = 245 // closing.count("</")
        path = write_docx(tmp_path / "a.docx", opening * levels + paragraph("inmost") + closing * levels)
        assert [text.strip() for text in texts(path)] == ["inmost"]


def test_entities_are_refused_and_nothing_is_reached(tmp_path: Path) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text("never read")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        for address in (f"file://{canary}", f"http://127.0.0.1:{server.getsockname()[1]}/"):
            part = word_part("document", f"<w:body>{paragraph('&x;')}</w:body>")
            part = part.replace("?>", f'?><!DOCTYPE w:document [<!ENTITY x SYSTEM "{address}">]>', 1)
            assert reason(write_docx(tmp_path / "a.docx", "", {"document.xml": part})) == "entities"
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_bomb_of_elements_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_text, "MOST_TAGS", 200_000)
    assert reason(write_docx(tmp_path / "a.docx", "<w:p/>" * 200_001)) == "inflates"


def test_a_bomb_of_one_long_text_is_refused(tmp_path: Path) -> None:
    assert reason(write_docx(tmp_path / "a.docx", paragraph("x" * 20_000_000))) == "inflates"


_NAMES = (
    *(
        "w:p",
        "w:r",
        "w:t",
        "w:tbl",
        "w:tr",
        "w:tc",
        "w:pPr",
        "w:rPr",
        "w:tcPr",
        "w:trPr",
        "w:sdt",
        "w:sdtContent",
        "w:ins",
    ),
    *("w:del", "w:numPr", "w:pStyle", "w:numId", "w:ilvl", "w:gridSpan", "w:vanish", "w:rFonts", "w:sym", "w:fldChar"),
    *(
        "w:footnoteReference",
        "w:footnote",
        "w:txbxContent",
        "w:ruby",
        "w:rt",
        "w:body",
        "w:style",
        "w:basedOn",
        "w:lvl",
    ),
    *("w:abstractNum", "w:num", "w:abstractNumId", "w:lvlOverride", "w:startOverride", "w:lvlText", "w:outlineLvl"),
    *("mc:AlternateContent", "mc:Choice", "mc:Fallback", "m:oMath", "m:t", "a:p", "a:t", "v:textpath"),
)
_ATTRIBUTES = st.sampled_from(
    ("", 'w:val="1"', 'w:val=""', 'w:val="-99999999999"', 'w:styleId="1"', 'w:numId="1"', 'w:abstractNumId="1"')
    + ('w:ilvl="0"', 'w:id="1"', 'w:fldCharType="begin"', 'w:fldCharType="end"', 'w:char="FFFFFFFF"', 'string="x"')
)
_TREES = st.recursive(
    st.sampled_from(["word", "<!-- x -->", "<?x y?>", "<w:t>word</w:t>"]),
    lambda inner: st.builds(
        lambda name, attributes, parts: f"<{name} {attributes}>{''.join(parts)}</{name}>",
        st.sampled_from(_NAMES),
        _ATTRIBUTES,
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)


@settings(suppress_health_check=list(HealthCheck))
@given(body=_TREES, other=_TREES)
def test_elements_where_they_do_not_belong_do_no_harm(tmp_path: Path, body: str, other: str) -> None:
    names = ("styles", "numbering", "footnotes", "header1")
    parts: dict[str, str | bytes] = {f"{name}.xml": word_part(name, other) for name in names}
    list(read(Source(write_docx(tmp_path / "a.docx", body, parts))))
