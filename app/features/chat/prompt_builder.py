"""Build the prompts of stored conversations, counted with the model's tokenizer and made to fit its context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.errors.request_errors import PromptTooLong
from app.core.events import Media, Message, Role
from app.features.chat.attached_documents import DOCUMENTS_SHARE
from app.features.chat.context_fitting import (
    ContextBudget,
    PromptBreakdown,
    PromptMessage,
    PromptView,
    budget_of,
    fit_prompt,
    parts_of,
    view_prompt,
    views_near,
)
from app.features.chat.token_counts import TokenCounts
from app.features.media import plan_media
from app.features.projects import DOCUMENTS_SHARE as PROJECTS_SHARE
from app.features.projects import MEMORIES_SHARE, ChatPreamble

if TYPE_CHECKING:
    from app.core.events import CancelToken, ModelLoaded
    from app.core.settings import Settings
    from app.engine.contract import Engine
    from app.engine.protocol import MediaCount
    from app.features.chat.attached_documents import AttachedDocuments
    from app.features.projects import ChatPreambles
    from app.store.attachments import Attachment
    from app.store.conversation_row import Conversation
    from app.store.conversations import StoredMessage
    from app.store.media_store import MediaUse

LARGEST_FRAME_TOKENS = 32
"""More than templates put around one message."""
NOTHING = ContextBudget(0, 0, 0)
Fitted = Callable[[Sequence["StoredMessage"]], PromptView]
"""The view, after older turns were dropped to make it fit."""


class PromptBuilder:
    """Knows what the model is shown of a branch; stores nothing."""

    def __init__(
        self, engine: Engine, settings: Callable[[], Settings], attached: AttachedDocuments, preambles: ChatPreambles
    ) -> None:
        self._engine, self._settings, self._attached, self._preambles = engine, settings, attached, preambles
        self._counts = TokenCounts(engine)

    def build_fitting(
        self, conversation: Conversation | None, branch: Sequence[StoredMessage], cancel: CancelToken, when_full: str
    ) -> PromptView:
        """Return a view of the branch that fits; raises PromptTooLong. Counts nothing when cancelled."""
        self._counts.wait_for_model(cancel)
        loaded = self._engine.loaded
        kept_id = _kept_id(branch, conversation)
        # Cancelled, or no model came: nothing is counted, and nothing is sent either.
        if loaded is None or cancel.cancelled:
            return view_prompt(_uncounted_messages(branch), kept_id, 0, NOTHING, "rolling")
        budget = self._context_budget(conversation, loaded)
        preamble = self._build_preamble(conversation, budget, _last_question(branch))
        system = conversation.system_prompt if conversation else ""
        room = int(budget.prompt_tokens * DOCUMENTS_SHARE)
        self._attached.decide_uses(
            branch, lambda: room - self._count_fixed(system, preamble, ()), self._counts.count_texts
        )
        self._choose_passages(branch, _hidden_messages(branch, kept_id), budget, preamble)
        # A continued answer keeps what was recalled for it; a new one is looked up anew.
        is_new = bool(branch) and not (branch[-1].role is Role.ASSISTANT and branch[-1].text)
        branch = _with_recalled(branch, ()) if is_new else branch

        def fitted(branch: Sequence[StoredMessage]) -> PromptView:
            return self._fit_view(system, preamble, branch, kept_id=kept_id, budget=budget, when_full=when_full)

        shown = fitted(branch)
        # Passages for documents that just left need room, so the view is made once more.
        if shown.newly_hidden > 0 and self._choose_passages(branch, shown.hidden, budget, preamble):
            # A document just left the model's memory: its passages stand in for it, and need room too.
            shown = fitted(branch)
        if is_new:
            shown = self._with_recalled_turns(shown, branch, fitted, budget, when_full)
        return replace(shown, preamble=preamble)

    def _with_recalled_turns(
        self, shown: PromptView, branch: Sequence[StoredMessage], fitted: Fitted, budget: ContextBudget, when_full: str
    ) -> PromptView:
        """Add hidden turns that the last question is about, if there is room."""
        recalled = self._recall_turns(shown, branch, _last_question(branch), budget, is_free=when_full == "ask")
        try:
            again = fitted(_with_recalled(branch, recalled)) if recalled else shown
        except PromptTooLong:  # without them it does fit
            recalled, again = (), shown
        return replace(again, recalled=recalled)

    def _recall_turns(
        self, shown: PromptView, branch: Sequence[StoredMessage], question: str, budget: ContextBudget, *, is_free: bool
    ) -> tuple[int, ...]:
        """Choose hidden messages to quote with a question. `is_free`: nothing else may be dropped for them."""
        if not shown.hidden or not self._settings().chat.recall:
            return ()
        from app.features.chat.recall import MOST_TOKENS, SHARE, choose_turns  # only long chats forget

        # What is carried along or quoted already isn't quoted again.
        seen = {prompt_message.id for prompt_message in shown.carried}
        visible = {message.id for message in shown.said}
        seen.update(number for message in branch if message.id in visible for number in message.recalled)
        wanted = frozenset(shown.hidden) - seen
        room = min(MOST_TOKENS, int(budget.prompt_tokens * SHARE))
        # Where a person is asked first, recalled turns may push nothing out.
        room = min(room, budget.prompt_tokens - shown.tokens) if is_free else room
        return tuple(choose_turns(question, _before_question(branch), wanted, room, self._counts.count_texts))

    def view_branch(
        self, conversation: Conversation | None, branch: Sequence[StoredMessage], cancel: CancelToken
    ) -> PromptView:
        """Return the branch as shown now, dropping nothing. Raises NoModel."""
        self._counts.wait_for_model(cancel)
        kept_id = _kept_id(branch, conversation)
        said = self._prompt_messages(branch)
        budget = self._context_budget(conversation, self._counts.require_model())
        preamble = self._build_preamble(conversation, budget, _last_question(branch))
        # Nothing has left, so nothing has to be counted.
        if kept_id is None:
            return replace(view_prompt(said, None, 0, NOTHING, "rolling"), preamble=preamble)
        fixed = self._count_fixed(conversation.system_prompt if conversation else "", preamble, said)
        shown = view_prompt(self._count_messages(said), kept_id, fixed, budget, self._settings().chat.when_full)
        return replace(shown, preamble=preamble)

    def view_past(
        self,
        conversation: Conversation | None,
        branch: Sequence[StoredMessage],
        prompt_tokens: int,
        cancel: CancelToken,
    ) -> PromptView:
        """Reconstruct what was shown with a prompt of `prompt_tokens`, 0 for now. Raises NoModel.

        The first shown turn of an old prompt isn't stored: the turn whose prompt size comes nearest is taken.
        """
        self._counts.wait_for_model(cancel)
        budget, preamble, said, fixed = self._count_parts(conversation, branch)
        when_full = self._settings().chat.when_full
        now = view_prompt(said, _kept_id(branch, conversation), fixed, budget, when_full)
        # The start of an old prompt isn't stored; its size finds it again.
        views = [now, *views_near(said, fixed, budget, when_full, prompt_tokens)]
        found = min(views, key=lambda one: abs(one.tokens - prompt_tokens)) if prompt_tokens else now
        return replace(found, preamble=preamble)

    def view_next(
        self,
        conversation: Conversation | None,
        branch: Sequence[StoredMessage],
        draft: str,
        attachments: Sequence[Attachment] = (),
        uses: Sequence[MediaUse] = (),
    ) -> PromptView:
        """Return what the prompt would show with `draft` as the next message; arguments as in `break_down`."""
        budget, preamble, said, fixed = self._count_parts(conversation, branch, draft)
        shown = view_prompt(said, _kept_id(branch, conversation), fixed, budget, self._settings().chat.when_full)
        whole, media, leading = self._attached.show_message(draft, attachments, uses, self._counts.require_model())
        if whole.strip() or media:
            recalled = self._quote_for_draft(shown, branch, draft, budget)
            last = PromptMessage(0, Role.USER, whole, 0, recalled=recalled, media=media, leading=leading)
            last = self._count_messages([last])[0]
            shown = replace(shown, said=(*shown.said, last), tokens=shown.tokens + last.tokens)
        return replace(shown, preamble=preamble)

    def searched_documents(self, conversation: Conversation | None) -> tuple[int, ...]:
        """Return the ids of project documents of which only passages are shown. Raises NoModel."""
        return self._build_preamble(
            conversation, self._context_budget(conversation, self._counts.require_model())
        ).searched

    def _count_parts(
        self, conversation: Conversation | None, branch: Sequence[StoredMessage], draft: str | None = None
    ) -> tuple[ContextBudget, ChatPreamble, list[PromptMessage], int]:
        """Return budget, preamble, counted messages and the tokens before them for a prompt that ends with this
        branch. With a draft, that is the question.
        """
        budget = self._context_budget(conversation, self._counts.require_model())
        preamble = self._build_preamble(conversation, budget, draft if draft is not None else _last_question(branch))
        said = self._prompt_messages(branch)
        fixed = self._count_fixed(conversation.system_prompt if conversation else "", preamble, said)
        return budget, preamble, self._count_messages(said), fixed

    def _count_fixed(self, system: str, preamble: ChatPreamble, said: Sequence[PromptMessage]) -> int:
        is_question = bool(preamble.leading.text or (said and said[0].leading.text))
        return self._counts.count_fixed(preamble.system_message(system), is_question=is_question)

    def _build_preamble(
        self, conversation: Conversation | None, budget: ContextBudget, question: str = ""
    ) -> ChatPreamble:
        room, memory_room = (int(budget.prompt_tokens * share) for share in (PROJECTS_SHARE, MEMORIES_SHARE))
        return self._preambles.build_preamble(
            conversation, room, self._counts.count_texts, question=question, memory_tokens=memory_room
        )

    def _fit_view(
        self,
        system: str,
        preamble: ChatPreamble,
        branch: Sequence[StoredMessage],
        *,
        kept_id: int | None,
        budget: ContextBudget,
        when_full: str,
    ) -> PromptView:
        said = self._prompt_messages(branch)
        # A short chat surely fits: counting would only delay its first token.
        if kept_id is None and said and _surely_fits(preamble.system_message(system), said, budget):
            return view_prompt(said, None, 0, budget, when_full)
        fixed = self._count_fixed(system, preamble, said)
        return fit_prompt(self._count_messages(said), kept_id, fixed, budget, when_full)

    def _choose_passages(
        self, branch: Sequence[StoredMessage], hidden: Sequence[int], budget: ContextBudget, preamble: ChatPreamble
    ) -> bool:
        return self._attached.choose_passages(
            branch,
            hidden,
            budget.prompt_tokens,
            self._counts.count_texts,
            preamble.searched,
            has_whole=bool(preamble.documents),
        )

    def break_down(
        self,
        conversation: Conversation | None,
        branch: Sequence[StoredMessage],
        draft: str,
        attachments: Sequence[Attachment] = (),
        uses: Sequence[MediaUse] = (),
    ) -> PromptBreakdown:
        """Break down a prompt with `draft` and its attachments as the next message. Raises NoModel."""
        budget, preamble, said, fixed = self._count_parts(conversation, branch, draft)
        shown = view_prompt(said, _kept_id(branch, conversation), fixed, budget, self._settings().chat.when_full)
        bare = self._counts.count_messages([Message(Role.USER, draft)])[0] if draft.strip() or uses else 0
        whole, media, _ = self._attached.show_message(draft, attachments, uses, self._counts.require_model())
        # The message as it goes, with its documents; what is more than the bare text is the documents'.
        message = self._counts.count_messages([Message(Role.USER, whole)])[0] if whole.strip() or uses else 0
        documents, pictures = self._documents_tokens(branch, shown), self._pictures_tokens(shown)
        parts = parts_of(shown, bare, budget)
        again = self._again_tokens(shown, branch, draft, budget)
        # A part is never told as negative where counts of parts don't add up.
        pinned = max(0, parts.pinned - documents[0] - again[0] - pictures[0])
        earlier = max(0, parts.earlier - documents[1] - again[1] - pictures[1])
        told = self._counts.count_texts([preamble.instructions, preamble.documents, preamble.memories])
        own_pictures = self._media_tokens(media)
        return replace(
            parts,
            system=max(0, parts.system - sum(told)),
            pinned=pinned,
            earlier=earlier,
            documents=sum(documents) + message - bare,
            instructions=told[0],
            project_documents=told[1],
            memories=told[2],
            recalled=sum(again),
            pictures=sum(pictures) + own_pictures,
            # What stays whatever leaves: beyond it a message is too long by itself.
            staying=parts.system + parts.pinned + message + own_pictures,
        )

    def media_counts(self, uses: Sequence[MediaUse]) -> list[MediaCount]:
        """Count tokens of media for the loaded model; 0 for media it can't take. Raises NoModel."""
        return self._counts.count_media([plan_media(use) for use in uses])

    def tokens_of(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text on its own. Raises NoModel."""
        return self._counts.count_texts(texts)

    def _again_tokens(
        self, shown: PromptView, branch: Sequence[StoredMessage], draft: str, budget: ContextBudget
    ) -> tuple[int, int, int]:
        """Count tokens of quoted turns: in pinned messages, in others, and with the draft."""
        recalled = self._quote_for_draft(shown, branch, draft, budget)
        with_some = [prompt_message for prompt_message in shown.said if prompt_message.recalled]
        if recalled:
            with_some.append(PromptMessage(0, Role.USER, draft, 0, recalled=recalled))
        whole = self._counts.count_texts([message.whole for message in with_some])
        bare = self._counts.count_texts([prompt_message.text for prompt_message in with_some])
        more = [all_tokens - own for all_tokens, own in zip(whole, bare, strict=True)]
        last = more.pop() if recalled else 0
        pinned = sum(tokens for tokens, prompt_message in zip(more, with_some, strict=False) if prompt_message.pinned)
        return pinned, sum(more) - pinned, last

    def _quote_for_draft(
        self, shown: PromptView, branch: Sequence[StoredMessage], draft: str, budget: ContextBudget
    ) -> str:
        """Return the text that would be quoted before a draft; "" for none."""
        is_asking = self._settings().chat.when_full == "ask"
        recalled = self._recall_turns(shown, branch, draft, budget, is_free=is_asking) if draft.strip() else ()
        if not recalled:
            return ""
        from app.features.chat.recall import quote_messages  # as in `_recall_turns`

        here = {message.id: message for message in branch}
        return quote_messages([here[number] for number in recalled], draft)

    def _pictures_tokens(self, shown: PromptView) -> tuple[int, int]:
        """Count picture tokens of the view: in pinned messages, and in others."""
        pinned = [media for prompt_message in shown.said if prompt_message.pinned for media in prompt_message.media]
        others = [media for message in shown.said if not message.pinned for media in message.media]
        return self._media_tokens(pinned), self._media_tokens(others)

    def _media_tokens(self, media: Sequence[Media]) -> int:
        return sum(medium.tokens for medium in self._counts.count_media(media))

    def _documents_tokens(self, branch: Sequence[StoredMessage], shown: PromptView) -> tuple[int, int]:
        """Count document tokens of the view: in pinned messages, and in others."""
        pinned_ids = {prompt_message.id: prompt_message.pinned for prompt_message in shown.said}
        sent = [message for message in _sent_messages(branch) if message.id in pinned_ids]
        texts = self._attached.show_branch(sent, self._engine.loaded)
        with_some = [
            (message, built.text) for message, built in zip(sent, texts, strict=True) if built.text != message.text
        ]
        whole = self._counts.count_texts([text for _, text in with_some])
        bare = self._counts.count_texts([message.text for message, _ in with_some])
        found = {True: 0, False: 0}
        for (message, _), all_tokens, own_tokens in zip(with_some, whole, bare, strict=True):
            found[pinned_ids[message.id]] += all_tokens - own_tokens
        return found[True], found[False]

    def _context_budget(self, conversation: Conversation | None, loaded: ModelLoaded) -> ContextBudget:
        return budget_of(conversation, self._settings(), loaded)

    def _prompt_messages(self, branch: Sequence[StoredMessage]) -> list[PromptMessage]:
        """Build a branch's messages as the loaded model sees them, uncounted."""
        shown = self._attached.show_branch(_sent_messages(branch), self._engine.loaded)
        return [
            replace(prompt_message, text=built.text, media=built.media, leading=built.leading)
            for prompt_message, built in zip(_uncounted_messages(branch), shown, strict=True)
        ]

    def _count_messages(self, said: Sequence[PromptMessage]) -> list[PromptMessage]:
        counts = self._counts.count_messages([Message(message.role, message.whole, message.media) for message in said])
        return [replace(prompt_message, tokens=count) for prompt_message, count in zip(said, counts, strict=True)]


def hidden_ids(conversation: Conversation, branch: Sequence[StoredMessage]) -> tuple[int, ...]:
    """Return the ids of a branch's messages that the model isn't shown."""
    return _hidden_messages(branch, _kept_id(branch, conversation))


def _hidden_messages(branch: Sequence[StoredMessage], kept_id: int | None) -> tuple[int, ...]:
    if kept_id is None:  # of 10,000 messages it takes a while to say
        return ()
    return view_prompt(_uncounted_messages(branch), kept_id, 0, NOTHING, "rolling").hidden


def _kept_id(branch: Sequence[StoredMessage], conversation: Conversation | None) -> int | None:
    """Return the first message the model sees; None if it isn't on this branch (the user edited above it)."""
    first_kept_id = conversation.first_kept_id if conversation else None
    # Edited above it, the whole new branch is shown again.
    return first_kept_id if any(message.id == first_kept_id for message in branch) else None


def _sent_messages(branch: Sequence[StoredMessage]) -> list[StoredMessage]:
    """Leave out answers that never began."""
    # An answer that never began has nothing to show.
    return [message for message in branch if message.text or message.role is not Role.ASSISTANT]


def _uncounted_messages(branch: Sequence[StoredMessage]) -> list[PromptMessage]:
    quoted = _quoted_turns(branch)
    return [
        PromptMessage(message.id, message.role, message.text, 0, message.pinned, quoted.get(message.id, ""))
        for message in _sent_messages(branch)
    ]


def _quoted_turns(branch: Sequence[StoredMessage]) -> dict[int, str]:
    """Return, by question id, the text quoted before it from hidden turns."""
    asked = [message for message in branch if message.recalled]
    if not asked:
        return {}
    from app.features.chat.recall import quote_messages  # only long chats forget

    here = {message.id: message for message in branch}
    # A recalled message may have been deleted since.
    return {
        message.id: quote_messages([here[number] for number in message.recalled if number in here], message.text)
        for message in asked
    }


def _with_recalled(branch: Sequence[StoredMessage], recalled: tuple[int, ...]) -> list[StoredMessage]:
    """Return the branch with these messages recalled by its last question."""
    place = next((at for at in reversed(range(len(branch))) if branch[at].role is Role.USER), None)
    return [replace(message, recalled=recalled) if at == place else message for at, message in enumerate(branch)]


def _before_question(branch: Sequence[StoredMessage]) -> Sequence[StoredMessage]:
    """Drop a last question without answer, which would match itself best."""
    # It would match itself best.
    while branch and (branch[-1].role is Role.USER or not branch[-1].text):
        branch = branch[:-1]
    return branch


def _last_question(branch: Sequence[StoredMessage]) -> str:
    return next((message.text for message in reversed(branch) if message.role is Role.USER), "")


def _surely_fits(system: str, said: Sequence[PromptMessage], budget: ContextBudget) -> bool:
    """Return whether it fits without counting: a token is at least a byte, so a short chat need not be counted before
    its first token.
    """
    # Tokens of a picture can't be told from bytes.
    if any(message.media for message in said):
        return False
    texts = [prompt_message.whole for prompt_message in said]
    # Half of the room, so that estimate and template have no say.
    return sum(len(text.encode()) + LARGEST_FRAME_TOKENS for text in [system, *texts]) <= budget.prompt_tokens // 2
