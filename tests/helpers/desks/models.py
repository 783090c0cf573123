"""The Models view: its pages and their cards, the search of the Hub, one repository with its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QFrame, QLabel, QPushButton

from app.ui.models.fit_foot import FitFoot
from app.ui.models.hub_page import SearchPage
from app.ui.models.model_card import ModelCard
from app.ui.models.models_column import ModelsColumn
from app.ui.models.models_page import ModelsPage, StateView
from app.ui.models.models_tab import ModelsView
from app.ui.models.readme import CardView
from app.ui.models.repository import RepositoryPage
from app.ui.models.repository_files import FileList, FileRow
from app.ui.models.search_results import ResultList
from app.ui.models.storage import FolderRow, StoragePage, StorageRow
from app.ui.widgets.buttons import ChoiceButton
from app.ui.widgets.input_fields import CheckRow, SearchField
from app.ui.widgets.labels import ElidedLabel, ProgressStripe
from tests.helpers.desks.desk import Desk, Found

PAGES = ("suggested", "installed", "others", "downloads", "storage")


class StateDesk(Desk):
    """What is said in the place of a list, with its buttons."""

    state = Found(StateView)
    state_title = Found(QLabel, "state_title")
    state_text = Found(QLabel, "state_text")

    @property
    def said(self) -> str:
        """All of it."""
        return f"{self.state_title.text()} {self.state_text.text()}".strip()

    @property
    def buttons(self) -> list[str]:
        """What can be done about it."""
        return [button.text() for button in self.state.findChildren(QPushButton) if button.isVisible()]

    def press_button(self, text: str) -> None:
        """By its text, once it can be seen: a layout shows new buttons in the next turn."""
        self.wait(lambda: any(b.text() == text and b.isVisible() for b in self.every(QPushButton)))
        self.click(next(b for b in self.every(QPushButton) if b.text() == text and b.isVisible()))


class RepositoryDesk(StateDesk):
    """One repository of the Hub."""

    root: RepositoryPage

    title = Found(QLabel, "repository_title")
    facts = Found(QLabel, "repository_facts")
    versions = Found(QLabel, "versions")
    about = Found(QLabel, "about")
    gate = Found(QFrame, "gated")
    gate_text = Found(QLabel, "gate_text")
    gate_page = Found(QPushButton, "gate_page")
    gate_settings = Found(QPushButton, "gate_settings")
    files = Found(FileList)
    all_files = Found(QPushButton, "all_files")
    card = Found(CardView)
    card_told = Found(QLabel, "card_told")
    card_again = Found(QPushButton, "card_again")
    foot = Found(FitFoot)
    file_name = Found(ElidedLabel, "file_name")
    fit = Found(QLabel, "file_fit")
    exact = Found(QPushButton, "measure")
    retry = Found(QPushButton, "ask_again")
    download = Found(QPushButton, "download_file")

    @property
    def repository(self) -> Any:
        """What the Hub told of it; None before that."""
        return self.root.repository

    @property
    def model(self) -> Any:
        """The file that is chosen."""
        return self.root.model

    @property
    def pictures(self) -> CheckRow | None:
        """The tick for the file that reads pictures; None where there is none."""
        return self.foot.vision

    @property
    def file_rows(self) -> list[FileRow]:
        """Its files that are shown."""
        return self.files.rows

    @property
    def rows(self) -> list[str]:
        """What is said of them."""
        return [row.accessibleName() for row in self.file_rows]

    @property
    def chosen(self) -> str:
        """How small the chosen file's numbers are."""
        return next(row.model.tag for row in self.file_rows if row.isChecked())


class SearchDesk(StateDesk):
    """The search of the Hub, and what it leads to."""

    root: SearchPage

    title = Found(QLabel, "search_title")
    told = Found(QLabel, "search_told")
    stop = Found(QPushButton, "stop_search")
    more = Found(QPushButton, "show_more")
    more_told = Found(QLabel, "more_told")
    list = Found(ResultList)
    order = Found(ChoiceButton, "filter_order")
    size = Found(ChoiceButton, "filter_size")
    licence = Found(ChoiceButton, "filter_licence")
    pictures = Found(QPushButton, "filter_pictures")

    @property
    def repository(self) -> RepositoryDesk:
        """The one that was opened."""
        return RepositoryDesk(self.find_step(RepositoryPage), self.app, self.notify)

    @property
    def rows(self) -> list[str]:
        """The repositories that were found."""
        return [each.repo for each in self.list.results.found]

    @property
    def current_row(self) -> int:
        """Which of them is chosen."""
        return self.list.currentIndex().row()

    @property
    def scrolled(self) -> int:
        """How far one has scrolled."""
        return self.list.verticalScrollBar().value()

    def search_text(self, text: str) -> None:
        """Looks for it, and waits for the answer."""
        self.root.show_query(text)
        self.wait(lambda: not self.root.is_waiting)

    def press_in_list(self, *keys: Qt.Key) -> None:
        """Keys, after the keyboard went to the list."""
        self.list.setFocus()
        for key in keys:
            QTest.keyClick(self.list, key)


class ModelsDesk(Desk):
    """All pages, with the column that leads to them."""

    root: ModelsView

    folder_row = Found(FolderRow)
    folder_path = Found(ElidedLabel, "folder_path")
    move_state = Found(QLabel, "move_state")
    move_button = Found(QPushButton, "move_folder")
    stop_moving = Found(QPushButton, "stop_moving")

    def show(self, page: str) -> None:
        """A page by its name."""
        self.root.show_page(page)

    @property
    def shown(self) -> str:
        """The name of the page that is shown."""
        return self.root.page

    @property
    def column(self) -> ModelsColumn:
        """What stands at the left."""
        return self.root.column

    @property
    def search_field(self) -> SearchField:
        """Where one types what to look for on the Hub."""
        return self.column.search

    @property
    def searching(self) -> SearchPage:
        """The page of what was found on the Hub."""
        return self.root.search

    def link(self, page: str) -> QPushButton:
        """The button that leads to a page, and says how much is on it."""
        found = self.column.findChild(QPushButton, f"page_{page}")
        assert found is not None, page
        return found

    def page(self, name: str) -> ModelsPage:
        """A page, also while it is not shown."""
        found: ModelsPage = self.root._pages[name]
        return found

    def cards(self, page: str) -> list[ModelCard]:
        """The cards of a page."""
        return self.page(page).cards()

    def card(self, name: str) -> ModelCard:
        """The card of a model on the page that is shown."""
        return next(card for card in self.cards(self.shown) if card.name.text() == name)

    def lead(self, page: str) -> str:
        """The sentence at the top of a page."""
        return self.page(page).lead.text()

    def empty(self, page: str) -> QLabel:
        """What a page says when there is nothing on it."""
        return self.page(page).empty

    @property
    def storage_rows(self) -> dict[str, StorageRow]:
        """What takes room, by its name."""
        return self.find_step(StoragePage).storage

    @property
    def move_line(self) -> ProgressStripe:
        """How far the move to another disk is."""
        return self.folder_row.findChild(ProgressStripe)

    def move_models(self, folder: Path) -> None:
        """Chooses another folder for the models."""
        self.click(self.move_button)
        dialog = self.folder_row.findChild(QFileDialog, "move_models_dialog")
        assert dialog is not None
        dialog.fileSelected.emit(str(folder))
        dialog.reject()
