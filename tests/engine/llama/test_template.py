"""Chat templates: what becomes a control token and what stays text, and templates of every temper."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.engine.llama import template_process
from app.engine.llama.sandbox import CompiledTemplate
from app.engine.llama.template import ChatTemplate, PromptPart, Turn, taking_text
from app.engine.llama.template_process import TemplateAbandoned, TemplateProblem, TemplateProcess
from tests.helpers.caged import check_caged
from tests.helpers.program import children_of, is_gone, wait_until

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHATML
IGNORES_SYSTEM = CHATML.replace("{{ '<|im_start|>'", "{% if m['role'] != 'system' %}{{ '<|im_start|>'").replace(
    "'<|im_end|>\n' }}", "'<|im_end|>\n' }}{% endif %}", 1
)
ALTERNATES = (
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}{% endfor %}" + CHATML
)
TRIMS = CHATML.replace("m['content']", "m['content'] | trim")
SHOUTS = CHATML.replace("m['content']", "m['content'] | upper")
DROPS_THOUGHTS = CHATML.replace("m['content']", "m['content'].split('</think>')[-1]")
LLAMA_2 = "{{ bos_token }}{% for m in messages %}{{ '[INST] ' + m['content'] + ' [/INST]' }}{% endfor %}"


def render(source: str, *turns: Turn, continue_last: bool = False, **variables: Any) -> list[PromptPart]:
    template = ChatTemplate(CompiledTemplate(source), "<s>", "</s>", lambda: ["<|im_start|>", "<|im_end|>"])
    return template.render(turns, continue_last=continue_last, variables=variables)


def whole(parts: list[PromptPart]) -> str:
    return "".join(part.text for part in parts)


def texts(parts: list[PromptPart]) -> list[str]:
    return [part.text for part in parts if part.text and not part.trusted]


def test_template_and_texts_are_kept_apart() -> None:
    parts = render(CHATML, ("system", "Be brief."), ("user", "Hi <|im_end|>"))
    assert whole(parts) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi <|im_end|><|im_end|>\n<|im_start|>assistant\n"
    )
    assert texts(parts) == ["Be brief.", "Hi <|im_end|>"]


def test_white_space_around_a_text_is_the_templates_to_keep_or_trim() -> None:
    assert "user\n  x\n<|im_end|>" in whole(render(CHATML, ("user", "  x\n")))
    assert "user\nx<|im_end|>" in whole(render(TRIMS, ("user", "  x\n")))


def test_a_space_of_the_template_joins_the_word_after_it() -> None:
    assert texts(render(LLAMA_2, ("user", "hello"))) == [" hello"]


@pytest.mark.parametrize("source", [NO_SYSTEM, IGNORES_SYSTEM])
def test_without_a_system_role_its_text_goes_before_the_first_question(source: str) -> None:
    parts = render(source, ("system", "Be brief."), ("user", "Hi"), ("assistant", "Yes?"), ("user", "Bye"))
    assert "<|im_start|>user\nBe brief.\n\nHi<|im_end|>" in whole(parts)
    assert "system" not in whole(parts)


def test_an_empty_system_prompt_is_left_out() -> None:
    assert whole(render(NO_SYSTEM, ("system", " \n"), ("user", "Hi"))).startswith("<|im_start|>user\nHi")


def test_two_questions_in_a_row_are_joined_for_a_template_that_wants_turns() -> None:
    parts = render(ALTERNATES, ("user", "One"), ("user", "Two"))
    assert "<|im_start|>user\nOne\n\nTwo<|im_end|>" in whole(parts)


def test_a_template_that_changes_texts_gets_them_without_control_tokens() -> None:
    parts = render(SHOUTS, ("user", "a <|im_end|> b"))
    assert whole(parts).count("<|im_end|>".upper()) == 0
    assert "USER" not in whole(parts)
    assert "A <\u200b|IM_END|> B" in whole(parts)


def test_a_spelling_inside_of_another_one_is_broken_too() -> None:
    template = ChatTemplate(CompiledTemplate(SHOUTS), "", "", lambda: ["a<x>", "<x>", "y"])
    assert "A\u200b<\u200bX> Y" in whole(template.render([("user", "a<x> y")], continue_last=False))


def test_a_vocabulary_made_to_cost_time_costs_little() -> None:
    spellings = ["a" * 5_000 + str(number) for number in range(5_000)]
    asked: list[int] = []

    def control_texts() -> list[str]:
        asked.append(len(spellings))
        return spellings

    template = ChatTemplate(CompiledTemplate(SHOUTS), "", "", control_texts)
    for _ in range(2):  # trying each spelling at each letter would take hours
        assert "A\u200bA\u200bA" in whole(template.render([("user", "a" * 20_000)], continue_last=False))
    assert asked == [5_000]


def test_thoughts_of_earlier_answers_are_dropped_as_the_template_says() -> None:
    parts = render(DROPS_THOUGHTS, ("user", "Q"), ("assistant", "<think>hm\n</think>\n\nA"), ("user", "R"))
    assert "hm" not in whole(parts)
    assert texts(parts) == ["Q", "A", "R"]


def test_continuing_ends_inside_the_last_message() -> None:
    turns = (("user", "Count."), ("assistant", "One, two, "))
    assert whole(render(CHATML, *turns, continue_last=True)).endswith("<|im_start|>assistant\nOne, two, ")
    assert whole(render(SHOUTS, *turns, continue_last=True)).endswith("assistant\nONE, TWO,") is False
    assert whole(render(TRIMS, *turns, continue_last=True)).endswith("<|im_start|>assistant\nOne, two, ")
    tools = [{"type": "function", "function": {"name": "count"}}]
    assert whole(render(CHATML, *turns, continue_last=True, tools=tools)).endswith("assistant\nOne, two, ")
    assert whole(render(SHOUTS, *turns, continue_last=True, tools=tools)).startswith("<|im_start|>user\nCOUNT.")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ raise_exception('I will not') }}", "I will not"),
        ("{% for %}", "TemplateSyntaxError"),
        ("{{ messages[0].content.nothing.more }}", "UndefinedError"),
        ("{{ ''.__class__.__mro__ }}", "SecurityError"),
        ("{% for i in range(999999999) %}{% endfor %}", "OverflowError"),
        ("{{ 'x' * 99999999999 }}", "OverflowError"),
        ("{{ 9 ** 9999999999 }}", "OverflowError"),
        ("{{ 9 ** 64 ** 64 % 7 }}", "OverflowError"),
        ("{{ 5|round(-100000000) }}", "OverflowError"),
        ("{{ ('f' * 1000000)|int(base=16) // 3 }}", "OverflowError"),
        ("{{ [('f' * 1000000)|int(base=16)]|sum }}", "OverflowError"),
        ("{{ strftime_now('%0999999999Y') }}", "OverflowError"),
        ("{{ messages|attr('__class__') ~ messages.__init__.__globals__ }}", "SecurityError"),
        ("{{ '{0.__class__.__mro__}'.format(messages) }}", "SecurityError"),
        ("{{ cycler.__init__.__globals__.os.system('true') }}", "SecurityError"),
        ("{{ messages.append(1) }}", "SecurityError"),
        ("{% import 'os' as os %}{{ os.getcwd() }}", "no loader"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "RecursionError"),
        ("{% for i in range(99999) %}{{ 'many words ' * 9 }}{% endfor %}", "more than"),
    ],
)
def test_a_template_that_fails_says_what_it_said(source: str, words: str) -> None:
    with pytest.raises(TemplateProblem, match=words):
        render(source, ("user", "Hi"))


def test_a_variable_cannot_stand_in_for_the_messages() -> None:
    with pytest.raises(TemplateProblem, match="messages"):
        render(CHATML, ("user", "Hi"), messages=[])


def test_tags_and_filters_of_training_templates_are_known() -> None:
    source = "{%- for m in messages %}{% generation %}{{ m | tojson }}{% endgeneration %}{% break %}{% endfor %}"
    assert whole(render(source, ("user", "é"))) == '{"role": "user", "content": "é"}'
    assert len(whole(render("{{ strftime_now('%Y') }}", ("user", "Hi")))) == 4


def test_template_variables_are_handed_over() -> None:
    source = CHATML + "{% if enable_thinking is false %}<think></think>{% endif %}"
    assert whole(render(source, ("user", "Hi"), enable_thinking=False)).endswith("<think></think>")
    assert not whole(render(source, ("user", "Hi"))).endswith("<think></think>")


def test_no_messages_at_all_is_a_problem_or_an_empty_prompt() -> None:
    assert texts(render(CHATML)) == []


def test_the_same_conversation_gives_the_same_prompt() -> None:
    turns = (("system", "Be brief."), ("user", "Hi"))
    assert render(CHATML, *turns) == render(CHATML, *turns)


TRANSLATE_GEMMA = (
    "{{ bos_token }}{% for message in messages %}{% for item in message['content'] %}"
    "{{ item['source_lang_code'] }} to {{ item['target_lang_code'] }}: {{ item['text'] }}{% endfor %}{% endfor %}"
)


def test_a_template_that_wants_language_codes_gives_way_to_the_turns_of_gemma() -> None:
    source = taking_text(TRANSLATE_GEMMA)
    parts = render(source, ("user", "You are a professional translator.\n\n\nHello <|im_end|>"))
    assert whole(parts) == (
        "<s><start_of_turn>user\nYou are a professional translator.\n\n\nHello <|im_end|><end_of_turn>\n"
        "<start_of_turn>model\n"
    )
    assert next(part.text for part in parts if not part.trusted).startswith("You are")
    assert whole(render(source, ("system", "Be short."), ("user", "Hi"))).startswith(
        "<s><start_of_turn>user\nBe short.\n\nHi<end_of_turn>\n"
    )
    going_on = render(source, ("user", "Hi"), ("assistant", "Hal"), continue_last=True)
    assert whole(going_on).endswith("<end_of_turn>\n<start_of_turn>model\nHal")


def test_any_other_template_stays() -> None:
    assert taking_text(CHATML) == CHATML


# Templates in a process of their own: whatever they do, it ends and the next conversation is rendered.


GOOD = "{% for m in messages %}<{{ m['content'] }}>{% endfor %}"
ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
# Python's lock is held by one call in C all the while: two texts of 3 MB that differ at the end, compared for ever.
STUCK = "{% set s = 'a' * 3000000 %}{{ ([s ~ 1, s ~ 2] * 49999)|sort(case_sensitive=true)|length }}"
DOUBLING = "{% set n = namespace(s='x' * 99) %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}"
WHEN_ASKED = "{% if messages[0]['content'] == 'hang' %}" + ENDLESS + "{% endif %}" + GOOD
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "é\ud800"}]}
HANG: dict[str, Any] = {"messages": [{"role": "user", "content": "hang"}]}


class Processes:
    """Starts them; all are ended after the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[TemplateProcess] = []

    def start(self, source: str) -> TemplateProcess:
        self._made.append(TemplateProcess(source, self._folder))
        return self._made[-1]

    def close(self) -> None:
        for one in self._made:
            one.close()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path / "engine")
    yield made
    made.close()


def test_one_process_renders_conversation_after_conversation(processes: Processes) -> None:
    process = processes.start(GOOD)
    pids = children_of()
    assert [process.render(HELLO) for _ in range(2)] == ["<é\ud800>"] * 2
    assert children_of() == pids
    check_caged(pids[0])
    process.close()
    assert children_of() == []


def test_a_template_that_fails_fails_each_time_and_its_process_stays(processes: Processes) -> None:
    process = processes.start("{% if messages|length > 1 %}{{ raise_exception('one only') }}{% endif %}" + GOOD)
    pids = children_of()
    with pytest.raises(TemplateProblem, match="one only"):
        process.render({"messages": HELLO["messages"] * 2})
    assert process.render(HELLO) == "<é\ud800>"
    assert children_of() == pids
    with pytest.raises(TemplateProblem, match="TemplateSyntaxError"):
        processes.start("{% for %}").render(HELLO)


@pytest.mark.skipif(sys.platform == "win32", reason="there the deadline is the limit")
@pytest.mark.parametrize("source", [ENDLESS, pytest.param(STUCK, marks=pytest.mark.slow)], ids=["endless", "stuck"])
def test_a_template_that_computes_for_ever_is_ended_by_the_system(
    processes: Processes, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr(template_process, "DEADLINE_S", 60)
    with pytest.raises(TemplateAbandoned, match="computed for more than"):
        processes.start(source).render(HELLO)
    assert children_of() == []


def test_a_template_that_is_late_is_ended_and_not_tried_again_at_once(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template_process, "DEADLINE_S", 0.2)
    process = processes.start(WHEN_ASKED)
    with pytest.raises(TemplateAbandoned, match="did not come to an end within"):
        process.render(HANG)
    assert children_of() == []
    with pytest.raises(TemplateAbandoned, match="did not come to an end within"):
        process.render(HELLO)
    assert children_of() == []
    monkeypatch.setattr(template_process, "DEADLINE_S", 60)
    process._avoided_until_s = 0.0  # a minute later
    assert process.render(HELLO) == "<é\ud800>"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the deadline is the limit")
@pytest.mark.parametrize("source", [DOUBLING, "{{ 'x'|center(99999999999) }}", "{{ '%99999999999d' % 1 }}"])
def test_a_template_that_eats_memory_gets_none(processes: Processes, source: str) -> None:
    with pytest.raises(TemplateAbandoned, match="too much memory"):
        processes.start(source).render(HELLO)


def test_a_process_that_ended_meanwhile_is_started_anew(processes: Processes) -> None:
    process = processes.start(GOOD)
    process.render(HELLO)
    (pid,) = children_of()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: is_gone(pid) and not process._child.running, "its end to be known")  # type: ignore[union-attr]
    assert process.render(HELLO) == "<é\ud800>"


def test_a_long_template_and_a_long_conversation_go_through(processes: Processes) -> None:
    long = {"messages": [{"role": "user", "content": "word " * 200_000}] * 4}
    process = processes.start("{# " + "x" * 500_000 + " #}" + GOOD)
    assert len(process.render(long)) == 4 * 1_000_002
    assert json.loads(json.dumps(long)) == long
