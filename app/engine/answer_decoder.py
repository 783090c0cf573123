"""An answer while it is written: thinking apart, whole characters, stop strings, limits, measures. No model here."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Callable, Sequence

from app.core.events import AnswerStats, Finished, FinishReason, LookProgress, PromptProgress, Role, TextDelta
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.wire import EventReply
from app.engine import protocol
from app.engine.infill import InfillEnd
from app.engine.predicted_drafts import PredictedDrafts
from app.engine.prompt_drafts import AnswerDrafts
from app.language.repetition import RepetitionWatch

TAGS, HARMONY = "tags", "harmony"
CHANNEL, MESSAGE, START, END = "<|channel|>", "<|message|>", "<|start|>", "<|end|>"
RECIPIENT = "to="
"""Marks a harmony header with a recipient other than the user."""
THINK = ("<think>", "</think>")
PAIRS: tuple[tuple[str, str], ...] = (
    ("<|channel>thought", "<channel|>"),  # Gemma 4
    ("<|START_THINKING|>", "<|END_THINKING|>"),  # Command R7B and A
    ("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),  # MiniMax M3
    ("[THINK]", "[/THINK]"),  # Magistral, Ministral
    ("<thinking>", "</thinking>"),  # Apriel
    THINK,
)
# Names of variables in templates of Qwen3, DeepSeek, GLM and others; only a condition on them is a switch.
SWITCHES = re.compile(r"\benable_thinking\b|\b(el)?if (not )?thinking\b")
ON_BY_ITSELF = re.compile(
    r"enable_thinking (is|==) false|enable_thinking is defined and not enable_thinking|default\(true\)"
    r"|\(enable_thinking=true|set (ns\.)?(enable_)?thinking ?= ?true|if enable_thinking is defined else true",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ThinkingSyntax:
    """Syntax of one model's thinking. `inside`: the prompt has already opened it.

    Pure; streaming: marks may be split over any number of deltas.

    Three ways of writing it down are known: a pair of tags (`<think>…</think>` and its relatives, also Gemma 4's
    channel), where the prompt may already have opened the tag, and the Harmony channels of gpt-oss. Thinking stands
    before the answer; a tag further on, in an answer that talks about tags, is text.
    """

    kind: str = TAGS
    opening: str = THINK[0]
    closing: str = THINK[1]
    inside: bool = False
    marks: frozenset[str] = field(default=frozenset(THINK))
    """Spellings of control tokens that have to be visible in the text the parser is given."""
    calls: str = ""
    """With what a call of a function begins, where functions may be called: in a Harmony header, it is the answer."""

    @property
    def forced_end(self) -> str:
        """Text that ends the thinking in the model's place; its control tokens are parsed as such."""
        if self.kind == HARMONY:
            return f"{END}{START}assistant{CHANNEL}final{MESSAGE}"
        return f"\n{self.closing}\n\n"

    def for_prompt_end(self, prompt_end: str) -> ThinkingSyntax:
        """Return the syntax for an answer to a prompt whose last (trusted) part ends like this."""
        if self.kind == HARMONY:
            # The last header of the prompt, behind the last message that has ended.
            header = prompt_end.rpartition(END)[2].rpartition(CHANNEL)[2].strip()
            opened = CHANNEL in prompt_end and header.endswith(MESSAGE) and not header.startswith("final")
            return replace(self, inside=opened)
        opened = prompt_end.rfind(self.opening) > prompt_end.rfind(self.closing)
        # Opened at the very end: an empty pair, or text behind the tag, means that the template has closed it for us.
        return replace(self, inside=opened and not prompt_end.rpartition(self.opening)[2].strip())


PLAIN = ThinkingSyntax()
NO_THINKING = ThinkingSyntax(opening="\0", closing="\0", marks=frozenset())
"""Syntax for continued texts, in which nothing counts as thinking."""


def syntax_of(template_source: str) -> ThinkingSyntax:
    """Return the syntax of the model with this chat template; `<think>` if the template names none."""
    # A comment of a template may quote the tags of another family.
    source = _without_comments(template_source)
    if CHANNEL in source and MESSAGE in source:
        return ThinkingSyntax(HARMONY, CHANNEL, MESSAGE, marks=frozenset((CHANNEL, MESSAGE, START, END)))
    for opening, closing in PAIRS:
        if opening in source or closing in source:
            # The word behind Gemma's control token is text, so only the token itself has to be made visible.
            return ThinkingSyntax(TAGS, opening, closing, marks=frozenset((opening.removesuffix("thought"), closing)))
    return PLAIN


def thinking_of(template_source: str) -> str:
    """Return what the user can choose about a model's thinking.

    "switch" (on or off, on by default), "switch_off" (off by default), "effort", "always" (no choice), or "none": it
    doesn't think. The switch is the template variable `enable_thinking` or `thinking`; the effort is
    `reasoning_effort`.
    """
    source = _without_comments(template_source)
    if SWITCHES.search(source):
        return "switch" if ON_BY_ITSELF.search(source) else "switch_off"
    if "reasoning_effort" in source:
        return "effort"
    opens = any(opening in source for opening, _ in PAIRS)
    return "always" if opens or (CHANNEL in source and MESSAGE in source) else "none"


def _without_comments(source: str) -> str:
    return re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)


@dataclass(frozen=True)
class AnswerSpan:
    """A piece of text, marked as thinking or answer."""

    text: str
    thinking: bool


UNDECIDED, HEADER, THINKING, BETWEEN, ANSWER = "undecided", "header", "thinking", "between", "answer"
# A header is a few words; longer, it is text that merely looks like one.
LONGEST_HEADER = 256


class ThinkingSplitter:
    """Splits one answer. Marks, and the white space around the thinking, belong to neither side."""

    def __init__(self, syntax: ThinkingSyntax) -> None:
        self.syntax = syntax
        self._is_harmony = syntax.kind == HARMONY
        self._state = THINKING if syntax.inside else UNDECIDED
        self._held = ""
        self._at_start = True
        """True until this block of thinking shows text: leading white space and a repeated opening tag are dropped."""
        self._has_thought = False

    @property
    def is_thinking(self) -> bool:
        """True if the model is in the middle of thinking."""
        return self._state == THINKING

    @property
    def is_answering(self) -> bool:
        """True if the thinking is over: all that follows is the answer."""
        return self._state == ANSWER

    @property
    def is_undecided(self) -> bool:
        """True if it is still open if there is thinking at all; everything so far is held back."""
        return self._state == UNDECIDED

    def is_outside(self, piece: str) -> bool:
        """Return whether this text, if next, would be thinking or a mark instead of answer text.

        Where thinking may still begin, only a complete mark begins it.
        """
        if self._state in (UNDECIDED, BETWEEN):
            # White space alone decides nothing before thinking, and belongs to it behind.
            body = (self._held + piece).lstrip()
            opens = any(body.startswith(mark) for mark in self.syntax.marks)
            return opens if body else self._state == BETWEEN
        # A call in a Harmony header is governed by the grammar, the header around it is not.
        if self._state == HEADER and self.syntax.calls:
            return not (self._in_call(self._held) or self._in_call(self._held + piece))
        return self._state != ANSWER

    def _in_call(self, header: str) -> bool:
        """Return whether a header has come to a call, if only to the first letters of it."""
        begin = f" {self.syntax.calls}"
        return begin in header or overlap_length(header, begin) > 1

    def feed(self, text: str) -> list[AnswerSpan]:
        """Return the spans that are certain now, in order."""
        self._held += text
        spans: list[AnswerSpan] = []
        step = self._harmony_step if self._is_harmony else self._tag_step
        while step(spans):
            pass
        return _join_spans(spans)

    def finish(self) -> list[AnswerSpan]:
        """Return what was held back, when the answer ends here; thinking that was not closed stays thinking."""
        spans: list[AnswerSpan] = []
        held, self._held = self._held, ""
        if self._state == THINKING:
            self._add_thinking(held, spans)
        elif self._state == BETWEEN:
            spans.append(AnswerSpan(held.lstrip(), False))
        # The mark at the very end of a Harmony answer is none of its words.
        elif not (self._state == ANSWER and self._is_harmony and held == END):
            spans.append(AnswerSpan(held, False))
        return _join_spans(spans)

    def _tag_step(self, spans: list[AnswerSpan]) -> bool:
        """Consume the held text as far as it is certain; return whether to try again."""
        opening, closing = self.syntax.opening, self.syntax.closing
        if self._state == ANSWER:
            return self._pass_on(spans, 0)
        body = self._held.lstrip()
        if self._state != THINKING or self._at_start:
            if body.startswith(opening):
                return self._enter_state(THINKING, body[len(opening) :])
            # It may still become the opening tag with the next token.
            if opening.startswith(body):
                return False
        if self._state != THINKING:
            return self._enter_state(ANSWER, body if self._state == BETWEEN else self._held)
        at = self._held.find(closing)
        if at < 0:
            return self._think_on(spans, overlap_length(self._held, closing))
        self._add_thinking(self._held[:at].rstrip(), spans)
        return self._enter_state(BETWEEN, self._held[at + len(closing) :])

    def _harmony_step(self, spans: list[AnswerSpan]) -> bool:
        if self._state == ANSWER:
            return self._pass_on(spans, len(END) if self._held.endswith(END) else overlap_length(self._held, END))
        if self._state == HEADER:
            return self._read_header()
        return self._think_to_end(spans) if self._state == THINKING else self._look_for_channel()

    def _think_to_end(self, spans: list[AnswerSpan]) -> bool:
        # A model may begin a new message without ending the one before.
        ends = [at for at in (self._held.find(END), self._held.find(START)) if at >= 0]
        if not ends:
            return self._think_on(spans, max(overlap_length(self._held, END), overlap_length(self._held, START)))
        self._add_thinking(self._held[: min(ends)].rstrip(), spans)
        return self._enter_state(BETWEEN, self._held[min(ends) :].removeprefix(END))

    def _look_for_channel(self) -> bool:
        body = self._held.lstrip()
        for mark, state in ((CHANNEL, HEADER), (START, HEADER), (MESSAGE, ANSWER), (RECIPIENT, HEADER)):
            if body.startswith(mark):
                # A recipient without a channel before it stands for a header, which it is put back into.
                return self._enter_state(state, {CHANNEL: body, RECIPIENT: f" {body}"}.get(mark, body[len(mark) :]))
            if mark.startswith(body):
                return False
        return self._enter_state(ANSWER, body if self._state == BETWEEN else self._held)

    def _read_header(self) -> bool:
        """Read a harmony header: in `assistant<|channel|>analysis<|message|>` the channel tells what follows.

        `assistant to=functions.f<|channel|>commentary json<|message|>`, or the recipient further back, is a call.
        """
        at = self._held.find(MESSAGE, 0, LONGEST_HEADER + len(MESSAGE))
        call = f" {self.syntax.calls}"
        called = self._held.find(call, 0, at if at >= 0 else LONGEST_HEADER) if self.syntax.calls else -1
        if called >= 0:
            return self._enter_state(ANSWER, self._held[called + 1 :])
        if at >= 0:
            channel = self._held[:at].rpartition(CHANNEL)[2] if CHANNEL in self._held[:at] else "final"
            # "final" is what the user sees; "analysis" and "commentary" are thinking.
            is_final = channel.split()[:1] == ["final"]
            return self._enter_state(ANSWER if is_final else THINKING, self._held[at + len(MESSAGE) :])
        return len(self._held) >= LONGEST_HEADER + len(MESSAGE) and self._enter_state(ANSWER, self._held)

    def _enter_state(self, state: str, held: str) -> bool:
        self._state, self._held, self._at_start = state, held, True
        return True

    def _pass_on(self, spans: list[AnswerSpan], keep: int) -> bool:
        certain = len(self._held) - keep
        spans.append(AnswerSpan(self._held[:certain], False))
        self._held = self._held[certain:]
        return False

    def _think_on(self, spans: list[AnswerSpan], keep: int) -> bool:
        """Show thinking except for `keep` characters and the white space before them, which may be its end."""
        certain = len(self._held[: len(self._held) - keep].rstrip())
        self._add_thinking(self._held[:certain], spans)
        self._held = self._held[certain:]
        return False

    def _add_thinking(self, text: str, spans: list[AnswerSpan]) -> None:
        text = text.lstrip() if self._at_start else text
        if not text.strip():
            return
        # A second block of thinking is a paragraph of its own.
        if self._at_start and self._has_thought:
            text = "\n\n" + text
        spans.append(AnswerSpan(text, True))
        self._at_start, self._has_thought = False, True


def overlap_length(text: str, mark: str) -> int:
    """Return the length of the longest suffix of `text` that is a proper prefix of `mark`."""
    return next((n for n in range(min(len(text), len(mark) - 1), 0, -1) if text.endswith(mark[:n])), 0)


def _join_spans(spans: list[AnswerSpan]) -> list[AnswerSpan]:
    """Neighbours of one kind together, empty ones left out."""
    joined: list[AnswerSpan] = []
    for span in spans:
        if joined and joined[-1].thinking == span.thinking:
            joined[-1] = AnswerSpan(joined[-1].text + span.text, span.thinking)
        elif span.text:
            joined.append(span)
    return joined


class StopStrings:
    """Pass text through up to the first stop string, holding back what may be the start of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.met_stop = ""

    @property
    def met(self) -> bool:
        return bool(self.met_stop)

    def feed(self, text: str) -> str:
        """Return the part of everything so far that may be shown now and was not yet."""
        if not self._stops or self.met:
            return "" if self.met else text
        text = self._held + text
        found = [(at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            # The earliest stop string counts, and of two at one place the shorter one.
            at, self.met_stop = min(found)
            self._held = ""
            return text[:at]
        # Any stop string might begin in the last characters.
        keep = max(overlap_length(text, stop) for stop in self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def release_rest(self) -> str:
        """Return what was held back, when the answer ends without a stop string."""
        held, self._held = self._held, ""
        return held


class ForcedEnd:
    """Ends an answer that its model does not end: where its suffix begins again, or where it runs in a circle."""

    def __init__(self, ask: protocol.Ask) -> None:
        self._infill = InfillEnd(ask.text, ask.suffix)
        # A question that repeats itself may be answered in the same words, so they are known to the watch.
        asked = next((text for role, text in reversed(ask.turns) if role == Role.USER), "")
        watches = ask.stop_on_repetition and not ask.tells_last
        self._watches = (RepetitionWatch(asked), RepetitionWatch()) if watches else ()
        """Repetition watches for the answer, and for the thinking before it."""
        self.reason: FinishReason | None = None

    def feed(self, text: str, *, thinking: bool = False) -> str:
        """Return what of it may be shown. `reason` says from then on whether the answer is over."""
        if not thinking:
            text = self._infill.feed(text)
        if self._infill.met:
            self.reason = FinishReason.STOP
        elif self._watches and self._watches[thinking].feed(text):
            self.reason = FinishReason.REPEATED
        return text

    def release_rest(self) -> str:
        """Return what was held back, when the answer ends by itself."""
        return self._infill.release_rest()


class AnswerDecoder:
    """Turns token bytes into deltas and says when to stop.

    `begun_s` is when the request's turn came. `thinking_style` is how the model writes its thinking:
    ``syntax_of(template_source).for_prompt_end(text of the prompt's last trusted part)``. Before each token to be
    sampled, `forced_text` is asked; what it gives is tokenized with control tokens and added in the token's place.

    `max_tokens` counts the answer alone, and below 0 is no limit; the thinking has its own budget. Text of `together_s`
    seconds is told together, or of more where the request says so.
    """

    def __init__(
        self,
        request: protocol.Generate,
        reply: Callable[[protocol.Reply], None],
        begun_s: float,
        thinking_style: ThinkingSyntax = PLAIN,
        together_s: float = 0.0,
    ) -> None:
        self.prompt_tokens = 0
        self.reused_tokens = 0
        self.generated_tokens = 0
        self.thinking_tokens = 0
        self.media_tokens = 0
        self.encoded_media = 0
        self.drafts: AnswerDrafts | PredictedDrafts | None = None
        self._request = request
        self._reply = reply
        self._stops = StopStrings(request.ask.stop)
        self._end = ForcedEnd(request.ask)
        self._reasoning = ThinkingSplitter(thinking_style)
        # Tokens may end inside of a character, whose bytes then wait for the next token.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._undecided_tokens = 0
        self._is_forced = False
        self._together_s = max(together_s, request.ask.together_s)
        self._held, self._is_held_thought, self._told_s = "", False, float("-inf")
        self._begun_s = begun_s
        self._first_s = 0.0
        self._last_s = 0.0

    def begin_prompt(self, prompt_tokens: int, reused_tokens: int) -> None:
        """Record the prompt's size and how much of it was cached."""
        self.prompt_tokens = prompt_tokens
        self.reused_tokens = reused_tokens

    def report_prompt(self, done_tokens: int) -> None:
        """Send how much of the prompt is read, in tokens; also a sign of life while it is long."""
        self._reply(EventReply(self._request.id, PromptProgress(done_tokens, self.prompt_tokens)))

    def report_encoding(self, number: int, total: int, fraction: float) -> None:
        """Report progress of encoding images or sounds; `number` counts from 1."""
        self._reply(EventReply(self._request.id, LookProgress(number, total, fraction)))

    def add_token(self, piece: bytes) -> FinishReason | None:
        """Add a token; return the reason if the answer ends with it, else None.

        `piece` is the token's text, empty for control tokens except those in the syntax's `marks`.
        """
        self._last_s = time.perf_counter()
        if self.generated_tokens == 0:
            self._first_s = self._last_s
        self.generated_tokens += 1
        self._show_spans(self._reasoning.feed(self._decoder.decode(piece)))
        self._count_thinking()
        if self._stops.met or self._end.reason is not None:
            return self._end.reason or FinishReason.STOP
        written = self.generated_tokens - self.thinking_tokens
        # Below 0 is no limit, and thinking has a budget of its own.
        return FinishReason.LENGTH if 0 <= self._request.ask.max_tokens <= written else None

    def is_outside(self, piece: bytes) -> bool:
        """Return whether a token with this piece would be outside the answer that a grammar governs."""
        return self._reasoning.is_outside(piece.decode("utf-8", "replace"))

    def forced_text(self) -> str | None:
        """Return what has to be written next instead of a sampled token: the end of thinking whose budget is used
        up.
        """
        budget = self._request.ask.thinking_budget
        if self._is_forced or budget < 0 or not self._reasoning.is_thinking or self.thinking_tokens < budget:
            return None
        # Once: a model that begins to think again is left to it.
        self._is_forced = True
        return self._reasoning.syntax.forced_end

    def finish(self, reason: FinishReason) -> EventReply:
        """Show held-back text (an incomplete character as U+FFFD) and return the last reply."""
        # The end may lie in what was held back: an incomplete character, a mark that did not come.
        self._show_spans(self._reasoning.feed(self._decoder.decode(b"", final=True)))
        self._show_spans(self._reasoning.finish())
        self._send_text(self._end.feed(self._stops.release_rest()) + self._end.release_rest(), thinking=False)
        self._flush_text()
        writing_s = self._last_s - self._first_s
        # The first token's time is that of the prompt, so one token less was written in this time.
        rate = (self.generated_tokens - 1) / writing_s if self.generated_tokens > 1 and writing_s > 0 else 0.0
        stats = AnswerStats(
            self.prompt_tokens,
            self.reused_tokens,
            self.generated_tokens,
            self._first_s - self._begun_s if self.generated_tokens else 0.0,
            rate,
            reason,
            self.thinking_tokens,
            self.media_tokens,
            self.encoded_media,
            self._stops.met_stop,
            *(self.drafts.figures if self.drafts else ()),
        )
        return EventReply(self._request.id, Finished(stats))

    def _count_thinking(self) -> None:
        """Tokens that may yet turn out to be an opening mark count as thinking once they are one."""
        if self._reasoning.is_undecided:
            self._undecided_tokens += 1
        elif not self._reasoning.is_answering:
            self.thinking_tokens += 1 + self._undecided_tokens
            self._undecided_tokens = 0

    def _show_spans(self, spans: Sequence[AnswerSpan]) -> None:
        for span in spans:
            text = span.text if span.thinking else self._stops.feed(span.text)
            self._send_text(self._end.feed(text, thinking=span.thinking), thinking=span.thinking)

    def _send_text(self, text: str, *, thinking: bool) -> None:
        if not text:
            return
        if thinking != self._is_held_thought:
            self._flush_text()
        self._held, self._is_held_thought = self._held + text, thinking
        # Words of a fast model are sent together: each message costs processor time on both sides.
        if self._last_s >= self._told_s + self._together_s:
            self._flush_text()

    def _flush_text(self) -> None:
        """Send the coalesced text as one delta, and note when."""
        if self._held:
            used_tokens = self.prompt_tokens + self.generated_tokens
            delta = TextDelta(self._held, self._is_held_thought, used_tokens)
            self._reply(EventReply(self._request.id, delta))
            self._held, self._told_s = "", self._last_s
