"""Two small spelling dictionaries, in the place of those that the system may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.language.hunspell import library

ENGLISH = (
    "the quick brown fox jumps over lazy dog and is it's don't world hello a state of art thing you think receives "
    "this words in it message my with are an answer which of for that by from as be have to not they was were"
)
GERMAN = "das ist ein Haus und die Straße schön der Satz auf Deutsch mit einem Fehler nicht wir sind sich den für im zu"


def use_dictionaries(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """English and German are the only ones; skips where there is no Hunspell."""
    if library() is None:
        pytest.skip("the system has no Hunspell")
    folder.mkdir()
    for code, words, encoding in (("en_US", ENGLISH, "UTF-8"), ("de_DE", GERMAN, "ISO8859-1")):
        listed = words.split()
        (folder / f"{code}.aff").write_text(f"SET {encoding}\nTRY esianrtolcdugmphbyfvkwz\n", "utf-8")
        (folder / f"{code}.dic").write_text(f"{len(listed)}\n" + "\n".join(listed), encoding.replace("ISO", "iso-"))
    monkeypatch.setenv("DICPATH", str(folder))
    monkeypatch.setenv("XDG_DATA_DIRS", str(folder / "none"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "none"))
