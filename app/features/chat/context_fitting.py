"""Fit a conversation into the model's context: what it is shown in tokens, and what leaves when that does not fit.

Not fitting is an event, not a window that slides: whole turns go at once, until there is room for the next ones, and
the prompt's beginning then stays the same byte for byte, so that the engine re-uses what it has read. Nothing is
deleted, and nothing is ever cut inside a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from app.core.errors.request_errors import PromptTooLong
from app.core.events import Media, Message, Role
from app.core.lazy_dataclasses import dataclass, replace
from app.features.chat.chat_options import max_tokens_of, will_think
from app.features.document_frames import NO_LEADING, LeadingDocuments
from app.features.projects import NO_PREAMBLE, ChatPreamble

if TYPE_CHECKING:
    from app.core.events import ModelLoaded
    from app.core.settings import Settings
    from app.store.conversation_row import Conversation

COMPACTED_SHARE = 0.75
"""Share of the room filled right after older turns are dropped; the rest is for the next turns."""
ANSWER_TOKENS = 1024
THINKING_TOKENS = 4096
MARGIN_SHARE = 0.03
LEAST_MARGIN_TOKENS = 64

CARRIED_MESSAGES = 8
CARRIED_TOKENS = 1024
CARRIED_SHARE = 0.1
CARRIED_HEADING = "The beginning of this conversation is not shown. In it the user wrote, word for word:"
CARRIED_HEADING_TOKENS = 48
"""More than any tokenizer makes of the heading and the lines between."""
NEAR_TOKENS, MOST_VIEWS = 64, 32
"""Tolerance in tokens when reconstructing an old prompt, and how many starting turns are tried."""


@dataclass(frozen=True)
class ContextBudget:
    """The loaded context in tokens, divided: `reserve` for the answer, `margin` for what counting cannot see."""

    context_tokens: int
    reserve_tokens: int
    margin_tokens: int

    @property
    def prompt_tokens(self) -> int:
        return self.context_tokens - self.reserve_tokens - self.margin_tokens

    @property
    def carried_tokens(self) -> int:
        """Tokens of it that instructions carried over from hidden turns may use."""
        return min(CARRIED_TOKENS, int(self.prompt_tokens * CARRIED_SHARE))


def budget_for(context_tokens: int, max_tokens: int, *, is_thinking: bool = False) -> ContextBudget:
    """Return the budget of a context; the reserve for the answer is at most half of it. `max_tokens` -1: no limit."""
    # Without a limit an answer gets the usual room; a smaller limit needs no more than itself.
    least = ANSWER_TOKENS if max_tokens < 0 else min(max_tokens, ANSWER_TOKENS)
    # Thinking comes before the answer and takes most of the room.
    wanted = THINKING_TOKENS if is_thinking else least
    margin = max(LEAST_MARGIN_TOKENS, int(context_tokens * MARGIN_SHARE))
    # On tiny contexts half and an eighth at most, or nothing would be left for the prompt.
    return ContextBudget(context_tokens, min(wanted, context_tokens // 2), min(margin, context_tokens // 8))


def budget_of(conversation: Conversation | None, settings: Settings, loaded: ModelLoaded) -> ContextBudget:
    """Return a chat's budget with the loaded model; a None conversation has no own settings."""
    is_thinking = will_think(conversation, settings, loaded)
    return budget_for(loaded.context_tokens, max_tokens_of(conversation, settings), is_thinking=is_thinking)


@dataclass(frozen=True)
class PromptMessage:
    """A message of the branch with its token count. `recalled` is text quoted from hidden turns before a question."""

    id: int
    role: Role
    text: str
    tokens: int
    pinned: bool = False
    recalled: str = ""
    media: tuple[Media, ...] = ()
    leading: LeadingDocuments = NO_LEADING
    """The whole documents that `text` begins with."""

    @property
    def whole(self) -> str:
        """The message with what is quoted before it."""
        return f"{self.recalled}\n\n{self.text}" if self.recalled else self.text


@dataclass(frozen=True)
class PromptView:
    """The part of a branch shown to the model:

    `preamble` and `carried` instructions in the system message, then `said` in order. Where that begins with whole
    documents, all of it is one question: documents, instructions, what was said.

    `first_kept_id` is None while the whole conversation is shown. `hidden` are the ids left out, `newly_hidden` how
    many since the last fitting (negative: shown again). `tokens` is an upper bound of the prompt. `recalled` are
    hidden messages quoted with the last question; None: as stored.
    """

    said: tuple[PromptMessage, ...]
    carried: tuple[PromptMessage, ...]
    hidden: tuple[int, ...]
    first_kept_id: int | None
    tokens: int
    newly_hidden: int = 0
    preamble: ChatPreamble = NO_PREAMBLE
    recalled: tuple[int, ...] | None = None

    @property
    def leading(self) -> LeadingDocuments:
        """The whole documents that the prompt begins with: the project's, or those of the first message."""
        if self.preamble.leading.text or not self.said:
            return self.preamble.leading
        return self.said[0].leading

    def split_leading(self, head: str) -> tuple[str, Sequence[PromptMessage]]:
        """Return the first message's documents that go before instructions (`head`), and what is left of `said`."""
        if not head or self.preamble.leading.text or not self.leading.text:
            return "", self.said
        moved, first = self.leading.text, self.said[0]
        first = replace(first, text=first.text.removeprefix(moved).removeprefix("\n\n"))
        return moved, (*([first] if first.whole or first.media else []), *self.said[1:])

    def messages(self, system: str) -> list[Message]:
        """Return the prompt's messages, with neighbours of one role joined as templates require.

        Pictures are only planned: see `MediaLibrary.decode_messages`.
        """
        head = system_text(self.preamble.system_message(system), self.carried)
        moved, said = self.split_leading(head)
        head = f"{moved}\n\n{head}" if moved else head
        # Documents are never instructions, and where they begin a prompt, any chat can go on from there.
        messages = [Message(Role.USER if self.leading.text else Role.SYSTEM, head)] if head else []
        for prompt_message in said:
            # Templates require that roles alternate.
            if messages and messages[-1].role is prompt_message.role:
                before = f"{messages[-1].text}\n\n"
                # Pictures know their place in the text, which has moved.
                media = tuple(replace(medium, at=medium.at + len(before)) for medium in prompt_message.media)
                messages[-1] = Message(prompt_message.role, before + prompt_message.whole, messages[-1].media + media)
            else:
                messages.append(Message(prompt_message.role, prompt_message.whole, prompt_message.media))
        return messages


@dataclass(frozen=True)
class PromptBreakdown:
    """A prompt's parts in tokens, for people. `hidden` counts the messages that are not shown to the model.

    `system` has what the template adds, `carried` what is quoted of instructions from turns that are not shown, and
    `recalled` what is quoted of such turns with the questions that are about them.
    """

    system: int
    carried: int
    pinned: int
    earlier: int
    message: int
    budget: ContextBudget
    hidden: int = 0
    documents: int = 0
    instructions: int = 0
    memories: int = 0
    project_documents: int = 0
    recalled: int = 0
    pictures: int = 0
    staying: int = 0
    """Tokens that stay whichever turns are dropped; 0 if not counted."""

    @property
    def fixed_tokens(self) -> int:
        """Tokens before the turns in any prompt of the chat, preamble included."""
        return self.system + self.instructions + self.memories + self.project_documents

    @property
    def used_tokens(self) -> int:
        turns = self.pinned + self.earlier + self.recalled + self.documents + self.pictures + self.message
        return self.fixed_tokens + self.carried + turns

    @property
    def is_over(self) -> bool:
        """True if the next message doesn't fit now."""
        return self.used_tokens > self.budget.prompt_tokens

    @property
    def is_too_long(self) -> bool:
        """True if it wouldn't fit even without earlier turns."""
        return self.is_over and self.staying > self.budget.prompt_tokens


def system_text(system: str, carried: Sequence[PromptMessage]) -> str:
    """The system message with the instructions that are carried along."""
    if not carried:
        return system if system.strip() else ""
    quoted = "\n\n".join(f"- {prompt_message.text}" for prompt_message in carried)
    return "\n\n".join([*([system] if system.strip() else []), CARRIED_HEADING, quoted])


def view_prompt(
    said: Sequence[PromptMessage], first_kept_id: int | None, fixed_tokens: int, budget: ContextBudget, when_full: str
) -> PromptView:
    """Return what is shown now, whether or not it fits.

    `fixed_tokens` is the system prompt plus template overhead. A `first_kept_id` not in `said` counts as None.
    Instructions are carried over unless the window is rolling.
    """
    return _view_from(said, _place_of(said, first_kept_id), fixed_tokens, _carried_tokens(budget, when_full))


def fit_prompt(
    said: Sequence[PromptMessage], first_kept_id: int | None, fixed_tokens: int, budget: ContextBudget, when_full: str
) -> PromptView:
    """Drop the oldest turns until the prompt fits.

    The newest turn and pinned messages stay. A rolling window drops as few as possible; otherwise a quarter of the
    budget is freed. If the context grew so much that a quarter stays free, everything is shown again. Raises
    PromptTooLong if what must stay doesn't fit.
    """
    now = view_prompt(said, first_kept_id, fixed_tokens, budget, when_full)
    room = budget.prompt_tokens
    if now.hidden:
        # Asked again: the context may have grown, or turns may be gone.
        whole = _view_from(said, 0, fixed_tokens, 0)
        if whole.tokens <= int(room * COMPACTED_SHARE):  # with a margin, so that the view doesn't flip at every turn
            return replace(whole, newly_hidden=-len(now.hidden))
    if now.tokens <= room:
        return now
    # many turns at once, rarely: each change of the prompt's beginning makes the model read it all again
    target = room if when_full == "rolling" else int(room * COMPACTED_SHARE)
    found = _fit_from(said, _place_of(said, first_kept_id), fixed_tokens, _carried_tokens(budget, when_full), target)
    if found.tokens > room:  # carried instructions give way first: the newest turn has to fit
        found = _fit_from(said, _place_of(said, first_kept_id), fixed_tokens, 0, target)
    if found.tokens > room:
        raise PromptTooLong(found.tokens, room)
    return replace(found, newly_hidden=len(found.hidden) - len(now.hidden))


def parts_of(shown: PromptView, message_tokens: int, budget: ContextBudget) -> PromptBreakdown:
    """Break a view down into parts, with a message of `message_tokens` to be added."""
    pinned = sum(prompt_message.tokens for prompt_message in shown.said if prompt_message.pinned)
    earlier = sum(message.tokens for message in shown.said if not message.pinned)
    carried = _tokens_of(shown.carried)
    system = shown.tokens - carried - pinned - earlier
    return PromptBreakdown(system, carried, pinned, earlier, message_tokens, budget, len(shown.hidden))


def turn_starts(said: Sequence[PromptMessage]) -> list[int]:
    """Return the index of each question, with which a turn begins."""
    return [place for place, prompt_message in enumerate(said) if prompt_message.role is Role.USER or place == 0]


def _fit_from(
    said: Sequence[PromptMessage], first: int, fixed_tokens: int, carried_tokens: int, target: int
) -> PromptView:
    """Return the view from the first turn after `first` that meets the target; else only the newest turn."""
    starts = [start for start in turn_starts(said) if start > first] or [first]
    # The sum first, since making a view of each start takes time by the square.
    for start in starts[:-1]:
        if fixed_tokens + sum(prompt_message.tokens for prompt_message in said[start:]) <= target:
            found = _view_from(said, start, fixed_tokens, carried_tokens)
            if found.tokens <= target:
                return found
    return _view_from(said, starts[-1], fixed_tokens, carried_tokens)


def _place_of(said: Sequence[PromptMessage], message_id: int | None) -> int:
    return next((place for place, prompt_message in enumerate(said) if prompt_message.id == message_id), 0)


def _carried_tokens(budget: ContextBudget, when_full: str) -> int:
    return budget.carried_tokens if when_full != "rolling" else 0


def _view_from(said: Sequence[PromptMessage], start: int, fixed_tokens: int, carried_tokens: int) -> PromptView:
    back = _pinned_with_questions(said[:start])
    shown = (*back, *said[start:])
    shown_ids = {prompt_message.id for prompt_message in back}
    left = [message for message in said[:start] if message.id not in shown_ids]
    # Instructions of turns that leave go along word for word, as far as there is room.
    carried = carry_questions(left, carried_tokens)
    tokens = fixed_tokens + sum(prompt_message.tokens for prompt_message in shown) + _tokens_of(carried)
    return PromptView(
        shown, carried, tuple(prompt_message.id for prompt_message in left), said[start].id if start else None, tokens
    )


def views_near(
    said: Sequence[PromptMessage], fixed_tokens: int, budget: ContextBudget, when_full: str, prompt_tokens: int
) -> Iterable[PromptView]:
    """Return views whose prompt could have about this many tokens, with and without carried instructions."""
    starts, carried_tokens = turn_starts(said), _carried_tokens(budget, when_full)
    after = list(accumulate((message.tokens for message in reversed(said)), initial=fixed_tokens))[::-1]
    more = carried_tokens + sum(prompt_message.tokens for prompt_message in said if prompt_message.pinned)
    # Only starts whose size comes near enough are made into views.
    near = [start for start in starts if 0 <= prompt_tokens + NEAR_TOKENS - after[start] <= more + 2 * NEAR_TOKENS]
    for start in near[-MOST_VIEWS:]:
        for carried in {carried_tokens, 0}:
            yield _view_from(said, start, fixed_tokens, carried)


def _tokens_of(carried: Sequence[PromptMessage]) -> int:
    return sum(prompt_message.tokens for prompt_message in carried) + (CARRIED_HEADING_TOKENS if carried else 0)


def _pinned_with_questions(before: Sequence[PromptMessage]) -> tuple[PromptMessage, ...]:
    """Return the pinned messages; an answer comes with its question, without which it says little."""
    kept: dict[int, PromptMessage] = {}
    question: PromptMessage | None = None
    for prompt_message in before:
        if prompt_message.role is Role.USER:
            question = prompt_message
        elif prompt_message.pinned and question is not None:
            kept[question.id] = replace(question, pinned=True)
        if prompt_message.pinned:
            kept[prompt_message.id] = prompt_message
    return tuple(kept.values())


def carry_questions(left: Iterable[PromptMessage], limit_tokens: int) -> tuple[PromptMessage, ...]:
    """Choose the user's messages to carry over verbatim: the first and the latest, in order."""
    asked = [
        prompt_message for prompt_message in left if prompt_message.role is Role.USER and prompt_message.text.strip()
    ]
    chosen: list[PromptMessage] = []
    room = limit_tokens - CARRIED_HEADING_TOKENS
    # The first says what the chat is about, the latest what holds now.
    for prompt_message in [*asked[:1], *reversed(asked[1:])]:
        if len(chosen) < CARRIED_MESSAGES and prompt_message.tokens <= room:
            chosen.append(prompt_message)
            room -= prompt_message.tokens
    # In the chat's order, whatever the order of choosing.
    return tuple(message for message in asked if message in chosen)
