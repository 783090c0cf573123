"""Scores of tool calls: what is right, what is asked in each way, and which way is kept for a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.child import own_command
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.features.tool_calls import (
    NO_TOOL_FITS,
    NO_TOOL_INSTRUCTIONS,
    WORDS_INSTRUCTIONS,
    CallWay,
    ToolFunction,
    arguments_schema,
)
from app.features.tools.score_requests import ScoreRequest, score_requests, score_tools
from app.features.tools.scoring import MOST_TOKENS, RequestScored, ScoredAnswer, WaysCompared, WayScore, compare_ways
from app.features.tools.tool_scores import ToolScores
from app.features.untagged_calls import matches_schema
from tests.helpers.engine import load
from tests.helpers.script import requests, write_script

SETS = Path(__file__).parents[2] / "data" / "tools"
HELD_OUT, UNSEEN = SETS / "held_out.json", SETS / "unseen.json"
OWN_WAY = {
    "opening": '<tool_call>\n{"name": "',
    "between": '", "arguments": ',
    "closing": "}\n</tool_call>",
    "begins": "<tool_call>",
}
WEATHER = ToolFunction(
    "weather", "", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
)
IN_OSLO = ScoreRequest("Weather in Oslo?", "weather", {"city": ["Oslo"]})
JOKE = ScoreRequest("Tell me a joke.")


@pytest.mark.parametrize(
    ("accepted", "right", "wrong"),
    [
        ({"city": ["Oslo", "Christiania"]}, [{"city": " oslo."}, {"city": "CHRISTIANIA"}], [{"city": "Bergen"}, {}]),
        ({"amount": [1500]}, [{"amount": 1500.0}, {"amount": "1,500"}], [{"amount": 15}, {"amount": True}]),
        ({"page": [None, 3]}, [{}, {"page": 3}, {"page": None}], [{"page": 4}]),
        ({"label": ["*"]}, [{}, {"label": "eggs"}], [{"label": "eggs", "made_up": 1}]),
        ({"sum": [{"has": ["1249.5", "*|×"]}]}, [{"sum": "1,249.50 × 2"}], [{"sum": "1249.5 + 2"}]),
        ({"only": [True]}, [{"only": True}], [{"only": 1}, {"only": "true"}]),
    ],
)
def test_arguments_are_compared_as_a_person_would(
    accepted: dict[str, Any], right: list[dict[str, Any]], wrong: list[dict[str, Any]]
) -> None:
    request = ScoreRequest("", "a_tool", accepted)
    assert [given for given in right if not request.accepts(given)] == []
    assert [given for given in wrong if request.accepts(given)] == []


@pytest.mark.parametrize(("path", "count"), [(None, 24), (HELD_OUT, 60), (UNSEEN, 45)])
def test_a_third_of_the_requests_need_no_tool_and_the_others_can_be_answered(path: Path | None, count: int) -> None:
    asked, tools = score_requests(path), {tool.name: tool for tool in score_tools()}
    assert (len(asked), sum(not request.tool for request in asked)) == (count, count // 3)
    assert {request.tool for request in asked if request.tool} == tools.keys(), "every tool is wanted by some"
    for request in asked:
        schema = arguments_schema(tools[request.tool]) if request.tool else {"properties": {}}
        assert request.arguments.keys() <= schema["properties"].keys(), request.text
        # Of each argument the first accepted value, as a model would give it.
        given = {name: values[0] for name, values in request.arguments.items()}
        given = {name: " ".join(part.split("|")[0] for part in v["has"]) if isinstance(v, dict) else v
                 for name, v in given.items() if v is not None}  # fmt: skip
        assert not request.tool or matches_schema(given, schema), request.text
        assert request.accepts(given), request.text


def test_no_request_is_in_two_sets() -> None:
    asked = [request.text.casefold() for path in (None, HELD_OUT, UNSEEN) for request in score_requests(path)]
    assert len(set(asked)) == len(asked)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineClient]:
    script = tmp_path / "script.json"
    client = EngineClient([*own_command("--engine-worker"), "--scripted", str(script)], tmp_path / "engine")
    yield client
    client.close()


def compared(engine: EngineClient, tmp_path: Path, text: str, *asked: ScoreRequest, **keys: Any) -> WaysCompared:
    """The ways' scores of a model that answers every request so."""
    write_script(tmp_path, {"text": text}, **({"calls": OWN_WAY} | keys))
    load(engine)
    *told, last = compare_ways(engine, asked, [WEATHER], CancelToken())
    assert [event.done for event in told if isinstance(event, RequestScored)] == list(range(1, 3 * len(asked) + 1))
    assert isinstance(last, WaysCompared)
    return last


def counts_of(score: WayScore) -> tuple[int, ...]:
    """Valid, right tool, right arguments, valid but wrong, without need."""
    return tuple(score.to_fields().values())[1:]


CALL = '<tool_call>\n{{"name": "weather", "arguments": {{"city": "{}"}}}}\n</tool_call>'


def test_each_way_counts_what_was_called(engine: EngineClient, tmp_path: Path) -> None:
    in_rome = ScoreRequest("And Rome?", "weather", {"city": ["Rome"]})
    found = compared(engine, tmp_path, CALL.format("Oslo"), IN_OSLO, in_rome, JOKE)
    assert [counts_of(score) for score in found.ways] == [(3, 2, 1, 2, 1)] * 3
    assert list(found.to_fields()) == ["requests", "ways", "best"]
    assert (found.requests, found.best) == (3, CallWay.FREE)
    asked = requests(tmp_path / "script.json")
    callings = [ask["calling"] and (ask["calling"]["must_call"], ask["calling"]["escape"]) for ask in asked]
    assert callings == [None] * 3 + [(False, "")] * 3 + [(True, NO_TOOL_FITS)] * 3
    told = [[text for role, text in ask["messages"] if role == "system"] for ask in asked]
    assert told == [[]] * 3 + [[WORDS_INSTRUCTIONS]] * 3 + [[NO_TOOL_INSTRUCTIONS]] * 3


def test_no_greeting_is_answered_with_a_call_where_calls_are_constrained(engine: EngineClient, tmp_path: Path) -> None:
    found = compared(engine, tmp_path, CALL.format("Oslo"), ScoreRequest("Hello!"))
    assert [counts_of(score) for score in found.ways] == [(1, 0, 0, 1, 1), (1, 1, 1, 0, 0), (1, 1, 1, 0, 0)]


def test_a_call_without_end_is_not_valid(engine: EngineClient, tmp_path: Path) -> None:
    endless = '{"name": "weather", "arguments": {"city": "O' + " o" * MOST_TOKENS
    found = compared(engine, tmp_path, endless, IN_OSLO)
    assert [counts_of(score) for score in found.ways] == [(0, 0, 0, 0, 0)] * 3


def test_words_are_valid_and_right_only_where_no_tool_is_wanted(engine: EngineClient, tmp_path: Path) -> None:
    found = compared(engine, tmp_path, NO_TOOL_FITS, IN_OSLO, JOKE)
    assert [counts_of(score) for score in found.ways] == [(2, 1, 1, 0, 0)] * 3


@pytest.mark.parametrize(
    ("written", "free"),
    [
        ('{"name": "weather", "arguments": {"town": "Oslo"}}', (0, 0, 0, 0, 0)),
        ("You can use the `weather` function with Oslo.", (1, 0, 0, 0, 0)),
    ],
)
def test_a_call_that_is_broken_or_only_spoken_of_is_asked_for_where_calls_are_constrained(
    engine: EngineClient, tmp_path: Path, written: str, free: tuple[int, ...]
) -> None:
    write_script(tmp_path, {"text": written, "times": 2}, {"text": CALL.format("Oslo")}, calls=OWN_WAY)
    load(engine)
    *_, last = compare_ways(engine, [IN_OSLO], [WEATHER], CancelToken(), [CallWay.FREE, CallWay.LAZY])
    assert isinstance(last, WaysCompared)
    assert [counts_of(score) for score in last.ways] == [free, (1, 1, 1, 0, 0)]
    assert last.best is CallWay.LAZY


def test_arguments_that_a_tool_does_not_have_are_dropped_where_calls_are_constrained(
    engine: EngineClient, tmp_path: Path
) -> None:
    written = '{"name": "weather", "arguments": {"city": "Oslo", "label": "today"}}'
    free, lazy, _ = compared(engine, tmp_path, written, IN_OSLO).ways
    assert (counts_of(free), counts_of(lazy)) == ((1, 1, 0, 1, 0), (1, 1, 1, 0, 0))


def test_a_model_without_calls_of_its_own_is_scored_with_json(engine: EngineClient, tmp_path: Path) -> None:
    found = compared(engine, tmp_path, '{"name": "weather", "arguments": {"city": "Oslo"}}', IN_OSLO, calls=None)
    assert [counts_of(score) for score in found.ways] == [(1, 1, 1, 0, 0)] * 3
    *_, strict = requests(tmp_path / "script.json")
    assert strict["calling"]["escape"] == NO_TOOL_FITS


def test_a_cancelled_comparison_gives_no_result(engine: EngineClient, tmp_path: Path) -> None:
    write_script(tmp_path, {"text": NO_TOOL_FITS})
    load(engine)
    cancel, seen = CancelToken(), []
    for event in compare_ways(engine, [JOKE, IN_OSLO], [WEATHER], cancel):
        seen.append(event)
        cancel.cancel()
    assert not any(isinstance(event, WaysCompared) for event in seen)


def way(name: CallWay, right: int, needless: int, invalid: int) -> WayScore:
    """A way with so many right answers, calls without need, and broken ones."""
    oslo = {"city": "Oslo"}
    return WayScore(
        name,
        [ScoredAnswer(IN_OSLO, "weather", oslo, is_valid=True)] * right
        + [ScoredAnswer(JOKE, "weather", oslo, is_valid=True)] * needless
        + [ScoredAnswer(IN_OSLO, "", {}, is_valid=False)] * invalid
        + [ScoredAnswer(IN_OSLO, "", {}, is_valid=True)] * (10 - right - needless - invalid),
    )


@pytest.mark.parametrize(
    ("free", "lazy", "strict", "best"),
    [
        ((5, 0, 0), (6, 4, 0), (5, 0, 0), CallWay.LAZY),
        ((5, 2, 0), (5, 2, 0), (5, 1, 1), CallWay.STRICT),
        ((5, 1, 1), (5, 1, 0), (5, 1, 0), CallWay.LAZY),
    ],
)
def test_right_arguments_decide_then_fewer_calls_without_need_then_valid_ones(
    free: tuple[int, int, int], lazy: tuple[int, int, int], strict: tuple[int, int, int], best: CallWay
) -> None:
    ways = (way(CallWay.FREE, *free), way(CallWay.LAZY, *lazy), way(CallWay.STRICT, *strict))
    assert WaysCompared(10, ways).best is best


@pytest.mark.parametrize(("right", "is_under_half"), [(4, True), (5, False)])
def test_a_model_keeps_its_score_until_its_file_changes(tmp_path: Path, right: int, is_under_half: bool) -> None:
    model, scores = tmp_path / "model.gguf", ToolScores(tmp_path / "cache")
    model.write_bytes(b"GGUF one")
    assert scores.find_score(model) is None
    scores.keep_score(model, WaysCompared(10, (way(CallWay.LAZY, right, 0, 0),)))
    found = ToolScores(tmp_path / "cache").find_score(model)
    assert found is not None
    assert (found.best, found.right_tool, found.requests) == (CallWay.LAZY, right, 10)
    assert found.is_under_half is is_under_half
    assert found.message.values == {"right": str(right), "requests": "10"}
    assert str(right) in str(found.message)
    model.write_bytes(b"GGUF another")
    assert scores.find_score(model) is None
    assert scores.find_score(tmp_path / "gone.gguf") is None
