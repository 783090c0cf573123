"""What the model is shown of a conversation, in tokens, and what leaves its memory when that does not fit.

Not fitting is an event, not a window that slides: whole turns go at once, until there is room for the next ones, and
the prompt's beginning then stays the same byte for byte, so that the engine re-uses what it has read. Nothing is
deleted, and nothing is ever cut inside a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.core.errors import PromptTooLong
from app.core.events import Message, Role

COMPACTED_SHARE = 0.75
"""How much of the room is taken after an event: the rest is for the turns until the next one."""
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


@dataclass(frozen=True)
class Budget:
    """The loaded context in tokens, divided: `reserve` for the answer, `margin` for what counting cannot see."""

    context_tokens: int
    reserve_tokens: int
    margin_tokens: int

    @property
    def prompt_tokens(self) -> int:
        """What a prompt may take."""
        return self.context_tokens - self.reserve_tokens - self.margin_tokens

    @property
    def carried_tokens(self) -> int:
        """What instructions from turns that are not shown may take of it."""
        return min(CARRIED_TOKENS, int(self.prompt_tokens * CARRIED_SHARE))


def budget_for(context_tokens: int, max_tokens: int, *, is_thinking: bool = False) -> Budget:
    """The budget of a context; the answer's reserve never takes more than half of it. `max_tokens` -1: no limit."""
    least = ANSWER_TOKENS if max_tokens < 0 else min(max_tokens, ANSWER_TOKENS)
    wanted = THINKING_TOKENS if is_thinking else least
    margin = max(LEAST_MARGIN_TOKENS, int(context_tokens * MARGIN_SHARE))
    return Budget(context_tokens, min(wanted, context_tokens // 2), min(margin, context_tokens // 8))


@dataclass(frozen=True)
class Said:
    """One message of the branch with what it takes in the prompt."""

    id: int
    role: Role
    text: str
    tokens: int
    pinned: bool = False


@dataclass(frozen=True)
class View:
    """What the model is shown: the `carried` instructions in the system message, then `said` in order.

    `first_kept_id` is None while all of the conversation is shown; `hidden` are the ids that are not, `newly_hidden`
    of them since the fitting that made this view (negative: so many are shown again). `tokens` is never less than the
    prompt takes.
    """

    said: tuple[Said, ...]
    carried: tuple[Said, ...]
    hidden: tuple[int, ...]
    first_kept_id: int | None
    tokens: int
    newly_hidden: int = 0

    def messages(self, system: str) -> list[Message]:
        """The prompt, as templates want it: neighbours of one role are joined."""
        head = system_text(system, self.carried)
        messages = [Message(Role.SYSTEM, head)] if head else []
        for one in self.said:
            if messages and messages[-1].role is one.role:
                messages[-1] = Message(one.role, f"{messages[-1].text}\n\n{one.text}")
            else:
                messages.append(Message(one.role, one.text))
        return messages


@dataclass(frozen=True)
class Parts:
    """A prompt's parts in tokens, for people. `hidden` counts the messages that are not shown to the model.

    `system` has what the template adds, `carried` what is quoted of instructions from turns that are not shown.
    """

    system: int
    carried: int
    pinned: int
    earlier: int
    message: int
    budget: Budget
    hidden: int = 0
    documents: int = 0

    @property
    def used_tokens(self) -> int:
        """The whole prompt."""
        return self.system + self.carried + self.pinned + self.earlier + self.documents + self.message

    @property
    def is_over(self) -> bool:
        """Whether the next message does not fit as things are."""
        return self.used_tokens > self.budget.prompt_tokens


def system_text(system: str, carried: Sequence[Said]) -> str:
    """The system message with the instructions that are carried along."""
    if not carried:
        return system if system.strip() else ""
    quoted = "\n\n".join(f"- {one.text}" for one in carried)
    return "\n\n".join([*([system] if system.strip() else []), CARRIED_HEADING, quoted])


def view(said: Sequence[Said], first_kept_id: int | None, fixed_tokens: int, budget: Budget, when_full: str) -> View:
    """What is shown as things are, whether or not it fits.

    `fixed_tokens` is the system prompt with everything that a template adds. A `first_kept_id` that is not in `said`
    counts as None. Instructions are carried unless the window is a rolling one.
    """
    return _view_from(said, _place(said, first_kept_id), fixed_tokens, _carried_tokens(budget, when_full))


def fit(said: Sequence[Said], first_kept_id: int | None, fixed_tokens: int, budget: Budget, when_full: str) -> View:
    """What is shown so that it fits: as it is, or with the oldest turns gone.

    The newest turn and pinned messages stay. A rolling window drops only as many as it must, else a quarter of the
    budget becomes free. In a context so much larger that a quarter stays free, all is shown again. Raises
    PromptTooLong when what stays does not fit.
    """
    now = view(said, first_kept_id, fixed_tokens, budget, when_full)
    room = budget.prompt_tokens
    if now.hidden:
        whole = _view_from(said, 0, fixed_tokens, 0)
        if whole.tokens <= int(room * COMPACTED_SHARE):
            return replace(whole, newly_hidden=-len(now.hidden))
    if now.tokens <= room:
        return now
    target = room if when_full == "rolling" else int(room * COMPACTED_SHARE)
    found = _fitted(said, _place(said, first_kept_id), fixed_tokens, _carried_tokens(budget, when_full), target)
    if found.tokens > room:
        found = _fitted(said, _place(said, first_kept_id), fixed_tokens, 0, target)
    if found.tokens > room:
        raise PromptTooLong(found.tokens, room)
    return replace(found, newly_hidden=len(found.hidden) - len(now.hidden))


def parts_of(shown: View, message_tokens: int, budget: Budget) -> Parts:
    """The parts of a view to which a message of `message_tokens` will be added."""
    pinned = sum(one.tokens for one in shown.said if one.pinned)
    earlier = sum(one.tokens for one in shown.said if not one.pinned)
    carried = _tokens_of(shown.carried)
    system = shown.tokens - carried - pinned - earlier
    return Parts(system, carried, pinned, earlier, message_tokens, budget, len(shown.hidden))


def turn_starts(said: Sequence[Said]) -> list[int]:
    """Where turns begin: at each question, with all that follows up to the next one."""
    return [place for place, one in enumerate(said) if one.role is Role.USER or place == 0]


def _fitted(said: Sequence[Said], first: int, fixed_tokens: int, carried_tokens: int, target: int) -> View:
    """The view from the first turn after `first` with which the target is met; without one, the newest turn's."""
    starts = [start for start in turn_starts(said) if start > first] or [first]
    for start in starts[:-1]:
        if fixed_tokens + sum(one.tokens for one in said[start:]) <= target:
            found = _view_from(said, start, fixed_tokens, carried_tokens)
            if found.tokens <= target:
                return found
    return _view_from(said, starts[-1], fixed_tokens, carried_tokens)


def _place(said: Sequence[Said], message_id: int | None) -> int:
    return next((place for place, one in enumerate(said) if one.id == message_id), 0)


def _carried_tokens(budget: Budget, when_full: str) -> int:
    return budget.carried_tokens if when_full != "rolling" else 0


def _view_from(said: Sequence[Said], start: int, fixed_tokens: int, carried_tokens: int) -> View:
    back = _brought_back(said[:start])
    shown = (*back, *said[start:])
    shown_ids = {one.id for one in back}
    left = [one for one in said[:start] if one.id not in shown_ids]
    carried = carry(left, carried_tokens)
    tokens = fixed_tokens + sum(one.tokens for one in shown) + _tokens_of(carried)
    return View(shown, carried, tuple(one.id for one in left), said[start].id if start else None, tokens)


def _tokens_of(carried: Sequence[Said]) -> int:
    return sum(one.tokens for one in carried) + (CARRIED_HEADING_TOKENS if carried else 0)


def _brought_back(before: Sequence[Said]) -> tuple[Said, ...]:
    """The pinned messages; an answer comes with its question, without which it says little."""
    kept: dict[int, Said] = {}
    question: Said | None = None
    for one in before:
        if one.role is Role.USER:
            question = one
        elif one.pinned and question is not None:
            kept[question.id] = replace(question, pinned=True)
        if one.pinned:
            kept[one.id] = one
    return tuple(kept.values())


def carry(left: Iterable[Said], limit_tokens: int) -> tuple[Said, ...]:
    """Which of the person's messages are carried word for word: the first one and the latest, in their order."""
    asked = [one for one in left if one.role is Role.USER and one.text.strip()]
    chosen: list[Said] = []
    room = limit_tokens - CARRIED_HEADING_TOKENS
    for one in [*asked[:1], *reversed(asked[1:])]:
        if len(chosen) < CARRIED_MESSAGES and one.tokens <= room:
            chosen.append(one)
            room -= one.tokens
    return tuple(one for one in asked if one in chosen)
