"""Projects in the chat tab: creating, editing, deleting with undo, and starting chats in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from app.core.errors.app_error import AppError
from app.features.chat.context_fitting import budget_of
from app.features.file_reading import ReportParts
from app.features.files_to_read import FileToRead
from app.features.projects import ICONS, SESSION, PreambleCosts, model_of
from app.features.work.job_draft import AddFiles, AddWanted, FileFinished, FinishFile, JobDraft, JobDraftSession
from app.store.conversations import Conversations
from app.store.projects import Project, Projects
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shared_labels import NAME_ADDED, NEW_CHAT, NEW_PROJECT, RENAME
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.shown_texts import keep_words
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_caption, plain_tip
from app.ui.widgets.menus import Menu
from app.ui.work.intake import Intake

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.chat.open_chat import OpenChat
    from app.ui.shell.picture_reading import PictureReading

INSTRUCTIONS_DOCUMENTS = "Instructions, documents…"
NEW_PROJECT_ITEM = "New project…"
PROJECT_DELETED = "Project “{title}” deleted. Its chats were kept."
MOVE_TO_PROJECT = "Move to project"
OUT_OF_PROJECT = "Remove from project"

MOST_NAME = 40


class ProjectMenus(QObject):
    """Menus for projects in the chat list. Moves chats itself; other `actions` are those of `ProjectActions`."""

    actions: ProjectActions
    changed = Signal()
    """A chat was moved, or a project changed."""

    def __init__(
        self,
        theme: Theme,
        notify: Notify,
        conversations: Conversations,
        projects: Projects,
        parent: QObject,
        *,
        rename: Callable[[int], object],
    ) -> None:
        super().__init__(parent)
        self.rename = rename
        self._theme, self._notify, self._conversations, self._projects = theme, notify, conversations, projects

    def move_into(self, number: int, project_id: int | None) -> None:
        """Move a chat into a project, or out of any with None, and offer undo."""
        with self._notify.guard():
            chat, project = self._conversations.get(number), self._projects.get(project_id)
            if chat is not None and (project is not None or project_id is None):
                self._conversations.update(number, project_id=project_id)
                words = tr("Removed “{title}” from its project.", title=chat.title)
                if project is not None:
                    words = tr("Moved “{title}” to {project}.", title=chat.title, project=project.name)
                # Undo leads to where the chat was, which may be another project.
                self._notify.undo(words, lambda: self._put_back(number, chat.project_id))
        self.changed.emit()

    def menu_for_chat(self, number: int, inside: int | None, menu: QMenu) -> Menu:
        """Add a submenu of the projects a chat can move to; `inside` is its current one."""
        muted, accent = self._theme.tokens.muted, self._theme.tokens.accent
        into = Menu(menu, tr(MOVE_TO_PROJECT))
        into.setIcon(icon("folder", muted))
        for project in self._projects.all():
            move = partial(self.move_into, number, project.id)
            action = into.addAction(icon(project.icon or ICONS[0], accent), _short(project.name), move)
            action.setEnabled(project.id != inside)
        into.addSeparator()
        into.addAction(icon("folder-plus", muted), tr(NEW_PROJECT_ITEM), lambda: self._begin_with(number))
        if inside is not None:
            into.addAction(icon("x", muted), tr(OUT_OF_PROJECT), lambda: self.move_into(number, None))
        return into

    def menu_of(self, project: Project, parent: QWidget) -> Menu:
        muted, number, menu = self._theme.tokens.muted, project.id, Menu(parent, is_temporary=True)
        for glyph, words, do in (
            ("plus", tr(NEW_CHAT), partial(self.actions.open_new, number)),
            ("sliders-horizontal", tr(INSTRUCTIONS_DOCUMENTS), partial(self.actions.show_settings, number)),
            ("pencil-simple", tr(RENAME) + "\tF2", partial(self.rename, number)),
        ):
            menu.addAction(icon(glyph, muted), words, do)
        menu.addSeparator()
        words = tr("Delete project") + "\t" + tr("Del")
        menu.addAction(icon("trash", self._theme.tokens.danger), words, partial(self.actions.delete, number))
        return menu

    def _put_back(self, number: int, project_id: int | None) -> None:
        with self._notify.guard():
            self._conversations.update(number, project_id=project_id)
        self.changed.emit()

    def _begin_with(self, number: int) -> None:
        with self._notify.guard():
            project = self._projects.create(tr(NEW_PROJECT))
            self._conversations.update(number, project_id=project.id)
            self.changed.emit()
            self.actions.show_settings(project.id)


def _short(name: str) -> str:
    line = " ".join(name.split())
    return plain_caption(line if len(line) <= MOST_NAME else line[: MOST_NAME - 1] + "…")


class ProjectActions(QObject):
    """Runs what the project menus ask for: new projects, their dialog, and deletion with undo."""

    pictures: PictureReading | None = None
    """OCR of picture pages; None outside a full window."""

    def __init__(
        self,
        app: Fireside,
        theme: Theme,
        notify: Notify,
        folders: ProjectMenus,
        window: QWidget,
        *,
        open_new: Callable[[int], object],
    ) -> None:
        super().__init__(folders)
        self.open_new = open_new
        """A new chat in this project should be opened."""
        self._app, self._theme, self._notify, self._folders, self._window = app, theme, notify, folders, window
        folders.actions = self

    @cached_property
    def _unread(self) -> Intake:
        """Reads the files that a project's dialog left unread when it closed."""
        documents = self._app.documents
        session = JobDraftSession({FinishFile: self._finish_file}, JobDraft(finishes_files=True, follows_model=False))
        intake = Intake(
            session,
            lambda file, cancel: documents.read_file(file.path, cancel, password=file.password, part=file.part),
            self._theme,
            self._notify,
            window=self._window,
        )
        session.serve({ReportParts: self._explain_failed})
        return intake

    def begin(self) -> None:
        """Create a project and open its dialog, from which a chat in it can be started."""
        with self._notify.guard():
            project = self._app.preambles.projects.create(tr(NEW_PROJECT))
            self._folders.changed.emit()
            self.show_settings(project.id, is_new=True)

    def show_settings(self, project_id: int, *, is_new: bool = False) -> None:
        """Open the dialog for a project's name, icon, instructions, model and documents."""
        with self._notify.guard():
            if (project := self._app.preambles.projects.get(project_id)) is None:
                self._folders.changed.emit()
                return
            # When first opened.
            from app.ui.chat.project_dialog import ProjectDialog

            models = [(str(path), tr(name)) for path, name in self._app.names.list_choices()]
            app = self._app
            costs = PreambleCosts(
                lambda: app.engine, lambda loaded: budget_of(None, app.settings, loaded).prompt_tokens
            )
            dialog = ProjectDialog(
                project,
                self._app.preambles,
                self._app.documents,
                costs,
                models=models,
                theme=self._theme,
                notify=self._notify,
                parent=self._window,
                on_document_removed=lambda: self._forget(project_id),
                read_on=partial(self._read_on, project_id),
                on_change=self._folders.changed.emit,
            )
            if self.pictures is not None:
                dialog.documents.watch(self.pictures)
            if is_new:
                # `rejected` comes before `finished`, so a project that was dropped begins no chat.
                dialog.rejected.connect(lambda: self._drop_untouched(project))
                dialog.finished.connect(lambda _: self._begin_in(project_id))
            dialog.open()

    def delete(self, project_id: int) -> None:
        """Delete a project at once and offer undo; its chats stay."""
        projects = self._app.preambles.projects

        def bring_back() -> None:
            with self._notify.guard():
                projects.restore(project_id)
            self._folders.changed.emit()

        with self._notify.guard():
            if (project := projects.get(project_id)) is not None:
                projects.delete(project_id)
                words = tr(PROJECT_DELETED, title=project.name)
                self._notify.undo(words, bring_back)
                self._forget(project_id)
        self._folders.changed.emit()

    def _begin_in(self, project_id: int) -> None:
        """Start a chat in a project that was just created."""
        with self._notify.guard():
            if self._app.preambles.projects.get(project_id) is not None:
                self.open_new(project_id)

    def _read_on(self, project_id: int, unread: Sequence[FileToRead], dropped: Sequence[Path]) -> None:
        session = self._unread.session
        session.dispatch(AddWanted(tuple(replace(file, place=project_id) for file in unread)))
        session.dispatch(AddFiles(tuple(dropped), place=project_id))

    def _finish_file(self, effect: FinishFile) -> FileFinished:
        file, preambles = effect.part, self._app.preambles
        if preambles.projects.get(file.place) is not None:
            preambles.attached.add(file.place, file.document.id)
            self._notify.mention(tr(NAME_ADDED, name=file.name))
            if self.pictures is not None:
                self.pictures.begin_by_itself(file.document)
        self._folders.changed.emit()
        return FileFinished(file.key)

    def _explain_failed(self, effect: ReportParts) -> None:
        for file in effect.parts:
            self._unread.explain(file)
            self._unread.remove(file)

    def _drop_untouched(self, project: Project) -> None:
        preambles = self._app.preambles
        with self._notify.guard():
            # The dialog may have closed while a document for the project is still being read.
            state = self._unread.session.state
            is_read_for = any(file.place == project.id for file in (*state.files, *state.awaited))
            is_untouched = not is_read_for and preambles.projects.get(project.id) == project
            if is_untouched and not (
                preambles.attached.list_documents(project.id) or preambles.projects.chats_of(project.id)
            ):
                preambles.projects.discard(project.id)
        self._folders.changed.emit()

    def _forget(self, project_id: int) -> None:
        """Drop what the engine cached of the project's prompt."""
        session, app = SESSION.format(project_id), self._app
        # On a thread, because the engine may be busy.
        tasks.ask(lambda _token: app.pool.broadcast.forget_session(session), self, lambda _: None, self._notify.error)


class ProjectBanner(QPushButton):
    """Button above the composer with the visible chat's project; opens the project."""

    wanted = Signal(int)

    def __init__(self, theme: Theme, chat: OpenChat, *, on_model: Callable[[Any], object]) -> None:
        super().__init__()
        self.on_model = on_model
        """Gets the `Path` of the model of the visible chat's project, or None, each time that was read."""
        self._theme, self._chat = theme, chat
        self._project: Project | None = None
        self.setObjectName("project_banner")
        self.setProperty("kind", "quiet")
        self.setProperty("elides", True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        self.clicked.connect(lambda _=False: self.wanted.emit(self._project.id) if self._project else None)
        chat.shown.connect(self.refresh_project)
        self.hide()

    @property
    def project(self) -> Project | None:
        """Project of the visible chat as last read, or None."""
        return self._project

    def refresh_project(self) -> None:
        """Read the project again because the visible chat may have moved."""
        talk, number = self._chat.talk, self._chat.conversation_id
        try:
            chat = talk.conversations.get(number) if number is not None else None
            project = talk.preambles.project_of(chat, self._chat.session.state.project_id if number is None else None)
        # The error is told where the chat itself is read.
        except AppError:
            project = None
        self._project = None if talk.is_temporary else project
        self.setVisible(self._project is not None)
        self.on_model(model_of(self._project))
        if self._project is not None:
            name = " ".join(self._project.name.split())
            keep_words(self, "text").setText(_short(name))
            self.setAccessibleName(tr("In the project {name}", name=name))
            self.setToolTip(plain_tip(tr("In the project {name}: its instructions, model and documents", name=name)))
            self._theme.dress(self, font="control", glyph=(self._project.icon or ICONS[0], "accent", 16))
