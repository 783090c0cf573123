"""Lists, clauses and sentences are joined as the language in use does, without a window, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.catalogue import TextCatalogue, use_catalogue, use_english
from app.core.joined_texts import (
    comma_of,
    end_sentence,
    join_clauses,
    join_entries,
    join_whole_sentences,
    join_with_last,
)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    use_catalogue(TextCatalogue())


@pytest.mark.parametrize(
    ("language", "joined"),
    [
        ("en", ("1, 2", "a; b", "A. B.")),
        ("de", ("1, 2", "a; b", "A. B.")),
        ("ar", ("1، 2", "a؛ b", "A. B.")),
        ("ja", ("1、2", "a；b", "A。B。")),
        ("zh", ("1、2", "a；b", "A。B。")),
    ],
)
def test_each_language_has_its_own_marks(language: str, joined: tuple[str, str, str]) -> None:
    use_catalogue(TextCatalogue(language))
    sentences = join_whole_sentences(map(end_sentence, ("A", "B")))
    assert (join_entries(("1", "2")), join_clauses(("a", "b")), sentences) == joined
    assert comma_of(language) in join_entries(("1", "2"))
    with use_english():
        assert join_entries(("1", "2")) == "1, 2"


def test_the_last_entry_of_a_sentence_is_joined_by_and() -> None:
    assert [join_with_last(entries) for entries in ([], ["1"], ["1", "2"], ["1", "2", "3"])] == [
        "",
        "1",
        "1 and 2",
        "1, 2 and 3",
    ]
    use_catalogue(TextCatalogue("ja", {"{first} and {last}": ("{first}と{last}",)}))
    assert join_with_last(["1", "2", "3"]) == "1、2と3"
