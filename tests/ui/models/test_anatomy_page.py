"""A model from the inside: parts, numbers with sentences and formulas, and files that say little or are gone."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.core.paths import starter_model
from app.features.inside.anatomy import anatomy_of
from app.ui.models.anatomy_view import AnatomyPage, FactRow, PartRow
from app.ui.models.model_facts import (
    BITS_PER_WEIGHT,
    HEADS_PER_LAYER,
    KEY_SIZE,
    LAYERS,
    MEMORY_PER_TOKEN,
    NOT_SAID,
    VOCABULARY,
    facts_of,
    memory_formula,
)
from app.ui.shared_labels import CONTEXT, STARTER
from app.ui.text.formula import FormulaView
from tests.helpers.models_on_disk import write_model
from tests.helpers.tiny_models import make_tiny
from tests.ui.models.stand_in import Pages


def open_starter(pages: Pages, qtbot: QtBot) -> AnatomyPage:
    pages.show("installed")
    pages.wait(lambda: bool(pages.cards("installed")))
    qtbot.mouseClick(pages.card(STARTER).buttons["inside"], Qt.MouseButton.LeftButton)
    page = pages.find_step(AnatomyPage)
    pages.wait(lambda: any(row.isVisible() for row in page.findChildren(FactRow)))
    return page


def rows(page: AnatomyPage) -> dict[str, FactRow]:
    return {row.fact.term: row for row in page.findChildren(FactRow) if row.isVisible()}


def test_look_inside_shows_parts_and_numbers_with_a_sentence_each(pages: Pages, qtbot: QtBot) -> None:
    page = open_starter(pages, qtbot)
    assert pages.shown == "anatomy"
    assert page.title.text() == STARTER
    found = rows(page)
    assert found[LAYERS].value.text() == "30"
    assert found[HEADS_PER_LAYER].value.text() == "9"
    assert found[KEY_SIZE].value.text() == "64"
    assert found[VOCABULARY].value.text() == "49,152"
    assert "23 kB" in found[MEMORY_PER_TOKEN].value.text()
    assert "189 MB" in found[MEMORY_PER_TOKEN].meaning.text()
    assert "Q8_0" in found[BITS_PER_WEIGHT].meaning.text()
    said = [fact.term for fact in facts_of(anatomy_of(starter_path()))]
    assert all(found[term].meaning.text() for term in said)
    shares = [row.share.text() for row in page.findChildren(PartRow)]
    assert shares == sorted(shares, key=lambda text: -float(text.strip("<% ")))
    assert len(shares) == 4


def starter_path() -> Path:
    path = starter_model()
    assert path is not None
    return path


def test_formulas_stand_where_they_help(pages: Pages, qtbot: QtBot) -> None:
    page = open_starter(pages, qtbot)
    formulas = page.findChildren(FormulaView)
    pages.wait(lambda: all(formula.is_drawn for formula in formulas))
    terms = [term for term, row in rows(page).items() if row.formula is not None]
    assert terms == [VOCABULARY, HEADS_PER_LAYER, KEY_SIZE, MEMORY_PER_TOKEN]
    assert all(formula.accessibleName() for formula in formulas)


def test_what_a_file_does_not_say_is_said_to_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "odd.gguf"
    write_model(path, "Odd")
    found = anatomy_of(path)
    values = {fact.term: fact.value for fact in facts_of(found)}
    assert values[LAYERS] == values[HEADS_PER_LAYER] == values[CONTEXT] == NOT_SAID
    assert values[MEMORY_PER_TOKEN] == "none"
    assert [fact.formula for fact in facts_of(found) if fact.term.startswith(("Heads", "Size of a key"))] == [None] * 2
    assert found.about == ()


def test_the_memory_of_a_token_is_the_product_that_is_shown(tmp_path: Path) -> None:
    found = anatomy_of(make_tiny("llama", tmp_path / "tiny.gguf"))
    latex, _ = memory_formula(found)
    assert latex.startswith(r"\text{2} \cdot \text{2} \cdot \text{2} \cdot \text{16} \cdot \text{2} = \text{256 bytes}")


def test_what_a_file_says_of_itself_is_plain_text(pages: Pages, qtbot: QtBot, tmp_path: Path) -> None:
    page = open_starter(pages, qtbot)
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in page.findChildren(QLabel))
