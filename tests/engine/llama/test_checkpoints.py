"""Checkpoints never change a token: what goes back to one answers as if all had been read anew, and reads little.

Edits, forks, retries and windows that move, in any order, on each kind of model that can't drop its end by itself.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.child import own_command
from app.core.events import AnswerStats, Message, TokenChosen, TokenSeen
from app.core.gguf import check_model
from app.engine.client import EngineClient
from app.engine.fit import BATCH_TOKENS
from app.engine.llama.checkpoints import (
    LEAST_APART_TOKENS,
    CheckpointBudget,
    SequenceCheckpoints,
    StateCheckpoint,
)
from app.engine.model_shape import MOST_CHECKPOINTS, ModelLayout, shape_of
from app.engine.protocol import Ask, Sampling
from app.engine.states import StateFolder
from tests.helpers.engine import answer_of, assistant, load, system, user
from tests.helpers.gemma_model import gemma_with_template

PLAINLY_GREEDY = Sampling(temperature=0.0, repeat_penalty=1.0, presence_penalty=0.0)
TOKENS = 8
ROUNDING, ROUNDING_QUANTIZED = 0.03, 0.25  # of a logarithm; sums are rounded otherwise where batches were cut elsewhere
STRETCH = LEAST_APART_TOKENS + BATCH_TOKENS
"""Checkpoints are taken at the ends of batches, so as much can lie between two."""
KINDS = [
    *("mamba", "lfm2", "qwen35_mtp", "gemma3"),
    *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("granitehybrid", "qwen35")),  # like those before
]
GEMMA = "gemma-3-270m"
STORY = "Once there was a lighthouse keeper with a red boat and two dogs who feared the sea. "
RULE = system("Answer in one line. ")
WORDS = ("harbours and boats, ", "a small red dog, ", "winds from the west, ")


@dataclass
class EnginePair:
    """One child that keeps what it read, and one that reads everything anew."""

    keeping: EngineClient
    forgetting: EngineClient
    path: Path
    long: Message
    """A beginning that is longer than what lies between checkpoints, and than any window."""
    states: StateFolder
    rounding: float = ROUNDING

    def ask(self, messages: Sequence[Message], session: str) -> tuple[str, AnswerStats]:
        """Answer from whatever is kept, held against reading anew."""
        text, stats, chosen = _answered(self.keeping, messages, session)
        _, fresh, anew = _answered(self.forgetting, messages, "anew")
        self.forgetting.forget_session("anew")
        assert fresh.reused_tokens == 0
        for ours, theirs in zip(chosen, anew, strict=False):
            assert ours.log_probability == pytest.approx(theirs.log_probability, abs=self.rounding)
            if ours.id != theirs.id:  # as good as equal: rounding decides, which depends on how batches were cut
                best, second = (guess.probability for guess in theirs.alternatives)
                assert math.log(best / second) < self.rounding
                break
        return text, stats

    def restart(self) -> None:
        """Load the model again, so that memory is empty and only what lies on the disk is left."""
        self.keeping.unload()
        load(self.keeping, self.path)

    def forget_all(self) -> None:
        """Delete what earlier examples have left."""
        for session in SESSIONS:
            self.keeping.forget_session(session)


SESSIONS = ("chat-1", "chat-2")


def _answered(
    engine: EngineClient, messages: Sequence[Message], session: str
) -> tuple[str, AnswerStats, list[TokenSeen]]:
    ask = Ask(messages, TOKENS, PLAINLY_GREEDY, session=session, alternatives=2)
    events = list(engine.answer(ask))
    return *answer_of(events), [event.token for event in events if isinstance(event, TokenChosen)]


def unread(stats: AnswerStats) -> int:
    """Tokens of the prompt that were read."""
    return stats.prompt_tokens - stats.reused_tokens


@pytest.fixture(scope="module", params=[*KINDS, pytest.param(GEMMA, marks=pytest.mark.gemma)])
def pair(
    request: pytest.FixtureRequest, tiny_model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EnginePair]:
    """Both children with a model of each kind in turn."""
    folder = tmp_path_factory.mktemp(request.param)
    is_gemma = request.param == GEMMA
    path = gemma_with_template(folder / "gemma.gguf") if is_gemma else tiny_model(request.param)
    states = StateFolder(folder / "states", lambda: 1 << 30)
    keeping = EngineClient(own_command("--engine-worker"), folder / "keeping", states=states)
    forgetting = EngineClient(own_command("--engine-worker"), folder / "forgetting")
    for engine in (keeping, forgetting):
        load(engine, path)
    rounding = ROUNDING_QUANTIZED if is_gemma else ROUNDING
    yield EnginePair(keeping, forgetting, path, system(STORY * (62 if is_gemma else 18)), states, rounding)
    keeping.close()
    forgetting.close()


ACTIONS = ("say", "say", "edit", "retry", "fork", "window", "other", "restart")


@pytest.mark.model
@pytest.mark.parametrize("pair", KINDS, indirect=True)
@given(steps=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 9)), min_size=3, max_size=6))
def test_going_back_never_changes_a_token(pair: EnginePair, steps: list[tuple[str, int]]) -> None:
    pair.forget_all()
    chats: dict[str, list[Message]] = {name: [RULE, _question(0)] for name in SESSIONS}
    session = SESSIONS[0]
    for number, (action, at) in enumerate(steps):
        chat = chats[session]
        turns = [index for index, message in enumerate(chat) if message.text.startswith("Q")]
        turn = turns[at % len(turns)]
        if action == "edit":  # any question, with all behind it gone
            chats[session] = [*chat[:turn], _question(number + at)]
        elif action == "fork":  # another chat goes on from any turn of this one
            session = SESSIONS[1 - SESSIONS.index(session)]
            chats[session] = [*chat[: turn + 1]]
        elif action == "window" and len(turns) > 1:  # the earliest turn leaves
            chats[session] = [RULE, *chat[turns[1] :]]
        elif action == "other":
            session = SESSIONS[1 - SESSIONS.index(session)]
        elif action == "restart":
            pair.restart()
        text, _ = pair.ask(chats[session], session)
        if action in ("say", "edit"):
            chats[session] = [*chats[session], assistant(text), _question(number)]


def _question(number: int) -> Message:
    """A question of 40 to 350 tokens; seven of them fit into the context."""
    return user(f"Q{number} " + WORDS[number % 3] * (2 + 4 * (number % 5)))


SHORT, OTHER = user("Who feared the sea?"), user("What was red?")


@pytest.mark.model
def test_the_last_question_edited_or_asked_again_reads_little(pair: EnginePair) -> None:
    pair.forget_all()
    text, _ = pair.ask([pair.long, SHORT], "chat-1")
    _, again = pair.ask([pair.long, SHORT], "chat-1")
    _, edited = pair.ask([pair.long, OTHER], "chat-1")
    _, second = pair.ask([pair.long, OTHER, assistant(text), SHORT], "chat-1")
    _, forked = pair.ask([pair.long, OTHER, assistant(text), OTHER], "chat-2")
    assert max(map(unread, (again, edited, second, forked))) < 60


@pytest.mark.model
def test_where_early_turns_left_the_instructions_are_not_read_again(pair: EnginePair) -> None:
    pair.forget_all()
    turns = [pair.long, *(turn for _ in range(3) for turn in (SHORT, assistant("The dogs."))), OTHER]
    pair.ask(turns, "chat-1")
    _, stats = pair.ask([pair.long, *turns[3:]], "chat-1")
    assert unread(stats) < 160


@pytest.mark.model
def test_a_place_in_the_middle_reads_at_most_one_stretch(pair: EnginePair) -> None:
    pair.forget_all()
    _, stats = pair.ask([pair.long, SHORT], "chat-1")
    assert stats.prompt_tokens > 2 * STRETCH
    for kept in (0.95, 0.85):  # each shorter than what was read before
        half = pair.long.text[: round(len(pair.long.text) * kept)]
        _, stats = pair.ask([system(half + "#"), SHORT], "chat-1")
        assert unread(stats) < STRETCH + 60, kept


@pytest.mark.model
def test_after_a_restart_the_way_back_is_as_short(pair: EnginePair) -> None:
    pair.forget_all()
    text, stats = pair.ask([pair.long, SHORT], "chat-1")
    assert stats.prompt_tokens > 2 * STRETCH
    pair.restart()
    _, edited = pair.ask([pair.long, OTHER], "chat-1")
    pair.restart()
    _, forked = pair.ask([pair.long, OTHER, assistant(text), SHORT], "chat-2")
    assert max(map(unread, (edited, forked))) < 60
    pair.restart()
    _, cut = pair.ask([system(pair.long.text[: round(len(pair.long.text) * 0.85)] + "#"), SHORT], "chat-1")
    assert unread(cut) < STRETCH + 60


@pytest.mark.model
def test_checkpoints_take_what_was_counted_for_them(pair: EnginePair) -> None:
    pair.forget_all()
    pair.ask([pair.long, SHORT], "chat-1")
    pair.restart()
    formula = shape_of(check_model(pair.path)).checkpoint_bytes(ModelLayout(4096))
    states = pair.states
    found = states.find_checkpoints(states.state_path("chat-1"))
    assert found
    assert 0.5 * formula < max(checkpoint.size_bytes for checkpoint in found) < 1.02 * formula + 4096


def checkpoint(count: int, size: int = 1) -> StateCheckpoint:
    return StateCheckpoint(count, (ctypes.c_uint8 * size)())


def counts_of(checkpoints: SequenceCheckpoints) -> list[int]:
    return [checkpoint.count for checkpoint in checkpoints.up_to(1 << 30)]


def test_beyond_the_count_the_shortest_stretch_goes_and_never_the_latest() -> None:
    kept = SequenceCheckpoints(CheckpointBudget())
    places = [300 * (number + 1) for number in range(MOST_CHECKPOINTS - 2)]
    for count in (*places[:4], places[3] + 10, *places[4:], places[-1] + 5, places[-1] + 7):
        kept.add(checkpoint(count))
    assert counts_of(kept) == [*places, places[-1] + 5, places[-1] + 7]


def test_beyond_the_bytes_the_longest_list_is_thinned_and_each_keeps_its_newest() -> None:
    budget = CheckpointBudget(100)
    one, other = SequenceCheckpoints(budget), SequenceCheckpoints(budget)
    for count in (100, 400, 500, 600):
        one.add(checkpoint(count, 20))
    other.add(checkpoint(50, 30))
    assert (counts_of(one), counts_of(other)) == ([400, 500, 600], [50])
    other.add(checkpoint(60, 500))
    assert (counts_of(one), counts_of(other)) == ([400, 500, 600], [60])


def test_the_way_back_ends_at_the_latest_that_is_not_behind() -> None:
    kept = SequenceCheckpoints(CheckpointBudget())
    assert (kept.latest_count(1000), kept.find(10)) == (0, None)
    for count in (10, 300):
        kept.add(checkpoint(count))
    assert [kept.latest_count(count) for count in (9, 10, 299, 300, 900)] == [0, 10, 10, 300, 300]
    kept.replace_all(kept.up_to(299))
    assert counts_of(kept) == [10]
