"""Templates in a process of their own: whatever they do, it ends and the next conversation is rendered."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.engine.llama import rendering
from app.engine.llama.rendering import TemplateAbandoned, TemplateProblem, TemplateProcess
from tests.helpers.program import children_of, is_gone, wait_until

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
@pytest.mark.parametrize("source", [ENDLESS, STUCK], ids=["endless", "stuck"])
def test_a_template_that_computes_for_ever_is_ended_by_the_system(
    processes: Processes, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr(rendering, "DEADLINE_S", 60)
    with pytest.raises(TemplateAbandoned, match="computed for more than"):
        processes.start(source).render(HELLO)
    assert children_of() == []


def test_a_template_that_is_late_is_ended_and_not_tried_again_at_once(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "DEADLINE_S", 0.2)
    process = processes.start(WHEN_ASKED)
    with pytest.raises(TemplateAbandoned, match="did not come to an end within"):
        process.render(HANG)
    assert children_of() == []
    with pytest.raises(TemplateAbandoned, match="did not come to an end within"):
        process.render(HELLO)
    assert children_of() == []
    monkeypatch.setattr(rendering, "DEADLINE_S", 60)
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
