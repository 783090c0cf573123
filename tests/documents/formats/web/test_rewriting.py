"""Pages written back: every word there is to read is a segment, and all else stays byte for byte."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.documents.blocks import BlockPiece
from app.documents.formats.web.html_pages import read
from app.documents.segments import Content, Mark, Segment, SegmentKind, plain
from app.documents.source import FileSource, TargetLanguage
from tests.helpers.rewriting import Result, reversed_words, run, run_on, upper
from tests.helpers.web_files import Page, markers_in

ARABIC = TargetLanguage("ar", is_rtl=True)
PORTUGUESE = TargetLanguage("pt-BR")


def page(body: str, head: str = "", root: str = ' lang="en"') -> str:
    """A page with this body."""
    return f"<!DOCTYPE html>\n<html{root}>\n<head>{head}</head>\n<body>{body}</body></html>\n"


def contents(tmp_path: Path, body: str) -> list[Content]:
    """The contents of the segments in a body."""
    return [segment.content for segment in run_on("html", tmp_path, page(body)).segments]


def shown(content: Content) -> str:
    """A content with its marks as they are numbered: "a {1}b{/1} {2:break}c"."""
    return "".join(
        part
        if isinstance(part, str)
        else {"open": f"{{{part.number}}}", "close": f"{{/{part.number}}}"}.get(
            part.role, f"{{{part.number}:{part.look}}}"
        )
        for part in content
    )


def rewritten(tmp_path: Path, text: str, target: TargetLanguage | None = None) -> str:
    """A page with its words in capitals."""
    return run_on("html", tmp_path, text, upper, target=target).text


PLACES = (
    ("{m}", "title"), ("{m}", "h1"), ("{m}", "p"), ("<b>{m}</b> and <i>{m}</i>", "p"), ("{m}<br>{m}", "p"),
    ("{m}<ul><li>{m}</ul>{m}", "li"), ("{m}", "dt"), ("{m}", "dd"), ("{m}", "figcaption"), ("{m}", "summary"),
    ("{m}", "legend"), ("{m}", "button"), ("{m}", "textarea"), ("{m}<p>{m}</p>{m}", "div"), ("{m}", "blockquote"),
    ("<option>{m}<option>{m}", "select"), ("{m}<sup>{m}</sup>", "p"), ("<a href=x title='{m}'>{m}</a>", "p"),
    ("<img src=a alt='{m}'>", "p"), ("{m} <img alt=\"{m}\" title='{m}'> {m}", "p"), ("<input placeholder='{m}'>", "p"),
    ("<input type=submit value={m}>", "form"), ("<span aria-label='{m}'>{m}</span>", "p"), ("{m}", "address"),
    ("<caption>{m}</caption><tr><th>{m}<td>{m}", "table"), ("<svg><title>{m}</title><text>{m}</text></svg>", "p"),
    ("<ruby>{m}<rt>{m}</rt></ruby>", "p"), ("<label>{m} <select><option>{m}</select> {m}</label>", "div"),
    ("<noscript>{m}</noscript>", "div"), ("<video src=a>{m}</video>", "p"), ("<font color=red>{m}", "div"),
)  # fmt: skip
"""Where words are planted, at each "{m}", and the element around it."""


def planted() -> tuple[str, list[str]]:
    """A page with a word in every place, and the words."""
    words: list[str] = []

    def word(_: re.Match[str]) -> str:
        words.append(f"mark{len(words)}end")
        return words[-1]

    body = "".join(f"<{name}>{inner}</{name}>\n" for inner, name in PLACES[1:])
    head = "<title>{m}</title><meta name=description content='{m}'><meta property='og:title' content=\"{m}\">"
    return re.sub(r"\{m\}", word, page(f"{{m}}{body}{{m}}", head)), words


def test_every_planted_word_comes_back_reversed_and_none_as_it_was(tmp_path: Path) -> None:
    text, words = planted()
    result = run_on("html", tmp_path, text, reversed_words)
    assert len(words) > 50
    for word in words:
        assert word[::-1] in result.text, word
        assert word not in result.text, word
    again = run_on("html", tmp_path, result.text, reversed_words)
    assert again.text == text.replace("value=" + words_after(text, "value="), f'value="{words_after(text, "value=")}"')


def words_after(text: str, before: str) -> str:
    """The word behind this."""
    return text.partition(before)[2].partition(">")[0]


def test_a_file_whose_segments_stay_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    text, _ = planted()
    odd = text.replace("\n", "\r\n").encode() + b"<p>bad \xff byte</p><!-- c --><SCRIPT>a<b</SCRIPT>"
    for change in (None, lambda segment: segment.content):
        assert run_on("html", tmp_path, odd, change).data == odd


@given(st.randoms(use_true_random=False), st.booleans())
def test_pages_of_any_structure_come_back_with_all_their_words(random: Random, is_sloppy: bool) -> None:
    made = Page(random, is_sloppy=is_sloppy)
    assume(made.shown)  # of a page that shows nothing, what is there without scripts is read
    with TemporaryDirectory() as folder:
        kept = run_on("html", Path(folder), made.body, lambda segment: segment.content)
        assert kept.data == made.body.encode()
        found = run_on("html", Path(folder), made.body, upper)
        (Path(folder) / "out.html").write_bytes(found.data)
        pieces = [item for item in read(FileSource(Path(folder) / "out.html")) if isinstance(item, BlockPiece)]
    before = [word for segment in found.segments for word in markers_in(plain(segment.content))]
    code = {word for part in re.findall("(?s)<(?:pre|math).*?</(?:pre|math)>", made.body) for word in markers_in(part)}
    assert set(made.shown) - set(before) <= code
    assert all(before.count(word) == 1 for word in set(made.shown) - code)
    after = "\n".join(piece.text for piece in pieces)
    words = re.findall(r"mark\d+end", after, re.IGNORECASE)
    assert [word.lower() for word in words] == made.shown
    assert {word for word in words if word.islower()} <= code


NAMES = ("p", "div", "ul", "li", "table", "tr", "td", "th", "h1", "pre", "svg", "text", "math", "a", "b", "span")
NAMES += ("select", "option", "dl", "dd", "button", "code", "br", "img alt=word", "p translate=no")


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), max_size=30))
def test_tags_in_any_order_change_nothing_by_themselves(tags: list[tuple[str, bool]]) -> None:
    soup = "".join(
        f"<{'/' * is_end}{name.split()[0] if is_end else name}> w{n} " for n, (name, is_end) in enumerate(tags)
    )
    with TemporaryDirectory() as folder:
        assert run_on("html", Path(folder), soup, lambda segment: segment.content).text == soup
        assert strip_tags(run_on("html", Path(folder), soup, upper).text).lower() == strip_tags(soup)


def strip_tags(text: str) -> str:
    """The words between tags, with single spaces."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


@given(st.text("<>/!-[]\"'=& \nabpdivtr?x", max_size=120))
def test_no_text_is_too_broken_to_come_back(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder)
        if text:
            assert run_on("html", path, text, lambda segment: segment.content).text == text
            run_on("html", path, text, reversed_words, target=ARABIC)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>One <b>two</b> three</p>", ["One {1}two{/1} three"]),
        ("<p><b>All bold</b></p>", ["All bold"]),
        ("<p><b><i>All</i></b> of</p>", ["{1}All{/1} of"]),
        ("<p>a<b>b</b><b>c</b>d</p>", ["a{1}bc{/1}d"]),
        ("<p>a<b id=x>b</b><b id=x>c</b>d</p>", ["a{1}b{/1}{2}c{/2}d"]),
        ("<p>a <b>b <i>c</b> d</i> e</p>", ["a {1}b {2:other}c{/1} d{3:other} e"]),
        ("<p>a<br>b</p>", ["a{1:break}b"]),
        ("<p>one<br><br>two</p>", ["one", "two"]),
        ("<p>some<wbr>thing</p>", ["something"]),
        ("<p>a <a name=x></a>b</p>", ["a {1:other}b"]),
        ("<p>a <!-- c --> b</p>", ["a {1:other} b"]),
        ("<p>a\n   <i>b</i>\t c</p>", ["a {1}b{/1} c"]),
        ("<p>one<p>two", ["one", "two"]),
        ("<ul><li>a<ul><li>b</ul>c<li>d</ul>", ["a", "b", "c", "d"]),
        ("loose<p>p</p>behind", ["loose", "p", "behind"]),
        ("<p>x <select><option>a<option>b</select> y</p>", ["x {1:field} y", "a", "b"]),
        ("<p><input type=text value=typed> go</p>", ["go"]),
        ("<p>said<sup><a href='#n'>[1]</a></sup> so<a href='#m'><sup>*</sup></a>.</p>", ["said{1:note} so{2:note}."]),
        ("<p>said<a epub:type='noteref' href='#n'>1</a> so</p>", ["said{1:note} so"]),
        ("<p>10<sup>6</sup> m, 1<sup><a href=x>st</a></sup> of</p>", ["10{1}6{/1} m, 1{2}st{/2} of"]),
        ("<p>a <tt>prose</tt> b</p>", ["a {1}prose{/1} b"]),
    ],
)
def test_inline_markup_is_held_by_marks(tmp_path: Path, body: str, expected: list[str]) -> None:
    assert [shown(content) for content in contents(tmp_path, body)] == expected


def test_code_formulas_and_pictures_stand_for_themselves(tmp_path: Path) -> None:
    (content,) = contents(tmp_path, "<p>Run <code>rm  &lt;x&gt;</code> for <math><mi>x</mi><mn>2</mn></math> now</p>")
    assert content == (
        "Run ", Mark("single", 1, "code", "rm <x>"), " for ", Mark("single", 2, "formula", "x2"), " now",
    )  # fmt: skip


def test_a_segment_says_what_it_is(tmp_path: Path) -> None:
    body = (
        "<h3>h</h3><p>p</p><ul><li>l<p>also l</p></ul><table><caption>t</caption><tr><td>c</table>"
        "<figure><figcaption>f</figcaption></figure><aside role=doc-footnote>n</aside><img alt=a><button>b</button>"
    )
    found = [(segment.text, segment.kind, segment.level) for segment in run_on("html", tmp_path, page(body)).segments]
    kinds = SegmentKind
    assert found == [
        ("h", kinds.HEADING, 3), ("p", kinds.PARAGRAPH, 0), ("l", kinds.LIST_ITEM, 0), ("also l", kinds.LIST_ITEM, 0),
        ("t", kinds.CAPTION, 0), ("c", kinds.CELL, 0), ("f", kinds.CAPTION, 0), ("n", kinds.NOTE, 0),
        ("a", kinds.LABEL, 0), ("b", kinds.LABEL, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "left",
    [
        "<pre>code <b>here</b> &amp; there</pre>", "<script>var a = '<p>x</p>'</script>", "<style>p { x: y }</style>",
        "<p translate=no>name</p>", "<div class='a notranslate'>name<p>and this</p></div>",
        "<blockquote lang=fr>Bonjour <b>le monde</b></blockquote>", "<xmp><p>x</p></xmp>", "<!-- <p>x</p> -->",
        "<iframe src=a>inside</iframe>", "<link rel=stylesheet title=blue>", "<input type=hidden value=x>",
    ],
)  # fmt: skip
def test_what_is_no_text_to_translate_is_left(tmp_path: Path, left: str) -> None:
    text = page(f"<p>before</p>{left}<p>behind</p>", "<meta name=keywords content='a, b'>")
    result = run_on("html", tmp_path, text, upper)
    assert result.texts == ["before", "behind"]
    assert result.text == text.replace("before", "BEFORE").replace("behind", "BEHIND")


def test_what_is_left_ends_where_it_ends_whatever_is_not_closed_inside(tmp_path: Path) -> None:
    for name in ("pre", "p translate=no", "div lang=fr"):
        left = f"<{name}>{'<a name=x><font>code' * 400}</{name.split()[0]}>"
        assert run_on("html", tmp_path, page(f"{left}<p>text</p>")).texts == ["text"]
    body = "<p>one <span translate=no>x<span>y</span><b>z</span> two</p><p>three</p>"
    assert [shown(content) for content in contents(tmp_path, body)] == ["one {1:other} two", "three"]


def test_a_name_and_a_foreign_phrase_inside_a_sentence_stay(tmp_path: Path) -> None:
    body = "<p>The <span translate=no>Fire <b>Side</b></span> is a <i lang=la>sine qua non</i> here.</p>"
    (content,) = contents(tmp_path, body)
    assert shown(content) == "The {1:other} is a {2:italic} here."
    assert [mark.shows for mark in content if isinstance(mark, Mark)] == ["Fire Side", "sine qua non"]


def test_marks_may_be_put_in_another_order(tmp_path: Path) -> None:
    def swapped(segment: Segment) -> Content:
        one, two = Mark("open", 1, "bold"), Mark("single", 2, "image")
        return (two, " Ende ", one, "Anfang", Mark("close", 1))

    result = run_on("html", tmp_path, "<p><b class=k>Begin</b> and <img src='a.png'> end</p>", swapped)
    assert result.text == "<p><img src='a.png'> Ende <b class=k>Anfang</b></p>"


def test_the_words_of_a_picture_are_written_into_the_picture_that_moved(tmp_path: Path) -> None:
    def change(segment: Segment) -> Content:
        return (Mark("single", 1, "image"), "X") if segment.kind is SegmentKind.PARAGRAPH else ('a "cat" & <co>',)

    result = run_on("html", tmp_path, "<p>See <img alt=dog src='a'> now</p>", change)
    assert result.text == "<p><img alt=\"a &quot;cat&quot; &amp; &lt;co&gt;\" src='a'>X</p>"


def test_markup_in_a_translation_is_text_and_control_characters_are_taken_out(tmp_path: Path) -> None:
    text = "<p title='old'>old</p>"
    result = run_on("html", tmp_path, text, lambda _: ("<script>1 & 2's\x00\x0b\ud800\ufffe",))
    assert result.text == "<p title='&lt;script&gt;1 &amp; 2&#39;s'>&lt;script&gt;1 &amp; 2's</p>"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252", "shift_jis", "iso2022_jp", "koi8-r"])
def test_a_page_keeps_its_encoding_and_what_it_lacks_is_a_number(tmp_path: Path, encoding: str) -> None:
    word = {"shift_jis": "日本語", "iso2022_jp": "日本語", "koi8-r": "Привет, мир"}.get(encoding, "Grüße")
    text = f"<html><head><meta charset={encoding.removesuffix('-sig')}></head><body><p>{word} eins</p><p>{word}</p>"
    data = text.encode(encoding)
    assert run_on("html", tmp_path, data, lambda segment: segment.content).data == data
    result = run_on("html", tmp_path, data, lambda segment: ("Ω \u0627",) if "eins" in segment.text else None)
    expected = text.replace(f"{word} eins", "Ω \u0627").encode(encoding, "xmlcharrefreplace")
    assert result.data.decode(encoding) == expected.decode(encoding)
    assert result.data.endswith(data[-len(f"<p>{word}</p>".encode(encoding)) + 4 :])


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("<html><head><title>x</title>", '<html><head><meta charset="utf-8"><title>é'),
        ("<!doctype html><p>x", '<!doctype html><meta charset="utf-8"><p>é'),
        ("<html lang=fr><p>x", '<html lang=fr><meta charset="utf-8"><p>é'),
        ("<header>x", '<meta charset="utf-8"><header>é'),
        ("<head><meta charset=latin1><title>x</title>", "<head><meta charset=latin1><title>\xe9"),
        ("<head><meta charset=koi8-r><title>x</title>", "<head><meta charset=koi8-r><title>&#233;"),
        ("<?xml version='1.0'?><html><title>x</title>", "<?xml version='1.0'?><html><title>é"),
        ("<?xml version='1.0' encoding='koi8-r'?><p>x", "<?xml version='1.0' encoding='koi8-r'?><p>&#233;"),
    ],
)
def test_a_page_of_ascii_says_how_its_new_letters_are_written(tmp_path: Path, start: str, expected: str) -> None:
    assert run_on("html", tmp_path, f"{start}</p>", lambda segment: ("y",)).data.isascii()
    encoding = "latin1" if "latin1" in start else "utf-8"
    data = run_on("html", tmp_path, f"{start}</p>", lambda segment: ("é",)).data
    assert data.decode(encoding).startswith(expected)


def test_bytes_that_are_no_text_stay_where_nothing_changes(tmp_path: Path) -> None:
    data = b"<p>Stra\xc3\x9fe \xff \xc3\x84pfel " + 12 * b"\xc3\xa9\xc3\xa8 " + b"</p><p>two</p>"
    result = run_on("html", tmp_path, data, lambda segment: ("zwei",) if segment.text == "two" else None)
    assert result.data == data.replace(b"two", b"zwei")
    assert "\ufffd" in result.texts[0]


def test_the_language_and_the_direction_of_the_page_are_set(tmp_path: Path) -> None:
    text = page("<p lang=en-GB>x</p><div dir=ltr lang='en' >y</div><q lang=de>z</q>", "", ' class=a lang="en"')
    done = rewritten(tmp_path, text, ARABIC)
    assert '<html dir="rtl" class=a lang="ar">' in done
    assert "<p lang=ar>X</p><div dir=rtl lang='ar' >Y</div>" in done
    assert '<q dir="ltr" lang=de>z</q>' in done
    done = rewritten(tmp_path, text, PORTUGUESE)
    assert '<html class=a lang="pt-BR">' in done
    assert "<p lang=pt-BR>X</p><div dir=ltr lang='pt-BR' >Y</div><q lang=de>z</q>" in done


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("<!doctype html><html><p>", '<!doctype html><html lang="ar" dir="rtl"><p>'),
        ("<!-- c --><!doctype html>\n<p>", '<!-- c --><!doctype html><html lang="ar" dir="rtl">\n<p>'),
        ("<p>", '<html lang="ar" dir="rtl"><p>'),
        ("<html lang><p>", '<html dir="rtl" lang="ar"><p>'),
        ("<html dir=ltr><body lang=en><p>", '<html lang="ar" dir=rtl><body lang=ar><p>'),
        (
            "<html><meta http-equiv=Content-Language content=en><p>",
            '<html lang="ar" dir="rtl"><meta http-equiv=Content-Language content=ar><p>',
        ),
        (
            '<?xml version="1.0"?><html xml:lang="en" lang="en"><p>',
            '<?xml version="1.0"?><html dir="rtl" xml:lang="ar" lang="ar"><p>',
        ),
        ('<?xml version="1.0"?><html><p>', '<?xml version="1.0"?><html xml:lang="ar" dir="rtl"><p>'),
    ],
)
def test_the_language_is_put_in_where_the_page_does_not_say_it(tmp_path: Path, start: str, expected: str) -> None:
    assert rewritten(tmp_path, f"{start}x", ARABIC) == f"{expected}X"


def test_code_stays_from_left_to_right(tmp_path: Path) -> None:
    done = rewritten(tmp_path, "<html><p>a <code>b</code> c</p><pre class=k>d</pre>", ARABIC)
    assert '<p>A <code dir="ltr">b</code> C</p><pre dir="ltr" class=k>d</pre>' in done


def test_a_page_from_right_to_left_becomes_one_from_left_to_right(tmp_path: Path) -> None:
    done = rewritten(tmp_path, '<html lang=ar dir="rtl"><p>a<q lang=he>b</q>c</p>', PORTUGUESE)
    assert done == '<html lang=pt-BR dir="ltr"><p>A<q dir="rtl" lang=he>b</q>C</p>'


def test_xhtml_stays_well_formed(tmp_path: Path) -> None:
    text = (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body><p>one<a id="x"/>'
        "two<br/>three</p><p><![CDATA[a < b]]></p><div/><p>fo&#x75;r&nbsp;</p></body></html>"
    )
    result = run_on("html", tmp_path, text, upper)
    assert result.texts == ["onetwothree", "a < b", "four\xa0"]
    assert result.text == (
        text.replace("one<", "ONE<").replace("two<", "TWO<").replace("three", "THREE")
        .replace("<![CDATA[a < b]]>", "A &lt; B").replace("fo&#x75;r&nbsp;", "FOUR\xa0")
    )  # fmt: skip


def test_a_file_that_is_called_xhtml_is_read_as_such(tmp_path: Path) -> None:
    text = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>one <i translate="no"/>two</p></body></html>'
    assert run_on("html", tmp_path, text).texts == ["one "]
    path = tmp_path / "a.xhtml"
    path.write_text(text)
    assert [shown(segment.content) for segment in run("html", path).segments] == ["one {1:other}two"]


def test_a_deeply_nested_page_costs_no_more_than_a_flat_one(tmp_path: Path) -> None:
    deep = "<div>" * 20_000 + "<b>" * 20_000 + "word" + "</i>" * 20_000 + "</table>" * 2_000
    result: Result = run_on("html", tmp_path, deep, upper)
    assert result.text == deep.replace("word", "WORD")
