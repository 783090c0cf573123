"""How much of a text is read, what is asked, and continuations as they come."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.child import own_command
from app.core.errors.request_errors import InfillUnavailable
from app.core.events import CancelToken, FinishReason, PromptProgress, TextDelta, TokenChosen, TokenSeen, Waiting
from app.engine.client import EngineClient
from app.engine.protocol import Ask, Sampling
from app.features.continue_page import (
    PIECE_CHARACTERS,
    BlankTrimmer,
    ContextWindow,
    Continuation,
    PageAsked,
    continue_text,
    count_pieces,
    go_on,
    pieces_of,
    reading_of,
    split_trailing_blanks,
)
from app.features.write_pages import GREEDY, WritingOptions
from tests.helpers.engine import load, scripted_client
from tests.helpers.tiny_models import make_tiny

TEXTS = st.text(alphabet=st.sampled_from("ab \n\té漢"), max_size=2000)
WORDS = {"text": " one two three"}


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[EngineClient]:
    with closing(scripted_client(tmp_path, {"answers": [WORDS]})) as client:
        load(client)
        yield client


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineClient]:
    """A real child."""
    with closing(EngineClient(own_command("--engine-worker"), tmp_path / "engine")) as client:
        yield client


@given(TEXTS)
def test_pieces_are_the_whole_text_and_none_is_long(text: str) -> None:
    pieces = pieces_of(text)
    assert "".join(pieces) == text
    assert all(len(piece.rstrip("\n")) <= PIECE_CHARACTERS for piece in pieces)


def counted(text: str) -> dict[str, int]:
    """As the scripted model counts: words."""
    return {piece: len(piece.split()) for piece in pieces_of(text)}


@pytest.mark.parametrize("words", [50, 79, 81, 100, 140, 500])
def test_the_end_that_fits_is_read_and_a_text_that_fits_whole(words: int) -> None:
    text = "".join(f"w{number:04}\n" for number in range(words))
    options = WritingOptions(max_tokens=20)
    found = reading_of(text, len(text), counted(text), 116, options)  # 116 - 20 - 16 are 80
    assert found.all_tokens == words
    assert found.is_whole == (words <= 80)
    assert len(text[found.start :].split()) == found.tokens <= 80
    if words > 80:
        assert found.tokens > 80 - 80 // 4, "no more is left out than a quarter of the room"
        assert text[found.start - 1] == "\n"


def test_what_is_read_begins_at_the_same_place_while_little_is_added() -> None:
    text = "".join(f"w{number:04}\n" for number in range(200))
    options = WritingOptions(max_tokens=20)
    starts = [reading_of(text[:end], end, counted(text[:end]), 116, options).start for end in range(600, 1200, 6)]
    assert len(set(starts)) <= 7, "read anew for each word"


def test_filling_in_reads_the_beginning_of_what_follows() -> None:
    text = "".join(f"w{number:04}\n" for number in range(200))
    cursor, options = 600, WritingOptions(max_tokens=20)
    known = counted(text[:cursor]) | counted(text[cursor:])
    found = reading_of(text, cursor, known, 116, options, fills=True)
    assert 0 < len(text[cursor : found.end].split()) <= 20
    assert len(text[found.start : cursor].split()) + 20 <= 80
    assert found.all_tokens == 200


def test_one_line_without_a_blank_is_cut_where_it_must() -> None:
    text = "x" * 1000
    found = reading_of(text, 1000, {piece: len(piece) for piece in pieces_of(text)}, 64, WritingOptions())
    assert 0 < 1000 - found.start <= 64


def test_options_are_kept_and_what_is_wrong_falls_back() -> None:
    options = WritingOptions(30, 3, {"temperature": 0.5, "seed": 7}, ("\n\n",), "on", "python")
    assert WritingOptions.from_stored(options.to_fields()) == options
    wrong = {"max_tokens": 10**9, "count": "3", "sampling": {"temperature": "x", "other": 1}, "stop": [1, ""]}
    assert WritingOptions.from_stored(wrong) == WritingOptions()


def test_a_fixed_seed_moves_on_with_each_try_and_greedy_is_greedy() -> None:
    options = WritingOptions(count=3, sampling={"seed": 5})
    assert [options.make_ask("x", tries=tries).sampling.seed for tries in range(3)] == [5, 8, 11]
    assert options.make_ask("x").task_sampling == Sampling()
    assert WritingOptions(sampling={"temperature": 0.0}).make_ask("x").task_sampling == GREEDY


def test_the_figure_is_the_geometric_mean() -> None:
    tokens = [TokenSeen(1, b"a", log_probability=math.log(share)) for share in (0.5, 0.125)]
    assert Continuation("aa", tokens).probability_per_token == pytest.approx(0.25)
    assert Continuation().probability_per_token == 0


def test_tokens_are_counted_once_and_cancelled_counting_ends(scripted: EngineClient) -> None:
    text = "one two\nthree\n" * 3
    known: dict[str, int] = {}
    assert list(count_pieces(scripted, text, known, CancelToken()))[-1] == 9 + 6, "words, and ends of lines"
    asked = known.copy()
    assert list(count_pieces(scripted, text, known, CancelToken())) == [15]
    assert known == asked
    stopped = CancelToken()
    stopped.cancel()
    assert list(count_pieces(scripted, "another text", {}, stopped)) == []


def test_several_come_side_by_side_and_a_page_says_what_is_read(tmp_path: Path) -> None:
    slow = {"text": " word", "repeat": 20, "delay_s": 0.05}  # all three are asked for before the first is written
    asked = PageAsked("Deep learning is", 16, WritingOptions(count=3))
    with closing(scripted_client(tmp_path, {"answers": [slow]})) as client:
        load(client)
        events = list(go_on(client, asked, {}, CancelToken()))
    reading = next(event for event in events if isinstance(event, ContextWindow))
    assert (reading.start, reading.tokens, reading.is_whole) == (0, 3, True)
    came = [event for event in events if isinstance(event, tuple)]
    assert {one.text for _, one in came} == {" word" * 20}
    order = [index for index, _ in came]
    assert order.index(2) < len(order) - 1 - order[::-1].index(0), "one after another"
    assert {one.finish_reason for _, one in came} == {FinishReason.STOP}


TEXT_BEFORE = "The keeper climbed the stairs and"


def written(text: str, piece: str, tmp_path: Path, **ask: Any) -> tuple[str, dict[str, Any]]:
    """What comes behind `text` of a model that writes `piece`, and what that was asked."""
    with closing(scripted_client(tmp_path, {"answers": [{"text": piece}], "log": "log.jsonl"})) as client:
        load(client)
        *_, (_, one) = continue_text(client, Ask((), text=text, **ask))
    asked = json.loads((tmp_path / "log.jsonl").read_text("utf-8").splitlines()[-1])["ask"]
    return one.text, asked


@pytest.mark.parametrize(
    ("blanks", "piece", "expected"),
    [
        ("", " saw the sea", " saw the sea"),
        (" ", " saw the sea", "saw the sea"),
        ("  ", " saw", "saw"),  # a model elsewhere, which no grammar holds
        ("\t", "\tsaw", "saw"),
        (" ", "saw", "saw"),
        (" ", "\n\nNext", "\n\nNext"),
        (":\n    ", "        return", "    return"),
        (":\n", "    return", "    return"),
        (":\n\t", "\t\treturn", "\treturn"),
    ],
)
def test_blanks_before_the_cursor_are_not_read_and_not_written_twice(
    tmp_path: Path, blanks: str, piece: str, expected: str
) -> None:
    text, asked = written(TEXT_BEFORE + blanks, piece, tmp_path)
    assert text == expected
    assert asked["text"] == (TEXT_BEFORE + blanks).rstrip(" \t"), "it was read with the blank"
    assert bool(asked["grammar"]) == (asked["text"] != TEXT_BEFORE + blanks)


def test_blanks_stay_out_of_what_is_filled_in_too(tmp_path: Path) -> None:
    text, asked = written("x = ", " 5", tmp_path, suffix="\nprint(x)\n")
    assert (text, asked["text"], asked["suffix"]) == ("5", "x =", "\nprint(x)\n")


@given(TEXTS, st.integers(0, 400))
def test_a_text_and_its_blanks_are_all_of_it(text: str, count: int) -> None:
    whole = text + " " * count
    head, blanks = split_trailing_blanks(whole)
    assert head + blanks == whole
    assert set(blanks) <= {" ", "\t"}
    assert head == whole or head == head.rstrip(" \t") != ""


@given(st.text(" \t", max_size=6), st.text("ab \t\n", max_size=9), st.integers(1, 4))
def test_a_continuation_loses_only_blanks_that_stand_there(blanks: str, text: str, size: int) -> None:
    trimmer = BlankTrimmer(blanks)
    left = "".join(trimmer.feed(text[at : at + size]) for at in range(0, len(text), size))
    dropped = text.removesuffix(left)
    assert dropped + left == text
    assert blanks.startswith(dropped)
    assert len(dropped) == len(blanks) or not left or left[0] != blanks[len(dropped)]


@pytest.mark.model
@pytest.mark.parametrize("blanks", [" ", "  ", "\t"])
def test_a_real_model_goes_on_with_the_blanks_that_were_left_out(
    engine: EngineClient, starter: Path, blanks: str
) -> None:
    load(engine, starter)
    ask = replace(
        WritingOptions(max_tokens=6, sampling={"temperature": 0.0}).make_ask(TEXT_BEFORE + blanks), alternatives=0
    )
    *_, (_, one) = continue_text(engine, ask)
    said = b"".join(token.data for token in one.tokens).decode()
    assert said == blanks + one.text
    assert one.text.strip()


class Busy:
    """An engine that is at work elsewhere before it reads."""

    def generate_many(self, asks: list[Ask], **_options: object) -> Iterator[tuple[int, object]]:
        events = (Waiting("room"), PromptProgress(2, 4), TokenChosen(TokenSeen(1, b" a")), TextDelta(" a"))
        yield from ((0, event) for event in events)


def test_what_is_waited_for_is_told_until_it_goes_on() -> None:
    engine: Any = Busy()
    told = [(one.waits, one.read, one.text) for _, one in continue_text(engine, Ask((), text="x"))]
    assert told == [
        ("room", None, ""),
        ("", PromptProgress(2, 4), ""),
        ("", PromptProgress(2, 4), " a"),
    ]


@pytest.mark.model
@pytest.mark.slow
def test_greedy_ones_are_all_the_same_in_one_batch_too(engine: EngineClient, starter: Path) -> None:
    load(engine, starter)
    ask = WritingOptions(max_tokens=12, sampling={"temperature": 0.0}).make_ask("Deep learning is")
    (single,) = {one.text for _, one in continue_text(engine, ask) if one.finish_reason}
    many = [one for _, one in continue_text(engine, ask, 3) if one.finish_reason]
    assert [one.text for one in many] == [single] * 3
    assert all(len(one.tokens) == 12 and 0 < one.probability_per_token <= 1 for one in many)
    assert all(one.tokens[0].alternatives for one in many)


def test_a_model_without_tokens_for_the_middle_says_so_in_the_real_engine(tmp_path: Path, engine: EngineClient) -> None:
    load(engine, make_tiny("llama", tmp_path / "tiny.gguf"))
    with pytest.raises(InfillUnavailable):
        list(continue_text(engine, Ask((), text="ab", suffix="cd", max_tokens=4)))
    (found,) = {one.text for _, one in continue_text(engine, Ask((), text="ab", max_tokens=4)) if one.finish_reason}
    assert len(found) == 4
