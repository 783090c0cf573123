"""How much a model is given at once, and contents cut into sentences and joined again."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.segments import Content, Mark, content_of, nests, plain
from app.features.models.model_languages import KnownLanguages
from app.features.translate.content_sentences import halves_of, join_parts, parts_of, sentences_of
from app.features.translate.translation_prompts import BatchSizes, answer_tokens, batches_of, sizes_for
from tests.features.translate.contents import contents
from tests.features.translate.pipeline import bold


@dataclass(frozen=True)
class Unit:
    tokens: int
    section: int = 0


def generic(**sizes: int) -> KnownLanguages:
    return KnownLanguages("generic", ("en", "de"), True, True, True, **sizes)


@pytest.mark.parametrize(
    ("weights", "tokens", "segments", "context"),
    [(1.35e8, 150, 1, 0), (4e9, 350, 8, 1), (9e9, 800, 20, 2), (3.1e10, 2000, 40, 2)],
)
def test_sizes_by_class(weights: float, tokens: int, segments: int, context: int) -> None:
    found = sizes_for(generic(), weights, 32_768, 1)
    assert (found.tokens, found.segments, found.context) == (tokens, segments, context)


def test_a_small_window_takes_less_and_the_catalog_says_its_own() -> None:
    assert sizes_for(generic(), 9e9, 2048, 1).tokens == 409
    assert sizes_for(generic(segments=5, input_tokens=600, context_segments=1), 9e9, 32_768, 4) == BatchSizes(
        600, 5, 1, 8192, 4
    )


def test_translators_are_given_one_segment() -> None:
    hy = KnownLanguages("hy-mt2", ("en",), True, True, True, 20, 1000, 2)
    assert (sizes_for(hy, 7e9, 8192, 4).segments, sizes_for(hy, 7e9, 8192, 4).tokens) == (1, 1000)
    gemma = KnownLanguages("translate-gemma", ("en",), False, False, False)
    assert (sizes_for(gemma, 12e9, 8192, 4).segments, sizes_for(gemma, 12e9, 8192, 4).tokens) == (1, 600)


@given(
    st.lists(st.builds(Unit, st.integers(0, 500), st.integers(0, 2)), max_size=60),
    st.integers(1, 20), st.integers(1, 8), st.integers(48, 800),
)  # fmt: skip
def test_all_units_are_in_batches_in_their_order_within_the_sizes(
    units: list[Unit], segments: int, places: int, tokens: int
) -> None:
    found = batches_of(units, BatchSizes(tokens, segments, 1, 1000, places))
    assert [unit for batch in found for unit in batch] == units
    for batch in found:
        assert 1 <= len(batch) <= segments
        assert len(batch) == 1 or sum(unit.tokens for unit in batch) <= tokens
        assert len({unit.section for unit in batch}) == 1


def test_a_short_document_is_spread_over_the_places() -> None:
    units = [Unit(10)] * 8
    assert [len(batch) for batch in batches_of(units, BatchSizes(800, 20, 1, 1000, 8))] == [1] * 8
    assert [len(batch) for batch in batches_of(units, BatchSizes(800, 20, 1, 1000, 1))] == [8]


def test_an_answer_may_be_twice_as_long_and_more_in_some_languages() -> None:
    assert answer_tokens(100, 1, "de") == 264
    assert answer_tokens(100, 1, "th") == 314
    assert answer_tokens(100, 4, "de") == 264 + 64


@given(contents(), st.integers(1, 30))
def test_pieces_are_the_whole_and_each_is_nested(content: Content, most: int) -> None:
    for pieces in (sentences_of(content), halves_of(content), parts_of(content, lambda part: len(plain(part)), most)):
        assert content_of([part for piece in pieces for part in piece]) == content
        assert all(nests(piece) and piece for piece in pieces)


def test_sentences_end_where_they_do_and_a_pair_holds_them_together() -> None:
    content = ("Dr. Ito came. ", *bold("He sat. He ate."), " Then he left! ", Mark("single", 2, "image"), "Why?")
    assert [plain(one) for one in sentences_of(content)] == [
        "Dr. Ito came. ", "He sat. He ate. Then he left! ", "Why?",
    ]  # fmt: skip


def test_halves_are_of_about_one_length() -> None:
    assert [plain(one) for one in halves_of(("One. Two two two two. Three three three three.",))] == [
        "One. Two two two two. ", "Three three three three.",
    ]  # fmt: skip
    assert len(halves_of(("One sentence only",))) == 1


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    parts = parts_of(("one two three four five six",), lambda part: len(plain(part).split()), 2)
    assert [plain(one) for one in parts] == ["one two ", "three four ", "five six"]


def test_sentences_get_or_lose_the_space_between_them_as_the_language_has_it() -> None:
    assert join_parts([("猫。",), ("犬。",)], "en", "ja") == ("猫。犬。",)
    assert join_parts([("猫。 ",), ("犬。",)], "en", "ja") == ("猫。犬。",)
    assert join_parts([("A cat.",), ("A dog.",)], "ja", "en") == ("A cat. A dog.",)
    assert join_parts([("Eine Katze. ",), ("Ein Hund.",)], "en", "de") == ("Eine Katze. Ein Hund.",)
