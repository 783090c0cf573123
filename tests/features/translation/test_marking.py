"""Segments as a model sees them, and back: what is protected, what it damaged, and nothing is lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.segments import Content, Mark, Segment, SegmentKind, content_of, marks, nests, plain
from app.features.translation.delivering import marked, put_back
from app.features.translation.marking import (
    PROTECTED,
    placeholders,
    restored,
    same_marks,
    shown,
    shown_content,
    spans,
    to_text,
    trimmed,
)
from app.features.translation.result import FlagKind, Origin
from tests.features.translation.contents import TEXTS, contents
from tests.features.translation.pipeline import bold, read
from tests.helpers.translations import deliver

KINDS = st.sampled_from([SegmentKind.PARAGRAPH, SegmentKind.MESSAGE])


@given(contents(), KINDS)
def test_what_is_shown_and_read_back_is_the_segment_itself(content: Content, kind: SegmentKind) -> None:
    made = shown(Segment(1, content, kind))
    assert restored((*made.before, *made.core, *made.after)) == content
    found, damage = read(made, made.text)
    assert damage is None
    assert found == made.core
    assert made.whole(found) == content
    assert nests(made.core)


@given(contents())
def test_protected_text_is_not_shown(content: Content) -> None:
    made = shown_content(content, SegmentKind.MESSAGE)
    for secret in ("{name}", "https://example.org", "%s", "<b>"):
        assert secret not in made.text


@given(contents())
def test_what_is_kept_back_has_no_words_and_the_rest_is_nested(content: Content) -> None:
    before, core, after = trimmed(content)
    assert content_of([*before, *core, *after]) == content
    assert nests(core)
    assert not "".join(part for part in (*before, *after) if isinstance(part, str)).strip()


def test_marks_around_all_words_and_white_space_are_not_shown() -> None:
    content = ("  ", Mark("single", 3, "image"), *bold("Whole heading", 1), Mark("single", 4, "break"), "\n")
    made = shown_content(content)
    assert made.text == "Whole heading"
    assert made.whole(("Ganze Überschrift",)) == (
        "  ", Mark("single", 3, "image"), *bold("Ganze Überschrift", 1), Mark("single", 4, "break"), "\n",
    )  # fmt: skip


def test_tags_of_one_element_become_a_pair_and_others_stay_single() -> None:
    assert shown_content(("Press <b>Save</b> or <br> leave.",)).text == "Press <g1>Save</g1> or <x2/> leave."
    assert shown_content(("A </b> b <i> c",)).text == "A <x1/> b <x2/> c"
    crossed = ("See <b>a", Mark("open", 1, "link"), "b</b> c", Mark("close", 1), " d")
    made = shown_content(crossed)
    assert nests(made.core)
    assert restored(made.core) == crossed


def test_numbers_of_protected_text_follow_those_of_the_segment() -> None:
    made = shown_content(
        ("Open ", *bold("{file}", 7), " now, ", Mark("single", 2, "image"), "please"), SegmentKind.MESSAGE
    )
    assert made.text == "Open <g7><x8/></g7> now, <x2/>please"
    assert [(part.number, part.shows) for part in made.core if isinstance(part, Mark) and part.look == PROTECTED] == [
        (8, "{file}")
    ]


def test_text_that_looks_like_our_own_tags_stays_text() -> None:
    content = ('In XLIFF <g1> opens, </g1> closes, <x2/> stands alone, <s n="3"> too.', *bold("x", 1), " end")
    made = shown_content(content)
    assert read(made, made.text)[1] is None
    assert made.whole(read(made, made.text)[0]) == content


@pytest.mark.parametrize(
    ("text", "has_words"),
    [
        ("42 %", False),
        ("%s: %d", False),
        ("https://x.org", False),
        ("A", True),
        ("%s file", True),
        ("", False),
        ("家", True),
    ],
)
def test_whether_there_is_anything_to_translate(text: str, has_words: bool) -> None:
    assert shown_content((text,), SegmentKind.MESSAGE).has_words is has_words


def test_same_marks_compares_them_all() -> None:
    assert same_marks(bold("a"), bold("b"))
    assert not same_marks(bold("a"), ("a",))
    assert not same_marks((Mark("close", 1), "a", Mark("open", 1)), bold("a"))
    assert to_text(bold("a")) == "<g1>a</g1>"


MESSAGE, PROSE = SegmentKind.MESSAGE, SegmentKind.PARAGRAPH


def found(text: str, kind: SegmentKind = PROSE) -> list[str]:
    return [text[span.start : span.end] for span in spans(text, kind)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Read `make test` first.", ["`make test`"]),
        ("Use ``a `b` c`` here.", ["``a `b` c``"]),
        ("See https://example.org/a_(b)?c=d#e, and www.example.org.",
         ["https://example.org/a_(b)?c=d#e", "www.example.org"]),
        ("Write to anna.lind+x@mail.example.org.", ["anna.lind+x@mail.example.org"]),
        ("Edit /etc/fstab and ~/.config/app.toml.", ["/etc/fstab", "~/.config/app.toml"]),
        ("Open C:\\Users\\Anna\\a.txt now.", ["C:\\Users\\Anna\\a.txt"]),
        ("The file report-2.final.pdf is new.", ["report-2.final.pdf"]),
        ("Dear {name}, dear {{user.name}}, ${amount} and {0}.", ["{name}", "{{user.name}}", "${amount}", "{0}"]),
        ("Energy $E = mc^2$ and \\(a+b\\) and \\frac{a}{b} and \\alpha x.",
         ["$E = mc^2$", "\\(a+b\\)", "\\frac{a}{b}", "\\alpha"]),
        ("As shown in [12] and [3, 4–6] and [@lind2020].", ["[12]", "[3, 4–6]", "[@lind2020]"]),
        ("Run --no-color=always with main().", ["--no-color=always", "main()"]),
        ("A &amp; B &#8364; C", ["&amp;", "&#8364;"]),
        ("Set max_connections higher.", ["max_connections"]),
        ("Say %s to %(name)s.", ["%s", "%(name)s"]),
        ("End with <|im_end|> or <｜hy_User｜>, not with <| or |>.", ["<|im_end|>", "<｜hy_User｜>"]),
        ("See @:message.hello and $t(key).", ["@:message.hello", "$t(key)"]),
    ],
)  # fmt: skip
def test_in_prose(text: str, wanted: list[str]) -> None:
    assert found(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("%s, %d of %5.2f%%", ["%s", "%d", "%5.2f", "%%"]),
        ("%1$s by %2$s", ["%1$s", "%2$s"]),
        ("%15llu hits, %-*s", ["%15llu", "%-*s"]),
        ("%(count)d files", ["%(count)d"]),
        ("Page %1 of %2 (%L3, %n)", ["%1", "%2", "%L3", "%n"]),
        ("%<PRIu64> bytes", ["%<PRIu64>"]),
        ("One\\nTwo\\tThree", ["\\n", "\\t"]),
        ("<b>Bold</b> and <a href=\"x\">link</a><br/>", ["<b>", "</b>", '<a href="x">', "</a>", "<br/>"]),
        ("<0>Terms</0>", ["<0>", "</0>"]),
        ("It is %Y-%m-%d %H:%M", ["%Y", "%m", "%d", "%H", "%M"]),
        ("Set $HOME or %PATH%", ["$HOME", "%PATH%"]),
        ("{count, plural, one {# file} other {# files}} left",
         ["{count, plural, one {", "} other {", "}}"]),
    ],
)  # fmt: skip
def test_in_texts_of_programs(text: str, wanted: list[str]) -> None:
    assert found(text, MESSAGE) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10, or 5 % of 100 %.",
        "Between 50% and 60% discount, 100 % sure.",
        "He and/or she, 24/7, 1/2.",
        "if a < b and b > c then stop",
        "The ratio is 3:4 (see above).",
        "Der Satz endet hier.Der nächste beginnt.",
        "AT&T and R&D; more",
    ],
)
def test_ordinary_prose_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("text", ["_File", "E_xit", "Pa_ste", "&File", "Save _As…", "Find Ne&xt"])
def test_accelerators_of_menus_stay_text(text: str) -> None:
    assert found(text, MESSAGE) == []


def test_only_what_has_no_number_or_name_must_keep_its_order() -> None:
    assert [span.is_ordered for span in spans("%s %1$s %(a)s {} {b} {0} https://x.org/y", MESSAGE)] == [
        True, False, False, True, False, False, False,
    ]  # fmt: skip


def test_placeholders_are_those_that_a_program_fills_in() -> None:
    assert placeholders("Copy %s to <b>{dir}</b>, see https://x.org, `code` and \\n") == ["%s", "{dir}"]


@given(st.text(), st.sampled_from([MESSAGE, PROSE]))
def test_spans_are_in_order_and_none_is_empty(text: str, kind: SegmentKind) -> None:
    last = 0
    for span in spans(text, kind):
        assert last <= span.start < span.end <= len(text)
        last = span.end


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "`",
        "$",
        "\\(",
        "{",
        "%",
        "[1,",
        "a.",
        "/a",
        "--a",
        "\\x{",
        "<a b=",
        "&",
        "x_",
        "<!--",
        "$$",
        "\\begin{a}",
        "{%",
        "%{",
        "a@",
        "x.",
        "a/b",
        "http://",
        "#{a",
        "@:(",
        "``a",
        "{a,plural,b{",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    assert spans(piece * 20_000, MESSAGE) is not None
    assert spans(piece * 20_000, PROSE) is not None


NOISE = st.lists(
    TEXTS
    | st.sampled_from(["<g1>", "</g1>", "<g2>", "</g2>", "<x1/>", "<x2/>", "<x3/>", "<g1/>", "<x9/>", "</g>", "<", ">",
                       "[x1]", "&lt;g1&gt;", "<x2></x2>", "< / g 1 >", "<G1>", '<g id="2">']),
    max_size=12,
).map("".join)  # fmt: skip


def back(content: Content, answer: str) -> str:
    made = shown_content(content)
    return to_text(put_back(made, marked(made, answer)))


@given(contents(), NOISE)
def test_any_answer_gives_exactly_the_marks_of_the_source_nested(content: Content, answer: str) -> None:
    made = shown_content(content, SegmentKind.MESSAGE)
    found = marked(made, answer)
    result = put_back(made, found)
    assert same_marks(result, made.core)
    assert made.order_is_kept(result)
    assert "".join(plain(result).split()) == "".join(plain(found).split()), "no word is lost or added"
    assert same_marks(made.whole(result), content)


@given(contents(), NOISE, st.sampled_from([SegmentKind.PARAGRAPH, SegmentKind.MESSAGE]))
def test_what_is_delivered_has_the_marks_and_the_placeholders_of_the_source(
    content: Content, answer: str, kind: SegmentKind
) -> None:
    segment = Segment(1, content, kind)
    found = deliver(segment, answer)
    assert nests(found.content)
    assert sorted(mark.key for mark in marks(found.content)) == sorted(mark.key for mark in marks(content))
    made = shown(segment)
    protected = [mark.shows for mark in marks(made.core) if mark.shows]
    text = plain(found.content)
    for one in set(protected):
        assert text.count(one) >= protected.count(one)
    if found.origin in (Origin.KEPT, Origin.SKIPPED):
        assert found.content == content
    assert (found.origin is Origin.KEPT) == any(flag.kind is FlagKind.UNTRANSLATED for flag in found.flags)


@given(contents())
def test_an_answer_without_damage_is_left_as_it_is(content: Content) -> None:
    made = shown_content(content)
    found, damage = read(made, made.text)
    assert damage is None
    assert put_back(made, found) == found


def test_a_pair_goes_around_the_same_words_where_they_are_there_once() -> None:
    content = ("The program ", *bold("Fireside"), " is small.")
    assert back(content, "Klein ist das Programm Fireside.") == "Klein ist das Programm <g1>Fireside</g1>."


def test_a_pair_goes_around_as_many_words_as_far_along() -> None:
    content = ("one two ", *bold("three four"), " five six")
    assert back(content, "eins zwei drei vier fünf sechs") == "eins zwei <g1>drei vier</g1> fünf sechs"


def test_what_came_back_whole_stays_where_it_is() -> None:
    content = ("one ", *bold("two", 1), " three ", *bold("four", 2), " five")
    assert back(content, "<g2>vier</g2> eins zwei drei fünf") == "<g2>vier</g2> <g1>eins</g1> zwei drei fünf"


def test_text_behind_a_mark_gets_the_spaces_that_the_source_has_around_it() -> None:
    made = shown_content(("Copy %s to %d (%s).",), SegmentKind.MESSAGE)
    result = put_back(made, marked(made, "Kopiere nach ()."))
    assert plain(made.whole(result)) == "Kopiere %s nach %d (%s)."


def test_marks_whose_order_matters_take_the_places_of_each_other() -> None:
    made = shown_content(("From %s to %s by {name}",), SegmentKind.MESSAGE)
    result = put_back(made, marked(made, "Von <x3/> nach <x2/> und <x1/>"))
    assert to_text(result) == "Von <x3/> nach <x1/> und <x2/>"


def test_crossed_pairs_are_untangled() -> None:
    content = (*bold("a b", 1), " ", *bold("c d", 2), " e")
    result = back(content, "<g1>eins <g2>zwei</g1> drei</g2> vier")
    made = shown_content(content)
    assert same_marks(marked(made, result), made.core)
    assert "eins" in result


def test_in_a_script_without_spaces_characters_count_as_words() -> None:
    content = ("This is a ", *bold("house"), " of mine.")
    result = back(content, "これは私の家です")
    assert nests(content_of(marked(shown_content(content), result)))
    assert result.startswith("これ")


def test_a_mark_without_words_around_it_goes_to_its_end() -> None:
    content = ("word ", Mark("single", 1, "image"), " word")
    assert back(content, "") == "<x1/>"
