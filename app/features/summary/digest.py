"""The digest of a document: its most telling sentences, word for word, chosen by counting words. No model is asked.

A sentence counts for the cosine between its words and those of the whole document, weighted by how rare they are in
it (the centroid of Radev et al., Centroid-based summarization of multiple documents, 2004), for the words it shares
with the title, for its place, for what its section is called, and for words that announce or sum up (Edmundson, New
methods in automatic extracting, 1969). What repeats a sentence already chosen is taken off (maximal marginal relevance,
Carbonell and Goldstein, 1998). The weights were found on the train part of ACLSum.

Nothing is kept for a sentence but its place and its score, so that memory does not grow with the square of anything.
"""

from __future__ import annotations

import heapq
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.documents.blocks import Block, Kind
from app.features.summary.result import (
    Anchor,
    Form,
    InputDocument,
    Length,
    Method,
    Statement,
    SummarizedDocument,
    Summary,
    Wish,
)
from app.features.summary.sections import Reading, runs_under_headings, told_apart, whole
from app.language.scripts import WITHOUT_SPACES
from app.language.sentences import sentences

STEM = 7
"""Letters of a word that count: its endings say little of what it is about."""
CANDIDATES = 25
"""For each sentence that is wanted: the best by themselves, among which repetition decides."""
FADE = 0.15
"""How fast the beginning of a document loses its weight, for each sentence."""
MANY_WORDS, WORDS_MORE = 30, 20
TITLE_WEIGHT = 2.0
REPETITION = 0.345
WEIGHTS: Mapping[str, float] = {
    "title": 0.301,
    "beginning": 0.167,
    "announces": 0.087,
    "results": 0.1,
    "this": 0.082,
    "contrast": -0.215,
    "sums_up": 0.045,
    "abstract": 0.265,
    "introduction": 0.086,
    "conclusion": 0.089,
    "cites": -0.045,
    "long": -0.097,
    "formula": -0.468,
}

_WORD = re.compile(r"[^\W\d_]+")
_CITES = re.compile(r"\bet al\b|\(\w+[^()]*\d{4}[a-z]?\)|\[\d+\]")
_FORMULA = re.compile(r"[=<>∈∑]|\b(?:Figure|Fig\.|Table|Section|Abbildung|Abb\.|Tabelle|Tableau|Tabla)\s?\d")


SENTENCES = {Length.SHORT: 3, Length.MEDIUM: 8, Length.LONG: 16}
"""Of a whole summary; a summary by section has a part of it under each heading."""
UNDER_A_HEADING = {Length.SHORT: 1, Length.MEDIUM: 2, Length.LONG: 4}
FORMS = (Form.PARAGRAPHS, Form.BULLETS, Form.SECTIONS)
"""What sentences of the document can be put into."""


class Told(NamedTuple):
    """A sentence of the document: `start` to `end` in the text of a block, and how much it tells."""

    block_id: int
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class _Sentence:
    """One sentence as it is looked at; `number` counts those of the document from 0."""

    block: Block
    start: int
    end: int
    number: int

    @property
    def text(self) -> str:
        return self.block.text[self.start : self.end]


def digest_summary(
    documents: Sequence[InputDocument], wish: Wish, cancelled: Callable[[], bool] = lambda: False
) -> Summary:
    """A summary of sentences of the documents, each resting on itself; its form is one of `FORMS`."""
    begun_s = time.monotonic()
    reading = Reading(documents)
    statements: list[Statement] = []
    for place, document in enumerate(documents):
        for block in document.blocks:  # each by itself: all of a long text would be searched for each of its blocks
            section = whole(place, [block])
            reading.answered(section, section.text)
        statements += _statements(place, document, len(documents), wish, cancelled)
    told = tuple(
        SummarizedDocument(one.id, one.name, one.title, one.unit, coverage)
        for one, coverage in zip(documents, reading.coverage(), strict=True)
    )
    title = ", ".join(one.title or one.name for one in documents)
    return Summary(
        title, told, tuple(statements), wish, documents[0].language if documents else "", "", len(told), len(told),
        is_partial=cancelled(), seconds=time.monotonic() - begun_s, method=Method.DIGEST,
    )  # fmt: skip


def _statements(
    place: int, document: InputDocument, of: int, wish: Wish, cancelled: Callable[[], bool]
) -> Iterator[Statement]:
    """The sentences of one document; under its headings, and those under each other's, where that is wished."""
    texts = {block.id: block for block in document.blocks}
    title = document.title or next((one.text for one in document.blocks if one.kind is Kind.HEADING), "")
    runs: Sequence[tuple[str, Sequence[Block]]] = [("", document.blocks)]
    most = max(1, -(-SENTENCES[wish.length] // of))
    if wish.form is Form.SECTIONS:
        runs, most = list(runs_under_headings(document.blocks)), UNDER_A_HEADING[wish.length]
    for heading, blocks in runs:
        group = f"{document.title or document.name}: {heading}" if heading and of > 1 else heading
        for told in digest_of(blocks, most, title=title, cancelled=cancelled):
            block = texts[told.block_id]
            text = block.text[told.start : told.end]
            anchor = Anchor(place, block.id, block.page, told.start, told.end, text)
            yield Statement(" ".join(text.split()), (anchor,), group=group)


def digest_of(
    blocks: Sequence[Block],
    most: int,
    *,
    title: str = "",
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Told]:
    """At most `most` sentences of the blocks, in the document's order; fewer where it has fewer, or was cancelled."""
    counting = _Counting(title)
    for sentence in _sentences(blocks):
        counting.add(sentence.text)
        if cancelled():
            return []
    kept: list[tuple[float, int, Told]] = []
    for sentence in _sentences(blocks):
        if cancelled():
            return []
        told = Told(sentence.block.id, sentence.start, sentence.end, counting.score(sentence))
        entry = (told.score, -sentence.number, told)
        if len(kept) < most * CANDIDATES:
            heapq.heappush(kept, entry)
        else:
            heapq.heappushpop(kept, entry)
    texts = {block.id: block.text for block in blocks}
    order = {told: -number for _, number, told in kept}
    candidates = [told for _, _, told in sorted(kept, reverse=True)]
    chosen = _without_repetition(
        candidates, most, lambda one: counting.vector(texts[one.block_id][one.start : one.end])
    )
    return sorted(chosen, key=order.__getitem__)


class Weights:
    """How much the places of a document tell of all of it; its words are counted once."""

    def __init__(
        self, blocks: Sequence[Block], *, title: str = "", cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        self._counting = _Counting(title)
        self._blocks = {block.id: block for block in blocks}
        self._numbers: dict[int, int] = {}
        for sentence in _sentences(blocks):
            if cancelled():
                return
            self._counting.add(sentence.text)
            self._numbers.setdefault(sentence.block.id, sentence.number)

    def of(self, block_id: int, start: int = 0, end: int = 0) -> float:
        """Of a stretch of a block; both 0: all of it."""
        block = self._blocks[block_id]
        number = self._numbers.get(block_id, len(self._numbers))
        return self._counting.score(_Sentence(block, start, end or len(block.text), number))


def _without_repetition(candidates: Sequence[Told], most: int, vector_of: Callable[[Told], Vector]) -> list[Told]:
    chosen: list[Told] = []
    left = {one: vector_of(one) for one in candidates}
    nearest = dict.fromkeys(candidates, 0.0)
    while left and len(chosen) < most:
        best = max(left, key=lambda one: one.score - REPETITION * nearest[one])
        vector = left.pop(best)
        chosen.append(best)
        for other, others_vector in left.items():
            nearest[other] = max(nearest[other], _cosine(vector, others_vector))
    return chosen


Vector = Mapping[str, float]
"""Words with their weights, of length 1."""


class _Counting:
    """Counts the words of all sentences first, then tells how much each of them says of the whole."""

    def __init__(self, title: str) -> None:
        self._title = set(words_of(title))
        self._sentences = 0
        self._in_all: Counter[str] = Counter()
        self._in_sentences: Counter[str] = Counter()
        self._center: Vector | None = None
        self._title_vector: Vector = {}

    def add(self, text: str) -> None:
        words = words_of(text)
        self._in_all.update(words)
        self._in_sentences.update(set(words))
        self._sentences += 1

    def score(self, sentence: _Sentence) -> float:
        if self._center is None:
            self._settle()
        vector = self.vector(sentence.text)
        score = _cosine(vector, self._center or {})
        score += WEIGHTS["title"] * _cosine(vector, self._title_vector)
        score += WEIGHTS["beginning"] * math.exp(-FADE * sentence.number)
        return score + sum(WEIGHTS[mark] * strength for mark, strength in _marks(sentence))

    def vector(self, text: str) -> Vector:
        counts = Counter(words_of(text))
        return _unit({word: (1 + math.log(count)) * self._rarity(word) for word, count in counts.items()})

    def _settle(self) -> None:
        self._center = _unit(
            {
                word: count * self._rarity(word) * (TITLE_WEIGHT if word in self._title else 1.0)
                for word, count in self._in_all.items()
            }
        )
        self._title_vector = _unit({word: self._rarity(word) for word in self._title if word in self._in_all})

    def _rarity(self, word: str) -> float:
        return math.log(1 + self._sentences / (self._in_sentences[word] or 1))


def _marks(sentence: _Sentence) -> Iterator[tuple[str, float]]:
    """What else speaks for or against a sentence, by the names of `WEIGHTS`."""
    text = sentence.text
    for name, pattern in CUES.items():
        if pattern.search(text):
            yield name, 1.0
    heading = sentence.block.heading_path[-1] if sentence.block.heading_path else ""
    for name, pattern in SECTIONS.items():
        if pattern.search(heading):
            yield name, 1.0
    if _CITES.search(text):
        yield "cites", 1.0
    if _FORMULA.search(text):
        yield "formula", 1.0
    length = len(words_of(text))
    if length > MANY_WORDS:
        yield "long", (length - MANY_WORDS) / WORDS_MORE


def words_of(text: str) -> list[str]:
    """The words of a text by their first letters; pairs of characters where a script has no spaces."""
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if WITHOUT_SPACES.match(word):
            found += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        else:
            found.append(word[:STEM])
    return found


def _sentences(blocks: Sequence[Block]) -> Iterator[_Sentence]:
    """Those of running text, in order; what only points elsewhere, as a list of sources does, is left out."""
    number, apart = 0, told_apart(blocks)
    for block in blocks:
        is_text = block.kind in (Kind.PARAGRAPH, Kind.LIST_ITEM) and block.id not in apart
        if not is_text or any(map(NOT_SUMMED_UP.search, block.heading_path)):
            continue
        for start, end in sentences(block.text, by_line=False):
            if any(map(str.isalpha, block.text[start:end])):
                yield _Sentence(block, start, end, number)
                number += 1


def _unit(weights: Mapping[str, float]) -> Vector:
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {word: weight / length for word, weight in weights.items()} if length else {}


def _cosine(one: Vector, other: Vector) -> float:
    few, many = sorted((one, other), key=len)
    return sum(weight * many[word] for word, weight in few.items() if word in many)


# Words by which authors announce, sum up and name their sections, in the languages where they are known.
#
# Elsewhere a sentence is judged by its words and its place alone.


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{pattern})" for pattern in patterns), re.IGNORECASE)


CUES = {
    "announces": _any(
        r"(?:we|this paper|this work|this article|this study|paper|authors?) (?:\w+ly )?(?:propose|present|introduce|"
        r"develop|describe|investigate|explore|study|address|design|build|extend|apply|use|suggest|aim)s?\b",
        r"(?:proposed?s?|present(?:s|ed)?|introduce[sd]?) (?:a|an|the|new|novel)\b",
        r"(?:wir|diese[rs]? (?:arbeit|artikel|studie|bericht)) (?:\w+ )?(?:stell(?:en|t)|untersuch(?:en|t)|"
        r"beschreib(?:en|t)|entwickel(?:n|t)|zeig(?:en|t)|behandel(?:n|t))\b",
        r"(?:nous|cet article|ce travail|cette étude|ce rapport) (?:présent|propos|décri|étudi|introdui|développ)\w*",
        r"(?:este (?:artículo|trabajo|estudio|informe)|este (?:artigo|trabalho|estudo|relatório)|esta tesis) "
        r"(?:presenta|propone|describe|apresenta|propõe|descreve|estud)\w*",
        r"(?:proponemos|presentamos|propomos|apresentamos|proponiamo|presentiamo)\b",
        r"quest[oa] (?:articolo|lavoro|studio|relazione|tesi) (?:presenta|propone|descrive|studia)\b",
        r"(?:wij|we|dit (?:artikel|rapport|onderzoek)|deze studie) (?:\w+ )?(?:presenteren|presenteert|beschrij\w+|"
        r"onderzoek\w*|introduce\w+|ontwikkel\w*)",
        r"(?:w (?:tej|niniejszej) pracy|niniejsz\w+ (?:praca|artykuł)|przedstawiamy|proponujemy)\b",
        r"(?:в (?:этой|данной|настоящей) (?:работе|статье)|мы (?:предлагаем|представляем|рассматриваем|описываем))",
    ),
    "results": _any(
        r"(?:results?|experiments?|evaluations?|analys[ie]s|findings?) (?:\w+ )?(?:show|demonstrate|indicate|suggest|"
        r"reveal|confirm)",
        r"(?:outperform|improve|achieve|significant|better than|effective|gain|superior|increase|reduce)",
        r"(?:ergebniss?e?|versuche|auswertung|untersuchung(?:en)?) (?:\w+ )?(?:zeig|beleg|bestätig|leg)\w*",
        r"(?:signifikant|deutlich|wesentlich) (?:besser|höher|niedriger|mehr|weniger)",
        r"(?:les )?résultats (?:\w+ )?(?:montr|indiqu|suggèr|confirm|révèl)\w*",
        r"(?:los )?resultados (?:\w+ )?(?:muestran|indican|sugieren|confirman|demuestran|mostram|sugerem|confirmam)",
        r"(?:i )?risultati (?:\w+ )?(?:mostrano|indicano|suggeriscono|confermano|dimostrano)",
        r"(?:de )?resultaten (?:\w+ )?(?:tonen|laten|wijzen|bevestigen|suggereren)",
        r"wyniki (?:\w+ )?(?:pokazują|wskazują|sugerują|potwierdzają)",
        r"результаты (?:\w+ )?(?:показыва|свидетельству|подтвержда|указыва)\w*",
    ),
    "this": _any(
        r"(?:in|of) this (?:paper|work|article|study|report|document|chapter|book)\b",
        r"our (?:approach|method|model|results|experiments|system|work|framework|findings)\b",
        r"(?:in|mit) diese[rm] (?:arbeit|artikel|studie|bericht|kapitel|buch)\b",
        r"dans (?:cet article|ce travail|cette étude|ce rapport|ce chapitre)\b",
        r"(?:en|neste|nesta|in) (?:este|esta|quest[oa]) ?(?:artículo|trabajo|estudio|capítulo|lavoro|studio|capitolo)",
        r"(?:neste|nesta) (?:artigo|trabalho|estudo|relatório|capítulo)\b",
        r"in (?:dit|deze) (?:artikel|rapport|onderzoek|studie|hoofdstuk)\b",
    ),
    "contrast": _any(
        r"(?:however|but|although|despite|lack|difficult|challeng|problem|limited|unfortunately|remain|fail|"
        r"expensive|costly)",
        r"(?:jedoch|aber|obwohl|trotz|leider|schwierig)\b",
        r"(?:cependant|mais|bien que|malgré|toutefois|malheureusement)\b",
        r"(?:sin embargo|pero|aunque|a pesar|no entanto|porém|embora|apesar)\b",
        r"(?:tuttavia|però|sebbene|nonostante|purtroppo)\b",
        r"(?:echter|maar|hoewel|ondanks|helaas)\b",
        r"(?:jednak|ale|chociaż|pomimo|niestety)\b",
        r"(?:однако|но|хотя|несмотря|к сожалению)\b",
    ),
    "sums_up": _any(
        r"(?:in conclusion|to conclude|conclude[sd]?|in summary|to summarize|in short|overall|finally|therefore|thus|"
        r"main|important|key|goal|purpose|aim)\b",
        r"(?:zusammenfassend|insgesamt|schließlich|daher|somit|deshalb|wichtig(?:ste[nrs]?)?|ziel|zweck)\b",
        r"(?:en conclusion|en résumé|finalement|donc|important|principal|objectif|but de)\b",
        r"(?:en conclusión|en resumen|finalmente|por tanto|importante|principal|objetivo|em conclusão|em resumo|"
        r"portanto)\b",
        r"(?:in conclusione|in sintesi|infine|quindi|pertanto|importante|principale|obiettivo|scopo)\b",
        r"(?:concluderend|samenvattend|kortom|uiteindelijk|daarom|dus|belangrijk(?:ste)?|doel)\b",
        r"(?:podsumowując|w skrócie|ostatecznie|dlatego|zatem|ważn\w+|główn\w+|cel)\b",
        r"(?:таким образом|в заключение|итак|наконец|поэтому|важн\w+|главн\w+|цель)\b",
    ),
}
"""By the names of the weights in `digest`."""
SECTIONS = {
    "abstract": _any(
        r"(?:abstract|executive summary|summary|overview|zusammenfassung|kurzfassung|überblick|résumé|resumen|resumo|"
        r"sommario|riassunto|samenvatting|streszczenie|аннотация|резюме|要旨|摘要|要約)"
    ),
    "introduction": _any(
        r"(?:introduction|einleitung|einführung|introducción|introdução|introduzione|inleiding|wstęp|wprowadzenie|"
        r"введение|はじめに|引言|前言)"
    ),
    "conclusion": _any(
        r"(?:conclusions?|conclud|discussion|fazit|schluss|diskussion|ausblick|conclusión|conclusiones|conclusão|"
        r"conclusioni|conclusie|wnioski|podsumowanie|заключение|выводы|おわりに|まとめ|结论|結論)"
    ),
}
"""What a section is called that tells of the whole; by the names of the weights in `digest`."""
NOT_SUMMED_UP = _any(
    r"(?:references|bibliography|works cited|acknowledge?ments?|appendi(?:x|ces)|index|table of contents|contents|"
    r"literatur(?:verzeichnis)?|quellen(?:verzeichnis)?|danksagung|anhang|inhalt(?:sverzeichnis)?|bibliographie|"
    r"remerciements|annexes?|table des matières|bibliografía|referencias|agradecimientos|índice|referências|"
    r"bibliografia|agradecimentos|ringraziamenti|indice|bijlage|inhoudsopgave|spis treści|podziękowania|"
    r"литература|список литературы|благодарности|приложение|содержание|参考文献)\b"
)
"""Sections that point elsewhere, or thank."""
