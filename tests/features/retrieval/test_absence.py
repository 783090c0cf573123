"""Whether a passage seems to answer: by the words of a question, its names and numbers, and what it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.retrieval.absence import (
    AnswerSigns,
    absence_of,
    has_answer,
    names_of,
    rests_on_nothing,
    signs_of,
    telling_words,
)
from app.language.static_embeddings import load_table
from app.store.document_store import DocumentStore
from tests.features.retrieval.test_passages import HOUSE_RULES, kept

KILNS = [
    "The kiln cools for two days, and that is what they are told by the people of the town.",
    "Never open a kiln that is hot: the pots that were in it would crack, and so would the walls.",
    "The guild was founded in 1834 by Anna Berg, and she was the first of its masters for 20 years.",
    *[
        f"The workshop number {number} is on the street that leads to the river and to the mill."
        for number in range(20)
    ],
]


@pytest.mark.parametrize(
    ("question", "is_answered"),
    [
        ("How long does the kiln cool?", True),
        ("When was the guild founded by Anna Berg?", True),
        ("Which elephant eats bananas in Africa?", False),
        ("When was the guild founded by Peter Stone?", False),
        ("Who was master of the guild in 1999?", False),
        ("The elephant?", None),
        ("What is this document about?", None),
        ("Wie heißt der Elefant in dieser Geschichte und wo lebt er?", None),
        ("大象叫什么名字？", None),
    ],
)
def test_an_answer_is_missed_only_where_its_absence_can_be_told(
    store: DocumentStore, question: str, is_answered: bool | None
) -> None:
    assert has_answer(store, kept(store, KILNS), question) is is_answered


def test_in_a_very_short_document_nothing_is_told(store: DocumentStore) -> None:
    assert has_answer(store, kept(store, KILNS[:4]), "Which elephant eats bananas in Africa?") is None


def test_without_a_word_in_common_meaning_tells_how_far_a_question_is(store: DocumentStore) -> None:
    if load_table() is None:
        pytest.skip("set-up could not fetch the encoder, so there is no table")
    document = kept(store, HOUSE_RULES)
    near = signs_of(store, document, "Am I permitted to keep pets?")
    far = signs_of(store, document, "How do astronauts navigate spacecraft?")
    assert near is not None
    assert far is not None
    assert (near.missing, far.missing) == (1, 1)
    assert absence_of(near) < 0.8
    assert absence_of(far) > 0.95


def test_signs_count_rare_words_more_and_know_endings_and_compounds(store: DocumentStore) -> None:
    texts = [f"Die Werkstatt {number} ist an der Straße zum Fluss und wird nicht geheizt." for number in range(20)]
    document = kept(store, ["Der Brennofenraum bleibt lange zu.", *["So ist es und nicht anders."] * 5, *texts])
    known = signs_of(store, document, "Wann wird der Brennofen in der Werkstatt geheizt?")
    assert known is not None
    assert (known.missing, known.lacks_name) == (0, False)
    assert 0.5 < known.together < 1, "two of three words are in one place, the rare one elsewhere"
    partly = signs_of(store, document, "Wann wird die Töpferscheibe in der Werkstatt 77 geölt?")
    assert partly is not None
    assert partly.missing > 0.9
    assert partly.lacks_name


@pytest.mark.parametrize(
    ("question", "lacks_name"),
    [
        ("When was version 3.0 of the kiln's manual printed?", False),
        ("When was version 4.2 of the kiln's manual printed?", True),
        ("Does the kiln's manual print under Windows 11?", True),
        ("Does the kiln's manual print under Windows 95?", False),
        ("What is said in chapter 4.2 of the kiln's manual?", False),
        ("Does the kiln's manual need Solaris 11?", True),
        ("Does the kiln's manual need Plan 11?", False),
    ],
)
def test_a_number_has_to_follow_its_name_where_others_do(store: DocumentStore, question: str, lacks_name: bool) -> None:
    manual = [
        "Version 3.0 of the kiln's manual was printed in the year after the fire; see chapter 3.",
        "It needs Windows 95 or Windows 98 to print, and a plan.",
        "4.2 Cleaning. Wait 11 days before you open the kiln.",
    ]
    signs = signs_of(store, kept(store, [*manual, *KILNS]), question)
    assert signs is not None
    assert signs.lacks_name is lacks_name


def test_a_table_of_contents_says_nothing(store: DocumentStore) -> None:
    entries = [f"{title} . . . . . . . . . 12" for title in ("Elephants and bananas", "Africa")]
    signs = signs_of(store, kept(store, [*entries, *KILNS]), "Which elephant eats bananas in Africa?")
    assert signs is not None
    assert signs.missing == 1


def test_numbers_are_one_word_and_small_words_none() -> None:
    assert telling_words("What changed in version 4.2 of the standard?") == ["changed", "version", "4.2", "standard"]
    assert telling_words("¿Qué es esto y cómo se hace?") == ["esto", "hace"]


def test_names_are_capitals_and_numbers_but_no_nouns_and_no_beginning() -> None:
    assert names_of("Who was Anna in 2019?") == ["anna", "2019"]
    assert names_of("May I come? Sorry to ask.") == []
    assert names_of("Wer war 2012 der Leiter?") == ["2012"]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1) | st.none(), st.booleans())
def test_more_in_common_never_makes_an_absence_surer(
    missing: float, together: float, closeness: float | None, lacks_name: bool
) -> None:
    surely = absence_of(AnswerSigns(missing, together, closeness, lacks_name))
    assert 0 < surely < 1
    assert absence_of(AnswerSigns(missing / 2, together, closeness, lacks_name)) <= surely
    assert absence_of(AnswerSigns(missing, (together + 1) / 2, closeness, lacks_name)) <= surely
    assert absence_of(AnswerSigns(missing, together, closeness, False)) <= surely


@pytest.mark.parametrize(
    ("answer", "is_nothing", "is_nothing_in_doubt"),
    [
        ("It takes two days, as the people of the town are told.", False, False),
        ("A mammoth called Bruno warmed it with purple lanterns.", True, True),
        ("The workshop is on the street near the river and the bakery.", False, True),
        ("The document does not say how long the kiln cools.", False, False),
        ("Two days.", False, False),
    ],
)
def test_an_answer_rests_on_what_it_adds_to_the_question(
    store: DocumentStore, answer: str, is_nothing: bool, is_nothing_in_doubt: bool
) -> None:
    ids = [kept(store, KILNS)]
    for is_doubted, expected in ((False, is_nothing), (True, is_nothing_in_doubt)):
        judged = rests_on_nothing(store, ids, "How long does the kiln cool?", answer, [], is_doubted=is_doubted)
        assert judged is expected


@pytest.mark.parametrize(
    "question", ["What is 17 times 23 plus 4?", "Write a poem about the sea, please", "Thank you!"]
)
def test_sums_orders_and_thanks_are_not_about_the_document(store: DocumentStore, question: str) -> None:
    document = kept(store, KILNS)
    assert has_answer(store, document, question) is None
    answer = "It is the foam on purple waves that sings until the lantern fades."
    assert not rests_on_nothing(store, [document], question, answer, [])
