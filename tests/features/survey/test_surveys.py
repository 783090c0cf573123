"""Whole documents asked about in a chat: offered, read by the scripted model section by section, kept, gone on with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import Fireside, build_program
from app.core.child import own_command
from app.core.errors.engine_errors import EngineStopped
from app.core.events import CancelToken, TextDelta
from app.engine.client import EngineClient
from app.features.chat.answer_service import AnswerStarted
from app.features.document_library import DocumentStored
from app.features.retrieval.question_scope import QuestionScope
from app.features.retrieval.source_places import source_from_fields
from app.features.summarize.sections import budgets_for
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_messages import DIGEST_WORDS
from app.features.survey import model_lists
from app.features.survey.model_lists import SurveyListed, list_all
from app.features.survey.surveys import DocumentSurveys
from app.features.survey.wanted import QueryOffer, SurveyCoverage, SurveyProgress, made_of
from app.store.attachments import DocumentUse
from app.store.conversations import MessageState, StoredMessage
from tests.features.summarize.test_summarize_model import TOWN
from tests.helpers.engine import load
from tests.helpers.script import prompts, requests, write_script

LARGE, MIDDLE, SMALL = 4_000_000_000, 1_000_000_000, 100_000_000
"""Bytes of a model's file."""
QUESTION = "Which people are named?"
PEOPLE = {3: "Ada Brandt", 120: "Ben Osei", 121: "Ada Brandt", 300: "Cleo Ruiz"}
PARAGRAPHS = 360
MANY = "".join(f"[1] Name {n} stands here\n" for n in range(60))


def book(folder: Path) -> Path:
    texts = [f"Paragraph {n} is about nothing in particular, and says so at length." for n in range(1, PARAGRAPHS + 1)]
    for number, name in PEOPLE.items():
        texts[number - 1] = f"On {number % 28 + 1} May 2024 {name} came to the workshop and left again."
    path = folder / "book.txt"
    path.write_text("\n\n".join(texts), "utf-8")
    return path


def rules(*more: dict[str, Any]) -> list[dict[str, Any]]:
    """The model names the person of a section; the second one comes first, since it is looked at first."""
    both = {"when": r"(?s)\[120\] On.*\[121\] On", "text": "[120] Ben Osei\n[121] Ada Brandt\n"}
    one = [{"when": rf"\[{n}\] On", "text": f"[{n}] {name}\n"} for n, name in PEOPLE.items()]
    return [
        *more,
        both,
        *one,
        {"when": "What this part has of", "text": "None"},
        {"text": "[1] A try of lines here.\n"},
    ]


class Asked:
    """A chat with a document that does not fit."""

    def __init__(self, folder: Path, app: Fireside) -> None:
        self.app, self.script = app, folder / "script" / "script.json"
        self.surveys = DocumentSurveys(app.chat, app.engine, app.database)
        self.chat_id = app.conversations.create().id
        *_, last = app.documents.read_file(book(folder), CancelToken())
        assert isinstance(last, DocumentStored)
        self.document_id = last.document.id
        app.documents.attachments.add_to_draft(self.chat_id, self.document_id, DocumentUse.BACKGROUND)

    def offers(self, text: str) -> list[QueryOffer]:
        return list(self.surveys.find_offers(self.chat_id, text, CancelToken()))

    def ask(self, text: str, cancel: CancelToken | None = None) -> Iterator[object]:
        question = self.app.chat.add_question(self.chat_id, text, draft_of=self.chat_id)
        return self.surveys.answer(question.id, cancel or CancelToken())

    @property
    def answer(self) -> StoredMessage:
        return self.app.conversations.read_branch(self.chat_id)[-1]

    def section_prompts(self) -> list[str]:
        return [one[-1][1] for one in prompts(self.script) if "What this part has of" in one[-1][1]]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Asked]:
    size, more = getattr(request, "param", (LARGE, ()))
    load = {"context_tokens": 4000, "size_bytes": size, "name": "model"}
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", *rules(*more), load=load)))
    app = build_program()
    list(app.engine.load(Path("/any/model.gguf")))
    yield Asked(tmp_path, app)
    app.close()


small = pytest.mark.parametrize("asked", [(SMALL, ())], indirect=True)


def test_a_question_about_all_of_it_is_offered_with_its_sections(asked: Asked) -> None:
    first, estimated = asked.offers(QUESTION)
    assert (first.scope.wanted, first.is_by_model, first.seconds) == (QuestionScope.LIST, True, None)
    assert first.document_ids == (asked.document_id,)
    assert estimated.sections is not None
    assert estimated.sections > 2
    assert asked.offers("How long does the kiln cool?") == []


def test_nothing_is_offered_where_all_of_it_is_shown_anyway(asked: Asked) -> None:
    (attachment,) = asked.app.documents.attachments.in_draft(asked.chat_id)
    asked.app.documents.attachments.set_use(attachment.id, DocumentUse.WHOLE)
    assert asked.offers(QUESTION) == []


def test_a_document_in_an_earlier_turn_counts_too(asked: Asked) -> None:
    list(
        asked.app.chat.answer(
            asked.app.chat.add_question(asked.chat_id, "Hm?", draft_of=asked.chat_id).id, CancelToken()
        )
    )
    assert asked.offers(QUESTION)


@small
def test_a_very_small_model_is_offered_what_needs_none(asked: Asked) -> None:
    assert asked.offers(QUESTION) == []
    (about,) = asked.offers("What is this about?")
    (dates,) = asked.offers("List all dates of visits")
    assert not about.is_by_model
    assert not dates.is_by_model
    list(asked.ask("What is this about?"))
    assert DIGEST_WORDS in asked.answer.text
    assert asked.section_prompts() == []


def test_every_block_is_read_and_what_is_said_twice_is_one_entry(asked: Asked) -> None:
    events = list(asked.ask(QUESTION))
    assert isinstance(events[0], AnswerStarted)
    assert asked.answer.text == (
        "**3 found, in 4 places**\n\n- Ada Brandt [¶ 3] [¶ 121]\n- Ben Osei [¶ 120]\n- Cleo Ruiz [¶ 300]\n\n"
        f"*{PARAGRAPHS} of {PARAGRAPHS} paragraphs read. The model read everything in "
        f"{len(asked.section_prompts())} sections; Fireside counted.*"
    )
    shown = set(re.findall(r"^\[(\d+)\] ", "\n".join(asked.section_prompts()), re.MULTILINE))
    assert shown == {str(number) for number in range(1, PARAGRAPHS + 1)}
    assert all(f"“{QUESTION}”" in prompt for prompt in asked.section_prompts())


def test_the_answer_keeps_its_places_and_how_it_was_made(asked: Asked) -> None:
    list(asked.ask(QUESTION))
    answer = asked.answer
    made = made_of(answer.sources)
    assert made is not None
    assert (made.sections, made.read, made.is_by_model) == (len(asked.section_prompts()),) * 2 + (True,)
    sources = [source_from_fields(fields) for fields in answer.sources if "survey" not in fields]
    assert [(answer.text[one.answer_start : one.answer_end], one.block_id) for one in sources] == [
        ("Ada Brandt", 3), ("Ada Brandt", 121), ("Ben Osei", 120), ("Cleo Ruiz", 300),
    ]  # fmt: skip
    block = asked.app.documents.some_blocks(asked.document_id, [120])[0]
    assert "Ben Osei" in block.text[sources[2].start : sources[2].end]
    assert answer.state is MessageState.COMPLETE
    assert made_of(()) is None
    assert made_of([{"survey": {"of": "a newer version"}}]) == SurveyCoverage()


def test_the_numbers_that_a_model_may_name_are_those_of_its_section(asked: Asked) -> None:
    list(asked.ask(QUESTION))
    (ask, *_) = [one for one in requests(asked.script) if "What this part has of" in one["messages"][-1][1]]
    assert 'root ::= "None" "."? | line (' in ask["grammar"]
    assert ask["background"] is True


PLAINLY = (
    {"when": "(?s)Ben Osei came.*Ada Brandt came", "text": "Ben Osei, Ada Brandt"},
    {"when": "Ada Brandt came", "text": "- Ada Brandt\n- Ned Nobody"},
    {"when": "Cleo Ruiz came", "text": "[7] “Cleo Ruiz.”"},
    {"when": "Take it from this text only", "text": "No people are named in it."},
)


@pytest.mark.parametrize("asked", [(MIDDLE, PLAINLY)], indirect=True)
def test_a_smaller_model_is_asked_plainly_and_its_words_are_looked_up(asked: Asked) -> None:
    assert asked.offers(QUESTION)[0].is_by_model
    assert not asked.offers("What is it about?")[0].is_by_model, "sentences are better than what it would write"
    list(asked.ask(QUESTION))
    lines = [line for line in asked.answer.text.splitlines() if line.startswith("- ")]
    assert [re.sub(r"[^A-Za-z ].*", "", line[2:]).strip() for line in lines] == ["Ada Brandt", "Ben Osei", "Cleo Ruiz"]
    found = [source_from_fields(one) for one in asked.answer.sources if "survey" not in one]
    assert sorted({one.block_id for one in found}) == sorted(PEOPLE)
    (ask, *more) = [one for one in requests(asked.script) if "Take it from this text only" in one["messages"][-1][1]]
    assert len({one["messages"][-1][1] for one in (ask, *more)}) == len(more) + 1, "nothing is asked twice"
    assert ask["grammar"] == "" and ask["stop_on_repetition"] is True
    assert not re.search(r"^\[\d+\]", ask["messages"][-1][1], re.M), "a small model copies the numbers that it is shown"


def test_progress_is_told_and_entries_come_as_they_are_found(asked: Asked) -> None:
    events = list(asked.ask(QUESTION))
    progress = [event for event in events if isinstance(event, SurveyProgress)]
    assert (progress[-1].done, progress[-1].sections) == (len(asked.section_prompts()),) * 2
    told = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert told.count("Ada Brandt") == 2, "joined once all is read"


def test_dates_are_found_without_the_model(asked: Asked) -> None:
    events = list(asked.ask("List all dates"))
    assert not any(isinstance(event, SurveyProgress) for event in events)
    assert "**4 dates**" in asked.answer.text
    assert asked.section_prompts() == []


def test_dates_that_a_question_says_more_about_are_for_the_model(asked: Asked) -> None:
    list(asked.ask("List all dates of visits by Ada"))
    assert asked.section_prompts()


def test_stopped_it_keeps_what_is_there_and_goes_on_without_asking_again(asked: Asked) -> None:
    cancel, told = CancelToken(), ""
    for event in asked.ask(QUESTION, cancel):
        told += event.text if isinstance(event, TextDelta) else ""
        if "Ada Brandt" in told:  # whichever section was read first
            cancel.cancel()
    stopped = asked.answer
    assert stopped.state is MessageState.STOPPED
    assert "Ada Brandt" in stopped.text
    assert "Stopped before the end: " in stopped.text
    read, before = made_of(stopped.sources), len(asked.section_prompts())
    assert read is not None
    events = list(asked.surveys.continue_answer(stopped.id, CancelToken()))
    assert not any(isinstance(event, TextDelta) for event in events), "the text that is shown is replaced as a whole"
    assert asked.answer.id == stopped.id
    assert asked.answer.state is MessageState.COMPLETE
    assert "- Cleo Ruiz" in asked.answer.text
    # Sections are read several at a time: one that the stop cut off is asked again, one that was read never.
    assert len(set(asked.section_prompts())) == read.sections
    assert len(asked.section_prompts()) - before == read.sections - read.read


@pytest.mark.parametrize("asked", [(LARGE, ({"when": "What this part has of", "text": MANY},))], indirect=True)
def test_more_than_an_answer_holds_is_asked_for_in_halves(asked: Asked) -> None:
    list(asked.ask(QUESTION))
    sizes = [prompt.count("Paragraph ") for prompt in asked.section_prompts()]
    assert min(sizes) <= max(sizes) * 0.7
    assert min(sizes) > max(sizes) * 0.3, "once: a model that lists everything is not asked again and again"
    assert "sections have more than could be listed." in asked.answer.text


@pytest.mark.parametrize(
    "asked",
    [(LARGE, ({"when": r"\[120\] On", "crash_after": 1, "crash": 3},))],
    indirect=True,
)
def test_an_engine_that_ends_again_and_again_leaves_what_was_found(asked: Asked) -> None:
    with pytest.raises(EngineStopped):
        list(asked.ask(QUESTION))
    assert asked.answer.state is MessageState.INTERRUPTED
    assert "Ada Brandt" in asked.answer.text
    assert made_of(asked.answer.sources) is not None


def test_the_next_question_gets_passages_as_ever(asked: Asked) -> None:
    list(asked.ask(QUESTION))
    list(asked.app.chat.answer(asked.app.chat.add_question(asked.chat_id, "Who is Cleo Ruiz?").id, CancelToken()))
    last = prompts(asked.script)[-1]
    assert "only some passages of it" in last[-1][1]
    assert "Cleo Ruiz came to the workshop" in last[-1][1]


HARBOUR = replace(TOWN, blocks=TOWN.blocks[:2])


@pytest.mark.model
@pytest.mark.slow
def test_the_starter_follows_the_rules_of_a_list(
    starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It lists without end, and what was cut off is asked again in halves: answers are as short as that allows.
    monkeypatch.setattr(model_lists, "budgets_for", lambda loaded: replace(budgets_for(loaded), points=30))
    engine = EngineClient(own_command("--engine-worker"), tmp_path)
    load(engine, starter)
    try:
        events = list(list_all([HARBOUR], "Which people are named?", engine, MemorySteps(), CancelToken()))
    finally:
        engine.close()
    assert isinstance(events[-1], SurveyListed)
    summary = events[-1].summary
    assert summary.sections_failed == 0
    assert summary.sections_read == summary.sections
    assert summary.documents[0].coverage.blocks_read == len(HARBOUR.blocks)
    ids = {block.id for block in HARBOUR.blocks}
    assert {anchor.block_id for one in summary.statements for anchor in one.anchors} <= ids
