"""Thinking told from answer: every syntax, split anywhere, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.reasoning import PLAIN, Reasoning, Span, Syntax, syntax_of, thinking_of

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


def split(syntax: Syntax, *pieces: str) -> tuple[str, str]:
    """Thinking and answer of these deltas."""
    reasoning = Reasoning(syntax)
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
    opened = PLAIN.after("<|im_start|>assistant\n<think>\n")
    assert split(opened, "Hm.</think>\nHello") == ("Hm.", "Hello")
    assert split(opened, "<think>Hm.</think>\nHello") == ("Hm.", "Hello")
    assert split(opened, "<think of it") == ("<think of it", "")


@pytest.mark.parametrize(
    "end", ["<|im_start|>assistant\n", "<|im_start|>assistant\n<think>\n\n</think>\n\n", "<think>x</think> <think> no"]
)
def test_other_prompts_leave_it_to_the_model(end: str) -> None:
    assert not PLAIN.after(end).inside


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
    assert split(HARMONY.after(f"<|start|>assistant{ANALYSIS}"), f"Hm.<|end|>{FINAL}Hello") == ("Hm.", "Hello")
    assert not HARMONY.after("<|start|>assistant").inside


def test_gemma_thinks_in_a_channel_of_its_own() -> None:
    assert split(CHANNEL, "<|channel>thought\nHm.\n<channel|>Hello") == ("Hm.", "Hello")
    assert split(CHANNEL.after("<|turn>model\n<|channel>thought\n<channel|>"), "Hello") == ("", "Hello")


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
    ]
)
SYNTAXES = st.sampled_from([PLAIN, PLAIN.after("<think>"), HARMONY, HARMONY.after(ANALYSIS), CHANNEL])


@given(SYNTAXES, st.lists(MARKS, max_size=12).map("".join), st.data())
def test_splitting_a_text_elsewhere_changes_nothing(syntax: Syntax, text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert split(syntax, *pieces) == split(syntax, text) == split(syntax, *text)


@given(st.sampled_from([PLAIN, PLAIN.after("<think>"), CHANNEL]), st.lists(MARKS, max_size=12).map("".join))
def test_only_marks_and_white_space_are_lost(syntax: Syntax, text: str) -> None:
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
    reasoning = Reasoning(PLAIN)
    assert reasoning.feed("<think>One") == [Span("One", True)]
    assert reasoning.feed(" two ") == [Span(" two", True)]
    assert reasoning.feed("three</") == [Span(" three", True)]
    assert reasoning.feed("think>\n\nFour") == [Span("Four", False)]
    assert reasoning.feed(" five ") == [Span(" five ", False)]


def test_where_a_grammar_governs_only_whole_marks_begin_thinking() -> None:
    reasoning = Reasoning(PLAIN)
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


@pytest.mark.parametrize("syntax", [PLAIN, CHANNEL, HARMONY.after(ANALYSIS), syntax_of("[THINK]")])
def test_the_forced_end_ends_the_thinking(syntax: Syntax) -> None:
    begun = syntax.opening if syntax.kind == "tags" else ""
    assert split(syntax, begun, "Hm", syntax.forced_end, "Hello") == ("Hm", "Hello")
