"""OpenDocuments that are damaged, protected or meant to do harm: a situation, never a traceback."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import DocumentUnreadable
from tests.documents.formats.opendocument.test_reading import items_of, p, pieces
from tests.helpers.office_files import odf_content, odf_part, write_flat_odf, write_odf


def reason(path: Path) -> str:
    """Why a file cannot be read."""
    with pytest.raises(DocumentUnreadable) as caught:
        items_of(path)
    return caught.value.reason


def test_an_encrypted_document_is_protected(tmp_path: Path) -> None:
    manifest = (
        '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry><m:encryption-data/>'
        "</m:file-entry></m:manifest>"
    )
    path = write_odf(tmp_path / "a.odt", "", {"META-INF/manifest.xml": manifest, "content.xml": b"\x01\x02"})
    assert reason(path) == "protected"


def test_damage_and_hostility_are_told_as_such(tmp_path: Path) -> None:
    path, flat = tmp_path / "a.odt", tmp_path / "a.fodt"
    assert reason(write_odf(path, "", {"content.xml": odf_content("")[:-5]})) == "damaged"
    assert reason(write_odf(path, "", {"styles.xml": "no XML"})) == "damaged"
    deep = "<text:section>" * 200_000 + "</text:section>" * 200_000
    assert reason(write_odf(path, deep)) == "too_deep"
    assert reason(write_flat_odf(flat, deep)) == "too_deep"
    entity = f'<!DOCTYPE x [<!ENTITY x SYSTEM "file://{path}">]>'
    declared = odf_content(p("&x;")).replace("?>", f"?>{entity}", 1)
    assert reason(write_odf(path, "", {"content.xml": declared})) == "entities"
    flat.write_text(declared)
    assert reason(flat) == "entities"
    write_odf(path, p("word " * 1000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path) == "damaged"
    write_flat_odf(flat, p("word " * 1000))
    flat.write_bytes(flat.read_bytes()[: flat.stat().st_size // 2])
    assert reason(flat) == "damaged"


def test_a_missing_part_is_damage(tmp_path: Path) -> None:
    path = write_odf(tmp_path / "a.odt", "")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
    assert reason(path) == "damaged"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<text:section>", "</text:section>"),
        ("<text:list><text:list-item>", "</text:list-item></text:list>"),
        ("<table:table><table:table-row><table:table-cell>", "</table:table-cell></table:table-row></table:table>"),
        ("<text:p><draw:frame><draw:text-box>", "</draw:text-box></draw:frame></text:p>"),
        ("<text:p><text:note><text:note-body>", "</text:note-body></text:note></text:p>"),
    ],
)
def test_the_deepest_nesting_that_is_read_ends_well(tmp_path: Path, opening: str, closing: str) -> None:
    levels = 245 // closing.count("</")
    path = write_odf(tmp_path / "a.odt", opening * levels + p("inmost") + closing * levels)
    assert [piece.text for piece in pieces(path)] == ["inmost"]


_NAMES = (
    *(
        "text:p",
        "text:h",
        "text:span",
        "text:s",
        "text:list",
        "text:list-item",
        "text:note",
        "text:note-body",
        "text:ruby",
    ),
    *(
        "text:section",
        "text:tracked-changes",
        "table:table",
        "table:table-row",
        "table:table-cell",
        "draw:frame",
        "draw:page",
    ),
    *(
        "draw:text-box",
        "draw:object",
        "draw:image",
        "office:annotation",
        "presentation:notes",
        "office:body",
        "office:text",
    ),
    *(
        "office:automatic-styles",
        "office:master-styles",
        "style:style",
        "text:list-style",
        "text:list-level-style-number",
    ),
)
_ATTRIBUTES = st.sampled_from(
    (
        "",
        'text:style-name="1"',
        'style:name="1" style:family="text"',
        'text:level="1"',
        'text:level="99"',
        'text:c="-1"',
    )
    + ('style:parent-style-name="1"', 'text:outline-level="x"', 'table:number-columns-repeated="x"', 'xlink:href="/.."')
)
_TREES = st.recursive(
    st.sampled_from(["word", "<!-- x -->", "<?x y?>", "<text:p>word</text:p>"]),
    lambda inner: st.builds(
        lambda name, attributes, parts: f"<{name} {attributes}>{''.join(parts)}</{name}>",
        st.sampled_from(_NAMES),
        _ATTRIBUTES,
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)


@settings(suppress_health_check=list(HealthCheck))
@given(body=_TREES, kind=st.sampled_from(["text", "presentation"]))
def test_elements_where_they_do_not_belong_do_no_harm(tmp_path: Path, body: str, kind: str) -> None:
    parts = {"styles.xml": odf_part("document-styles", body), "meta.xml": odf_part("document-meta", body)}
    items_of(write_odf(tmp_path / "a.odt", body, parts, kind=kind))
    items_of(write_flat_odf(tmp_path / "a.fodt", body, kind=kind, before=body))
