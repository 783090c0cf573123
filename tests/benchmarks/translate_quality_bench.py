"""What the path through a document costs: chrF of a book translated as HTML, beside its plain sentences.

The book is the Debian FAQ, whose Portuguese people made (European; the translator writes Brazilian, the same for both
sides). The stand-in model gets the chapters as our pipeline asks for them, and what is written is read again as HTML;
beside it the same model gets the plain text of each paragraph. Then the starter, honestly, beside copying the source.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from comparing import progress
from our_engine import OurEngine
from run import Row
from sacrebleu.metrics import CHRF
from translate_faq import chapters
from translate_formats_bench import segments_of
from translate_stand_in import LANGUAGE, StandIn

from app.core.events import CancelToken
from app.documents.segments import Content, Segment
from app.engine.client import EngineClient
from app.features.translate.translate import translate_segments
from app.features.translate.translation_events import SegmentDone, Translated, TranslationWish
from tests.features.translate.pipeline import DictMemory
from tests.helpers.rewriting import by_the_child

CHAPTERS = ("basic-defs", "contributing", "faqinfo", "getting-debian", "kernel", "nextrelease", "support", "uptodate")
MOST_APART = 1.0
SAMPLE = 20
SAMPLE_WORDS = (8, 30)
WISH = TranslationWish(LANGUAGE, "en")


def rows() -> Iterator[Row]:
    """The two ways, what was flagged on the way, and the starter."""
    stand_in = StandIn()
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        folder = Path(name)
        try:
            yield from through_documents(stand_in, folder)
        finally:
            stand_in.close()
        yield starter_row(folder)


def through_documents(stand_in: StandIn, folder: Path) -> Iterator[Row]:
    """HTML in, HTML out, against the same model without documents."""
    sources: list[str] = []
    references: list[str] = []
    written: list[str] = []
    flagged = 0
    for name in CHAPTERS:
        progress(name)
        path = chapters("en")[name]
        segments, wanted = segments_of(path, folder), segments_of(chapters("pt")[name], folder)
        if [one.kind for one in segments] != [one.kind for one in wanted]:
            raise AssertionError(f"{name} is not the same in both languages")
        done = translated(cast(EngineClient, stand_in), segments)
        flagged += sum(bool(one.flags) for one in done.values())
        out = written_html(path, done, folder)
        kept = [number for number, one in enumerate(segments) if any(map(str.isalpha, one.text))]
        sources += [shown(segments[number].content) for number in kept]
        references += [shown(wanted[number].content) for number in kept]
        written += [shown(out[number].content) for number in kept]
    plain = [stand_in.plain(text) for text in sources]
    scores = [chrf(texts, references) for texts in (written, plain, sources)]
    alike = sum(one == other for one, other in zip(written, plain, strict=True))
    note = f"{len(sources)} segments, {alike} the same both ways, {flagged} flagged; copy of the source {scores[2]:.1f}"
    yield Row("chrF of a book through HTML, against plain sentences", scores[0], "chrF", scores[1], note)
    cost = round(scores[1] - scores[0], 2)
    yield Row("chrF that the path costs", cost, "chrF", MOST_APART, "the limit is the baseline", at_most=1.0)


def translated(engine: EngineClient, segments: Sequence[Segment]) -> dict[int, Translated]:
    """By our pipeline; every segment is settled."""
    events = translate_segments(segments, WISH, engine, DictMemory(), CancelToken())
    done = {event.translated.id: event.translated for event in events if isinstance(event, SegmentDone)}
    if len(done) != len(segments):
        raise AssertionError(f"{len(done)} of {len(segments)} segments were settled")
    return done


def written_html(path: Path, done: dict[int, Translated], folder: Path) -> list[Segment]:
    """The segments of the file that was written with the translations."""
    out = folder / path.name

    def content(segment: Segment) -> Content:
        return done[segment.id].content

    _, result = by_the_child(path, out, folder, content, LANGUAGE)
    if result.refused:
        raise AssertionError(f"refused: {result.refused}")
    return segments_of(out, folder)


def starter_row(folder: Path) -> Row:
    """The starter speaks English; what it makes of a few paragraphs."""
    progress(f"{SAMPLE} segments by the starter")
    pairs = [
        pair
        for name in CHAPTERS
        for pair in zip(*(segments_of(chapters(one)[name], folder) for one in ("en", "pt")), strict=True)
        if SAMPLE_WORDS[0] <= len(pair[0].text.split()) <= SAMPLE_WORDS[1]
    ]
    chosen = pairs[:: max(1, len(pairs) // SAMPLE)][:SAMPLE]
    segments = [Segment(number, one.content, one.kind) for number, (one, _) in enumerate(chosen, 1)]
    with OurEngine(folder / "starter") as ours:
        done = translated(ours.client, segments)
    texts = [shown(done[one.id].content) for one in segments]
    references = [shown(wanted.content) for _, wanted in chosen]
    copied = chrf([shown(one.content) for one in segments], references)
    flagged = sum(bool(done[one.id].flags) for one in segments)
    note = f"{len(segments)} segments, {flagged} flagged; the baseline is a copy of the source"
    return Row("chrF of the starter", chrf(texts, references), "chrF", copied, note)


def chrf(texts: Sequence[str], references: Sequence[str]) -> float:
    """Popović 2015, as sacrebleu counts it."""
    return round(float(CHRF().corpus_score(list(texts), [list(references)]).score), 2)


def shown(content: Content) -> str:
    """As a reader sees it, in one line."""
    text = "".join(part if isinstance(part, str) else part.shows or _space(part.look) for part in content)
    return " ".join(text.split())


def _space(look: str) -> str:
    return " " if look in ("break", "tab") else ""
