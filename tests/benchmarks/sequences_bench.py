"""The map step of a document: several sequences at once against one after another, and a chat that comes between."""

from __future__ import annotations

import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from comparing import ALTERNATIONS, Answer, compared, in_turns, progress
from our_engine import GREEDY, OurEngine, question, then
from run import Row
from texts import STORY, prose

from app.core.errors.app_error import AppError
from app.core.events import AnswerStats, CancelToken, Finished, Message, Role, TextDelta, Waiting
from app.engine.protocol import Ask

ASKS = 8
FEWER = (2, 4)
FEWER_ROUNDS = 3
NEW_CHAT_ROUNDS = 5
SHARED_TOKENS = 300
OWN_TOKENS = (100, 200)
WRITTEN_TOKENS = 96
TURN_TOKENS = 300
NEXT_TURN_TOKENS = 40
AGGREGATE_AT_LEAST = 1.6
FIRST_TOKEN_AT_MOST = 1.5
LATEST_MOMENT_S = 1.5
TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Moment:
    """Something that was heard of ask `index`: text, or with `ended` that it is complete."""

    at_s: float
    index: int
    ended: bool = False


@dataclass(frozen=True)
class MapRun:
    """One map step: how long it took, how fast it wrote while as many as ever wrote together, and what was read."""

    taken_s: float
    tokens_per_s: float
    at_once: int
    read_tokens: int
    prompt_tokens: int


def rows() -> Iterator[Row]:
    """All rows; one model in one child."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch, OurEngine(Path(scratch)) as ours:
        together(ours, asks(2, 90))
        yield from several_at_once(ours)
        yield from chat_meanwhile(ours)


def several_at_once(ours: OurEngine) -> Iterator[Row]:
    """Eight asks at once and one after another; then with fewer."""
    progress(f"{ASKS} asks at once and one after another")
    joined, single = in_turns(
        [lambda n: together(ours, asks(ASKS, 100 + n)), lambda n: one_after_another(ours, asks(ASKS, 200 + n))]
    )
    rates = [run.tokens_per_s for run in single]
    yield compared(
        f"writing {ASKS} answers as many at once as the engine chooses, against one after another",
        [run.tokens_per_s for run in joined],
        rates,
        "tokens/s in all",
        at_least=AGGREGATE_AT_LEAST,
        note=f"at once: {', '.join(str(run.at_once) for run in joined)}",
    )
    yield compared(
        f"the whole step of {ASKS} asks, reading included, against one after another",
        [run.taken_s for run in joined],
        [run.taken_s for run in single],
        "s",
    )
    read = Row(
        f"tokens read for {ASKS} asks with a shared beginning of about {SHARED_TOKENS}",
        statistics.median(run.read_tokens for run in joined),
        "tokens",
        statistics.median(run.prompt_tokens for run in joined),
    )
    yield read
    for count in FEWER:
        fewer = [together(ours, asks(count, 300 + 10 * count + n)).tokens_per_s for n in range(FEWER_ROUNDS)]
        yield Row(
            f"writing {count} answers at once against one after another",
            round(statistics.median(fewer), 1),
            "tokens/s in all",
            round(statistics.median(rates), 1),
            f"{min(fewer):.1f} to {max(fewer):.1f}, {FEWER_ROUNDS} rounds",
        )


def chat_meanwhile(ours: OurEngine) -> Iterator[Row]:
    """How long a chat's first token takes during a map step, at seeded moments of it, against an idle engine."""
    for name, seed, rounds, ask in (
        ("second turn of a chat", 500, ALTERNATIONS, ask_next_turn),
        (f"new chat with a question of {TURN_TOKENS} tokens", 600, NEW_CHAT_ROUNDS, ask_something_new),
    ):
        progress(f"{name} during a map step")
        resting: list[int] = []

        last = rounds - 1

        def idle(number: int, ask=ask, seed=seed) -> float:  # type: ignore[no-untyped-def]
            return ask(ours, seed + number, None).first_s * 1000

        def meanwhile(number: int, ask=ask, seed=seed, resting=resting, last=last) -> float:  # type: ignore[no-untyped-def]
            step = MapStep(ours, asks(ASKS, seed + 300 + number))
            first_s = ask(ours, seed + 50 + number, step).first_s
            resting.append(step.end(by_itself=number == last))
            return first_s * 1000

        alone, beside = in_turns([idle, meanwhile], rounds)
        row = compared(f"first token, {name}, during a map step", beside, alone, "ms", at_most=FIRST_TOKEN_AT_MOST)
        assert any(resting), "no ask of the map step was told that it waits"
        yield row


def ask_next_turn(ours: OurEngine, seed: int, step: MapStep | None) -> Answer:
    """The second question of a chat whose first turn was answered before the map step began."""
    first = question(prose(TURN_TOKENS, seed) + " " + STORY)
    before = ours.chat(first, 32, session=f"chat-{seed}")
    if step is not None:
        step.begin(random.Random(seed))
    return ours.chat(then(first, before.text, prose(NEXT_TURN_TOKENS, seed + 5000)), 16, session=f"chat-{seed}")


def ask_something_new(ours: OurEngine, seed: int, step: MapStep | None) -> Answer:
    """The first question of a chat."""
    if step is not None:
        step.begin(random.Random(seed))
    return ours.chat(question(prose(TURN_TOKENS, seed)), 16, session=f"chat-{seed}")


class MapStep:
    """A map step that runs in a thread of its own until `end`."""

    def __init__(self, ours: OurEngine, wanted: Sequence[Ask]) -> None:
        self._ours = ours
        self._wanted = wanted
        self._cancel = CancelToken()
        self._under_way = threading.Event()
        self._waited = 0
        self._finished: list[AnswerStats] = []
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self, moments: random.Random) -> None:
        """Returns at a moment in the midst of it."""
        self._thread.start()
        assert self._under_way.wait(TIMEOUT_S), "the map step did not begin"
        time.sleep(moments.uniform(0, LATEST_MOMENT_S))

    def end(self, *, by_itself: bool) -> int:
        """How many times it was told to wait. With `by_itself` it goes on to its end, which every ask must reach."""
        if not by_itself:
            self._cancel.cancel()
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive(), "the map step did not end"
        if self._failed:
            raise self._failed[0]
        if by_itself:
            cut = [stats for stats in self._finished if stats.generated_tokens < WRITTEN_TOKENS / 2]
            assert len(self._finished) == ASKS, f"{len(self._finished)} of {ASKS} asks were answered"
            assert not cut, f"{len(cut)} answers were cut short"
        return self._waited

    def _run(self) -> None:
        try:
            for _, event in self._ours.client.generate_many(self._wanted, cancel=self._cancel):
                self._under_way.set()
                self._waited += isinstance(event, Waiting)
                if isinstance(event, AppError):
                    self._failed.append(event)
                if isinstance(event, Finished):
                    self._finished.append(event.stats)
        except BaseException as error:  # noqa: BLE001
            self._failed.append(error)
            self._under_way.set()


def asks(count: int, seed: int) -> list[Ask]:
    """Asks with the same instructions; every seed has instructions of its own, so that each run reads them once."""
    lengths = random.Random(seed)
    instructions = Message(Role.SYSTEM, prose(SHARED_TOKENS, 10_000 + seed))
    own = [prose(lengths.randint(*OWN_TOKENS), 20_000 + 100 * seed + number) for number in range(count)]
    return [
        Ask([instructions, Message(Role.USER, f"{text} {STORY}")], max_tokens=WRITTEN_TOKENS, sampling=GREEDY)
        for text in own
    ]


def together(ours: OurEngine, wanted: Sequence[Ask]) -> MapRun:
    """All at once, as the engine chooses."""
    moments: list[Moment] = []
    finished: list[AnswerStats] = []
    began_s = time.perf_counter()
    for index, event in ours.client.generate_many(wanted):
        if isinstance(event, AppError):
            raise event
        if isinstance(event, TextDelta):
            moments.append(Moment(time.perf_counter(), index))
        if isinstance(event, Finished):
            moments.append(Moment(time.perf_counter(), index, ended=True))
            finished.append(event.stats)
    taken_s = time.perf_counter() - began_s
    texts, seconds, at_once = while_most_write(moments)
    tokens_per_text = sum(stats.generated_tokens for stats in finished) / sum(not m.ended for m in moments)
    return MapRun(taken_s, texts * tokens_per_text / seconds, at_once, *_read(finished))


def one_after_another(ours: OurEngine, wanted: Sequence[Ask]) -> MapRun:
    """The same as ordinary answers."""
    began_s = time.perf_counter()
    answers = [ours.chat(ask.messages, ask.max_tokens) for ask in wanted]
    taken_s = time.perf_counter() - began_s
    rate = sum(answer.generated_tokens - 1 for answer in answers) / sum(answer.decode_s for answer in answers)
    return MapRun(taken_s, rate, 1, *_read(answers))


def while_most_write(moments: Sequence[Moment]) -> tuple[int, float, int]:
    """Texts heard and seconds passed while as many as ever wrote at the same time, and how many that were.

    Joining and leaving are left out of the speed so: the prompts are read meanwhile, and that has its own row.
    """
    at_once = max(len(writing) for _, _, writing in _steps(moments))
    texts, seconds = 0, 0.0
    for moment, passed_s, writing in _steps(moments):
        if len(writing) == at_once:
            texts += not moment.ended
            seconds += passed_s
    return texts, seconds, at_once


def _steps(moments: Sequence[Moment]) -> Iterator[tuple[Moment, float, frozenset[int]]]:
    """Each moment with the time since the one before, and who was writing in that time."""
    writing: frozenset[int] = frozenset()
    before_s = moments[0].at_s
    for moment in moments:
        yield moment, moment.at_s - before_s, writing
        writing = writing - {moment.index} if moment.ended else writing | {moment.index}
        before_s = moment.at_s


def _read(finished: Sequence[AnswerStats] | Sequence[Answer]) -> tuple[int, int]:
    """Tokens that were read for these answers, and tokens of their prompts."""
    prompts = sum(one.prompt_tokens for one in finished)
    return prompts - sum(one.reused_tokens for one in finished), prompts
