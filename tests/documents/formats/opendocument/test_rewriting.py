"""OpenDocuments written back: every word there is to read is a segment, and what does not change keeps its bytes."""

from __future__ import annotations

import codecs
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
from app.documents.formats.registry import reader_for
from app.documents.segments import Content, Mark, Segment, SegmentKind
from app.documents.source import FileSource, TargetLanguage
from tests.helpers.office_files import odf_part, write_zip
from tests.helpers.rewriting import PlantedWords, Result, backwards, reversed_words, run, upper, written

ARABIC = TargetLanguage("ar", is_rtl=True)
MORE = (
    'xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'
    ' xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"'
    ' xmlns:chart="urn:oasis:names:tc:opendocument:xmlns:chart:1.0"'
    ' xmlns:form="urn:oasis:names:tc:opendocument:xmlns:form:1.0"'
    ' xmlns:officeooo="http://openoffice.org/2009/office"'
)
STYLES = (
    '<style:style style:name="Bold" style:family="text"><style:text-properties fo:font-weight="bold"/></style:style>'
    '<style:style style:name="R1" style:family="text"><style:text-properties officeooo:rsid="0012"/></style:style>'
    '<style:style style:name="P3" style:family="paragraph" style:parent-style-name="Preformatted_20_Text"/>'
    '<style:style style:name="P4" style:family="paragraph" style:parent-style-name="Title"/>'
    '<style:style style:name="T4" style:family="text" style:parent-style-name="Source_20_Text"/>'
)
META = (
    "<office:meta><dc:title>{m}</dc:title><dc:subject>{m}</dc:subject><dc:description>{m}</dc:description>"
    "</office:meta>"
)
MASTER = (
    '<office:master-styles><style:master-page style:name="S"><style:header><text:p>{m}</text:p></style:header>'
    "<style:footer-left><text:p>{m} <text:page-number>1</text:page-number></text:p></style:footer-left>"
    '<draw:frame presentation:placeholder="true"><draw:text-box><text:p>Click here</text:p></draw:text-box>'
    "</draw:frame>"
    "<draw:frame><draw:text-box><text:p>{m}</text:p></draw:text-box></draw:frame>"
    "<presentation:notes><draw:frame><draw:text-box><text:p>Notes</text:p></draw:text-box></draw:frame>"
    "</presentation:notes></style:master-page></office:master-styles>"
)
BOX = (
    "<draw:frame><draw:text-box><text:p>{m}</text:p></draw:text-box><svg:title>{m}</svg:title>"
    "<svg:desc>{m}</svg:desc></draw:frame>"
)
TEXT = (
    "<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted</text:p></text:deletion>"
    "</text:changed-region></text:tracked-changes>"
    '<text:h text:outline-level="2">{m}</text:h>'
    '<text:p>{m} <text:span text:style-name="Bold">{m}</text:span>{m}</text:p>'
    '<text:p>{m}<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>'
    "<text:p>{m}</text:p><text:p>{m}</text:p></text:note-body></text:note> {m}</text:p>"
    "<text:p>{m}<office:annotation><dc:creator>Ann</dc:creator><text:p>{m}</text:p><text:list><text:list-item>"
    "<text:p>{m}</text:p></text:list-item></text:list></office:annotation></text:p>"
    "<text:list><text:list-header><text:p>{m}</text:p></text:list-header><text:list-item><text:p>{m}</text:p><text:list>"
    "<text:list-item><text:p>{m}</text:p></text:list-item></text:list><text:p>{m}</text:p></text:list-item></text:list>"
    "<table:table><table:table-row><table:table-cell><text:p>{m}</text:p><table:table><table:table-row>"
    "<table:table-cell><text:p>{m}</text:p></table:table-cell></table:table-row></table:table></table:table-cell>"
    '<table:table-cell office:value-type="float" office:value="5"><text:p>5 kg</text:p></table:table-cell>'
    f"</table:table-row></table:table><text:p>{{m}} {BOX} {{m}}</text:p><text:p>{BOX}</text:p>{BOX}"
    "<text:section><text:p><text:a xlink:href='x' office:title='{m}'>{m}</text:a></text:p></text:section>"
    "<text:table-of-content><text:table-of-content-source><text:index-title-template>{m}</text:index-title-template>"
    "</text:table-of-content-source><text:index-body><text:index-title><text:p>{m}</text:p></text:index-title>"
    "<text:p>{m}<text:tab/>7</text:p></text:index-body></text:table-of-content>"
    "<text:p>{m}<text:ruby><text:ruby-base>{m}</text:ruby-base><text:ruby-text>{m}</text:ruby-text></text:ruby></text:p>"
    "<text:p>{m}<text:alphabetical-index-mark text:string-value='{m}'/></text:p>"
    "<office:forms><form:form><form:button form:label='{m}'/></form:form></office:forms>"
    "<draw:custom-shape><text:p>{m}</text:p></draw:custom-shape><text:numbered-paragraph><text:p>{m}</text:p>"
    "</text:numbered-paragraph><text:p text:style-name='P3'>code()</text:p>"
)
SLIDES = (
    '<presentation:footer-decl presentation:name="f">{m}</presentation:footer-decl><draw:page draw:name="page1">'
    '<draw:frame presentation:class="title"><draw:text-box><text:p>{m}</text:p></draw:text-box></draw:frame>'
    "<draw:g><draw:custom-shape><text:p>{m}</text:p></draw:custom-shape></draw:g>"
    "<draw:frame><table:table><table:table-row><table:table-cell><text:p>{m}</text:p></table:table-cell>"
    "</table:table-row></table:table></draw:frame><presentation:notes><draw:frame><draw:text-box><text:p>{m}</text:p>"
    "</draw:text-box></draw:frame></presentation:notes><office:annotation><dc:creator>A</dc:creator><text:p>{m}</text:p>"
    '</office:annotation></draw:page><draw:page draw:name="page2"><draw:frame><draw:text-box><text:p>{m}</text:p>'
    "</draw:text-box></draw:frame></draw:page>"
)
SHEETS = (
    '<table:table table:name="First"><table:title>{m}</table:title><table:shapes><draw:frame><draw:text-box><text:p>{m}'
    "</text:p></draw:text-box></draw:frame></table:shapes><table:table-row>"
    '<table:table-cell office:value-type="string" table:number-columns-repeated="3"><text:p>{m}</text:p>'
    "</table:table-cell>"
    '<table:table-cell office:value-type="string"><office:annotation><text:p>{m}</text:p></office:annotation>'
    "<text:p>{m}</text:p><text:p>{m} <text:a>{m}</text:a></text:p></table:table-cell>"
    '<table:table-cell office:value-type="float" office:value="1"><text:p>1.00</text:p><office:annotation><text:p>{m}'
    "</text:p></office:annotation></table:table-cell>"
    '<table:table-cell table:formula="of:=A1" office:value-type="string"><text:p>formula</text:p></table:table-cell>'
    "<table:table-cell><text:p>{m}</text:p></table:table-cell>"
    '<table:table-cell office:value-type="string" office:string-value="kept"><text:p>{m}</text:p></table:table-cell>'
    "</table:table-row></table:table>"
    '<table:table table:name="Second"><table:table-row><table:table-cell office:value-type="string"><text:p>{m}'
    "</text:p></table:table-cell></table:table-row></table:table>"
)
CHART = (
    "<office:body><office:chart><chart:chart><chart:title><text:p>{m}</text:p></chart:title><table:table>"
    '<table:table-row><table:table-cell office:value-type="string"><text:p>{m}</text:p></table:table-cell>'
    '<table:table-cell office:value-type="float"><text:p>1</text:p></table:table-cell></table:table-row></table:table>'
    "</chart:chart></office:chart></office:body>"
)
BODIES = {"text": TEXT, "presentation": SLIDES, "spreadsheet": SHEETS}
ENDINGS = {"text": "odt", "presentation": "odp", "spreadsheet": "ods"}


INLINE = (
    "{w}", "<text:span text:style-name='Bold'>{w}</text:span>", "<text:span text:style-name='R1'>{w}</text:span>",
    "<text:span text:style-name='R1'/>", "<text:line-break/>", "<text:bookmark text:name='b'/>", " ",
    "<text:note><text:note-body><text:p>{w}</text:p></text:note-body></text:note>",
    "<text:a xlink:href='x'>{w}</text:a>",
    "<draw:frame><draw:text-box><text:p>{w}</text:p></draw:text-box></draw:frame>", "<text:date>today</text:date>",
)  # fmt: skip


def members(kind: str, body: str, styles: str = "", content_styles: str = STYLES) -> dict[str, str | bytes]:
    """The members of a packed document."""
    inner = f"<office:automatic-styles>{content_styles}</office:automatic-styles>"
    inner += f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": odf_part("document-content", inner, MORE),
        "styles.xml": odf_part("document-styles", styles or MASTER.replace("{m}", "Kept"), MORE),
        "META-INF/manifest.xml": (
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
        ),
        "Pictures/a.png": b"\x89PNG",
    }


def planted(kind: str, folder: Path) -> tuple[Path, list[str]]:
    """A packed document with a word in every place, and the words."""
    words = PlantedWords()
    made = members(kind, words.plant(BODIES[kind]), words.plant(MASTER))
    made["meta.xml"] = words.plant(odf_part("document-meta", META, MORE))
    made["Object 1/content.xml"] = words.plant(odf_part("document-content", CHART, MORE))
    made["Object 2/content.xml"] = '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>'
    return write_zip(folder / f"a.{ENDINGS[kind]}", made), words.all


def body_of(folder: Path, body: str, change: object = None, kind: str = "text") -> tuple[Result, str]:
    """A document with this body rewritten, and the body of what was written."""
    path = write_zip(folder / f"a.{ENDINGS[kind]}", members(kind, body))
    result = run(ENDINGS[kind], path, change)  # type: ignore[arg-type]
    return result, written(result)["content.xml"].partition(f"<office:{kind}>")[2].partition(f"</office:{kind}>")[0]


def shown(content: Content) -> str:
    """A content with its marks: "a {1}b{/1} {2:break}c"."""
    names = {"open": "{{{}}}", "close": "{{/{}}}", "single": "{{{}:{}}}"}
    return "".join(
        part if isinstance(part, str) else names[part.role].format(part.number, part.look) for part in content
    )


@pytest.mark.parametrize("kind", list(BODIES))
def test_every_planted_word_comes_back_reversed_and_none_as_it_was(tmp_path: Path, kind: str) -> None:
    path, words = planted(kind, tmp_path)
    result = run(ENDINGS[kind], path, reversed_words)
    text = "\n".join(written(result).values())
    assert len(words) >= 15
    for word in words:
        assert word[::-1] in text, word
        assert word not in text, word
    out = tmp_path / f"out.{ENDINGS[kind]}"
    out.write_bytes(result.data)
    pieces = [item.text for item in reader_for(ENDINGS[kind])(FileSource(out)) if isinstance(item, BlockPiece)]
    assert len(re.findall(r"dne\d+kram", "".join(pieces))) > 8
    again = run(ENDINGS[kind], out, reversed_words)
    expected = written(run(ENDINGS[kind], path))
    expected["content.xml"] = expected["content.xml"].replace(' office:string-value="kept"', "")
    assert {name: text.replace('"', "'") for name, text in written(again).items()} == {
        name: text.replace('"', "'") for name, text in expected.items()
    }


@pytest.mark.parametrize("kind", list(BODIES))
def test_a_document_whose_segments_stay_is_the_same_byte_for_byte(tmp_path: Path, kind: str) -> None:
    path, _ = planted(kind, tmp_path)
    for change in (None, lambda segment: segment.content):
        assert run(ENDINGS[kind], path, change).data == path.read_bytes()


@pytest.mark.parametrize("kind", list(BODIES))
def test_a_flat_document_is_written_back_alike(tmp_path: Path, kind: str) -> None:
    words = PlantedWords()
    picture = "<office:binary-data>" + "aGVsbG8K" * (2_000_000 if kind == "text" else 2) + "</office:binary-data>"
    body = f"<office:body><office:{kind}>{BODIES[kind]}</office:{kind}></office:body>"
    inner = words.plant(f"{META}<office:automatic-styles>{STYLES}</office:automatic-styles>{MASTER}{body}")
    inner = inner.replace("</draw:frame>", f"<draw:image>{picture}</draw:image></draw:frame>", 1)
    path = tmp_path / f"a.f{ENDINGS[kind]}"
    path.write_text(odf_part("document", inner, MORE), encoding="utf-8")
    assert run(ENDINGS[kind], path, lambda segment: segment.content).data == path.read_bytes()
    text = run(ENDINGS[kind], path, reversed_words).text
    assert [word for word in words.all if word in text or word[::-1] not in text] == []
    assert picture in text


def test_a_span_that_ends_in_nothing_but_a_space_is_harmless(tmp_path: Path) -> None:
    inner = " x2 <text:span text:style-name='Bold'>x1 </text:span><text:span text:style-name='R1'>  </text:span> "
    result, _ = body_of(tmp_path, f"<text:p>{inner}</text:p>", backwards)
    root = etree.fromstring(written(result)["content.xml"].encode())
    assert sorted(re.findall(r"x\d+", "".join(root.itertext()))) == ["x1", "x2"]


@given(st.lists(st.sampled_from(INLINE), max_size=12), st.randoms(use_true_random=False))
def test_inline_markup_in_any_order_stays_well_formed(pieces: list[str], random: Random) -> None:
    inner = ""
    for number, piece in enumerate(pieces):
        inner = random.choice((inner + piece, piece + inner, piece.replace("{w}", f" {inner} ", 1)))
        inner = inner.replace("{w}", f"x{number} ")
    with TemporaryDirectory() as folder:
        result, _ = body_of(Path(folder), f"<text:p>{inner}</text:p>", backwards)
        root = etree.fromstring(written(result)["content.xml"].encode())
        again, _ = body_of(Path(folder), f"<text:p>{inner}</text:p>")
        assert again.data == (Path(folder) / "a.odt").read_bytes()
    words = sorted(re.findall(r"x\d+", inner))
    assert sorted(re.findall(r"x\d+", "".join(root.itertext()))) == words
    assert sorted(re.findall(r"x\d+", " ".join(result.texts))) == words


def test_a_member_in_which_nothing_changes_keeps_its_compressed_bytes(tmp_path: Path) -> None:
    path, _ = planted("text", tmp_path)
    result = run("odt", path, lambda segment: ("New",) if segment.kind is SegmentKind.HEADING else None)
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(io.BytesIO(result.data)) as after:
        changed = [name for name in before.namelist() if before.read(name) != after.read(name)]
        assert changed == ["content.xml"]
        assert after.namelist() == before.namelist()


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("One <text:span text:style-name='Bold'>two</text:span> three", "One {1}two{/1} three"),
        ("<text:span text:style-name='Bold'>all</text:span>", "all"),
        (
            "a<text:span text:style-name='Bold'>b</text:span><text:span text:style-name='Bold'>c</text:span>d",
            "a{1}bc{/1}d",
        ),
        ("o<text:span text:style-name='R1'>n</text:span>e<text:soft-page-break/> two", "one two"),
        ("<text:span text:style-name='R1'>o</text:span>ne <text:span text:style-name='R1'>two</text:span>", "one two"),
        (
            "<text:span text:style-name='R1'> o <text:span text:style-name='Bold'>n</text:span></text:span>e",
            "o {1}n{/1}e",
        ),
        ("a<text:span text:style-name='R1'/>b", "ab"),
        ("a<text:line-break/>b<text:tab/>c", "a{1:break}b{2:tab}c"),
        ("a<text:s/> b<text:s text:c='3'/>c  \n d", "a  b   c d"),
        ("a <text:date>1 May</text:date> b", "a {1:field} b"),
        ("a <text:bookmark-start text:name='x'/>b<text:bookmark-end text:name='x'/> c", "a {1:other}b{2:other} c"),
        ("a <text:span text:style-name='T4'>x = 1</text:span> b", "a {1:code} b"),
        ("a <!-- c --> b", "a {1:other} b"),
        ("<![CDATA[a <b>]]>", "a <b>"),
    ],
)
def test_inline_markup_is_held_by_marks(tmp_path: Path, inner: str, expected: str) -> None:
    result, _ = body_of(tmp_path, f"<text:p>{inner}</text:p>", upper)
    assert [shown(segment.content) for segment in result.segments][:1] == [expected]
    root = etree.fromstring(written(result)["content.xml"].encode())
    (paragraph,) = root.iter("{urn:oasis:names:tc:opendocument:xmlns:text:1.0}p")
    before = etree.fromstring(f'<a xmlns:text="t">{inner}</a>')
    written_words, words = ("".join("".join(each.itertext()).split()) for each in (paragraph, before))
    assert written_words.upper() == words.upper()


def test_what_a_field_and_code_show_is_told(tmp_path: Path) -> None:
    inner = "On <text:date>1 May</text:date> run <text:span text:style-name='T4'>x = 1</text:span> now"
    result, _ = body_of(tmp_path, f"<text:p>{inner}</text:p>")
    assert [part for part in result.segments[0].content if isinstance(part, Mark)] == [
        Mark("single", 1, "field", "1 May"), Mark("single", 2, "code", "x = 1"),
    ]  # fmt: skip


def test_white_space_of_a_translation_is_written_as_elements(tmp_path: Path) -> None:
    def change(segment: Segment) -> Content | None:
        if segment.kind is not SegmentKind.PARAGRAPH:
            return None
        return ("a  b ", Mark("open", 1, "bold"), " c\td\n e", Mark("close", 1), "   f<&\x01")

    _, body = body_of(tmp_path, "<text:p>x <text:span text:style-name='Bold'>y</text:span> z</text:p>", change)
    assert body == (
        '<text:p>a <text:s text:c="1"/>b <text:span text:style-name=\'Bold\'><text:s text:c="1"/>c<text:tab/>d'
        '<text:line-break/> e</text:span> <text:s text:c="2"/>f&lt;&amp;</text:p>'
    )


def test_a_segment_says_what_it_is_and_where(tmp_path: Path) -> None:
    path, _ = planted("presentation", tmp_path)
    found = [(segment.kind.value, segment.page) for segment in run("odp", path).segments]
    assert found[:7] == [
        ("header", 0), ("heading", 1), ("paragraph", 1), ("cell", 1), ("note", 1), ("note", 1), ("paragraph", 2),
    ]  # fmt: skip
    path, _ = planted("spreadsheet", tmp_path)
    pages = [segment.page for segment in run("ods", path).segments if segment.kind is SegmentKind.CELL]
    assert pages == [1] * 5 + [2]
    result, _ = body_of(tmp_path, "<text:p text:style-name='P4'>t</text:p><text:h text:outline-level='3'>h</text:h>")
    assert [(each.kind.value, each.level) for each in result.segments[:2]] == [("heading", 1), ("heading", 3)]


def test_deleted_text_code_values_and_formulas_are_left(tmp_path: Path) -> None:
    for kind in BODIES:
        path, _ = planted(kind, tmp_path)
        result = run(ENDINGS[kind], path, upper)
        text = written(result)["content.xml"] + written(result)["styles.xml"]
        left = {
            "text": ("deleted", "code()", "5 kg", "Ann", "Click here", "Notes"),
            "presentation": ("page1", "Click here"),
            "spreadsheet": ("1.00", "formula", "First", "Second"),
        }[kind]
        assert [word for word in left if word not in text] == []


def test_the_value_of_a_cell_is_dropped_with_its_words_only(tmp_path: Path) -> None:
    rows = "".join(
        f'<table:table-row><table:table-cell office:string-value="x"><text:p>{word}</text:p></table:table-cell>'
        "</table:table-row>"
        for word in ("one", "two")
    )
    body = f"<table:table>{rows}</table:table>"
    _, text = body_of(tmp_path, body, lambda each: ("ONE",) if each.text == "one" else None, kind="spreadsheet")
    assert text.count('office:string-value="x"') == 1
    assert "<text:p>ONE</text:p>" in text


LO_STYLES = (
    '<office:styles><style:default-style style:family="paragraph">'
    '<style:paragraph-properties style:writing-mode="page"/>'
    '<style:text-properties fo:language="en" fo:country="US" style:language-asian="zh" style:country-asian="CN"'
    ' style:language-complex="hi" style:country-complex="IN"/></style:default-style>'
    '<style:style style:name="Preformatted_20_Text" style:family="paragraph"/>'
    '<style:style style:name="Quote" style:family="paragraph"><style:paragraph-properties fo:text-align="start"/>'
    '<style:text-properties fo:language="fr" fo:country="FR"/></style:style></office:styles><office:automatic-styles>'
    '<style:page-layout style:name="pm1"><style:page-layout-properties style:writing-mode="lr-tb"/></style:page-layout>'
    "</office:automatic-styles>"
)
CONTENT_STYLES = (
    '<style:style style:name="T1" style:family="text"><style:text-properties fo:language="en" fo:country="GB"/>'
    '</style:style><style:style style:name="P1" style:family="paragraph"><style:paragraph-properties'
    ' fo:text-align="end" style:writing-mode="lr-tb"/></style:style>'
)


def styled(folder: Path, target: TargetLanguage) -> tuple[str, str, str]:
    """What becomes of styles.xml, content.xml and meta.xml."""
    made = members("text", "<text:p>word</text:p>", LO_STYLES, CONTENT_STYLES)
    made["meta.xml"] = odf_part("document-meta", "<office:meta><dc:language>en-US</dc:language></office:meta>")
    out = written(run("odt", write_zip(folder / "a.odt", made), upper, target))
    for text in out.values():
        if text.startswith("<"):
            etree.fromstring(text.encode())
    return out["styles.xml"], out["content.xml"], out["meta.xml"]


def test_the_languages_that_styles_name_are_set(tmp_path: Path) -> None:
    styles, content, meta = styled(tmp_path, TargetLanguage("pt-BR"))
    assert 'fo:language="pt" fo:country="BR" style:language-asian="zh"' in styles
    assert 'fo:language="fr" fo:country="FR"' in styles
    assert 'fo:language="pt" fo:country="BR"' in content
    assert "<dc:language>pt-BR</dc:language>" in meta
    assert "rl-tb" not in styles + content
    styles, content, _ = styled(tmp_path, TargetLanguage("ja"))
    assert 'fo:language="en" fo:country="US" style:language-asian="ja" style:country-asian="JP"' in styles
    assert 'fo:language="en" fo:country="GB"' in content


def test_a_document_turns_to_the_direction_of_its_language(tmp_path: Path) -> None:
    styles, content, _ = styled(tmp_path, ARABIC)
    assert 'style:language-complex="ar" style:country-complex="EG"' in styles
    assert '<style:paragraph-properties fo:text-align="right" style:writing-mode="page"/>' in styles
    assert '<style:page-layout-properties style:writing-mode="rl-tb"/>' in styles
    assert '<style:paragraph-properties fo:text-align="right"/>' in styles.partition("Quote")[2]
    assert 'fo:text-align="left" style:writing-mode="rl-tb"' in content
    code = '<style:paragraph-properties style:writing-mode="lr-tb" fo:text-align="left"></style:paragraph-properties>'
    assert f'Preformatted_20_Text" style:family="paragraph">{code}</style:style>' in styles


def test_a_document_that_is_turned_already_stays_so_and_turns_back(tmp_path: Path) -> None:
    first = members("text", "<text:p>word</text:p>", LO_STYLES.replace('"lr-tb"', '"rl-tb"'), CONTENT_STYLES)
    path = write_zip(tmp_path / "a.odt", first)
    kept = written(run("odt", path, upper, TargetLanguage("he", is_rtl=True)))["styles.xml"]
    assert 'fo:text-align="start"' in kept
    assert "rl-tb" in kept
    turned = written(run("odt", path, upper, TargetLanguage("de")))["styles.xml"]
    assert "rl-tb" not in turned
    assert '<style:page-layout-properties style:writing-mode="lr-tb"/>' in turned


def test_a_document_without_default_styles_gets_one(tmp_path: Path) -> None:
    for styles in ("<office:styles/>", "<office:styles></office:styles>"):
        path = write_zip(tmp_path / "a.odt", members("text", "<text:p>word</text:p>", styles))
        out = written(run("odt", path, upper, ARABIC))["styles.xml"]
        assert (
            '<office:styles><style:default-style style:family="paragraph"><style:paragraph-properties'
            ' style:writing-mode="rl-tb" fo:text-align="right"></style:paragraph-properties><style:text-properties'
            ' style:language-complex="ar" style:country-complex="EG"></style:text-properties></style:default-style>'
            "</office:styles>"
        ) in out


def test_what_is_bold_in_western_script_is_so_in_the_script_of_the_target(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.odt", members("text", "<text:p>word</text:p>"))
    out = written(run("odt", path, upper, ARABIC))["content.xml"]
    assert '<style:text-properties style:font-weight-complex="bold" fo:font-weight="bold"/>' in out
    out = written(run("odt", path, upper, TargetLanguage("ja")))["content.xml"]
    assert '<style:text-properties style:font-weight-asian="bold" fo:font-weight="bold"/>' in out
    assert "font-weight-" not in written(run("odt", path, upper, TargetLanguage("de")))["content.xml"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-be", "utf-16-le", "iso-8859-1"])
def test_a_part_keeps_its_encoding(tmp_path: Path, encoding: str) -> None:
    made = members("text", "<text:p>Grüße</text:p><text:p>zwei</text:p>")
    name = encoding.removesuffix("-sig")
    text = str(made["content.xml"]).replace(
        'encoding="UTF-8"', f'encoding="{name.removesuffix("-be").removesuffix("-le")}"'
    )
    bom = {"utf-16-be": codecs.BOM_UTF16_BE, "utf-16-le": codecs.BOM_UTF16_LE}.get(encoding, b"")
    made["content.xml"] = bom + text.encode(encoding)
    path = write_zip(tmp_path / "a.odt", made)
    assert run("odt", path, lambda segment: segment.content).data == path.read_bytes()
    result = run("odt", path, lambda segment: ("Ω",) if segment.text == "zwei" else None)
    with zipfile.ZipFile(io.BytesIO(result.data)) as archive:
        data = archive.read("content.xml")
    assert data == bom + text.replace("zwei", "Ω").encode(encoding, "xmlcharrefreplace")
    assert "".join(etree.fromstring(data).itertext()) == "GrüßeΩ"


def test_other_prefixes_are_understood_and_kept(tmp_path: Path) -> None:
    path, words = planted("text", tmp_path)
    with zipfile.ZipFile(path) as archive:
        made = {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}
    for old, new in (("text", "ns1"), ("table", "ns2"), ("office", "ns3"), ("style", "t"), ("draw", "d")):
        for name in ("content.xml", "styles.xml"):
            made[name] = re.sub(rf"(?<=[<\s/]){old}(?=:)|(?<=xmlns:){old}(?==)", new, made[name])
    other = write_zip(tmp_path / "b.odt", made)
    assert run("odt", other).texts == run("odt", path).texts
    out = written(run("odt", other, reversed_words, ARABIC))
    assert [word for word in words if word in "".join(out.values())] == []
    etree.fromstring(out["content.xml"].encode())
    etree.fromstring(out["styles.xml"].encode())


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("content.xml", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "entities"),
        ("content.xml", "<a><b></a>", "damaged"),
        ("content.xml", "<a>" * 300 + "</a>" * 300, "too_deep"),
        ("Object 1/content.xml", "<a", "damaged"),
        (
            "META-INF/manifest.xml",
            '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:encryption-data/>'
            "</m:manifest>",
            "protected",
        ),
    ],
)
def test_a_document_that_cannot_be_read_cannot_be_written(tmp_path: Path, name: str, content: str, reason: str) -> None:
    path = write_zip(tmp_path / "a.odt", members("text", "<text:p>x</text:p>") | {name: content})
    with pytest.raises(DocumentUnreadable) as caught:
        run("odt", path)
    assert caught.value.reason == reason
