"""Texts are cut into the tokens of an encoder's vocabulary."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from app.language.subwords import BEGINS_WORD, UnigramTokenizer

PIECES = {
    f"{BEGINS_WORD}druck": -6.0,
    "er": -4.0,
    f"{BEGINS_WORD}dr": -7.0,
    "ucker": -7.5,
    f"{BEGINS_WORD}": -5.0,
    "\u5b66": -6.0,
    "\u5b66\u6821": -7.0,
    "\u6821": -6.5,
    "a": -3.0,
}


def unigram_pieces(text: str) -> list[str]:
    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    return [list(PIECES)[token] for token in UnigramTokenizer(vocabulary, list(PIECES.values()))(text)]


def test_the_likeliest_pieces_are_taken_in_any_case_and_unknown_letters_left_out() -> None:
    assert unigram_pieces("Drucker DRUCK") == [f"{BEGINS_WORD}druck", "er", f"{BEGINS_WORD}druck"]
    assert unigram_pieces("\u5b66\u6821") == [BEGINS_WORD, "\u5b66\u6821"]
    assert unigram_pieces("zaz") == [BEGINS_WORD, "a"]


@given(st.text("druckea\u5b66\u6821", min_size=1, max_size=7))
def test_no_other_way_to_cut_a_word_is_likelier(word: str) -> None:
    def likeliest(rest: str) -> float:
        if not rest:
            return 0.0
        ways = [PIECES[rest[:end]] + likeliest(rest[end:]) for end in range(1, len(rest) + 1) if rest[:end] in PIECES]
        unknown = min(PIECES.values()) - 10 + likeliest(rest[1:])
        return max([*ways, *([] if rest[0] in PIECES else [unknown])])

    pieces = unigram_pieces(word)
    unknown = len(BEGINS_WORD + word) - sum(map(len, pieces))
    score = sum(PIECES[piece] for piece in pieces) + unknown * (min(PIECES.values()) - 10)
    assert math.isclose(score, likeliest(BEGINS_WORD + word))
