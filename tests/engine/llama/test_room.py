"""The decoder when there is less room than it had reckoned with: a context of numbers only, no model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from app.core.events import Finished, Waiting
from app.core.wire import EventReply
from app.engine import protocol
from app.engine.answer_decoder import AnswerDecoder
from app.engine.backend import EngineJob
from app.engine.llama.context import DECODED, NO_ROOM
from app.engine.llama.decoder import BatchDecoder
from app.engine.llama.sequence_run import PromptTokens, SequenceRun
from app.engine.scheduler import ParallelismPolicy
from tests.helpers.wire import events_of

PREFIX = list(range(1000, 1040))
ENOUGH_STEPS = 3000


class TightContext:
    """Counts cells and shares none: what several sequences begin with takes its room once for each."""

    can_forget = True
    pointer = None
    most_draft_tokens = 0

    def __init__(self, size_tokens: int, sequences: int = 5) -> None:
        self.size_tokens, self.batch_tokens, self.most_sequences = size_tokens, 16, sequences
        self.held = dict.fromkeys(range(sequences), 0)

    def decode(
        self, shares: Sequence[tuple[int, Sequence[int], int, bool]], aborted: Callable[[], bool] | None = None
    ) -> int:
        if sum(self.held.values()) + sum(len(tokens) for _, tokens, _, _ in shares) > self.size_tokens:
            return NO_ROOM
        for sequence, tokens, position, _ in shares:
            assert position == self.held[sequence]
            self.held[sequence] += len(tokens)
        return DECODED

    def decode_token(self, sequence: int, token: int, position: int) -> int:
        return self.decode([(sequence, [token], position, True)])

    def truncate_sequence(self, sequence: int, count: int) -> bool:
        self.held[sequence] = count
        return True

    def clear_sequence(self, sequence: int) -> None:
        self.held[sequence] = 0

    def copy_sequence(self, source: int, target: int, count: int) -> None:
        self.held[target] = count

    def sees_all(self, sequence: int, count: int) -> bool:
        return True

    def has_numbers(self, output: int, vocabulary_size: int) -> bool:
        return True


def add(
    decoder: BatchDecoder,
    replies: list[Any],
    number: int,
    own: int,
    max_tokens: int,
    *,
    background: bool = False,
    modest: bool = False,
    is_outside: bool = False,
) -> EngineJob:
    ask = protocol.Ask((), max_tokens, background=background, modest=modest, is_outside=is_outside)
    request = protocol.Generate(number, ask)
    job = EngineJob(replies.append)
    model: Any = SimpleNamespace(ends_answer=lambda token: False, vocabulary_size=2)
    chain: Any = SimpleNamespace(sample_token=lambda context, output: 7, free=lambda: None)
    prompt = PromptTokens(PREFIX + [number] * own)
    answer = AnswerDecoder(request, job.reply, time.perf_counter())
    decoder.add_run(SequenceRun(request, job, answer, model, prompt, chain, lambda token: b"a"))
    return job


def run(decoder: BatchDecoder) -> None:
    for _ in range(ENOUGH_STEPS):
        if not decoder.busy:
            return
        decoder.step(lambda: False)
    raise AssertionError("the decoder goes round in circles")


def ends_of(replies: list[Any]) -> dict[int, tuple[str, int]]:
    return {
        r.id: (r.event.stats.finish_reason, r.event.stats.generated_tokens)
        for r in replies
        if isinstance(r, EventReply) and isinstance(r.event, Finished)
    }


def test_jobs_that_do_not_fit_side_by_side_after_all_go_one_after_the_other() -> None:
    replies: list[Any] = []
    decoder = BatchDecoder(TightContext(120), None, ParallelismPolicy(4))  # type: ignore[arg-type]
    for number in range(6):
        add(decoder, replies, number, own=10, max_tokens=20, background=True)
    run(decoder)
    assert ends_of(replies) == dict.fromkeys(range(6), ("length", 20))


def test_an_idle_chat_leaves_before_a_job_is_cut_short() -> None:
    replies: list[Any] = []
    context = TightContext(120)
    decoder = BatchDecoder(context, None, ParallelismPolicy(4))  # type: ignore[arg-type]
    add(decoder, replies, 1, own=5, max_tokens=40, background=True)
    for _ in range(8):
        decoder.step(lambda: False)
    add(decoder, replies, 2, own=10, max_tokens=5, background=False)
    run(decoder)
    assert ends_of(replies) == {1: ("length", 40), 2: ("length", 5)}


def test_what_somebody_waits_for_takes_the_room_of_jobs_and_they_go_on() -> None:
    replies: list[Any] = []
    decoder = BatchDecoder(TightContext(150), None, ParallelismPolicy(4))  # type: ignore[arg-type]
    add(decoder, replies, 1, own=5, max_tokens=30, background=True)
    add(decoder, replies, 2, own=5, max_tokens=30, background=True)
    for _ in range(10):
        decoder.step(lambda: False)
    add(decoder, replies, 3, own=60, max_tokens=20, background=False)
    run(decoder)
    assert ends_of(replies) == {1: ("length", 30), 2: ("length", 30), 3: ("length", 20)}
    assert [event.reason for event in events_of(replies, Waiting)].count("room") >= 1


@pytest.mark.parametrize(
    ("size", "programs", "own", "most"), [(240, 2, 5, 90), (100_000, 5, 5, 90), (100_000, 1, 2000, 10)]
)
def test_a_person_goes_before_other_programs_whose_answers_go_on(size: int, programs: int, own: int, most: int) -> None:
    """Where there is no room, no place, or a long prompt is still being read."""
    replies: list[Any] = []
    decoder = BatchDecoder(TightContext(size), None, ParallelismPolicy(4))  # type: ignore[arg-type]
    for number in range(programs):
        add(decoder, replies, number, own=own, max_tokens=most, is_outside=True)
    for _ in range(3 * programs):
        decoder.step(lambda: False)
    add(decoder, replies, 9, own=60, max_tokens=20)
    run(decoder)
    assert ends_of(replies) == dict.fromkeys(range(programs), ("length", most)) | {9: ("length", 20)}
    assert next(iter(ends_of(replies))) == 9


def test_a_single_answer_longer_than_the_context_says_so() -> None:
    replies: list[Any] = []
    decoder = BatchDecoder(TightContext(60), None, ParallelismPolicy(4))  # type: ignore[arg-type]
    add(decoder, replies, 1, own=5, max_tokens=100, background=True)
    run(decoder)
    assert ends_of(replies)[1][0] == "context"


def test_two_chats_that_do_not_fit_side_by_side_are_answered_one_after_the_other() -> None:
    replies: list[Any] = []
    decoder = BatchDecoder(TightContext(400), None, ParallelismPolicy(4))  # type: ignore[arg-type]
    for number in (1, 2):
        add(decoder, replies, number, own=100, max_tokens=150, background=False)
    run(decoder)
    assert ends_of(replies) == {1: ("length", 150), 2: ("length", 150)}


def test_an_answer_without_a_limit_fills_the_context_and_lets_another_in_where_there_is_room() -> None:
    replies: list[Any] = []
    decoder = BatchDecoder(TightContext(6000), None, ParallelismPolicy(4))  # type: ignore[arg-type]
    add(decoder, replies, 1, own=100, max_tokens=-1, background=False)
    for _ in range(10):
        decoder.step(lambda: False)
    add(decoder, replies, 2, own=50, max_tokens=20, background=False)
    for _ in range(40):
        decoder.step(lambda: False)
    assert ends_of(replies) == {2: ("length", 20)}
    while decoder.busy:
        decoder.step(lambda: False)
    ended, count = ends_of(replies)[1]
    assert ended == "context"
    assert count > 5800


def test_jobs_join_only_as_far_as_it_pays_off() -> None:
    def most_at_once(most_tokens: int) -> int:
        replies: list[Any] = []
        decoder = BatchDecoder(TightContext(1000), None, ParallelismPolicy(4, most_tokens=most_tokens))  # type: ignore[arg-type]
        for number in range(4):
            add(decoder, replies, number, own=50, max_tokens=10, background=True)
        most = 0
        while decoder.busy:
            decoder.step(lambda: False)
            most = max(most, sum(one.sequence is not None for one in decoder.pool.runs))
        assert ends_of(replies) == dict.fromkeys(range(4), ("length", 10))
        return most

    assert most_at_once(10_000) > 1
    assert most_at_once(70) == 1  # two would hold more


@pytest.mark.parametrize(("own", "sequences", "ended"), [(20, 5, "length"), (60, 5, "context"), (20, 1, "context")])
def test_for_a_modest_answer_nothing_that_was_read_leaves(own: int, sequences: int, ended: str) -> None:
    replies: list[Any] = []
    context = TightContext(150, sequences)
    decoder = BatchDecoder(context, None, ParallelismPolicy(4))  # type: ignore[arg-type]
    add(decoder, replies, 1, own=10, max_tokens=5, background=False)
    run(decoder)
    held = context.held[0]
    add(decoder, replies, 2, own=own, max_tokens=10, background=True, modest=True)
    run(decoder)
    assert ends_of(replies)[2][0] == ended
    assert (context.held[0], sum(context.held.values())) == (held, held)


@pytest.mark.parametrize("background", [False, True])
def test_who_waits_for_others_is_answered_in_the_middle_of_their_batch_when_it_stops(background: bool) -> None:
    replies: list[Any] = []
    jobs: list[EngineJob] = []
    in_batch: list[dict[int, tuple[str, int]]] = []

    class SlowContext(TightContext):
        def decode(
            self, shares: Sequence[tuple[int, Sequence[int], int, bool]], aborted: Callable[[], bool] | None = None
        ) -> int:
            if aborted is not None and not in_batch:
                jobs[1].stop.set()
                assert not aborted(), "what is being computed is for somebody else"
                assert not aborted()
                in_batch.append(ends_of(replies))
            return super().decode(shares, aborted)

    context = SlowContext(400)
    context.batch_tokens = 64
    decoder = BatchDecoder(context, None, ParallelismPolicy(4))  # type: ignore[arg-type]
    jobs.append(add(decoder, replies, 0, own=200, max_tokens=5, background=background))
    jobs.append(add(decoder, replies, 1, own=10, max_tokens=5, background=background))
    run(decoder)
    assert in_batch == [{1: ("cancelled", 0)}]
    assert ends_of(replies) == {0: ("length", 5), 1: ("cancelled", 0)}
    assert len(events_of(replies, Finished)) == 2
