"""The splitter: nothing lost, nothing over the budget, cut where a reader would pause."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.core.child import own_command
from app.documents.blocks import Block, BlockKind, BlockNumbering, BlockPiece, BlockPlace, LineBox
from app.documents.cut_places import CutRank, cuts_in
from app.documents.split import SEPARATOR, Counter, TextChunk, split
from app.engine.client import EngineClient
from tests.helpers.engine import load

_WORDLIKE = re.compile(r"\w{1,4}|[^\w\s]|\s+")


def by_words(texts: Sequence[str]) -> list[int]:
    """Like a byte-pair tokenizer: words in parts of four letters, marks, and stretches of white space."""
    return [len(_WORDLIKE.findall(text)) for text in texts]


def by_pairs(texts: Sequence[str]) -> list[int]:
    """As GPT-2 does: of several line ends before a word the last is a token of its own, so two parts add one."""
    return [len(re.findall(r"\s+(?!\S)|\s+|\w{1,4}|[^\w\s]", text)) for text in texts]


def by_bytes(texts: Sequence[str]) -> list[int]:
    """The worst that a tokenizer with bytes to fall back on does."""
    return [len(text.encode("utf-8", "surrogatepass")) for text in texts]


def more_together(texts: Sequence[str]) -> list[int]:
    """Two texts together take more than by themselves, and the longer they are, the more."""
    return [len(text) + len(text) ** 2 // 40 for text in texts]


def less_together(texts: Sequence[str]) -> list[int]:
    """As tokenizers that put a mark before each text."""
    return [len(text) // 4 + 1 for text in texts]


COUNTERS = [by_words, by_pairs, by_bytes, more_together, less_together]


class Calls:
    """A counter that knows how often it was called, and for how many texts."""

    def __init__(self, count: Counter) -> None:
        self._count, self.calls, self.texts = count, 0, 0

    def __call__(self, texts: Sequence[str]) -> Sequence[int]:
        self.calls += 1
        self.texts += len(texts)
        return self._count(texts)


_TEXT = st.text(st.sampled_from("abcdeXYZ .,!?\n\t。！字é\u0301👩\u200d👧🏽🇫🇷한ᄒ"), max_size=120)
_PIECES = st.builds(
    lambda kind, text, page, level: BlockPiece(kind, text, page, level=level),
    st.sampled_from(list(BlockKind)),
    _TEXT,
    st.none() | st.integers(1, 9),
    st.integers(0, 9),
)


def numbered(pieces: Sequence[BlockPiece]) -> list[Block]:
    """Blocks as a document has them."""
    numbering = BlockNumbering()
    return [numbering.block(piece) for piece in pieces]


def headings_and(*pieces: tuple[int, str]) -> list[Block]:
    """Blocks from (level, text); level 0 is a paragraph."""
    return numbered(
        [BlockPiece(BlockKind.HEADING if level else BlockKind.PARAGRAPH, text, level=level) for level, text in pieces]
    )


def words(count: int, seed: int = 0) -> str:
    """So many words of two to nine letters in sentences."""
    chosen = random.Random(seed)
    found = ["".join(chosen.choices("abcdefghijklmnop", k=chosen.randint(2, 9))) for _ in range(count)]
    for number in range(0, count, 12):
        found[number] = found[number].capitalize()
        found[min(number + 11, count - 1)] += "."
    return " ".join(found)


def document(chapters: int, seed: int = 1) -> list[Block]:
    """Chapters with sections, paragraphs of very different length, lists, tables and code."""
    chosen = random.Random(seed)
    pieces: list[BlockPiece] = []
    for chapter in range(1, chapters + 1):
        pieces.append(BlockPiece(BlockKind.HEADING, f"Chapter {chapter}", chapter, level=1))
        for section in range(chosen.randint(1, 5)):
            pieces.append(BlockPiece(BlockKind.HEADING, f"Section {chapter}.{section}", chapter, level=2))
            for _ in range(chosen.randint(1, 6)):
                text = words(int(chosen.lognormvariate(3.5, 1)) + 1, chosen.randint(0, 10**6))
                pieces.append(
                    BlockPiece(
                        chosen.choice([BlockKind.PARAGRAPH] * 4 + [BlockKind.LIST_ITEM, BlockKind.NOTE]), text, chapter
                    )
                )
        rows = "\n".join(
            "\t".join(words(2, row + column) for column in range(4)) for row in range(chosen.randint(2, 40))
        )
        pieces.append(BlockPiece(BlockKind.TABLE, rows, chapter))
        pieces.append(
            BlockPiece(
                BlockKind.CODE, "\n".join(f"    call_{n}(x, {n})" for n in range(chosen.randint(2, 60))), chapter
            )
        )
    return numbered(pieces)


def check(blocks: Sequence[Block], chunks: Sequence[TextChunk], budget: int, count: Counter) -> None:
    """What holds for every document, budget and counter."""
    assert "".join(chunk.text for chunk in chunks) == SEPARATOR.join(block.text for block in blocks)
    assert [chunk.tokens for chunk in chunks] == [count([chunk.text])[0] for chunk in chunks]
    assert all(chunk.tokens <= budget for chunk in chunks)
    by_id = {block.id: block for block in blocks}
    told: dict[int, str] = {}
    order: list[int] = []
    for chunk in chunks:
        assert chunk.slices
        assert chunk.heading_path == by_id[chunk.slices[0].block_id].heading_path
        pages = [page for each in chunk.slices if (page := by_id[each.block_id].page) is not None]
        assert (chunk.first_page, chunk.last_page) == (min(pages, default=None), max(pages, default=None))
        inside = SEPARATOR.join(by_id[each.block_id].text[each.start : each.end] for each in chunk.slices)
        assert inside in chunk.text
        assert not chunk.text.replace(inside, "", 1).strip("\n") or not inside
        for each in chunk.slices:
            assert len(told.get(each.block_id, "")) == each.start
            told[each.block_id] = told.get(each.block_id, "") + by_id[each.block_id].text[each.start : each.end]
            order.append(each.block_id)
    assert order == sorted(order)
    assert told == {block.id: block.text for block in blocks}


def dangling(blocks: Sequence[Block], chunks: Sequence[TextChunk]) -> list[str]:
    """Headings that end a chunk, though something follows."""
    by_id = {block.id: block for block in blocks}
    last = [by_id[chunk.slices[-1].block_id] for chunk in chunks[:-1]]
    return [block.text for block in last if block.kind is BlockKind.HEADING]


@pytest.mark.parametrize("count", COUNTERS)
@given(pieces=st.lists(_PIECES, max_size=12), budget=st.integers(20, 200))
def test_joined_the_chunks_are_the_document_and_none_is_over_the_budget(
    count: Callable[[Sequence[str]], list[int]], pieces: list[BlockPiece], budget: int
) -> None:
    blocks = numbered(pieces)
    check(blocks, split(blocks, budget, count), budget, count)


@given(st.lists(_PIECES, min_size=1, max_size=6), st.integers(4, 12))
@example([BlockPiece(BlockKind.PARAGRAPH, ""), BlockPiece(BlockKind.PARAGRAPH, "")], 4)
@example(
    [BlockPiece(BlockKind.HEADING, "ᄒ"), BlockPiece(BlockKind.PARAGRAPH, ""), BlockPiece(BlockKind.HEADING, "")], 6
)
def test_the_smallest_budgets_lose_nothing_either(pieces: list[BlockPiece], budget: int) -> None:
    blocks = numbered(pieces)
    check(blocks, split(blocks, budget, by_bytes), budget, by_bytes)


@pytest.mark.parametrize("count", COUNTERS)
@pytest.mark.parametrize("budget", [60, 250, 1000, 8000])
def test_a_real_looking_document_keeps_its_headings_with_their_text(count: Counter, budget: int) -> None:
    blocks = document(25)
    chunks = split(blocks, budget, count)
    check(blocks, chunks, budget, count)
    assert dangling(blocks, chunks) == []


@pytest.mark.parametrize("count", [by_words, by_pairs, less_together])
@pytest.mark.parametrize("budget", [250, 1000, 4000])
def test_chunks_are_filled_and_none_is_needlessly_small(count: Counter, budget: int) -> None:
    chunks = split(document(60), budget, count)
    filled = [chunk.tokens / budget for chunk in chunks]
    assert min(filled) > 0.2, sorted(filled)[:5]
    assert sum(filled) / len(filled) > 0.65
    pairs = [one + two for one, two in pairwise(filled)]
    assert sum(pair <= 0.9 for pair in pairs) < len(pairs) * 0.02 + 1


def test_two_chunks_in_place_of_one_are_of_one_size() -> None:
    blocks = headings_and(*((0, words(10, n)) for n in range(22)))
    budget = by_words([SEPARATOR.join(block.text for block in blocks)])[0] - 1
    first, second = split(blocks, budget, by_words)
    assert abs(first.tokens - second.tokens) < budget / 10


def test_the_highest_heading_is_the_best_place() -> None:
    texts = [(0, words(10, n)) for n in range(80)]
    texts[13:13] = [(1, "One")]
    texts[17:17] = [(2, "Two")]
    texts[19:19] = [(3, "Three")]
    budget = by_words([words(10) + SEPARATOR])[0] * 20
    chunks = split(headings_and(*texts), budget, by_words)
    assert chunks[1].text.startswith("One")
    assert budget / 2 < chunks[0].tokens < budget * 0.8


def test_a_heading_near_the_end_leaves_no_tiny_chunk() -> None:
    texts = [(0, words(10, n)) for n in range(21)]
    texts[19:19] = [(1, "The last heading")]
    budget = by_words([words(10) + SEPARATOR])[0] * 20
    chunks = split(headings_and(*texts), budget, by_words)
    assert len(chunks) == 2
    assert min(chunk.tokens for chunk in chunks) > budget / 4


def test_where_no_block_ends_a_sentence_does() -> None:
    blocks = headings_and((0, words(2000)))
    chunks = split(blocks, 120, by_words)
    check(blocks, chunks, 120, by_words)
    assert all(chunk.text.rstrip().endswith(".") for chunk in chunks)


def test_a_short_block_before_a_long_one_takes_some_of_it() -> None:
    blocks = headings_and((0, words(60)), (0, "Short."), (0, words(58, 3)), (0, words(58, 4)))
    budget = by_words([words(60)])[0] + 5
    assert min(chunk.tokens for chunk in split(blocks, budget, by_words)) > budget / 5


def test_a_heading_takes_some_of_a_text_that_does_not_fit_with_it() -> None:
    blocks = headings_and((1, words(12)), (2, words(10, 2)), (0, "x" * 400))
    budget = by_words(["x" * 400 + SEPARATOR])[0] + 1
    chunks = split(blocks, budget, by_words)
    check(blocks, chunks, budget, by_words)
    assert dangling(blocks, chunks) == []


def test_headings_stay_with_their_text_where_a_tokenizer_adds_much() -> None:
    blocks = headings_and(*(each for n in range(20) for each in ((1, f"Heading {n}"), (0, words(8, n)))))
    chunks = split(blocks, 140, more_together)
    check(blocks, chunks, 140, more_together)
    assert dangling(blocks, chunks) == []


def test_headings_that_fill_the_budget_by_themselves_are_divided() -> None:
    blocks = headings_and(*((1, words(12, n)) for n in range(9)), (0, "The text."))
    chunks = split(blocks, 60, by_words)
    check(blocks, chunks, 60, by_words)
    assert len(chunks[-1].slices) > 1


def test_tables_are_cut_at_the_ends_of_rows() -> None:
    rows = "\n".join(f"{n}\tname. {n}\t{words(5, n)}" for n in range(300))
    blocks = numbered([BlockPiece(BlockKind.TABLE, rows)])
    chunks = split(blocks, 150, by_words)
    assert len(chunks) > 10
    assert all(chunk.text.endswith("\n") for chunk in chunks[:-1])


def test_a_row_that_is_too_long_is_cut_between_cells() -> None:
    blocks = numbered([BlockPiece(BlockKind.TABLE, "\t".join(words(12, n) for n in range(30)))])
    chunks = split(blocks, 150, by_words)
    assert len(chunks) > 4
    assert all(chunk.text.endswith("\t") for chunk in chunks[:-1])


def test_code_is_cut_at_the_ends_of_lines() -> None:
    blocks = numbered([BlockPiece(BlockKind.CODE, "\n".join(f'print("One. Two. {n}")' for n in range(300)))])
    chunks = split(blocks, 150, by_words)
    assert len(chunks) > 10
    assert all(chunk.text.endswith("\n") for chunk in chunks[:-1])


def test_text_without_spaces_is_cut_between_what_a_person_sees_as_characters() -> None:
    seen = ["👩\u200d👩\u200d👧", "🇫🇷", "e\u0301\u0323", "👍🏽", "각", "\u1112\u1161\u11ab", "字", "न\u093f"]
    text = "".join(random.Random(5).choices(seen, k=600))
    blocks = headings_and((0, text))
    chunks = split(blocks, 64, by_bytes)
    check(blocks, chunks, 64, by_bytes)
    for chunk in chunks:
        rest = chunk.text
        while rest:
            start = next((each for each in sorted(seen, key=len, reverse=True) if rest.startswith(each)), "")
            assert start, ascii(chunk.text)
            rest = rest[len(start) :]


def test_flags_side_by_side_are_cut_between_two_flags() -> None:
    blocks = headings_and((0, "🇫🇷" * 100))
    chunks = split(blocks, 60, by_bytes)
    check(blocks, chunks, 60, by_bytes)
    assert all(set(re.findall("..", chunk.text.strip())) == {"🇫🇷"} for chunk in chunks)
    assert max(chunk.tokens for chunk in chunks) > 40


def test_one_character_of_many_parts_is_divided_as_a_last_resort() -> None:
    blocks = headings_and((0, "a" + "\u0301" * 500))
    check(blocks, split(blocks, 30, by_bytes), 30, by_bytes)


def test_a_long_line_without_any_space_is_divided_in_reasonable_time() -> None:
    blocks = headings_and((0, "QmFzZTY0" * 50_000))
    calls = Calls(less_together)
    chunks = split(blocks, 1000, calls)
    check(blocks, chunks, 1000, less_together)
    assert calls.calls < 8
    assert len(chunks) < 120


@pytest.mark.parametrize("text", ["字", "a"])
def test_a_budget_that_does_not_hold_a_character_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hold"):
        split(headings_and((0, text)), len(text.encode()) - 1, by_bytes)


def test_nothing_gives_no_chunk() -> None:
    assert split([], 10, by_words) == []


def test_the_counter_is_called_a_few_times_and_hears_every_text_about_twice() -> None:
    blocks = document(60)
    for budget in (250, 1000, 4000):
        calls = Calls(by_words)
        chunks = split(blocks, budget, calls)
        assert calls.calls <= 8
        assert calls.texts < 3 * (len(blocks) + 8 * len(chunks))


def test_pages_are_those_of_the_lines_that_are_in_a_chunk() -> None:
    text = words(40) + " " + words(40, 2)
    boxes = (LineBox(3, 0, 0, 1, 1, 0, len(text) // 2), LineBox(4, 0, 0, 1, 1, len(text) // 2, len(text)))
    blocks = [Block(1, BlockKind.PARAGRAPH, text, 3, place=BlockPlace(boxes=boxes))]
    pages = [(chunk.first_page, chunk.last_page) for chunk in split(blocks, 60, by_words)]
    assert pages[0] == (3, 3)
    assert pages[-1] == (4, 4)
    assert pages == sorted(pages)
    (whole,) = split(blocks, 600, by_words)
    assert (whole.first_page, whole.last_page) == (3, 4)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four… Five.", ["One. ", "Two! ", "Three? ", "Four… ", "Five."]),
        ("He said “Go!” Then he went.", ["He said “Go!” ", "Then he went."]),
        ("Dr. Who met J. Smith, i.e. him. Later.", ["Dr. Who met J. Smith, i.e. him. ", "Later."]),
        ("Kept in the dept. of letters. Yes.", ["Kept in the dept. of letters. ", "Yes."]),
        ("It cost 3.14 pounds. Yes.", ["It cost 3.14 pounds. ", "Yes."]),
        ("今日は。明日も！「はい。」終わり", ["今日は。", "明日も！", "「はい。」", "終わり"]),
        ("यह है। वह है।", ["यह है। ", "वह है।"]),
        ("Wie z. B. hier. Und da.", ["Wie z. B. hier. ", "Und da."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: list[str]) -> None:
    edges = [0, *cuts_in(text, CutRank.SENTENCE, 1), len(text)]
    assert [text[start:end] for start, end in pairwise(edges)] == sentences


@pytest.fixture(scope="module")
def counting_engine(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    """The starter model in one real child."""
    client = EngineClient(own_command("--engine-worker"), tmp_path_factory.mktemp("engine"))
    load(client, starter)
    yield client
    client.close()


@pytest.mark.model
@pytest.mark.parametrize("budget", [100, 700, 3000])
def test_a_real_tokenizer_counts_every_chunk_within_the_budget(counting_engine: EngineClient, budget: int) -> None:
    blocks = document(12) + numbered([BlockPiece(BlockKind.PARAGRAPH, "今日は。明日も！はい" * 300)])
    blocks = [Block(n, each.kind, each.text, each.page, each.heading_path) for n, each in enumerate(blocks, 1)]
    calls = Calls(counting_engine.count_texts)
    chunks = split(blocks, budget, calls)
    assert calls.calls <= 12
    check(blocks, chunks, budget, counting_engine.count_texts)
    assert dangling(blocks, chunks) == []
    assert sum(chunk.tokens for chunk in chunks) / len(chunks) > 0.6 * budget


@pytest.mark.model
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(_PIECES, min_size=1, max_size=10), budget=st.integers(24, 200))
def test_a_real_tokenizer_and_any_text(counting_engine: EngineClient, pieces: list[BlockPiece], budget: int) -> None:
    blocks = numbered(pieces)
    check(blocks, split(blocks, budget, counting_engine.count_texts), budget, counting_engine.count_texts)
