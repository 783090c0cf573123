"""What a real model is worth in the program: each task beside the simplest thing, on Qwen2.5-Coder 0.5B and 1.5B.

Summaries beside the model asked directly (no grammar, no checks), the digest, the digest worded by the model and the
first sentences; translations beside copying the source; answers about documents beside the model without the document;
calls as served beside JSON that is read out of an answer; a middle that is run beside llama-cpp-python's; passages
beside counted words.
The texts are ours and few: these figures say whether something broke, and nothing about the model in the world.
"""

from __future__ import annotations

import ctypes
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import Any

import qwen_models
from comparing import progress
from grammars import ALL, grammar_rows
from our_engine import GREEDY, OurEngine, question
from quality_texts import CALLS, FUNCTIONS, QUESTIONS, SENTENCES, TEXTS, TOOLS, CallWanted, Infill, ShortText
from rouge_score import rouge_scorer
from run import Row
from sacrebleu.metrics import CHRF

from app.core.events import CancelToken
from app.documents.blocks import Block, BlockKind, block_to_fields
from app.documents.segments import Segment
from app.engine.client import EngineClient
from app.engine.protocol import Ask
from app.features.continue_page import continue_text
from app.features.retrieval.ranking import rank_blocks
from app.features.summarize.checks import CitedBlock, verify_statement
from app.features.summarize.digest import digest_summary
from app.features.summarize.summarize import Summarized, summarize_documents
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_result import InputDocument, Length, Method, Statement, Summary, SummaryOptions
from app.features.translate.translate import translate_segments
from app.features.translate.translation_events import SegmentDone, TranslationWish
from app.features.translate.translation_work import spoken_text
from app.language.language_names import english_name
from app.language.sentences import split_sentences
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.features.translate.pipeline import DictMemory
from tests.helpers.blemishes import find_blemishes
from tests.helpers.qwen_models import qwen_path, serve_model

CONTEXT_TOKENS = 4096
SUMMARIZED = ("harbour", "bees", "wasserwerk", "musee")
LEAD_SENTENCES = 4
TRANSLATED = 6
"""Of the sentences; all are for `grammars`."""
ANSWER_TOKENS, INFILL_TOKENS, CALL_TOKENS, DIRECT_TOKENS = 48, 64, 64, 200
FOUND_AT = 3
FEW_CALLS = 6
"""Of the requests with functions; all with `grammars.ALL`."""


def rows() -> Iterator[Row]:
    """What needs no model first; what cannot be had is said in a row of its own."""
    yield passages_row()
    qwen_models.main()
    small, large = (qwen_path(size) for size in ("0.5B", "1.5B"))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fireside-bench-")))
        for path, parts in ((small, [infill_rows]), (large, [summary_rows, translation_rows, document_rows])):
            if not path.exists():
                yield from (skipped(part.__name__, path) for part in parts)
                continue
            with OurEngine(folder / path.stem, model=path, context_tokens=CONTEXT_TOKENS, keep_states=False) as engine:
                for part in parts:
                    progress(part.__name__)
                    yield from part(engine)
                yield from grammar_rows(engine, path.name.split("-")[2].upper())
        if large.exists():
            yield from call_rows(large, folder / "home")
        else:
            yield skipped("call_rows", large)


def skipped(name: str, path: Path) -> Row:
    """Said where a model cannot be had."""
    return Row(name.removesuffix("_rows"), 0.0, "skipped", None, f"{path.name} could not be fetched")


def mean(values: Sequence[float]) -> float:
    """Rounded as it is printed."""
    return round(statistics.fmean(values), 3) if values else 0.0


# Passages: no model.


def passages_row() -> Row:
    """Whether a question in other words finds its paragraph among all texts' paragraphs."""
    paragraphs = [text for one in TEXTS if one.language == "en" for text in one.text.split("\n\n")]
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        id_ = store.begin_document(Path("/all.txt"), 1, 1)
        blocks = [Block(number, BlockKind.PARAGRAPH, text, None) for number, text in enumerate(paragraphs, 1)]
        store.add_blocks(id_, [block_to_fields(block) for block in blocks])
        document = store.finish_document(id_, format_="text", unit="", pages=0, sha256="", info={}).id
        ranked = [[int(one["id"]) for one in rank_blocks(store, document, asked)] for _, asked, _ in QUESTIONS]
    golds = [next(n for n, text in enumerate(paragraphs, 1) if re.search(wanted, text)) for _, _, wanted in QUESTIONS]
    counted = [by_shared_words(asked, paragraphs) for _, asked, _ in QUESTIONS]
    found, simple = (
        mean([float(gold in one[:FOUND_AT]) for gold, one in zip(golds, each, strict=True)])
        for each in (ranked, counted)
    )
    name = f"passages of questions in other words among the first {FOUND_AT} of {len(paragraphs)}"
    return Row(name, found, "share", simple, f"{len(golds)} questions; baseline: most words in common")


def by_shared_words(asked: str, paragraphs: Sequence[str]) -> list[int]:
    """Numbers of paragraphs, those with most of the question's words first."""
    wanted = set(re.findall(r"\w+", asked.casefold()))
    counts = [len(wanted & set(re.findall(r"\w+", text.casefold()))) for text in paragraphs]
    return sorted(range(1, len(paragraphs) + 1), key=lambda number: -counts[number - 1])


# Summaries.


def summary_rows(engine: OurEngine) -> Iterator[Row]:
    """ROUGE-1, claims that are found, and texts with something to be ashamed of, by each way."""
    chosen = [one for one in TEXTS if one.name in SUMMARIZED]
    ways: dict[str, Callable[[ShortText], list[tuple[str, bool]]]] = {
        "program": lambda one: [(each.text, each.check.found) for each in written(engine, one).statements],
        "asked directly": lambda one: checked_lines(one, asked_directly(engine, one)),
        "digest worded by the model": lambda one: checked_lines(one, worded(engine, one)),
        "digest": lambda one: [(each.text, True) for each in digest_summary([document_of(one)], WISH).statements],
        "first sentences": lambda one: [(text, True) for text in sentences_of(one.text)[:LEAD_SENTENCES]],
    }
    told: dict[str, list[tuple[ShortText, list[tuple[str, bool]]]]] = {name: [] for name in ways}
    for one in chosen:
        for name, way in ways.items():
            told[name].append((one, way(one)))
    scores = {name: mean([rouge(one, lines) for one, lines in each]) for name, each in told.items()}
    for name, each in told.items():
        claims = [found for _, lines in each for _, found in lines]
        ashamed = [blemish for one, lines in each for blemish in find_blemishes(text_of(lines), one.text, one.language)]
        note = f"{len(each)} texts, {sum(claims)} of {len(claims)} claims found, blemishes: {ashamed or 'none'}"
        yield Row(f"summary ROUGE-1, {name}", scores[name], "F1", scores["first sentences"], note)


WISH = SummaryOptions(Length.SHORT, method=Method.MODEL)


def written(engine: OurEngine, text: ShortText) -> Summary:
    """As the program has the model write it."""
    events = summarize_documents([document_of(text)], WISH, engine.client, MemorySteps(), CancelToken())
    *_, last = events
    assert isinstance(last, Summarized)
    return last.summary


def document_of(text: ShortText) -> InputDocument:
    """A block a paragraph."""
    parts = enumerate(text.text.split("\n\n"), 1)
    blocks = [Block(number, BlockKind.PARAGRAPH, part, None) for number, part in parts]
    return InputDocument(0, f"{text.name}.txt", "", "", 0, (), text.language, blocks)


def asked_directly(engine: OurEngine, text: ShortText) -> str:
    """What anybody would type."""
    asked = f"Summarize this text in four sentences, in the language of the text:\n\n{text.text}"
    return engine.chat(question(asked), DIRECT_TOKENS).text


def worded(engine: OurEngine, text: ShortText) -> str:
    """The points are the digest's, the model only words them: tried, and no better than the digest itself."""
    chosen = [one.text for one in digest_summary([document_of(text)], WISH).statements]
    listed = "\n".join(f"{number}. {one}" for number, one in enumerate(chosen, 1))
    asked = (
        f"These are the key sentences of a text:\n\n{listed}\n\nSay each of them in plain, shorter words, in "
        f"{english_name(text.language)}, one line each, in the same order. Keep all numbers, dates and names exactly. "
        "Add nothing."
    )
    answer = engine.chat(question(asked), DIRECT_TOKENS).text
    return "\n".join(re.sub(r"^\s*(?:\d+[.)]|[-*•])\s*", "", line) for line in answer.splitlines())


def checked_lines(text: ShortText, answer: str) -> list[tuple[str, bool]]:
    """Sentences of an answer, each compared with the whole text as the program compares its own."""
    nearby = [CitedBlock(0, block) for block in document_of(text).blocks]
    said = [Statement(each, (), verify_statement(each, (), nearby=nearby).check) for each in sentences_of(answer)]
    return [(one.text, one.check.found) for one in said]


def sentences_of(text: str) -> list[str]:
    """One after the other."""
    return [text[start:end] for start, end in split_sentences(text)]


def text_of(lines: Sequence[tuple[str, bool]]) -> str:
    """Lines as one text."""
    return "\n".join(text for text, _ in lines)


def rouge(text: ShortText, lines: Sequence[tuple[str, bool]]) -> float:
    """F1 against the person's summary."""
    return float(scorer().score(text.summary, text_of(lines))["rouge1"].fmeasure)


@cache
def scorer() -> rouge_scorer.RougeScorer:
    """Made once."""
    return rouge_scorer.RougeScorer(["rouge1"], use_stemmer=True)


# Translations.


def translation_rows(engine: OurEngine) -> Iterator[Row]:
    """chrF against a person's sentences, by the program and by the model asked for each; beside copying."""
    pairs = SENTENCES[:TRANSLATED]
    sources, wanted = [source for source, _ in pairs], [target for _, target in pairs]
    segments = [Segment(number, (source,)) for number, source in enumerate(sources, 1)]
    pair = TranslationWish("de", "en")
    done = {
        event.translated.id: event.translated
        for event in translate_segments(segments, pair, engine.client, DictMemory(), CancelToken())
        if isinstance(event, SegmentDone)
    }
    by_program = [spoken_text(done[number]) if number in done else "" for number in range(1, len(sources) + 1)]
    asked = [f"Translate to German, answer with the translation only:\n{source}" for source in sources]
    direct = [engine.chat(question(text), ANSWER_TOKENS).text.strip() for text in asked]
    copied = chrf(sources, wanted)
    for name, texts in (("program", by_program), ("asked directly", direct)):
        ashamed = [one for text in texts for one in find_blemishes(text, "", "de")]
        flagged = sum(bool(one.flags) for one in done.values()) if name == "program" else 0
        note = f"{len(texts)} sentences, {flagged} flagged, blemishes: {ashamed or 'none'}; baseline: the source copied"
        yield Row(f"translation to German chrF, {name}", chrf(texts, wanted), "chrF", copied, note)


def chrf(texts: Sequence[str], wanted: Sequence[str]) -> float:
    """Of all together."""
    return round(float(CHRF().corpus_score(list(texts), [list(wanted)]).score), 1)


# Answers about a text that fits.


def document_rows(engine: OurEngine) -> Iterator[Row]:
    """Right answers with the text in the prompt, framed as the program does, and without it."""
    from app.features.document_frames import frame_text

    texts = {one.name: one.text for one in TEXTS}
    right: dict[str, list[float]] = {"with": [], "without": []}
    for name, asked, wanted in QUESTIONS:
        prompts = {"with": f"{frame_text(f'{name}.txt', texts[name])}\n\n{asked} Answer briefly.", "without": asked}
        for way, prompt in prompts.items():
            answer = engine.chat(question(prompt), ANSWER_TOKENS).text
            right[way].append(float(bool(re.search(wanted, answer, re.IGNORECASE))))
    note = f"{len(QUESTIONS)} questions; baseline: without the document"
    yield Row("right answers about a document", mean(right["with"]), "share", mean(right["without"]), note)


# The middle of a function, run.


def infill_rows(engine: OurEngine) -> Iterator[Row]:
    """Functions that do what they are for, as the program fills them in and as llama-cpp-python does."""
    ours = [float(runs(one, filled(engine.client, one))) for one in FUNCTIONS]
    theirs = [float(runs(one, middle)) for one, middle in zip(FUNCTIONS, by_llama_cpp_python(), strict=True)]
    note = f"{len(FUNCTIONS)} functions of the 0.5B; baseline: llama-cpp-python"
    yield Row("filled-in functions that run", mean(ours), "share", mean(theirs), note)


def filled(client: EngineClient, asked: Infill) -> str:
    """What the program writes between."""
    ask = Ask((), max_tokens=INFILL_TOKENS, sampling=GREEDY, text=asked.before, suffix=asked.after)
    text = ""
    for _, one in continue_text(client, ask):
        text = one.text
    return text


def by_llama_cpp_python() -> list[str]:
    """The same prompts and limits in the plain library."""
    import llama_cpp
    from llama_cpp import Llama

    package = Path(llama_cpp.__file__).parent
    ggml = next(iter([*(package / "lib").glob("libggml.so.0"), *(package / "lib").glob("*ggml.*")]))
    ctypes.CDLL(str(ggml)).ggml_backend_load_all_from_path(str(package.parent / "bin").encode())
    model = Llama(str(qwen_path("0.5B")), n_ctx=1024, verbose=False)
    try:
        return [
            str(model.create_completion(
                f"<|fim_prefix|>{one.before}<|fim_suffix|>{one.after}<|fim_middle|>",
                max_tokens=INFILL_TOKENS, temperature=0.0,
            )["choices"][0]["text"])  # type: ignore[index]
            for one in FUNCTIONS
        ]  # fmt: skip
    finally:
        model.close()


def runs(asked: Infill, middle: str) -> bool:
    """Whether the function is one, and does what it should; in a process of its own, which may not end."""
    program = f"{asked.before}{middle}{asked.after}\nassert {asked.check}\n"
    try:
        done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


# Calls.


def call_rows(path: Path, home: Path) -> Iterator[Row]:
    """The right function with the right arguments, or none: as served, and read out of an answer in JSON."""
    progress("call_rows")
    asked = CALLS if ALL else CALLS[:FEW_CALLS]
    with serve_model(path, home) as client:
        served = [float(is_right(one, called(client, one))) for one in asked]
        plain = [float(is_right(one, in_json(client, one))) for one in asked]
        musts = [place for place, one in enumerate(asked) if one.function]
        forced = [float(is_right(asked[place], called(client, asked[place], "required"))) for place in musts]
    note = f"{len(asked)} requests with {len(TOOLS)} functions; baseline: functions told in words, JSON read"
    yield Row("right calls as served", mean(served), "share", mean(plain), note)
    note = f"{len(musts)} requests that need a call; baseline: the same without a grammar, JSON read"
    yield Row("right calls that have to be calls", mean(forced), "share", mean([plain[place] for place in musts]), note)


def called(client: Any, wanted: CallWanted, choice: str = "auto") -> tuple[str, object]:
    """By `tools`, which the model may use or not, or has to."""
    message = completion(client, wanted.said, tools=[tool(*one) for one in TOOLS], tool_choice=choice)
    calls = message.get("tool_calls") or []
    return (calls[0]["function"]["name"], json.loads(calls[0]["function"]["arguments"])) if calls else ("", {})


def in_json(client: Any, wanted: CallWanted) -> tuple[str, object]:
    """What a person without `tools` would try."""
    listed = json.dumps([tool(*one)["function"] for one in TOOLS])
    said = (
        f"You may call one of these functions: {listed}\nTo call one, answer with JSON only: "
        f'{{"name": …, "arguments": {{…}}}}. Otherwise just answer.\n\n{wanted.said}'
    )
    text = str(completion(client, said).get("content") or "")
    found = re.search(r"\{.*\}", text, re.DOTALL)
    try:
        body = json.loads(found[0]) if found else {}
    except ValueError:
        return "", {}
    return str(body.get("name", "")), body.get("arguments", {})


def completion(client: Any, said: str, **fields: object) -> dict[str, Any]:
    """The message that is answered."""
    body = {"messages": [{"role": "user", "content": said}], "temperature": 0, "max_tokens": CALL_TOKENS} | fields
    answer = client.post("chat/completions", json=body)
    answer.raise_for_status()
    message: dict[str, Any] = answer.json()["choices"][0]["message"]
    return message


def tool(name: str, about: str, arguments: dict[str, str]) -> dict[str, Any]:
    """As the contract has it."""
    properties = {argument: {"type": kind} for argument, kind in arguments.items()}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": about, "parameters": schema}}


def is_right(wanted: CallWanted, found: tuple[str, object]) -> bool:
    """The same function, and the same arguments."""
    return found[0] == wanted.function and (not wanted.function or found[1] == wanted.arguments)
