"""Hidden characters are taken out, everything else stays, and boxes go on naming the same letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, LineBox
from app.documents.clean import (
    MOST_CHARACTERS,
    MOST_CONTEXT_CHARACTERS,
    MOST_HEADING_CHARACTERS,
    clean_piece,
    clean_segment,
    clean_text,
    fit_for_the_wire,
    fit_translation,
    length_of,
)
from app.documents.segments import Content, Mark, Segment

HIDDEN = [0x200B, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xE0000, 0xE0080)]
HIDDEN += [*range(0xFFF9, 0xFFFC), *range(0x09), *range(0x0E, 0x1C), 0x7F]


def test_hidden_characters_are_taken_out_and_counted() -> None:
    for code in HIDDEN:
        piece, count = clean_piece(BlockPiece(BlockKind.PARAGRAPH, f"in{chr(code)}side", label=f"1{chr(code)}."))
        assert (piece.text, piece.label, count) == ("inside", "1.", 1), hex(code)


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",
        "क्\u200dष",
        "👩\u200d👩\u200d👧",
        "שלום\u200f!",
        "a\tb\nc",
        "soft\u00adhyphen",
        "no\u00a0break",
        "𝔘𝔫𝔦",
        "line\u2028separator",
    ],
)
def test_what_scripts_and_emoji_need_stays(text: str) -> None:
    piece = BlockPiece(BlockKind.PARAGRAPH, text)
    assert clean_piece(piece) == (piece, 0)
    assert clean_piece(piece)[0] is piece


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\r", "\x1c", "\x1f"])
def test_a_control_that_separates_words_becomes_a_space(separator: str) -> None:
    assert clean_text(f"one{separator}two") == "one two"


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    assert clean_text("a\ud83db\udc00") == "a\ufffdb\ufffd"


def test_boxes_name_the_same_letters_afterwards() -> None:
    text = "\u200bfirst \u2060line\nse\u200b\u200bcond"
    boxes = (LineBox(1, 0, 0, 9, 9, 0, 13), LineBox(1, 0, 10, 9, 19, 13, len(text)))
    piece, count = clean_piece(BlockPiece(BlockKind.PARAGRAPH, text, place=BlockPlace(boxes=boxes)))
    assert count == 4
    assert [piece.text[box.start : box.end] for box in piece.place.boxes] == ["first line\n", "second"]
    assert [box[:5] for box in piece.place.boxes] == [box[:5] for box in boxes]


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from([chr(code) for code in HIDDEN])), max_size=200))
def test_cleaning_is_done_once_and_for_all_and_leaves_words_alone(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    clean.encode("utf-8")
    kept = [letter for letter in text if letter.isalnum()]
    assert [letter for letter in clean if letter.isalnum()] == kept


def test_a_long_heading_is_a_paragraph() -> None:
    short, long = "h" * MOST_HEADING_CHARACTERS, "h" * (MOST_HEADING_CHARACTERS + 1)
    kinds = [next(fit_for_the_wire(BlockPiece(BlockKind.HEADING, text, level=1))).kind for text in (short, long)]
    assert kinds == [BlockKind.HEADING, BlockKind.PARAGRAPH]


@pytest.mark.parametrize(("level", "expected"), [(-3, 1), (0, 1), (1, 1), (9, 9), (10**9, 9)])
def test_a_headings_level_is_1_to_9(level: int, expected: int) -> None:
    assert next(fit_for_the_wire(BlockPiece(BlockKind.HEADING, "title", level=level))).level == expected


@pytest.mark.parametrize("between", ["\n", " ", "x"])
def test_a_piece_that_is_too_long_is_cut_and_loses_nothing(between: str) -> None:
    text = between.join("wörter" for _ in range(MOST_CHARACTERS // 2))
    place = BlockPlace("part", 10, 10 + len(text))
    parts = list(fit_for_the_wire(BlockPiece(BlockKind.CODE, text, page=3, place=place, label="python")))
    assert len(parts) > 2
    assert "".join(part.text for part in parts) == text
    assert all(len(part.text) <= MOST_CHARACTERS for part in parts)
    assert all(text[part.place.start - 10 : part.place.end - 10] == part.text for part in parts)
    assert {(part.kind, part.page, part.label, part.place.part) for part in parts} == {
        (BlockKind.CODE, 3, "python", "part")
    }
    if between != "x":
        assert all(part.text.endswith(between) for part in parts[:-1])


def test_the_boxes_of_a_piece_that_is_cut_go_with_their_lines() -> None:
    lines = ["x" * 99 + "\n"] * (MOST_CHARACTERS // 50)
    boxes = tuple(LineBox(1, 0, n, 9, n + 1, n * 100, n * 100 + 99) for n in range(len(lines)))
    parts = list(fit_for_the_wire(BlockPiece(BlockKind.PARAGRAPH, "".join(lines), place=BlockPlace(boxes=boxes))))
    assert sum(len(part.place.boxes) for part in parts) == len(lines)
    assert {part.text[box.start : box.end] for part in parts for box in part.place.boxes} == {"x" * 99}


# Segments as they go over the wire, and translations fitted to them.


BOLD, END, CODE = Mark("open", 1, "bold"), Mark("close", 1), Mark("single", 2, "code", "x = 1")
SOURCE: Content = ("Some ", BOLD, "words", END, CODE)


def test_hidden_characters_are_taken_out_wherever_they_are() -> None:
    segment = Segment(
        1, ("a\u200b", Mark("single", 1, "code", "x\u202e"), "\u200b"), context="c\u2060", translated=("t\0",)
    )
    assert clean_segment(segment) == Segment(1, ("a", Mark("single", 1, "code", "x")), context="c", translated=("t",))


def test_a_long_context_is_cut() -> None:
    assert len(clean_segment(Segment(1, ("a",), context="x" * 9999)).context) == MOST_CONTEXT_CHARACTERS


def test_what_a_mark_shows_counts_for_the_length() -> None:
    assert length_of(Segment(1, SOURCE)) == 10 + 3 + 5


def test_a_translation_gets_the_sources_own_marks() -> None:
    translated = (Mark("single", 2), "Einige ", Mark("open", 1, "odd"), "Wörter", Mark("close", 1))
    assert fit_translation(translated, SOURCE) == (CODE, "Einige ", BOLD, "Wörter", END)


@pytest.mark.parametrize(
    "translation",
    [(), ("words",), (BOLD, END), (END, BOLD, CODE), (BOLD, END, CODE, CODE), (BOLD, END, CODE, Mark("single", 3)),
     (BOLD, END, Mark("open", 2)), (BOLD, END, Mark("close", 2))],
)  # fmt: skip
def test_other_marks_do_not_fit(translation: Content) -> None:
    assert fit_translation(translation, SOURCE) is None


def test_characters_that_no_text_has_are_taken_out() -> None:
    assert fit_translation(("a\0\x1b\ufffeb\ud800\tc\n", BOLD, END, CODE), SOURCE) == ("ab\ufffd\tc\n", BOLD, END, CODE)
