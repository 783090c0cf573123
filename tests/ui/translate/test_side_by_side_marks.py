"""Marks that a person moved, lost or doubled: told, and put back so that the document can be written."""

from __future__ import annotations

import pytest

from app.documents.segments import Content, Mark, nests, plain
from app.features.translate.marking import same_marks
from app.ui.translate.missing_marks import labels, missing, put_back

BOLD, BOLD_END = Mark("open", 1, "bold"), Mark("close", 1)
ITALIC, ITALIC_END = Mark("open", 2, "italic"), Mark("close", 2)
IMAGE, CODE = Mark("single", 3, "image"), Mark("single", 4, "code", "{box}")
SOURCE: Content = ("a ", BOLD, "b ", ITALIC, "c", ITALIC_END, BOLD_END, " d ", IMAGE, CODE)


@pytest.mark.parametrize(
    "content",
    [
        ("nothing left",),
        ("x ", BOLD, "y"),
        ("x ", BOLD_END, "y", BOLD),
        ("x ", BOLD, ITALIC, "y", BOLD_END, ITALIC_END, IMAGE, CODE),
        ("x", IMAGE, IMAGE, CODE, BOLD, BOLD, BOLD_END, ITALIC, ITALIC_END),
        (ITALIC_END, CODE, "z", Mark("single", 9, "image")),
        (),
    ],
)
def test_all_marks_are_back_once_and_nest_and_every_word_is_kept(content: Content) -> None:
    assert not same_marks(content, SOURCE)
    back = put_back(SOURCE, content)
    assert same_marks(back, SOURCE)
    assert nests(back)
    assert plain(back) == plain(content)


def test_what_is_whole_is_left_as_it_is_even_in_another_order() -> None:
    moved: Content = (IMAGE, "x ", ITALIC, "y", ITALIC_END, " ", BOLD, "z", BOLD_END, CODE)
    assert same_marks(moved, SOURCE)
    assert put_back(SOURCE, moved) == moved


def test_what_is_missing_is_named_in_the_sources_order() -> None:
    assert missing(SOURCE, ("a ", BOLD, ITALIC, "x", ITALIC_END)) == (BOLD_END, IMAGE, CODE)


def test_chips_say_what_they_are_and_numbers_tell_those_apart_that_look_alike() -> None:
    found = labels(SOURCE)
    assert (found[BOLD.key], found[BOLD_END.key]) == ("‹B", "B›")
    assert (found[IMAGE.key], found[CODE.key]) == ("image", "{box}")
    twice: Content = (Mark("open", 1, "link"), Mark("close", 1), Mark("open", 2, "link"), Mark("close", 2))
    assert list(labels(twice).values()) == ["‹link1", "link1›", "‹link2", "link2›"]
