"""Files to translate, and a pipeline that asks for each segment by itself: what was asked can be counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.bootstrap import Fireside
from app.core.events import CancelToken
from app.documents.segments import Content, Segment, content_of
from app.engine.client import EngineClient
from app.features.translate.delivering import deliver_segment, make_candidate
from app.features.translate.marking import show_segment
from app.features.translate.translation_events import (
    Flag,
    FlagKind,
    MemoryLookup,
    SegmentDone,
    Translated,
    TranslationEnded,
    TranslationEvent,
    TranslationPlanned,
    TranslationSource,
    TranslationWish,
)
from app.features.translate.translation_jobs import StoredTranslation, TranslationAdded, TranslationJobs
from app.features.work.queue import JobEvent
from tests.helpers.engine import ask_behind
from tests.helpers.script import prompts

GERMAN = TranslationWish("de", "en")


def one_by_one(
    segments: Sequence[Segment],
    wish: TranslationWish,
    engine: EngineClient,
    memory: MemoryLookup,
    cancel: CancelToken,
    *,
    done: Mapping[int, Translated],
) -> Iterator[TranslationEvent]:
    """Each segment is one ask, its answer replaces the first text; an answer with "odd" in it is flagged."""
    left = [segment for segment in segments if segment.id not in done]
    known = {one.id: found for one in left if (found := memory.find_step(one.content, one.context)) is not None}
    asked = [one for one in left if one.id not in known]
    tokens = sum(engine.count_texts([one.text for one in asked], cancel=cancel)) if asked else 0
    yield TranslationPlanned(len(segments), len(segments) - len(asked), tokens, wish.source or "en")
    count = len(done)
    for segment in left:
        if segment.id in known:
            translated = Translated(segment.id, known[segment.id], TranslationSource.MEMORY)
        else:
            answer = ask_behind(engine, segment.text, cancel)
            if answer is None:
                yield TranslationEnded(is_partial=True)
                return
            content = in_place_of_words(segment.content, answer)
            flags = (Flag(FlagKind.LENGTH),) if "odd" in segment.text else ()
            if not flags:
                memory.keep_step(segment.content, content, segment.context)
            translated = Translated(segment.id, content, flags=flags)
        count += 1
        yield SegmentDone(translated, count, len(segments))
    yield TranslationEnded()


def in_place_of_words(source: Content, words: str) -> Content:
    """The marks of the source, all words in the place of its first ones."""
    first = next(place for place, part in enumerate(source) if isinstance(part, str))
    return content_of(
        [words if place == first else "" if isinstance(part, str) else part for place, part in enumerate(source)]
    )


def deliver(segment: Segment, answer: str) -> Translated:
    """A segment with a model's answer to `marking.shown(segment).text`, as the pipeline would deliver it."""
    source = show_segment(segment)
    if not source.has_words:
        return Translated(segment.id, segment.content, TranslationSource.SKIPPED)
    return deliver_segment(segment, source, make_candidate(source, answer))


def translations_of(app: Fireside) -> TranslationJobs:
    """The program's own, with this pipeline."""
    put_pipeline(app, one_by_one)
    return app.translations


def put_pipeline(app: Fireside, pipeline: Any) -> Any:
    """Another pipeline in the queue; the one that was there."""
    before, app.translations.pipeline = app.translations.pipeline, pipeline
    return before


def lines(count: int, word: str = "kiln") -> list[str]:
    """Paragraphs that say which they are."""
    return [f"Paragraph {number} tells of {word} {number}." for number in range(1, count + 1)]


def text_file(folder: Path, name: str = "a.txt", *, count: int = 6, word: str = "kiln") -> Path:
    """A text of so many paragraphs."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("\n\n".join(lines(count, word)) + "\n", "utf-8")
    return path


def add(app: Fireside, path: Path, wish: TranslationWish = GERMAN, *, password: str = "") -> StoredTranslation:
    """A file as a draft."""
    *_, last = app.translations.add(path, wish, CancelToken(), password=password)
    assert isinstance(last, TranslationAdded)
    return last.translation


def begin(app: Fireside, path: Path, wish: TranslationWish = GERMAN) -> StoredTranslation:
    """A file in the queue."""
    draft = add(app, path, wish)
    app.translations.begin_translations([draft.id])
    return stored(app.translations, draft.id)


def stored(translations: TranslationJobs, translation_id: int) -> StoredTranslation:
    """Its row now."""
    found = translations.get(translation_id)
    assert found is not None
    return found


def work_off(translations: TranslationJobs) -> None:
    """Everything that waits."""
    for _ in translations.run(CancelToken()):
        pass


def until_segment(
    translations: TranslationJobs, number: int, cancel: CancelToken | None = None
) -> Iterator[JobEvent[TranslationEvent]]:
    """The work up to and with so many segments; the rest when asked for more."""
    for worked in translations.run(cancel or CancelToken()):
        if isinstance(worked.event, SegmentDone) and worked.event.done == number:
            yield worked
    yield JobEvent(0, None)


def asked(script: Path) -> Counter[str]:
    """How often each segment was in a prompt."""
    return Counter(messages[-1][1] for messages in prompts(script))
