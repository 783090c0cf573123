"""Distinguish endless repetition in a text from intended repetition, in any script."""

from __future__ import annotations

import re

# Looking costs time for each character; a loop is noticed soon enough.
LOOK_EVERY = 48
"""Characters between checks."""
LONGEST_UNIT = 2000
# Several times the longest unit, so that repetitions can be counted at all.
KEPT_CHARACTERS = 4 * LONGEST_UNIT
# So many characters at the end are looked for before: fewer come again by chance.
PROBE_CHARACTERS = 24
MOST_CANDIDATES = 12
REQUEST_CHARACTERS = 600
"""Characters at a request's end searched for a wish to repeat: it follows the documents it comes with."""
MOST_WANTED_TIMES = 1000
_MANY, _FEW = 400, 200
"""The least that is repeated, in characters: of words, and of words in scripts that need few for as much."""
_FIGURES, _SIGNS, _CODE = 1500, 2000, 4000
"""The same where the unit has no letters (matrices), no letters and figures (rules, empty cells), or is code."""
_TIMES = ((100, 6), (300, 4), (LONGEST_UNIT + 1, 3))
"""Minimum repetitions, by the length of the unit."""
# Numbers of a list differ, though its items may be the same.
_COUNTER = re.compile(r"(\n|[.!?:;…。！？]\s?)[ \t]*[(（]?\d{1,4}[.)）:、．](?=\s)")
_UP_TO_LETTER = re.compile(r".*[^\W\d_]", re.DOTALL)
_MOST_PENDING = 200
_WORD = re.compile(r"[^\W\d_]+")
_QUOTED = re.compile(r"[\"“„«‘「](.+?)[\"”“»’」]")
_TIMES_WANTED = re.compile(r"\b\d{1,4}\b")
_DENSE = "\u2e80"
"""From here on a letter is a syllable or a word."""


class RepetitionWatch:
    """Watch a text as it is written; once `feed` returns True, the text is looping.

    A loop is the same characters repeated up to the end, ignoring numbers of list items. Tables, code and rules get
    more room, and so does what the request (`wanted`) quotes or asks for several times.
    """

    def __init__(self, wanted: str = "") -> None:
        # At its end, since the documents come before it.
        wanted = wanted[-REQUEST_CHARACTERS:]
        self._wanted = set(_WORD.findall(wanted.casefold()))
        self._quoted = [set(_WORD.findall(element.casefold())) for element in _QUOTED.findall(wanted)]
        times = [int(element) for element in _TIMES_WANTED.findall(wanted)]
        self._times_wanted = max((time for time in times if time <= MOST_WANTED_TIMES), default=0)
        self._text, self._pending, self._new = "", "\n", 0
        """The end of what was read with counters left out, and what may hold a half of one."""
        self._fence, self._has_open_fence = "", False
        self.is_circling = False

    def feed(self, text: str) -> bool:
        """Read on; True from the moment at which the text repeats itself."""
        fences = self._fence + text
        # An odd number of fences leaves code open; they may come in halves.
        self._has_open_fence ^= bool(fences.count("```") % 2)
        self._fence = fences[-2:] if not fences.endswith("```") else ""
        self._pending += text
        self._new += len(text)
        if self._new >= LOOK_EVERY and not self.is_circling:
            self._new = 0
            self.is_circling = self._is_circling()
        return self.is_circling

    def _is_circling(self) -> bool:
        # Half a counter at the end is kept back until it is whole.
        certain = _UP_TO_LETTER.match(self._pending)  # no counter has letters
        size = certain.end() if certain else max(0, len(self._pending) - _MOST_PENDING)
        self._text = (self._text + _COUNTER.sub(r"\1#", self._pending[:size]))[-KEPT_CHARACTERS:]
        self._pending = self._pending[size:]
        text = self._text + _COUNTER.sub(r"\1#", self._pending)
        probe = text[-PROBE_CHARACTERS:]
        at = len(text) - len(probe)
        for _ in range(MOST_CANDIDATES):
            # Backwards from the end: the nearest earlier place gives the shortest unit.
            at = text.rfind(probe, 0, at + len(probe) - 1)
            size = len(text) - at - len(probe)
            if at < 0 or size > LONGEST_UNIT:
                return False
            least = max(self._least_length(text[-size:]), next(times for below, times in _TIMES if size < below) * size)
            # Every repetition is compared, as only its beginning was found.
            if len(text) >= least and text[-least:-size] == text[size - least :]:
                return True
        return False

    def _least_length(self, unit: str) -> int:
        """Return from how many repeated characters on a unit of this kind is a loop."""
        letters = [char for char in unit if char.isalpha()]
        # Cells of tables and lines of code repeat themselves rightly.
        if self._has_open_fence or unit.count("|") >= 2:
            return _CODE
        if not letters:
            return _FIGURES if any(map(str.isdigit, unit)) else _SIGNS
        words = set(_WORD.findall((unit + unit).casefold())[1:-1])  # the unit may begin inside a word
        # What the request quotes may be wanted many times.
        if words and any(words <= quoted for quoted in self._quoted):
            return _CODE
        if self._times_wanted and words <= self._wanted:
            return max(_MANY, (self._times_wanted + 1) * len(unit))
        return _FEW if min(letters) >= _DENSE else _MANY
