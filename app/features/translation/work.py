"""What all parts of one translation share: the model and how it is asked, the glossary, the checks, the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.core.events import CancelToken, ModelLoaded
from app.core.settings import Chat, Settings
from app.documents.segments import Content, Segment, SegmentKind, plain
from app.engine.contract import Engine
from app.engine.protocol import Ask
from app.features.chat.options import template_variables
from app.features.models.languages import Knows, knows, weights_of
from app.features.translation.batches import Sizes, Step, Unit, answer_tokens, sizes_for
from app.features.translation.checks import Checks
from app.features.translation.glossary import Consistency, Glossary, chosen
from app.features.translation.marking import Shown, same_marks, shown
from app.features.translation.problems import sentences_of
from app.features.translation.prompts import Family, Request, family_for
from app.features.translation.result import Formality, Memory, Origin, Term, Translated, TranslationWish
from app.features.work.asking import woken
from app.language.detection import Detector
from app.language.names import LANGUAGES, are_alike, base, english_name

THINKING_TOKENS = 256
"""For models that cannot be kept from thinking."""
CHARACTERS_A_TOKEN = 3
SAMPLE_CHARACTERS = 2_000
LARGE_WEIGHTS = 16e9
_TOLD_IN_ORDER = frozenset(
    (SegmentKind.HEADING, SegmentKind.PARAGRAPH, SegmentKind.LIST_ITEM, SegmentKind.NOTE, SegmentKind.CUE,
     SegmentKind.CAPTION)
)  # fmt: skip
"""What follows each other as text does; a cell or a message says little about the next one."""


@dataclass
class Work:
    """One translation on its way. `results` are the words of the segments that are done, by id.

    `source` is the language found or given; `pair` has none where that is the target: most of it stays then, and what
    is in another language may be in any.
    """

    segments: Sequence[Segment]
    pair: TranslationWish
    source: str
    engine: Engine
    memory: Memory
    cancel: CancelToken
    model: ModelLoaded
    knows: Knows
    family: Family
    sizes: Sizes
    checks: Checks
    glossary: Glossary
    consistency: Consistency
    detector: Detector
    results: dict[int, str] = field(default_factory=dict)
    texts: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        self.texts = {segment.id: segment.text for segment in self.segments}

    def ask(self, units: Sequence[Unit], step: Step) -> Ask:
        """The prompt for units that are asked together, as far as is known now."""
        is_bare = step >= Step.BARE or units[0].parent is not None
        before = () if is_bare or not self.family.takes_context else self._before(units[0])
        hints = tuple(unit.segments[0].context if unit.segments and not is_bare else "" for unit in units)
        for unit in units:
            unit.before, unit.has_hint = before, any(hints)
        request = Request(
            tuple(unit.shown.text for unit in units),
            hints,
            self._terms(units),
            before,
            self._said(units, step),
            is_batch=len(units) > 1,
        )
        tokens = sum(unit.tokens for unit in units)
        always_thinks = self.model.thinking in ("always", "effort")
        return Ask(
            self.family.messages(request, self.pair),
            max_tokens=answer_tokens(tokens, len(units), self.pair.target),
            task_sampling=self.family.sampling(int(step)),
            template_variables=template_variables(None, Settings(chat=Chat(thinking="off")), self.model),
            thinking_budget=THINKING_TOKENS if always_thinks else -1,
            grammar=self.family.grammar(request) if step < Step.BARE else "",
        )

    def learn(self, translated: Translated) -> None:
        """What a later request is told of a translation: its words as context, and the names and terms in it."""
        if translated.origin is Origin.KEPT or translated.id not in self.texts:
            return
        self.results[translated.id] = spoken(translated)
        if translated.origin is not Origin.SKIPPED:
            self.consistency.learn(self.texts[translated.id], spoken(translated))

    def count(self, texts: Sequence[str]) -> Sequence[int]:
        return self.engine.count_texts(texts, cancel=self.cancel)

    def _before(self, unit: Unit) -> tuple[tuple[str, str], ...]:
        """The segments in front of one, with what became of them."""
        found: list[tuple[str, str]] = []
        left = self.sizes.context_tokens * CHARACTERS_A_TOKEN
        for place in range(unit.place - 1, max(-1, unit.place - 1 - 2 * self.sizes.context), -1):
            segment = self.segments[place]
            if segment.kind not in _TOLD_IN_ORDER or unit.segments[0].kind not in _TOLD_IN_ORDER:
                break
            source, target = segment.text.strip(), self.results.get(segment.id, "")
            left -= len(source) + len(target)
            if left < 0 or len(found) == self.sizes.context:
                break
            if source:
                found.insert(0, (source, target))
        return tuple(found)

    def _terms(self, units: Sequence[Unit]) -> tuple[Term, ...]:
        """The person's first, then what the document itself has fixed."""
        if not self.knows.takes_glossary:
            return ()
        own = [term for unit in units for term in unit.terms]
        known = {term.source.casefold() for term in own}
        found = [term for unit in units for term in self.consistency.found_in(unit.shown.words)]
        return chosen([*own, *(term for term in found if term.source.casefold() not in known)])

    def _said(self, units: Sequence[Unit], step: Step) -> str:
        if step is Step.FIRST or not units[0].candidates:
            return ""
        return sentences_of(units[0].candidates[-1].problems, english_name(self.pair.target))


def begin(
    segments: Sequence[Segment], wish: TranslationWish, engine: Engine, memory: Memory, cancel: CancelToken
) -> Work | None:
    """Wakes the model; None where that was cancelled. Raises NoModel, and what the engine raises."""
    model = woken(engine, cancel)
    if model is None:
        return None
    known, weights = knows(Path(model.path)), weights_of(model)
    detector = Detector.shared()
    among = known.languages if len(known.languages) > 1 else [one.code for one in LANGUAGES]
    source = wish.source or detector.find(_sample(segments), among)
    formality = wish.formality if known.takes_formality else Formality.DEFAULT
    pair = TranslationWish(wish.target, source, formality, wish.domain if known.takes_domain else "")
    told = replace(pair, source="") if not wish.source and _is_target(source, wish.target) else pair
    return Work(
        segments, told, source, engine, memory, cancel, model, known,
        family_for(known.family, is_large=weights > LARGE_WEIGHTS),
        sizes_for(known, weights, model.context_tokens, model.sequences),
        Checks(pair, detector),
        Glossary(wish.glossary, source),
        Consistency([segment.text for segment in segments], source),
        detector,
    )  # fmt: skip


def _is_target(source: str, target: str) -> bool:
    """Whether a text is in the target language already; variants (pt-BR for pt) are asked for."""
    return base(source) == base(target) == target != ""


def spoken(translated: Translated) -> str:
    return "".join(part for part in translated.content if isinstance(part, str)).strip()


def _sample(segments: Sequence[Segment]) -> str:
    found: list[str] = []
    left = SAMPLE_CHARACTERS
    for segment in segments:
        if left <= 0:
            break
        found.append(segment.text)
        left -= len(segment.text)
    return "\n".join(found)


# What of a document need not be asked: nothing to translate, in the target language already, or known.


LEAST_CHARACTERS = 40
"""A shorter text may look like any language."""


def sorted_out(work: Work, done: Mapping[int, Translated]) -> tuple[list[Translated], list[Unit]]:
    """What is known of the segments that are not done, and the units for the others, each content once.

    Stops where the work is cancelled.
    """
    known: list[Translated] = []
    units: dict[Any, Unit] = {}
    section = 0
    file_is_in_target = _file_is_in_target(work)
    for place, segment in enumerate(work.segments):
        if work.cancel.cancelled:
            break
        section += segment.kind is SegmentKind.HEADING
        if segment.id in done:
            work.learn(done[segment.id])
            continue
        seen = shown(segment)
        found = _known(work, segment, seen, file_is_in_target)
        if found is not None:
            known.append(found)
            continue
        key = (segment.content, segment.context)
        if key in units:
            units[key].segments.append(segment)
            continue
        where = (section, segment.page if segment.kind is SegmentKind.CELL else 0)
        unit = Unit([segment], seen, place, where)
        unit.terms = work.glossary.found_in(unit.shown.words) if work.glossary else ()
        units[key] = unit
    return known, list(units.values())


def _known(work: Work, segment: Segment, seen: Shown, file_is_in_target: bool) -> Translated | None:
    if not seen.has_words:
        return Translated(segment.id, segment.content, Origin.SKIPPED)
    found = work.memory.find(segment.content, segment.context)
    if found is None and file_is_in_target and plain(segment.translated).strip():
        found = segment.translated
    if found is not None and _fits(found, segment.content):
        return Translated(segment.id, found, Origin.MEMORY)
    return Translated(segment.id, segment.content, Origin.SKIPPED) if _is_in_target(work, segment) else None


def _fits(found: Content, source: Content) -> bool:
    return same_marks(found, source) and bool(plain(found).strip())


def _is_in_target(work: Work, segment: Segment) -> bool:
    """Whether a text of some length clearly is; never where source and target are variants, or look alike."""
    source, target = work.pair.source, work.pair.target
    if len(segment.text.strip()) < LEAST_CHARACTERS or are_alike(source, target):
        return False
    return work.detector.clearly(segment.text) == base(target)


def _file_is_in_target(work: Work) -> bool:
    """Whether the translations that a file has already (PO) are in the target language."""
    texts = [plain(one.translated) for one in work.segments if one.translated][:200]
    return bool(texts) and work.detector.clearly("\n".join(texts)) == base(work.pair.target)
