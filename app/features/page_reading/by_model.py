"""Read a page's picture with a model: the request, and the judgement of its answer.

Models made for this need their own fixed prompts (`resources/page_reading.json`); others are asked for Markdown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from app.core.errors.app_error import AppError
from app.core.events import (
    CancelToken,
    Finished,
    FinishReason,
    LinkedToken,
    LookProgress,
    Media,
    Message,
    ModelLoaded,
    Role,
    TextDelta,
    Waiting,
    WaitingAnew,
)
from app.core.lazy_dataclasses import dataclass
from app.core.paths import resource_path
from app.core.settings import ChatDefaults, Settings
from app.engine.contract import Engine
from app.engine.protocol import Ask, Sampling
from app.features.chat.chat_options import template_variables
from app.features.work.asking import REFUSING, TaskRests

READ, CUT, REPEATED, EMPTY, REFUSED = "read", "cut", "repeated", "empty", "refused"
"""Outcome of a page, see `app.store.document_store.PageReading.state`."""
MOST_TOKENS = 8192
"""Of a page; the densest have about 4,000, and a layout twice that."""
WARMER = 0.3
THINKING_TOKENS = 256
LOOK_EVERY = 64
"""Characters between checks for repetition."""
LONGEST_UNIT = 300
LEAST_REPEATED = 200
LEAST_REPEATED_RULES = 1000
"""Of signs that forms and tables do repeat."""
_RULES = set(" _.-–—=·•…*|:\n")
_TEXT_MARK = re.compile(r"^\W*TEXT\W*$", re.MULTILINE)


@dataclass(frozen=True)
class ReadingPrompt:
    """A model's prompts for a page and for a figure ("" if it has none); `most_side` limits the picture."""

    page: str
    figure: str
    most_side: int


@dataclass(frozen=True)
class PageAnswer:
    """A model's answer to a picture, and how it ended; `caption` is a figure's."""

    text: str
    state: str
    caption: str = ""


def words_for(model: ModelLoaded) -> ReadingPrompt:
    """Return a model's prompts, chosen by its name and file name."""
    known = _known_answers()
    names = f"{model.name} {Path(model.path).name}"
    own: dict[str, Any] = next(
        (entry for entry in known["models"] if re.search(entry["match"], names, re.IGNORECASE)), {}
    )
    # A model's own entry replaces the general one field by field.
    chosen = known["others"] | own
    # A model without words for figures reads them like pages.
    return ReadingPrompt(chosen["page"], own.get("figure", "") if own else chosen["figure"], int(chosen["most_side"]))


@cache
def _known_answers() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(resource_path("page_reading.json").read_text("utf-8"))
    return known


def ask_for(words: ReadingPrompt, picture: Media, model: ModelLoaded, *, is_figure: bool, attempt: int = 0) -> Ask:
    """Build the request: deterministic; a retry is slightly warmer, which ends most repetitions."""
    text = (words.figure if is_figure else "") or words.page
    always_thinks = model.thinking in ("always", "effort")
    return Ask(
        [Message(Role.USER, text, (picture,))],
        # A page may take half of the context, which holds the picture, too.
        max_tokens=min(MOST_TOKENS, max(256, model.context_tokens // 2)),
        # The same request reads the same; a retry is warmer, which ends most repetitions.
        task_sampling=Sampling(WARMER * attempt, repeat_penalty=1.0, presence_penalty=0.0, seed=1 + attempt),
        template_variables=template_variables(None, Settings(chat=ChatDefaults(thinking="off")), model),
        thinking_budget=THINKING_TOKENS if always_thinks else -1,
        background=True,
    )


def ask_model(engine: Engine, ask: Ask, cancel: CancelToken) -> Iterator[TaskRests | LookProgress | PageAnswer | str]:
    """Yield the answer's text as it grows, then `PageAnswer`; nothing more when cancelled.

    Stops an answer that repeats itself. Raises the engine's errors.
    """
    # Stopped by repetition as well as by the person, who must stay apart.
    stop = LinkedToken(cancel)
    text, looked, state, is_resting = "", 0, "", False
    for _, event in engine.generate_many([ask], cancel=stop):
        if isinstance(event, AppError):
            raise event
        if is_resting is not isinstance(event, Waiting):
            is_resting = not is_resting
            yield TaskRests(event.reason if isinstance(event, Waiting) else "")
        # The engine begins this answer again.
        if isinstance(event, WaitingAnew):
            text, looked = "", 0
        if isinstance(event, LookProgress):
            yield event
        elif isinstance(event, TextDelta) and not event.thinking:
            text += event.text
            # Looking for repetition takes time by the text's length.
            if len(text) - looked >= LOOK_EVERY and not state:
                looked = len(text)
                yield text
                if repeated_from(text) is not None:
                    state = REPEATED
                    stop.cancel()
        elif isinstance(event, Finished):
            reason = event.stats.finish_reason
            # Cancelled by the person: half a page is none.
            if cancel.cancelled or (reason is FinishReason.CANCELLED and not state):
                return
            yield judge_answer(text, is_whole=reason is FinishReason.STOP)


def judge_answer(text: str, *, is_whole: bool) -> PageAnswer:
    """Judge an answer; one that repeats itself is cut there."""
    text = text.strip()
    if (repeats := repeated_from(text)) is not None:
        return PageAnswer(text[:repeats].rstrip(), REPEATED)
    # Rules, dots and blanks alone.
    if not any(map(str.isalnum, text)):
        return PageAnswer("", EMPTY)
    if REFUSING.match(text):
        return PageAnswer("", REFUSED)
    return PageAnswer(text, READ if is_whole else CUT)


def split_figure_answer(said: PageAnswer) -> PageAnswer:
    """Split the answer for a figure into what it shows and the text in it."""
    if (mark := _TEXT_MARK.search(said.text)) is None:
        return PageAnswer("", said.state, said.text)
    return PageAnswer(said.text[mark.end() :].strip(), said.state, said.text[: mark.start()].strip())


def repeated_from(text: str) -> int | None:
    """Return where a text starts to repeat itself without end; None if it doesn't."""
    # Any length up to a few lines: models repeat words, lines and tables.
    for unit in range(1, min(LONGEST_UNIT, len(text) // 2) + 1):
        run = 0
        while run < len(text) - unit and text[-1 - run] == text[-1 - run - unit]:
            run += 1
        # Forms and tables do repeat dots and lines.
        least = LEAST_REPEATED_RULES if set(text[-unit:]) <= _RULES else LEAST_REPEATED
        if run >= max(least, 4 * unit):
            return len(text) - run
    return None
