"""Segments to translate with scripted answers in the real engine child, and what was asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.child import own_command
from app.core.events import CancelToken
from app.documents.segments import Content, Mark, Segment, SegmentKind
from app.engine.client import EngineClient
from app.features.translate.marked_answers import MarkDamage, damage_of, parse_marked
from app.features.translate.marking import ShownContent
from app.features.translate.translate import translate_segments
from app.features.translate.translation_events import SegmentDone, Translated, TranslationEvent, TranslationWish
from tests.helpers.engine import load
from tests.helpers.script import requests, write_script

LARGE_BYTES = 4_000_000_000
"""The size of a model that is asked for eight or twenty segments at once."""
GERMAN = TranslationWish("de", "en")


@dataclass
class DictMemory:
    """A memory for one run."""

    kept: dict[tuple[Content, str], Content] = field(default_factory=dict)

    def find_step(self, source: Content, context: str = "") -> Content | None:
        return self.kept.get((source, context))

    def keep_step(self, source: Content, target: Content, context: str = "") -> None:
        self.kept[source, context] = target


@dataclass(frozen=True)
class Scripted:
    """An engine that follows a script."""

    engine: EngineClient
    script: Path

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Everything that was asked, in order."""
        return requests(self.script)

    @property
    def asked(self) -> list[str]:
        """The last message of each prompt, in order."""
        return [str(request["messages"][-1][1]) for request in self.requests]


@contextmanager
def scripted(folder: Path, *answers: dict[str, Any], name: str = "scripted.gguf", **model: Any) -> Iterator[Scripted]:
    """A loaded model that answers so; `model` are keys of the script's load rule."""
    script = write_script(folder, *answers, load=model)
    engine = EngineClient([*own_command("--engine-worker"), "--scripted", str(script)], folder / "engine")
    try:
        load(engine, Path(name))
        yield Scripted(engine, script)
    finally:
        engine.close()


def segments(*contents: str | Content, kind: SegmentKind = SegmentKind.PARAGRAPH) -> list[Segment]:
    """Numbered from 1."""
    return [
        Segment(number, (content,) if isinstance(content, str) else content, kind)
        for number, content in enumerate(contents, 1)
    ]


def bold(text: str, number: int = 1) -> Content:
    """A pair of marks around a text."""
    return (Mark("open", number, "bold"), text, Mark("close", number))


def events_of(  # noqa: PLR0917 - what each is, its name says
    given: Scripted,
    wanted: Sequence[Segment],
    wish: TranslationWish = GERMAN,
    memory: DictMemory | None = None,
    cancel: CancelToken | None = None,
    done: Mapping[int, Translated] | None = None,
    **options: Any,
) -> list[TranslationEvent]:
    """All that happens in one translation."""
    memory = memory if memory is not None else DictMemory()
    return list(translate_segments(wanted, wish, given.engine, memory, cancel or CancelToken(), done=done, **options))


def results(events: Sequence[TranslationEvent]) -> dict[int, Translated]:
    """What became of each segment; none is settled twice."""
    found = [event.translated for event in events if isinstance(event, SegmentDone)]
    assert len({one.id for one in found}) == len(found)
    return {one.id: one for one in found}


def text_of(translated: Translated) -> str:
    """The words, marks as tags."""
    return "".join(
        part
        if isinstance(part, str)
        else {"open": "<{}>", "close": "</{}>", "single": "<{}/>"}[part.role].format(part.number)
        for part in translated.content
    )


def read(source: ShownContent, answer: str) -> tuple[Content, MarkDamage | None]:
    """The core of an answer, and what is wrong with its marks."""
    found = parse_marked(source, answer)
    return found, damage_of(source, found)


def kinds(translated: Translated) -> list[str]:
    """The kinds of its flags."""
    return [flag.kind.value for flag in translated.flags]
