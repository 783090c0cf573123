"""The panel that looks into the model: its pages, what is looked at, the tokens and what could have come."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton, QWidget

from app.core.catalogue import tr
from app.ui.i18n import label_value
from app.ui.inside.flow import TokenFlow, TokenPiece
from app.ui.inside.inside_panel import InsidePanel
from app.ui.inside.look import StateRow
from app.ui.inside.tokens import Choices
from app.ui.widgets.buttons import ChoiceButton
from app.ui.widgets.input_fields import PlainEdit
from tests.helpers.desks.desk import NO_KEYS, Desk, Found


class InsideDesk(Desk):
    """One panel, wherever it stands."""

    root: InsidePanel

    choice = Found(ChoiceButton, "inside_choice")
    own_text = Found(PlainEdit, "own_text_field")
    flow = Found(TokenFlow, "token_flow")
    state = Found(StateRow)
    counts_line = Found(QLabel, "token_counts")
    figures_line = Found(QLabel, "figures")
    note_line = Found(QLabel, "look_note")
    detail_token = Found(QLabel, "detail_token")
    detail_about = Found(QLabel, "detail_about")
    read_again = Found(QPushButton, "read_again")
    choices = Found(Choices)

    def show_page(self, label: str) -> None:
        """Presses the page's name."""
        self.click(self.button(label_value(tr("Page"), tr(label))))

    @property
    def looks_at(self) -> str:
        """What is looked at, in the words of its button."""
        return self.choice.button.text()

    @property
    def offered(self) -> list[str]:
        """Everything that can be looked at."""
        menu = self.choice.menu_now()
        words = [action.text() for action in menu.actions()]
        menu.close()
        return words

    def look_at(self, label: str) -> None:
        """Chooses it in the menu."""
        self.choose(self.choice.menu_now(), label)

    def type_own(self, text: str) -> None:
        """A text of one's own."""
        self.look_at("Your own text")
        QTest.keyClicks(self.own_text, text)

    @property
    def own_file(self) -> str:
        """The text file that is looked at."""
        return self.find_step(QLabel, "own_file").text()

    # Tokens.

    @property
    def pieces(self) -> Sequence[TokenPiece]:
        """The tokens as they are shown."""
        return self.flow.pieces

    @property
    def tokens(self) -> list[str]:
        """What they say."""
        return [piece.text for piece in self.pieces]

    def wait_for(self, *tokens: str) -> None:
        """Until exactly these are shown."""
        self.wait(lambda: self.tokens == list(tokens))

    def point_at(self, number: int) -> None:
        """With the pointer."""
        QTest.mouseMove(self.flow.viewport(), self.flow.rect_of(number).center())

    def click_token(self, number: int) -> None:
        """With the mouse."""
        QTest.mouseClick(self.flow.viewport(), Qt.MouseButton.LeftButton, NO_KEYS, self.flow.rect_of(number).center())

    def press_token(self, key: Qt.Key) -> None:
        """A key while the keyboard is in the tokens."""
        self.flow.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(self.flow, key)

    @property
    def detail(self) -> str:
        """What is said of the token that is pointed at."""
        return f"{self.detail_token.text()} {self.detail_about.text()}".strip()

    @property
    def counts(self) -> str:
        """How many tokens there are."""
        return self.counts_line.text()

    def copy(self) -> str:
        """The text that is shown, by way of the clipboard."""
        self.click(self.button("Copy the text"))
        return QGuiApplication.clipboard().text()

    # Probabilities.

    @property
    def figures(self) -> str:
        """Perplexity and bits per byte."""
        return "" if self.figures_line.isHidden() else self.figures_line.text()

    @property
    def note(self) -> str:
        """Where the numbers come from."""
        return self.note_line.text()

    @property
    def is_reading_offered(self) -> bool:
        """Whether an answer can be read again."""
        return self.read_again.isVisible()

    @property
    def choosable(self) -> list[str]:
        """The tokens that the answer could go on with."""
        return [one.text() for one in self.choices.findChildren(QPushButton) if one.isVisible()]

    @property
    def others(self) -> list[str]:
        """Those that are only told."""
        return [one.text() for one in self.choices.findChildren(QLabel) if "%" in one.text() and one.isVisible()]

    def go_on_with(self, text: str) -> None:
        """Chooses another token by its beginning."""
        self.click(next(one for one in self.choices.findChildren(QPushButton) if one.text().startswith(text)))

    # What is waited for, and what went wrong.

    @property
    def said(self) -> str:
        """The line of the page that says so."""
        return self.state.text

    def press_state(self) -> None:
        """What that line offers."""
        self.click(self.state.findChild(QAbstractButton, "look_action"))

    @property
    def page(self) -> QWidget:
        """The page that is shown."""
        return self.root._pages[self.root.page]
