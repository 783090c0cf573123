"""Size of a grammar in llama.cpp: an element of a rule for every repetition, and a stack for every way to go on."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

from app.core.errors.request_errors import GrammarInvalid
from app.core.lazy_dataclasses import dataclass, field

MOST_GRAMMAR_CHARACTERS = 500_000
MOST_NODES = 200_000
MOST_WAYS = 500
ROUNDS = 50
MANY = 10**9
_PIECE = re.compile(
    r"""\s+|\#[^\n]*
    |(?P<literal>"(?:[^"\\]|\\.)*") |(?P<set>\[(?:[^\]\\]|\\.)*\]|\.|!?<[^<>\n]*>)
    |(?P<rule>[\w-]+)\s*::= |(?P<name>[\w-]+)
    |(?P<times>[*+?]|\{\s*\d+\s*(?:,\s*\d*\s*)?\}) |(?P<open>\() |(?P<close>\)) |(?P<or>\|)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)", re.DOTALL)


@dataclass(frozen=True)
class GrammarSize:
    """`nodes` are the elements of all rules with every repetition written out, `ways` the most stacks of one step."""

    nodes: int
    ways: int


@dataclass(slots=True)
class _RepeatedElement:
    """A repeated element: a named rule, or this many characters."""

    name: str = ""
    characters: int = 0
    least: int = 1
    most: int = 1
    is_open: bool = False


@dataclass
class _GrammarRules:
    """Rules of a grammar by name; a group in brackets is a rule too."""

    found: dict[str, list[list[_RepeatedElement]]] = field(default_factory=dict)

    def read_rules(self, gbnf: str) -> None:
        """Read rules as far as possible; llama.cpp reports errors in the rest."""
        at: list[str] = []
        # Only as much of GBNF as is needed for counting.
        for kind, text in _split_gbnf(gbnf):
            if kind == "rule":
                at = [text]
                self.found[text] = [[]]
                continue
            if not at:
                continue
            alternatives = self.found[at[-1]]
            if kind == "or":
                alternatives.append([])
            elif kind == "open":
                name = f"({len(self.found)}"
                alternatives[-1].append(_RepeatedElement(name))
                self.found[name] = [[]]
                at.append(name)
            elif kind == "close":
                # A bracket too many is llama.cpp's to report.
                del at[max(1, len(at) - 1) :]
            elif kind == "times" and alternatives[-1]:
                _apply_repetition(alternatives[-1][-1], text)
            elif kind != "times":
                characters = len(_ESCAPE.sub("_", text)) - 2 if kind == "literal" else 1
                alternatives[-1].append(
                    _RepeatedElement(text if kind == "name" else "", 0 if kind == "name" else characters)
                )


@functools.lru_cache(8)
def measure_grammar(gbnf: str) -> GrammarSize:
    """Return the size of a grammar. Raises GrammarInvalid if it is too long to be measured."""
    if len(gbnf) > MOST_GRAMMAR_CHARACTERS:
        raise GrammarInvalid(f"{len(gbnf)} characters are more than {MOST_GRAMMAR_CHARACTERS}")
    rules = _GrammarRules()
    rules.read_rules(gbnf)
    elements = (
        repeated_element for rule in rules.found.values() for alternative in rule for repeated_element in alternative
    )
    # Each character of a literal is an element, each repetition a copy.
    nodes = sum(min(MANY, max(element.most, 1) * max(element.characters, 1)) for element in elements)
    return GrammarSize(nodes, _count_ways(rules.found) if nodes <= MOST_NODES else MANY)


def check_measures(gbnf: str) -> None:
    """Raise GrammarInvalid for a grammar that llama.cpp would take too long or too much memory for."""
    measures = measure_grammar(gbnf)
    if measures.nodes > MOST_NODES:
        raise GrammarInvalid(f"with every repetition it has {measures.nodes} elements, more than {MOST_NODES}")
    if measures.ways > MOST_WAYS:
        raise GrammarInvalid(f"it can go on in more than {MOST_WAYS} ways at once")


def _split_gbnf(gbnf: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(gbnf):
        found = _PIECE.match(gbnf, at)
        if found is None:
            return
        if kind := found.lastgroup:
            yield kind, found[kind]
        at = found.end()


def _apply_repetition(element: _RepeatedElement, times: str) -> None:
    least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(times, (0, None))
    if times[0] == "{":
        first, comma, last = times[1:-1].partition(",")
        least = int(first)
        most = (int(last) if last.strip() else None) if comma else least
    element.least *= least
    element.is_open = element.is_open or most is None
    element.most *= max(least, 1) if most is None else max(most, least)


# A stack of the parser is kept for each way to go on.
def _count_ways(rules: Mapping[str, list[list[_RepeatedElement]]]) -> int:
    """Return the most ways into any rule. What recurs is counted in rounds, until nothing changes."""
    ways = dict.fromkeys(rules, (0, 0))
    order = _inner_first(rules)
    for _ in range(ROUNDS):
        before = dict(ways)
        for name in order:
            counts = [_ways_into(alternative, ways) for alternative in rules[name]]
            ways[name] = min(MANY, sum(into for into, _ in counts)), min(MANY, sum(past for _, past in counts))
        if ways == before:
            break
    return max((into + past for into, past in ways.values()), default=0)


def _ways_into(alternative: list[_RepeatedElement], ways: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """Return in how many ways a first character can be matched, and in how many there is none."""
    into, past = 0, 1
    for element in alternative:
        # Something before it always takes a character.
        if not past:
            break
        if element.name:
            one, none = ways.get(element.name, (1, 0))
        else:
            one, none = (1, 0) if element.characters else (0, 1)
        if none:  # each of them may be the first that is there
            count = min(MOST_WAYS + 1, element.most)
            one, none = one * count, 1 if element.least == 0 or element.is_open else none
        elif element.least == 0:
            none = 1
        into, past = min(MANY, into + past * one), min(MANY, past * none)
    return into, past


# Rules before those that use them, so that most are counted in one round.
def _inner_first(rules: Mapping[str, list[list[_RepeatedElement]]]) -> list[str]:
    seen: set[str] = set()
    order: list[str] = []
    for start in rules:
        waiting = [(start, False)]
        while waiting:
            name, is_done = waiting.pop()
            if is_done:
                order.append(name)
            elif name in rules and name not in seen:
                seen.add(name)
                waiting.append((name, True))
                waiting += [
                    (repeated_element.name, False)
                    for alternative in rules[name]
                    for repeated_element in alternative
                    if repeated_element.name
                ]
    return order
