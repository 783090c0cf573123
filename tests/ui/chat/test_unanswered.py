"""What is said where no passage seems to answer a question, and where an answer rests on nothing of its documents."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from app.features.chat.attached_documents import NO_ANSWER
from app.features.chat.passage_judge import LEAST_WEIGHTS
from app.features.retrieval.meaning import PassageIndexes
from app.features.retrieval.passage_embedder import PassageEmbedder
from app.store.document_store import DocumentStore
from app.store.vectors import VectorStore
from app.ui.chat.answer_view import MAY_COME_FROM, NOT_FOUND_IN_DOCUMENT
from app.ui.chat.branch_documents import SourceRow
from app.ui.chat.question import NO_PASSAGE_ANSWERS, READ_ALL_QUESTION, SHOWN_TO_MODEL, QuestionView
from tests.helpers.attached import notes
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.models_on_disk import write_model
from tests.helpers.texts import start_of
from tests.ui.chat.conftest import Open

LARGE, SMALL = 4_000_000_000, 100_000_000
FILLER = "This paragraph is about nothing in particular. It says so at length and is number {number} of many."
KILN = "The old kiln by the river cools for two days before anybody opens it."
ASKED, UNASKED = "How long does the kiln cool?", "Which dog won the race in Lisbon?"
RULES: tuple[dict[str, Any], ...] = (
    {"when": r"\[150\] The old kiln", "text": "[150] The old kiln by the river cools for two days\n"},
    {"when": "What this part has of", "text": "None"},
)


def book(folder: Path, name: str = "book.txt", at: int = 149) -> Path:
    texts = [FILLER.format(number=number) for number in range(240)]
    texts[at] = KILN
    return notes(folder / name, *texts)


def opened(open_chat: Open, *rules: dict[str, Any], size: int = LARGE) -> ChatDesk:
    answer = {"text": "A greyhound called Comet won it by a whole length."}
    return open_chat(*rules, *RULES, answer, load={"context_tokens": 4000, "size_bytes": size})


def said_of(question: QuestionView) -> str:
    """What is said of a question that no passage seems to answer."""
    line = question.findChild(QLabel, "no_answer_words")
    return line.text() if line is not None and line.isVisible() else ""


def button_of(question: QuestionView) -> QPushButton | None:
    return question.findChild(QPushButton, "read_all")


def test_a_question_that_no_passage_answers_is_told_to_the_person_and_the_model(
    open_chat: Open, tmp_path: Path
) -> None:
    desk = opened(open_chat, {"when": "cool\\?$", "text": "It cools for two days."})
    desk.attach(book(tmp_path))
    desk.ask(ASKED)
    assert said_of(desk.question()) == ""
    words = NO_ANSWER.format("book.txt")
    assert words not in desk.prompts()[-1][-1][1]
    desk.ask(UNASKED)
    question = desk.question(2)
    assert said_of(question) == NO_PASSAGE_ANSWERS
    (row,) = desk.rows_of(question)
    assert desk.said_in(row).startswith(start_of(SHOWN_TO_MODEL))
    asked = desk.prompts()[-1]
    assert words in asked[-1][1]
    assert asked[-1][1].endswith(f"{UNASKED}\n\n{words}")
    assert words not in asked[0][1], "the first question is shown as it was"
    conversation_id = desk.chat.conversation_id
    desk.chat.show_conversation(None)
    desk.chat.show_conversation(conversation_id)
    desk.wait(lambda: len(desk.turns) == 4)
    assert said_of(desk.question(2)) == NO_PASSAGE_ANSWERS, "it is kept with the question"
    assert said_of(desk.question()) == ""


def test_the_line_follows_what_the_model_says_itself(open_chat: Open, tmp_path: Path) -> None:
    judge = {"when": r"yes or no\?", "text": "No", "unlikely": {"No": 0.9}}
    desk = open_chat(judge, load={"context_tokens": 4000, "size_bytes": LARGE, "weights": LEAST_WEIGHTS})
    desk.attach(book(tmp_path))
    desk.ask("Who may open a furnace after two days?")
    assert said_of(desk.question()) == NO_PASSAGE_ANSWERS, "the signs alone were hardly sure of the opposite"
    judged, answered = desk.prompts()
    assert NO_ANSWER.format("book.txt") not in judged[-1][1]
    assert NO_ANSWER.format("book.txt") in answered[-1][1]


RANKING: tuple[tuple[type, str], ...] = (
    (DocumentStore, "rank_blocks"),
    (DocumentStore, "every_block"),
    (VectorStore, "is_finished"),
    (VectorStore, "read_batches"),
    (PassageIndexes, "rank"),
    (PassageIndexes, "closeness"),
    (PassageEmbedder, "rank"),
)
"""What passages, places and verdicts are found by."""


def test_nothing_is_looked_up_by_the_windows_thread_and_a_line_of_places_is_one_look(
    open_chat: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, set[threading.Thread]] = {}

    def note_thread(owner: type, name: str) -> None:
        function = getattr(owner, name)

        def noted(*values: Any, **keys: Any) -> Any:
            threads.setdefault(name, set()).add(threading.current_thread())
            return function(*values, **keys)

        monkeypatch.setattr(owner, name, noted)

    for owner, name in RANKING:
        note_thread(owner, name)
    desk = opened(
        open_chat,
        {"when": "cool\\?$", "text": f"{KILN} {FILLER.format(number=7)}"},
    )
    model = desk.app.paths.models / "vectors.gguf"
    write_model(model, **{"llama.pooling_type": 1})
    desk.app.change_settings("models", passages_path=str(model))
    desk.attach(book(tmp_path))
    desk.ask(ASKED)
    desk.ask(UNASKED)
    chat = desk.chat.conversation_id
    desk.chat.show_conversation(None)
    looks: list[list[int]] = []
    some_blocks = DocumentStore.some_blocks
    monkeypatch.setattr(
        DocumentStore,
        "some_blocks",
        lambda store, number, wanted: looks.append(list(wanted)) or some_blocks(store, number, wanted),
    )
    desk.chat.show_conversation(chat)
    desk.wait(lambda: len(desk.turns) == 4)
    rows = [row for turn in desk.turns for row in turn.findChildren(SourceRow) if row.isVisible()]
    chips = [len(desk.places_in(row)) for row in rows]
    assert sum(chips) > len(rows) > 2
    assert len(looks) <= len(rows)
    assert {"rank_blocks", "every_block", "is_finished"} <= threads.keys()
    assert threading.main_thread() not in set().union(*threads.values())


def test_all_of_it_is_read_for_such_a_question(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat)
    desk.attach(book(tmp_path))
    desk.ask("Wherever did anybody fire clay pots?")
    button = button_of(desk.question())
    assert button is not None
    assert button.text() == READ_ALL_QUESTION
    heard = desk.heard(desk.root.answer_finished)
    desk.click(button)
    desk.wait(lambda: heard)
    assert "The old kiln by the river cools for two days [¶ 150]" in desk.last_text
    assert len(desk.last_message.versions) == 2, "the other answer is a version of it"


def mark_of(desk: ChatDesk) -> str:
    """What is said below the last answer of where it may come from."""
    row = desk.last.evidence.sources
    return desk.said_in(row) if row.isVisible() else ""


def test_an_answer_that_rests_on_nothing_bears_a_mark_and_one_that_admits_it_does_not(
    open_chat: Open, tmp_path: Path
) -> None:
    desk = opened(
        open_chat,
        {"when": "the kiln cool\\?$", "text": "The old kiln by the river cools for two days before anybody opens it."},
        {"when": "stay warm\\?$", "text": "It takes a couple of days, and nobody opens it before the river is high."},
        {"when": "race in Rome\\?", "text": "The document does not mention any race, so I could not find it there."},
        {"when": "^(?s:.*)Thank you", "text": "You are welcome! Feel free to ask me any further questions about it."},
    )
    desk.attach(book(tmp_path))
    desk.ask(ASKED)
    assert mark_of(desk).startswith(MAY_COME_FROM)
    desk.ask("How long does the old kiln stay warm?")
    assert mark_of(desk) == "", "in other words, and yet it stands there"
    desk.ask("Which dog won the race in Rome?")
    assert mark_of(desk) == "", "it says so itself"
    desk.ask("Thank you, that was what I wanted to know!")
    assert mark_of(desk) == ""
    desk.ask(UNASKED)
    assert mark_of(desk) == NOT_FOUND_IN_DOCUMENT
    row = desk.last.evidence.sources
    assert row.accessibleName() == NOT_FOUND_IN_DOCUMENT
    assert row.accessibleDescription()
