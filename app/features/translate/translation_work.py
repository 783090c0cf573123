"""State shared by all parts of one translation (model, glossary, results), and checks beyond its form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.core.events import CancelToken, ModelLoaded
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.settings import ChatDefaults, Settings
from app.documents.segments import Content, Segment, SegmentKind, plain
from app.engine.contract import Engine
from app.engine.protocol import Ask
from app.features.chat.chat_options import template_variables
from app.features.models.model_languages import KnownLanguages, known_languages, weights_of
from app.features.translate.certainty import is_telling
from app.features.translate.delivering import DeliveryCandidate, make_candidate
from app.features.translate.glossary import TermConsistency, TermGlossary, choose_terms, violated_terms
from app.features.translate.marking import ShownContent, same_marks, show_segment
from app.features.translate.problems import ProblemKind, TranslationProblem, is_unusable, sentences_of
from app.features.translate.text_checks import (
    ExpectedLengths,
    different_number,
    is_other_language,
    is_same,
    leftover_words,
)
from app.features.translate.tidy_answers import has_repetition
from app.features.translate.translation_events import (
    Formality,
    GlossaryTerm,
    MemoryLookup,
    Translated,
    TranslationSource,
    TranslationWish,
)
from app.features.translate.translation_prompts import (
    AskingStep,
    BatchSizes,
    TranslationUnit,
    answer_tokens,
    family_for,
    sizes_for,
)
from app.features.translate.translator_families import TranslatorFamily, UnitRequest
from app.features.translate.word_checks import (
    added_number,
    changed_negation,
    changed_opposite,
    changed_word,
    foreign_figure,
    garbled_words,
    lost_number,
    untranslated_word,
)
from app.features.work.asking import wake_model
from app.language.language_detection import LanguageDetector
from app.language.language_names import LANGUAGES, are_alike, base_code, english_name

THINKING_TOKENS = 256
"""Extra tokens for models whose thinking can't be switched off."""
CHARACTERS_A_TOKEN = 3
SAMPLE_CHARACTERS = 2_000
LARGE_WEIGHTS = 16e9
_TOLD_IN_ORDER = frozenset(
    (SegmentKind.HEADING, SegmentKind.PARAGRAPH, SegmentKind.LIST_ITEM, SegmentKind.NOTE, SegmentKind.CUE,
     SegmentKind.CAPTION)
)  # fmt: skip
"""Formats with running text; a previous cell or message says little about the next."""


@dataclass
class TranslationWork:
    """State of a translation in progress.

    `results` holds the words of finished segments by id. `source` is given or detected; `pair` has none if that
    equals the target: then most text stays, and foreign parts may be in any language.
    """

    segments: Sequence[Segment]
    pair: TranslationWish
    source: str
    engine: Engine
    memory: MemoryLookup
    cancel: CancelToken
    model: ModelLoaded
    knows: KnownLanguages
    family: TranslatorFamily
    sizes: BatchSizes
    checks: TranslationChecks
    glossary: TermGlossary
    consistency: TermConsistency
    detector: LanguageDetector
    results: dict[int, str] = field(default_factory=dict)
    texts: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        self.texts = {segment.id: segment.text for segment in self.segments}

    def make_ask(self, units: Sequence[TranslationUnit], step: AskingStep) -> Ask:
        """Build the prompt for units asked together, with the context known now."""
        # Pieces of a sentence have no place of their own in the document.
        is_bare = step >= AskingStep.BARE or units[0].parent is not None
        before = () if is_bare or not self.family.takes_context else self._segments_before(units[0])
        hints = tuple(unit.segments[0].context if unit.segments and not is_bare else "" for unit in units)
        # Remembered, since the next step may be to leave it out.
        for unit in units:
            unit.before, unit.has_hint = before, any(hints)
        request = UnitRequest(
            tuple(unit.shown.text for unit in units),
            hints,
            self._choose_terms(units),
            before,
            self._problem_sentences(units, step),
            is_batch=len(units) > 1,
        )
        tokens = sum(unit.tokens for unit in units)
        always_thinks = self.model.thinking in ("always", "effort")
        return Ask(
            self.family.make_messages(request, self.pair),
            # A limit for the whole batch, or a loop would write to the end of the context.
            max_tokens=answer_tokens(tokens, len(units), self.pair.target),
            task_sampling=self.family.choose_sampling(int(step)),
            template_variables=template_variables(None, Settings(chat=ChatDefaults(thinking="off")), self.model),
            thinking_budget=THINKING_TOKENS if always_thinks else -1,
            # A refrain may repeat itself.
            stop_on_repetition=not any(has_repetition(unit.shown.words) for unit in units),
            # Bare, there is no grammar: it may be what the model stumbled over.
            grammar=self.family.make_grammar(request) if step < AskingStep.BARE else "",
            # Probabilities are told only where they mean something; -1 asks for none.
            alternatives=0 if is_telling(self.engine, weights_of(self.model)) else -1,
        )

    def learn_translation(self, translated: Translated) -> None:
        """Remember a translation for later prompts: its words as context, its names and terms as hints."""
        # Untranslated text as context would teach the model to leave it.
        if translated.origin is TranslationSource.KEPT or translated.id not in self.texts:
            return
        self.results[translated.id] = spoken_text(translated)
        # Numbers and code are the same on both sides, which teaches nothing.
        if translated.origin is not TranslationSource.SKIPPED:
            self.consistency.learn_pair(self.texts[translated.id], spoken_text(translated))

    def count_tokens(self, texts: Sequence[str]) -> Sequence[int]:
        return self.engine.count_texts(texts, cancel=self.cancel)

    def _segments_before(self, unit: TranslationUnit) -> tuple[tuple[str, str], ...]:
        """Return the segments before one, with their translations."""
        found: list[tuple[str, str]] = []
        # By characters: counting tokens of each neighbour would take a call to the engine.
        left = self.sizes.context_tokens * CHARACTERS_A_TOKEN
        for place in range(unit.place - 1, max(-1, unit.place - 1 - 2 * self.sizes.context), -1):
            segment = self.segments[place]
            # A cell or a message before says little about the next.
            if segment.kind not in _TOLD_IN_ORDER or unit.segments[0].kind not in _TOLD_IN_ORDER:
                break
            source, target = segment.text.strip(), self.results.get(segment.id, "")
            # Beyond the limit of tokens, farther ones go first.
            left -= len(source) + len(target)
            if left < 0 or len(found) == self.sizes.context:
                break
            if source:
                found.insert(0, (source, target))
        return tuple(found)

    def _choose_terms(self, units: Sequence[TranslationUnit]) -> tuple[GlossaryTerm, ...]:
        """Choose the user's terms first, then those learnt from the document."""
        if not self.knows.takes_glossary:
            return ()
        own = [term for unit in units for term in unit.terms]
        known = {term.source.casefold() for term in own}
        found = [term for unit in units for term in self.consistency.found_in(unit.shown.words)]
        return choose_terms([*own, *(term for term in found if term.source.casefold() not in known)])

    def _problem_sentences(self, units: Sequence[TranslationUnit], step: AskingStep) -> str:
        # The first request has no fault to name.
        if step is AskingStep.FIRST or not units[0].candidates:
            return ""
        return sentences_of(units[0].candidates[-1].problems, english_name(self.pair.target))


def begin_work(
    segments: Sequence[Segment], wish: TranslationWish, engine: Engine, memory: MemoryLookup, cancel: CancelToken
) -> TranslationWork | None:
    """Wake the model and build the shared state; None when cancelled. Raises NoModel, and the engine's errors."""
    if (model := wake_model(engine, cancel)) is None:
        return None
    known, weights = known_languages(Path(model.path)), weights_of(model)
    detector = LanguageDetector.shared()
    # Of a model that names its languages only those can be meant.
    among = known.languages if len(known.languages) > 1 else [language.code for language in LANGUAGES]
    source = wish.source or detector.find_language(_sample_text(segments), among)
    formality = wish.formality if known.takes_formality else Formality.DEFAULT
    pair = TranslationWish(wish.target, source, formality, wish.domain if known.takes_domain else "")
    # Most of such a text stays, and foreign parts may be in any language.
    told = replace(pair, source="") if not wish.source and _is_target(source, wish.target) else pair
    return TranslationWork(
        segments, told, source, engine, memory, cancel, model, known,
        family_for(known.family, is_large=weights > LARGE_WEIGHTS),
        sizes_for(known, weights, model.context_tokens, model.sequences),
        TranslationChecks(pair, detector),
        TermGlossary(wish.glossary, source),
        TermConsistency([segment.text for segment in segments], source),
        detector,
    )  # fmt: skip


def _is_target(source: str, target: str) -> bool:
    """Return whether a text is in the target language already.

    Regional variants (pt-BR for pt) are still translated.
    """
    return base_code(source) == base_code(target) == target != ""


def spoken_text(translated: Translated) -> str:
    return "".join(part for part in translated.content if isinstance(part, str)).strip()


def _sample_text(segments: Sequence[Segment]) -> str:
    found: list[str] = []
    left = SAMPLE_CHARACTERS
    for segment in segments:
        if left <= 0:
            break
        found.append(segment.text)
        left -= len(segment.text)
    return "\n".join(found)


LEAST_CHARACTERS = 40
"""A shorter text may look like any language."""


def sorted_out(work: TranslationWork, done: Mapping[int, Translated]) -> tuple[list[Translated], list[TranslationUnit]]:
    """Return the segments already known, and units for the rest, equal contents once. Stops when cancelled."""
    known: list[Translated] = []
    units: dict[Any, TranslationUnit] = {}
    section = 0
    # Asked once: a catalogue's translations are in one language, but detecting each would take long.
    file_is_in_target = _file_is_in_target(work)
    for place, segment in enumerate(work.segments):
        if work.cancel.cancelled:
            break
        # A heading begins a section; batches don't cross it.
        section += segment.kind is SegmentKind.HEADING
        if segment.id in done:
            # Done by an earlier run: its words are context for what follows.
            work.learn_translation(done[segment.id])
            continue
        seen = show_segment(segment)
        if (found := _known_translation(work, segment, seen, file_is_in_target)) is not None:
            known.append(found)
            continue
        # Equal contents are asked once, but not in another context: "Open" is a verb or a state.
        key = (segment.content, segment.context)
        if key in units:
            units[key].segments.append(segment)
            continue
        # Cells of one sheet go together.
        where = (section, segment.page if segment.kind is SegmentKind.CELL else 0)
        unit = TranslationUnit([segment], seen, place, where)
        unit.terms = work.glossary.found_in(unit.shown.words) if work.glossary else ()
        units[key] = unit
    return known, list(units.values())


def _known_translation(
    work: TranslationWork, segment: Segment, seen: ShownContent, file_is_in_target: bool
) -> Translated | None:
    if not seen.has_words:
        return Translated(segment.id, segment.content, TranslationSource.SKIPPED)
    found = work.memory.find_step(segment.content, segment.context)
    # A catalogue's own translation is taken only if it is in the language that is wanted.
    if found is None and file_is_in_target and plain(segment.translated).strip():
        found = segment.translated
    if found is not None and _fits_source(found, segment.content):
        return Translated(segment.id, found, TranslationSource.MEMORY)
    # Too short a text is asked rather than skipped.
    return Translated(segment.id, segment.content, TranslationSource.SKIPPED) if _is_in_target(work, segment) else None


def _fits_source(found: Content, source: Content) -> bool:
    return same_marks(found, source) and bool(plain(found).strip())


def _is_in_target(work: TranslationWork, segment: Segment) -> bool:
    """Return whether a longer text is clearly in the target language; never for variants or look-alike languages."""
    source, target = work.pair.source, work.pair.target
    # Variants and neighbours can't be told apart by statistics.
    if len(segment.text.strip()) < LEAST_CHARACTERS or are_alike(source, target):
        return False
    return work.detector.detect_clearly(segment.text) == base_code(target)


def _file_is_in_target(work: TranslationWork) -> bool:
    """Return whether a file's existing translations (PO) are in the target language."""
    # Two hundred are enough to tell a language.
    texts = [plain(segment.translated) for segment in work.segments if segment.translated][:200]
    return bool(texts) and work.detector.detect_clearly("\n".join(texts)) == base_code(work.pair.target)


class TranslationChecks:
    """Of one pair of languages; it learns how long translations are."""

    def __init__(self, pair: TranslationWish, detector: LanguageDetector) -> None:
        self._pair, self._detector = pair, detector
        self._lengths = ExpectedLengths(pair.source, pair.target)

    def judge_answer(self, source: ShownContent, answer: str, terms: Sequence[GlossaryTerm] = ()) -> DeliveryCandidate:
        """Parse an answer and list its problems. `terms` are the user's glossary terms in it."""
        return self.judge_candidate(source, make_candidate(source, answer), terms)

    def judge_candidate(
        self, source: ShownContent, found: DeliveryCandidate, terms: Sequence[GlossaryTerm] = ()
    ) -> DeliveryCandidate:
        """Check a candidate whose form is already checked."""
        if is_unusable(found.problems):
            return found
        whole = replace(found, problems=(*found.problems, *self._find_faults(source, found.words, terms)))
        # Lengths are learnt from faultless translations only.
        if not whole.problems:
            self._lengths.learn_lengths(source.words, found.words)
        return whole

    def _find_faults(
        self, source: ShownContent, words: str, terms: Sequence[GlossaryTerm]
    ) -> Iterator[TranslationProblem]:
        ours, theirs = self._pair.source, self._pair.target
        names = [term.target for term in terms]
        # What the glossary keeps untranslated is meant to be the same.
        if is_same(source.words, words, ours, theirs) and source.words not in names:
            yield TranslationProblem(ProblemKind.SAME)
        # The first that fits: another language explains the leftovers in it.
        elif is_other_language(words, ours, theirs, self._detector):
            yield TranslationProblem(ProblemKind.LANGUAGE)
        elif said := leftover_words(source.words, words, ours, theirs, names):
            yield TranslationProblem(ProblemKind.LEFTOVER, said)
        if fault := self._lengths.length_fault(source.words, words):
            yield TranslationProblem(ProblemKind.LENGTH, fault)
        pair, numbers = (ours, theirs), (source.words, words)
        if number := different_number(*numbers) or added_number(*numbers, pair) or lost_number(*numbers, pair):
            yield TranslationProblem(ProblemKind.NUMBER, number)
        yield from self._changed_facts(source.words, words, terms)
        for term in violated_terms(terms, words):
            yield TranslationProblem(ProblemKind.GLOSSARY, term.source, term.target)

    def _changed_facts(self, source: str, words: str, terms: Sequence[GlossaryTerm]) -> Iterator[TranslationProblem]:
        """Check negations, opposites and the like by small word tables."""
        pair = (self._pair.source, self._pair.target)
        names = [name for term in terms for name in (term.source, term.target)]
        said, instead = changed_opposite(source, words, pair)
        # With terms of a glossary the person has decided what a word becomes.
        if said and not any(name in source for name in names):
            yield TranslationProblem(ProblemKind.OPPOSITE, said, instead)
        for kind, said in (
            (ProblemKind.GARBLED, garbled_words(source, words, pair[1], names)),
            (ProblemKind.WORD, changed_word(source, words, pair, names)),
            (ProblemKind.NEGATION, changed_negation(source, words, pair)),
            (ProblemKind.SEPARATORS, foreign_figure(source, words, pair)),
            (ProblemKind.SOURCE_WORD, untranslated_word(source, words, pair, names)),
        ):
            if said:
                yield TranslationProblem(kind, said)
