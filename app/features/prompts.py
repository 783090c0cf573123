"""Prompts of stored conversations: counted with the loaded model's tokenizer, and made to fit its context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.core.events import CancelToken, Message, ModelLoaded, Role
from app.core.settings import Settings
from app.engine.client import EngineClient
from app.features import context
from app.features.attached import DOCUMENTS_SHARE, Attached
from app.features.context import Budget, Parts, Said, View
from app.features.options import max_tokens_of, will_think
from app.features.token_counts import TokenCounts
from app.store.conversations import Attachment, Conversation, StoredMessage

LARGEST_FRAME_TOKENS = 32
"""More than templates put around one message."""
NOTHING = Budget(0, 0, 0)


class Prompts:
    """Knows what the model is shown of a branch; stores nothing."""

    def __init__(self, engine: EngineClient, settings: Callable[[], Settings], attached: Attached) -> None:
        self._engine = engine
        self._settings = settings
        self._attached = attached
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
        room = int(budget.prompt_tokens * DOCUMENTS_SHARE)
        self._attached.decide(branch, lambda: room - self._counts.fixed(system), self._counts.texts)
        self._choose_passages(branch, _hidden(branch, kept_id), budget)
        shown = self._fitted(conversation, branch, kept_id, budget, when_full)
        if shown.newly_hidden > 0 and self._choose_passages(branch, shown.hidden, budget):
            # A document just left the model's memory: its passages stand in for it, and need room too.
            shown = self._fitted(conversation, branch, kept_id, budget, when_full)
        return shown

    def _fitted(
        self,
        conversation: Conversation | None,
        branch: Sequence[StoredMessage],
        kept_id: int | None,
        budget: Budget,
        when_full: str,
    ) -> View:
        system = conversation.system_prompt if conversation else ""
        texts = self._attached.texts(_sent(branch))
        if kept_id is None and _surely_fits(system, texts, budget):
            return context.view(_uncounted(branch, texts), None, 0, budget, when_full)
        return context.fit(self._counted(branch, texts), kept_id, self._counts.fixed(system), budget, when_full)

    def _choose_passages(self, branch: Sequence[StoredMessage], hidden: Sequence[int], budget: Budget) -> bool:
        return self._attached.choose_passages(branch, hidden, budget.prompt_tokens, self._counts.texts)

    def parts(
        self,
        conversation: Conversation | None,
        system: str,
        branch: Sequence[StoredMessage],
        draft: str,
        attachments: Sequence[Attachment] = (),
    ) -> Parts:
        """A prompt with `draft` and its attachments as the next message, as things are; raises NoModel."""
        budget = self._budget(conversation, self._counts.model())
        kept_id = _kept_id(branch, conversation)
        fixed = self._counts.fixed(conversation.system_prompt if conversation else system)
        texts = self._attached.texts(_sent(branch))
        shown = context.view(self._counted(branch, texts), kept_id, fixed, budget, self._settings().chat.when_full)
        bare = self._counts.messages([Message(Role.USER, draft)])[0] if draft.strip() else 0
        whole = self._attached.message_text(draft, attachments)
        message = self._counts.messages([Message(Role.USER, whole)])[0] if whole.strip() else 0
        documents = self._documents_tokens(branch, shown)
        parts = context.parts_of(shown, bare, budget)
        pinned, earlier = max(0, parts.pinned - documents[0]), max(0, parts.earlier - documents[1])
        return replace(parts, pinned=pinned, earlier=earlier, documents=sum(documents) + message - bare)

    def tokens_of(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text by itself; raises NoModel."""
        return self._counts.texts(texts)

    def _documents_tokens(self, branch: Sequence[StoredMessage], shown: View) -> tuple[int, int]:
        """What documents take in what is shown: in pinned messages, and in others."""
        pinned_ids = {one.id: one.pinned for one in shown.said}
        sent = [one for one in _sent(branch) if one.id in pinned_ids]
        texts = self._attached.texts(sent)
        with_some = [(one, text) for one, text in zip(sent, texts, strict=True) if text != one.text]
        whole = self._counts.texts([text for _, text in with_some])
        bare = self._counts.texts([one.text for one, _ in with_some])
        found = {True: 0, False: 0}
        for (one, _), all_tokens, own_tokens in zip(with_some, whole, bare, strict=True):
            found[pinned_ids[one.id]] += all_tokens - own_tokens
        return found[True], found[False]

    def _budget(self, conversation: Conversation | None, loaded: ModelLoaded) -> Budget:
        settings = self._settings()
        is_thinking = will_think(conversation, settings, loaded)
        max_tokens = max_tokens_of(conversation, settings)
        return context.budget_for(loaded.context_tokens, max_tokens, is_thinking=is_thinking)

    def _counted(self, branch: Sequence[StoredMessage], texts: Sequence[str]) -> list[Said]:
        sent = _sent(branch)
        counts = self._counts.messages([Message(one.role, text) for one, text in zip(sent, texts, strict=True)])
        return [
            Said(one.id, one.role, text, count, one.pinned)
            for one, text, count in zip(sent, texts, counts, strict=True)
        ]


def hidden_ids(conversation: Conversation, branch: Sequence[StoredMessage]) -> tuple[int, ...]:
    """The messages of a branch that the model is not shown."""
    return _hidden(branch, _kept_id(branch, conversation))


def _hidden(branch: Sequence[StoredMessage], kept_id: int | None) -> tuple[int, ...]:
    return context.view(_uncounted(branch), kept_id, 0, NOTHING, "rolling").hidden


def _kept_id(branch: Sequence[StoredMessage], conversation: Conversation | None) -> int | None:
    """Where the model's memory begins; None where that is not on this branch: another version was written above it."""
    first_kept_id = conversation.first_kept_id if conversation else None
    return first_kept_id if any(one.id == first_kept_id for one in branch) else None


def _sent(branch: Sequence[StoredMessage]) -> list[StoredMessage]:
    """Without answers that never began."""
    return [one for one in branch if one.text or one.role is not Role.ASSISTANT]


def _uncounted(branch: Sequence[StoredMessage], texts: Sequence[str] = ()) -> list[Said]:
    sent = _sent(branch)
    shown = texts or [one.text for one in sent]
    return [Said(one.id, one.role, text, 0, one.pinned) for one, text in zip(sent, shown, strict=True)]


def _surely_fits(system: str, texts: Sequence[str], budget: Budget) -> bool:
    """A token is at least a byte: a short conversation need not be counted before its first token."""
    return sum(len(text.encode()) + LARGEST_FRAME_TOKENS for text in [system, *texts]) <= budget.prompt_tokens // 2
