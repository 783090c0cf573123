"""Dialog of a project: name, icon, instructions, model and documents, and their cost in tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMargins, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.errors.app_error import expected_error
from app.core.events import CancelToken
from app.core.visible import clean_text
from app.features.document_library import DocumentLibrary
from app.features.files_to_read import FileToRead, Stage
from app.features.projects import ICONS, ChatPreambles, PreambleCost, PreambleCosts
from app.features.work.job_draft import FileFinished, FinishFile, JobDraft, JobDraftSession, RemoveFiles
from app.store.attachments import Attachment
from app.store.document_store import StoredDocument
from app.store.projects import Project
from app.ui.document.document_chip import DocumentChip
from app.ui.document.document_details import size_words
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number, join_facts, join_list
from app.ui.screen_reader import read_as
from app.ui.shared_labels import (
    ABOUT_A_TOKEN,
    ABOUT_TOKENS,
    CHOOSE_AN_ICON,
    DEFAULT,
    DOCUMENTS_LABEL,
    MODEL,
    NAME_ADDED,
    ONE_TOKEN,
    TOKEN_COUNT,
    UNDO,
    WAITS_LABEL,
)
from app.ui.shell import tasks
from app.ui.shell.notify import UNDO_MS, Notify
from app.ui.shell.picture_reading import PictureReading
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, IconPopup, text_button
from app.ui.widgets.dialogs import Dialog, ScrollBox
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.file_drop import FileDrop, FileDropAction
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import FlowLayout, fill_layout
from app.ui.widgets.notice_bar import Notice
from app.ui.widgets.row_list import clean_title
from app.ui.work.intake import Intake
from app.ui.work.picture_reading import PicturesLine

PROJECT_TOKEN = "Each chat starts with {count} token: {parts}. It’s read once and shared by all chats."
PROJECT_TOKENS = "Each chat starts with {count} tokens: {parts}. They’re read once and shared by all chats."
PROJECT_PASSAGES = "Documents too long for this model’s context are searched for each question."

MODEL_NOT_THERE = "{name} (missing)"
PROJECT_TOKEN_ESTIMATED = "Each chat starts with about {count} token: {parts}. Estimated, because no model is loaded."
PROJECT_TOKENS_ESTIMATED = "Each chat starts with about {count} tokens: {parts}. Estimated, because no model is loaded."
NOTHING_IN_PROMPT = "None of this is in the prompt yet."
INSTRUCTION_TOKENS = "instructions {count}"

WIDTH_PX = 500
TYPING_MS = 500


class ProjectDialog(Dialog):
    """Settings of a project, stored as they are typed or chosen."""

    def __init__(
        self,
        project: Project,
        preambles: ChatPreambles,
        documents: DocumentLibrary,
        costs: PreambleCosts,
        *,
        models: Sequence[tuple[str, str]],
        theme: Theme,
        notify: Notify,
        parent: QWidget,
        on_document_removed: Callable[[], object],
        read_on: Callable[[list[Any], list[Any]], object],
        on_change: Callable[[], object],
    ) -> None:
        super().__init__(parent)
        self.on_change, self.read_on = on_change, read_on
        """Takes the `FileToRead`, and paths still looked up, that the closed dialog left unread for the project."""
        self.on_document_removed = on_document_removed
        self._project, self._preambles, self._costs = project, preambles, costs
        self._theme, self._notify = theme, notify
        self.set_up_window("project_dialog", tr("Project"))
        self._icon = IconChoice(theme, project.icon, choose=lambda name: self._store(icon=name))
        self.name = QLineEdit(project.name[:200], maxLength=200)
        self.instructions = QPlainTextEdit(project.instructions)
        self.model = ChoiceButton(
            theme, tr(MODEL), self._models(models), shows_change=False, on_change=lambda path: self._store(model=path)
        )
        self.documents = ProjectFiles(
            project.id,
            preambles,
            documents,
            theme=theme,
            notify=notify,
            parent=self,
            on_removed=self.on_document_removed,
        )
        self.cost = plain_label(kind="muted", wraps=True)
        self._delay = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._counting: tasks.BackgroundTask | None = None
        self._lay_out()
        self._connect()
        self.name.selectAll()
        self.name.setFocus()
        self._count()

    def done(self, result: int) -> None:
        """Store pending edits and hand over the unread files before the dialog closes."""
        # What was typed in the last moment has not been stored.
        self._save_project()
        unread, dropped = self.documents.stop()
        if unread or dropped:
            self.read_on(unread, dropped)
        super().done(result)

    def _models(self, known: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        mine = self._project.model
        gone = [(mine, tr(MODEL_NOT_THERE, name=Path(mine).name))] if mine and mine not in dict(known) else []
        return [("", tr(DEFAULT)), *known, *gone]

    def _lay_out(self) -> None:
        theme, px = self._theme, self._theme.px
        self.name.setAccessibleName(tr("Name"))
        self.name.setFont(theme.font("body"))
        self.instructions.setAccessibleName(tr("Instructions"))
        self.instructions.setPlaceholderText(tr("Instructions for every answer in this project"))
        self.instructions.setTabChangesFocus(True)
        self.instructions.setFixedHeight(px(96))
        self.instructions.setFont(theme.font("body"))
        self.model.show_value(self._project.model)
        head, row = QHBoxLayout(), QHBoxLayout()
        fill_layout(head, self._icon, (self.name, 1))
        row.addWidget(self._heading(tr(MODEL), self.model.button), 1)
        row.addWidget(self.model)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(8))
        # The least width of the column, since wrapped labels have none.
        column.addStrut(px(WIDTH_PX - 48))
        fill_layout(column, head, self._muted(tr("Applies to every chat in this project.")))
        column.addSpacing(px(6))
        fill_layout(column, self._heading(tr("Instructions"), self.instructions), self.instructions)
        column.addSpacing(px(6))
        column.addLayout(row)
        column.addSpacing(px(6))
        column.addWidget(self.documents)
        column.addSpacing(px(4))
        column.addWidget(self.cost)
        self.cost.setFont(theme.font("small"))
        close = text_button(tr("Done"), "primary", on_click=self.accept, name="project_done")
        close.setDefault(True)
        foot = fill_layout(QHBoxLayout(), 1, close)
        around = QVBoxLayout(self)
        around.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        around.setContentsMargins(px(24), px(20), px(24), px(20))
        around.setSpacing(px(16))
        box = ScrollBox(inside, around.contentsMargins() + QMargins(0, 0, 0, px(16 + 40)))
        fade_ends(box, theme)
        fill_layout(around, box, foot)

    def _heading(self, words: str, field: QWidget) -> QLabel:
        label = QLabel(words)
        label.setFont(self._theme.font("section"))
        label.setBuddy(field)
        return label

    def _muted(self, words: str) -> QLabel:
        label = plain_label(words, kind="muted", wraps=True)
        label.setFont(self._theme.font("small"))
        return label

    def _connect(self) -> None:
        self._delay.timeout.connect(self._save_project)
        self.name.textEdited.connect(lambda _: self._delay.start())
        self.instructions.textChanged.connect(self._delay.start)
        self.documents.changed.connect(self._count)
        self.documents.changed.connect(self.on_change)
        drop = FileDrop(self._theme, lambda _files: [FileDropAction("project", tr("Add to the project"))], self)
        drop.dropped.connect(lambda files, _zone: self.documents.add(files))

    def _save_project(self) -> None:
        self._delay.stop()
        name = clean_title(clean_text(self.name.text())) or self._project.name
        instructions = clean_text(self.instructions.toPlainText())
        if (name, instructions) != (self._project.name, self._project.instructions):
            self._store(name=name, instructions=instructions)

    def _store(self, **values: Any) -> None:
        projects = self._preambles.projects
        with self._notify.guard():
            # The project may have been deleted elsewhere.
            if projects.get(self._project.id) is not None:
                projects.update(self._project.id, **values)
                self._project = projects.get(self._project.id) or self._project
        self.on_change()
        self._count()

    def _count(self) -> None:
        if self._counting is not None:
            self._counting.abandon()
        project, preambles, costs = self._project, self._preambles, self._costs
        self._counting = tasks.ask(
            lambda _token: preambles.cost_of(project, costs.tokens_of, costs.room_tokens),
            self,
            self._on_counted,
            self._on_failed,
        )

    def _on_counted(self, cost: PreambleCost) -> None:
        self._counting = None
        self.cost.setText(cost_words(cost))
        self.documents.show_cost(cost)

    def _on_failed(self, error: BaseException) -> None:
        self._counting = None
        # Nobody asked for the count, so an expected error shows no notice.
        expected_error(error)


def cost_words(cost: PreambleCost) -> str:
    """Return the text about the tokens that a project adds to every chat."""
    long = tr(PROJECT_PASSAGES)
    if not cost.tokens:
        return long if cost.searched else tr(NOTHING_IN_PROMPT)
    parts = [
        (tr(INSTRUCTION_TOKENS, count=format_number(cost.instructions)), cost.instructions),
        (tr("documents {count}", count=format_number(cost.whole_documents)), cost.whole_documents),
        (tr("memories {count}", count=format_number(cost.memories)), cost.memories),
    ]
    named = join_list(words for words, tokens in parts if tokens)
    if cost.is_exact:
        words = tr_count(PROJECT_TOKEN, PROJECT_TOKENS, cost.tokens, parts=named)
        return f"{words} {long}" if cost.searched else words
    return tr_count(PROJECT_TOKEN_ESTIMATED, PROJECT_TOKENS_ESTIMATED, cost.tokens, parts=named)


class IconChoice(QToolButton):
    """Button for the project's icon; opens a choice of all icons."""

    def __init__(self, theme: Theme, name: str, *, choose: Callable[[str], object]) -> None:
        super().__init__()
        self.choose, self._theme = choose, theme
        self.setObjectName("project_icon")
        self.setProperty("kind", "icon")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Icon"))
        self.setToolTip(tr(CHOOSE_AN_ICON))
        read_as(self, has_menu=True)
        self.clicked.connect(self.show_menu)
        theme.dress(self, size=(40, 40))
        self._show(name)

    def _show(self, name: str) -> None:
        self.name = name or ICONS[0]
        self._theme.dress(self, glyph=(self.name, "accent", 22))

    def show_menu(self) -> None:
        popup = IconPopup(self._theme, ICONS, self, now=self.name)
        popup.chosen.connect(self._choose)
        popup.show_below(self)

    def _choose(self, name: str) -> None:
        self._show(name)
        self.choose(name)


class ProjectFiles(QWidget):
    """Chips of the project's documents, including those being read."""

    changed = Signal()

    def __init__(
        self,
        project_id: int,
        preambles: ChatPreambles,
        documents: DocumentLibrary,
        *,
        theme: Theme,
        notify: Notify,
        parent: QWidget,
        on_removed: Callable[[], object],
    ) -> None:
        super().__init__(parent)
        self.on_removed = on_removed
        self._project_id, self._preambles, self._documents = project_id, preambles, documents
        self._theme, self._notify = theme, notify
        self._cost: PreambleCost | None = None
        self._session = JobDraftSession(
            {FinishFile: self._finish_file}, JobDraft(finishes_files=True, follows_model=False)
        )
        self._intake = Intake(self._session, self._read, theme, notify, window=parent)
        self._session.listen(self._on_files)
        self._seen: object = None
        self._reading: dict[int, DocumentChip] = {}
        """By the keys of their files."""
        heading = QLabel(tr(DOCUMENTS_LABEL))
        heading.setFont(theme.font("section"))
        self.add_button = text_button(
            tr("Add…"), "plain", on_click=lambda: self._intake.questions.ask_for_files(tr("Add documents"))
        )
        self.add_button.setObjectName("add_documents")
        self.add_button.setAccessibleName(tr("Add documents"))
        self.add_button.setFont(theme.font("control"))
        head = fill_layout(QHBoxLayout(), (heading, 1), self.add_button)
        self._chips = QWidget()
        self._chips.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._flow = FlowLayout(self._chips)
        self._nothing = plain_label(tr("Drop or add files. They’re read once for all chats."), kind="muted")
        self._nothing.setWordWrap(True)
        self._nothing.setFont(theme.font("small"))
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._pictures: PictureReading | None = None
        self._scans = PicturesLine(theme)
        for widget in (self._nothing, self._chips, self._scans):
            column.addWidget(widget)
        column.insertLayout(0, head)
        theme.dress(column, spacing=8)
        theme.dress(self._flow, spacing=6)
        self._show()

    def watch(self, pictures: PictureReading) -> None:
        """Connect the OCR of picture pages to the documents."""
        self._pictures = pictures
        self._scans.watch(pictures)
        pictures.renewed.connect(self._show)
        self._show()

    @property
    def chips(self) -> list[DocumentChip]:
        return [chip for chip in self._chips.findChildren(DocumentChip) if not chip.isHidden()]

    def add(self, files: Sequence[str | Path]) -> None:
        """Start reading files, and the files in folders."""
        self._intake.add(files)

    def stop(self) -> tuple[list[FileToRead], list[Path]]:
        """Stop reading. Return the files that are still unread, and the paths that are still looked up."""
        state = self._session.state
        unread, dropped = [file for file in state.files if file.is_on_its_way], state.awaited
        self._session.dispatch(RemoveFiles(tuple(file.key for file in (*unread, *dropped))))
        return unread, [path for file in dropped for path in file.paths]

    def show_cost(self, cost: PreambleCost) -> None:
        """Show the token cost on each document's chip."""
        self._cost = cost
        self._show()

    def _read(self, file: FileToRead, cancel: CancelToken) -> Iterator[object]:
        return self._documents.read_file(file.path, cancel, password=file.password, part=file.part)

    def _finish_file(self, effect: FinishFile) -> FileFinished:
        document = effect.part.document
        self._preambles.attached.add(self._project_id, document.id)
        announce(self, tr(NAME_ADDED, name=effect.part.name))
        if self._pictures is not None:
            self._pictures.begin_by_itself(document)
        self._show()
        self.changed.emit()
        return FileFinished(effect.part.key)

    def _on_files(self) -> None:
        seen = [(file.key, file.stage) for file in self._intake.files]
        if seen != self._seen:
            self._seen = seen
            self._show()
            return
        for file in self._intake.files:
            self._show_progress(file)

    def _show_progress(self, file: FileToRead) -> None:
        if file.stage is Stage.READING and file.key in self._reading:
            self._reading[file.key].show_progress(file.page, file.pages)

    def _remove(self, attachment: Attachment, name: str) -> None:
        def put_back() -> None:
            with self._notify.guard():
                self._preambles.attached.add(self._project_id, attachment.document_id)
            self._show()
            self.changed.emit()

        with self._notify.guard():
            self._preambles.attached.remove(attachment.id)
            self.on_removed()
            notice = Notice(self._theme, tr("Removed {name}.", name=name), UNDO_MS)
            notice.add_button(tr(UNDO), put_back, "plain")
            notice.left.connect(notice.deleteLater)
            # The window's notices are behind this dialog.
            self._column.addWidget(notice)
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        self._flow.clear()
        documents: list[StoredDocument] = []
        with self._notify.guard():
            for attachment in self._preambles.attached.list_documents(self._project_id):
                if (document := self._documents.store.get(attachment.document_id)) is not None:
                    documents.append(document)
                    remove = partial(self._remove, attachment, document.name)
                    self._add_chip(document.name, self._cost_words(document), remove)
        self._reading = {}
        for file in self._intake.files:
            chip = self._reading[file.key] = self._add_chip(
                file.name, tr(WAITS_LABEL), partial(self._intake.remove, file)
            )
            if file.stage is Stage.FAILED:
                chip.show_error(file.error)
            self._show_progress(file)
        self._scans.show_documents(documents)
        self._nothing.setVisible(not self._flow.count())
        self._chips.setVisible(bool(self._flow.count()))

    def _cost_words(self, document: StoredDocument) -> str:
        tokens = self._cost.documents.get(document.id) if self._cost is not None else None
        texts = (ONE_TOKEN, TOKEN_COUNT) if self._cost and self._cost.is_exact else (ABOUT_A_TOKEN, ABOUT_TOKENS)
        words = tr_count(*texts, tokens) if tokens is not None else ""
        is_long = self._cost is not None and document.id in self._cost.searched
        return join_facts((size_words(document), words, tr("passages only") if is_long else ""))

    def _add_chip(self, name: str, words: str, remove: Callable[[], object]) -> DocumentChip:
        chip = DocumentChip(self._theme)
        chip.show_name(name)
        chip.show_words(words)
        chip.set_removable(True)
        chip.remove_wanted.connect(remove)
        self._flow.addWidget(chip)
        chip.show()
        return chip
