"""Pages: every word once and in order, whatever their state, and nothing reached beside them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.document_errors import DocumentUnreadable
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.formats.web.html_pages import read
from app.documents.formats.web.walker import HtmlWalker
from app.documents.source import FileSource, Item, Opened, ReadingRemark
from tests.helpers.counting import lines_run
from tests.helpers.web_files import Page, markers_in

RUSSIAN = "Поезд пришёл на станцию рано утром, когда город ещё спал."


def pieces_in(page: str) -> list[BlockPiece]:
    """The blocks of a page as it is decoded."""
    return list(HtmlWalker(page).pieces())


def items_of(path: Path, content: str | bytes, encoding: str = "") -> list[Item]:
    """What the reader gives for a file of this content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(FileSource(path, encoding=encoding)))


def texts(items: list[Item] | list[BlockPiece]) -> list[str]:
    """The texts of the blocks."""
    return [item.text for item in items if isinstance(item, BlockPiece)]


def opened(items: list[Item]) -> Opened:
    """What is said first."""
    first = items[0]
    assert isinstance(first, Opened)
    return first


@given(st.randoms(use_true_random=False), st.booleans())
def test_every_word_is_read_once_in_order_and_found_again_at_its_place(random: Random, is_sloppy: bool) -> None:
    page = Page(random, is_sloppy=is_sloppy)
    pieces = pieces_in(page.body)
    assert markers_in("\n".join(texts(pieces))) == page.shown
    hidden = set(page.hidden)
    end = 0
    for piece in pieces:
        there = [word for word in markers_in(page.body[piece.place.start : piece.place.end]) if word not in hidden]
        if piece.kind is BlockKind.TABLE:  # its place has its caption, too
            assert there[len(there) - len(markers_in(piece.text)) :] == markers_in(piece.text)
        else:
            assert there == markers_in(piece.text)
            assert end <= piece.place.start
        end = max(end, piece.place.end)


@given(st.text("<>/!-[]\"'=& \nabpdivtr?x", max_size=200))
def test_no_text_is_too_broken_and_places_are_in_the_text(page: str) -> None:
    for piece in pieces_in(page):
        assert 0 <= piece.place.start <= piece.place.end <= len(page)
        assert piece.text.strip()


NAMES = ("p", "div", "ul", "li", "table", "tr", "td", "th", "caption", "h1", "h2", "pre", "svg", "text", "math", "a")
NAMES += ("select", "option", "dl", "dd", "dt")


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), max_size=30))
def test_tags_in_any_order_lose_no_word(tags: list[tuple[str, bool]]) -> None:
    page, shown = "", []
    is_drawn = False
    for number, (name, is_end) in enumerate(tags):
        is_drawn = is_drawn or name == "svg"
        page += f"<{'/' if is_end else ''}{name}>"
        if not is_drawn:
            shown.append(f"mark{number}end")
            page += f" mark{number}end "
    assert sorted(markers_in(" ".join(texts(pieces_in(page))))) == sorted(shown)


def test_headings_paragraphs_and_loose_text_are_blocks() -> None:
    page = "loose <b>text</b><h2>Head&eacute;r</h2><div>one\n  two<p>three<p>four<br>five</div>six"
    found = [(piece.kind, piece.level, piece.text) for piece in pieces_in(page)]
    assert found == [
        (BlockKind.PARAGRAPH, 0, "loose text"),
        (BlockKind.HEADING, 2, "Headér"),
        (BlockKind.PARAGRAPH, 0, "one two"),
        (BlockKind.PARAGRAPH, 0, "three"),
        (BlockKind.PARAGRAPH, 0, "four\nfive"),
        (BlockKind.PARAGRAPH, 0, "six"),
    ]


def test_a_heading_without_an_end_does_not_swallow_what_follows() -> None:
    page = "<h1>Title<p>text</p><h2>Next<h3>Last</h2>text"
    kinds = [piece.kind for piece in pieces_in(page)]
    assert kinds == [BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.HEADING, BlockKind.PARAGRAPH]


def test_lists_have_levels_and_their_own_numbers() -> None:
    page = "<ol start=3><li>a<ol type=i><li>b<li>c</ol><li value=9>d<ul><li><p>e<p>f</ul><li>g</ol>"
    found = [(piece.kind, piece.level, piece.label, piece.text) for piece in pieces_in(page)]
    item = BlockKind.LIST_ITEM
    assert found == [
        (item, 1, "3.", "a"),
        (item, 2, "i.", "b"),
        (item, 2, "ii.", "c"),
        (item, 1, "9.", "d"),
        (item, 2, "•", "e"),
        (BlockKind.PARAGRAPH, 0, "", "f"),
        (item, 1, "10.", "g"),
    ]


@pytest.mark.parametrize(("style", "mark"), [("a", "ab."), ("A", "AB."), ("I", "XXVIII."), ("1", "28."), ("x", "28.")])
def test_a_list_counts_in_letters_and_roman_numbers(style: str, mark: str) -> None:
    assert pieces_in(f"<ol type={style} start=28><li>x</ol>")[0].label == mark


def test_a_table_keeps_its_columns_and_doubles_nothing() -> None:
    page = "<table><tr><th colspan=2>A<th>B<tr><td rowspan=2>1<td>2<td>3<tr><td>4<td><p>5<p>6</table>"
    (table,) = pieces_in(page)
    assert (table.kind, table.text) == (BlockKind.TABLE, "A\t\tB\n1\t2\t3\n\t4\t5 6")
    assert page[table.place.start : table.place.end] == page


def test_a_table_that_arranges_a_page_is_read_as_the_page() -> None:
    page = "<table><tr><td>menu<td><h1>Title</h1><p>text<table><tr><td>1<td>2<tr><td>3<td>4</table></table>"
    found = [(piece.kind, piece.text) for piece in pieces_in(page)]
    table = (BlockKind.TABLE, "1\t2\n3\t4")
    assert found == [(BlockKind.PARAGRAPH, "menu"), (BlockKind.HEADING, "Title"), (BlockKind.PARAGRAPH, "text"), table]


def test_a_table_in_a_table_is_read_once() -> None:
    page = "<table><tr><th>A<th>B<tr><td>1<td><table><tr><td>2<td>3<tr><td>4<td>5</table></table>"
    assert texts(pieces_in(page)) == ["A\tB\n1\t2 3 4 5"]


def test_code_keeps_its_lines_and_its_language() -> None:
    page = '<pre><code class="hljs language-python">\ndef f():\n    return 1 &lt; 2\n</code></pre>'
    (code,) = pieces_in(page)
    assert (code.kind, code.label, code.text) == (BlockKind.CODE, "python", "def f():\n    return 1 < 2")


def test_code_with_an_element_for_each_line_is_one_block() -> None:
    (code,) = pieces_in("<pre><div>a</div><div>  b</div></pre>")
    assert code.text == "a\n  b"


def test_captions_notes_and_quotes_are_told_apart() -> None:
    page = "<figure><figcaption>cap</figcaption></figure><section class=footnotes><ol><li>note</ol></section>"
    page += "<blockquote>quote</blockquote><p>text<a role=doc-noteref href=#n>1</a>"
    found = [(piece.kind, piece.text) for piece in pieces_in(page)]
    words = [(BlockKind.PARAGRAPH, "quote"), (BlockKind.PARAGRAPH, "text[1]")]
    assert found == [(BlockKind.CAPTION, "cap"), (BlockKind.NOTE, "note"), *words]


def test_what_a_page_does_not_show_is_not_read() -> None:
    page = "<style>no</style><script>'<p>no</p>'</script><p hidden>no<p style='display: NONE'>no<p>yes"
    page += "<template>no<p>no</template><iframe>no</iframe><dialog>no</dialog><dialog open>yes</dialog>"
    page += "<input type=hidden value=no><input value=yes><input type=password value=no><datalist>no</datalist>"
    assert " ".join(texts(pieces_in(page))).split() == ["yes", "yes", "yes"]


def test_a_page_that_hides_itself_until_its_script_runs_is_read() -> None:
    assert texts(pieces_in("<body style='visibility:hidden'><p>text</body>")) == ["text"]


def test_noscript_is_read_where_it_is_all_there_is(tmp_path: Path) -> None:
    hint = "<noscript><p>switch it on</p></noscript>"
    assert texts(items_of(tmp_path / "a.html", hint + "<p>text")) == ["text"]
    assert texts(items_of(tmp_path / "a.html", hint + "<div id=app></div>")) == ["switch it on"]


def test_fields_and_choices_are_read_as_they_are_shown() -> None:
    page = "<label>Colour <select><option>red<option>blue</select></label><textarea>a &lt;b></textarea>"
    assert texts(pieces_in(page)) == ["Colour\nred\nblue a <b>"]


def test_drawings_and_formulas_are_read_once() -> None:
    page = "<svg><title>no</title><text>one</text><g><text>two</text></g></svg><p><math><mi>x</mi><mo>=</mo>"
    page += "<mfrac><mn>1</mn><mn>2</mn></mfrac><annotation>no</annotation></math>"
    assert texts(pieces_in(page)) == ["one\ntwo", "x = 1 2"]


def test_a_less_than_sign_and_a_cut_tag_are_text() -> None:
    assert texts(pieces_in("<p>a < b </ c <p>3<4 & so <b uncl='x' on")) == ["a < b </ c", "3<4 & so <b uncl='x' on"]


def test_spaces_are_collapsed_as_in_a_browser() -> None:
    assert texts(pieces_in("<p>  a\t\n b\u00a0\u00a0c&nbsp;\u3000d\r\n e \r\n")) == ["a b\u00a0\u00a0c\u00a0\u3000d e"]


def test_title_and_pictures_are_told(tmp_path: Path) -> None:
    items = items_of(tmp_path / "a.html", "<title>The &amp;\n title</title><img src=a.png><p>x<img alt=no src=b.png>")
    assert opened(items) == Opened(title="The & title", encoding="utf-8")
    assert items[-1] == ReadingRemark("pictures", {"count": 2})
    assert texts(items) == ["x"]


META = '<meta charset="{}"><p>{}</p>'
LATE = "<meta http-equiv='Content-Type' content='text/html; charset={}'><p>{}</p>"


@pytest.mark.parametrize(
    ("page", "encoding", "found"),
    [
        (META.format("windows-1251", RUSSIAN), "cp1251", "cp1251"),
        (" " * 3500 + LATE.format("koi8-r", RUSSIAN), "koi8-r", "koi8-r"),
        (META.format("iso-8859-1", RUSSIAN), "utf-8", "utf-8"),
        (META.format("gbk", RUSSIAN), "utf-8", "utf-8"),
        (META.format("utf-8", RUSSIAN * 5), "cp1251", "cp1251"),
        (" " * 9000 + META.format("cp1251", RUSSIAN * 5), "cp1251", "cp1251"),
        (META.format("gb2312", "联通"), "gb18030", "gb18030"),
        (META.format("shift_jis", "駅は朝早く静かだった。"), "cp932", "cp932"),
        (META.format("iso-2022-jp", "駅は朝早く"), "iso2022_jp", "iso2022_jp"),
        (META.format("utf-8", "“curly” €"), "utf-16", "utf-16-le"),
        (META.format("no-such-thing", RUSSIAN), "utf-8-sig", "utf-8"),
        (META.format("rot13", RUSSIAN), "utf-8", "utf-8"),
    ],
)
def test_the_encoding_is_the_true_one(tmp_path: Path, page: str, encoding: str, found: str) -> None:
    items = items_of(tmp_path / "a.html", page.encode(encoding))
    assert opened(items).encoding == found
    assert texts(items)[0] == page.partition("<p>")[2].removesuffix("</p>")


def test_the_persons_encoding_wins(tmp_path: Path) -> None:
    page = META.format("utf-8", RUSSIAN).encode()
    assert opened(items_of(tmp_path / "a.html", page, "cp1251")).encoding == "cp1251"


MHTML = """From: <Saved by a browser>
Subject: page
MIME-Version: 1.0
Content-Type: multipart/related; type="text/html"; boundary="----b"

------b
Content-Type: text/html; charset=windows-1252
Content-ID: <frame-1>
Content-Transfer-Encoding: quoted-printable

<title>Saved</title><p>caf=E9 <img src=3D"cid:picture"></p><iframe src=3D"cid:f2">=
</iframe>
------b
Content-Type: text/html
Content-ID: <frame-2>

<p>frame</p>
------b
Content-Type: image/png
Content-Transfer-Encoding: base64

AAAA
------b--
"""


def test_the_page_of_an_mhtml_file_is_read(tmp_path: Path) -> None:
    items = items_of(tmp_path / "a.mhtml", MHTML.replace("\n", "\r\n"))
    assert opened(items) == Opened(title="Saved", encoding="cp1252")
    assert texts(items) == ["café"]
    assert [item.place.part for item in items if isinstance(item, BlockPiece)] == ["<frame-1>"]


def test_an_mhtml_file_without_a_page_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        items_of(tmp_path / "a.mhtml", "MIME-Version: 1.0\nContent-Type: text/plain\n\nhello")
    assert caught.value.reason == "damaged"


def test_parts_nested_without_end_are_too_deep(tmp_path: Path) -> None:
    nested = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(3000))
    with pytest.raises(DocumentUnreadable) as caught:
        items_of(tmp_path / "a.mhtml", "MIME-Version: 1.0\n" + nested)
    assert caught.value.reason in ("too_deep", "damaged")


DEEP = 200_000
"""How long so many levels take is said by `make bench`; that they end no child, by `test_hostile_files`."""
DEEP_ENOUGH = 20_000
"""No stack has so many."""


NESTED = [
    ("<div>", "</div>"),
    ("<b>", "</b>"),
    ("<table><tr><td>", "</table>"),
    ("<p hidden>", ""),
    ("<svg>", "</svg>"),
    ("<section><p>", "</div>"),
    ("<dl><dd>", "</dl>"),
    ("<font style='display:none'>", ""),
]


@pytest.mark.parametrize(("tag", "end"), NESTED)
def test_twenty_thousand_levels_are_read(tag: str, end: str) -> None:
    pieces = pieces_in("<p>first" + tag * DEEP_ENOUGH + "deep" + end * DEEP_ENOUGH)
    assert pieces[0].text == "first" if end != "</b>" else "firstdeep"


ENDLESS = ("<a ", "<!--", "<a href='", '<a b="c" \'', "</", "<![CDATA[", "<script>", "<pre>\n", "&#x", "<!doctype [")
ENDLESS += ("<td colspan=99 rowspan=999>x", "<table>", "x<br>", "= '", "<title>")


@pytest.mark.parametrize("part", ENDLESS)
def test_broken_markup_without_end_is_read(part: str) -> None:
    pieces_in("<table><tr>" + part * (200_000 // len(part)))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A real port of this computer that would see a connection."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        yield server


def test_nothing_of_a_page_is_fetched(tmp_path: Path, listener: socket.socket) -> None:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    page = f"""<!DOCTYPE html SYSTEM "{address}/x.dtd">
    <base href="{address}/"><link rel=stylesheet href="{address}/a.css">
    <style>@import url({address}/b.css)</style><script src="{address}/a.js"></script><img src="{address}/a.png">
    <iframe src="{address}/f"></iframe><object data="{address}/o">object</object><video src="{address}/v"></video>
    <a href="javascript:fetch('{address}')">link</a><svg><image href="{address}/i"/></svg><embed src="{address}/e">
    <meta http-equiv=refresh content="0;url={address}/r"><body background="{address}/bg"><p>text"""
    assert texts(items_of(tmp_path / "a.html", page)) == ["object link", "text"]
    mhtml = MHTML.replace("cid:picture", f"{address}/a.png").replace("cid:f2", f"{address}/f")
    assert texts(items_of(tmp_path / "a.mhtml", mhtml)) == ["café"]
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_entities_of_its_own_stay_as_they_are_written(tmp_path: Path) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY")
    page = f'<!DOCTYPE html [<!ENTITY x SYSTEM "{canary.as_uri()}"><!ENTITY y "&x;&x;">]><p>a &x; &y; b'
    assert texts(items_of(tmp_path / "a.html", page)) == ["a &x; &y; b"]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>Text<sup>1</sup> goes on", "Text[1] goes on"),
        ("<p>Text.<sup>12</sup> Next", "Text.[12] Next"),
        ('<p>Text<sup id=r><a href="#n">a</a></sup>, on', "Text[a], on"),
        ('<p>Text<a href="#fn1" class="footnote-ref"><sup>1</sup></a>, on', "Text[1], on"),
        ('<p>Text<a epub:type="noteref" href="#n1">3</a> on', "Text[3] on"),
        ('<p>Text<sup><a epub:type="noteref" href="#n1">3</a></sup><sup>4</sup> on', "Text[3][4] on"),
        ("<p>Text<sup>1,2</sup> on", "Text[1,2] on"),
        ('<p>Text<sup><a href="#n">[1]</a></sup> on', "Text[1] on"),
        ("<p>10<sup>-6</sup> m<sup>2</sup> and mc<sup>2</sup>", "10^-6 m^2 and mc^2"),
        ("<p>the 1<sup>st</sup> M<sup>me</sup> CO<sub>2</sub>", "the 1st Mme CO2"),
        ("<p><sup>1</sup> A note", "1 A note"),
        ("<p>Text <sup>1</sup>", "Text 1"),
        ("<p>Text<sup hidden>1</sup>, Text<sup><span hidden>1</span></sup>", "Text, Text"),
        ("<pre>text<sup>1</sup></pre>", "text1"),
        ("<p>Text<sup>1", "Text1"),
    ],
)
def test_a_raised_number_joins_no_word(page: str, text: str) -> None:
    assert [piece.text for piece in pieces_in(page)] == [text]


def test_raised_numbers_cost_no_more_the_more_there_are() -> None:
    def lines(count: int) -> int:
        return lines_run(lambda: pieces_in("<p>" + "x<a href=x><sup>" * count))

    assert lines(8_000) < 5 * lines(2_000)


def test_notes_in_a_numbered_list_keep_their_numbers() -> None:
    page = (
        '<section role="doc-endnotes"><hr><ol start="4"><li id="a"><p>First.</p><p>More.</p></li><li>Second.</li></ol>'
        '</section><div class="footnotes"><ul><li>Third.</li></ul></div>'
    )
    assert [(piece.kind, piece.text, piece.label) for piece in pieces_in(page)] == [
        (BlockKind.NOTE, "First.", "footnote 4"),
        (BlockKind.NOTE, "More.", "footnote"),
        (BlockKind.NOTE, "Second.", "footnote 5"),
        (BlockKind.NOTE, "Third.", "footnote"),
    ]


def test_a_bar_of_links_is_no_table() -> None:
    bar = "<table><tr>{0}{0}</tr><tr>{0}{0}</tr></table>"
    linked = pieces_in(bar.format("<td>[ <a href=x>Next</a> ]&nbsp;</td>"))
    assert {piece.kind for piece in linked} == {BlockKind.PARAGRAPH}
    assert "".join(piece.text for piece in linked).count("Next") == 4
    partly = pieces_in(bar.format("<td><a href=x>Next</a> 5</td>"))
    assert [piece.kind for piece in partly] == [BlockKind.TABLE]


def test_a_reversed_list_counts_down() -> None:
    page = "<ol reversed><li>c<ol><li>x</ol><li>b<li>a</ol><ol reversed start=10><li>j<li>i</ol>"
    assert [(piece.text, piece.label) for piece in pieces_in(page)] == [
        ("c", "3."), ("x", "1."), ("b", "2."), ("a", "1."), ("j", "10."), ("i", "9."),
    ]  # fmt: skip
