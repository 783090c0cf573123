"""What a model saw: the parts of one prompt, each with its exact text and its tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.events import CancelToken, Role
from app.features.chat.branches import branch_to

if TYPE_CHECKING:
    from app.engine.client import EngineClient
    from app.features.chat.prompts import Prompts, View
    from app.store.conversations import Attachments, Conversations

SYSTEM, INSTRUCTIONS, DOCUMENTS, MEMORIES = "system", "instructions", "documents", "memories"
CARRIED, PINNED, RECALLED, QUESTION, ANSWER, MESSAGE = "carried", "pinned", "recalled", "question", "answer", "message"
TEMPLATE = "template"
OFF_TOKENS = 16
"""Counting part by part may say a few tokens more than the whole has."""


@dataclass(frozen=True)
class SeenPart:
    """A stretch of the prompt: `kind` is one of the names above, the last of them what the template adds, in no text.

    `instructions` and `documents` are the project's. A message has its documents in its text; of one that brought
    forgotten turns back, these are a part before it.
    """

    kind: str
    text: str
    tokens: int


@dataclass(frozen=True)
class Seen:
    """The parts in their order. `tokens` is what they take now, `told_tokens` what the engine said then, 0 for nothing.

    `hidden` are the messages that were not shown.
    """

    parts: tuple[SeenPart, ...]
    tokens: int
    told_tokens: int
    hidden: int

    @property
    def is_exact(self) -> bool:
        """Whether nothing has changed since: instructions, documents, the model that counts."""
        return not self.told_tokens or abs(self.tokens - self.told_tokens) <= OFF_TOKENS

    @property
    def text(self) -> str:
        """All of it, to be copied."""
        return "\n\n".join(part.text for part in self.parts if part.text)


def seen_of(shown: View, system: str, count: Callable[[Sequence[str]], Sequence[int]], told_tokens: int = 0) -> Seen:
    """The parts of a view; `count` tells the tokens of each text by itself."""
    from app.features.chat.prompts import system_text  # which this package's other parts come with

    preamble = shown.preamble
    found = [
        (INSTRUCTIONS, preamble.instructions),
        (DOCUMENTS, preamble.documents),
        (MEMORIES, preamble.memories),
        (SYSTEM, system.strip()),
        (CARRIED, system_text("", shown.carried)),
    ]
    for number, one in enumerate(shown.said, 1):
        kind = QUESTION if one.role is Role.USER else ANSWER
        kind = PINNED if one.pinned else MESSAGE if number == len(shown.said) and kind == QUESTION else kind
        found += [(RECALLED, one.recalled), (kind, one.text)]
    found = [(kind, text) for kind, text in found if text]
    parts = [
        SeenPart(kind, text, tokens)
        for (kind, text), tokens in zip(found, count([text for _, text in found]), strict=True)
    ]
    rest = max(shown.tokens, 0) - sum(part.tokens for part in parts)
    if rest > 0:
        parts.append(SeenPart(TEMPLATE, "", rest))
    return Seen(tuple(parts), shown.tokens, told_tokens, len(shown.hidden))


class Looks:
    """Tells what prompts are made of: of the next one, and of those that were; from any thread, nothing is stored."""

    def __init__(
        self,
        engine: Callable[[], EngineClient],
        conversations: Conversations,
        attachments: Attachments,
        prompts: Callable[[], Prompts],
    ) -> None:
        self._engine, self._conversations = engine, conversations
        self._attachments, self._prompts = attachments, prompts

    def seen(self, answer_id: int, cancel: CancelToken) -> Seen:
        """The parts of the prompt that an answer was written to, as far as that can be told now.

        Not of one that was made of whole documents, in many prompts. Raises KeyError where it is gone, and NoModel.
        """
        answer = self._conversations.message(answer_id)
        if answer is None:
            raise KeyError(answer_id)
        conversation = self._conversations.get(answer.conversation_id)
        before = branch_to(self._conversations, answer)[:-1]
        told = answer.stats.prompt_tokens if answer.stats is not None else 0
        shown = self._prompts().seen(conversation, before, told, cancel)
        return seen_of(shown, conversation.system_prompt if conversation else "", self._prompts().tokens_of, told)

    def coming(
        self, conversation_id: int | None, system: str, draft: str, project_id: int | None = None
    ) -> Seen | None:
        """The parts of the next prompt, with arguments as those of `Chat.parts`; None without a loaded model."""
        if self._engine().loaded is None:
            return None
        conversation = self._conversations.get(conversation_id) if conversation_id is not None else None
        branch = self._conversations.path(conversation.id) if conversation is not None else []
        attachments = self._attachments.in_draft(conversation_id)
        shown = self._prompts().coming(conversation, system, branch, draft, attachments, project_id=project_id)
        return seen_of(shown, conversation.system_prompt if conversation else system, self._prompts().tokens_of)
