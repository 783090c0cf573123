"""PPTX written back: every word of the slides and of what belongs to them, with runs, links and sides kept."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockPiece
from app.documents.formats.slides import read
from app.documents.segments import Content, Mark, Segment, SegmentKind
from app.documents.source import FileSource, ReadingRemark, TargetLanguage
from tests.documents.formats.test_slides import KINDS, Plan, broken_line, made
from tests.helpers import rewriting
from tests.helpers.office_files import rels, shape, slide_part, write_pptx
from tests.helpers.rewriting import reversed_words
from tests.helpers.word_files import single

SLIDE = "ppt/slides/slide1.xml"
DRAWING_2010 = "http://schemas.microsoft.com/office/drawing/2010/main"
TAB = "\t"
ARABIC = TargetLanguage("ar", is_rtl=True)
TURNED = [kind for kind in KINDS if kind is not broken_line]
"""In a broken line is a field, whose value stays."""


def member(data: bytes, name: str = SLIDE) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode()


def paragraphs(data: bytes, name: str = SLIDE) -> list[str]:
    """The paragraphs of a part as XML."""
    return re.findall(r"<a:p>.*?</a:p>", member(data, name))


def rewritten(
    tmp_path: Path,
    shapes: str,
    change: Callable[[Segment], Content | None] | None = reversed_words,
    target: TargetLanguage | None = None,
    parts: Mapping[str, str | bytes] | None = None,
) -> rewriting.Result:
    """A presentation of one slide after it was rewritten."""
    write_pptx(tmp_path / "a.pptx", {"slide1.xml": slide_part(shapes)}, parts)
    return rewriting.run("pptx", tmp_path / "a.pptx", change, target)


def box(*inner: str) -> str:
    """A shape whose paragraphs are these."""
    return f"<p:sp><p:txBody>{''.join(f'<a:p>{each}</a:p>' for each in inner)}</p:txBody></p:sp>"


def run(text: str, attributes: str = "", inner: str = "") -> str:
    properties = f"<a:rPr {attributes}>{inner}</a:rPr>" if inner else f"<a:rPr {attributes}/>"
    return f"<a:r>{properties if attributes or inner else ''}<a:t>{text}</a:t></a:r>"


def pieces(data: bytes, folder: Path) -> list[BlockPiece]:
    """What our own reader finds in a file."""
    path = folder / "written.pptx"
    path.write_bytes(data)
    return [item for item in read(FileSource(path)) if isinstance(item, BlockPiece)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(slides=st.lists(st.lists(st.sampled_from(TURNED), max_size=5), max_size=3), is_rtl=st.booleans())
def test_every_word_that_is_read_is_translated_in_its_place(
    tmp_path: Path, slides: list[list[Callable[[Plan], str]]], is_rtl: bool
) -> None:
    made(tmp_path / "a.pptx", slides)
    result = rewriting.run("pptx", tmp_path / "a.pptx", reversed_words, TargetLanguage("ar", is_rtl))
    before, after = pieces((tmp_path / "a.pptx").read_bytes(), tmp_path), pieces(result.data, tmp_path)
    assert [each[:1] + each[2:3] for each in after] == [each[:1] + each[2:3] for each in before]
    for one, other in zip(before, after, strict=True):
        words = re.findall(r"mk\d+q", one.text)
        assert re.findall(r"mk\d+q|q\d+km", other.text) == [word[::-1] for word in words]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(slides=st.lists(st.lists(st.sampled_from(KINDS), max_size=5), max_size=3))
def test_a_presentation_in_which_nothing_changes_is_the_same_file(
    tmp_path: Path, slides: list[list[Callable[[Plan], str]]]
) -> None:
    made(tmp_path / "a.pptx", slides)
    for change in (None, lambda segment: segment.content):
        data = rewriting.run("pptx", tmp_path / "a.pptx", change, ARABIC).data
        assert data == (tmp_path / "a.pptx").read_bytes()


def test_looks_and_links_are_marks_and_noise_is_none(tmp_path: Path) -> None:
    link = run("our page", 'lang="en-US"', '<a:hlinkClick r:id="r9"/>')
    inner = "".join((run("See ", 'lang="en-US"'), run("us on ", 'dirty="0"'), link, run(" or "), run("call", 'b="1"')))
    result = rewritten(tmp_path, box(f"{inner}<a:endParaRPr lang='en-US'/>"), target=TargetLanguage("de"))
    assert result.segments[0].content == (
        *("See us on ", Mark("open", 1, "link"), "our page", Mark("close", 1), " or "),
        *(Mark("open", 2, "bold"), "call", Mark("close", 2)),
    )
    assert paragraphs(result.data) == [
        '<a:p><a:r><a:rPr lang="de"/><a:t>no su eeS </a:t></a:r><a:r><a:rPr lang="de"><a:hlinkClick r:id="r9"/></a:rPr>'
        '<a:t>egap ruo</a:t></a:r><a:r><a:rPr lang="de"/><a:t> ro </a:t></a:r>'
        '<a:r><a:rPr b="1" lang="de"/><a:t>llac</a:t></a:r><a:endParaRPr lang="de"/></a:p>'
    ]


def test_breaks_tabs_fields_and_code_are_kept(tmp_path: Path) -> None:
    number = '<a:fld id="{1}" type="slidenum"><a:rPr/><a:t>3</a:t></a:fld>'
    code = run("print()", 'lang="en-US"', '<a:latin typeface="Consolas"/>')
    inner = f"{run('one')}<a:br/>{run(f'two{TAB}three ')}{number}{run(' calls ')}{code}{run('.')}"
    result = rewritten(tmp_path, box(inner))
    assert result.segments[0].content == (
        *("one", single(1, "break"), "two", single(2, "tab"), "three ", single(3, "field", "3")),
        *(" calls ", single(4, "code", "print()"), "."),
    )
    (written,) = paragraphs(result.data)
    assert written.startswith(f"<a:p>{run('eno')}<a:br/>{run('owt')}{run(TAB)}{run('eerht ')}{number}")
    assert code in written


def test_slides_are_visited_in_their_order_with_what_belongs_to_them(tmp_path: Path) -> None:
    def related(number: int) -> str:
        comments = ("comments", f"../comments/c{number}.xml")
        return rels({"n": ("notesSlide", f"../notesSlides/n{number}.xml"), "c": comments})

    notes = slide_part(shape("note", placeholder="body") + shape("3", placeholder="sldNum")).replace(">3<", "><")
    spaces = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    comment = f"<p:cmLst {spaces}><p:cm><p:text>remark</p:text></p:cm></p:cmLst>"
    parts: dict[str, str | bytes] = {}
    for number in (1, 2):
        parts[f"ppt/slides/_rels/slide{number}.xml.rels"] = related(number)
        parts[f"ppt/notesSlides/n{number}.xml"] = notes
        parts[f"ppt/comments/c{number}.xml"] = comment
    table = f"<a:tbl><a:tr><a:tc><a:txBody><a:p>{run('cell')}</a:p></a:txBody></a:tc></a:tr></a:tbl>"
    slides = {
        "slide2.xml": slide_part(shape("title", placeholder="ctrTitle") + shape("item", placeholder="body")),
        "slide1.xml": slide_part(shape("free") + table),
    }
    write_pptx(tmp_path / "a.pptx", slides, parts)
    result = rewriting.run("pptx", tmp_path / "a.pptx", reversed_words)
    assert [(segment.text, segment.kind.value, segment.page, segment.level) for segment in result.segments] == [
        *(("title", "heading", 1, 1), ("item", "list_item", 1, 0), ("note", "note", 1, 0), ("remark", "note", 1, 0)),
        *(("free", "paragraph", 2, 0), ("cell", "cell", 2, 0), ("note", "note", 2, 0), ("remark", "note", 2, 0)),
    ]
    assert "<p:text>kramer</p:text>" in member(result.data, "ppt/comments/c2.xml")


def test_words_for_pictures_are_labels_and_both_ways_to_say_something_get_the_same(tmp_path: Path) -> None:
    picture = '<p:pic><p:nvPicPr><p:cNvPr id="1" name="Picture 1" descr="a house" title="House"/></p:nvPicPr></p:pic>'
    both = (
        f"<mc:AlternateContent><mc:Choice Requires='x'>{box(run('alike'))}</mc:Choice>"
        f"<mc:Fallback>{box(run('alike'), run('other'))}</mc:Fallback></mc:AlternateContent>"
    )
    result = rewritten(tmp_path, picture + both)
    assert [(segment.text, segment.kind) for segment in result.segments] == [
        *(("House", SegmentKind.LABEL), ("a house", SegmentKind.LABEL)),
        *(("alike", SegmentKind.PARAGRAPH), ("other", SegmentKind.PARAGRAPH)),
    ]
    written = member(result.data)
    assert 'name="Picture 1" descr="esuoh a" title="esuoH"' in written
    assert (written.count("ekila"), written.count("alike"), written.count("rehto")) == (2, 0, 1)


def test_a_table_has_its_columns_in_the_targets_order(tmp_path: Path) -> None:
    table = f"<a:tbl><a:tr><a:tc><a:txBody><a:p>{run('cell')}</a:p></a:txBody></a:tc></a:tr></a:tbl>"
    result = rewritten(tmp_path, table, target=ARABIC)
    assert '<a:tbl><a:tblPr rtl="1"/><a:tr>' in member(result.data)
    (tmp_path / "b.pptx").write_bytes(result.data)
    back = rewriting.run("pptx", tmp_path / "b.pptx", reversed_words, TargetLanguage("de"))
    assert "<a:tbl><a:tblPr/><a:tr>" in member(back.data)


def behind(name: str, inner: str) -> str:
    """A layout or a master."""
    return slide_part(inner).replace("<p:sld ", f"<p:{name} ").replace("</p:sld>", f"</p:{name}>")


def test_what_stands_on_layouts_and_masters_is_translated_but_no_prompt(tmp_path: Path) -> None:
    prompt = shape("Click to add text", placeholder="body")
    parts: dict[str, str | bytes] = {
        "ppt/slides/_rels/slide1.xml.rels": rels({"l": ("slideLayout", "../slideLayouts/l.xml")}),
        "ppt/slideLayouts/l.xml": behind("sldLayout", prompt + shape("Draft")),
        "ppt/slideLayouts/_rels/l.xml.rels": rels({"m": ("slideMaster", "../slideMasters/m.xml")}),
        "ppt/slideMasters/m.xml": behind("sldMaster", prompt + shape("Company")),
        "ppt/slideMasters/_rels/m.xml.rels": rels({"l": ("slideLayout", "../slideLayouts/other.xml")}),
        "ppt/slideLayouts/other.xml": behind("sldLayout", shape("unused")),
    }
    result = rewritten(tmp_path, shape("slide"), parts=parts)
    assert [(segment.text, segment.kind.value) for segment in result.segments] == [
        *(("slide", "paragraph"), ("Draft", "header"), ("Company", "header"))
    ]
    assert ">Click to add text<" in member(result.data, "ppt/slideMasters/m.xml")
    assert ">ynapmoC<" in member(result.data, "ppt/slideMasters/m.xml")


def test_a_right_to_left_target_turns_paragraphs_and_the_levels_they_follow(tmp_path: Path) -> None:
    levels = '<p:txStyles><p:bodyStyle><a:lvl1pPr algn="l"/><a:lvl2pPr algn="ctr"/></p:bodyStyle></p:txStyles>'
    parts: dict[str, str | bytes] = {
        "ppt/slides/_rels/slide1.xml.rels": rels({"l": ("slideLayout", "../slideLayouts/l.xml")}),
        "ppt/slideLayouts/l.xml": behind("sldLayout", "").replace("</p:cSld>", f"</p:cSld>{levels}"),
    }
    inner = box(run("a"), f'<a:pPr algn="l"/>{run("b")}', f'<a:pPr algn="ctr"/>{run("c")}')
    result = rewritten(tmp_path, inner, lambda _: ("م",), ARABIC, parts)
    assert [re.findall(r"<a:pPr[^>]*>", each)[0] for each in paragraphs(result.data)] == [
        *('<a:pPr rtl="1"/>', '<a:pPr algn="r" rtl="1"/>', '<a:pPr algn="ctr" rtl="1"/>')
    ]
    layout = member(result.data, "ppt/slideLayouts/l.xml")
    assert '<a:lvl1pPr algn="r" rtl="1"/><a:lvl2pPr algn="ctr" rtl="1"/>' in layout
    (tmp_path / "b.pptx").write_bytes(result.data)
    back = rewriting.run("pptx", tmp_path / "b.pptx", lambda _: ("x",), TargetLanguage("de"))
    assert "rtl" not in member(back.data) + member(back.data, "ppt/slideLayouts/l.xml")
    assert '<a:pPr algn="l"/>' in paragraphs(back.data)[1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=20))
def test_whatever_comes_back_gives_a_file_that_is_well_formed(tmp_path: Path, text: str) -> None:
    inner = box(run("a") + run("b", 'b="1"') + "<a:br/>" + run("c"))
    result = rewritten(tmp_path, inner, lambda segment: (text, *segment.content[2:], text, *segment.content[:1]))
    etree.fromstring(member(result.data).encode())
    assert member(result.data).count("<a:br/>") == 1


def test_formulas_and_comments_of_the_newer_form(tmp_path: Path) -> None:
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    formula = f'<a14:m xmlns:a14="{DRAWING_2010}"><m:oMath xmlns:m="{math}"><m:r><m:t>x=1</m:t></m:r></m:oMath></a14:m>'
    space = "http://schemas.microsoft.com/office/powerpoint/2018/8/main"
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    comment = f'<c xmlns="{space}" xmlns:a="{drawing}"><txBody><a:p><a:r><a:t>remark</a:t></a:r></a:p></txBody></c>'
    parts: dict[str, str | bytes] = {
        "ppt/slides/_rels/slide1.xml.rels": rels({"c": ("comments", "../comments/c.xml"), "n": ("notesSlide", "gone")}),
        "ppt/comments/c.xml": comment,
    }
    shapes = box(f"{run('If ')}{formula}{run(' then')}", f"<a:pPr><a:buNone/></a:pPr>{run('none')}")
    shapes += box(f"<a:pPr><a:buChar char='x'/></a:pPr>{run('item')}")
    result = rewritten(tmp_path, shapes, parts=parts)
    assert [(segment.content, segment.kind.value) for segment in result.segments] == [
        (("If ", single(1, "formula", "x=1"), " then"), "paragraph"),
        *((("none",), "paragraph"), (("item",), "list_item"), (("remark",), "note")),
    ]
    assert "<m:t>x=1</m:t>" in member(result.data)
    assert ">kramer<" in member(result.data, "ppt/comments/c.xml")


def test_a_missing_slide_is_told_and_so_is_code(tmp_path: Path) -> None:
    code = run("print()", 'lang="en-US"', '<a:latin typeface="Consolas"/>')
    write_pptx(tmp_path / "a.pptx", {"slide1.xml": slide_part(box(code, code))}, {})
    listed = rels({"rId1": ("slide", "slides/slide1.xml"), "rId2": ("slide", "slides/slide2.xml")})
    presentation = slide_part('<p:sldId r:id="rId1"/><p:sldId r:id="rId2"/>')
    with zipfile.ZipFile(tmp_path / "a.pptx", "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("ppt/_rels/presentation.xml.rels", listed)
        archive.writestr("ppt/presentation.xml", presentation)
    result = rewriting.run("pptx", tmp_path / "a.pptx", reversed_words)
    assert result.segments == []
    assert result.remarks == [
        ReadingRemark("missing_part", {"part": "ppt/slides/slide2.xml"}),
        ReadingRemark("left_blocks", {"count": 1}),
    ]


def test_a_missing_break_comes_at_the_end(tmp_path: Path) -> None:
    result = rewritten(tmp_path, box(run("a") + "<a:br/>" + run("c")), lambda _: ("all",))
    assert paragraphs(result.data) == [f"<a:p>{run('all')}<a:br/></a:p>"]


def test_a_damaged_presentation_is_refused(tmp_path: Path) -> None:
    write_pptx(tmp_path / "a.pptx", {"slide1.xml": "<p:sld"})
    with pytest.raises(DocumentUnreadable):
        rewriting.run("pptx", tmp_path / "a.pptx")
