"""Compare models: how well each predicts a text and how fast it generates, or in a blind vote on answers.

Loss falls with the number of weights as a power law, L = (N₀ / N)^α (Kaplan et al., Scaling laws for neural language
models, 2020): a straight line on two logarithmic axes, whose slope is −α.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from app.core.catalogue import Translatable
from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelMissing
from app.core.events import CancelToken, Finished, LoadProgress, Message, PromptProgress, Role, TextDelta, TokenSeen
from app.core.gguf import check_model
from app.core.lazy_dataclasses import dataclass
from app.engine.contract import Engine
from app.engine.model_shape import ModelLayout, shape_of
from app.engine.protocol import OPEN, Ask, Sampling, Wish
from app.features.inside.looks import read_probabilities, surprise_of
from app.features.models.model_pool import CONTEXT_TOKENS


@dataclass(frozen=True)
class ModelAsleep:
    """The chat's model was put to sleep; the chat's next message wakes it."""

    name: str


MakeRoom = Callable[[Path], str]
"""Called before a model is loaded; returns the name of the model that it puts to sleep, "" for none. Raises
ModelMissing or ModelUnreadable.
"""


def nobody_rests(_path: Path) -> str:
    """`MakeRoom` for when no other model is loaded."""
    return ""


DOING: dict[str, Translatable] = {"loading": "loading", "reading": "reading the text", "writing": "writing a little"}
"""What a step does, in words."""
WRITTEN_TOKENS = 64
BEGINNING_CHARACTERS = 400
"""Characters of the text that models continue, to measure generation speed."""
STUDENT = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.0)
"""Student's t for 95 %, by degrees of freedom from one."""
NEARLY = math.log(1.1)
MOST_AWAY = 50.0
"""Of a logarithm, which is as good as anything."""
FIGURES = (
    "parameters", "bits_per_byte", "perplexity", "tokens", "tokens_per_s", "time_to_first_token_s", "memory_bytes",
    "context_tokens",
)  # fmt: skip


@dataclass(frozen=True)
class ModelFigures:
    """Figures of one model, or the `error` that prevented them."""

    path: Path
    name: str
    parameters: int
    bits_per_byte: float = math.nan
    perplexity: float = math.nan
    tokens: int = 0
    tokens_per_s: float = 0.0
    time_to_first_token_s: float = 0.0
    memory_bytes: int = 0
    context_tokens: int = 0
    """Context size of the memory figure."""
    error: AppError | None = None


@dataclass(frozen=True)
class ComparisonStep:
    """Progress: model number, total, what it is `doing`, and the share done, 0 to 1."""

    name: str
    number: int
    count: int
    fraction: float
    doing: str = "reading"
    """loading, reading or writing"""


@dataclass(frozen=True)
class FittedLine:
    """loss = e^`intercept` · parameters^(−`exponent`); `uncertainty` is the exponent's standard error.

    It is NaN for two sizes, through which a line always goes. The rest says where the points are, in logarithms.
    """

    exponent: float
    intercept: float
    uncertainty: float
    count: int = 0
    middle: float = 0.0
    spread: float = 0.0

    def loss_at(self, parameters: float) -> float:
        """Predict the loss for a number of weights."""
        return math.exp(self.intercept - self.exponent * math.log(parameters))

    @property
    def exponents(self) -> tuple[float, float] | None:
        """The 95 % interval of the exponent; None for two sizes."""
        if math.isnan(self.uncertainty):
            return None
        away = self._factor * self.uncertainty
        return self.exponent - away, self.exponent + away

    def confidence_band(self, parameters: float) -> tuple[float, float]:
        """Return the 95 % interval of the line itself; needs three points."""
        # The residual scatter, from the exponent's standard error.
        scatter = self.uncertainty * math.sqrt(self.spread)
        distance = (math.log(parameters) - self.middle) ** 2 / self.spread
        # Bounded, since three points may say nothing at all.
        away = min(self._factor * scatter * math.sqrt(1 / self.count + distance), MOST_AWAY)
        return self.loss_at(parameters) * math.exp(-away), self.loss_at(parameters) * math.exp(away)

    @property
    def _factor(self) -> float:
        return STUDENT[min(self.count - 2, len(STUDENT)) - 1]


def compare_models(
    engine: Engine,
    paths: Sequence[Path],
    text: str,
    *,
    wish: Wish = OPEN,
    make_room: MakeRoom = nobody_rests,
    cancel: CancelToken,
) -> Iterator[ComparisonStep | ModelAsleep | ModelFigures]:
    """Load the models one by one and measure each on the text; a failing model yields its error.

    Each is unloaded before room is made for the next. Close the engine to stop at once.
    """
    for number, path in enumerate(paths):
        try:
            place = number, len(paths)
            found = yield from _model_figures(
                engine, path, text, wish=wish, make_room=make_room, place=place, cancel=cancel
            )
            if not cancel.cancelled:
                # Before room is made for the next, which counts free memory.
                engine.unload()
        # A model that fails, or ends the engine, costs the others nothing.
        except AppError as error:
            found = ModelFigures(path, path.stem, 0, error=error)
        if found is None or cancel.cancelled:
            return
        yield found


def _model_figures(
    engine: Engine,
    path: Path,
    text: str,
    *,
    wish: Wish,
    make_room: MakeRoom,
    place: tuple[int, int],
    cancel: CancelToken,
) -> Generator[ComparisonStep | ModelAsleep, None, ModelFigures | None]:
    """Measure one model; None when cancelled."""
    yield ComparisonStep(path.stem, *place, 0.0, "loading")
    header, loaded = check_model(path), None
    if name := make_room(path):
        yield ModelAsleep(name)
    for event in engine.load(path, wish, cancel=cancel):
        if isinstance(event, LoadProgress):
            yield ComparisonStep(path.stem, *place, event.fraction, "loading")
        else:
            loaded = event
    if loaded is None:
        return None
    seen: list[TokenSeen] = []
    for told in read_probabilities(engine, text, most=0, cancel=cancel):
        if isinstance(told, PromptProgress):
            yield ComparisonStep(path.stem, *place, told.done_tokens / told.total_tokens)
        else:
            seen.append(told)
    yield ComparisonStep(path.stem, *place, 0.0, "writing")
    speed, first_s = _measure_speed(engine, text, cancel)
    if cancel.cancelled:
        return None
    surprise = surprise_of(seen)
    return ModelFigures(
        path, loaded.name, loaded.weights or header.weights, surprise.bits_per_byte, surprise.perplexity,
        surprise.tokens, speed, first_s, loaded.needed_bytes or loaded.size_bytes, loaded.context_tokens,
    )  # fmt: skip


def line_through(points: Sequence[tuple[float, float]]) -> FittedLine | None:
    """Fit a power law through (parameters, loss) by least squares of the logarithms; None for fewer than two sizes."""
    good = [(math.log(size), math.log(loss)) for size, loss in points if size > 0 and 0 < loss < math.inf]
    count = len(good)
    if len({x for x, _ in good}) < 2:
        return None
    mean_x, mean_y = (math.fsum(values) / count for values in zip(*good, strict=True))
    spread = math.fsum((x - mean_x) ** 2 for x, _ in good)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in good) / spread
    intercept = mean_y - slope * mean_x
    rest = math.fsum((y - intercept - slope * x) ** 2 for x, y in good)
    # Two sizes leave no residual, and nearly equal ones say little about a slope.
    uncertainty = math.sqrt(rest / (count - 2) / spread) if _count_sizes([x for x, _ in good]) > 2 else math.nan
    return FittedLine(-slope, intercept, uncertainty, count, mean_x, spread)


def _count_sizes(logs: Sequence[float]) -> int:
    """Count distinct model sizes; nearly equal ones count once."""
    ordered = sorted(logs)
    return 1 + sum(after - before > NEARLY for before, after in pairwise(ordered))


def line_of(compared: Sequence[ModelFigures]) -> FittedLine | None:
    """Fit a line through the models that have figures."""
    return line_through([(figures.parameters, figures.bits_per_byte) for figures in compared if figures.error is None])


@dataclass(frozen=True)
class ComparedModel:
    """A model that could be compared; `error` says why it cannot be."""

    path: Path
    name: str
    is_foreign: bool
    """Another program's."""
    parameters: int = 0
    size_bytes: int = 0
    needed_bytes: int = 0
    error: AppError | None = None


def find_candidates(models: Iterable[tuple[Path, str, bool]], cancel: CancelToken) -> Iterator[ComparedModel]:
    """Read the header of each model given as (path, name, is another program's)."""
    for path, name, is_foreign in models:
        if cancel.cancelled:
            return
        try:
            header = check_model(path)
            needed = shape_of(header).memory_needs(ModelLayout(CONTEXT_TOKENS)).total
            size_bytes = path.stat().st_size
        except AppError as error:
            yield ComparedModel(path, name, is_foreign, error=error)
        except OSError:
            yield ComparedModel(path, name, is_foreign, error=ModelMissing(str(path)))
        else:
            yield ComparedModel(path, name, is_foreign, header.weights, size_bytes, needed)


def best_of(compared: Sequence[ModelFigures], least_tokens_per_s: float) -> ModelFigures | None:
    """Return the model with the lowest loss among those fast enough; None if there is none."""
    quick = [
        model
        for model in compared
        if model.error is None and model.tokens_per_s >= least_tokens_per_s and not math.isnan(model.bits_per_byte)
    ]
    return min(quick, key=lambda one: one.bits_per_byte, default=None)


def table_of(compared: Sequence[ModelFigures], names: Sequence[str] = ()) -> str:
    """Return the figures as CSV, one model a line; `names` are the user's labels."""
    file = io.StringIO()
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(("model", *FIGURES))
    for model, name in zip(compared, names or [model.name for model in compared], strict=True):
        # An error's figures are blank cells.
        figures = (math.nan if model.error is not None else getattr(model, figure) for figure in FIGURES)
        lines.writerow((name, *("" if math.isnan(figure) else figure for figure in figures)))
    return file.getvalue()


def _measure_speed(engine: Engine, text: str, cancel: CancelToken) -> tuple[float, float]:
    """Measure tokens per second, and seconds to the first token, continuing the text's beginning."""
    ask = Ask((), max_tokens=WRITTEN_TOKENS, sampling=Sampling(temperature=0), text=text[:BEGINNING_CHARACTERS])
    for event in engine.answer(ask, cancel):
        if isinstance(event, Finished):
            return event.stats.tokens_per_s, event.stats.time_to_first_token_s
    return 0.0, 0.0


MOST_TOKENS = 1024
"""Of an answer."""
MOST_PAIRS = 200
"""Pairs with a stored tally; the least recent is dropped."""
Told = ModelAsleep | LoadProgress | PromptProgress | TextDelta | Finished | AppError


def compare_answers(
    engine: Engine,
    paths: Sequence[Path],
    question: str,
    *,
    wish: Wish = OPEN,
    make_room: MakeRoom = nobody_rests,
    cancel: CancelToken,
) -> Iterator[tuple[int, Told]]:
    """Let each model answer the question; yields (index in `paths`, event), ending with Finished or an error.

    Cancelled, it stops where it is. Close the engine to stop at once.
    """
    ask = Ask((Message(Role.USER, question),), max_tokens=MOST_TOKENS)
    for place, path in enumerate(paths):
        try:
            if name := make_room(path):
                yield place, ModelAsleep(name)
            for event in engine.load(path, wish, cancel=cancel):
                if isinstance(event, LoadProgress):
                    yield place, event
            for told in engine.answer(ask, cancel) if not cancel.cancelled else ():
                if isinstance(told, PromptProgress | TextDelta | Finished):
                    yield place, told
            # So that two models never lie in memory together.
            if not cancel.cancelled:
                engine.unload()
        except AppError as error:
            if not cancel.cancelled:
                yield place, error
        if cancel.cancelled:
            return


@dataclass(frozen=True)
class VoteTally:
    """Votes between two models, by file names: for each, and for neither."""

    first: str
    second: str
    for_first: int = 0
    for_second: int = 0
    same: int = 0

    @property
    def line(self) -> str:
        """The tally as the settings store it."""
        return json.dumps([self.first, self.second, self.for_first, self.for_second, self.same])


def tally_of(lines: Sequence[str], one: Path, other: Path) -> VoteTally:
    for kept in _read_votes(lines):
        if (kept.first, kept.second) == (one.name, other.name):
            return kept
        # Stored the other way round.
        if (kept.second, kept.first) == (one.name, other.name):
            return VoteTally(one.name, other.name, kept.for_second, kept.for_first, kept.same)
    return VoteTally(one.name, other.name)


def with_vote(lines: Sequence[str], one: Path, other: Path, better: Path | None) -> tuple[str, ...]:
    """Add a vote; None: neither was better."""
    now = tally_of(lines, one, other)
    more = VoteTally(
        now.first,
        now.second,
        now.for_first + (better == one),
        now.for_second + (better == other),
        now.same + (better is None),
    )
    # Newest first, so that what is dropped is the least recent.
    return (more.line, *_without_pair(lines, one, other))[:MOST_PAIRS]


def without_votes(lines: Sequence[str], one: Path, other: Path) -> tuple[str, ...]:
    return tuple(_without_pair(lines, one, other))


def _without_pair(lines: Sequence[str], one: Path, other: Path) -> Iterator[str]:
    for kept in _read_votes(lines):
        if {kept.first, kept.second} != {one.name, other.name}:
            yield kept.line


def _read_votes(lines: Sequence[str]) -> Iterator[VoteTally]:
    for line in lines:
        # Settings are a file that anybody may edit.
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            first, second, *counts = json.loads(line)
            if isinstance(first, str) and isinstance(second, str) and all(isinstance(count, int) for count in counts):
                yield VoteTally(first, second, *(max(0, count) for count in counts))
