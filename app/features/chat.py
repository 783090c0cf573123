"""Chat: questions and answers in the store, each answer a generator of typed events.

An answer is saved while it is written, at least once a second, so that a crash or a power cut costs
no more than that; whatever ends it leaves its text and a state that says how it ended.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from app.core.cancel import CancelToken
from app.core.errors import AppError
from app.core.events import Finished, FinishReason, LoadProgress, ModelLoaded, PromptProgress, TextDelta
from app.core.messages import Message, Role
from app.core.settings import Settings
from app.engine.client import EngineClient
from app.engine.protocol import Sampling
from app.store.conversations import Conversations, MessageState, StoredMessage

log = logging.getLogger(__name__)

SAVE_EVERY_S = 0.5
TITLE_CHARACTERS = 48

_STATES = {FinishReason.CANCELLED: MessageState.STOPPED}


@dataclass(frozen=True)
class AnswerStarted:
    """The answer has its place in the store."""

    message_id: int


AnswerEvent = AnswerStarted | PromptProgress | TextDelta | Finished


def title_from(text: str) -> str:
    """A title out of the first words of a question, cut at a word, at most `TITLE_CHARACTERS` long."""
    line = " ".join(text.split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    cut = line[:TITLE_CHARACTERS]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,.;:") + "…"


class Chat:
    """Asks, edits, answers again and continues; owns no thread and no queue."""

    def __init__(self, engine: EngineClient, conversations: Conversations, settings: Callable[[], Settings]) -> None:
        self._engine = engine
        self._conversations = conversations
        self._settings = settings

    def add_question(self, conversation_id: int, text: str) -> StoredMessage:
        """Stores a question under the last message; an untitled conversation gets its title from it."""
        conversation = self._conversations.get(conversation_id)
        leaf_id = conversation.leaf_id if conversation else None
        question = self._conversations.add_message(conversation_id, leaf_id, Role.USER, text)
        if conversation and not conversation.title:
            self._conversations.update(conversation_id, title=title_from(question.text))
        return question

    def edit_question(self, message_id: int, text: str) -> StoredMessage:
        """Stores another version of a question beside it; raises KeyError when it is gone."""
        old = self._stored(message_id)
        return self._conversations.add_message(old.conversation_id, old.parent_id, Role.USER, text)

    def answer(self, question_id: int, cancel: CancelToken) -> Iterator[AnswerEvent]:
        """Answers a question; asked again, the answer becomes another version."""
        question = self._stored(question_id)
        answer = self._conversations.add_message(
            question.conversation_id, question_id, Role.ASSISTANT, "", state=MessageState.WRITING, model=self._model()
        )
        yield AnswerStarted(answer.id)
        yield from self._write(answer, cancel, continued=False)

    def continue_answer(self, answer_id: int, cancel: CancelToken) -> Iterator[AnswerEvent]:
        """Goes on with an answer that stopped early; new text is appended to what is stored."""
        answer = self._stored(answer_id)
        self._conversations.finish_message(answer_id, answer.text, MessageState.WRITING)
        yield AnswerStarted(answer.id)
        yield from self._write(answer, cancel, continued=bool(answer.text))

    def _write(self, answer: StoredMessage, cancel: CancelToken, *, continued: bool) -> Iterator[AnswerEvent]:
        messages = self._messages_up_to(answer, include_last=continued)
        sampling, max_tokens = self._options(answer.conversation_id)
        draft = _Draft(self._conversations, answer.id, answer.text)
        events = self._engine.generate(
            messages, max_tokens=max_tokens, sampling=sampling, continue_last=continued, cancel=cancel
        )
        try:
            for event in events:
                if isinstance(event, LoadProgress | ModelLoaded):
                    continue
                if isinstance(event, TextDelta):
                    draft.append(event.text)
                if isinstance(event, Finished):
                    draft.finish(_STATES.get(event.stats.finish_reason, MessageState.COMPLETE), event)
                yield event
        except AppError:
            draft.give_up(MessageState.INTERRUPTED if draft.text else MessageState.FAILED)
            raise
        finally:
            draft.give_up(MessageState.INTERRUPTED)

    def _messages_up_to(self, answer: StoredMessage, *, include_last: bool) -> list[Message]:
        """What the model is shown: the system prompt, and the branch that leads to this answer."""
        conversation = self._conversations.get(answer.conversation_id)
        system = conversation.system_prompt if conversation else ""
        branch: list[StoredMessage] = []
        step = answer if include_last else self._parent(answer)
        while step is not None:
            branch.append(step)
            step = self._parent(step)
        return _turns(system, reversed(branch))

    def _parent(self, message: StoredMessage) -> StoredMessage | None:
        return None if message.parent_id is None else self._conversations.message(message.parent_id)

    def _options(self, conversation_id: int) -> tuple[Sampling, int]:
        conversation = self._conversations.get(conversation_id)
        defaults = self._settings().chat
        temperature = conversation.temperature if conversation else None
        if temperature is None and defaults.temperature >= 0:
            temperature = defaults.temperature
        return Sampling(temperature=temperature), defaults.max_tokens

    def _stored(self, message_id: int) -> StoredMessage:
        message = self._conversations.message(message_id)
        if message is None:
            raise KeyError(message_id)
        return message

    def _model(self) -> str:
        loaded = self._engine.loaded
        return loaded.name if loaded else ""


def _turns(system: str, branch: Iterable[StoredMessage]) -> list[Message]:
    """Turns as templates want them: an answer that never began is left out, neighbours of one role are joined."""
    turns = [Message(Role.SYSTEM, system)] if system.strip() else []
    for stored in branch:
        if not stored.text and stored.role is Role.ASSISTANT:
            continue
        if turns and turns[-1].role is stored.role:
            turns[-1] = Message(stored.role, f"{turns[-1].text}\n\n{stored.text}")
        else:
            turns.append(Message(stored.role, stored.text))
    return turns


class _Draft:
    """The text of an answer while it is written, saved at most `SAVE_EVERY_S` behind."""

    def __init__(self, conversations: Conversations, message_id: int, text: str) -> None:
        self.text = text
        self._conversations = conversations
        self._message_id = message_id
        self._saved_at_s = time.monotonic()
        self._open = True

    def append(self, text: str) -> None:
        self.text += text
        now_s = time.monotonic()
        if now_s - self._saved_at_s >= SAVE_EVERY_S:
            self._conversations.save_text(self._message_id, self.text)
            self._saved_at_s = now_s

    def finish(self, state: MessageState, event: Finished | None = None) -> None:
        self._open = False
        self._conversations.finish_message(self._message_id, self.text, state, event.stats if event else None)

    def give_up(self, state: MessageState) -> None:
        """Keeps what is there when the loop was left early; a disk that refuses that too is only logged."""
        if not self._open:
            return
        try:
            self.finish(state)
        except AppError as error:
            log.error("the end of answer %d was not saved: %s", self._message_id, type(error).__name__)
