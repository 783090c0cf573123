"""Contents cut into sentences and joined again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.documents.segments import Content, Mark, content_of, nests, plain
from app.features.translation.batches import halves_of, joined, parts_of, sentences_of
from tests.features.translation.contents import contents
from tests.features.translation.pipeline import bold


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
    assert joined([("猫。",), ("犬。",)], "en", "ja") == ("猫。犬。",)
    assert joined([("猫。 ",), ("犬。",)], "en", "ja") == ("猫。犬。",)
    assert joined([("A cat.",), ("A dog.",)], "ja", "en") == ("A cat. A dog.",)
    assert joined([("Eine Katze. ",), ("Ein Hund.",)], "en", "de") == ("Eine Katze. Ein Hund.",)
