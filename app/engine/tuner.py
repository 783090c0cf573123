"""Choose how a model runs fastest: variants measured in turns with llama.cpp's defaults. Pure: probes come in.

A variant is taken only if it is faster by more than the noise, and the whole choice only if it then beats the defaults
in another run of turns, since the best of many measured values is partly luck.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from app.core.lazy_dataclasses import dataclass, replace
from app.engine.tuning import FLASH_AUTO, FLASH_OFF, TUNING_BUDGET_S, ModelTuning, today

GAIN = 1.03  # what is faster by less is not worth another setting
LEAST_ROUNDS, MANY_ROUNDS, MOST_ROUNDS = 3, 5, 7
LEAST_PROMPT, MOST_PROMPT, PROMPT_STEP = 32, 512, 32
STEP_SHARE = 0.02  # of the budget, for reading the prompt once, or for writing once
MOST_WRITTEN = 6
LEAST_SHARE = 0.97  # of the speed before: neither prompts nor answers pay more for what the other gains
TYPICAL_PROMPT, TYPICAL_ANSWER = 512, 128  # flash attention is one switch for both, so they have to be weighed
TOGETHER = (1, 2, 4, 8)
FEWER_IS_ENOUGH = 0.95  # of the best sum: fewer answers at once hold less of the context
NOT_MEASURED = (0.0, 0.0)
# When each step ends, as a share of the budget; the last is for the comparison with the defaults.
DEVICE_ENDS, FLASH_ENDS, ANSWERS_END, PROMPTS_END, BATCH_ENDS, TOGETHER_ENDS = 0.25, 0.35, 0.5, 0.6, 0.7, 0.75


@dataclass(frozen=True)
class SpeedVariant:
    """One way to run a model. Threads can be changed in a context, the rest can't."""

    answer_threads: int
    prompt_threads: int
    batch_tokens: int
    flash: str = FLASH_AUTO
    on_cpu: bool = False
    """True to compute on the processor alone, without the integrated GPU that the model would be on."""


class SpeedProbe(Protocol):
    """A context that reads and writes for the clock. Both raise `TuningInterrupted` when the model is needed."""

    def read(self, tokens: int, threads: int) -> float:
        """Read a prompt from the beginning; return the seconds that took."""

    def write(self, tokens: int, threads: int) -> float:
        """Write behind the prompt; return the seconds that took."""

    def write_together(self, answers: int, threads: int) -> float:
        """Write one token of each of several answers; return the seconds that took."""

    def close(self) -> None:
        """Free the context with all that was read into it."""


class TuningInterrupted(Exception):
    """Somebody needs the model, so that nothing more is measured."""


@dataclass(frozen=True)
class TuningChoices:
    """What may be tried: numbers of threads and of tokens at once, without those of the start."""

    answer_threads: Sequence[int] = ()
    prompt_threads: Sequence[int] = ()
    batch_tokens: Sequence[int] = ()
    flash: Sequence[str] = (FLASH_OFF,)
    most_together: int = 1
    on_cpu: bool = False
    """True if the model is on an integrated GPU, which the processor alone may beat."""


def thread_choices(cores: int, processors: int) -> list[int]:
    """Return other numbers of threads worth trying than `cores`; `processors` counts both threads of a core."""
    return sorted({cores // 4, cores // 2, cores - 1, processors} - {0, -1, cores})


def is_clearly_faster(ratios: Sequence[float]) -> bool:
    """Return whether speed-ups measured in turns are more than noise: enough of them, and apart from 1."""
    if len(ratios) < LEAST_ROUNDS or (len(ratios) < MANY_ROUNDS and min(ratios) <= 1):
        return False
    middle = statistics.median(ratios)
    spread = statistics.median(abs(ratio - middle) for ratio in ratios)
    return middle >= GAIN and middle - spread > 1


class ModelTuner:
    """Tune one model within a budget of seconds.

    `defaults` are llama.cpp's, `start` is what the program uses untuned.
    """

    def __init__(
        self,
        open_probe: Callable[[SpeedVariant], SpeedProbe | None],
        defaults: SpeedVariant,
        start: SpeedVariant,
        choices: TuningChoices,
        *,
        budget_s: float = TUNING_BUDGET_S,
        clock: Callable[[], float] = time.monotonic,
        on_progress: Callable[[float], object] = lambda fraction: None,
    ) -> None:
        self._open_probe, self._defaults, self._start, self._choices = open_probe, defaults, start, choices
        self._budget_s, self._clock, self._on_progress = budget_s, clock, on_progress
        self._probes: dict[tuple[str, int, bool], SpeedProbe | None] = {}
        self._began_s = clock()
        self._prompt_tokens, self._written_tokens = LEAST_PROMPT, 1
        self._best = start
        self._pair_s: dict[str, float] = {"read": 0.0, "write": 0.0}
        """Seconds that one round of two reads, or two writes, took last."""

    def tune(self) -> ModelTuning | None:
        """Return what was found; None if interrupted, or where not even the defaults have room."""
        try:
            if self._probe(self._defaults) is None or self._probe(self._start) is None:
                return None
            self._choose_lengths()
            on_cpu, flash_off = NOT_MEASURED, NOT_MEASURED
            if self._choices.on_cpu:
                on_cpu = self._try_for_both(replace(self._best, on_cpu=True), DEVICE_ENDS)
            for flash in self._choices.flash:
                flash_off = self._try_for_both(replace(self._best, flash=flash), FLASH_ENDS)
            self._try_threads("answer_threads", self._choices.answer_threads, ANSWERS_END)
            self._try_threads("prompt_threads", self._choices.prompt_threads, PROMPTS_END)
            self._try_batches()
            sequences = self._count_together()
            return self._compare_with_defaults(flash_off, on_cpu, sequences)
        except TuningInterrupted:
            return None
        finally:
            for probe in self._probes.values():
                if probe is not None:
                    probe.close()

    def _choose_lengths(self) -> None:
        """Take as long a prompt and answer as can be measured many times; the first reading only warms up."""
        probe, start = self._probe(self._start), self._start
        assert probe is not None
        probe.read(LEAST_PROMPT, start.prompt_threads)
        read_s, write_s = probe.read(LEAST_PROMPT, start.prompt_threads), probe.write(1, start.answer_threads)
        step_s = STEP_SHARE * self._budget_s
        fits = int(step_s / max(read_s, 1e-9) * LEAST_PROMPT) // PROMPT_STEP * PROMPT_STEP
        self._prompt_tokens = min(max(fits, LEAST_PROMPT), MOST_PROMPT)
        self._written_tokens = min(max(int(step_s / max(write_s, 1e-9)), 1), MOST_WRITTEN)
        self._pair_s = {
            "read": 2 * read_s * self._prompt_tokens / LEAST_PROMPT,
            "write": 2 * write_s * self._written_tokens,
        }

    def _try_for_both(self, other: SpeedVariant, until: float) -> tuple[float, float]:
        """Try what prompts and answers share; return how fast they were with it."""
        if self._probe(other) is None:
            return NOT_MEASURED
        reads, writes = self._ratios("read", other, until * 0.6), self._ratios("write", other, until)
        if not reads or not writes:
            return NOT_MEASURED
        if self._is_faster_in_all(other, reads, writes):
            self._best = other
        return statistics.median(reads), statistics.median(writes)

    def _is_faster_in_all(self, other: SpeedVariant, reads: Sequence[float], writes: Sequence[float]) -> bool:
        """Weigh prompts and answers as in a typical exchange, where neither is clearly slower."""
        if min(statistics.median(reads), statistics.median(writes)) < LEAST_SHARE:
            return False
        read_s = TYPICAL_PROMPT * self._read_s(other) / self._prompt_tokens
        write_s = TYPICAL_ANSWER * self._write_s(other) / self._written_tokens
        return is_clearly_faster(
            [(read_s * read + write_s * write) / (read_s + write_s) for read, write in zip(reads, writes, strict=False)]
        )

    def _try_threads(self, name: str, counts: Sequence[int], until: float) -> None:
        for count in counts:
            other = SpeedVariant(**vars(self._best) | {name: count})
            if is_clearly_faster(self._ratios("write" if name == "answer_threads" else "read", other, until)):
                self._best = other

    def _try_batches(self) -> None:
        for count in self._choices.batch_tokens:
            # With a prompt of fewer tokens both would compute the same.
            if max(count, self._best.batch_tokens) <= self._prompt_tokens:
                other = replace(self._best, batch_tokens=count)
                if is_clearly_faster(self._ratios("read", other, BATCH_ENDS)):
                    self._best = other

    def _count_together(self) -> int:
        """Return the number of answers that are written together with the highest sum; 0 if there was no time."""
        probe = self._probe(self._best)
        counts = [count for count in TOGETHER if count <= self._choices.most_together]
        if probe is None or len(counts) < 2:
            return 0
        taken: dict[int, list[float]] = {count: [] for count in counts}
        for _ in range(LEAST_ROUNDS):
            for count in counts:
                if self._is_past(TOGETHER_ENDS):
                    return 0
                taken[count].append(probe.write_together(count, self._best.answer_threads))
        sums = {count: count / statistics.median(times) for count, times in taken.items()}
        return next(count for count in counts if sums[count] >= FEWER_IS_ENOUGH * max(sums.values()))

    def _compare_with_defaults(
        self, flash_off: tuple[float, float], on_cpu: tuple[float, float], sequences: int
    ) -> ModelTuning:
        """Measure the choice in turns with the defaults, which it has to beat, and return it with its figures."""
        default, chosen = self._defaults, self._best
        rounds: list[tuple[float, float, float, float]] = []
        while len(rounds) < MOST_ROUNDS and (not rounds or not self._is_past(1, sum(self._pair_s.values()))):
            began_s = self._clock()
            reads = self._read_s(default), self._read_s(chosen)
            read_s = self._clock() - began_s
            rounds.append((*reads, self._write_s(default), self._write_s(chosen)))
            self._pair_s = {"read": read_s, "write": self._clock() - began_s - read_s}
        default_read, read, default_write, write = (statistics.median(times) for times in zip(*rounds, strict=True))
        ratios = [self._exchange_s(a, c) / self._exchange_s(b, d) for a, b, c, d in rounds]
        is_faster = chosen != self._start and is_clearly_faster(ratios)
        kept = chosen if is_faster else self._start
        return ModelTuning(
            kept.answer_threads,
            kept.prompt_threads,
            kept.batch_tokens,
            kept.flash,
            sequences,
            self._written_tokens / (write if is_faster else default_write),
            self._written_tokens / default_write,
            self._prompt_tokens / (read if is_faster else default_read),
            self._prompt_tokens / default_read,
            flash_off[1],
            flash_off[0],
            is_faster,
            self._clock() - self._began_s,
            today(),
            on_cpu=kept.on_cpu,
            cpu_answers=on_cpu[1],
            cpu_prompts=on_cpu[0],
        )

    def _exchange_s(self, read_s: float, write_s: float) -> float:
        return TYPICAL_PROMPT * read_s / self._prompt_tokens + TYPICAL_ANSWER * write_s / self._written_tokens

    def _ratios(self, what: str, other: SpeedVariant, until: float) -> list[float]:
        """Return how much faster `other` was than the best so far, in turns; nothing where it has no room or time.

        `what`: read or write.
        """
        ratios: list[float] = []
        measure = self._read_s if what == "read" else self._write_s
        while len(ratios) < MOST_ROUNDS and not self._is_past(until, self._pair_s[what]):
            if self._probe(other) is None:
                break
            began_s = self._clock()
            # One after the other in changing order: what disturbs the machine for a while then disturbs both.
            order = (self._best, other) if len(ratios) % 2 else (other, self._best)
            times = {variant: measure(variant) for variant in order}
            ratios.append(times[self._best] / times[other])
            self._pair_s[what] = self._clock() - began_s
            if len(ratios) >= LEAST_ROUNDS and not is_clearly_faster(ratios):
                break
        return ratios

    def _read_s(self, variant: SpeedVariant) -> float:
        probe = self._probe(variant)
        assert probe is not None
        return probe.read(self._prompt_tokens, variant.prompt_threads)

    def _write_s(self, variant: SpeedVariant) -> float:
        probe = self._probe(variant)
        assert probe is not None
        return probe.write(self._written_tokens, variant.answer_threads)

    def _probe(self, variant: SpeedVariant) -> SpeedProbe | None:
        key = (variant.flash, variant.batch_tokens, variant.on_cpu)
        if key not in self._probes:
            self._probes[key] = self._open_probe(variant)
        return self._probes[key]

    def _is_past(self, share: float, coming_s: float = 0.0) -> bool:
        """Return whether a share of the time is over, or would be after `coming_s` more seconds.

        The comparison at the end keeps what it needs.
        """
        passed_s = self._clock() - self._began_s
        self._on_progress(min(passed_s / self._budget_s, 1.0))
        kept_s = LEAST_ROUNDS * sum(self._pair_s.values()) if share < 1 else 0.0
        return passed_s + coming_s >= min(share * self._budget_s, self._budget_s - kept_s)
