"""Names that are proposed for files to save are in the language of the window."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.installed_languages import load_texts
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.glossary_panel import GlossaryFiles

UI = Path(__file__).parents[2] / "app" / "ui"
_WORD = re.compile(r"(?<![.%])\b[A-Za-z]{2,}")


def test_a_glossary_is_proposed_under_its_german_name(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    use_catalogue(load_texts("de"))
    try:
        dialog = GlossaryFiles(Notify(Theme("light")), window).ask_to_export((), "de-en")
    finally:
        use_catalogue(TextCatalogue())
    assert Path(dialog.selectedFiles()[0]).name == "Glossar de-en.csv"
    dialog.close()


def test_no_proposed_name_has_a_word_that_is_not_translated() -> None:
    faults = [
        f"{path.relative_to(UI)}:{text.lineno}: {text.value}"
        for path in sorted(UI.rglob("*.py"))
        for proposed in proposed_names(ast.parse(path.read_text("utf-8")))
        for text in literal_texts(proposed)
        if _WORD.search(str(text.value))
    ]
    assert faults == []


def proposed_names(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what is given to save dialogs as the name of a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "offered")
            if isinstance(node.func, ast.Attribute) and node.func.attr == "selectFile":
                yield from node.args


def literal_texts(proposed: ast.AST) -> Iterator[ast.Constant]:
    """Yield the texts of an expression that no function is given."""
    if isinstance(proposed, ast.Constant) and isinstance(proposed.value, str):
        yield proposed
    if isinstance(proposed, ast.Call):
        if getattr(proposed.func, "id", "") == "file_name":
            for argument in proposed.args:
                yield from literal_texts(argument)
        return
    for child in ast.iter_child_nodes(proposed):
        yield from literal_texts(child)
