"""An answer while it is written: thinking and answer told apart, and how it ends."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import FinishReason, Message, PromptProgress, Role, TextDelta
from app.core.wire import EventReply
from app.engine.answer_decoder import (
    PLAIN,
    AnswerDecoder,
    AnswerSpan,
    StopStrings,
    ThinkingSplitter,
    ThinkingSyntax,
    syntax_of,
    thinking_of,
)
from app.engine.protocol import Ask, Generate, Reply
from tests.helpers.wire import events_of

# Thinking told from answer: every syntax, split anywhere, and nothing lost.


QWEN = (
    "{%- if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
)
GEMMA = "{%- if not enable_thinking | default(false) -%}{{- '<|channel>thought\\n<channel|>' -}}{%- endif -%}"
GPT_OSS = "Reasoning: {{ reasoning_effort }} {{ '<|start|>assistant<|channel|>final<|message|>' }}"
R1 = "{% if add_generation_prompt %}{{'<|Assistant|><think>\\n'}}{% endif %}"
LLAMA = "{% for message in messages %}{{ message.content }}{% endfor %}"
HARMONY, CHANNEL = syntax_of(GPT_OSS), syntax_of(GEMMA)

ANALYSIS = "<|channel|>analysis<|message|>"
FINAL = "<|start|>assistant<|channel|>final<|message|>"


def split(syntax: ThinkingSyntax, *pieces: str) -> tuple[str, str]:
    """Thinking and answer of these deltas."""
    reasoning = ThinkingSplitter(syntax)
    spans = [span for piece in pieces for span in reasoning.feed(piece)] + reasoning.finish()
    return "".join(s.text for s in spans if s.thinking), "".join(s.text for s in spans if not s.thinking)


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        ("Hello", "", "Hello"),
        ("  Hello\n", "", "  Hello\n"),
        ("<think>\nHm.\n</think>\n\nHello", "Hm.", "Hello"),
        ("\n<think>Hm.</think>Hello", "Hm.", "Hello"),
        ("<think>\n\n</think>\n\nHello", "", "Hello"),
        ("<think>Hm. Not done", "Hm. Not done", ""),
        ("<think>a</think>\n<think>b</think>c", "a\n\nb", "c"),
        ("Write <think> first, then </think>.", "", "Write <think> first, then </think>."),
        ("<think>a</think>Write <think>x</think>.", "a", "Write <think>x</think>."),
        ("<thing>", "", "<thing>"),
        ("<thi", "", "<thi"),
        ("<think>a < b </thin", "a < b </thin", ""),
        ("", "", ""),
    ],
)
def test_tags_around_the_beginning_are_thinking(text: str, thinking: str, answer: str) -> None:
    assert split(PLAIN, text) == (thinking, answer)


def test_an_answer_to_a_prompt_that_opened_the_tag_begins_inside() -> None:
    opened = PLAIN.for_prompt_end("<|im_start|>assistant\n<think>\n")
    assert split(opened, "Hm.</think>\nHello") == ("Hm.", "Hello")
    assert split(opened, "<think>Hm.</think>\nHello") == ("Hm.", "Hello")
    assert split(opened, "<think of it") == ("<think of it", "")


@pytest.mark.parametrize(
    "end", ["<|im_start|>assistant\n", "<|im_start|>assistant\n<think>\n\n</think>\n\n", "<think>x</think> <think> no"]
)
def test_other_prompts_leave_it_to_the_model(end: str) -> None:
    assert not PLAIN.for_prompt_end(end).inside


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        (f"{ANALYSIS}Hm.<|end|>{FINAL}Hello", "Hm.", "Hello"),
        (f"{ANALYSIS}Hm.<|end|>{FINAL}Hello<|end|>", "Hm.", "Hello"),
        (f"{ANALYSIS}a<|end|><|start|>assistant<|channel|>commentary<|message|>b<|end|>{FINAL}c", "a\n\nb", "c"),
        (f"{ANALYSIS}a{FINAL}c", "a", "c"),
        ("<|channel|>commentary to=functions.x json<|message|>{}", "{}", ""),
        ("<|channel|>final<|message|>Hello", "", "Hello"),
        ("<|message|>Hello", "", "Hello"),
        ("Hello", "", "Hello"),
        (f"{ANALYSIS}Not done", "Not done", ""),
        (
            f"{ANALYSIS}a<|end|>{FINAL}Then comes <|channel|> and <|end|> too.",
            "a",
            "Then comes <|channel|> and <|end|> too.",
        ),
        ("<|channel|>" + "x" * 400, "", "<|channel|>" + "x" * 400),
    ],
)
def test_harmony_channels_but_the_final_one_are_thinking(text: str, thinking: str, answer: str) -> None:
    assert split(HARMONY, text) == (thinking, answer)


def test_a_prompt_may_have_opened_the_analysis() -> None:
    assert split(HARMONY.for_prompt_end(f"<|start|>assistant{ANALYSIS}"), f"Hm.<|end|>{FINAL}Hello") == ("Hm.", "Hello")
    assert not HARMONY.for_prompt_end("<|start|>assistant").inside


CALLING = replace(HARMONY, calls="to=functions.")
CALL = "<|channel|>commentary json<|message|>"


@pytest.mark.parametrize(
    "header",
    [
        f" to=functions.f{CALL}",
        f"<|start|>assistant to=functions.f{CALL}",
        f"<|channel|>commentary to=functions.f{CALL}",
        f"{ANALYSIS}Hm.<|end|><|start|>assistant to=functions.f{CALL}",
        f"{ANALYSIS}Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.f{CALL}",
    ],
)
def test_a_call_in_a_harmony_header_is_the_answer_where_functions_may_be_called(header: str) -> None:
    thinking = "Hm." if "Hm." in header else ""
    call = f'to=functions.f{CALL}{{"a": 1}}'
    for pieces in ([f'{header}{{"a": 1}}'], list(f'{header}{{"a": 1}}')):
        assert split(CALLING, *pieces) == (thinking, call)
        assert "functions" not in split(HARMONY, *pieces)[1], "nobody may call: it is no answer"
    assert split(CALLING, "<|channel|>commentary to=browser.search<|message|>x<|end|>", FINAL, "Hello")[1] == "Hello"


def test_what_begins_a_call_in_a_header_is_held_to_the_grammar() -> None:
    reasoning = ThinkingSplitter(CALLING)
    outside = []
    for piece in ("<|channel|>", "analysis", "<|message|>", "Hm", "<|end|>", "<|start|>", "assistant", " to", "=", "x"):
        outside.append(reasoning.is_outside(piece))
        reasoning.feed(piece)
    assert outside == [True] * 7 + [False] * 3


def test_gemma_thinks_in_a_channel_of_its_own() -> None:
    assert split(CHANNEL, "<|channel>thought\nHm.\n<channel|>Hello") == ("Hm.", "Hello")
    assert split(CHANNEL.for_prompt_end("<|turn>model\n<|channel>thought\n<channel|>"), "Hello") == ("", "Hello")


MARKS = st.sampled_from(
    [
        "<think>",
        "</think>",
        "\n",
        " ",
        "a",
        "b.",
        "<",
        "</",
        ANALYSIS,
        FINAL,
        "<|end|>",
        "<|start|>",
        "<|channel>thought",
        " to=functions.",
        "to=",
    ]
)
SYNTAXES = st.sampled_from(
    [PLAIN, PLAIN.for_prompt_end("<think>"), HARMONY, HARMONY.for_prompt_end(ANALYSIS), CALLING, CHANNEL]
)


@given(SYNTAXES, st.lists(MARKS, max_size=12).map("".join), st.data())
def test_splitting_a_text_elsewhere_changes_nothing(syntax: ThinkingSyntax, text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert split(syntax, *pieces) == split(syntax, text) == split(syntax, *text)


@given(st.sampled_from([PLAIN, PLAIN.for_prompt_end("<think>"), CHANNEL]), st.lists(MARKS, max_size=12).map("".join))
def test_only_marks_and_white_space_are_lost(syntax: ThinkingSyntax, text: str) -> None:
    thinking, answer = split(syntax, text)
    left = iter("".join(text.split()))
    assert all(character in left for character in "".join((thinking + answer).split()))  # in order, nothing invented
    assert [c for c in thinking + answer if c in "07."] == [c for c in text if c in "07."]


@given(st.lists(st.tuples(st.sampled_from(["analysis", "commentary"]), st.text("07 <|", min_size=1)), max_size=4))
def test_every_channel_of_an_answer_arrives(thoughts: list[tuple[str, str]]) -> None:
    written = "".join(f"<|channel|>{name}<|message|>{text}<|end|><|start|>assistant" for name, text in thoughts)
    thinking, answer = split(HARMONY, *written, "<|channel|>final<|message|>", "Hello")
    assert answer == "Hello"
    assert thinking == "\n\n".join(text.strip() for _, text in thoughts if text.strip())


def test_deltas_are_handed_on_as_soon_as_they_are_certain() -> None:
    reasoning = ThinkingSplitter(PLAIN)
    assert reasoning.feed("<think>One") == [AnswerSpan("One", True)]
    assert reasoning.feed(" two ") == [AnswerSpan(" two", True)]
    assert reasoning.feed("three</") == [AnswerSpan(" three", True)]
    assert reasoning.feed("think>\n\nFour") == [AnswerSpan("Four", False)]
    assert reasoning.feed(" five ") == [AnswerSpan(" five ", False)]


def test_where_a_grammar_governs_only_whole_marks_begin_thinking() -> None:
    reasoning = ThinkingSplitter(PLAIN)
    assert reasoning.is_outside("<think>")
    assert not any(reasoning.is_outside(piece) for piece in ("<", "{", " ", "<thing>"))
    reasoning.feed("<think>")
    assert reasoning.is_outside("anything { at all")
    reasoning.feed("Hm.</think>")
    assert reasoning.is_outside("\n\n")
    assert not reasoning.is_outside("{")
    reasoning.feed("{")
    assert not reasoning.is_outside("<think>")


@pytest.mark.parametrize(
    ("template", "thinking"),
    [
        (QWEN, "switch"),
        (GEMMA, "switch_off"),
        ("{%- if thinking %}Think.{% endif %}", "switch_off"),
        ("{%- set enable_thinking = enable_thinking | default(true) %}", "switch"),
        (GPT_OSS, "effort"),
        (R1, "always"),
        (LLAMA, "none"),
        ("{# <think> and enable_thinking are for another day #}" + LLAMA, "none"),
        ("{{ content.split('</think>')[-1] }}", "none"),
    ],
)
def test_a_template_says_what_can_be_chosen(template: str, thinking: str) -> None:
    assert thinking_of(template) == thinking


def test_a_template_says_how_thinking_is_written() -> None:
    assert syntax_of(QWEN) == syntax_of(LLAMA) == PLAIN
    assert syntax_of("{{ '[THINK]' }}").closing == "[/THINK]"
    assert CHANNEL.marks == {"<|channel>", "<channel|>"}
    assert HARMONY.marks == {"<|channel|>", "<|message|>", "<|start|>", "<|end|>"}


@pytest.mark.parametrize("syntax", [PLAIN, CHANNEL, HARMONY.for_prompt_end(ANALYSIS), syntax_of("[THINK]")])
def test_the_forced_end_ends_the_thinking(syntax: ThinkingSyntax) -> None:
    begun = syntax.opening if syntax.kind == "tags" else ""
    assert split(syntax, begun, "Hm", syntax.forced_end, "Hello") == ("Hm", "Hello")


class Written:
    """An answer fed by hand."""

    def __init__(self, style: ThinkingSyntax = PLAIN, **options: object) -> None:
        self.replies: list[Reply] = []
        request = Generate(7, Ask((Message(Role.USER, "hello"),), **options))  # type: ignore[arg-type]
        self.answer = AnswerDecoder(request, self.replies.append, time.perf_counter(), style)

    @property
    def deltas(self) -> list[str]:
        return [delta.text for delta in events_of(self.replies, TextDelta) if not delta.thinking]

    @property
    def thoughts(self) -> list[str]:
        return [delta.text for delta in events_of(self.replies, TextDelta) if delta.thinking]


def test_characters_are_shown_only_when_they_are_whole() -> None:
    written = Written()
    for byte in "é🎉".encode():
        assert written.answer.add_token(bytes([byte])) is None
    assert written.deltas == ["é", "🎉"]


def test_half_a_character_at_the_end_is_shown_as_replaced() -> None:
    written = Written()
    written.answer.add_token(b"a" + "🎉".encode()[:2])
    written.answer.finish(FinishReason.STOP)
    assert written.deltas == ["a", "\ufffd"]


def test_a_stop_string_across_tokens_is_never_shown() -> None:
    written = Written(stop=("END",))
    reasons = [written.answer.add_token(piece) for piece in (b"one E", b"N", b"D two")]
    assert reasons == [None, None, FinishReason.STOP]
    written.answer.finish(FinishReason.STOP)
    assert written.deltas == ["one "]


def test_what_only_began_like_a_stop_string_is_shown() -> None:
    written = Written(stop=("END",))
    for piece in (b"one EN", b"OUGH E"):
        written.answer.add_token(piece)
    written.answer.finish(FinishReason.STOP)
    assert "".join(written.deltas) == "one ENOUGH E"


def test_the_earliest_of_several_stop_strings_counts() -> None:
    stops = StopStrings(["three", "two"])
    assert (stops.feed("one two three"), stops.met, stops.met_stop) == ("one ", True, "two")
    assert stops.feed("more") == ""


def test_an_empty_stop_string_stops_nothing() -> None:
    assert StopStrings([""]).feed("text") == "text"


@given(st.text("ab.", max_size=40), st.lists(st.text("ab.", min_size=1, max_size=4), max_size=3), st.data())
def test_cutting_text_differently_shows_the_same(text: str, stops: list[str], data: st.DataObject) -> None:
    strings, shown, rest = StopStrings(stops), "", text
    while rest and not strings.met:
        size = data.draw(st.integers(1, len(rest)))
        shown, rest = shown + strings.feed(rest[:size]), rest[size:]
    shown += strings.release_rest()
    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    assert strings.met == any(stop in text for stop in stops)


def test_without_a_limit_it_goes_on_and_each_piece_says_what_the_context_holds() -> None:
    written = Written(max_tokens=-1)
    written.answer.begin_prompt(100, 0)
    assert [written.answer.add_token(b"x") for _ in range(3000)] == [None] * 3000
    assert [delta.used_tokens for delta in events_of(written.replies, TextDelta)][::1000] == [101, 1101, 2101]


@pytest.mark.parametrize("limit", [1, 3])
def test_the_limit_counts_tokens(limit: int) -> None:
    written = Written(max_tokens=limit)
    reasons = [written.answer.add_token(b"x") for _ in range(limit)]
    assert reasons == [None] * (limit - 1) + [FinishReason.LENGTH]


def test_the_measures_are_those_of_the_answer() -> None:
    written = Written()
    written.answer.begin_prompt(10, 4)
    written.answer.report_prompt(10)
    for piece in (b"a", b"b", b"c"):
        written.answer.add_token(piece)
    last = written.answer.finish(FinishReason.STOP)
    assert EventReply(7, PromptProgress(10, 10)) in written.replies
    stats = last.event.stats
    assert (last.id, stats.prompt_tokens, stats.reused_tokens, stats.generated_tokens) == (7, 10, 4, 3)
    assert stats.time_to_first_token_s > 0
    assert stats.tokens_per_s > 0
    assert stats.finish_reason == "stop"


def test_an_answer_without_tokens_has_no_rates() -> None:
    last = Written().answer.finish(FinishReason.CANCELLED)
    assert (
        last.event.stats.generated_tokens,
        last.event.stats.time_to_first_token_s,
        last.event.stats.tokens_per_s,
    ) == (0, 0.0, 0.0)


def test_thinking_is_told_apart_and_counted() -> None:
    written = Written()
    for piece in (b"<thi", b"nk>", b"Hm", b" so", b"</think>", b"\n\n", b"Hello", b" you"):
        assert written.answer.add_token(piece) is None
    last = written.answer.finish(FinishReason.STOP)
    assert written.thoughts == ["Hm", " so"]
    assert written.deltas == ["Hello", " you"]
    assert (last.event.stats.generated_tokens, last.event.stats.thinking_tokens) == (8, 6)


def test_an_answer_without_thinking_counts_none() -> None:
    written = Written()
    for piece in (b"<", b"b>", b"bold"):
        written.answer.add_token(piece)
    assert written.answer.finish(FinishReason.STOP).event.stats.thinking_tokens == 0
    assert "".join(written.deltas) == "<b>bold"


def test_stop_strings_and_the_limit_are_for_the_answer_alone() -> None:
    written = Written(stop=("END",), max_tokens=2)
    for piece in (b"<think>", b"END", b" x", b"</think>", b"One"):
        assert written.answer.add_token(piece) is None
    assert written.answer.add_token(b"two") is FinishReason.LENGTH
    assert written.answer.add_token(b" END") is FinishReason.STOP
    written.answer.finish(FinishReason.STOP)
    assert ("".join(written.thoughts), "".join(written.deltas)) == ("END x", "Onetwo ")


def test_an_answer_that_ends_inside_keeps_its_thinking() -> None:
    written = Written(style=PLAIN.for_prompt_end("<think>\n"))
    written.answer.add_token(b"Hm, </th")
    written.answer.finish(FinishReason.CANCELLED)
    assert ("".join(written.thoughts), written.deltas) == ("Hm, </th", [])


def test_a_used_up_budget_forces_the_end_once() -> None:
    written = Written(thinking_budget=2, style=PLAIN.for_prompt_end("<think>\n"))
    written.answer.add_token(b"One")
    assert written.answer.forced_text() is None
    written.answer.add_token(b" two")
    assert written.answer.forced_text() == "\n</think>\n\n"
    assert written.answer.forced_text() is None
    for piece in (b"\n</think>", b"\n\n", b"Hello"):
        written.answer.add_token(piece)
    last = written.answer.finish(FinishReason.STOP)
    assert (written.thoughts, written.deltas, last.event.stats.thinking_tokens) == (["One", " two"], ["Hello"], 4)


def test_no_budget_at_all_ends_thinking_before_its_first_token() -> None:
    assert Written(thinking_budget=0, style=PLAIN.for_prompt_end("<think>\n")).answer.forced_text() == "\n</think>\n\n"
    assert Written(thinking_budget=0).answer.forced_text() is None
    assert Written(style=PLAIN.for_prompt_end("<think>\n")).answer.forced_text() is None


def test_a_character_split_over_tokens_stays_whole_in_thinking() -> None:
    written = Written(style=PLAIN.for_prompt_end("<think>"))
    for byte in "é🎉".encode():
        written.answer.add_token(bytes([byte]))
    assert written.thoughts == ["é", "🎉"]


def test_what_is_told_together_is_the_same_and_the_first_words_and_the_last_wait_for_nothing() -> None:
    written = Written(together_s=3600.0)
    for piece in ("<think>", "Hm", ", well", "</think>", "One", " two", " three"):
        written.answer.add_token(piece.encode())
    assert [(delta.text, delta.thinking) for delta in events_of(written.replies, TextDelta)] == [
        ("Hm", True),
        (", well", True),
    ]
    written.answer.finish(FinishReason.STOP)
    told = [(delta.text, delta.thinking) for delta in events_of(written.replies, TextDelta)]
    assert told == [("Hm", True), (", well", True), ("One two three", False)]


@pytest.mark.parametrize("thinks", [False, True])
def test_an_answer_that_runs_in_a_circle_ends_where_that_is_wished(thinks: bool) -> None:
    def end(*, wished: bool, question: str = "Why?") -> FinishReason | None:
        ask = Ask([Message(Role.USER, question)], stop_on_repetition=wished)
        answer = AnswerDecoder(Generate(1, ask), lambda _reply: None, 0.0)
        pieces = ["<think>"] * thinks + [" never", " again"] * 100
        return next((reason for piece in pieces if (reason := answer.add_token(piece.encode()))), None)

    assert end(wished=True) is FinishReason.REPEATED
    assert end(wished=False) is None
    assert end(wished=True, question='Write "never again" 100 times.') is (FinishReason.REPEATED if thinks else None)
