"""Chat: questions and answers in the store, each answer a generator of typed events.

An answer is saved while it is written, at least once a second, so that a crash or a power cut costs
no more than that; whatever ends it leaves its text and a state that says how it ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.app_error import AppError
from app.core.events import (
    CANCELLED,
    AnswerStats,
    CancelToken,
    Finished,
    FinishReason,
    LookProgress,
    Message,
    ModelElsewhere,
    PromptProgress,
    Role,
    TextDelta,
    TokenChosen,
    Waiting,
)
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass, replace
from app.core.visible import clean_text, visible_name
from app.engine.states import name_documents
from app.features.chat.answer_draft import AnswerDraft, write_to_draft
from app.features.chat.attached_documents import AttachedDocuments
from app.features.chat.branches import branch_to
from app.features.chat.chat_options import options_for, own_model, uses_tools
from app.features.chat.context_fitting import PromptView
from app.features.chat.message_versions import MessageVersions
from app.features.chat.passage_judge import JudgedPrompt, PassageJudge
from app.features.chat.prompt_builder import PromptBuilder, hidden_ids
from app.features.chat.titles import first_words
from app.features.chat.tool_steps import AnswerSteps
from app.features.document_library import DocumentLibrary
from app.features.projects import TOLD_ASSISTANT, TOLD_DOCUMENT, ChatPreambles, model_of
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations, MessageState, StoredMessage

if TYPE_CHECKING:
    from app.core.settings import Settings
    from app.engine.contract import Engine
    from app.features.chat.prompt_inspector import PromptInspector
    from app.features.media import MediaLibrary
    from app.features.models.model_pool import ModelPool
    from app.store.queued import QueuedMessage


log = logging.getLogger(__name__)

AnswerWithTools = Callable[
    ["AnswerService", Sequence[Message], Mapping[str, Any], AnswerSteps, CancelToken], Iterator[Any]
]
"""Answers messages with the tools of a chat, and fills in the steps; what is before them are other fields of `Ask`."""
LendChatEngine = Callable[["Path | None", CancelToken], AbstractContextManager["Engine | None"]]
TITLE_CHARACTERS = 48
SESSION = "chat-{}"
"""Engine's name of a conversation's KV snapshot; filled with its id."""


@dataclass(frozen=True)
class AnswerStarted:
    """Event: the answer has its row in the store, and grows in its draft."""

    draft: AnswerDraft

    @property
    def message_id(self) -> int:
        return self.draft.message_id


@dataclass(frozen=True)
class ContextCompacted:
    """Earlier turns have just left the model's memory: `dropped` messages; the prompt takes `kept_tokens`."""

    dropped: int
    kept_tokens: int


@dataclass(frozen=True)
class ContextWidened:
    """Event: the context grew, so messages that were left out are shown to the model again."""


@dataclass(frozen=True)
class ContextIsFull:
    """Final event if the settings say to ask first: nothing was sent, the question is stored.

    `message_id` is the question, or the answer to continue.
    """

    message_id: int


@dataclass(frozen=True)
class DocumentsShown:
    """Event: passages of documents and recalled turns have been chosen for a question."""

    question_id: int


ContextEvent = ContextCompacted | ContextWidened | ContextIsFull
AnswerEvent = (
    AnswerStarted
    | ContextEvent
    | DocumentsShown
    | PromptProgress
    | LookProgress
    | Waiting
    | TextDelta
    | TokenChosen
    | Finished
)


def title_from(text: str, characters: int = TITLE_CHARACTERS) -> str:
    """Make a title from a question's first words, cut at a word, at most `characters` long."""
    line = " ".join(text.split())
    if len(line) <= characters:
        return line
    cut = line[:characters]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,.;:") + "…"


class AnswerService:
    """Ask, regenerate and continue; owns no thread and no queue.

    The engine is fetched only for a request: a chat can be shown before there is one. A temporary chat's store is in
    memory, and the engine stores no snapshots of it.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        conversations: Conversations,
        documents: DocumentLibrary,
        settings: Callable[[], Settings],
        preambles: ChatPreambles,
        *,
        media: Callable[[], MediaLibrary],
        lend: LendChatEngine | None = None,
        usual_model: Callable[[], Path | None] = lambda: None,
        name_of: Callable[[Path], str] | None = None,
        is_temporary: bool = False,
        answer_with_tools: AnswerWithTools | None = None,
        forget_session: Callable[[str], object] | None = None,
    ) -> None:
        """`answer_with_tools` answers in chats whose tools are switched on; without it they never are.

        `forget_session` deletes what all engines hold of a session; without it, only `engine` is asked to.

        `lend` leases the engine with a chat's own model, or as it is for None; without it, `engine` is a leased one.

        `usual_model` answers in conversations without their own model;

        None uses the loaded one. `name_of` gives the model's name under answers; without it, the name in its
        metadata.
        """
        self.preambles, self.conversations, self.documents = preambles, conversations, documents
        self.versions = MessageVersions(conversations, documents.attachments)
        self.is_temporary, self._answer_with_tools, self._get_engine = is_temporary, answer_with_tools, engine
        self._settings, self._usual_model, self._name_of = settings, usual_model, name_of
        self._get_media, self._lend = media, lend or (lambda _model, _cancel: nullcontext(engine()))
        self._forget_session = forget_session or (lambda session: engine().forget_session(session))
        self._attached = AttachedDocuments(documents, conversations.media)
        self._judge = PassageJudge(self._attached, engine)

    @property
    def media(self) -> MediaLibrary:
        """Pictures of its messages."""
        return self._get_media()

    @property
    def engine(self) -> Engine:
        """The engine that answers, fetched at each use."""
        return self._get_engine()

    @cached_property
    def _prompts(self) -> PromptBuilder:
        return PromptBuilder(self.engine, self._settings, self._attached, self.preambles)

    @cached_property
    def looks(self) -> PromptInspector:
        """Inspector of what prompts consist of."""
        from app.features.chat.prompt_inspector import PromptInspector  # not needed before the window is seen

        return PromptInspector(
            self._get_engine,
            self.conversations,
            self.documents,
            self._attached,
            self.preambles,
            prompts=lambda: self._prompts,
            asking=self._ask_fields,
            media=self._get_media,
        )

    def add_question(self, conversation_id: int, text: str, *, draft_of: int | None = 0) -> StoredMessage:
        """Store a question below the last message, and title an untitled conversation with it.

        `draft_of` is the draft whose documents it takes: a conversation's, or None for a new chat's.
        """
        uses = self.conversations.media.in_draft(draft_of) if draft_of != 0 else []
        return self._add_question(conversation_id, text, [use.name for use in uses], draft_of=draft_of)

    def send_queued(self, message: QueuedMessage) -> StoredMessage:
        """Turn a queued message into a question at the end of its conversation, with its documents."""
        names = [visible_name(name) for _, name, _ in message.media]
        return self._add_question(message.conversation_id, message.text, names, queued_id=message.id)

    def _add_question(
        self, conversation_id: int, text: str, pictures: Sequence[str], *, draft_of: int | None = 0, queued_id: int = 0
    ) -> StoredMessage:
        conversation = self.conversations.get(conversation_id)
        title = ""
        if conversation is not None and not conversation.title:
            # Greetings are left out; a picture without a word is named by its file.
            title = first_words(clean_text(text)) or title_from(join_entries(pictures))
        leaf_id = conversation.leaf_id if conversation else None
        return self.conversations.add_message(
            conversation_id, leaf_id, Role.USER, text, title=title, draft_of=draft_of, queued_id=queued_id
        )

    def answer(
        self,
        question_id: int,
        cancel: CancelToken,
        *,
        when_full: str = "",
        alternatives: int = -1,
        model: Path | None = None,
    ) -> Iterator[AnswerEvent]:
        """Answer a question; asked again, add another version.

        `when_full` overrides the setting of that name: compact, rolling or ask. `alternatives` as in `Ask`. `model`
        answers in place of the conversation's.
        """
        question = self.versions.get_stored(question_id)
        answer = self.conversations.add_message(
            question.conversation_id,
            question_id,
            Role.ASSISTANT,
            "",
            state=MessageState.WRITING,
            model=self._model_name(),
        )
        yield from self._write_answer(answer, cancel, when_full, alternatives=alternatives, model=model)

    def continue_answer(
        self, answer_id: int, cancel: CancelToken, *, when_full: str = "", alternatives: int = -1
    ) -> Iterator[AnswerEvent]:
        """Continue an answer that stopped early, appending to the stored text."""
        answer = self.versions.get_stored(answer_id)
        self.versions.finish_answer(
            replace(answer, stats=None), MessageState.WRITING
        )  # a crash would leave less than there is
        yield from self._write_answer(answer, cancel, when_full, alternatives=alternatives)

    def answer_from(
        self, answer_id: int, text: str, tokens: Sequence[int], cancel: CancelToken, *, alternatives: int = -1
    ) -> Iterator[AnswerEvent]:
        """Start a new version of an answer with `text` and then these tokens, and let the model continue.

        It has the same thinking.
        """
        old = self.versions.get_stored(answer_id)
        answer = self.conversations.add_message(
            old.conversation_id,
            old.parent_id,
            Role.ASSISTANT,
            text,
            state=MessageState.WRITING,
            model=self._model_name(),
        )
        answer = replace(answer, thinking=old.thinking, thinking_s=old.thinking_s)
        when_full = self._settings().chat.when_full
        when_full = "compact" if when_full == "ask" else when_full  # the answer that it follows had room
        yield from self._write_answer(answer, cancel, when_full, forced=tuple(tokens), alternatives=alternatives)

    def with_engine(self, engine: Engine) -> AnswerService:
        """Return a service for the same chats with another engine."""
        return AnswerService(
            lambda: engine,
            self.conversations,
            self.documents,
            self._settings,
            self.preambles,
            media=self._get_media,
            name_of=self._name_of,
            is_temporary=self.is_temporary,
            answer_with_tools=self._answer_with_tools,
        )

    def lease_engine(
        self, conversation_id: int, cancel: CancelToken, model: Path | None = None
    ) -> AbstractContextManager[Engine | None]:
        """Lease the engine with the model that answers in a conversation, or `model`; yields None when cancelled.

        Raises loading errors.
        """
        conversation = self.conversations.get(conversation_id)
        of_project = model_of(self.preambles.project_of(conversation))
        return self._lend(model or own_model(conversation) or of_project or self._usual_model(), cancel)

    def hidden_ids(self, conversation_id: int) -> tuple[int, ...]:
        """Return the ids of messages on the chosen branch that the model isn't shown."""
        conversation = self.conversations.get(conversation_id)
        return hidden_ids(conversation, self.conversations.read_branch(conversation_id)) if conversation else ()

    def forget_conversation(self, conversation_id: int) -> None:
        """After a conversation was deleted: what the engines keep of it goes too."""
        try:
            self._forget_session(SESSION.format(conversation_id))
        except AppError as error:  # the child ended, and what it had in memory with it
            log.info("a deleted chat's state could not be asked for: %s", type(error).__name__)

    def _write_answer(
        self,
        answer: StoredMessage,
        cancel: CancelToken,
        when_full: str,
        *,
        forced: tuple[int, ...] = (),
        alternatives: int,
        model: Path | None = None,
    ) -> Iterator[AnswerEvent]:
        goes_on = bool(answer.text) or bool(forced and answer.thinking)
        thinking = (answer.thinking, answer.thinking_s) if goes_on else ("", None)  # else it thinks anew
        draft = AnswerDraft(self.conversations, answer.id, answer.text, *thinking, model=self._model_name)
        # The row is there first: from here on whatever happens ends in a state that says so.
        try:
            yield AnswerStarted(draft)
            with self.lease_engine(answer.conversation_id, cancel, model) as engine:
                if engine is not None:
                    yield from self._generate(
                        answer,
                        draft,
                        cancel,
                        when_full=when_full,
                        goes_on=goes_on,
                        forced=forced,
                        alternatives=alternatives,
                    )
                    return
            # Stopped while its model was loading.
            draft.finish(MessageState.STOPPED)
            yield Finished(CANCELLED)
        except AppError:
            # What came so far stays as an interrupted answer.
            draft.give_up(MessageState.INTERRUPTED if draft.text else MessageState.FAILED)
            raise
        finally:
            # Also when the generator is closed halfway; after a proper end it does nothing.
            draft.give_up(MessageState.INTERRUPTED)

    def _generate(
        self,
        answer: StoredMessage,
        draft: AnswerDraft,
        cancel: CancelToken,
        *,
        when_full: str,
        goes_on: bool,
        forced: tuple[int, ...],
        alternatives: int,
    ) -> Iterator[AnswerEvent]:
        """Build the prompt and write the answer to the draft, with the leased engine."""
        conversation = self.conversations.get(answer.conversation_id)
        branch = branch_to(self.conversations, answer)
        when_full = when_full or self._settings().chat.when_full
        shown = self._prompts.build_fitting(conversation, branch, cancel, when_full)
        if conversation is not None and shown.newly_hidden:
            # Nothing was sent yet, so the question can be asked about first.
            if when_full == "ask" and shown.newly_hidden > 0:
                draft.give_up(MessageState.FAILED)
                yield self._take_back(answer)
                return
            # Stored before asking: after a crash the next prompt begins at the same turn.
            self.conversations.update(conversation.id, first_kept_id=shown.first_kept_id)
            yield _context_change(shown)
        has_documents = bool(shown.preamble.searched or self._attached.documents_of(branch))
        # Passages and recalled turns are shown with the question while the answer is still awaited.
        if keep_recalled(self.conversations, branch, shown) or has_documents:
            yield DocumentsShown(answer.parent_id or 0)
        sent = [*self.preambles.document_ids(conversation), *self._attached.documents_of(branch)]
        messages = shown.messages(conversation.system_prompt if conversation else "")
        # Asked with everything that is about to be sent: documents, passages and pictures of this very prompt.
        self.documents.let_out(sent, self.engine.loaded, names_of(self.conversations, messages, branch))
        before = self._written_before(answer) if answer.text else None
        # Pictures are decoded only now: counting needs none of them.
        messages = self.media.decode_messages(messages) if any(message.media for message in messages) else messages
        fields = self._ask_fields(conversation, shown)
        judged = JudgedPrompt(messages)
        if has_documents and not (goes_on or forced):
            judged = yield from self._judge.judge(branch, messages, fields, cancel)
        if judged.is_changed:
            yield DocumentsShown(answer.parent_id or 0)
        if cancel.cancelled:  # sent with a cancel behind it, a short answer might still come
            draft.finish(MessageState.STOPPED, Finished(before) if before else None)
            yield Finished(CANCELLED)
            return
        steps = AnswerSteps(answer.conversation_id, answer.parent_id)
        if self._answer_with_tools is not None and uses_tools_in(conversation, self.engine) and not (goes_on or forced):
            asked = {**fields, "alternatives": alternatives}
            events = self._answer_with_tools(self, judged.messages, asked, steps, cancel)
        else:
            # A forced beginning without text still continues an answer, an empty one.
            empty = [Message(Role.ASSISTANT, "")] if goes_on and not answer.text else []
            wishes = {"continue_last": goes_on, "forced": forced, "alternatives": alternatives}
            events = self.engine.generate([*judged.messages, *empty], cancel=cancel, **fields, **wishes)
        for event in write_to_draft(judged.with_reading(events), draft, before):
            if isinstance(event, Finished):
                # Before the end is told, so that who hears Finished finds the places.
                self._keep_sources(answer, draft.text, branch, sent, steps)
            yield event

    def _keep_sources(
        self, answer: StoredMessage, text: str, branch: Sequence[StoredMessage], sent: Sequence[int], steps: AnswerSteps
    ) -> None:
        """Keep what a finished answer rests on, of the documents that were sent and of those that tools found."""
        # What knows words takes a moment to import, and a start has nobody to ask it.
        from app.features.chat.answer_sources import keep_sources

        ids = [*sent, *steps.document_ids]
        keep_sources(self.conversations, self.documents, answer, text, branch, ids=ids, steps=steps.fields)

    def _written_before(self, answer: StoredMessage) -> AnswerStats | None:
        """Return the stats of the stored part of an answer; if it wasn't measured, count its tokens."""
        if answer.stats is not None:
            return replace(answer.stats, finish_reason=FinishReason.CANCELLED)
        try:
            tokens = self._prompts.tokens_of([answer.text])[0]
        except AppError as error:  # the answer itself will say what is wrong
            log.info("an answer's beginning was not counted: %s", type(error).__name__)
            return None
        return AnswerStats(0, 0, tokens, 0.0, 0.0, FinishReason.CANCELLED)

    def _take_back(self, answer: StoredMessage) -> ContextIsFull:
        """Undo an answer that wasn't requested: remove it, or restore its state."""
        if answer.text:
            self.versions.finish_answer(answer, answer.state)
            return ContextIsFull(answer.id)
        self.conversations.delete_message(answer.id)
        assert answer.parent_id is not None
        return ContextIsFull(answer.parent_id)

    def _ask_fields(self, conversation: Conversation | None, shown: PromptView) -> dict[str, Any]:
        """Return the fields of `Ask` decided by conversation and settings, and the session for KV snapshots (none for
        a temporary chat).
        """
        fields = options_for(conversation, self._settings(), self.engine.loaded)
        # A temporary chat leaves no state behind.
        if conversation is None or self.is_temporary:
            return fields
        name, common = name_documents(shown.leading.ids), shown.leading.text
        if not name:
            name, common = shown.preamble.session, shown.preamble.text
        assistant = () if conversation.assistant_id is None else (TOLD_ASSISTANT.format(conversation.assistant_id),)
        made_of = (*shown.preamble.made_of, *assistant, *map(TOLD_DOCUMENT.format, shown.leading.ids))
        own = {"session": SESSION.format(conversation.id), "made_of": made_of}
        return fields | own | ({"shared": name, "shared_characters": len(common)} if name else {})

    def _model_name(self) -> str:
        if (loaded := self.engine.loaded) is None:
            return ""
        is_here = self._name_of is not None and not isinstance(loaded, ModelElsewhere)  # whose name has its host
        return self._name_of(Path(loaded.path)) if self._name_of is not None and is_here else loaded.name


def uses_tools_in(conversation: Conversation | None, engine: Engine) -> bool:
    """Return whether tools are switched on in a chat, and the model that answers is one that runs here."""
    is_here = not isinstance(engine.loaded, ModelElsewhere)
    return is_here and conversation is not None and uses_tools(conversation.sampling)


def keep_recalled(conversations: Conversations, branch: Sequence[StoredMessage], shown: PromptView) -> bool:
    """Store which recalled turns are shown with the last question; return whether they changed."""
    question = next((message for message in reversed(branch) if message.role is Role.USER), None)
    if question is None or shown.recalled is None or shown.recalled == question.recalled:
        return False
    conversations.set_recalled(question.id, shown.recalled)
    return True


def names_of(
    conversations: Conversations, messages: Sequence[Message], branch: Sequence[StoredMessage]
) -> dict[str, str]:
    """Return the names of pictures shown with messages, by SHA-256."""
    shown = {media.id for message in messages for media in message.media}
    uses = conversations.media.of_messages([message.id for message in branch]) if shown else {}
    return {
        use.media.sha256: use.name
        for message_uses in uses.values()
        for use in message_uses
        if use.media.sha256 in shown
    }


def _context_change(shown: PromptView) -> ContextCompacted | ContextWidened:
    if shown.newly_hidden > 0:
        return ContextCompacted(shown.newly_hidden, shown.tokens)
    return ContextWidened()


def answer_beside(
    chats: AnswerService, pool: ModelPool, question_id: int, model: Path, cancel: CancelToken
) -> Iterator[AnswerEvent]:
    """Answer with a second model, next to the loaded one. Raises what leases and loading raise, too."""
    from app.features.models.pool_policy import LeasePriority

    with pool.lease(model, LeasePriority.PERSON, cancel) as engine:
        if engine is not None:
            yield from chats.with_engine(engine).answer(question_id, cancel, model=model)
