"""The pseudo-language for tests of commands that run in this process."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from app.cli import main
from app.cli.parser_texts import translate_parsers
from app.core.catalogue import TextCatalogue, use_catalogue
from app.ui.pseudo_language import PseudoEntries


@pytest.fixture
def pseudo_language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is translated stands in brackets and accents, also where a command chooses its language itself."""
    catalogue = TextCatalogue("en", PseudoEntries())
    monkeypatch.setattr(main, "load_texts", lambda _language: catalogue)
    for name in ("_", "ngettext"):
        monkeypatch.setattr(argparse, name, vars(argparse)[name])
    use_catalogue(catalogue)
    translate_parsers()
    yield
    use_catalogue(TextCatalogue())
