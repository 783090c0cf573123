"""Two models asked the same, and the tally of the votes."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors.model_errors import ModelMissing
from app.core.events import CancelToken, Finished, TextDelta
from app.engine.client import EngineClient
from app.features.inside.model_comparison import (
    MOST_PAIRS,
    ModelAsleep,
    VoteTally,
    compare_answers,
    tally_of,
    with_vote,
    without_votes,
)
from tests.helpers.engine import scripted_client

ONE, OTHER = Path("/models/one.gguf"), Path("/models/other.gguf")


@pytest.fixture
def engine(tmp_path: Path) -> EngineClient:
    return scripted_client(tmp_path / "scripted", {"answers": [{"text": "I am who I am"}]})


def test_both_answer_one_after_the_other_and_leave_memory(engine: EngineClient) -> None:
    rooms: list[Path] = []

    def make_room(path: Path) -> str:
        rooms.append(path)
        return "Chatty" if path == OTHER else ""

    told = list(compare_answers(engine, [ONE, OTHER], "Who are you?", make_room=make_room, cancel=CancelToken()))
    texts = ["".join(e.text for place, e in told if place == at and isinstance(e, TextDelta)) for at in (0, 1)]
    assert texts == ["I am who I am"] * 2
    assert [place for place, event in told if isinstance(event, Finished)] == [0, 1]
    assert (1, ModelAsleep("Chatty")) in told
    assert rooms == [ONE, OTHER]
    assert engine.loaded is None
    engine.close()


def test_one_that_cannot_be_loaded_costs_only_its_own_answer(tmp_path: Path) -> None:
    engine = scripted_client(tmp_path / "scripted", {"load": {"any_path": False}})
    here = tmp_path / "here.gguf"
    here.write_bytes(b"GGUF")
    told = list(compare_answers(engine, [OTHER, here], "Well?", cancel=CancelToken()))
    assert [type(event) for place, event in told if place == 0][-1] is ModelMissing
    assert [type(event) for place, event in told if place == 1][-1] is Finished
    engine.close()


def test_stop_ends_it_with_what_there_is(engine: EngineClient) -> None:
    cancel, told = CancelToken(), list[tuple[int, object]]()
    for event in compare_answers(engine, [ONE, OTHER], "Who?", cancel=cancel):
        told.append(event)
        if isinstance(event[1], TextDelta):
            cancel.cancel()
    assert {place for place, _ in told} == {0}
    engine.close()


def test_votes_are_counted_for_a_pair_whichever_comes_first() -> None:
    lines: tuple[str, ...] = ()
    for one, other, better in [(ONE, OTHER, ONE), (OTHER, ONE, ONE), (OTHER, ONE, OTHER), (ONE, OTHER, None)]:
        lines = with_vote(lines, one, other, better)
    lines = with_vote(lines, ONE, Path("third.gguf"), None)
    assert tally_of(lines, ONE, OTHER) == VoteTally("one.gguf", "other.gguf", 2, 1, 1)
    assert tally_of(lines, OTHER, ONE) == VoteTally("other.gguf", "one.gguf", 1, 2, 1)
    lines = without_votes(lines, OTHER, ONE)
    assert tally_of(lines, ONE, OTHER) == VoteTally("one.gguf", "other.gguf")
    assert tally_of(lines, ONE, Path("third.gguf")).same == 1


@pytest.mark.parametrize("line", ["", "{", "[]", "[1, 2, 3, 4, 5]", '["a", "b", "c", 1, 1]', '["a"]', "[" * 10_000])
def test_lines_that_somebody_else_wrote_count_nothing(line: str) -> None:
    assert tally_of([line], ONE, OTHER) == VoteTally("one.gguf", "other.gguf")
    assert len(with_vote([line], ONE, OTHER, ONE)) == 1


def test_the_pairs_that_were_asked_longest_ago_are_forgotten() -> None:
    lines: tuple[str, ...] = ()
    for number in range(MOST_PAIRS + 2):
        lines = with_vote(lines, ONE, Path(f"{number}.gguf"), None)
    assert len(lines) == MOST_PAIRS
    assert tally_of(lines, ONE, Path("0.gguf")).same == 0
    assert tally_of(lines, ONE, Path(f"{MOST_PAIRS + 1}.gguf")).same == 1
