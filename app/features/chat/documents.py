"""What documents mean for a chat: whole texts and chosen passages in its prompts, and where an answer may come from."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from app.core.events import Media, ModelLoaded, Role
from app.features.documents import Documents, passages_text, whole_text, with_question
from app.features.media import PICTURE, planned
from app.language.names import WITHOUT_SPACES
from app.language.sentences import sentences
from app.store.conversations import Attachment, StoredMessage, Use
from app.store.documents import DocumentStore, Fields
from app.store.media import MediaStore, MediaUse

if TYPE_CHECKING:
    from app.language.numbers import Quantity

DOCUMENTS_SHARE = 0.8
"""Of what a prompt may take, for whole documents: the rest is for the question and what follows."""
PASSAGES_SHARE = 0.4
"""Of what a prompt may take, for the passages of one question."""
KEPT_TEXTS = 32
KEPT_ANSWERS = 512
NOTHING_FOUND = (
    "(None of the words of my question occurs in {}. If what is shown of it above does not answer the question, say "
    "that you did not find it there.)"
)
SHORT_QUESTION_WORDS = 4

Shown = tuple[str, tuple[Media, ...]]
"""The text of a message, and the pictures and sounds that stand in it."""


def can_take(model: ModelLoaded | None, kind: str) -> bool:
    """Whether a model sees (`kind` is `PICTURE`) or hears; without a model nothing is taken."""
    return model is not None and (model.sees if kind == PICTURE else model.hears)


def mention(unseen: Sequence[str]) -> str:
    """What a model is told in place of what it cannot be shown, so that it does not make something up."""
    if not unseen:
        return ""
    return f"(Attached, but not visible or audible to you: {', '.join(unseen)}. Say so if it matters.)"


class Attached:
    """Knows what stands in the prompt beside the words that were written; every text is made once."""

    def __init__(self, documents: Documents, media: MediaStore) -> None:
        self.documents, self.media = documents, media
        self._texts: OrderedDict[tuple[int, Use, tuple[int, ...]], str] = OrderedDict()
        self._missed: OrderedDict[tuple[int, str], bool] = OrderedDict()

    def shown(self, branch: Sequence[StoredMessage], model: ModelLoaded | None) -> list[Shown]:
        """The messages as a model is shown them, with their documents, and with what of their pictures it can see.

        Pictures of answers, which another program's model has drawn, are for people.
        """
        ids = [one.id for one in branch if one.role is Role.USER]
        attachments, uses = self.documents.attachments.of_messages(ids), self.media.of_messages(ids)
        return [self.message(one.text, attachments.get(one.id, ()), uses.get(one.id, ()), model) for one in branch]

    def message(
        self,
        text: str,
        attachments: Sequence[Attachment],
        uses: Sequence[MediaUse],
        model: ModelLoaded | None,
    ) -> Shown:
        """One message, as `shown` has it."""
        unseen = [use.name for use in uses if not can_take(model, use.media.kind)]
        text = "\n\n".join(part for part in (mention(unseen), text) if part)
        seen = tuple(planned(use) for use in uses if can_take(model, use.media.kind))
        return self.message_text(text, attachments), seen

    def message_text(self, text: str, attachments: Sequence[Attachment]) -> str:
        """A message with its documents."""
        parts = [part for one in attachments if (part := self._text(one))]
        missed = [one for one in attachments if one.passages and self.finds_nothing(one.document_id, text)]
        parts += [NOTHING_FOUND.format(self.documents.of(one).name) for one in missed]
        is_citing = any(self.documents.of(one).unit for one in attachments)
        return with_question(parts, text, is_citing=is_citing)

    def finds_nothing(self, document_id: int, question: str) -> bool:
        """As the function of this name; each is asked once."""
        key = (document_id, question)
        if key not in self._missed:
            self._missed[key] = finds_nothing(self.documents.store, document_id, question)
            while len(self._missed) > KEPT_ANSWERS:
                self._missed.popitem(last=False)
        return self._missed[key]

    def decide(self, branch: Sequence[StoredMessage], room_tokens: Callable[[], int], count: Count) -> None:
        """Documents of the last question that nobody has looked at are shown whole while they fit, else as background.

        A message can be sent before the model that will answer is there to say what fits.
        """
        asked = _to_question(branch)
        own = self.documents.attachments.of_messages([asked[-1].id]).get(asked[-1].id, []) if asked else []
        undecided = [one for one in own if one.use is Use.UNDECIDED]
        if not undecided:
            return
        room = room_tokens() - sum(self._tokens(one, count) for one in own if one.use is Use.WHOLE)
        for one in undecided:
            tokens = self._tokens(replace(one, use=Use.WHOLE), count)
            self.documents.attachments.set_use(one.id, Use.WHOLE if tokens <= room else Use.BACKGROUND)
            room -= tokens if tokens <= room else 0

    def choose_passages(
        self,
        branch: Sequence[StoredMessage],
        hidden: Sequence[int],
        prompt_tokens: int,
        count: Count,
        around: Sequence[int] = (),
    ) -> bool:
        """Chooses passages for the last question of a branch where it needs some; whether anything changed.

        Documents that belong to more than this chat (`around`) and are not shown whole, and those used as background,
        are searched for each question below them; one that was shown whole is, once its message has left the model's
        memory (`hidden`). What was chosen before stays while it still fits.
        """
        branch = _to_question(branch)
        if not branch:
            return False
        question = branch[-1]
        attachments = self.documents.attachments.of_messages([one.id for one in branch])
        wanted = list(dict.fromkeys([*around, *_searched(branch, attachments, hidden)]))
        own = {one.document_id: one for one in attachments.get(question.id, ())}
        changed = False
        room = int(prompt_tokens * PASSAGES_SHARE) // max(1, len(wanted))
        for document_id in wanted:
            before = own.get(document_id)
            if before is not None and before.passages and self._tokens(before, count) <= room:
                continue
            text = _searched_text(branch)
            chosen = choose(self.documents.store, document_id, text, room, count)
            if before is not None:
                if list(before.passages) != chosen:
                    self.documents.attachments.set_passages(before.id, chosen)
                    changed = True
            elif chosen:
                self.documents.attachments.add_passages(question.id, document_id, chosen)
                changed = True
        return changed

    def are_searched(self, branch: Sequence[StoredMessage], hidden: Sequence[int]) -> bool:
        """Whether of some document of a branch only passages are shown."""
        return bool(_searched(branch, self.documents.attachments.of_messages([one.id for one in branch]), hidden))

    def documents_of(self, branch: Sequence[StoredMessage]) -> list[int]:
        """The ids of all documents that messages of a branch have, in order."""
        attachments = self.documents.attachments.of_messages([one.id for one in branch])
        return list(dict.fromkeys(one.document_id for message in branch for one in attachments.get(message.id, ())))

    def _tokens(self, attachment: Attachment, count: Count) -> int:
        return count([self._text(attachment)])[0]

    def _text(self, attachment: Attachment) -> str:
        if attachment.use is Use.UNDECIDED or (attachment.use is not Use.WHOLE and not attachment.passages):
            return ""
        key = (attachment.document_id, attachment.use, attachment.passages)
        if key not in self._texts:
            self._texts[key] = self._made(attachment)
            while len(self._texts) > KEPT_TEXTS:
                self._texts.popitem(last=False)
        self._texts.move_to_end(key)
        return self._texts[key]

    def _made(self, attachment: Attachment) -> str:
        documents, document = self.documents, self.documents.of(attachment)
        if attachment.use is Use.WHOLE:
            return whole_text(document, documents.blocks(document.id))
        blocks = documents.some_blocks(document.id, list(attachment.passages))
        return passages_text(document, blocks, documents.store.block_count(document.id))


def _to_question(branch: Sequence[StoredMessage]) -> list[StoredMessage]:
    """A branch up to the last thing the person said."""
    asked = [place for place, one in enumerate(branch) if one.role is Role.USER]
    return list(branch[: asked[-1] + 1]) if asked else []


def _searched(
    branch: Sequence[StoredMessage], attachments: dict[int, list[Attachment]], hidden: Sequence[int]
) -> list[int]:
    """The documents in which passages are looked for, in their order."""
    found = [
        one.document_id
        for message in branch
        for one in attachments.get(message.id, ())
        if one.use is Use.BACKGROUND or (one.use is Use.WHOLE and message.id in hidden)
    ]
    return list(dict.fromkeys(found))


def _searched_text(branch: Sequence[StoredMessage]) -> str:
    """The question, with the one before where it is too short to say what it is about ("And in 2024?")."""
    question = branch[-1].text
    if len(question.split()) >= SHORT_QUESTION_WORDS:
        return question
    before = next((one.text for one in reversed(branch[:-1]) if one.role == branch[-1].role), "")
    return f"{question} {before}"


# Which passages of a document fit a question: ranked by the words they share (BM25) and by what they mean
# (`app.language.static_embeddings`), joined by reciprocal ranks, kept in the document's order.
#
# The ranking is SQLite FTS5's bm25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009). Languages
# written without spaces, of which a full-text index sees whole runs only, are ranked by the pairs of letters they
# share.


FIRST_BLOCKS = 3
"""A document's beginning says what it is, so it comes along where there is room."""
FIRST_SHARE = 0.15
MOST_RANKED = 200
MOST_HITS = 12
"""More passages help a model less than they distract it."""
BEHIND_HIT = 1
BELOW_HEADING = 3
FRAME_TOKENS = 16
"""More than a page mark, a gap and a heading path usually take beside a passage."""
LONG_WORD = 6
ENDING = 2
"""Letters that a long word may change at its end."""
LEAST_CLOSENESS = 0.45
"""Cosine of a question with its nearest passage. Of 45 questions about three manuals 44 come as near, of 30 about
something else one does."""
ASKING_WORDS = (
    "what who whom whose which when where why how do does did can could would should will please tell say says said "
    "give show list find explain describe summarize about there anything something document text file page pages "
    "report name names many much any some all me you your our mean means "
    "wer wen wem wessen welche welcher welches wann wo warum wieso weshalb wie was kann kannst könnte soll bitte nenne "
    "sag sage zeig finde erkläre beschreibe gibt steht dokument text datei seite seiten bericht viele viel etwas alle "
    "qui quoi quel quelle quels quelles quand où pourquoi comment peux peut dis donne montre trouve explique document "
    "texte fichier page combien quién qué cuál cuáles cuándo dónde cómo cuánto puedes dime explica documento archivo "
    "página chi cosa quale quali quando dove perché come quanto puoi dimmi spiega documento pagina"
)
"""They say how something is asked, not what about; in five languages."""
_LEADERS = re.compile(r"(?:\. ?){5}|…{3}")
"""The dots between a title and its page."""
_WORD = re.compile(r"\w+")
_LIST_NUMBER = re.compile(r"^\W*\d{1,3}[.)]\s")

Count = Callable[[Sequence[str]], Sequence[int]]


def choose(store: DocumentStore, document_id: int, question: str, room_tokens: int, count: Count) -> list[int]:
    """The numbers of the blocks to show, in order, together at most `room_tokens` of `count`.

    First the beginning, within its share; then the blocks that fit best, each with what follows it, and a heading with
    the first blocks below it. Where nothing fits, the document's beginning as far as there is room.
    """
    filling = _Filling(store, document_id, count)
    filling.take([int(one["id"]) for one in store.blocks(document_id, 1, FIRST_BLOCKS)], int(room_tokens * FIRST_SHARE))
    wanted = [number for hit in rank(store, document_id, question)[:MOST_HITS] for number in _around(hit)]
    if not wanted:
        wanted = list(range(1, min(store.block_count(document_id), MOST_RANKED) + 1))
    filling.take(wanted, room_tokens - filling.used_tokens)
    return sorted(filling.chosen)


def _around(hit: Fields) -> range:
    """A block and what follows it."""
    number = int(hit["id"])
    return range(number, number + (BELOW_HEADING if hit["kind"] == "heading" else BEHIND_HIT) + 1)


def rank(store: DocumentStore, document_id: int, question: str) -> list[Fields]:
    """The blocks that fit, best first, by words and by meaning; a table of contents fits nothing.

    Empty where nothing of the question occurs and nothing can be told of what it means.
    """
    from app.features.chat.meaning import passage_indexes  # NumPy comes with the first question
    from app.language.static_embeddings import join_rankings

    found = store.rank([document_id], words_of(question), MOST_RANKED)
    numbers = [number for _, number, _ in found]
    runs = "".join(WITHOUT_SPACES.findall(question))
    if len(runs) > 1:
        numbers = list(dict.fromkeys([*_by_pairs(store, document_id, runs), *numbers]))
    meant = passage_indexes().rank(store, document_id, question, MOST_RANKED)
    numbers = join_rankings([numbers, *meant])[:MOST_RANKED]
    blocks = {int(one["id"]): one for one in store.some_blocks(document_id, numbers)}
    return [blocks[number] for number in numbers if not _LEADERS.search(str(blocks[number]["text"]))]


def finds_nothing(store: DocumentStore, document_id: int, question: str) -> bool:
    """Whether no telling word of a question occurs in a document, and none of its passages comes near in meaning.

    False where that says nothing: a short question, one in small words only, or one in another language.
    """
    if len(question.split()) < SHORT_QUESTION_WORDS or WITHOUT_SPACES.search(question):
        return False
    words = [word for word in _WORD.findall(question.casefold()) if len(word) > 2 and word not in _small_words()]
    beginning = " ".join(str(one["text"]) for one in store.blocks(document_id, 1, FIRST_BLOCKS * 2))
    if not words or _is_in_another_language(question, beginning):
        return False
    if store.rank([document_id], words_of(" ".join(words)), 1):
        return False
    from app.features.chat.meaning import passage_indexes  # rarely needed, and NumPy comes with it

    closeness = passage_indexes().closeness(store, document_id, question)
    return closeness is None or closeness < LEAST_CLOSENESS


def _is_in_another_language(question: str, text: str) -> bool:
    """By scripts and small words; a question has few of them."""
    from app.language.detection import SMALL_WORDS, language_by_words, scripts_differ

    known = language_by_words(text)
    asked = set(_WORD.findall(question.casefold())) - set(ASKING_WORDS.split())  # "do" is a small word elsewhere
    counts = {code: len(asked & set(row.split())) for code, row in SMALL_WORDS.items()}
    return scripts_differ(question, text) or (known in counts and max(counts.values()) > counts[known])


@cache
def _small_words() -> frozenset[str]:
    """Those that any text has, and those by which one asks."""
    from app.language.detection import SMALL_WORDS

    return frozenset(f"{ASKING_WORDS} {' '.join(SMALL_WORDS.values())}".split())


def words_of(text: str) -> list[str]:
    """The words to search for; a long one by its beginning ("settl*"), since words change at their end."""
    found = dict.fromkeys(word.casefold() for word in _WORD.findall(text))
    return [f"{word[:-ENDING]}*" if len(word) >= LONG_WORD and word.isalpha() else word for word in found]


def _by_pairs(store: DocumentStore, document_id: int, runs: str) -> list[int]:
    wanted = {runs[at : at + 2] for at in range(len(runs) - 1)}
    scores: Counter[int] = Counter()
    for fields in store.every_block(document_id):
        text = str(fields["text"])
        hits = sum(1 for pair in wanted if pair in text)
        if hits:
            scores[int(fields["id"])] = hits
    return [number for number, _ in scores.most_common(MOST_RANKED)]


class _Filling:
    """Blocks chosen so far, and what they take."""

    def __init__(self, store: DocumentStore, document_id: int, count: Count) -> None:
        self._store, self._document_id, self._count = store, document_id, count
        self.chosen: set[int] = set()
        self.used_tokens = 0

    def take(self, wanted: Sequence[int], room_tokens: int) -> None:
        """Takes of the wanted blocks, in this order, what fits into the room."""
        blocks = self._store.some_blocks(self._document_id, sorted(set(wanted) - self.chosen))
        texts = {int(one["id"]): str(one["text"]) for one in blocks}
        new = [number for number in dict.fromkeys(wanted) if number in texts]
        for number, tokens in zip(new, self._count([texts[number] for number in new]), strict=True):
            cost = tokens + FRAME_TOKENS
            if cost <= room_tokens:
                self.chosen.add(number)
                self.used_tokens += cost
                room_tokens -= cost


# Where an answer may come from: the sentences of the documents that share most of an answer's words.
#
# No second model and no judgement: a sentence of the answer gets the place in the documents that holds the largest
# share of its words (numbers as they stand, words by their first letters), where that is at least three in five, and
# all of its numbers: a place that says thirty-one is none for 301. What the model names itself ("[p. 3]") is taken at
# its word only as far as there is such a page.


LEAST_SHARE = 0.6
LEAST_WORDS = 4
MOST_CANDIDATES = 12
MOST_SENTENCES = 60
_PAGE = re.compile(
    r"[\[(](?:p|pp|page|pages|slide|sheet|chapter|ch|file|minute|min|(¶))\.? ?(\d{1,6})[\])]", re.IGNORECASE
)


@dataclass(frozen=True)
class Source:
    """A stretch of a document (`start` to `end` in the text of a block) that says what the answer says.

    `answer_start` and `answer_end` are that sentence in the answer. `is_named`: the model named the page itself.
    """

    answer_start: int
    answer_end: int
    document_id: int
    block_id: int
    start: int
    end: int
    page: int | None
    is_named: bool = False


def sources_of(answer: str, document_ids: Sequence[int], store: DocumentStore) -> list[Source]:
    """The places that fit best, in the order of the answer; at most one for each of its sentences."""
    found: list[Source] = []
    if not document_ids:
        return found
    for start, end in list(sentences(answer))[:MOST_SENTENCES]:
        text = _PAGE.sub(" ", answer[start:end])
        source = _best(text, start, end, document_ids, store)
        if source is not None:
            found.append(source)
    return found


def named_pages(answer: str) -> list[tuple[int, int, int]]:
    """(start, end, page) of each page that an answer names in brackets; a paragraph's number ("[¶ 12]") is negative."""
    return [(m.start(), m.end(), -int(m[2]) if m[1] else int(m[2])) for m in _PAGE.finditer(answer)]


def source_on_page(answer: str, at: int, page: int, document_id: int, store: DocumentStore) -> Source | None:
    """What stands on a page that the answer names at `at`: the sentence there that fits best, else its first block."""
    blocks = [one for one in store.blocks_of_page(document_id, page) if one["page"] == page]
    if not blocks:
        return None
    start, end = next(((a, b) for a, b in sentences(answer) if a <= at < b), (at, at))
    wanted = _stems(_PAGE.sub(" ", answer[start:end]))
    best = max(((*_place(one, wanted), one) for one in blocks), key=lambda found: found[0])
    share, first, last, block = best
    if not share:
        block, first, last = blocks[0], 0, 0
    return Source(start, end, document_id, int(block["id"]), first, last, page, is_named=True)


def source_to_fields(source: Source) -> dict[str, Any]:
    """A source as plain JSON values."""
    return asdict(source)


def source_from_fields(fields: dict[str, Any]) -> Source:
    """The source of such values; raises TypeError for any others."""
    return Source(**fields)


def _best(text: str, start: int, end: int, document_ids: Sequence[int], store: DocumentStore) -> Source | None:
    wanted = _stems(text)
    if len(wanted) < LEAST_WORDS:
        return None
    numbers = _numbers(text)
    best: tuple[float, Source] | None = None
    for document_id, number, _score in store.rank(document_ids, words_of(text), MOST_CANDIDATES):
        block = store.some_blocks(document_id, [number])[0]
        share, first, last = _place(block, wanted, numbers)
        if share >= LEAST_SHARE and (best is None or share > best[0]):
            best = share, Source(start, end, document_id, number, first, last, block["page"])
    return best[1] if best else None


def _place(block: Fields, wanted: set[str], numbers: Sequence[Quantity] = ()) -> tuple[float, int, int]:
    """The share of `wanted` that the best sentence of a block holds that has all `numbers`, and where it stands."""
    text = str(block["text"])
    best = (0.0, 0, 0)
    for start, end in sentences(text):
        share = len(wanted & _stems(text[start:end])) / len(wanted) if wanted else 0.0
        if share > best[0] and _holds(text[start:end], numbers):
            best = (share, start, end)
    return best


def _numbers(text: str) -> list[Quantity]:
    """The numbers that a sentence says, in figures or words; without its own number in a list, and without "first"."""
    from app.language.numbers import quantities  # as below

    text = _LIST_NUMBER.sub(" ", text)
    return [one for one in quantities(text) if not one.is_part or text[one.start].isdigit()]


def _holds(text: str, numbers: Sequence[Quantity]) -> bool:
    from app.language.numbers import quantities

    return all(any(one.has_figure_of(other) for other in quantities(text)) for one in numbers)


def _stems(text: str) -> set[str]:
    """The beginnings of words, and every number."""
    from app.language.words import WORD, stems  # not needed before there is an answer

    numbers = (word for word in WORD.findall(text.casefold()) if any(map(str.isdigit, word)))
    return {*stems(text), *numbers}
