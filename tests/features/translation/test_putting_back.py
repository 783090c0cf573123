"""Marks that a model damaged: whatever it did, the result has exactly those of the source, nested, and all words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.documents.segments import Content, Mark, Segment, SegmentKind, content_of, marks, nests, plain
from app.features.translation.delivering import marked, put_back
from app.features.translation.marking import same_marks, shown, shown_content, to_text
from app.features.translation.result import FlagKind, Origin
from tests.features.translation.contents import TEXTS, contents
from tests.features.translation.pipeline import bold, read
from tests.helpers.translations import deliver

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
