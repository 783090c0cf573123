"""Questions about whole documents: offered above the message field, read whole, shown with their places."""

from __future__ import annotations

import gc
import re
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.features.chat import session_messages as m
from app.features.retrieval.question_scope import QuestionScope, WantedScope
from app.features.survey.wanted import QueryOffer, SurveyCoverage, SurveyProgress
from app.store.message_rows import MessageState
from app.ui.chat.survey import (
    ABOUT_ALL_DOCUMENTS,
    ANSWERED_WITHOUT_MODEL,
    JOINING_FINDINGS,
    KEEP_ANSWER,
    READ_ALL_TOKENS,
    READ_PARTLY,
    READ_WHOLE,
    READ_WHOLE_TEXT,
    READING_SECTION,
    SENTENCES_CAN_BE_CHOSEN,
    WAITING_FOR_OTHER_ANSWER,
    made_words,
    offer_words,
    progress_words,
)
from app.ui.shared_labels import CONTINUE, MINUTES_AND_SECONDS
from tests.helpers.attached import notes
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.pdf_files import Page, column, write_pdf
from tests.helpers.texts import shows, start_of
from tests.ui.chat.conftest import Open

LARGE, SMALL = 4_000_000_000, 100_000_000
PEOPLE = "Which people are named?"
FILLER = "This paragraph is about nothing in particular, and says so at length, again and again. "
RULES: tuple[dict[str, Any], ...] = (
    {"when": r"\[3\] Ada", "text": "[3] Ada Brandt\n"},
    {"when": r"\[150\] Ben", "text": "[150] Ben Osei\n"},
    {"when": "What this part has of", "text": "None"},
)


def opened(open_chat: Open, *rules: dict[str, Any], size: int = LARGE, **load: Any) -> ChatDesk:
    return open_chat(*rules, *RULES, {"text": "From the passages."},
                     load={"context_tokens": 4000, "size_bytes": size} | load)  # fmt: skip


def book(folder: Path) -> Path:
    texts = [FILLER] * 240
    texts[2], texts[149] = (
        "Ada Brandt came on 3 May 2024.",
        "Ben Osei came on 4 May 2024, and Ada Brandt on 5 May 2024.",
    )
    return notes(folder / "book.txt", *texts)


def paged_book(folder: Path) -> Path:
    pages = []
    for number in range(1, 41):
        page = Page()
        page.text(72, 80, f"On {number % 28 + 1} May {1980 + number} the kiln of page {number} was opened.", 11)
        column(page, 72, 120, [FILLER[:80]] * 30, size=9, pitch=12)
        pages.append(page)
    return write_pdf(folder / "kilns.pdf", pages)


def test_a_question_about_all_of_it_can_be_read_whole(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat)
    desk.attach(book(tmp_path))
    desk.type(PEOPLE)
    said = desk.wait_for_offer(is_estimated=True)
    assert re.fullmatch(
        r"This question is about the whole document\. Reading all [\d,]+ tokens takes less than a minute\.",
        said,
    )
    desk.take_offer()
    assert desk.offered == ""
    assert desk.message == ""
    assert desk.texts[0] == PEOPLE
    assert desk.last_text.startswith("**2 found**\n\n- Ada Brandt [¶ 3]\n- Ben Osei [¶ 150]\n\n")
    assert desk.last_message.state is MessageState.COMPLETE
    assert desk.last.note().startswith(start_of(READ_WHOLE))
    assert not desk.last.evidence.sources.isVisible(), "each line names its own"


def test_enter_sends_as_ever_and_the_other_button_does_the_same(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat)
    desk.attach(book(tmp_path))
    desk.type(PEOPLE)
    desk.wait_for_offer()
    desk.answer_to_enter()
    assert desk.last_text == "From the passages."
    desk.type("List all people")
    desk.wait_for_offer()
    heard = desk.heard(desk.root.answer_finished)
    desk.click(desk.survey_offer.passages)
    desk.wait(lambda: heard and not desk.offering.is_looking)
    assert desk.last_text == "From the passages."
    assert desk.offered == "", "that was chosen"


def test_who_presses_enter_at_once_is_offered_it_for_what_was_sent(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat)
    desk.attach(book(tmp_path))
    desk.ask(PEOPLE)
    assert desk.last_text == "From the passages."
    assert "takes" in desk.wait_for_offer(is_estimated=True)
    assert desk.survey_offer.passages.text() == KEEP_ANSWER
    desk.take_offer()
    assert desk.last_text.startswith("**2 found**")
    assert len(desk.last_message.versions) == 2, "the other answer is a version of it"
    assert desk.offered == ""


def test_an_answer_on_its_way_gives_place_to_the_whole_one(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat, {"when": r"people are named\?$", "text": "word " * 400, "delay_s": 0.05})
    desk.attach(book(tmp_path))
    desk.type(PEOPLE)
    desk.press(Qt.Key.Key_Return)
    desk.wait_for_offer()
    desk.wait(lambda: desk.last_text)
    heard = desk.heard(desk.root.answer_finished)
    desk.click(desk.survey_offer.whole)
    desk.wait(lambda: len(heard) == 2)
    assert desk.last_text.startswith("**2 found**")
    stopped = desk.conversations.get_message(desk.last_message.versions[0])
    assert stopped is not None
    assert stopped.state is MessageState.STOPPED


def test_an_answer_that_is_kept_and_a_new_message_end_the_offer(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat)
    desk.attach(book(tmp_path))
    desk.ask(PEOPLE)
    desk.wait_for_offer()
    desk.click(desk.survey_offer.passages)
    desk.wait(lambda: not desk.offering.is_looking)
    assert desk.offered == ""
    desk.ask("Which companies are named?")
    desk.wait_for_offer()
    desk.type("And ")
    desk.wait(lambda: not desk.offering.is_looking)
    assert desk.offered == ""
    desk.put_message("")
    desk.ask("Which places are named?")
    desk.wait_for_offer()
    desk.root.show_conversation(None)
    assert desk.offered == ""


def test_other_questions_and_other_chats_are_offered_nothing(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat)
    desk.type(PEOPLE)
    desk.attach(book(tmp_path))
    desk.wait_for_offer()
    desk.put_message("How long does the kiln cool?")
    desk.wait(lambda: desk.offered == "")
    desk.put_message(PEOPLE)
    desk.wait_for_offer()
    desk.put_message("")
    assert desk.offered == "", "at once: there is nothing to send"
    desk.attaching.remove(desk.attached[0])
    desk.attach(notes(tmp_path / "note.txt", "Ada Brandt came."))
    desk.type(PEOPLE)
    desk.wait(lambda: not desk.offering.is_looking)
    assert desk.offered == "", "all of it is shown with the question"


def test_a_very_small_model_is_offered_what_the_program_finds(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat, size=SMALL)
    desk.attach(paged_book(tmp_path))
    desk.type("List all dates")
    assert desk.wait_for_offer() == (
        "This question is about the whole document. Fireside can search the whole document without the model."
    )
    desk.take_offer()
    assert desk.last_text.startswith("**40 dates**\n\n- **2 May 1981** [p. 1] On 2 May 1981 the kiln of page 1 was")
    assert desk.last.note() == ANSWERED_WITHOUT_MODEL
    assert desk.prompts() == []


def test_a_line_opens_the_document_at_its_place(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat)
    desk.attach(paged_book(tmp_path))
    desk.type("List all dates")
    desk.wait_for_offer()
    desk.take_offer()
    wanted = desk.hear_requests(m.ShowDocument)
    link = next(span.href for span in desk.last_links if "p. 17" in span.text.replace("\u00a0", " "))
    desk.follow_link(link)
    document_id, mark = wanted[0].document_id, wanted[0].mark
    block = desk.documents.some_blocks(document_id, [mark.block_id])[0]
    assert block.page == 17
    assert block.text[mark.start : mark.end] == "18 May 1997"


def test_esc_stops_and_keeps_what_is_there_and_it_goes_on_where_it_was(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat, {"when": r"(?s)\[120\].*What this part has of", "text": "None", "delay_s": 30, "times": 1})
    desk.attach(book(tmp_path))
    desk.type(PEOPLE)
    desk.wait_for_offer()
    desk.click(desk.survey_offer.whole)
    desk.wait(lambda: "Ada Brandt" in desk.last_text and "section" in desk.last_state)
    assert desk.last_state.startswith(start_of(READING_SECTION))
    heard = desk.heard(desk.root.answer_finished)
    desk.press(Qt.Key.Key_Escape)
    desk.wait(lambda: heard)
    assert desk.last_message.state is MessageState.STOPPED
    assert "- Ada Brandt [¶ 3]" in desk.last_text
    assert "Stopped before the end: " in desk.last_text
    assert desk.last.note().startswith(start_of(READ_PARTLY))
    link = next(one for one in desk.last.findChildren(QPushButton) if one.text() == CONTINUE)
    assert link.x() < 2 * link.width(), "right behind “Stopped”, however long the words were before"
    goes_on = desk.heard(desk.root.answer_finished)
    desk.click_action(desk.last, CONTINUE)
    desk.wait(lambda: goes_on)  # the slow part may not have been asked before Esc, and takes its half minute now
    assert desk.last_text.startswith("**2 found**")
    assert desk.last_message.versions == (desk.last_message.id,), "it is the same answer"


def test_of_a_temporary_chat_nothing_is_kept(open_chat: Open, tmp_path: Path) -> None:
    desk = opened(open_chat)
    desk.root.show_temporary()
    talk = weakref.ref(desk.root.open_chat.talk)
    desk.attach(book(tmp_path))
    desk.type(PEOPLE)
    desk.wait_for_offer(is_estimated=True)
    desk.take_offer()
    assert desk.last_text.startswith("**2 found**")
    assert desk.conversations.find() == []
    desk.wait(lambda: not desk.offering.is_looking)
    desk.root.show_conversation(None)
    desk.wait(lambda: not desk.offering.is_looking)
    gc.collect()
    assert talk() is None


def test_what_is_said_counts_and_names() -> None:
    by_model = QueryOffer(WantedScope(QuestionScope.LIST), (1, 2), is_by_model=True)
    assert offer_words(by_model) == ABOUT_ALL_DOCUMENTS.format(count=2)
    assert offer_words(replace(by_model, tokens=48_200)).endswith(READ_ALL_TOKENS.format(tokens="48,200"))
    assert shows(
        SENTENCES_CAN_BE_CHOSEN, offer_words(QueryOffer(WantedScope(QuestionScope.ABOUT), (1,), is_by_model=False))
    )
    assert progress_words(SurveyProgress(2, 38, None)) == READING_SECTION.format(done=3, sections=38)
    assert progress_words(SurveyProgress(2, 38, 200.0)) == (
        "Reading the whole document: section 3 of 38 · about 3 minutes left"
    )
    assert progress_words(SurveyProgress(38, 38, 5.0)) == JOINING_FINDINGS
    assert progress_words(SurveyProgress(2, 38, 5.0, is_resting=True)) == WAITING_FOR_OTHER_ANSWER
    assert (
        made_words(SurveyCoverage(38, 38, 192.0, is_by_model=True))
        == f"{READ_WHOLE.format(count=38)} · {MINUTES_AND_SECONDS.format(minutes=3, seconds=12)}"
    )
    assert (
        made_words(SurveyCoverage(38, 12, 40.0, is_by_model=True)) == f"{READ_PARTLY.format(done=12, count=38)} · 40 s"
    )
    assert made_words(SurveyCoverage(1, 1, 3.0, is_by_model=True)) == f"{READ_WHOLE_TEXT} · 3 s"
