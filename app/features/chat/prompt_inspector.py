"""Show what a model saw or would see: the parts of a prompt with their tokens, and how documents fit into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from app.core.events import CancelToken, Message, PromptProgress, Role, TokenChosen, TokenSeen
from app.core.lazy_dataclasses import dataclass, replace
from app.engine.protocol import Ask
from app.features.chat.attached_documents import DOCUMENTS_SHARE, AttachedDocuments
from app.features.chat.branches import branch_to
from app.features.chat.context_fitting import PromptBreakdown, PromptView, system_text
from app.features.chat.prompt_builder import PromptBuilder, hidden_ids
from app.features.document_frames import whole_text
from app.features.document_library import DocumentLibrary
from app.store.attachments import Attachment, DocumentUse
from app.store.conversation_row import Conversation
from app.store.conversations import Conversations, StoredMessage

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.engine.protocol import MediaCount
    from app.features.media import MediaLibrary
    from app.features.projects import ChatPreambles
    from app.store.media_store import MediaUse

SYSTEM, INSTRUCTIONS, DOCUMENTS, MEMORIES = "system", "instructions", "documents", "memories"
CARRIED, PINNED, RECALLED, QUESTION, ANSWER, MESSAGE = "carried", "pinned", "recalled", "question", "answer", "message"
TEMPLATE, ATTACHED = "template", "attached"
OFF_TOKENS = 16
"""Counting part by part may say a few tokens more than the whole has."""


@dataclass(frozen=True)
class SeenPart:
    """A part of the prompt; `kind` is one of the names above, "template" being overhead without text.

    `instructions` and `documents` are the project's. A message's text includes its documents but for the `attached`
    that go before instructions; recalled turns are a separate part before it.
    """

    kind: str
    text: str
    tokens: int


@dataclass(frozen=True)
class SeenPrompt:
    """The parts in their order. `tokens` is what they take now, `told_tokens` what the engine said then, 0 for nothing.

    `hidden` are the messages that were not shown.
    """

    parts: tuple[SeenPart, ...]
    tokens: int
    told_tokens: int
    hidden: int

    @property
    def is_exact(self) -> bool:
        """True if nothing changed since: instructions, documents, the model that counts."""
        # Counting part by part may be off by a few tokens, so a small difference is none.
        return not self.told_tokens or abs(self.tokens - self.told_tokens) <= OFF_TOKENS

    @property
    def text(self) -> str:
        """The whole prompt, for copying."""
        return "\n\n".join(part.text for part in self.parts if part.text)


def seen_of(
    shown: PromptView, system: str, count: Callable[[Sequence[str]], Sequence[int]], told_tokens: int = 0
) -> SeenPrompt:
    """Split a view into parts; `count` returns the tokens of each text on its own."""
    preamble = shown.preamble
    moved, said = shown.split_leading(system_text(preamble.system_message(system), shown.carried))
    found = [
        (ATTACHED, moved),
        (DOCUMENTS, preamble.documents),
        (INSTRUCTIONS, preamble.instructions),
        (MEMORIES, preamble.memories),
        (SYSTEM, system.strip()),
        (CARRIED, system_text("", shown.carried)),
    ]
    for number, prompt_message in enumerate(said, 1):
        kind = QUESTION if prompt_message.role is Role.USER else ANSWER
        # The last question is the message itself.
        kind = PINNED if prompt_message.pinned else MESSAGE if number == len(said) and kind == QUESTION else kind
        found += [(RECALLED, prompt_message.recalled), (kind, prompt_message.text)]
    found = [(kind, text) for kind, text in found if text]
    parts = [
        SeenPart(kind, text, tokens)
        for (kind, text), tokens in zip(found, count([text for _, text in found]), strict=True)
    ]
    # What no part explains is the template's.
    rest = max(shown.tokens, 0) - sum(part.tokens for part in parts)
    if rest > 0:
        parts.append(SeenPart(TEMPLATE, "", rest))
    return SeenPrompt(tuple(parts), shown.tokens, told_tokens, len(shown.hidden))


@dataclass(frozen=True)
class DocumentFit:
    """A document's tokens in the next prompt, and the room for it.

    `most_tokens` is the room without the other documents.
    """

    tokens: int
    room_tokens: int
    most_tokens: int = 0

    @property
    def is_whole(self) -> bool:
        """True if the whole document fits."""
        return self.tokens <= self.room_tokens


class PromptInspector:
    """Break down the next prompt and those of past answers; from any thread. Stores nothing."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        conversations: Conversations,
        documents: DocumentLibrary,
        attached: AttachedDocuments,
        preambles: ChatPreambles,
        *,
        prompts: Callable[[], PromptBuilder],
        asking: Callable[[Conversation | None, PromptView], dict[str, Any]],
        media: Callable[[], MediaLibrary],
    ) -> None:
        """`asking` returns the fields of `Ask` other than the messages."""
        self._media = media
        self._engine, self._conversations, self._documents = engine, conversations, documents
        self._attached, self._preambles, self._prompts, self._asking = attached, preambles, prompts, asking

    def inspect_answer(self, answer_id: int, cancel: CancelToken) -> SeenPrompt:
        """Reconstruct the parts of an answer's prompt as far as possible; not for surveys, which used many prompts.

        Raises KeyError if it is gone, and NoModel.
        """
        answer = self._stored_message(answer_id)
        conversation = self._conversations.get(answer.conversation_id)
        # Without the answer itself: the prompt ended before it.
        before = branch_to(self._conversations, answer)[:-1]
        told = answer.stats.prompt_tokens if answer.stats is not None else 0
        shown = self._prompts().view_past(conversation, before, told, cancel)
        return seen_of(shown, conversation.system_prompt if conversation else "", self._prompts().tokens_of, told)

    def inspect_next(
        self, conversation_id: int | None, draft: str, planned: Conversation | None = None
    ) -> SeenPrompt | None:
        """Break down the next prompt into its texts, arguments as in `break_down`; None without a loaded model."""
        if self._engine().loaded is None:
            return None
        conversation, branch = self._conversation_and_branch(conversation_id, planned)
        attachments = self._documents.attachments.in_draft(conversation_id)
        uses = self._conversations.media.in_draft(conversation_id)
        shown = self._prompts().view_next(conversation, branch, draft, attachments, uses)
        return seen_of(shown, conversation.system_prompt if conversation else "", self._prompts().tokens_of)

    def reread_answer(
        self, answer_id: int, cancel: CancelToken, *, most: int = 8
    ) -> Iterator[TokenSeen | PromptProgress]:
        """Yield each token of an answer with the `most` likeliest alternatives: the model reads prompt and answer
        again. Stores nothing. Raises the errors of answering, and ModelNotInspectable.
        """
        answer, asked = self._stored_message(answer_id), self.rebuild_ask(answer_id, cancel)
        # The stored answer is read by the model as it was written.
        ask = replace(
            asked,
            messages=[*asked.messages, Message(Role.ASSISTANT, answer.text)],
            max_tokens=len(answer.text.encode()),  # a token has a byte or more
            tells_last=True,
            alternatives=most,
        )
        for event in self._engine().answer(ask, cancel):
            if isinstance(event, TokenChosen):
                yield event.token
            elif isinstance(event, PromptProgress):
                yield event

    def rebuild_ask(self, message_id: int, cancel: CancelToken) -> Ask:
        """Rebuild the engine request of an answer as far as known; for a question, what it would be.

        Raises KeyError if it is gone, and NoModel.
        """
        message = self._stored_message(message_id)
        conversation = self._conversations.get(message.conversation_id)
        branch = branch_to(self._conversations, message)
        shown = self._prompts().view_branch(
            conversation, branch[:-1] if message.role is Role.ASSISTANT else branch, cancel
        )
        messages = shown.messages(conversation.system_prompt if conversation else "")
        if any(message.media for message in messages):
            messages = self._media().decode_messages(messages)
        return Ask(messages, **self._asking(conversation, shown))

    def break_down(
        self, conversation_id: int | None, draft: str, planned: Conversation | None = None
    ) -> PromptBreakdown | None:
        """Break down the prompt with `draft` as the next message;

        None without a loaded model. `planned` is a conversation not stored yet (`conversation_id` None).
        """
        if self._engine().loaded is None:
            return None
        conversation, branch = self._conversation_and_branch(conversation_id, planned)
        attachments = self._documents.attachments.in_draft(conversation_id)
        uses = self._conversations.media.in_draft(conversation_id)
        return self._prompts().break_down(conversation, branch, draft, attachments, uses)

    def media_counts(self, uses: Sequence[MediaUse]) -> list[MediaCount]:
        """Count tokens of pictures and sounds; [] without a loaded model."""
        return self._prompts().media_counts(uses) if self._engine().loaded is not None else []

    def fit_of(
        self, attachment: Attachment, conversation_id: int | None, planned: Conversation | None = None
    ) -> DocumentFit | None:
        """Return how a draft's document fits next to the others; None without a loaded model."""
        if self._engine().loaded is None:
            return None
        document = self._documents.document_of(attachment)
        tokens = self._prompts().tokens_of([whole_text(document, self._documents.read_blocks(document.id))])[0]
        conversation, _ = self._conversation_and_branch(conversation_id, planned)
        others = [
            draft_attachment
            for draft_attachment in self._documents.attachments.in_draft(conversation_id)
            if draft_attachment.id != attachment.id
        ]
        # Without the branch: what a document may take doesn't depend on the turns so far.
        parts = self._prompts().break_down(conversation, [], "", others)
        most = int(parts.budget.prompt_tokens * DOCUMENTS_SHARE) - parts.fixed_tokens
        room = most - (parts.used_tokens - parts.fixed_tokens)
        return DocumentFit(tokens, max(0, room), max(0, most))

    def documents_beyond_context(self, conversation_id: int | None) -> list[int]:
        """Return all documents of a conversation and its draft if the model sees only passages of some; else none.

        Includes the project's; whether they fit is known only while a model is loaded.
        """
        conversation, branch = self._conversation_and_branch(conversation_id)
        drafted = self._documents.attachments.in_draft(conversation_id)
        hidden = hidden_ids(conversation, branch) if conversation is not None else ()
        is_beyond = any(
            attachment.use is DocumentUse.BACKGROUND for attachment in drafted
        ) or self._attached.are_searched(branch, hidden)
        # Whether a project's documents fit can only be said while a model is loaded.
        if not is_beyond and self._engine().loaded is not None:
            is_beyond = bool(self._prompts().searched_documents(conversation))
        ids = [*self._preambles.document_ids(conversation), *self._attached.documents_of(branch)]
        ids += [attachment.document_id for attachment in drafted]
        return list(dict.fromkeys(ids)) if is_beyond else []

    def documents_of(self, question_id: int) -> list[int]:
        """Return the ids of documents on the branch to a question, its project's included."""
        question = self._stored_message(question_id)
        around = self._preambles.document_ids(self._conversations.get(question.conversation_id))
        return list(dict.fromkeys([*around, *self._attached.documents_of(branch_to(self._conversations, question))]))

    def _conversation_and_branch(
        self, conversation_id: int | None, planned: Conversation | None = None
    ) -> tuple[Conversation | None, list[StoredMessage]]:
        """Return a conversation with its branch; `planned` and no messages without an id."""
        if conversation_id is None:
            return planned, []
        conversation = self._conversations.get(conversation_id)
        return conversation, self._conversations.read_branch(conversation_id) if conversation is not None else []

    def _stored_message(self, message_id: int) -> StoredMessage:
        if (message := self._conversations.get_message(message_id)) is None:
            raise KeyError(message_id)
        return message
