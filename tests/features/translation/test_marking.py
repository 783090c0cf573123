"""Segments as a model sees them, and back: nothing is lost on the way, whatever stands in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.segments import Content, Mark, Segment, SegmentKind, content_of, nests
from app.features.translation.marking import PROTECTED, restored, same_marks, shown, shown_content, to_text, trimmed
from tests.features.translation.contents import contents
from tests.features.translation.pipeline import bold, read

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
