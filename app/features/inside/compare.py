"""Models beside each other on one text: how well each foresees it, how fast it writes, and the line through them.

Loss falls with the number of weights as a power law, L = (N₀ / N)^α (Kaplan et al., Scaling laws for neural language
models, 2020): on two logarithmic axes a straight line, whose slope is −α.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import AppError
from app.core.events import CancelToken, Finished, ModelLoaded, PromptProgress, TokenSeen
from app.core.gguf import check_model
from app.engine.client import EngineClient
from app.engine.protocol import Ask, Sampling, Wish
from app.features.inside.looks import probabilities, surprise_of

WRITTEN_TOKENS = 64
BEGINNING_CHARACTERS = 400
"""Of the text that the models go on with, to see how fast they write."""


@dataclass(frozen=True)
class Compared:
    """One model's figures; `error` says why it has none."""

    path: Path
    name: str
    parameters: int
    bits_per_byte: float = math.nan
    perplexity: float = math.nan
    tokens: int = 0
    tokens_per_s: float = 0.0
    time_to_first_token_s: float = 0.0
    memory_bytes: int = 0
    error: AppError | None = None


@dataclass(frozen=True)
class Comparing:
    """How far it is: which model, of how many, and how much of the text that one has read, 0 to 1."""

    name: str
    number: int
    count: int
    fraction: float


@dataclass(frozen=True)
class Line:
    """loss = e^`intercept` · parameters^(−`exponent`); `uncertainty` is the exponent's standard error.

    It is NaN for two points, through which a line always goes.
    """

    exponent: float
    intercept: float
    uncertainty: float

    def loss(self, parameters: float) -> float:
        """What the line says of so many weights."""
        return math.exp(self.intercept - self.exponent * math.log(parameters))


def compare(
    engine: EngineClient, paths: Sequence[Path], text: str, *, wish: Wish | None = None, cancel: CancelToken
) -> Iterator[Comparing | Compared]:
    """Loads one model after the other and lets each read the text; a model that fails is told with its error."""
    for number, path in enumerate(paths):
        name = path.stem
        yield Comparing(name, number, len(paths), 0.0)
        try:
            header = check_model(path)
            loaded = _loaded(engine, path, wish or Wish(), cancel)
            if loaded is None or cancel.cancelled:
                return
            seen: list[TokenSeen] = []
            for event in probabilities(engine, text, most=0, cancel=cancel):
                if isinstance(event, PromptProgress):
                    yield Comparing(name, number, len(paths), event.done_tokens / event.total_tokens)
                else:
                    seen.append(event)
            speed, first_s = _speed(engine, text, cancel)
            if cancel.cancelled:
                return
        except AppError as error:
            yield Compared(path, name, 0, error=error)
            continue
        found = surprise_of(seen)
        yield Compared(
            path, loaded.name, header.weights, found.bits_per_byte, found.perplexity, found.tokens,
            speed, first_s, loaded.needed_bytes or loaded.size_bytes,
        )  # fmt: skip


def line_through(points: Sequence[tuple[float, float]]) -> Line | None:
    """The power law through (parameters, loss), by least squares of the logarithms; None for fewer than two sizes."""
    good = [(math.log(size), math.log(loss)) for size, loss in points if size > 0 and 0 < loss < math.inf]
    count = len(good)
    if len({x for x, _ in good}) < 2:
        return None
    mean_x, mean_y = (math.fsum(values) / count for values in zip(*good, strict=True))
    spread = math.fsum((x - mean_x) ** 2 for x, _ in good)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in good) / spread
    intercept = mean_y - slope * mean_x
    rest = math.fsum((y - intercept - slope * x) ** 2 for x, y in good)
    uncertainty = math.sqrt(rest / (count - 2) / spread) if count > 2 else math.nan
    return Line(-slope, intercept, uncertainty)


def line_of(compared: Sequence[Compared]) -> Line | None:
    """The line through those that have figures."""
    return line_through([(one.parameters, one.bits_per_byte) for one in compared if one.error is None])


def _loaded(engine: EngineClient, path: Path, wish: Wish, cancel: CancelToken) -> ModelLoaded | None:
    for event in engine.load(path, wish, cancel=cancel):
        if isinstance(event, ModelLoaded):
            return event
    return None


def _speed(engine: EngineClient, text: str, cancel: CancelToken) -> tuple[float, float]:
    """Tokens a second, and seconds to the first, of going on with the text's beginning."""
    ask = Ask((), max_tokens=WRITTEN_TOKENS, sampling=Sampling(temperature=0), text=text[:BEGINNING_CHARACTERS])
    for event in engine.answer(ask, cancel):
        if isinstance(event, Finished):
            return event.stats.tokens_per_s, event.stats.time_to_first_token_s
    return 0.0, 0.0
