"""Translate text while it is typed: paragraphs, alternative wordings, and back-translation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from app.core.events import CancelToken, Message, Role, TextDelta
from app.documents.segments import Content, Segment, plain
from app.engine.contract import Engine
from app.engine.protocol import Ask
from app.features.models.model_languages import GENERIC
from app.features.translate.delivering import make_candidate
from app.features.translate.marking import show_segment
from app.features.translate.problems import is_unusable
from app.features.translate.translate import translate_segments
from app.features.translate.translation_events import (
    MemoryLookup,
    SegmentDone,
    SegmentGrows,
    Translated,
    TranslationEvent,
    TranslationWish,
)
from app.features.translate.translation_prompts import AskingStep, TranslationUnit
from app.features.translate.translation_work import TranslationWork, begin_work
from app.features.translate.translator_families import one_line

ALTERNATIVE_TEMPERATURE = 0.8
TRIES_FOR_ONE = 2
"""Answers requested per alternative, because some will be equal."""
_PARAGRAPH = re.compile(r"[^\n]+")


def segments_of(text: str) -> list[Segment]:
    """Split into paragraphs (non-empty lines), numbered from 1 as in `join_paragraphs`."""
    return [
        Segment(number, (match[0].strip(),))
        for number, match in enumerate((m for m in _PARAGRAPH.finditer(text) if m[0].strip()), 1)
    ]


def join_paragraphs(text: str, translated: Mapping[int, Content]) -> str:
    """Replace the translated paragraphs in the text, keeping its white space; the others stay."""
    parts: list[str] = []
    at = number = 0
    for match in _PARAGRAPH.finditer(text):
        # White space between paragraphs stays in the text, so a line of nothing has no number.
        if not (core := match[0].strip()):
            continue
        number += 1
        start = match.start() + match[0].index(core)
        parts += [text[at:start], plain(translated[number]) if number in translated else core]
        at = start + len(core)
    return "".join([*parts, text[at:]])


def translate_text(
    text: str,
    wish: TranslationWish,
    engine: Engine,
    memory: MemoryLookup,
    cancel: CancelToken,
    *,
    done: Mapping[int, Translated] | None = None,
) -> Iterator[TranslationEvent]:
    """Translate typed text with priority over background work; ids as in `segments_of`.

    `done` are unchanged paragraphs. For a new text cancel the old run, which ends its answer at once.
    """
    yield from translate_segments(segments_of(text), wish, engine, memory, cancel, done=done, is_interactive=True)


def suggest_alternatives(  # noqa: PLR0917 - what each is, its name says
    sentence: str,
    paragraph: str,
    wish: TranslationWish,
    engine: Engine,
    cancel: CancelToken,
    count: int = 3,
    *,
    current: str = "",
) -> Iterator[str]:
    """Yield other translations of a source sentence, as far as the model finds different ones.

    `paragraph` is its context, `current` the existing translation. Ends when cancelled. Raises the engine's errors.
    """
    work = begin_work([Segment(1, (sentence.strip(),))], wish, engine, _EmptyMemory(), cancel)
    if work is None or not sentence.strip():
        return
    unit = TranslationUnit(
        [replace(work.segments[0], context=_context_around(sentence, paragraph))],
        show_segment(work.segments[0]),
        0,
        # The surrounding paragraph says what "it" and "they" are.
    )
    unit.terms = work.glossary.found_in(unit.shown.words)
    unit.tokens = work.count_tokens([unit.shown.text])[0]
    told = [current.strip()] if current.strip() else []
    most = len(told) + count
    for number in range(count * TRIES_FOR_ONE):
        if len(told) == most or cancel.cancelled:
            # Some answers will be the same as those that were told.
            return
        answer = _answer_text(work, _alternative_ask(work, unit, told, number))
        found = make_candidate(unit.shown, answer)
        words = plain(unit.shown.restore_whole(found.core)).strip()
        if not cancel.cancelled and not is_unusable(found.problems) and words not in told:
            told.append(words)
            yield words


def translate_back(text: str, wish: TranslationWish, engine: Engine, cancel: CancelToken) -> Iterator[str]:
    """Translate a translation back, independently of its source, yielding the growing text.

    `wish` is that of the translation; without a source language it is English, or German if English is the target.
    Raises the engine's errors.
    """
    # Independent of the source: German or English is what most models know best.
    source = wish.source or ("de" if wish.target.casefold().startswith("en") else "en")
    back = TranslationWish(source, wish.target, wish.formality, wish.domain)
    contents: dict[int, Content] = {}
    shown_last = ""
    for event in translate_text(text, back, engine, _EmptyMemory(), cancel):
        if (content := _grown_segment(event)) is not None:
            contents[content[0]] = content[1]
            so_far = join_paragraphs(
                text, {number: contents.get(number, ("",)) for number in range(1, max(contents) + 1)}
            )
            # Growing text may be the same once tags are taken out.
            if (so_far := _without_missing(text, so_far, contents)) != shown_last:
                shown_last = so_far
                yield so_far


def _grown_segment(event: TranslationEvent) -> tuple[int, Content] | None:
    if isinstance(event, SegmentGrows):
        return event.id, (event.text,)
    return (event.translated.id, event.translated.content) if isinstance(event, SegmentDone) else None


def _without_missing(text: str, so_far: str, contents: Mapping[int, Content]) -> str:
    """Return the text without paragraphs not translated back yet."""
    segments = segments_of(text)
    if (last := max(contents)) >= len(segments):
        return so_far
    rest = text[text.rindex(segments[last].text) :] if last < len(segments) else ""
    return so_far.removesuffix(rest).rstrip()


def _alternative_ask(work: TranslationWork, unit: TranslationUnit, told: list[str], number: int) -> Ask:
    usual = work.make_ask([unit], AskingStep.FIRST)
    # Warm, with another seed each: the same prompt would give the same answer.
    sampling = replace(usual.task_sampling, temperature=ALTERNATIVE_TEMPERATURE, seed=number + 1)
    messages = usual.messages
    # Specialised translators know only their makers' prompts.
    if told and work.knows.family == GENERIC:
        before = "\n".join(f"- {one_line(text)}" for text in told)
        last = f"Translate it in another way than:\n{before}\n\n{messages[-1].text}"
        messages = [*messages[:-1], Message(Role.USER, last)]
    return replace(usual, messages=messages, task_sampling=sampling)


def _answer_text(work: TranslationWork, ask: Ask) -> str:
    events = work.engine.answer(ask, work.cancel)
    return "".join(event.text for event in events if isinstance(event, TextDelta) and not event.thinking)


def _context_around(sentence: str, paragraph: str) -> str:
    return paragraph.strip() if paragraph.strip() != sentence.strip() else ""


class _EmptyMemory:
    """A memory of nothing: another wording is wanted than the one that is known."""

    def find_step(self, source: Content, context: str = "") -> None:
        """Find nothing."""

    def keep_step(self, source: Content, target: Content, context: str = "") -> None:
        """Store nothing."""
