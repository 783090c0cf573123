"""Answer questions about whole documents in a chat: offer, estimate, run, resume.

A list of everything wanted is collected section by section by the model, then counted. It shares the machinery of
summaries: numbered paragraphs, numbers under a grammar, checks against the cited blocks, stored steps
(`app.features.summarize`). Only the request differs, and a section with more entries than an answer holds is asked
again in halves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.core.errors.app_error import AppError
from app.core.events import CancelToken, ModelLoaded, Role, TextDelta
from app.engine.contract import Engine
from app.features.chat.answer_draft import AnswerDraft
from app.features.chat.answer_service import AnswerService, AnswerStarted
from app.features.models.model_languages import weights_of
from app.features.retrieval.question_scope import QuestionScope, WantedScope
from app.features.retrieval.scope import scope_of
from app.features.retrieval.source_places import source_to_fields
from app.features.summarize.digest import digest_summary
from app.features.summarize.method import method_for
from app.features.summarize.sections import budgets_for
from app.features.summarize.summarize import plan_reading, summarize_documents
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_pace import SummaryPace, model_file
from app.features.summarize.summary_result import (
    KIND,
    Form,
    InputDocument,
    Length,
    Method,
    Planned,
    SectionRead,
    Summarized,
    SummaryEvent,
    SummaryOptions,
    inputs_of,
)
from app.features.survey.model_lists import SurveyListed, list_all
from app.features.survey.program_finds import FOUND_BY_PROGRAM, find_all
from app.features.survey.wanted import QueryOffer, SurveyCoverage, SurveyProgress, made_to_fields
from app.features.survey.written_answer import lines_of, write_answer
from app.features.work.asking import TaskRests, wake_model
from app.features.work.pace import MeasuredSpeeds
from app.store.conversations import MessageState, StoredMessage
from app.store.database import Database
from app.store.jobs import JobTable

WISH = SummaryOptions(Length.MEDIUM, Form.BULLETS)
"""For questions about what a document says in general."""
LIST_WISH = SummaryOptions(form=Form.OWN)
"""A wish that no extract can fulfil, so the model is used."""
ANSWERED_SHARE = 0.4
"""Share of a section's token limit that is typically used."""


SurveyEvent = AnswerStarted | SurveyProgress | TextDelta


class DocumentSurveys:
    """Surveys of one chat's documents; from any thread.

    Owns no thread and no table. Finished sections are remembered while the program runs, so that a stopped answer
    resumes.
    """

    def __init__(self, chat: AnswerService, engine: Engine, database: Database) -> None:
        self._chat, self._engine = chat, engine
        self._speeds = MeasuredSpeeds(KIND, JobTable(database), seconds="worked_s")
        self._steps, self._steps_of = MemorySteps(), 0
        self._estimates: dict[tuple[str, tuple[int, ...]], QueryOffer] = {}

    def find_offers(self, conversation_id: int | None, text: str, cancel: CancelToken) -> Iterator[QueryOffer]:
        """Offer surveys for a question about whole documents of which the model sees only passages.

        None if it isn't one. An offer that needs the model is yielded again with its estimate.
        """
        scope = scope_of(text)
        # Only for documents of which the model is shown passages; the others it sees whole.
        ids = self._chat.looks.documents_beyond_context(conversation_id) if scope is not None else []
        offer = self._make_offer(scope, ids) if scope is not None and ids else None
        if offer is None or cancel.cancelled:
            return
        yield offer
        loaded = self._engine.loaded
        if offer.is_by_model and loaded is not None:
            yield from self._estimate_offer(offer, loaded, cancel)

    def _make_offer(self, scope: WantedScope, ids: Sequence[int]) -> QueryOffer | None:
        # A list needs a model; without a useful one nothing is offered.
        if not (is_by_model := self._is_by_model(scope)) and scope.wanted is QuestionScope.LIST:
            return None
        return QueryOffer(scope, tuple(ids), is_by_model)

    def _is_by_model(self, scope: WantedScope) -> bool:
        """Return whether the model is needed. The smallest models invent more than they find, as in summaries."""
        loaded, wish = self._engine.loaded, WISH if scope.wanted is QuestionScope.ABOUT else LIST_WISH
        # The smallest models invent more than they find, as in summaries.
        if loaded is None or method_for(wish, weights_of(loaded)) is Method.DIGEST:
            return False
        return scope.wanted not in FOUND_BY_PROGRAM or (scope.is_narrowed and scope.wanted is not QuestionScope.PAGES)

    def _estimate_offer(self, offer: QueryOffer, loaded: ModelLoaded, cancel: CancelToken) -> Iterator[QueryOffer]:
        key = (f"{loaded.path} {loaded.context_tokens}", offer.document_ids)
        if key not in self._estimates:
            documents = inputs_of(self._chat.documents, offer.document_ids)
            # Cancelled: the question was changed meanwhile.
            if (planned := plan_reading(documents, WISH, self._engine, cancel)) is None:
                return
            sections = max(1, len(planned.sections))
            seconds = self._estimate_seconds(loaded, planned.tokens, sections, cancel)
            if cancel.cancelled:
                return
            self._estimates[key] = replace(offer, tokens=planned.tokens, sections=sections, seconds=seconds)
        known = self._estimates[key]
        yield replace(offer, tokens=known.tokens, sections=known.sections, seconds=known.seconds)
        if known.seconds is None:  # somebody else was being answered, say
            del self._estimates[key]

    def _estimate_seconds(self, loaded: ModelLoaded, tokens: int, sections: int, cancel: CancelToken) -> float | None:
        model = model_file(loaded)
        if (earlier := self._speeds.earlier_speed(model)) is not None:
            return tokens / earlier
        if (speed := self._speeds.probe_speed(model, self._engine, cancel)) is None:
            return None
        # Each section is read once and answered once.
        return tokens / speed.reading + sections * budgets_for(loaded).points * ANSWERED_SHARE / speed.writing

    def answer(self, question_id: int, cancel: CancelToken) -> Iterator[SurveyEvent]:
        """Answer a stored question from all its documents, as a new version if it has answers.

        Cancelled, the finds so far are stored.
        """
        question = self._stored_message(question_id)
        conversations = self._chat.conversations
        answer = conversations.add_message(
            question.conversation_id, question_id, Role.ASSISTANT, "", state=MessageState.WRITING
        )
        # A continued answer's text is shown already; it is replaced at the end.
        yield from self._write_answer(answer, question, cancel, shows=True)

    def continue_answer(self, answer_id: int, cancel: CancelToken) -> Iterator[SurveyEvent]:
        """Resume a stopped answer; its text is rewritten once complete."""
        answer = self._stored_message(answer_id)
        assert answer.parent_id is not None
        self._chat.conversations.finish_message(answer.id, answer.text, MessageState.WRITING)
        yield from self._write_answer(answer, self._stored_message(answer.parent_id), cancel, shows=False)

    def _write_answer(
        self, answer: StoredMessage, question: StoredMessage, cancel: CancelToken, *, shows: bool
    ) -> Iterator[SurveyEvent]:
        conversations, scope = self._chat.conversations, scope_of(question.text) or WantedScope(QuestionScope.LIST)
        draft = AnswerDraft(conversations, answer.id, answer.text)
        listed, is_empty = None, True
        try:
            yield AnswerStarted(draft)
            # Marked at once, so that an answer cut off by a crash is known as one that can go on.
            conversations.set_sources(answer.id, [made_to_fields(SurveyCoverage())])
            documents = inputs_of(self._chat.documents, self._chat.looks.documents_of(question.id))
            for event in self._survey_documents(documents, question, scope, cancel):
                if isinstance(event, SurveyListed):
                    listed = event
                elif isinstance(event, SurveyProgress):
                    yield event
                elif shows and (text := lines_of(event, documents)):
                    draft.append(TextDelta(text))
                    yield TextDelta(text)
                    is_empty = False
            assert listed is not None
            self._keep_draft(draft, answer.id, listed, scope)
            # Nothing came along the way, so all of it comes now.
            if is_empty and shows:
                yield TextDelta(draft.text)
        except AppError:
            # Text that is there stays as an interrupted answer.
            draft.give_up(MessageState.INTERRUPTED if draft.text else MessageState.FAILED)
            raise
        finally:
            # Also when the generator is closed; after the end it does nothing.
            draft.give_up(MessageState.INTERRUPTED)

    def _survey_documents(
        self, documents: Sequence[InputDocument], question: StoredMessage, scope: WantedScope, cancel: CancelToken
    ) -> Iterator[SurveyListed | SurveyProgress | SectionRead]:
        """Survey the documents; the last event is the result.

        Sections are yielded only if each of their points is a line of it.
        """
        # Which way to take depends on the model, so it is woken first.
        if self._engine.loaded is None and scope.wanted not in FOUND_BY_PROGRAM:
            wake_model(self._engine, cancel)
        if not self._is_by_model(scope) and scope.wanted is not QuestionScope.LIST:
            if scope.wanted is QuestionScope.ABOUT:
                yield SurveyListed(digest_summary(documents, WISH, lambda: cancel.cancelled))
            else:
                yield SurveyListed(find_all(documents, scope, lambda: cancel.cancelled))
            return
        loaded = self._engine.loaded
        self._chat.documents.let_out(self._chat.looks.documents_of(question.id), loaded)
        pace = SummaryPace(None, loaded.sequences if loaded is not None else 1)
        progress = SurveyProgress(0, 0, None)
        for event in self._read_documents(scope, question, documents, cancel):
            if isinstance(event, Summarized | SurveyListed):
                yield event if isinstance(event, SurveyListed) else SurveyListed(event.summary)
                return
            pace.take_event(event)
            if isinstance(event, SectionRead) and scope.wanted is not QuestionScope.ABOUT:
                yield event
            progress = _update_progress(progress, event, pace.seconds_left())
            yield progress

    def _read_documents(
        self, scope: WantedScope, question: StoredMessage, documents: Sequence[InputDocument], cancel: CancelToken
    ) -> Iterator[SummaryEvent | SurveyListed]:
        # Sections of another question say nothing here.
        if question.id != self._steps_of:
            self._steps, self._steps_of = MemorySteps(), question.id
        if scope.wanted is QuestionScope.ABOUT:
            return summarize_documents(documents, WISH, self._engine, self._steps, cancel)
        return list_all(documents, question.text, self._engine, self._steps, cancel)

    def _keep_draft(self, draft: AnswerDraft, answer_id: int, listed: SurveyListed, scope: WantedScope) -> None:
        summary, result = listed.summary, write_answer(listed.summary, scope, overfull=listed.overfull)
        # The final text replaces what grew: repetitions are merged only now.
        draft.text = result.text
        draft.finish(MessageState.STOPPED if summary.is_partial else MessageState.COMPLETE)
        made = SurveyCoverage(summary.sections, summary.sections_read, summary.seconds, summary.method is Method.MODEL)
        fields = [made_to_fields(made), *map(source_to_fields, result.sources)]
        self._chat.conversations.set_sources(answer_id, fields)

    def _stored_message(self, message_id: int) -> StoredMessage:
        if (message := self._chat.conversations.get_message(message_id)) is None:
            raise KeyError(message_id)
        return message


def _update_progress(before: SurveyProgress, event: SummaryEvent, seconds_left: float | None) -> SurveyProgress:
    match event:
        case Planned(sections=sections):
            return SurveyProgress(0, sections, seconds_left)
        case SectionRead(done=done, sections=sections):
            return SurveyProgress(done, sections, seconds_left)
        case TaskRests(reason=reason):
            return replace(before, is_resting=bool(reason))
        case _:
            return replace(before, seconds_left=seconds_left)
