"""Check spelling: find misspelled words, in the language of each sentence, and suggest corrections.

Uses this computer's dictionaries through the system's Hunspell library, if installed. Measured with en_US and de_DE:
0.1 s and 9 MB to load one, 1 to 60 µs a word. The same dictionaries in pure Python (spylls) take 2.3 and 5 s, 67 and
27 MB, up to 1.6 ms a word and 27 s a suggestion.
"""

from __future__ import annotations

import codecs
import ctypes
import locale
import logging
import os
import re
import sys
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from app.core.paths import disk_problem, make_folder
from app.core.synced_files import place_file
from app.language.language_detection import language_by_words
from app.language.language_names import base_code
from app.language.scripts import count_script, script_of
from app.language.sentences import split_sentences
from app.store.encrypted_files import store_file

LONGEST_WORD = 60
"""Characters; Hunspell's time for suggestions grows with them."""
_NAMES = (
    *(f"libhunspell-1.{minor}.so.0" for minor in (7, 8, 6)),
    *(f"{folder}libhunspell-1.7.dylib" for folder in ("", "/opt/homebrew/lib/", "/usr/local/lib/")),
    "libhunspell-1.7-0.dll",
)
"""`ctypes.util.find_library` would start a compiler to look for it."""
_ENCODINGS = {"microsoft-cp1251": "cp1251", "tis620-2533": "tis-620", "iscii-devanagari": ""}
"""Hunspell's names of encodings that Python names otherwise; dictionaries in unknown ones are skipped."""


def found_dictionaries() -> dict[str, Path]:
    """Return every dictionary's affix file by code such as "en_US"; empty without a library to read them.

    Of several names of one file the alphabetically first counts, unless one is its own.
    """
    if load_library() is None:
        # A dictionary without its library is no use to anyone.
        return {}
    found: dict[str, Path] = {}
    for folder in dictionary_folders():
        for path in sorted(folder.glob("*.aff")) if folder.is_dir() else ():
            code = path.stem.replace("-", "_")
            if path.with_suffix(".dic").is_file() and code[:2].isalpha() and not code.startswith("hyph"):
                found.setdefault(code, path)
    # Many systems have one file under ten names, such as en_AU for en_GB.
    real = {code: path for code, path in found.items() if path.resolve().stem == path.stem}
    known = {path.resolve() for path in real.values()}
    for code, path in found.items():
        if code not in real and path.resolve() not in known:
            real[code] = path
            known.add(path.resolve())
    return real


def dictionary_folders() -> list[Path]:
    """Return the folders to search for dictionaries, the user's own first."""
    # Hunspell's own variable, for dictionaries in other places.
    named = [Path(part) for part in os.environ.get("DICPATH", "").split(os.pathsep) if part]
    if sys.platform == "darwin":
        return [*named, Path.home() / "Library" / "Spelling", Path("/Library/Spelling")]
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    shared = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    return [
        *named,
        *(Path(part, kind) for part in (data, *shared) for kind in ("hunspell", "myspell", "myspell/dicts")),
    ]


@cache
def load_library() -> Any:
    """Load the system's Hunspell library; None if there is none."""
    for name in _NAMES:
        try:
            found: Any = ctypes.CDLL(name)
        except OSError:
            continue
        # Without types ctypes passes pointers as 32-bit numbers.
        pointers = ctypes.POINTER(ctypes.POINTER(ctypes.c_char_p))
        for function, result, arguments in (
            ("create", ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_char_p)),
            ("destroy", None, (ctypes.c_void_p,)),
            ("spell", ctypes.c_int, (ctypes.c_void_p, ctypes.c_char_p)),
            ("get_dic_encoding", ctypes.c_char_p, (ctypes.c_void_p,)),
            ("suggest", ctypes.c_int, (ctypes.c_void_p, pointers, ctypes.c_char_p)),
            ("free_list", None, (ctypes.c_void_p, pointers, ctypes.c_int)),
        ):
            getattr(found, f"Hunspell_{function}").restype = result
            getattr(found, f"Hunspell_{function}").argtypes = arguments
        return found
    return None


class LoadedDictionary:
    """A loaded Hunspell dictionary.

    Not thread-safe; the library releases the GIL. Raises ValueError if the library can't read it, or Python doesn't
    know its encoding.
    """

    def __init__(self, path: Path) -> None:
        self._library = load_library()
        if self._library is None:
            raise ValueError("no library")
        files = [os.fsencode(path), os.fsencode(path.with_suffix(".dic"))]
        self._handle = self._library.Hunspell_create(*files)
        if not self._handle:
            raise ValueError(path)
        name = self._library.Hunspell_get_dic_encoding(self._handle).decode("ascii", "replace")
        try:
            self._encoding = codecs.lookup(_ENCODINGS.get(name.lower(), name)).name
        except LookupError as error:
            self.close()
            raise ValueError(name) from error

    def knows_word(self, word: str) -> bool:
        """Return whether a word is spelled correctly; False if the dictionary's encoding can't express it."""
        try:
            return bool(self._library.Hunspell_spell(self._handle, word.encode(self._encoding)))
        except UnicodeEncodeError:
            # A letter that the dictionary's encoding lacks is in no word of it.
            return False

    def suggest_words(self, word: str) -> list[str]:
        """Return similar words, likeliest first; takes 0.02 to 0.8 s."""
        found = ctypes.POINTER(ctypes.c_char_p)()
        try:
            count = self._library.Hunspell_suggest(self._handle, ctypes.byref(found), word.encode(self._encoding))
        except UnicodeEncodeError:
            return []
        words = [(found[place] or b"").decode(self._encoding, "replace") for place in range(count)]
        # The library's list is freed by the library.
        if count:
            self._library.Hunspell_free_list(self._handle, ctypes.byref(found), count)
        return words

    def close(self) -> None:
        """Free the dictionary's memory; it can't be used afterwards."""
        if self._handle:
            self._library.Hunspell_destroy(self._handle)
            self._handle = None


log = logging.getLogger(__name__)

MOST_SUGGESTIONS = 5
MOST_CANDIDATES = 4
"""Dictionaries that one sentence is held against."""
LEAST_KNOWN = 0.5
"""Of the words of a sentence; where fewer are known it is in a language that no dictionary here has."""
FEW_WORDS = 4
"""With fewer nothing of that kind can be said, but by the text around them."""
REMEMBERED = 20_000
Span = tuple[int, int]
_FENCE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
_LEFT_ALONE = re.compile(
    r"`[^`\n]+`"  # code
    r"|\$[^$\n]+\$"  # formulas
    r"|\{[^{}\n]+\}"  # what a prompt asks for
    r"|<[^<>\n]+>"  # markup
    r"|\[[^\]\n]*\]\([^)\s]*\)"  # links with their addresses
)
_TOKEN = re.compile(r"\S+")
_ENDS = ".,;:!?…\"'()[]“”„‟‘’‚«»‹›*_~-–—"
_SIGNS = re.compile(r"[\d_@\\/=<>{}|#$%^*+~&:.()\[\]]")
"""Inside a token these say that it is an address, a name of a file, a number or code."""
_PARTS = re.compile(r"[^\-‐‑–—,;!?…\"“”„«»‹›]+")
_CAMEL = re.compile(r"[^\W\d_][A-Z]")


class SpellChecker:
    """Check spelling with this computer's dictionaries; from any thread, one at a time.

    Dictionaries load on first use. `words` is the file of the user's own words, one a line. `wanted` are language
    codes, likeliest first.
    """

    def __init__(self, words: Path, wanted: Sequence[str] = ()) -> None:
        self._words_path, self._languages = words, wanted or _of_system()
        self._lock = threading.RLock()
        self._paths: dict[str, Path] | None = None
        """The affix files by the code of a language, without its country."""
        self._loaded: dict[str, LoadedDictionary | None] = {}
        self._known: dict[tuple[str, str], bool] = {}
        self._own_words: set[str] | None = None

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages there are dictionaries for, the likeliest first."""
        with self._lock:
            if self._paths is None:
                self._paths = _by_language(self._languages)
            return tuple(self._paths)

    def find_misspelled(self, text: str, start: int = 0, end: int | None = None) -> list[Span]:
        """Return the ranges of misspelled words between two positions; code, addresses and the like are skipped."""
        # Without any language nothing can be told, and nothing is marked.
        if not self.languages:
            return []
        end = len(text) if end is None else end
        left_alone = _unchecked_spans(text, start, end)
        found: list[Span] = []
        # The text's language stands in for sentences too short to tell.
        usual = language_by_words(text[start:end])
        # Each in its own language: people quote.
        for first, last in split_sentences(text[start:end]):
            words = list(_checked_words(text, start + first, start + last, left_alone))
            code = self._language_of(text[start + first : start + last], [word for _, word in words], usual)
            if code:
                found += [(at, at + len(word)) for at, word in words if not self._knows_word(code, word)]
        return found

    def suggest_words(self, text: str, start: int, end: int) -> list[str]:
        """Suggest corrections for a word of a text, likeliest first; takes up to 1 s."""
        word = text[start:end]
        first, last = next(
            (sentence for sentence in split_sentences(text) if sentence[0] <= start < sentence[1]), (0, len(text))
        )
        words = [word for _, word in _checked_words(text, first, last, _unchecked_spans(text, first, last))]
        code = self._language_of(text[first:last], words, language_by_words(text))
        with self._lock:
            # A dictionary is loaded and asked by one thread at a time.
            dictionary = self._load_dictionary(code) if code and len(word) <= LONGEST_WORD else None
            found = dictionary.suggest_words(_plain_word(word)) if dictionary is not None else []
        return found[:MOST_SUGGESTIONS]

    @property
    def own_words(self) -> set[str]:
        with self._lock:
            if self._own_words is None:
                try:
                    self._own_words = {
                        line for line in self._words_path.read_text("utf-8", "replace").splitlines() if line
                    }
                except OSError:
                    self._own_words = set()
            return self._own_words

    def add_word(self, word: str) -> None:
        """Add a word to the user's own. Raises DiskFull or FolderNotWritable; it then counts until quit."""
        with self._lock:
            self._save_words(self.own_words | {_plain_word(word)})

    def remove_word(self, word: str) -> None:
        with self._lock:
            self._save_words(self.own_words - {_plain_word(word)})

    def _save_words(self, words: set[str]) -> None:
        self._own_words = words
        try:
            make_folder(self._words_path.parent)
            # Written beside and renamed: the person's words are never half there.
            scratch = self._words_path.with_name(f".{self._words_path.name}.part")
            scratch.write_text("".join(f"{word}\n" for word in sorted(words)), "utf-8")
            place_file(scratch, self._words_path)
            store_file(self._words_path)
        except OSError as error:
            raise disk_problem(error, self._words_path.parent) from error

    def _language_of(self, sentence: str, words: Sequence[str], usual: str) -> str:
        """Return the code of the dictionary for a sentence; "" if none fits."""
        letters = sum(map(str.isalpha, sentence))
        # Only dictionaries of the sentence's script; most of its letters decide.
        codes = [code for code in self.languages if 2 * count_script(script_of(code), sentence) > letters]
        if (said := language_by_words(sentence)) in codes:
            return said
        codes.sort(key=lambda code: code != usual)  # else in their order
        shares = {code: self._known_share(code, words) for code in codes[:MOST_CANDIDATES]}
        best = max(shares, key=lambda code: shares[code], default="")
        is_likely = len(words) < FEW_WORDS and (not usual or usual in codes)
        # A few unknown words in a short sentence say little; in a long one they are another language.
        is_clear = is_likely or shares.get(best, 0) >= LEAST_KNOWN
        return best if best and is_clear else ""

    def _known_share(self, code: str, words: Sequence[str]) -> float:
        return sum(self._knows_word(code, word) for word in words) / max(1, len(words))

    def _knows_word(self, code: str, word: str) -> bool:
        plain = _plain_word(word)
        with self._lock:
            # Added in small letters, a word counts at a sentence's beginning, too.
            if plain in self.own_words or plain.casefold() in self.own_words:
                return True
            key = (code, plain)
            if key not in self._known:
                if len(self._known) >= REMEMBERED:
                    # All at once: what is looked up next is the text on the screen.
                    self._known.clear()
                dictionary = self._load_dictionary(code)
                # A dictionary that can't be read marks nothing.
                self._known[key] = dictionary is None or len(plain) > LONGEST_WORD or dictionary.knows_word(plain)
            return self._known[key]

    def _load_dictionary(self, code: str) -> LoadedDictionary | None:
        """Load a dictionary; None if it is unreadable, and its words then count as correct."""
        if code not in self._loaded and self._paths is not None:
            try:
                self._loaded[code] = LoadedDictionary(self._paths[code])
            except ValueError as error:
                log.info("a dictionary cannot be used: %r", error)
                self._loaded[code] = None
        return self._loaded.get(code)


def _of_system() -> tuple[str, ...]:
    """Return the system's language, and English."""
    found = locale.getlocale()[0] or ""
    return (found, "en_US") if found and found != "C" else ("en_US",)


def _by_language(wanted: Sequence[str]) -> dict[str, Path]:
    """Choose one dictionary per language: the wanted country's, else the language's home country's."""
    found = found_dictionaries()
    order = sorted(
        # The home country's, such as de_DE before de_AT.
        found,
        key=lambda code: (code not in wanted, code not in ("en_US", f"{code[:2]}_{code[:2].upper()}")),
    )
    chosen: dict[str, Path] = {}
    for code in order:
        chosen.setdefault(base_code(code), found[code])
    first = [base_code(code) for code in wanted]
    return dict(sorted(chosen.items(), key=lambda one: first.index(one[0]) if one[0] in first else len(first)))


def _unchecked_spans(text: str, start: int, end: int) -> list[Span]:
    """Code, formulas, markup and variables; a block of code may begin long before."""
    # A block of code may begin long before what is seen.
    fences = [found.span() for found in _FENCE.finditer(text, 0, end) if found.end() > start]
    return fences + [found.span() for found in _LEFT_ALONE.finditer(text, start, end)]


def _checked_words(text: str, start: int, end: int, left_alone: Sequence[Span]) -> Iterator[tuple[int, str]]:
    """Yield the words to look up, with their positions."""
    for token in _TOKEN.finditer(text, start, end):
        if any(first < token.end() and token.start() < last for first, last in left_alone):
            continue
        core = token[0].strip(_ENDS)
        # Addresses, file names, numbers and code are no words.
        if not core or "()" in token[0] or _SIGNS.search(core) or _CAMEL.search(core):
            continue
        at = token.start() + token[0].index(core)
        for part in _PARTS.finditer(core):
            word = part[0].strip("'’‘")
            # Abbreviations in capitals are in no dictionary.
            if len(word) > 1 and not word.isupper() and all(_is_of_word(sign) for sign in word):
                yield at + part.start() + part[0].index(word), word


def _is_of_word(sign: str) -> bool:
    return sign.isalpha() or sign in "'’\u200c\u200d" or unicodedata.category(sign).startswith("M")


def _plain_word(word: str) -> str:
    """Normalise a word for dictionaries: NFC, straight apostrophe."""
    # The typographic apostrophe isn't in the dictionaries' encodings.
    return unicodedata.normalize("NFC", word.replace("’", "'"))
