"""All that is checked of a translation beside its form: language, length, numbers, glossary, and whether it is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from app.features.translation.check_language import is_other_language, is_same, leftover
from app.features.translation.check_length import Lengths
from app.features.translation.check_numbers import different_number
from app.features.translation.delivering import Candidate, candidate
from app.features.translation.families import Pair
from app.features.translation.glossary import violated
from app.features.translation.marking import Shown
from app.features.translation.problems import Problem, ProblemKind, is_unusable
from app.features.translation.result import Term
from app.language.detection import Detector


class Checks:
    """Of one pair of languages; it learns how long translations are."""

    def __init__(self, pair: Pair, detector: Detector) -> None:
        self._pair, self._detector = pair, detector
        self._lengths = Lengths(pair.source, pair.target)

    def judge(self, source: Shown, answer: str, terms: Sequence[Term] = ()) -> Candidate:
        """What an answer gives, and all that is wrong with it. `terms` are those of the person's glossary in it."""
        return self.judged(source, candidate(source, answer), terms)

    def judged(self, source: Shown, found: Candidate, terms: Sequence[Term] = ()) -> Candidate:
        """The same of a candidate whose form was looked at."""
        if is_unusable(found.problems):
            return found
        whole = replace(found, problems=(*found.problems, *self._faults(source, found.words, terms)))
        if not whole.problems:
            self._lengths.learn(source.words, found.words)
        return whole

    def _faults(self, source: Shown, words: str, terms: Iterable[Term]) -> Iterator[Problem]:
        ours, theirs = self._pair.source, self._pair.target
        names = [term.target for term in terms]
        if is_same(source.words, words, ours, theirs) and source.words not in names:
            yield Problem(ProblemKind.SAME)
        elif is_other_language(words, ours, theirs, self._detector):
            yield Problem(ProblemKind.LANGUAGE)
        elif said := leftover(source.words, words, ours, theirs, names):
            yield Problem(ProblemKind.LEFTOVER, said)
        if fault := self._lengths.fault(source.words, words):
            yield Problem(ProblemKind.LENGTH, fault)
        if number := different_number(source.words, words):
            yield Problem(ProblemKind.NUMBER, number)
        for term in violated(terms, words):
            yield Problem(ProblemKind.GLOSSARY, term.source, term.target)
