"""Facts that a chat forgot: how often a question about one brings its turn back, and what that does for the answer.

Held against the last turns that were forgotten, and SQLite's full-text ranking (bm25) of messages, each with its turn.
Chats of 44, 84 and 174 turns in four languages; in half of them each fact stands in a long message.

English facts are also asked for in other words (`tests/data/recall/other_words.json`): of the recall, which compares
words alone, and of the search above the chats, which adds what is similar in meaning.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from comparing import progress
from our_engine import GREEDY, OurEngine
from run import Row
from talks import DATA, LANGUAGES, Fact, Pair, Talk, talk

from app.core.events import Message, Role, TextDelta
from app.engine.protocol import Ask
from app.features.chat import recall
from app.features.finding import HistorySearch
from app.features.retrieval.ranking import words_of
from app.features.retrieval.short_texts import rank_texts
from app.language.language_names import WITHOUT_SPACES
from app.store.conversations import Conversations, MessageState, StoredMessage
from app.store.database import Database

BUDGETS = (512, 1024, 2048)
TURNS, SEEDS = (20, 60, 150), (0, 1)
ANSWER_TOKENS, SHOWN = 48, 3
FIRST_HITS, FIRST_MEMORIES = 5, 10

Choose = Callable[[Talk, str, int], list[int]]
"""The forgotten turns that a way brings back for a question within a budget."""


def rows() -> Iterator[Row]:
    """Tokens are the starter's."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as folder, OurEngine(Path(folder)) as engine:
        counting = _Counting(engine)
        ways: dict[str, Choose] = {
            "the last turns": counting.last,
            "full-text ranking": counting.ranked,
            "recalled": counting.recalled,
        }
        for language in LANGUAGES:
            progress(language)
            for kind in (False, True):
                talks = [talk(language, seed, turns, is_buried=kind) for turns in TURNS for seed in SEEDS]
                yield from _hits(language, talks, ways, is_buried=kind)
            yield from _noise(language, [talk(language, seed, turns) for turns in TURNS for seed in SEEDS], counting)
        yield from _answers("starter", "en", engine)
        yield _recalled_in_other_words(counting)
    yield from _found_in_other_words()
    yield _memories_in_other_words()


def _recalled_in_other_words(counting: _Counting) -> Row:
    talks = [talk("en", seed, turns) for turns in TURNS for seed in SEEDS]
    asked = _other_words()["questions"]
    found = [
        fact.place in counting.recalled(one, question, recall.MOST_TOKENS)
        for one in talks
        for fact, question in zip(one.facts, asked, strict=True)
    ]
    return Row(
        "recall, en, a fact asked for in other words: its turn is shown", round(sum(found) / len(found), 3), "share"
    )


def _found_in_other_words() -> Iterator[Row]:
    """The search above the chats: one chat, of whose messages none has the words."""
    one, asked = talk("en", 0, TURNS[-1]), _other_words()
    with closing(Database.in_memory()) as database:
        conversations, leaf, ids = Conversations(database), None, list[int]()
        chat = conversations.create(title="Talk")
        for pair in (*one.forgotten, *one.shown):
            for role, text in zip((Role.USER, Role.ASSISTANT), pair, strict=True):
                leaf = conversations.add_message(chat.id, leaf, role, text).id
                ids.append(leaf)
        finding = HistorySearch(database)
        for kind in ("questions", "keywords"):
            shares = []
            for look in (finding.find_similar, finding.search_text):
                hits = [[hit.message_id for hit in look(query, FIRST_HITS)] for query in asked[kind]]
                wanted = [ids[2 * fact.place : 2 * fact.place + 2] for fact in one.facts]
                found = [bool(set(some) & set(right)) for some, right in zip(hits, wanted, strict=True)]
                shares.append(round(sum(found) / len(found), 3))
            name = f"search in {len(ids)} messages, {kind} in other words: among the first {FIRST_HITS}"
            yield Row(name, shares[0], "share", shares[1])
        shown = [bool(finding.find_similar(query, FIRST_HITS)) for query in asked["nothing"]]
        yield Row("search, about nothing there: something similar is shown", round(sum(shown) / len(shown), 3), "share")


def _memories_in_other_words() -> Row:
    """Requests that a memory matters to, none of whose words it has, among 40; beside the ranking by words."""
    kept = json.loads((DATA.parent / "memories.json").read_text("utf-8"))
    memories: list[str] = kept["memories"]
    wanted = [(request, place) for request, places in kept["asked"] for place in places]
    shares = []
    for rank in (rank_texts, _by_words_then_last):
        found = [place in rank(request, memories)[:FIRST_MEMORIES] for request, place in wanted]
        shares.append(round(sum(found) / len(found), 3))
    return Row(f"memories, {len(memories)}: among the first {FIRST_MEMORIES}", shares[0], "share", shares[1])


def _by_words_then_last(request: str, texts: Sequence[str]) -> list[int]:
    scores = recall.score_turns(request, [[text] for text in texts])
    return sorted(range(len(texts)), key=lambda place: (-scores[place], -place))


def _other_words() -> dict[str, list[str]]:
    words: dict[str, list[str]] = json.loads((DATA.parent / "other_words.json").read_text("utf-8"))
    return words


def _hits(language: str, talks: Sequence[Talk], ways: dict[str, Choose], *, is_buried: bool) -> Iterator[Row]:
    where = "in a long message" if is_buried else "in a short turn"
    for budget in BUDGETS:
        rates = {}
        for name, choose in ways.items():
            found = [fact.place in choose(one, fact.question, budget) for one in talks for fact in one.facts]
            rates[name] = sum(found) / len(found)
        others = ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items() if name != "recalled")
        name = f"recall, {language}, a fact {where}: its turn within {budget} tokens"
        yield Row(name, round(rates["recalled"], 3), "share", round(rates["full-text ranking"], 3), others)


def _noise(language: str, talks: Sequence[Talk], counting: _Counting) -> Iterator[Row]:
    """Questions that are about nothing before, and pasted texts; what the index ranks has no measure of that."""
    for name, asked in (
        ("a question about nothing earlier", lambda one: one.nothing),
        ("a pasted text", lambda one: [f"Summarize this: {text}" for _, text in one.other[:8]]),
    ):
        tokens = [counting.tokens(one, question) for one in talks for question in asked(one)]
        brought = [number for number in tokens if number]
        spread = f"median {statistics.median(brought):.0f} tokens" if brought else ""
        yield Row(
            f"recall, {language}, {name}: something is shown",
            round(len(brought) / len(tokens), 3),
            "share",
            None,
            spread,
        )


class _Counting:
    """The ways, with the starter's tokens; what was counted is remembered."""

    def __init__(self, engine: OurEngine) -> None:
        self._engine = engine
        self._counts: dict[str, int] = {}
        self._indexes: dict[int, tuple[Talk, sqlite3.Connection]] = {}
        """With their talks, so that no other one gets the number."""

    def count(self, texts: Sequence[str]) -> list[int]:
        missing = [text for text in dict.fromkeys(texts) if text not in self._counts]
        if missing:
            self._counts.update(zip(missing, self._engine.client.count_texts(missing), strict=True))
        return [self._counts[text] for text in texts]

    def last(self, one: Talk, _question: str, budget: int) -> list[int]:
        return self._fitting(one, range(len(one.forgotten) - 1, -1, -1), budget)

    def ranked(self, one: Talk, question: str, budget: int) -> list[int]:
        if id(one) not in self._indexes:
            self._indexes[id(one)] = (one, _index(one.forgotten))
        index = self._indexes[id(one)][1]
        words = ['"' + word.rstrip("*") + '"' + "*" * word.endswith("*") for word in words_of(question)]
        found = index.execute(
            "SELECT rowid FROM said WHERE said MATCH ? ORDER BY rank LIMIT 200", (" OR ".join(words),)
        ).fetchall()
        order = [row[0] // 2 for row in found]
        if runs := "".join(WITHOUT_SPACES.findall(question)):
            pairs = {runs[at : at + 2] for at in range(len(runs) - 1)}
            hits = {at: sum(pair in text for pair in pairs for text in turn) for at, turn in enumerate(one.forgotten)}
            order = [*sorted((at for at in hits if hits[at]), key=lambda at: -hits[at]), *order]
        return self._fitting(one, list(dict.fromkeys(order)), budget)

    def recalled(self, one: Talk, question: str, budget: int) -> list[int]:
        return sorted({message_id // 2 for message_id in self._chosen(one, question, budget)})

    def tokens(self, one: Talk, question: str) -> int:
        """What is shown again with a question takes."""
        messages = messages_of(one.forgotten)
        chosen = self._chosen(one, question, recall.MOST_TOKENS)
        return self.count([recall.quote_messages([messages[at] for at in chosen], question)])[0] if chosen else 0

    def _chosen(self, one: Talk, question: str, budget: int) -> list[int]:
        return chosen_of(one, question, budget, self.count)

    def _fitting(self, one: Talk, order: Sequence[int], budget: int) -> list[int]:
        """Whole turns, as many as have room."""
        chosen: list[int] = []
        for at, tokens in zip(order, self.count(["\n".join(one.forgotten[at]) for at in order]), strict=True):
            if tokens <= budget:
                chosen.append(at)
                budget -= tokens
        return chosen


def chosen_of(one: Talk, question: str, budget: int, count: Callable[[Sequence[str]], Sequence[int]]) -> list[int]:
    """The ids of the forgotten messages that are shown again."""
    forgotten = range(2 * len(one.forgotten))
    return recall.choose_turns(question, messages_of([*one.forgotten, *one.shown]), forgotten, budget, count)


def messages_of(pairs: Sequence[Pair]) -> list[StoredMessage]:
    """As the store has them; ids from 0 on."""
    texts = [(role, text) for pair in pairs for role, text in zip((Role.USER, Role.ASSISTANT), pair, strict=True)]
    return [
        StoredMessage(at, 1, None, role, text, MessageState.COMPLETE, "", 0.0, None, ())
        for at, (role, text) in enumerate(texts)
    ]


def _index(pairs: Sequence[Pair]) -> sqlite3.Connection:
    """As the store's index of messages."""
    index = sqlite3.connect(":memory:")
    index.execute("CREATE VIRTUAL TABLE said USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')")
    texts = [text for pair in pairs for text in pair]
    index.executemany("INSERT INTO said (rowid, text) VALUES (?, ?)", list(enumerate(texts)))
    return index


def _answers(name: str, language: str, engine: OurEngine) -> Iterator[Row]:
    """Whether an answer has the fact, with the turns that are shown again and without."""
    one = talk(language, 0, TURNS[0])
    counts = [
        sum(_is_right(fact, _answered(engine, one, fact, is_recalled=wanted)) for fact in one.facts)
        for wanted in (True, False)
    ]
    right, without = (count / len(one.facts) for count in counts)
    yield Row(f"recall, {language}: {name} answers with the fact", round(right, 3), "share", round(without, 3))


def _is_right(fact: Fact, answer: str) -> bool:
    return any(word.casefold() in answer.casefold() for word in fact.words)


def _answered(engine: OurEngine, one: Talk, fact: Fact, *, is_recalled: bool) -> str:
    messages, question = messages_of(one.forgotten), fact.question
    if is_recalled:
        chosen = chosen_of(one, question, recall.MOST_TOKENS, lambda texts: [len(text) // 4 for text in texts])
        question = "\n\n".join(
            filter(None, [recall.quote_messages([messages[at] for at in chosen], question), question])
        )
    prompt = [Message(role, text) for pair in one.shown[:SHOWN] for role, text in _said(pair)]
    ask = Ask([*prompt, Message(Role.USER, question)], max_tokens=ANSWER_TOKENS, sampling=GREEDY)
    return "".join(event.text for event in engine.client.answer(ask) if isinstance(event, TextDelta))


def _said(pair: Pair) -> Iterator[tuple[Role, str]]:
    return zip((Role.USER, Role.ASSISTANT), pair, strict=True)
