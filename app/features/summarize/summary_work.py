"""State shared by all stages of one summary: documents, model, requests, stored steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from itertools import pairwise
from json import dumps
from pathlib import Path
from typing import Any

from app.core.events import CancelToken, Message, ModelLoaded
from app.core.lazy_dataclasses import asdict, dataclass, field, replace
from app.core.settings import ChatDefaults, Settings
from app.documents.blocks import Block, BlockKind
from app.engine.contract import Engine
from app.engine.protocol import Ask, Sampling
from app.features.chat.chat_options import template_variables
from app.features.document_parts import find_apart_blocks
from app.features.summarize.checks import CitedBlock, verify_statement
from app.features.summarize.digest import SentenceWeights
from app.features.summarize.method import ClaimScore, score_claims
from app.features.summarize.point_answers import line_of
from app.features.summarize.sections import ReadSection, TokenBudgets
from app.features.summarize.summary_prompts import PROMPT_VERSION
from app.features.summarize.summary_result import InputDocument, Statement, Steps, SummaryOptions, unknown_languages

TEMPERATURE, WARMER = 0.2, 0.25
TOP_P = 0.9
"""A small model stays with the text best at 0: of 20 points of the starter's, 15 were found in place of 11."""
SEED = 1
THINKING_TOKENS = 256
"""Extra tokens for models whose thinking can't be switched off."""
MOST_NEARBY = 80
RUNNING_PAGES, LONGEST_RUNNING = 3, 100
"""Text on this many pages, and no longer than this, is a running head."""


@dataclass(frozen=True)
class SummaryWork:
    """State of a summary in progress. `language` is the one to write in, "" if unknown."""

    documents: Sequence[InputDocument]
    wish: SummaryOptions
    engine: Engine
    steps: Steps
    cancel: CancelToken
    model: ModelLoaded
    budgets: TokenBudgets
    language: str
    may_give_up: bool = False
    """True if an extract may replace what the model writes."""
    texts: Sequence[InputDocument] = field(init=False)
    """The documents without what is no text, see `apart`."""
    titles: frozenset[str] = field(init=False)
    """Names, headings and running heads: lines that state nothing, see `says_something`."""
    _blocks: dict[tuple[int, int], Block] = field(init=False, default_factory=dict)
    _counted: dict[int, SentenceWeights] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        # The dataclass is frozen, so derived fields are set past it.
        object.__setattr__(self, "texts", [_text_of(document) for document in self.documents])
        titles = frozenset(line for input_document in self.documents for line in _titles_of(input_document) if line)
        object.__setattr__(self, "titles", titles)
        self._blocks.update(
            ((place, block.id), block) for place, document in enumerate(self.documents) for block in document.blocks
        )

    def make_ask(self, messages: Sequence[Message], max_tokens: int, grammar: str, attempt: int = 0) -> Ask:
        """Build a request: deterministic, without thinking; a retry is slightly warmer."""
        # Some models can't be told to think less; their thinking must not eat the answer's tokens.
        always_thinks = self.model.thinking in ("always", "effort")
        # A small model stays with the text best at 0: of 20 points of the starter's, 15 were found in place of 11.
        temperature = (0.0 if self.budgets.is_small else TEMPERATURE) + WARMER * attempt
        # The same request gives the same answer, so that stored steps hold; a retry must not repeat the first answer.
        sampling = Sampling(temperature, top_p=TOP_P, presence_penalty=0.0, seed=SEED + attempt)
        return Ask(
            messages,
            max_tokens=max_tokens,
            task_sampling=sampling,
            # Whatever the person's settings are, a summary is written without thinking.
            template_variables=template_variables(None, Settings(chat=ChatDefaults(thinking="off")), self.model),
            thinking_budget=THINKING_TOKENS if always_thinks else -1,
            grammar=grammar,
            stop_on_repetition=True,
        )

    def step_key(self, ask: Ask) -> str:
        """Return the key an answer is stored under; it hashes everything the answer depends on."""
        # The file's size tells two models of one name apart; the folder may change.
        model = [Path(self.model.path).name, self.model.size_bytes]
        messages = [[str(message.role), message.text] for message in ask.messages]
        # The wish isn't part of it: what depends on it is in the messages and the grammar.
        parts = [PROMPT_VERSION, model, messages, ask.max_tokens, ask.grammar, asdict(ask.task_sampling)]
        return blake2b(dumps(parts).encode(), digest_size=16).hexdigest()

    def score_statements(self, statements: Iterable[Statement]) -> ClaimScore:
        """Return how many claims so far were found in the text; empty where that wouldn't change anything."""
        if not self.may_give_up:
            return ClaimScore()
        return score_claims(statements, lambda document, number: self._blocks[document, number].text)

    def count_tokens(self, texts: Sequence[str]) -> Sequence[int]:
        """Count the tokens of each text on its own."""
        return self.engine.count_texts(texts, cancel=self.cancel)

    def fixed_tokens(self, messages: Sequence[Message]) -> int:
        """Count a prompt's tokens without its text."""
        # Thinking that can't be switched off takes room in the context, too.
        thinking = THINKING_TOKENS if self.model.thinking in ("always", "effort") else 0
        return self.engine.count_tokens(messages) + thinking

    def cited_blocks(self, document: int, ids: Iterable[int]) -> tuple[CitedBlock, ...]:
        """Return the blocks with these ids, as citations."""
        found = ((number, self._blocks.get((document, number))) for number in ids)
        return tuple(CitedBlock(document, block) for _, block in found if block is not None)

    def citable_blocks(self, section: ReadSection) -> list[int]:
        """Return the blocks worth citing: all but headings, if there are others."""
        found = self.cited_blocks(section.document, section.ids)
        # A heading says what comes, not what is so.
        return [cited.block.id for cited in found if cited.block.kind is not BlockKind.HEADING] or list(section.ids)

    def blocks_behind(self, statement: Statement) -> tuple[CitedBlock, ...]:
        """Return the blocks a statement cites."""
        places = dict.fromkeys((anchor.document, anchor.block_id) for anchor in statement.anchors)
        return tuple(cited for document, number in places for cited in self.cited_blocks(document, [number]))

    def most_telling(self, points: Sequence[Statement], most: int) -> list[Statement]:
        """Choose at most `most` points, spread over the text: from each part the one whose source is most
        informative.
        """
        if len(points) <= most:
            return list(points)
        # One of each part, so that the end of the text isn't lost.
        ends = [place * len(points) // most for place in range(most + 1)]
        return [max(points[begin:end], key=self._point_weight) for begin, end in pairwise(ends)]

    def _point_weight(self, point: Statement) -> float:
        """Return the digest's score of a point's best source; 0 without one."""
        return max(
            (
                self._sentence_weights(anchor.document).weight_of(anchor.block_id, anchor.start, anchor.end)
                for anchor in point.anchors
            ),
            default=0,
        )

    def _sentence_weights(self, place: int) -> SentenceWeights:
        # Counting a long document takes a second; most summaries never need it.
        if place not in self._counted:
            document = self.documents[place]
            self._counted[place] = SentenceWeights(
                document.blocks, title=document.title, cancelled=lambda: self.cancel.cancelled
            )
        return self._counted[place]

    def check_statement(
        self, text: str, cited: Sequence[CitedBlock], nearby: Sequence[CitedBlock], quote: str = ""
    ) -> Statement:
        """Compare a text with its sources and build the statement."""
        # Nearby blocks are bounded, since each is compared with each statement.
        verdict = verify_statement(text, cited, quote, nearby[:MOST_NEARBY], closely=self._is_language_unknown)
        return Statement(text, verdict.anchors, verdict.check)

    @cached_property
    def _is_language_unknown(self) -> bool:
        return bool(unknown_languages(Path(self.model.path), self.documents, self.wish))


def _text_of(document: InputDocument) -> InputDocument:
    apart = find_apart_blocks(document.blocks)
    return replace(document, blocks=[block for block in document.blocks if block.id not in apart])


def _titles_of(document: InputDocument) -> Iterator[str]:
    """Yield name, headings and running heads."""
    yield from (line_of(document.name), line_of(document.title))
    pages: dict[str, set[int | None]] = {}
    for block in document.blocks:
        if block.kind is BlockKind.HEADING:
            yield line_of(block.text)
        elif len(block.text) <= LONGEST_RUNNING:
            pages.setdefault(line_of(block.text), set()).add(block.page)
    # Read on page after page, a line is a running head, which small models copy as a statement.
    yield from (line for line, page in pages.items() if len(page) >= RUNNING_PAGES)


def kept_texts(value: Any) -> str:
    """Return a stored step's answer, "" if it isn't one."""
    return value["text"] if isinstance(value, dict) and isinstance(value.get("text"), str) else ""
