"""What stands among the words of a DOCX's paragraph: what becomes a mark, and how it comes back."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from app.documents.segments import Content, Mark, Segment, marks
from tests.helpers.office_files import word_part
from tests.helpers.word_files import (
    BOLD,
    UNDERLINED,
    body,
    closed,
    complex_field,
    mark,
    member,
    only,
    opened,
    rewritten,
    run,
    single,
)


def test_runs_of_equal_looks_are_one_text_and_other_looks_are_marks(tmp_path: Path) -> None:
    noise = '<w:proofErr w:type="spellStart"/>'
    lang = '<w:lang w:val="en-US"/>'
    inner = (
        f"<w:p>{run('The ten')}{noise}{run('ant', lang)}{run(' pays ')}{run('all', BOLD)}{run(' ', '')}"
        f"{run('rent', BOLD)}{run(' on ')}{run('time', '<w:i/>')}{run('.')}</w:p>"
    )
    result = rewritten(tmp_path, inner)
    marks = (opened(1, "bold"), "all rent", closed(1), " on ", opened(2, "italic"), "time", closed(2), ".")
    assert only(result) == ("The tenant pays ", *marks)
    assert body(result.data) == (
        '<w:p><w:r><w:rPr/><w:t xml:space="preserve">syap tnanet ehT </w:t></w:r>'
        '<w:r><w:rPr><w:b/></w:rPr><w:t>tner lla</w:t></w:r><w:r><w:rPr/><w:t xml:space="preserve"> no </w:t></w:r>'
        "<w:r><w:rPr><w:i/></w:rPr><w:t>emit</w:t></w:r><w:r><w:rPr/><w:t>.</w:t></w:r></w:p>"
    )


def test_a_look_that_all_words_have_is_no_mark(tmp_path: Path) -> None:
    link = f'<w:hyperlink r:id="r9">{run("here", BOLD)}</w:hyperlink>'
    result = rewritten(tmp_path, f"<w:p>{run('all', BOLD)}</w:p><w:p>{link}</w:p>")
    assert [segment.content for segment in result.segments] == [("all",), ("here",)]
    assert '<w:hyperlink r:id="r9"><w:r><w:rPr><w:b/></w:rPr><w:t>ereh</w:t></w:r></w:hyperlink>' in body(result.data)


def test_marks_may_come_in_another_order_and_none_is_lost(tmp_path: Path) -> None:
    note = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    inner = f'<w:p>{run("a")}{run("b", BOLD)}{note}<w:hyperlink r:id="r9">{run("c")}</w:hyperlink>{run("d")}</w:p>'

    def swap(_: Segment) -> Content:
        return opened(3, "link"), "C", closed(3), "x", opened(1, "bold"), "B", closed(1), single(9, "image")

    result = rewritten(tmp_path, inner, swap)
    assert only(result) == (
        *("a", opened(1, "bold"), "b", closed(1), single(2, "note")),
        *(opened(3, "link"), "c", closed(3), "d"),
    )
    assert body(result.data) == (
        '<w:p><w:hyperlink r:id="r9"><w:r><w:rPr/><w:t>C</w:t></w:r></w:hyperlink><w:r><w:rPr/><w:t>x</w:t></w:r>'
        f"<w:r><w:rPr><w:b/></w:rPr><w:t>B</w:t></w:r>{note}</w:p>"
    )


def test_marks_that_cross_or_stay_open_still_give_a_document(tmp_path: Path) -> None:
    inner = f'<w:p>{run("a")}<w:hyperlink r:id="r9">{run("b")}</w:hyperlink>{run("c", BOLD)}</w:p>'

    def cross(_: Segment) -> Content:
        return closed(2), opened(1, "link"), "one ", opened(2, "bold"), "two", closed(1), " three", opened(1, "link")

    written = body(rewritten(tmp_path, inner, cross).data)
    assert re.sub("<[^>]+>", "", written) == "one two three"
    assert written.count("<w:hyperlink") == 1


def test_what_only_leads_or_ends_a_paragraph_keeps_its_place_without_a_mark(tmp_path: Path) -> None:
    inner = (
        "<w:p><w:r><w:tab/></w:r><w:r><w:drawing/></w:r>"
        f"{run(' text ')}<w:r><w:footnoteReference w:id='2'/></w:r><w:r><w:br w:type='page'/></w:r></w:p>"
    )
    result = rewritten(tmp_path, inner)
    assert only(result) == ("text",)
    written = body(result.data)
    places = [written.index(each) for each in ("<w:tab/>", "<w:drawing/>", "txet", "footnoteReference", "w:br")]
    assert places == sorted(places)


def test_breaks_tabs_and_hyphens_inside_are_kept(tmp_path: Path) -> None:
    mail = "<w:t>E</w:t><w:noBreakHyphen/><w:t>mail</w:t>"
    inner = f"<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/>{mail}</w:r></w:p>"
    result = rewritten(tmp_path, inner, lambda segment: segment.content + (" a\tb\nc\x00\x0b\ufffe",))
    assert only(result) == ("one", single(1, "tab"), "two", single(2, "break"), "E‑mail")
    assert "<w:t>E</w:t><w:noBreakHyphen/><w:t>mail a b c</w:t>" in body(result.data)


def test_a_line_to_write_on_is_not_text(tmp_path: Path) -> None:
    result = rewritten(tmp_path, f"<w:p>{run('Name: ')}{run('        ', UNDERLINED)}{run(' Date')}</w:p>")
    assert only(result) == ("Name: ", single(1, "other"), " Date")
    assert '<w:u w:val="single"/></w:rPr><w:t>        </w:t>' in body(result.data)


def test_a_space_in_a_line_of_underlined_words_is_text(tmp_path: Path) -> None:
    inner = f"<w:p>{run('two', UNDERLINED)}{run(' ', UNDERLINED)}{run('words', UNDERLINED)}{run(' of all these')}</w:p>"
    result = rewritten(tmp_path, inner)
    assert only(result) == (opened(1, "underline"), "two words", closed(1), " of all these")


def test_a_field_shows_its_value_and_keeps_its_code(tmp_path: Path) -> None:
    simple = f'<w:fldSimple w:instr=" NUMPAGES ">{run("12")}</w:fldSimple>'
    inner = f"<w:p>{run('Page ')}{complex_field('PAGE', run('3'))}{run(' of ')}{simple}{run(' pages')}</w:p>"
    result = rewritten(tmp_path, inner)
    assert only(result) == ("Page ", single(1, "field", "3"), " of ", single(2, "field", "12"), " pages")
    assert complex_field("PAGE", run("3")) in body(result.data)
    assert simple in body(result.data)


def test_the_words_of_a_link_and_of_a_reference_are_translated_inside_of_their_fields(tmp_path: Path) -> None:
    link = complex_field('HYPERLINK "https://example.org"', run("our page"))
    inner = f"<w:p>{run('See ')}{link}{run(' or ')}{complex_field('REF _Ref1', run('the end'))}{run('.')}</w:p>"
    result = rewritten(tmp_path, inner)
    reference = (opened(2, "field"), "the end", closed(2))
    assert only(result) == ("See ", opened(1, "link"), "our page", closed(1), " or ", *reference, ".")
    words = "<w:r><w:rPr/><w:t>egap ruo</w:t></w:r>"
    assert complex_field('HYPERLINK "https://example.org"', words) in body(result.data)


def test_a_table_of_contents_is_translated_with_its_numbers_kept(tmp_path: Path) -> None:
    def entry(text: str, page: str) -> str:
        number = complex_field("PAGEREF _Toc1 \\h", run(page))
        tab = "<w:r><w:tab/></w:r>"
        return f'<w:hyperlink w:anchor="_Toc1">{run("1")}{tab}{run(text)}{tab}{number}</w:hyperlink>'

    begin = f'{mark("begin")}<w:r><w:instrText>TOC \\o "1-3"</w:instrText></w:r>{mark("separate")}'
    inner = f"<w:p>{begin}{entry('Rent', '4')}</w:p><w:p>{entry('Repairs', '7')}</w:p><w:p>{mark('end')}</w:p>"
    result = rewritten(tmp_path, inner)
    assert [segment.content for segment in result.segments] == [
        ("1", single(1, "tab"), "Rent"),
        ("1", single(1, "tab"), "Repairs"),
    ]
    written = body(result.data)
    order = ["begin", "TOC", "separate", "hyperlink", ">1<", "tneR", "PAGEREF", ">4<", "sriapeR", ">7<"]
    places = [written.index(each) for each in order]
    assert places == sorted(places)
    assert written.count("fldCharType") == inner.count("fldCharType")


def test_insertions_are_translated_and_deletions_are_left(tmp_path: Path) -> None:
    inserted = f'<w:ins w:id="1" w:author="A">{run("new")}</w:ins><w:ins w:id="2" w:author="A">{run("er")}</w:ins>'
    deleted = '<w:del w:id="3"><w:r><w:delText>gone</w:delText></w:r></w:del>'
    result = rewritten(tmp_path, f"<w:p>{run('A ')}{inserted}{deleted}{run(' text')}</w:p>")
    assert only(result) == ("A ", opened(1, "other"), "newer", closed(1), " text")
    assert f'<w:ins w:id="1" w:author="A"><w:r><w:rPr/><w:t>rewen</w:t></w:r></w:ins>{deleted}' in body(result.data)


def test_bookmarks_and_comments_keep_their_places_without_marks(tmp_path: Path) -> None:
    def range_(kind: str, text: str, id_: int) -> str:
        return f'<w:{kind}Start w:id="{id_}"/>{text}<w:{kind}End w:id="{id_}"/>'

    number = complex_field("SEQ Figure", run("1"))
    called = range_("commentRange", run("so"), 5) + '<w:r><w:commentReference w:id="5"/></w:r>'
    inner = f"<w:p>{range_('bookmark', run('Figure ') + number, 4)}{run(': it is ')}{called}{run(' there')}</w:p>"
    result = rewritten(tmp_path, inner, lambda _: ("Abbildung ", single(1, "field"), ": es ist dort so"))
    assert only(result) == ("Figure ", single(1, "field", "1"), ": it is so there")
    written = body(result.data)
    order = ["bookmarkStart", "Abbildung", "SEQ", "bookmarkEnd", "commentRangeStart", "commentRangeEnd"]
    places = [written.index(each) for each in (*order, "commentReference")]
    assert places == sorted(places)
    assert re.sub(r"<[^>]+>", "", written) == "Abbildung  SEQ Figure 1: es ist dort so"


def test_a_range_stays_a_range_when_marks_change_their_order(tmp_path: Path) -> None:
    first, second = (f'<w:r><w:footnoteReference w:id="{number}"/></w:r>' for number in (1, 2))
    marked = f'<w:bookmarkStart w:id="7"/>{first}{run("b")}{second}<w:bookmarkEnd w:id="7"/>'
    inner = f"<w:p>{run('a')}{marked}{run('c')}</w:p>"
    result = rewritten(tmp_path, inner, lambda _: ("x", single(2, "note"), "y", single(1, "note"), "z"))
    assert body(result.data).index("bookmarkStart") < body(result.data).index("bookmarkEnd")


def test_content_controls_are_kept_and_no_longer_bound(tmp_path: Path) -> None:
    bound = '<w:sdtPr><w:alias w:val="Name"/><w:dataBinding w:xpath="/a"/></w:sdtPr>'
    control = f"<w:sdt>{bound}<w:sdtContent>{run('inside')}</w:sdtContent></w:sdt>"
    box = (
        '<w:sdt><w:sdtPr><w14:checkbox xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"/></w:sdtPr>'
        f"<w:sdtContent>{run('☒')}</w:sdtContent></w:sdt>"
    )
    result = rewritten(tmp_path, f"<w:p>{run('It is ')}{control}{run(' or ')}{box}{run(' not')}</w:p>")
    inside = (opened(1, "other"), "inside", closed(1))
    assert only(result) == ("It is ", *inside, " or ", single(2, "other", "☒"), " not")
    assert (
        '<w:sdt><w:sdtPr><w:alias w:val="Name"/></w:sdtPr><w:sdtContent><w:r><w:rPr/><w:t>edisni</w:t></w:r>'
        "</w:sdtContent></w:sdt>" in body(result.data)
    )
    assert box.replace(' xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"', "") in re.sub(
        r' xmlns:w14="[^"]*"', "", body(result.data)
    )


def test_formulas_and_code_inside_are_shown_and_kept(tmp_path: Path) -> None:
    formula = "<m:oMath><m:r><m:t>x=2</m:t></m:r></m:oMath>"
    code_run = run("print()", '<w:rFonts w:ascii="Consolas"/>')
    inner = f"<w:p>{run('If ')}{formula}{run(' call ')}{code_run}{run(' now')}</w:p>"
    result = rewritten(tmp_path, inner)
    assert only(result) == ("If ", single(1, "formula", "x=2"), " call ", single(2, "code", "print()"), " now")
    assert formula in body(result.data)
    assert code_run in body(result.data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8") | st.sampled_from("\x00\x0b\ufffe<&]>\u200b\u2011"), max_size=30))
def test_whatever_comes_back_gives_a_file_that_is_well_formed(tmp_path: Path, text: str) -> None:
    inner = f"<w:p>{run('a')}{run('b', BOLD)}</w:p>"
    result = rewritten(tmp_path, inner, lambda segment: (text, *segment.content, text))
    etree.fromstring(member(result.data).encode())


def test_noise_of_word_is_no_mark_and_codes_that_show_nothing_keep_their_place(tmp_path: Path) -> None:
    entry = f'{mark("begin")}<w:r><w:instrText>XE "word"</w:instrText></w:r>{mark("end")}'
    noise = "<w:r><w:softHyphen/><w:lastRenderedPageBreak/></w:r>"
    result = rewritten(tmp_path, f"<w:p>{run('one smart')}{entry}{noise}{run(' word')}</w:p>")
    assert only(result) == ("one smart word",)
    assert entry in body(result.data)
    assert not re.search("softHyphen|lastRendered", body(result.data))


def test_a_smart_tag_stays_around_its_words(tmp_path: Path) -> None:
    def smart(name: str, inner: str) -> str:
        return f'<w:smartTag w:uri="urn:x" w:element="{name}">{inner}</w:smartTag>'

    about = '<w:smartTagPr><w:attr w:name="k" w:val="v"/></w:smartTagPr>'
    place = smart("place", smart("City", about + run("Paris")))
    inner = f"<w:p>{run('They went to ')}{place}{run(' by train')}</w:p>"
    result = rewritten(tmp_path, inner)
    found = only(result)
    assert [each for each in found if isinstance(each, str)] == ["They went to ", "Paris", " by train"]
    assert len(marks(found)) == 2, "tags that hold only each other are one pair of marks"
    text = body(result.data)
    assert "</w:smartTagPr><w:r>" in text
    assert smart("place", smart("City", about + run("siraP"))) in text


def test_a_link_around_a_picture_is_one_thing(tmp_path: Path) -> None:
    picture = '<w:hyperlink r:id="r9"><w:r><w:drawing/></w:r></w:hyperlink>'
    in_a_field = complex_field("HYPERLINK x", "<w:r><w:drawing/></w:r>")
    inner = f"<w:p>{run('see ')}{picture}{run(' and ')}{in_a_field}{run(' there')}</w:p>"
    result = rewritten(tmp_path, inner)
    assert only(result) == ("see ", single(1, "link"), " and ", single(2, "link"), " there")
    assert picture in body(result.data)
    assert in_a_field in body(result.data)


def test_styles_of_characters_tell_how_words_look(tmp_path: Path) -> None:
    styles = (
        '<w:style w:type="character" w:styleId="L"><w:name w:val="Hyperlink"/></w:style>'
        '<w:style w:type="character" w:styleId="S"><w:name w:val="Mine"/><w:rPr><w:i/></w:rPr></w:style>'
    )
    linked, slanted = run("link", '<w:rStyle w:val="L"/>'), run("slanted", '<w:rStyle w:val="S"/>')
    raised = run("2", '<w:vertAlign w:val="superscript"/>')
    inner = f"<w:p>{run('many words ')}{linked}{run(' and ')}{slanted}{raised}{run(' end')}</w:p>"
    result = rewritten(tmp_path, inner, styles=word_part("styles", styles))
    looks = [each.look for each in only(result) if isinstance(each, Mark) and each.role == "open"]
    assert looks == ["link", "italic", "small"]


def test_simple_fields_symbols_and_code_in_pieces(tmp_path: Path) -> None:
    link = f'<w:fldSimple w:instr="HYPERLINK x">{run("link")}</w:fldSimple>'
    sign = '<w:r><w:sym w:font="Wingdings" w:char="F0E0"/></w:r>'
    unknown = '<w:r><w:sym w:font="Wingdings" w:char="xyz"/></w:r>'
    font = '<w:rFonts w:ascii="Consolas"/>'
    inner = (
        f"<w:p>{run('a ')}{link}{sign}{run('b')}{unknown}{run('c')}{run('x', font)}{run('()', font)}{run(' d')}</w:p>"
    )
    result = rewritten(tmp_path, inner)
    assert only(result) == (
        *("a ", opened(1, "link"), "link", closed(1), single(2, "other", "→"), "b", single(3, "other", "•"), "c"),
        *(single(4, "code", "x()"), " d"),
    )
    assert f"{run('x', font)}{run('()', font)}" in body(result.data)


def test_the_record_of_a_changed_look_is_not_copied(tmp_path: Path) -> None:
    changed = '<w:b/><w:rPrChange w:id="1"><w:rPr/></w:rPrChange>'
    assert "rPrChange" not in body(rewritten(tmp_path, f"<w:p>{run('text', changed)}</w:p>").data)


EVERYTHING = (
    f"<w:p>{run('a')}{run('b', BOLD)}<w:bookmarkStart w:id='1'/>{run(' c ')}<w:r><w:footnoteReference w:id='2'/></w:r>"
    f'<w:hyperlink r:id="r9">{run("d")}<w:bookmarkEnd w:id="1"/>{run("e", UNDERLINED)}</w:hyperlink><w:r><w:tab/></w:r>'
    f"<w:commentRangeStart w:id='3'/><w:ins w:id='5'>{run('f')}</w:ins>{complex_field('PAGE', run('4'))}{run('g')}"
    f"<w:commentRangeEnd w:id='3'/><w:r><w:commentReference w:id='3'/></w:r>"
    f"{complex_field('HYPERLINK x', run('h', BOLD))}{run(' i')}</w:p>"
)
KEPT = ("bookmarkStart", "bookmarkEnd", "footnoteReference", "commentRangeStart", "commentRangeEnd", "commentReference")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_is_lost_however_the_marks_are_moved_dropped_or_doubled(tmp_path: Path, data: st.DataObject) -> None:
    def change(segment: Segment) -> Content:
        parts = [*segment.content, *(part for part in segment.content if data.draw(st.booleans()))]
        return tuple(part for part in data.draw(st.permutations(parts)) if data.draw(st.integers(0, 4)))

    given_: list[Content] = []
    result = rewritten(tmp_path, EVERYTHING, lambda segment: given_.append(change(segment)) or given_[0])
    written = body(result.data)
    etree.fromstring(member(result.data).encode())
    for name in KEPT:
        assert written.count(f"<w:{name} ") == 1
    assert written.count("<w:tab/>") == 1
    assert written.count("PAGE") == 1
    for name in ("bookmark", "commentRange"):
        assert written.index(f"<w:{name}Start") < written.index(f"<w:{name}End")
    depth = 0
    for kind in re.findall(r'fldCharType="(\w+)"', written):
        depth += {"begin": 1, "end": -1}.get(kind, 0)
        assert depth > 0 or kind == "end"
    assert depth == 0
    if given_ and given_[0] != result.segments[0].content:
        words = "".join(part for part in given_[0] if isinstance(part, str))
        shown = re.sub("<w:instrText.*?</w:instrText>|<[^>]+>", "", written)
        assert sorted(shown) == sorted(f"{words}4")
