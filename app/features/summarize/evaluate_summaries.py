"""Measures summaries of documents for which good ones exist: anyone with a larger model can make the figures.

ROUGE (Lin, 2004) by rouge-score with its stemmer: of the model, of the digest and of the first three sentences of the
same documents, which are hard to beat on news and papers; and again without what is called an abstract, since a summary
of a document that begins with one is easy. Its tokenizer knows the letters a to z and digits, so that it says nothing
of texts in other scripts.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.engine_errors import EngineCrashesRepeatedly
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, field, replace
from app.documents.blocks import Block, BlockKind, BlockNumbering, BlockPiece
from app.engine.contract import Engine
from app.features.error_messages import sentence_for
from app.features.summarize.digest import digest_summary, load_cues
from app.features.summarize.method import numbers_of
from app.features.summarize.summarize import InputDocument, Summarized, summarize_documents
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_result import Method, Statement, Summary, SummaryOptions
from app.language.sentences import split_sentences

NOT_JSON = "it isn’t JSON"
MEASURES = ("rouge1", "rouge2", "rougeLsum")
COMPARED_MEASURES = ("rouge1", "rouge2", "rougeL")
"""ROUGE-L takes a text for one sequence of words, ROUGE-Lsum sentence by sentence."""
AS_GIVEN, WITHOUT_ABSTRACT = "as_given", "without_abstract"
FIRST_SENTENCES = "first_sentences"
LEAD_SENTENCES = 3
Rouge = dict[str, float]


@dataclass(frozen=True)
class ScoredDocument:
    """A scored document. `rouge` and `lead` are F1 by measure; the rest are counts, and seconds.

    `compared` has F1 by measure for the first sentences and each requested method, of the document `AS_GIVEN` and, if
    it has an abstract, `WITHOUT_ABSTRACT`.
    """

    example: EvaluationExample
    rouge: Rouge
    lead: Rouge
    claims: int
    claims_found: int
    numbers: int
    numbers_right: int
    blocks: int
    blocks_read: int
    words_in: int
    words_out: int
    seconds: float
    compared: Mapping[str, Mapping[str, Rouge]] = field(default_factory=dict)


@dataclass
class Evaluation:
    """Results over all documents."""

    scored: list[ScoredDocument] = field(default_factory=list)
    skipped: list[SkippedLine] = field(default_factory=list)

    def to_fields(self) -> dict[str, Any]:
        """Return mean ROUGE over the documents, and shares of claims, numbers, blocks and words;

        None for shares of none.

        A number is right if its digits are in the blocks its claim cites, by this file's rule and not by the checks
        that mark claims. `compared` counts its own documents, of which fewer have an abstract.
        """
        every = self.scored
        seconds = sum(scored.seconds for scored in every)
        return {
            "documents": len(every),
            "rouge": _mean_scores([scored.rouge for scored in every]),
            "lead3": _mean_scores([scored.lead for scored in every]),
            "compared": {name: self._compared_fields(name) for name in (AS_GIVEN, WITHOUT_ABSTRACT)},
            "claims": self._sum_field("claims"),
            "claims_found": self._share_of("claims_found", "claims"),
            "numbers": self._sum_field("numbers"),
            "numbers_right": self._share_of("numbers_right", "numbers"),
            "coverage": self._share_of("blocks_read", "blocks"),
            "compression": self._share_of("words_out", "words_in"),
            "seconds": round(seconds, 3),
            "seconds_per_document": round(seconds / len(every), 3) if every else None,
            "errors": [{"line": skipped_line.line, "reason": skipped_line.reason} for skipped_line in self.skipped],
        }

    def _compared_fields(self, name: str) -> dict[str, Any]:
        compared = [scored.compared[name] for scored in self.scored if name in scored.compared]
        methods = compared[0] if compared else ()
        return {"documents": len(compared)} | {
            method: _mean_scores([mapping[method] for mapping in compared], COMPARED_MEASURES) for method in methods
        }

    def _sum_field(self, name: str) -> int:
        return sum(getattr(scored, name) for scored in self.scored)

    def _share_of(self, part: str, whole: str) -> float | None:
        total = self._sum_field(whole)
        return round(self._sum_field(part) / total, 4) if total else None


def evaluate_examples(
    examples: Iterable[EvaluationExample | SkippedLine],
    wish: SummaryOptions,
    methods: Collection[Method],
    engine: Engine | None,
    cancel: CancelToken,
) -> Iterator[ScoredDocument | SkippedLine | None]:
    """Summarize the examples one by one with the loaded model; yields None now and then while nothing is new.

    All figures but `compared` are for the last of the methods, on the document as given. Only `Method.MODEL` needs an
    engine. A failing document is skipped with its reason. Cancelled, or if the engine keeps stopping, it ends with
    those done.
    """
    rouge = RougeScores()
    summarized = partial(_make_summary, engine=engine, cancel=cancel)
    for example in examples:
        if isinstance(example, SkippedLine):
            yield example
            continue
        try:
            scored = yield from _score_example(example, wish, methods, summarized, rouge)
        except AppError as error:
            yield SkippedLine(example.line, sentence_for(error).english)
            if isinstance(error, EngineCrashesRepeatedly):
                return
            continue
        if scored is None:
            return
        yield scored


_Summarize = Callable[[InputDocument, SummaryOptions], Generator[None, None, Summary | None]]


def _score_example(
    example: EvaluationExample,
    wish: SummaryOptions,
    methods: Collection[Method],
    summarized: _Summarize,
    rouge: RougeScores,
) -> Generator[None, None, ScoredDocument | None]:
    """Score one example; None when cancelled."""
    shortened = without_abstract(example)
    found: list[ScoredDocument] = []
    compared: dict[str, dict[str, Rouge]] = {}
    for name, variant in ((AS_GIVEN, example), (WITHOUT_ABSTRACT, shortened)):
        if variant is None:
            continue
        # The first sentences are hard to beat on news and papers, so each method stands beside them.
        compared[name] = {FIRST_SENTENCES: rouge.score_text(variant.summary, lead_of(variant), COMPARED_MEASURES)}
        document = input_of(variant)
        for method in methods:
            begun_s = time.monotonic()
            summary = yield from summarized(document, replace(wish, method=method))
            if summary is None:
                return None
            said = [statement.text for statement in summary.statements]
            compared[name][method.value] = rouge.score_text(variant.summary, said, COMPARED_MEASURES)
            if variant is example:
                found.append(score_summary(variant, document.blocks, summary, rouge, time.monotonic() - begun_s))
    # The plain figures are those of the last method, as they were before methods could be compared.
    return replace(found[-1], compared=compared)


def _make_summary(
    document: InputDocument, wish: SummaryOptions, engine: Engine | None, cancel: CancelToken
) -> Generator[None, None, Summary | None]:
    if wish.method is Method.DIGEST:
        digest = digest_summary([document], wish, lambda: cancel.cancelled)
        return None if cancel.cancelled else digest
    if engine is None:
        raise ValueError("a model's summary needs an engine")
    summary = None
    for event in summarize_documents([document], wish, engine, MemorySteps(), cancel):
        summary = event.summary if isinstance(event, Summarized) else summary
        yield None
    return None if cancel.cancelled else summary


def score_summary(
    example: EvaluationExample, blocks: Iterable[Block], summary: Summary, rouge: RougeScores, seconds: float
) -> ScoredDocument:
    """Score a summary against the reference and the document."""
    texts = {block.id: block.text for block in blocks}
    said = [(number, statement) for statement in summary.statements for number in numbers_of(statement.text)]
    coverage = [document.coverage for document in summary.documents]
    return ScoredDocument(
        example,
        rouge.score_text(example.summary, [statement.text for statement in summary.statements]),
        rouge.score_text(example.summary, lead_of(example)),
        claims=len(summary.statements),
        claims_found=sum(statement.check.found for statement in summary.statements),
        numbers=len(said),
        numbers_right=sum(number in _cited_numbers(statement, texts) for number, statement in said),
        blocks=sum(document_coverage.blocks for document_coverage in coverage),
        blocks_read=sum(document_coverage.blocks_read for document_coverage in coverage),
        words_in=sum(len(text.split()) for text in texts.values()),
        words_out=sum(len(statement.text.split()) for statement in summary.statements),
        seconds=seconds,
    )


def input_of(example: EvaluationExample) -> InputDocument:
    """Convert an example for the pipeline; it has no pages."""
    numbering = BlockNumbering()
    blocks = [
        numbering.block(
            BlockPiece(BlockKind.HEADING if is_heading else BlockKind.PARAGRAPH, text, level=int(is_heading))
        )
        for is_heading, text in example.paragraphs
    ]
    return InputDocument(0, example.id, example.title, "", 0, (), example.language, blocks)


def without_abstract(example: EvaluationExample) -> EvaluationExample | None:
    """Return the document without its abstract sections; None if it has none, or nothing else."""
    kept: list[tuple[bool, str]] = []
    left_out: list[str] = []
    is_abstract = False
    for is_heading, text in example.paragraphs:
        if is_heading:
            is_abstract = load_cues().sections["abstract"].search(text) is not None
        if is_abstract:
            left_out.append(text)
        else:
            kept.append((is_heading, text))
    # A document that is all abstract has nothing left to summarize.
    if not left_out or all(is_heading for is_heading, _ in kept):
        return None
    own = tuple(sentence for sentence in example.sentences if not any(sentence in text for text in left_out))
    return replace(example, paragraphs=tuple(kept), sentences=own)


def lead_of(example: EvaluationExample) -> list[str]:
    """Return the first three sentences without headings: the lead-3 baseline."""
    found = list(example.sentences)
    # Sentences that the data has split are better than ours, so they are taken where there are any.
    for is_heading, text in () if found else example.paragraphs:
        found += [] if is_heading else sentences_of(text)
        if len(found) >= LEAD_SENTENCES:
            break
    return found[:LEAD_SENTENCES]


def sentences_of(text: str) -> list[str]:
    """Split a paragraph into sentences; a line break ends one, too."""
    return [text[start:end] for start, end in split_sentences(text)]


class RougeScores:
    """F1 by measure; the library is loaded by the first of these (0.4 s)."""

    def __init__(self) -> None:
        # 0.4 s; only an evaluation needs it.
        from rouge_score.rouge_scorer import RougeScorer

        self._scorer = RougeScorer([*MEASURES, "rougeL"], use_stemmer=True)

    def score_text(self, reference: str, text: Iterable[str], measures: Iterable[str] = MEASURES) -> Rouge:
        """Score sentences against a reference, which is split into sentences for ROUGE-Lsum."""
        scores = self._scorer.score("\n".join(sentences_of(reference)), "\n".join(text))
        return {measure: float(scores[measure].fmeasure) for measure in measures}


def _cited_numbers(statement: Statement, texts: Mapping[int, str]) -> set[str]:
    return {number for anchor in statement.anchors for number in numbers_of(texts.get(anchor.block_id, ""))}


def _mean_scores(scores: list[Rouge], measures: Iterable[str] = MEASURES) -> dict[str, float | None]:
    return {name: round(fmean(fields[name] for fields in scores), 4) if scores else None for name in measures}


_PARAGRAPHS = re.compile(r"\n\s*\n")
_FORM = 'it should have a "document" and a "summary", each a text or a list of texts'


@dataclass(frozen=True)
class EvaluationExample:
    """A document as paragraphs (is heading, text), and a reference summary.

    `line` counts from 1. A line break in the summary ends a sentence. `language` is a code, "" if unknown.
    `sentences` are the document's if the data splits it.
    """

    line: int
    id: str
    title: str
    paragraphs: tuple[tuple[bool, str], ...]
    summary: str
    language: str = ""
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class SkippedLine:
    """A line, or its document, that is left out of the figures, and why."""

    line: int
    reason: str


def examples_in(path: Path) -> Iterator[EvaluationExample | SkippedLine]:
    """Read examples from non-empty lines: {"document": ..., "summary": ...}, and "id", "title" and "language" if known.

    Also reads ACLSum's lines, with "sentences" by section and a "summary" by aspect. Raises DocumentUnreadable.
    """
    try:
        # A byte order mark or a broken byte costs no example.
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for number, text in enumerate(file, 1):
                if text.strip():
                    yield _parse_example(number, text)
    except OSError as error:
        raise DocumentUnreadable.by_system(path, error) from error


def _parse_example(line: int, text: str) -> EvaluationExample | SkippedLine:
    try:
        fields = json.loads(text)
    # Deeply nested lines are somebody's joke, not a reason to end.
    except (ValueError, RecursionError):
        return SkippedLine(line, NOT_JSON)
    if not isinstance(fields, dict):
        return SkippedLine(line, _FORM)
    sections = fields.get("sentences")
    divided = sections if isinstance(sections, dict) else {}
    paragraphs = _section_paragraphs(divided) if divided else _text_paragraphs(fields.get("document"))
    summary = "\n".join(_collect_texts(fields.get("summary")))
    if not any(not is_heading for is_heading, _ in paragraphs) or not summary:
        return SkippedLine(line, _FORM)
    name, title, language = (str(fields.get(key) or "") for key in ("id", "title", "language"))
    sentences = tuple(text for section in divided.values() for text in _collect_texts(section))
    return EvaluationExample(line, name or f"line {line}", title, tuple(paragraphs), summary, language, sentences)


def _section_paragraphs(sections: dict[str, Any]) -> list[tuple[bool, str]]:
    """ACLSum: the sentences of a section are a paragraph."""
    found: list[tuple[bool, str]] = []
    for name, lines in sections.items():
        text = " ".join(_collect_texts(lines))
        found += [(True, name.capitalize()), (False, text)] if text else []
    return found


def _text_paragraphs(document: Any) -> list[tuple[bool, str]]:
    texts = _PARAGRAPHS.split(document) if isinstance(document, str) else _collect_texts(document)
    return [(False, text.strip()) for text in texts if text.strip()]


def _collect_texts(value: Any) -> list[str]:
    """Collect the texts of a text, a list or an object; [] for anything else."""
    each = [value] if isinstance(value, str) else list(value.values()) if isinstance(value, dict) else value
    if not isinstance(each, list) or not all(isinstance(paragraph, str) for paragraph in each):
        return []
    return [paragraph.strip() for paragraph in each if paragraph.strip()]
