"""Prompts of stored conversations: counted with the loaded model's tokenizer, and made to fit its context."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.core.cancel import CancelToken
from app.core.events import ModelLoaded
from app.core.messages import Message, Role
from app.core.settings import Settings
from app.engine.client import EngineClient
from app.features import context
from app.features.context import Budget, Parts, Said, View
from app.features.options import will_think
from app.features.token_counts import TokenCounts
from app.store.conversations import Conversation, StoredMessage

LARGEST_FRAME_TOKENS = 32
"""More than templates put around one message."""
NOTHING = Budget(0, 0, 0)


class Prompts:
    """Knows what the model is shown of a branch; stores nothing."""

    def __init__(self, engine: EngineClient, settings: Callable[[], Settings]) -> None:
        self._engine = engine
        self._settings = settings
        self._counts = TokenCounts(engine)

    def fitting(
        self, conversation: Conversation | None, branch: Sequence[StoredMessage], cancel: CancelToken, when_full: str
    ) -> View:
        """What is shown of a branch so that it fits; raises PromptTooLong. Cancelled, nothing is counted."""
        self._counts.wait_for_model(cancel)
        loaded = self._engine.loaded
        kept_id = _kept_id(branch, conversation)
        if loaded is None or cancel.cancelled:
            return context.view(_uncounted(branch), kept_id, 0, NOTHING, "rolling")
        budget = self._budget(conversation, loaded)
        system = conversation.system_prompt if conversation else ""
        if kept_id is None and _surely_fits(system, branch, budget):
            return context.view(_uncounted(branch), None, 0, budget, when_full)
        fixed = self._counts.fixed(system)
        return context.fit(self._counted(branch), kept_id, fixed, budget, when_full)

    def parts(
        self, conversation: Conversation | None, system: str, branch: Sequence[StoredMessage], draft: str
    ) -> Parts:
        """A prompt with `draft` as the next message, as things are; raises NoModel."""
        budget = self._budget(conversation, self._counts.model())
        kept_id = _kept_id(branch, conversation)
        fixed = self._counts.fixed(conversation.system_prompt if conversation else system)
        shown = context.view(self._counted(branch), kept_id, fixed, budget, self._settings().chat.when_full)
        message = self._counts.messages([Message(Role.USER, draft)])[0] if draft.strip() else 0
        return context.parts_of(shown, message, budget)

    def _budget(self, conversation: Conversation | None, loaded: ModelLoaded) -> Budget:
        settings = self._settings()
        is_thinking = will_think(conversation, settings, loaded)
        return context.budget_for(loaded.context_tokens, settings.chat.max_tokens, is_thinking=is_thinking)

    def _counted(self, branch: Sequence[StoredMessage]) -> list[Said]:
        sent = _sent(branch)
        counts = self._counts.messages([Message(one.role, one.text) for one in sent])
        return [Said(one.id, one.role, one.text, count, one.pinned) for one, count in zip(sent, counts, strict=True)]


def hidden_ids(conversation: Conversation, branch: Sequence[StoredMessage]) -> tuple[int, ...]:
    """The messages of a branch that the model is not shown."""
    kept_id = _kept_id(branch, conversation)
    return context.view(_uncounted(branch), kept_id, 0, NOTHING, "rolling").hidden


def _kept_id(branch: Sequence[StoredMessage], conversation: Conversation | None) -> int | None:
    """Where the model's memory begins; None where that is not on this branch: another version was written above it."""
    first_kept_id = conversation.first_kept_id if conversation else None
    return first_kept_id if any(one.id == first_kept_id for one in branch) else None


def _sent(branch: Sequence[StoredMessage]) -> list[StoredMessage]:
    """Without answers that never began."""
    return [one for one in branch if one.text or one.role is not Role.ASSISTANT]


def _uncounted(branch: Sequence[StoredMessage]) -> list[Said]:
    return [Said(one.id, one.role, one.text, 0, one.pinned) for one in _sent(branch)]


def _surely_fits(system: str, branch: Sequence[StoredMessage], budget: Budget) -> bool:
    """A token is at least a byte: a short conversation need not be counted before its first token."""
    texts = [system, *(one.text for one in branch)]
    return sum(len(text.encode()) + LARGEST_FRAME_TOKENS for text in texts) <= budget.prompt_tokens // 2
