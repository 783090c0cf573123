"""Prompts of stored conversations: what the model is shown, counted with its tokenizer, and what leaves its memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import PromptTooLong
from app.core.events import Media, Message, Role
from app.features.chat.attached_documents import DOCUMENTS_SHARE
from app.features.chat.chat_options import max_tokens_of, will_think
from app.features.media import plan_media
from app.features.projects import DOCUMENTS_SHARE as PROJECTS_SHARE
from app.features.projects import MEMORIES_SHARE, NO_PREAMBLE, ChatPreamble

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

# What the model is shown of a conversation, in tokens, and what leaves its memory when that does not fit.
#
# Not fitting is an event, not a window that slides: whole turns go at once, until there is room for the next ones, and
# the prompt's beginning then stays the same byte for byte, so that the engine re-uses what it has read. Nothing is
# deleted, and nothing is ever cut inside a message.


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
        """Tokens a prompt may use."""
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

    @property
    def whole(self) -> str:
        """The message as the model sees it."""
        return f"{self.recalled}\n\n{self.text}" if self.recalled else self.text


@dataclass(frozen=True)
class PromptView:
    """The part of a branch shown to the model:

    `preamble` and `carried` instructions in the system message, then `said` in order.

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

    def messages(self, system: str) -> list[Message]:
        """Return the prompt's messages, with neighbours of one role joined as templates require.

        Pictures are only planned: see `MediaLibrary.decode_messages`.
        """
        head = system_text(self.preamble.system_message(system), self.carried)
        messages = [Message(Role.SYSTEM, head)] if head else []
        for prompt_message in self.said:
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


def _views_of(
    said: Sequence[PromptMessage], fixed_tokens: int, carried_tokens: int, prompt_tokens: int
) -> Iterable[PromptView]:
    """Return views whose prompt could have about this many tokens, with and without carried instructions."""
    starts = turn_starts(said)
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


# How many tokens messages take for the loaded model: every text is counted once, however often it is sent.


KEPT_COUNTS = 20_000
SAMPLE = "a"


@dataclass(frozen=True)
class TemplateOverhead:
    """Tokens a model's template adds: per prompt (with or without a system message) and per message."""

    bare: int
    with_system: int
    around: dict[Role, int]


class TokenCounts:
    """Counts texts by themselves and adds what the template puts around a message; from any thread.

    Sending the whole conversation to be counted before each turn would cost the first token of a long chat dear.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counts: OrderedDict[tuple[str, int, int, int], int] = OrderedDict()
        self._template_overheads: dict[str, TemplateOverhead] = {}
        self._media: dict[tuple[object, ...], MediaCount] = {}
        self._counting = threading.Lock()

    def wait_for_model(self, cancel: CancelToken) -> None:
        """Block until a model is loaded, reloading the last one if it was lost, or until cancelled."""
        # Counting wakes a model that was put to sleep, or loads the last one again.
        if self._engine.loaded is None:
            self._engine.count_texts([SAMPLE], cancel=cancel)

    def require_model(self) -> ModelLoaded:
        """Return the loaded model. Raises NoModel."""
        loaded = self._engine.loaded
        if loaded is None:
            raise NoModel
        return loaded

    def count_fixed(self, system: str) -> int:
        """Count the tokens of system prompt and template overhead.

        Without a system prompt there may be carried instructions in its place: then the larger of both cases.
        """
        frame = self._template_overhead()
        if not system.strip():
            # What is carried along may take the system's place, so the larger of both.
            return max(frame.bare, frame.with_system)
        return frame.with_system + self.count_texts([system])[0]

    def count_messages(self, messages: Sequence[Message]) -> list[int]:
        """Count the tokens of each message in a prompt; an upper bound, as joined neighbours take less."""
        around = self._template_overhead().around
        counts = self.count_texts([message.text for message in messages])
        seen = self.count_media([media for message in messages for media in message.media])
        # Counted in one go and dealt out again, message by message.
        left = iter(seen)
        return [
            around[message.role] + count + sum(next(left).tokens for _ in message.media)
            for message, count in zip(messages, counts, strict=True)
        ]

    def count_media(self, media: Sequence[Media]) -> list[MediaCount]:
        """Count tokens of each picture or sound with the model's own encoder; cached."""
        if not media:
            return []
        with self._counting:
            model = self.require_model()
            # By projector and size, since the same picture takes other tokens with another one.
            keys = [
                (
                    model.path,
                    model.projector,
                    medium.id,
                    medium.width,
                    medium.height,
                    medium.seconds,
                    medium.most_tokens,
                )
                for medium in media
            ]
            missing = {key: medium for key, medium in zip(keys, media, strict=True) if key not in self._media}
            if missing:
                self._media.update(zip(missing, self._engine.count_media(list(missing.values())), strict=True))
            return [self._media[key] for key in keys]

    def count_texts(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text on its own."""
        with self._counting:
            return self._count_uncached(texts)

    def _count_uncached(self, texts: Sequence[str]) -> list[int]:
        model = self.require_model()
        # By hash and length, so that the texts themselves needn't be kept.
        keys = [(model.path, model.size_bytes, len(text), hash(text)) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._counts}
        if missing:
            self._counts.update(zip(missing, self._engine.count_texts(list(missing.values())), strict=True))
        found = [self._counts[key] for key in keys]
        for key in keys:
            self._counts.move_to_end(key)
        # The least recently used go; counting again costs a call to the engine.
        while len(self._counts) > KEPT_COUNTS:
            self._counts.popitem(last=False)
        return found

    def _template_overhead(self) -> TemplateOverhead:
        model = self.require_model()
        key = f"{model.path}\0{model.size_bytes}"
        if key not in self._template_overheads:
            self._template_overheads[key] = self._measure_overhead()
        return self._template_overheads[key]

    def _measure_overhead(self) -> TemplateOverhead:
        """Measure the template's overhead with prompts of one-word messages, each longer by one."""
        word = self.count_texts([SAMPLE])[0]
        # Each prompt is longer by one message, so the differences are what stands around one.
        sizes = [self._engine.count_tokens(_sample_messages(roles)) for roles in ("u", "ua", "uau", "su")]
        # At least the word itself, where a template leaves a turn out.
        answer, question = max(word, sizes[1] - sizes[0]), max(word, sizes[2] - sizes[1])
        around = {Role.USER: question - word, Role.ASSISTANT: answer - word}
        return TemplateOverhead(max(0, sizes[0] - question), max(0, sizes[3] - question - word), around)


def _sample_messages(roles: str) -> list[Message]:
    names = {"u": Role.USER, "a": Role.ASSISTANT, "s": Role.SYSTEM}
    return [Message(names[role], SAMPLE) for role in roles]


# Prompts: counted with the loaded model's tokenizer, and made to fit its context.


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
        self._engine = engine
        self._settings = settings
        self._attached, self._preambles = attached, preambles
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
        system = preamble.system_message(conversation.system_prompt if conversation else "")
        room = int(budget.prompt_tokens * DOCUMENTS_SHARE)
        self._attached.decide_uses(branch, lambda: room - self._counts.count_fixed(system), self._counts.count_texts)
        self._choose_passages(branch, _hidden_messages(branch, kept_id), budget, preamble)
        # A continued answer keeps what was recalled for it; a new one is looked up anew.
        is_new = bool(branch) and not (branch[-1].role is Role.ASSISTANT and branch[-1].text)
        branch = _with_recalled(branch, ()) if is_new else branch

        def fitted(branch: Sequence[StoredMessage]) -> PromptView:
            return self._fit_view(system, branch, kept_id, budget, when_full)

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
        fixed = self._counts.count_fixed(preamble.system_message(conversation.system_prompt if conversation else ""))
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
        views = [now, *_views_of(said, fixed, _carried_tokens(budget, when_full), prompt_tokens)]
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
        whole, media = self._attached.show_message(draft, attachments, uses, self._counts.require_model())
        if whole.strip() or media:
            recalled = self._quote_for_draft(shown, branch, draft, budget)
            last = PromptMessage(0, Role.USER, whole, 0, recalled=recalled, media=media)
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
        fixed = self._counts.count_fixed(preamble.system_message(conversation.system_prompt if conversation else ""))
        return budget, preamble, self._count_messages(self._prompt_messages(branch)), fixed

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
        branch: Sequence[StoredMessage],
        kept_id: int | None,
        budget: ContextBudget,
        when_full: str,
    ) -> PromptView:
        said = self._prompt_messages(branch)
        # A short chat surely fits: counting would only delay its first token.
        if kept_id is None and said and _surely_fits(system, said, budget):
            return view_prompt(said, None, 0, budget, when_full)
        return fit_prompt(self._count_messages(said), kept_id, self._counts.count_fixed(system), budget, when_full)

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
        whole, media = self._attached.show_message(draft, attachments, uses, self._counts.require_model())
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
        with_some = [(message, text) for message, (text, _) in zip(sent, texts, strict=True) if text != message.text]
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
            replace(prompt_message, text=text, media=media)
            for prompt_message, (text, media) in zip(_uncounted_messages(branch), shown, strict=True)
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
