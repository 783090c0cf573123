"""Spelling dictionaries that are on this computer, asked through the system's Hunspell library, where that is there.

Measured with en_US and de_DE: 0.1 s and 9 MB to load one, 1 to 60 µs for a word. The same dictionaries in pure Python
(spylls) take 2.3 and 5 s, 67 and 27 MB, up to 1.6 ms for a word and 27 s for a suggestion.
"""

from __future__ import annotations

import codecs
import ctypes
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

LONGEST_WORD = 60
"""Characters; Hunspell's time for suggestions grows with them."""
_NAMES = (
    *(f"libhunspell-1.{minor}.so.0" for minor in (7, 8, 6)),
    *(f"{folder}libhunspell-1.7.dylib" for folder in ("", "/opt/homebrew/lib/", "/usr/local/lib/")),
    "libhunspell-1.7-0.dll",
)
"""`ctypes.util.find_library` would start a compiler to look for it."""
_ENCODINGS = {"microsoft-cp1251": "cp1251", "tis620-2533": "tis-620", "iscii-devanagari": ""}
"""What Hunspell calls otherwise than Python; without a name such a dictionary is not used."""


def found_dictionaries() -> dict[str, Path]:
    """The affix file of every dictionary, by its code such as "en_US"; nothing where no library could read them.

    Of several names of one file the first by the alphabet counts, but for those of its own name.
    """
    if library() is None:
        return {}
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted(folder.glob("*.aff")) if folder.is_dir() else ():
            code = path.stem.replace("-", "_")
            if path.with_suffix(".dic").is_file() and code[:2].isalpha() and not code.startswith("hyph"):
                found.setdefault(code, path)
    real = {code: path for code, path in found.items() if path.resolve().stem == path.stem}
    known = {path.resolve() for path in real.values()}
    for code, path in found.items():
        if code not in real and path.resolve() not in known:
            real[code] = path
            known.add(path.resolve())
    return real


def folders() -> list[Path]:
    """Where dictionaries may be, the person's own first."""
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
def library() -> Any:
    """The system's library; None where there is none."""
    for name in _NAMES:
        try:
            found: Any = ctypes.CDLL(name)
        except OSError:
            continue
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


class Dictionary:
    """One that is loaded. Not for two threads at once; the library lets other threads run meanwhile.

    Raises ValueError where the library cannot read it, or its letters are none that Python knows.
    """

    def __init__(self, path: Path) -> None:
        self._library = library()
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

    def knows(self, word: str) -> bool:
        """Whether it is spelled as in the dictionary; a word that cannot be written in its letters is not."""
        try:
            return bool(self._library.Hunspell_spell(self._handle, word.encode(self._encoding)))
        except UnicodeEncodeError:
            return False

    def suggestions(self, word: str) -> list[str]:
        """Words like it, the likeliest first; takes 0.02 to 0.8 s."""
        found = ctypes.POINTER(ctypes.c_char_p)()
        try:
            count = self._library.Hunspell_suggest(self._handle, ctypes.byref(found), word.encode(self._encoding))
        except UnicodeEncodeError:
            return []
        words = [(found[place] or b"").decode(self._encoding, "replace") for place in range(count)]
        if count:
            self._library.Hunspell_free_list(self._handle, ctypes.byref(found), count)
        return words

    def close(self) -> None:
        """Gives its memory back; it can then be asked nothing more."""
        if self._handle:
            self._library.Hunspell_destroy(self._handle)
            self._handle = None
