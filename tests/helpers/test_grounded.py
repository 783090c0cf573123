"""The questions about real documents are enough, of every sort, and found again in their documents."""

from __future__ import annotations

from tests.helpers.grounded import DEVELOPMENT, HELD_OUT, count_shared_words, find_passage, load_question_sets


def test_both_splits_have_questions_of_every_sort_in_three_languages() -> None:
    for split in (DEVELOPMENT, HELD_OUT):
        sets = load_question_sets(split)
        assert {question_set.language for question_set in sets} == {"en", "de", "es"}
        assert sum(len(question_set.answerable) for question_set in sets) >= 60
    unanswerable = [question for question_set in load_question_sets() for question in question_set.unanswerable]
    assert len(unanswerable) >= 40
    assert 0.25 <= sum(question.is_off_topic for question in unanswerable) / len(unanswerable) <= 0.4


def test_no_question_stands_in_two_sets() -> None:
    texts = [question.text for question_set in load_question_sets() for question in question_set.answerable]
    assert len(texts) == len(set(texts))


def test_a_passage_is_found_however_its_lines_are_broken() -> None:
    blocks = [{"id": 4, "text": "It cools for\n  two days."}, {"id": 5, "text": "Never open it."}]
    assert find_passage(blocks, "cools for two days") == {4}


def test_shared_words_are_counted_without_endings_and_small_words() -> None:
    assert count_shared_words("How long does the kiln cool, please?", ["The kiln cools for two days."]) == 2
    assert count_shared_words("When may I open the oven?", ["The kiln cools for two days."]) == 0
