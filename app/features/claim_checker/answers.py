"""Check answers about documents in the background, if the user chose a checker.

Doubts are stored among the answer's citations (`app.features.retrieval.support`). Checking gives way to anyone
waiting for an answer; the interrupted answer is checked again afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.errors.model_errors import NoRoomForModel
from app.core.events import CancelToken, Role
from app.core.lazy_dataclasses import dataclass
from app.engine.contract import Engine
from app.features.chat.branches import branch_to
from app.features.claim_checker.checker import (
    MOST_PASSAGE_CHARACTERS,
    Span,
    find_unsupported,
    lease_checker,
    question_prompt,
)
from app.features.claim_checker.conversion import knows_language
from app.features.retrieval.choosing import FRAME_TOKENS, choose_passages
from app.features.retrieval.passage_embedder import YieldingToken
from app.features.retrieval.support import with_unsupported
from app.language.admissions import admits_absence
from app.language.language_detection import language_by_words
from app.language.sentences import split_sentences
from app.store.conversations import MessageState, StoredMessage
from app.store.document_store import DocumentStore

if TYPE_CHECKING:
    from app.features.chat.answer_service import AnswerService
    from app.features.models.model_pool import ModelPool

LOOK_EVERY_S = 0.05
_WRITTEN = (MessageState.COMPLETE, MessageState.STOPPED, MessageState.INTERRUPTED)

AnswerToCheck = tuple["AnswerService", int]
"""Whose chats, and the id of an answer in them."""


@dataclass(frozen=True)
class AnswerCheckProgress:
    """Event: an answer is being checked; `is_paused` while someone waits for an answer."""

    answer_id: int
    is_paused: bool = False


@dataclass(frozen=True)
class AnswerChecked:
    """An answer was read, or could not be; `unsupported` are stretches of its text, in characters."""

    answer_id: int
    unsupported: tuple[Span, ...] = ()


AnswerCheckEvent = AnswerCheckProgress | AnswerChecked


class AnswerChecker:
    """Checks answers.

    `path` returns the chosen checker, None without one; `pool` lends an engine with it. `is_answering` returns whether
    someone waits for an answer, by default from any engine of the pool.
    """

    def __init__(
        self, path: Callable[[], Path | None], pool: ModelPool, *, is_answering: Callable[[], bool] | None = None
    ) -> None:
        self._path, self._pool = path, pool
        self._is_answering = is_answering or (lambda: pool.broadcast.is_answering)

    def check_answers(
        self, next_answer: Callable[[], AnswerToCheck | None], cancel: CancelToken
    ) -> Iterator[AnswerCheckEvent]:
        """Check one answer after the other, until there is none or no checker is chosen.

        The checker is loaded for the first that has documents. Raises what loading and reading raise.
        """
        path = self._path()
        with ExitStack() as stack:
            engine: Engine | None = None
            # Loaded with the first answer that needs it, and kept for those that follow.
            while path is not None and not cancel.cancelled and (wanted := next_answer()) is not None:
                chats, answer_id = wanted
                if not chats.documents.store.is_open:  # a temporary chat was left
                    continue
                material = material_of(chats, answer_id)
                # A checker doubts everything in a language that it was not trained on.
                if material is None or not all(knows_language(path, language) for language in material.languages):
                    continue
                yield AnswerCheckProgress(answer_id)
                # Without room the answer stays unchecked: nobody asked for it.
                with suppress(NoRoomForModel):
                    engine = engine or stack.enter_context(lease_checker(self._pool, path, cancel))
                if engine is None:
                    return
                yield from self._check(engine, chats, material, path.stem, cancel)

    def _check(
        self, engine: Engine, chats: AnswerService, material: CheckMaterial, checker: str, cancel: CancelToken
    ) -> Iterator[AnswerCheckEvent]:
        answer, is_paused = material.answer, False
        while not cancel.cancelled:
            # Ends as soon as somebody waits for an answer; this one is checked again.
            turn = YieldingToken(cancel, self._is_answering)
            if not turn.cancelled:
                spans = find_unsupported(engine, material.prompt, answer.text, turn)
                if not turn.cancelled:
                    # "The document doesn't say" can't be borne out by the document.
                    spans = tuple(span for span in spans if not _is_admission(answer.text, span))
                    keep_unsupported(chats, answer, spans, checker)
                    yield AnswerChecked(answer.id, spans)
                    return
            if not is_paused and not cancel.cancelled:
                is_paused = True
                yield AnswerCheckProgress(answer.id, is_paused=True)
            # Polled, since answers begin anywhere.
            time.sleep(LOOK_EVERY_S)


@dataclass(frozen=True)
class CheckMaterial:
    """An answer with the prompt that shows a checker its question and passages, and the languages of both."""

    answer: StoredMessage
    prompt: str
    languages: tuple[str, ...]


def material_of(chats: AnswerService, answer_id: int) -> CheckMaterial | None:
    """Return what a checker has to read; None for an answer without words, or without documents."""
    answer = chats.conversations.get_message(answer_id)
    if answer is None or answer.state not in _WRITTEN or not answer.text.strip():
        return None
    # The branch of this answer, not the open one, which may be another by now.
    branch = branch_to(chats.conversations, answer)
    question = next((message for message in reversed(branch) if message.role is Role.USER), None)
    passages = passages_to_check(chats, branch, question, answer) if question is not None else []
    if question is None or not passages:
        return None
    languages = tuple(language_by_words(text) for text in (answer.text, "\n".join(passages)))
    return CheckMaterial(answer, question_prompt(question.text, passages), languages)


def passages_to_check(
    chats: AnswerService, branch: Sequence[StoredMessage], question: StoredMessage, answer: StoredMessage
) -> list[str]:
    """Return the texts an answer may rest on, as many as a checker can read: of each document the passages shown, or
    all of it; if that is too long, what fits question and answer best.
    """
    store = chats.documents.store
    conversation = chats.conversations.get(answer.conversation_id)
    attached = chats.documents.attachments.of_messages([message.id for message in branch])
    # The question knows which passages were shown with it.
    shown = {attachment.document_id: attachment.passages for attachment in attached.get(question.id, ())}
    ids = list(
        dict.fromkeys(
            [
                *(chats.preambles.document_ids(conversation) if conversation is not None else ()),
                *(attachment.document_id for message in branch for attachment in attached.get(message.id, ())),
            ]
        )
    )
    # Each document has the same room in what a checker can read.
    room = MOST_PASSAGE_CHARACTERS // max(1, len(ids))
    wanted = f"{question.text} {answer.text}"
    return [text for number in ids for text in _texts_of(store, number, shown.get(number, ()), wanted, room)]


def _texts_of(store: DocumentStore, document_id: int, shown: Sequence[int], wanted: str, room: int) -> list[str]:
    """Return the texts of the blocks shown (all blocks if none), the best matching ones if they exceed the room."""
    texts: list[str] = []
    left = room
    for block in store.some_blocks(document_id, list(shown)) if shown else store.every_block(document_id):
        texts.append(str(block["text"]))
        # Passages are numbered, which takes room as well.
        left -= len(texts[-1]) + FRAME_TOKENS
        if left < 0:
            break
    else:
        return texts
    # Too long: what fits question and answer best.
    chosen = choose_passages(store, document_id, wanted, room, lambda found: [len(text) for text in found])
    return [str(block["text"]) for block in store.some_blocks(document_id, chosen)]


def keep_unsupported(chats: AnswerService, answer: StoredMessage, spans: Sequence[Span], checker: str) -> None:
    """Keep with an answer what is not supported, unless it was changed meanwhile or is gone."""
    # Edited or continued meanwhile, its spans would mark other words.
    now = chats.conversations.get_message(answer.id)
    if now is None or now.text != answer.text or now.state is MessageState.WRITING:
        return
    if (sources := with_unsupported(now.sources, spans, checker)) != list(now.sources):
        chats.conversations.set_sources(answer.id, sources)


def _is_admission(text: str, span: Span) -> bool:
    """Return whether a range is in a sentence that admits that the documents don't say."""
    return any(
        start <= span[0] and span[1] <= end and admits_absence(text[start:end]) for start, end in split_sentences(text)
    )
