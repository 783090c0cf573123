"""Questions about whole documents in a chat: offered where passages would not do, estimated, answered, gone on with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.core.errors import AppError
from app.core.events import CancelToken, ModelLoaded, Role, TextDelta
from app.engine.contract import Engine
from app.features.chat.answers import AnswerStarted, Chat, Draft
from app.features.chat.documents import source_to_fields
from app.features.models.languages import weights_of
from app.features.summary.budgets import budgets_for, method_for
from app.features.summary.digest import digest_summary
from app.features.summary.pace import Pace, model_file
from app.features.summary.result import (
    Form,
    InputDocument,
    Length,
    Method,
    Planned,
    SectionRead,
    Summarized,
    SummaryEvent,
    Wish,
    inputs_of,
)
from app.features.summary.summaries import MemorySteps
from app.features.summary.summarize import plan, summarize
from app.features.survey.findings import FOUND_BY_PROGRAM, find
from app.features.survey.listing import Listed, list_all
from app.features.survey.scope import scope_of
from app.features.survey.wanted import Made, Offer, Scope, SurveyProgress, Wanted, made_to_fields
from app.features.survey.writing import lines_of, written
from app.features.work.asking import Rests, woken
from app.features.work.pace import Speeds
from app.store.conversations import MessageState, StoredMessage

WISH = Wish(Length.MEDIUM, Form.BULLETS)
"""Of what a document is about."""
ANSWERED_SHARE = 0.4
"""Of what a section's answer may take, what it does take as a rule."""


SurveyEvent = AnswerStarted | SurveyProgress | TextDelta


class Surveys:
    """Those of one chat's conversations; from any thread. Owns no thread and no table.

    What was read stays known while the program runs, so that an answer that was stopped goes on where it was.
    """

    def __init__(self, chat: Chat, engine: Engine, speeds: Speeds) -> None:
        self._chat, self._engine, self._speeds = chat, engine, speeds
        self._steps, self._steps_of = MemorySteps(), 0
        self._estimates: dict[tuple[str, tuple[int, ...]], Offer] = {}

    def offers(self, conversation_id: int | None, text: str, cancel: CancelToken) -> Iterator[Offer]:
        """What can be done for a question that is about all of documents of which the model sees only passages.

        Nothing where there is none. What the model would do comes again with its estimate.
        """
        scope = scope_of(text)
        ids = self._chat.looks.documents_beyond_context(conversation_id) if scope is not None else []
        offer = self._offer(scope, ids) if scope is not None and ids else None
        if offer is None or cancel.cancelled:
            return
        yield offer
        loaded = self._engine.loaded
        if offer.is_by_model and loaded is not None:
            yield from self._estimated(offer, loaded, cancel)

    def _offer(self, scope: Scope, ids: Sequence[int]) -> Offer | None:
        is_by_model = self._is_by_model(scope)
        if not is_by_model and scope.wanted is Wanted.LIST:
            return None
        return Offer(scope, tuple(ids), is_by_model)

    def _is_by_model(self, scope: Scope) -> bool:
        """Where the program cannot; the smallest models find less than they make up, as in summaries."""
        loaded = self._engine.loaded
        if loaded is None or method_for(WISH, weights_of(loaded)) is Method.DIGEST:
            return False
        return scope.wanted not in FOUND_BY_PROGRAM or (scope.is_narrowed and scope.wanted is not Wanted.PAGES)

    def _estimated(self, offer: Offer, loaded: ModelLoaded, cancel: CancelToken) -> Iterator[Offer]:
        key = (f"{loaded.path} {loaded.context_tokens}", offer.document_ids)
        if key not in self._estimates:
            documents = inputs_of(self._chat.documents, offer.document_ids)
            planned = plan(documents, WISH, self._engine, cancel)
            if planned is None:
                return
            sections = max(1, len(planned.sections))
            seconds = self._seconds(loaded, planned.tokens, sections, cancel)
            if cancel.cancelled:
                return
            self._estimates[key] = replace(offer, tokens=planned.tokens, sections=sections, seconds=seconds)
        known = self._estimates[key]
        yield replace(offer, tokens=known.tokens, sections=known.sections, seconds=known.seconds)
        if known.seconds is None:  # somebody else was being answered, say
            del self._estimates[key]

    def _seconds(self, loaded: ModelLoaded, tokens: int, sections: int, cancel: CancelToken) -> float | None:
        model = model_file(loaded)
        earlier = self._speeds.earlier(model)
        if earlier is not None:
            return tokens / earlier
        speed = self._speeds.probe(model, self._engine, cancel)
        if speed is None:
            return None
        return tokens / speed.reading + sections * budgets_for(loaded).points * ANSWERED_SHARE / speed.writing

    def answer(self, question_id: int, cancel: CancelToken) -> Iterator[SurveyEvent]:
        """Answers a stored question from all of its documents; beside other answers it is a version.

        Cancelled, what was found so far is kept.
        """
        question = self._stored(question_id)
        conversations = self._chat.conversations
        answer = conversations.add_message(
            question.conversation_id, question_id, Role.ASSISTANT, "", state=MessageState.WRITING
        )
        yield AnswerStarted(answer.id)
        yield from self._write(answer, question, cancel, shows=True)

    def continue_answer(self, answer_id: int, cancel: CancelToken) -> Iterator[SurveyEvent]:
        """Goes on with one that was stopped; it is written anew once it is whole."""
        answer = self._stored(answer_id)
        assert answer.parent_id is not None
        self._chat.conversations.finish_message(answer.id, answer.text, MessageState.WRITING)
        yield AnswerStarted(answer.id)
        yield from self._write(answer, self._stored(answer.parent_id), cancel, shows=False)

    def _write(
        self, answer: StoredMessage, question: StoredMessage, cancel: CancelToken, *, shows: bool
    ) -> Iterator[SurveyEvent]:
        conversations, scope = self._chat.conversations, scope_of(question.text) or Scope(Wanted.LIST)
        draft = Draft(conversations, answer.id, answer.text)
        listed, is_empty = None, True
        try:
            conversations.set_sources(answer.id, [made_to_fields(Made())])
            documents = inputs_of(self._chat.documents, self._chat.looks.documents_of(question.id))
            for event in self._surveyed(documents, question, scope, cancel):
                if isinstance(event, Listed):
                    listed = event
                elif isinstance(event, SurveyProgress):
                    yield event
                elif shows and (text := lines_of(event, documents)):
                    draft.append(TextDelta(text))
                    yield TextDelta(text)
                    is_empty = False
            assert listed is not None
            self._keep(draft, answer.id, listed, scope)
            if is_empty and shows:
                yield TextDelta(draft.text)
        except AppError:
            draft.give_up(MessageState.INTERRUPTED if draft.text else MessageState.FAILED)
            raise
        finally:
            draft.give_up(MessageState.INTERRUPTED)

    def _surveyed(
        self, documents: Sequence[InputDocument], question: StoredMessage, scope: Scope, cancel: CancelToken
    ) -> Iterator[Listed | SurveyProgress | SectionRead]:
        """The last event is the result; sections come where each of their points is a line of it."""
        if self._engine.loaded is None and scope.wanted not in FOUND_BY_PROGRAM:
            woken(self._engine, cancel)
        if not self._is_by_model(scope) and scope.wanted is not Wanted.LIST:
            if scope.wanted is Wanted.ABOUT:
                yield Listed(digest_summary(documents, WISH, lambda: cancel.cancelled))
            else:
                yield Listed(find(documents, scope, lambda: cancel.cancelled))
            return
        loaded = self._engine.loaded
        self._chat.documents.let_out(self._chat.looks.documents_of(question.id), loaded)
        pace = Pace(None, loaded.sequences if loaded is not None else 1)
        progress = SurveyProgress(0, 0, None)
        for event in self._read(scope, question, documents, cancel):
            if isinstance(event, Summarized | Listed):
                yield event if isinstance(event, Listed) else Listed(event.summary)
                return
            pace.take(event)
            if isinstance(event, SectionRead) and scope.wanted is not Wanted.ABOUT:
                yield event
            progress = _progressed(progress, event, pace.seconds_left())
            yield progress

    def _read(
        self, scope: Scope, question: StoredMessage, documents: Sequence[InputDocument], cancel: CancelToken
    ) -> Iterator[SummaryEvent | Listed]:
        if question.id != self._steps_of:
            self._steps, self._steps_of = MemorySteps(), question.id
        if scope.wanted is Wanted.ABOUT:
            return summarize(documents, WISH, self._engine, self._steps, cancel)
        return list_all(documents, question.text, self._engine, self._steps, cancel)

    def _keep(self, draft: Draft, answer_id: int, listed: Listed, scope: Scope) -> None:
        summary, result = listed.summary, written(listed.summary, scope, overfull=listed.overfull)
        draft.text = result.text
        draft.finish(MessageState.STOPPED if summary.is_partial else MessageState.COMPLETE)
        made = Made(summary.sections, summary.sections_read, summary.seconds, summary.method is Method.MODEL)
        fields = [made_to_fields(made), *map(source_to_fields, result.sources)]
        self._chat.conversations.set_sources(answer_id, fields)

    def _stored(self, message_id: int) -> StoredMessage:
        message = self._chat.conversations.message(message_id)
        if message is None:
            raise KeyError(message_id)
        return message


def _progressed(before: SurveyProgress, event: SummaryEvent, seconds_left: float | None) -> SurveyProgress:
    match event:
        case Planned(sections=sections):
            return SurveyProgress(0, sections, seconds_left)
        case SectionRead(done=done, sections=sections):
            return SurveyProgress(done, sections, seconds_left)
        case Rests(reason=reason):
            return replace(before, is_resting=bool(reason))
        case _:
            return replace(before, seconds_left=seconds_left)
