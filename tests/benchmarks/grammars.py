"""What grammars do to a real model's answers: the same prompts with and without them, for `quality_bench`.

A grammar may give an answer its form. It loses where the model says less or worse with it than without; what it costs
is told in tokens and seconds. Translations are held against a person's, lists against what the text has, points and
write-ups against their text. Grammars for models above two billion weights are tried on smaller ones, too: the answers
say what the form does to a model that is not made for it.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from comparing import progress
from our_engine import OurEngine, starter
from quality_texts import LISTS, SENTENCES, TEXTS, ListWanted
from run import Row
from sacrebleu.metrics import CHRF

from app.core.events import FinishReason, Message, Role
from app.core.gguf import check_model
from app.documents.blocks import Block, BlockKind
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import Model, load_model
from app.engine.protocol import Sampling
from app.features.summarize import answer_grammars, point_answers, summary_prompts
from app.features.summarize.checks import CitedBlock, verify_statement
from app.features.summarize.sections import whole_section
from app.features.summarize.summary_result import Form, InputDocument
from app.features.summarize.write_up import SummaryDraft, parse_statements
from app.features.summarize.write_up_sources import WriteUpSources
from app.features.translate.translation_events import TranslationWish
from app.features.translate.translator_families import GenericFamily, UnitRequest
from tests.helpers.blemishes import find_blemishes
from tests.helpers.engine import answer_of
from tests.helpers.following import refused_at

ALL = bool(os.environ.get("ALL"))
"""All twenty texts of each kind; else every fourth."""
SAME_EACH_TIME = Sampling(0.0, repeat_penalty=1.0, presence_penalty=0.0, seed=1)
FREE, CONSTRAINED = "free", "constrained"
MOST_ENTRIES, MOST_POINTS = 12, 3
ENTRY_TOKENS, POINT_TOKENS, WRITE_UP_TOKENS, SENTENCE_TOKENS, BATCH = 120, 320, 200, 48, 5
_SEGMENT = re.compile(r'<s n="(\d+)">(.*?)(?=</s>|<s n=|\Z)', re.DOTALL)
_NUMBERS = re.compile(r"\[\d+(?:\s*[,;]\s*\d+)*\]")


@dataclass
class Side:
    """The answers with a grammar, or without one."""

    scores: list[float] = field(default_factory=list)
    blemishes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    tokens: int = 0

    @property
    def mean_score(self) -> float:
        """Of all texts."""
        return round(statistics.fmean(self.scores), 3) if self.scores else 0.0

    def add_counts(self, **found: int) -> None:
        """Add to what the note tells."""
        for name, number in found.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def described(self) -> str:
        """For a row's note."""
        said = [f"{number} {name.replace('_', ' ')}" for name, number in self.counts.items()]
        speed = f"{self.seconds:.0f} s, {self.tokens} tokens"
        return ", ".join([*said, speed, f"blemishes: {self.blemishes or 'none'}"])


class Audit:
    """One grammar over many texts."""

    def __init__(self, engine: OurEngine, name: str) -> None:
        self._engine, self._name = engine, name
        self.sides = {FREE: Side(), CONSTRAINED: Side()}

    def ask(
        self, messages: Sequence[Message], rules: str, most: int, score: Callable[[Side, str], None], schema: str = ""
    ) -> None:
        """Both ways, in turns, so that reading the prompt is not counted for one of them only; one without rules."""
        order = (FREE, CONSTRAINED) if len(self.sides[FREE].scores) % 2 else (CONSTRAINED, FREE)
        for kind in order if rules or schema else (FREE,):
            began_s = time.monotonic()
            held = {"grammar": rules, "json_schema": schema} if kind == CONSTRAINED else {}
            asked: dict[str, Any] = {"task_sampling": SAME_EACH_TIME, **held}
            text, stats = answer_of(self._engine.client.generate(messages, max_tokens=most, **asked))
            side = self.sides[kind]
            side.seconds += time.monotonic() - began_s
            side.tokens += stats.generated_tokens
            progress(f"{self._name}, {kind}: {text!r}")
            if kind == FREE and (rules or schema):
                has_ended = stats.finish_reason is FinishReason.STOP
                refused = refused_at(vocabulary(), rules, text, schema, has_ended=has_ended)
                side.add_counts(answers=1, taken=refused is None)
                progress(f"{self._name}, not taken: {refused!r}" if refused else f"{self._name}, taken")
            score(side, text)

    def row(self, unit: str) -> Row:
        """Constrained, held against free."""
        held, free = (self.sides[kind] for kind in (CONSTRAINED, FREE))
        note = f"constrained: {held.described()}; free: {free.described()}"
        return Row(f"{self._name}: constrained against free", held.mean_score, unit, free.mean_score, note)


@cache
def vocabulary() -> Model:
    """The starter's: a grammar takes characters, whichever tokens they come in."""
    path = starter()
    found = load_model(open_library(), str(path), check_model(path), 0, tell=lambda _: None, cancelled=bool)
    assert found is not None
    return found


def chosen(things: Sequence[Any]) -> Sequence[Any]:
    """All, or every fourth."""
    return things if ALL else things[::4]


def grammar_rows(engine: OurEngine, size: str) -> Iterator[Row]:
    """A row for each grammar."""
    for audit in (one_by_one, in_batches, lists, plain_lists, schemas, sentences_of_small, points, write_ups, forms):
        yield audit(engine, size)


# Translations.

ENGLISH_TO_GERMAN = TranslationWish("de", "en")


def one_by_one(engine: OurEngine, size: str) -> Row:
    """A sentence a request."""
    audit = Audit(engine, f"grammar of one translation, {size}")
    for source, wanted in chosen(SENTENCES):
        _ask_translations(audit, [source], [wanted])
    return audit.row("chrF")


def in_batches(engine: OurEngine, size: str) -> Row:
    """Several sentences a request."""
    audit = Audit(engine, f"grammar of {BATCH} translations at once, {size}")
    pairs = SENTENCES if ALL else SENTENCES[:BATCH]
    for at in range(0, len(pairs), BATCH):
        _ask_translations(audit, *zip(*pairs[at : at + BATCH], strict=True))
    return audit.row("chrF")


def _ask_translations(audit: Audit, sources: Sequence[str], wanted: Sequence[str]) -> None:
    is_batch = len(sources) > 1
    request = UnitRequest(tuple(sources), ("",) * len(sources), is_batch=is_batch)

    def score(side: Side, answer: str) -> None:
        found = {int(n): text.strip() for n, text in _SEGMENT.findall(answer)} if is_batch else {1: answer.strip()}
        side.add_counts(given=sum(number in found for number in range(1, len(sources) + 1)))
        for number, target in enumerate(wanted, 1):
            text = found.get(number, "")
            side.scores.append(float(CHRF().sentence_score(text, [target]).score))
            side.blemishes += find_blemishes(text, sources[number - 1])

    family = GenericFamily()
    most = SENTENCE_TOKENS * len(sources)
    audit.ask(family.make_messages(request, ENGLISH_TO_GERMAN), family.make_grammar(request), most, score)


# Lists of what a question wants.


def lists(engine: OurEngine, size: str) -> Row:
    """F1 of the things that are listed by number and rule, as models above two billion weights are asked."""
    audit = Audit(engine, f"grammar of lists, {size}")
    for wanted in chosen(LISTS):
        document, question = _document("list", wanted.language, wanted.paragraphs), question_of(wanted)
        messages = summary_prompts.list_messages(document, whole_section(0, document.blocks), question)
        rules = answer_grammars.entries_grammar([block.id for block in document.blocks], MOST_ENTRIES)

        def score(side: Side, answer: str, wanted: ListWanted = wanted) -> None:
            said = [point_answers.without_mark(line) for line in answer.splitlines() if line.strip()]
            lines = [line for line in said if not re.fullmatch(r"(?:\[\d+\] )?None\.?", line)]
            score_list(side, [(_NUMBERS.sub("", line), _numbers_of(line)) for line in lines], wanted)

        audit.ask(messages, rules, ENTRY_TOKENS, score)
    return audit.row("F1")


def plain_lists(engine: OurEngine, size: str) -> Row:
    """The same as small models are asked: what the program reads, and the lines of the same answers as they are."""
    audit, lines = Audit(engine, f"lists that are asked for plainly, {size}"), Side()
    for wanted in chosen(LISTS):
        document = _document("list", wanted.language, wanted.paragraphs)
        paragraphs = [(block.id, block.text) for block in document.blocks]

        def score(side: Side, answer: str, wanted: ListWanted = wanted, known: Any = paragraphs) -> None:
            score_list(side, [(one.text, one.ids) for one in point_answers.read_list(answer, known)], wanted)
            said = [line for line in answer.splitlines() if line.strip(" .") not in ("", "None")]
            score_list(lines, [(line, ()) for line in said], wanted)

        audit.ask(
            summary_prompts.plain_list_messages(whole_section(0, document.blocks), question_of(wanted)),
            "",
            ENTRY_TOKENS,
            score,
        )
    read = audit.sides[FREE]
    note = f"{read.described()}; baseline: the lines of the answer as they are"
    return Row(f"lists that are asked for plainly, {size}", read.mean_score, "F1", lines.mean_score, note)


def question_of(wanted: ListWanted) -> str:
    """As a person would ask."""
    return _ASKED[wanted.language].format(wanted.wanted)


_ASKED = {"en": "List {}", "de": "Liste {} auf", "fr": "Énumère {}", "es": "Enumera {}"}


def score_list(side: Side, said: Sequence[tuple[str, Sequence[int]]], wanted: ListWanted) -> None:
    """Each text is one thing; one may name several, and another of the same is wrong."""
    left = list(wanted.things)
    right = placed = 0
    for text, ids in said:
        here = [thing for thing in left if thing[0].casefold() in text.casefold()]
        right += bool(here)
        placed += sum(number in ids for _, number in here)
        left = [thing for thing in left if thing not in here]
    found = len(wanted.things) - len(left)
    side.add_counts(lines=len(said), right=right, found=found, wanted=len(wanted.things), in_place=placed)
    precision = right / len(said) if said else float(not wanted.things)
    recall = found / len(wanted.things) if wanted.things else 1.0
    side.scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    if said:
        side.blemishes += find_blemishes("\n".join(text for text, _ in said), " ".join(wanted.paragraphs))


def _numbers_of(line: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", " ".join(_NUMBERS.findall(line)))]


def schemas(engine: OurEngine, size: str) -> Row:
    """F1 of the same things in JSON that follows a schema, as other programs ask for them."""
    audit = Audit(engine, f"grammar of a JSON schema, {size}")
    for wanted in chosen(LISTS):
        text = "\n".join(f"[{number}] {text}" for number, text in enumerate(wanted.paragraphs, 1))
        asked = f'{text}\n\n{question_of(wanted)}. Answer as JSON: {{"things": [{{"text": "…", "paragraph": 1}}]}}'

        def score(side: Side, answer: str, wanted: ListWanted = wanted) -> None:
            said = things_of(answer)
            side.add_counts(unreadable=said is None)
            score_list(side, [("", ())] if said is None else said, wanted)

        audit.ask([Message(Role.USER, asked)], "", SCHEMA_TOKENS, score, THINGS_SCHEMA)
    return audit.row("F1")


SCHEMA_TOKENS = 200
_THING = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "paragraph": {"type": "integer"}},
    "required": ["text", "paragraph"],
    "additionalProperties": False,
}
THINGS_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"things": {"type": "array", "items": _THING}},
        "required": ["things"],
        "additionalProperties": False,
    }
)


def things_of(answer: str) -> list[tuple[str, Sequence[int]]] | None:
    """Those in the JSON of an answer; None where there is none."""
    found = re.search(r"\{.*\}", answer, re.DOTALL)
    try:
        things = json.loads(found[0])["things"] if found else None
        return None if things is None else [(str(thing["text"]), (int(thing["paragraph"]),)) for thing in things]
    except (ValueError, KeyError, TypeError):
        return None


# Summaries: what small models are asked for, points as JSON and write-ups of those above two billion weights.


def sentences_of_small(engine: OurEngine, size: str) -> Row:
    """The share of statements that their text has, among those asked for, as models below two billion weights write."""
    audit = Audit(engine, f"grammar of sentences, {size}")
    for document in _texts():
        section, ids = whole_section(0, document.blocks), [block.id for block in document.blocks]
        messages = _write_up_messages(document, Form.BULLETS, is_small=True)
        rules = answer_grammars.spread_grammar(ids, MOST_POINTS, document.language, source=section.text)
        audit.ask(messages, rules, WRITE_UP_TOKENS, partial(_score_lines, document=document))
    return audit.row("found of three")


def points(engine: OurEngine, size: str) -> Row:
    """The share of points that their text has, among those asked for."""
    audit = Audit(engine, f"grammar of points as JSON, {size}")
    for document in _texts():
        section, ids = whole_section(0, document.blocks), [block.id for block in document.blocks]
        messages = summary_prompts.map_messages(document, section, document.language, MOST_POINTS, is_small=False)

        def score(side: Side, answer: str, document: InputDocument = document, ids: Sequence[int] = ids) -> None:
            _score_statements(side, document, [(one.text, one.ids) for one in point_answers.read_points(answer, ids)])

        audit.ask(messages, answer_grammars.json_points(ids, MOST_POINTS, has_quotes=True), POINT_TOKENS, score)
    return audit.row("found of three")


def write_ups(engine: OurEngine, size: str) -> Row:
    """The same of a list with the numbers behind each sentence."""
    audit = Audit(engine, f"grammar of write-ups, {size}")
    for document in _texts():
        _ask_write_up(audit, document, Form.BULLETS)
    return audit.row("found of three")


def forms(engine: OurEngine, size: str) -> Row:
    """The same of the other forms of a write-up, one a text."""
    audit = Audit(engine, f"grammar of other write-ups, {size}")
    for number, document in enumerate(_texts()):
        _ask_write_up(audit, document, OTHER_FORMS[number % len(OTHER_FORMS)])
    return audit.row("found of three")


OTHER_FORMS = (Form.PARAGRAPHS, Form.QUESTIONS, Form.ACTIONS, Form.OWN)


def _ask_write_up(audit: Audit, document: InputDocument, form: Form) -> None:
    rules = answer_grammars.write_up(form, [block.id for block in document.blocks], 1, MOST_POINTS + 1)
    score = partial(_score_lines, document=document, form=form)
    audit.ask(_write_up_messages(document, form, is_small=False), rules, WRITE_UP_TOKENS, score)


def _write_up_messages(document: InputDocument, form: Form, *, is_small: bool) -> list[Message]:
    text = whole_section(0, document.blocks).text
    return summary_prompts.write_messages(
        form, [(document.name, text)], "about 50 words", document.language, wish="for somebody in a hurry",
        most=MOST_POINTS, are_points=False, is_small=is_small,
    )  # fmt: skip


def _score_lines(side: Side, answer: str, document: InputDocument, form: Form = Form.BULLETS) -> None:
    sources = WriteUpSources(((document.name, ""),), {block.id: (CitedBlock(0, block),) for block in document.blocks})
    found = parse_statements(answer, form, SummaryDraft(sources))
    _score_statements(side, document, [(statement.text, statement.ids) for statement in found])


def _score_statements(side: Side, document: InputDocument, said: Sequence[tuple[str, Sequence[int]]]) -> None:
    blocks = {block.id: CitedBlock(0, block) for block in document.blocks}
    found = numbered = 0
    for text, ids in said:
        cited = [blocks[number] for number in ids if number in blocks]
        found += verify_statement(text, cited, nearby=list(blocks.values())).check.found
        numbered += bool(cited)
    side.add_counts(said=len(said), found=found, with_numbers=numbered)
    side.scores.append(min(1.0, found / MOST_POINTS))
    whole_text = "\n".join(block.text for block in document.blocks)
    side.blemishes += find_blemishes("\n".join(text for text, _ in said), whole_text, document.language)


def _texts() -> Sequence[InputDocument]:
    reports = [_document(one.name, one.language, one.text.split("\n\n")) for one in TEXTS]
    short = [_document("notice", one.language, one.paragraphs) for one in LISTS[: 20 - len(reports)]]
    return chosen([*reports, *short])


def _document(name: str, language: str, paragraphs: Sequence[str]) -> InputDocument:
    blocks = [Block(number, BlockKind.PARAGRAPH, text, None) for number, text in enumerate(paragraphs, 1)]
    return InputDocument(0, f"{name}.txt", "", "", 0, (), language, blocks)
