"""PPTX: slides in their order, every word once, notes and comments labelled, hidden slides told."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.slides import read
from app.documents.source import FileSource, Opened, PageRead, ReadingRemark
from tests.helpers.office_files import Planned, rels, shape, slide_part, write_pptx

CHART = "http://schemas.openxmlformats.org/drawingml/2006/chart"


class Plan(Planned):
    """A presentation that is being made up, with its parts."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, str | bytes] = {}
        self.related: dict[str, tuple[str, str]] = {}

    def part(self, kind: str, name: str, content: str) -> str:
        """A part that the slide names; its relationship id."""
        id_ = f"r{self._count}"
        self.parts[f"ppt/{name}"] = content
        self.related[id_] = (kind, f"../{name}")
        return id_


def title(plan: Plan) -> str:
    return shape(plan.word(), placeholder="title")


def body(plan: Plan) -> str:
    return shape(plan.word(), plan.word(), placeholder="body") + shape(plan.word())


def group(plan: Plan) -> str:
    inner = f"<p:grpSp>{shape(plan.word())}</p:grpSp>"
    return f"<p:grpSp><p:grpSpPr/>{inner}{shape(plan.word(), placeholder='body')}</p:grpSp>"


def table(plan: Plan) -> str:
    def cell() -> str:
        return f"<a:tc><a:txBody><a:p><a:r><a:t>{plan.word()}</a:t></a:r></a:p></a:txBody></a:tc>"

    rows = "".join(f"<a:tr>{cell()}{cell()}</a:tr>" for _ in range(2))
    return _graphic(f"<a:tbl>{rows}</a:tbl>")


def smart_art(plan: Plan) -> str:
    words = (plan.word(), plan.word())
    points = "".join(f"<dgm:pt><dgm:t><a:p><a:r><a:t>{word}</a:t></a:r></a:p></dgm:t></dgm:pt>" for word in words)
    spaces = re.search(r"<p:sld (.*?) >", slide_part("")[:1000])
    assert spaces is not None
    part = f"<dgm:dataModel {spaces[1]}>{points}</dgm:dataModel>"
    id_ = plan.part("diagramData", f"diagrams/data{words[0]}.xml", part)
    return _graphic(f'<dgm:relIds r:dm="{id_}"/>')


def chart(plan: Plan) -> str:
    name, category = plan.word(), plan.word()
    values = "<c:val><c:numRef><c:numCache><c:pt><c:v>4.3</c:v></c:pt></c:numCache></c:numRef></c:val>"
    text = "<c:strCache><c:pt><c:v>{}</c:v></c:pt></c:strCache>"
    series = f"<c:ser><c:tx>{text.format(name)}</c:tx><c:cat>{text.format(category)}</c:cat>{values}</c:ser>"
    again = f"<c:ser><c:cat>{text.format(category)}</c:cat></c:ser>"
    part = f'<c:chartSpace xmlns:c="{CHART}">{series}{again}</c:chartSpace>'
    return _graphic(f'<c:chart r:id="{plan.part("chart", f"charts/{name}.xml", part)}"/>')


def alternate(plan: Plan) -> str:
    inside = shape(plan.word())
    branches = f"<mc:Choice>{inside}</mc:Choice><mc:Fallback>{inside}</mc:Fallback>"
    return f"<mc:AlternateContent>{branches}</mc:AlternateContent>"


def broken_line(plan: Plan) -> str:
    runs = f"<a:r><a:t>{plan.word()}</a:t></a:r><a:br/><a:fld><a:t>{plan.word()}</a:t></a:fld>"
    return f"<p:sp><p:txBody><a:p>{runs}</a:p></p:txBody></p:sp>"


def _graphic(inner: str) -> str:
    return f"<p:graphicFrame><a:graphic><a:graphicData>{inner}</a:graphicData></a:graphic></p:graphicFrame>"


KINDS: list[Callable[[Plan], str]] = [title, body, group, table, smart_art, chart, alternate, broken_line]


def items_of(path: Path, **choice: int) -> list[object]:
    """What a file is read into."""
    return list(read(FileSource(path, **choice)))


def pieces(path: Path) -> list[BlockPiece]:
    """Only the pieces."""
    return [item for item in items_of(path) if isinstance(item, BlockPiece)]


def made(path: Path, slides: list[list[Callable[[Plan], str]]]) -> Plan:
    """Writes a presentation whose files are named in another order than they are shown in; each slide has notes."""
    plan = Plan()
    written: dict[str, str] = {}
    for number, kinds in enumerate(slides):
        plan.related = {}
        name = f"slide{len(slides) - number}.xml"
        written[name] = slide_part("".join(kind(plan) for kind in kinds) + shape("Foot", placeholder="ftr"))
        notes = shape(plan.word(), plan.word(), placeholder="body") + shape("7", placeholder="sldNum")
        plan.part("notesSlide", f"notesSlides/notes{number}.xml", slide_part(notes))
        plan.parts[f"ppt/slides/_rels/{name}.rels"] = rels(plan.related)
    write_pptx(path, written, plan.parts)
    return plan


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(slides=st.lists(st.lists(st.sampled_from(KINDS), max_size=5), max_size=4))
def test_every_word_is_read_once_and_in_order(tmp_path: Path, slides: list[list[Callable[[Plan], str]]]) -> None:
    path = tmp_path / "a.pptx"
    plan = made(path, slides)
    found = [word for piece in pieces(path) for word in re.findall(r"mk\d+q", f"{piece.label} {piece.text}")]
    assert found == plan.seen
    assert [item.page for item in items_of(path) if isinstance(item, PageRead)] == list(range(1, len(slides) + 1))


def test_a_place_finds_the_words_again(tmp_path: Path) -> None:
    path = tmp_path / "a.pptx"
    made(path, [KINDS, KINDS])
    with zipfile.ZipFile(path) as archive:
        for piece in pieces(path):
            elements = list(etree.fromstring(archive.read(piece.place.part)).iter())
            own = elements[piece.place.start : piece.place.end]
            said = "".join(each.text or "" for each in own)
            assert len(list(own[0].iter())) == len(own)
            assert all(word in said for word in re.findall(r"mk\d+q", piece.text)), piece


def test_titles_lists_and_paragraphs_are_told_apart(tmp_path: Path) -> None:
    marked = '<a:p><a:pPr lvl="2"><a:buChar char="–"/></a:pPr><a:r><a:t>marked</a:t></a:r></a:p>'
    plain = "<a:p><a:pPr><a:buNone/></a:pPr><a:r><a:t>plain</a:t></a:r></a:p>"
    deep = '<a:p><a:pPr lvl="1"/><a:r><a:t>deep</a:t></a:r></a:p>'
    holder = '<p:sp><p:nvSpPr><p:nvPr><p:ph idx="1"/></p:nvPr></p:nvSpPr>'
    shapes = shape("A", "title", placeholder="ctrTitle") + shape("sub", placeholder="subTitle") + shape("free")
    content = shapes + f"{holder}<p:txBody>{marked}{plain}{deep}</p:txBody></p:sp>"
    found = pieces(write_pptx(tmp_path / "a.pptx", {"s.xml": slide_part(content)}))
    assert [(piece.kind, piece.level, piece.label, piece.text) for piece in found] == [
        (BlockKind.HEADING, 1, "", "A title"),
        (BlockKind.PARAGRAPH, 0, "", "sub"),
        (BlockKind.PARAGRAPH, 0, "", "free"),
        (BlockKind.LIST_ITEM, 3, "–", "marked"),
        (BlockKind.PARAGRAPH, 0, "", "plain"),
        (BlockKind.LIST_ITEM, 2, "•", "deep"),
    ]


def test_notes_comments_and_footers_are_labelled(tmp_path: Path) -> None:
    p15 = "http://schemas.microsoft.com/office/powerpoint/2018/8/main"
    p = "http://schemas.openxmlformats.org/presentationml/2006/main"
    old = f'<p:cmLst xmlns:p="{p}"><p:cm><p:text>old</p:text></p:cm></p:cmLst>'
    new = (
        f'<x:cmLst xmlns:x="{p15}" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><x:cm><x:txBody>'
        "<a:p><a:r><a:t>new</a:t></a:r></a:p></x:txBody></x:cm></x:cmLst>"
    )
    related = {
        "a": ("notesSlide", "../notesSlides/n.xml"),
        "b": ("comments", "../comments/old.xml"),
        "c": ("comments", "../comments/new.xml"),
    }
    parts = {
        "ppt/slides/_rels/s.xml.rels": rels(related),
        "ppt/notesSlides/n.xml": slide_part(shape("say this", placeholder="body")),
        "ppt/comments/old.xml": old,
        "ppt/comments/new.xml": new,
    }
    footer = shape("Company", placeholder="ftr")
    slides = {"s.xml": slide_part(shape("text") + footer), "t.xml": slide_part(footer)}
    found = pieces(write_pptx(tmp_path / "a.pptx", slides, parts))
    assert [(piece.kind, piece.label, piece.text, piece.page) for piece in found[1:]] == [
        (BlockKind.NOTE, "speaker notes", "say this", 1),
        (BlockKind.NOTE, "comment", "old", 1),
        (BlockKind.NOTE, "comment", "new", 1),
        (BlockKind.NOTE, "footer", "Company", None),
    ]


def test_hidden_slides_pictures_and_missing_ones_are_told(tmp_path: Path) -> None:
    slides = {"c.xml": slide_part(shape("one"), 'show="0"'), "b.xml": "", "a.xml": slide_part("<p:pic/>")}
    path = write_pptx(tmp_path / "a.pptx", slides)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != "ppt/slides/b.xml"}
    path.unlink()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    items = items_of(path)
    assert items[0] == Opened("slide", 3)
    assert items[1] == ReadingRemark("hidden", {"unit": "slide", "name": "1"})
    assert items[3:] == [
        PageRead(1),
        PageRead(2, has_text=False),
        PageRead(3, has_text=False, is_picture=True),
        ReadingRemark("missing_part", {"part": "ppt/slides/b.xml"}),
        ReadingRemark("pictures", {"count": 1}),
    ]


def test_only_the_chosen_slides_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.pptx"
    made(path, [[title]] * 5)
    items = items_of(path, first_page=2, last_page=3)
    assert [item.page for item in items if isinstance(item, PageRead)] == [2, 3]
    assert {item.page for item in items if isinstance(item, BlockPiece)} == {2, 3, None}
    assert items[0] == Opened("slide", 5)


def reason(path: Path) -> str:
    """Why a file cannot be read."""
    with pytest.raises(DocumentUnreadable) as caught:
        items_of(path)
    return caught.value.reason


def test_damage_and_hostility_are_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.pptx"
    assert reason(write_pptx(path, {}, {"ppt/presentation.xml": "<"})) == "damaged"
    assert reason(write_pptx(path, {"s.xml": slide_part("")[:-5]})) == "damaged"
    deep = "<p:grpSp>" * 200_000 + "</p:grpSp>" * 200_000
    assert reason(write_pptx(path, {"s.xml": slide_part(deep)})) == "too_deep"
    entity = f'<!DOCTYPE x [<!ENTITY x SYSTEM "file://{path}">]>'
    assert reason(write_pptx(path, {"s.xml": entity + slide_part(shape("&x;"))})) == "entities"
    write_pptx(path, {"s.xml": slide_part(shape("x" * 1000))})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(path) == "damaged"


def test_groups_as_deep_as_they_may_be_are_read(tmp_path: Path) -> None:
    deep = "<p:grpSp>" * 240 + shape("inmost") + "</p:grpSp>" * 240
    assert [piece.text for piece in pieces(write_pptx(tmp_path / "a.pptx", {"s.xml": slide_part(deep)}))] == ["inmost"]
