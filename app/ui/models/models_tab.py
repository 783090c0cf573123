"""The Models tab: pages and column, connected to loader, downloads and window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from app.core.errors.app_error import EnvironmentProblem
from app.core.paths import starter_model
from app.features.models.estimate import (
    SLOW,
    TOO_LARGE,
    download_minutes,
    download_words,
    pace_words,
    speed_words,
    verdict_words,
)
from app.features.models.installed import PASSAGES, embeds_texts
from app.features.models.model_messages import format_gigabytes
from app.hub.model_files import quantization_of
from app.ui.i18n import InContext, sentence_for, size_text, tr, tr_count
from app.ui.model_texts import join, problem_words, quantization_label, senses_words, state_words
from app.ui.models.download_rows import DownloadsPage
from app.ui.models.fit_column import fit_token
from app.ui.models.installed_page import InstalledPage
from app.ui.models.model_card import ModelCard
from app.ui.models.models_column import ModelsColumn
from app.ui.models.models_page import WAYS_TO_COMPARE, ModelsPage
from app.ui.models.storage import StoragePage
from app.ui.shared_labels import (
    CANCEL,
    DETAILS,
    DOWNLOAD,
    DOWNLOAD_SIZE,
    IN_USE,
    MODELS,
    ON_THIS_COMPUTER,
    PAUSE,
    RESUME,
    TRY_AGAIN,
)
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words
from app.ui.shell.tab_spec import CHAT, Tab, UiContext
from app.ui.theme import EDGE_PX
from app.ui.widgets.input_fields import SegmentedControl
from app.ui.widgets.layouts import drop_focus

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.models.collection import ModelSuggestion
    from app.features.models.installed import InstalledFile
    from app.hub.catalog import CatalogEntry
    from app.hub.download import Download
    from app.ui.inside.how_it_works import HowItWorks
    from app.ui.models.anatomy_view import AnatomyPage
    from app.ui.models.blind import BlindPage
    from app.ui.models.compare_page import ComparePage
    from app.ui.models.hub_page import SearchPage
    from app.ui.models.model_disk_dialog import DiskModels

SPEED, NEEDS, SIZE = "Speed", "Needs", "Size"
MODEL_ADDED = "Added “{name}” to your models."


LIMIT = 3
LEAST_PX = 210
"""Width of a card's longest unbreakable text."""
_TASKS = (
    ("chat", "Chat"),
    ("summarize", "Summarize"),
    ("translate", "Translate"),
    (PASSAGES, InContext("task of a model", "Passages")),
)
USE_LABELS = {
    "chat": "Use in chat",
    "summarize": "Use to summarize",
    "translate": "Use to translate",
    PASSAGES: "Use for search",
}


class SuggestedPage(ModelsPage):
    """Suggested models. Nothing is downloaded without a click; a running download shows on its card."""

    use_wanted = Signal(str, object)
    """A task, and the path of a model to use for it."""

    def __init__(
        self, app: Fireside, ui: UiContext, *, show_details: Callable[[str], object], on_downloads: Callable[[], object]
    ) -> None:
        super().__init__(ui.theme, tr("Models for this computer"))
        self.on_downloads, self.show_details = on_downloads, show_details
        """Carries the name of a repository."""
        self._app, self._notify, self._loader = app, ui.notify, ui.loader
        self._task = "chat"
        self._suggestions: list[ModelSuggestion] = []
        self._by_id: dict[str, ModelCard] = {}
        self._in_use: Path | None = None
        self._states: dict[int, str] = {}
        self._looking: dict[str, tasks.BackgroundTask] = {}
        choices = [(task, tr(word)) for task, word in _TASKS]
        self.segments = SegmentedControl(ui.theme, tr("Models for"), choices, self._task, self.show_task)
        self.top.addWidget(self.segments, 0, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading)
        self.area.viewport().installEventFilter(self)
        self.show_text(self.empty, tr("Checking this computer…"))
        ui.loader.changed.connect(self._on_loader_changed)
        self._say_lead()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The scroll area is resized after the page, and again when its scroll bar appears.
        # The page itself is resized before its area, and again when the scroll bar appears.
        if event.type() == QEvent.Type.Resize and watched is self.area.viewport():
            px = self._theme.px
            self.segments.fit_width(self.area.viewport().width() - 2 * px(EDGE_PX))
            self.segments.setMinimumWidth(px(LEAST_PX))
        return super().eventFilter(watched, event)

    def show_task(self, task: str) -> None:
        """Show suggestions for chat, summarize, translate or passages."""
        self._task = task
        self.segments.show_value(task)
        self.reload()

    def reload(self) -> tasks.BackgroundTask:
        """Recompute the suggestions on a thread, as free memory and downloads change."""
        task, models = self._task, self._app.models
        return self.ask_anew(
            lambda _: (models.suggest_models(task, LIMIT), models.for_task(task)), self._show, self._notify.error
        )

    def show_change(self, download: Download) -> None:
        """Update a download's card; recompute the suggestions only when its state changed."""
        # Downloads report progress many times a second; only another state needs new suggestions.
        is_new_state = self._states.get(download.id) != download.state
        self._states[download.id] = download.state
        for suggestion in self._suggestions:
            known = suggestion.download
            if known is not None and known.id == download.id and known.state == download.state:
                self._show_download(self._by_id[suggestion.entry.id], download)
                return
        if is_new_state:
            self.reload()

    def _show(self, answer: tuple[list[ModelSuggestion], Path | None]) -> None:
        suggestions, self._in_use = answer
        ids = [suggestion.entry.id for suggestion in suggestions]
        self._suggestions = suggestions
        # The same models: their cards stay, and with them the focus.
        if ids != list(self._by_id):
            self.clear_rows()
            self._by_id = {}
            for suggestion in suggestions:
                card = self._card(suggestion.entry)
                self._by_id[suggestion.entry.id] = card
                self.rows.addWidget(card)
        # The accent colour leads to one choice, and never to one that can't run here.
        first = next((suggestion.entry.id for suggestion in suggestions if can_download(suggestion)), "")
        for suggestion in suggestions:
            self._fill(self._by_id[suggestion.entry.id], suggestion, is_first=suggestion.entry.id == first)
        self.show_text(self.empty, "" if suggestions else tr("No suggestions. Search the Hub for a model."))
        self.show_text(self.foot, tr(_FOOT) if suggestions else "")
        self._say_lead()

    def _card(self, entry: CatalogEntry) -> ModelCard:
        card = ModelCard(self._theme, entry.name)
        size = size_text(entry.size_bytes)
        for key, text, kind, press in (
            ("download", tr(DOWNLOAD_SIZE, size=size), "plain", partial(self._download, entry)),
            ("use", tr(USE_LABELS[self._task]), "plain", partial(self._use, entry.id)),
            ("details", tr(DETAILS), "plain", partial(self.show_details, entry.repo)),
            ("pause", tr(PAUSE), "quiet", partial(self._pause, entry.id)),
            ("resume", tr(RESUME), "plain", partial(self._resume, entry.id)),
            ("retry", tr(TRY_AGAIN), "plain", partial(self._resume, entry.id)),
            ("cancel", tr(CANCEL), "quiet", partial(self._cancel, entry.id)),
        ):
            card.add_button(key, text, press, kind)
        card.align_buttons("pause", "resume", "retry")
        card.key_pressed.connect(lambda key: self._on_key(card, key))
        return card

    def _fill(self, card: ModelCard, suggestion: ModelSuggestion, *, is_first: bool) -> None:
        # Only the first card that can be downloaded gets the accent colour.
        _set_kind(card, "download", "primary" if is_first else "plain")
        card.buttons["use"].setText(tr(USE_LABELS[self._task]))
        if (download := suggestion.download) is not None and download.state != "done":
            self._show_fit(card, suggestion)
            self._show_download(card, download)
            return
        card.progress.hide()
        # The repository is asked before a download is in the queue; until then the card itself says so.
        if suggestion.entry.id in self._looking:
            card.show_words(sentence_of(suggestion), tr("Checking this file on the Hub…"))
            card.show_buttons("cancel")
            return
        self._show_fit(card, suggestion)
        card.show_words(sentence_of(suggestion))
        if suggestion.installed is not None:
            is_used = suggestion.installed.path == (self._loader.path if self._task == "chat" else self._in_use)
            card.show_badge(tr(IN_USE) if is_used else tr(ON_THIS_COMPUTER), "success" if is_used else "muted")
            card.show_buttons(*(() if is_used else ("use",)))
        else:
            card.show_buttons("download" if can_download(suggestion) else "details")

    def _show_fit(self, card: ModelCard, suggestion: ModelSuggestion) -> None:
        card.show_badge(in_words(verdict_words(suggestion.fit)), fit_token(suggestion.fit))
        card.show_columns(columns_of(suggestion), about_suggestion(suggestion))

    def _show_download(self, card: ModelCard, download: Download) -> None:
        card.show_words(card.sentence.text() or "", state_words(download), problem=problem_words(download))
        card.progress.setVisible(download.done_bytes > 0 or download.state == "running")
        card.progress.setAccessibleName(tr("Download of {name}", name=card.name.text()))
        card.progress.show_share(download.done_bytes, download.total_bytes)
        main = {"paused": "resume", "failed": "retry"}.get(download.state, "pause")
        card.show_buttons(main, "cancel")

    def _say_lead(self) -> None:
        if self._task == PASSAGES:
            self.show_text(self.lead, tr(_PASSAGES))
            return
        has_starter = self._loader.path is not None and self._loader.path == starter_model()
        self.show_text(self.lead, tr(STARTER_LEAD) if has_starter else tr(_LEAD))

    def _on_loader_changed(self) -> None:
        # A loading model changes with every percent; suggestions don't.
        if self._loader.state != "loading":
            self._say_lead()
            if self._suggestions:
                self._show((self._suggestions, self._in_use))

    def _on_key(self, card: ModelCard, key: int) -> None:
        steps = {Qt.Key.Key_Down.value: 1, Qt.Key.Key_Up.value: -1}
        if key in steps:
            self.move_focus(card, steps[key])
        elif key == Qt.Key.Key_Return.value:
            shown = [button for button in card.buttons.values() if not button.isHidden()]
            if shown:
                shown[0].click()

    def _suggestion(self, entry_id: str) -> ModelSuggestion:
        return next(suggestion for suggestion in self._suggestions if suggestion.entry.id == entry_id)

    def _use(self, entry_id: str) -> None:
        if (installed := self._suggestion(entry_id).installed) is not None:
            self.use_wanted.emit(self._task, installed.path)

    def _pause(self, entry_id: str) -> None:
        self._change(entry_id, self._app.models.downloads.pause)

    def _resume(self, entry_id: str) -> None:
        self._change(entry_id, self._app.models.downloads.resume)

    def _cancel(self, entry_id: str) -> None:
        if entry_id in self._looking:
            self._looking.pop(entry_id).abandon()  # what it finds comes to nobody
            self._show((self._suggestions, self._in_use))
        else:
            self._change(entry_id, self._app.models.downloads.cancel)

    def _change(self, entry_id: str, change: Callable[[int], object]) -> None:
        if (download := self._suggestion(entry_id).download) is not None:
            self.ask(lambda _: change(download.id), lambda _: self._on_changed(), self._notify.error)

    def _download(self, entry: CatalogEntry) -> None:
        def on_found(_download: object) -> None:
            self._on_changed()
            self._on_looked(entry)

        self._looking[entry.id] = self.ask(
            lambda token: self._app.models.fetching.download_entry(entry, token),
            on_found,
            lambda error: self._on_not_found(entry, error),
        )
        self._show((self._suggestions, self._in_use))

    def _on_looked(self, entry: CatalogEntry) -> None:
        self._looking.pop(entry.id, None)
        self.reload()

    def _on_not_found(self, entry: CatalogEntry, error: BaseException) -> None:
        self._looking.pop(entry.id, None)
        self._show((self._suggestions, self._in_use))
        can_retry = isinstance(error, EnvironmentProblem) and sentence_for(error).action == "retry"
        self._notify.error(error, action=(lambda: self._download(entry)) if can_retry else None)

    def _on_changed(self) -> None:
        self.reload()
        self.on_downloads()


STARTER_LEAD = "You’re using the starter, a very small English model that’s often wrong. One of these will work better."
_PASSAGES = (
    "A small second model searches documents by meaning. It runs alongside your chat model and prepares "
    "documents in the background."
)
_LEAD = "The best models for this computer and task, best first."
_FOOT = (
    "Nothing is downloaded until you press Download. Memory is estimated from a model’s size, speed from "
    "earlier answers or the memory speed of this computer."
)


def can_download(suggestion: ModelSuggestion) -> bool:
    """Return whether to offer a download: the model isn't installed, isn't downloading, and can run."""
    return suggestion.installed is None and suggestion.download is None and suggestion.fit.word != TOO_LARGE


def sentence_of(suggestion: ModelSuggestion) -> str:
    """Return what a suggested model is good for, and what it takes besides text."""
    vision = suggestion.entry.vision
    senses = senses_words(sees=True, hears=vision.hears) if vision is not None else ""
    sentence = tr(suggestion.entry.sentence)
    return f"{sentence} {senses[:1].upper()}{senses[1:]}." if senses else sentence


def columns_of(suggestion: ModelSuggestion) -> list[tuple[str, str]]:
    """Return speed, memory and download, with their captions; unknown ones are left out."""
    entry, fit = suggestion.entry, suggestion.fit
    # An embedding model writes nothing, so it has no speed.
    speed = speed_words(fit) if PASSAGES not in entry.tasks else None
    needs = tr("{needed} GB", needed=format_gigabytes(fit.needed_bytes))
    if fit.word in (SLOW, TOO_LARGE) and fit.free_bytes:
        needs = tr("{needed} GB, {free} GB free", needed=format_gigabytes(fit.needed_bytes),
                   free=format_gigabytes(fit.free_bytes))  # fmt: skip
    size = (tr(SIZE), size_text(entry.size_bytes))
    if can_download(suggestion):
        words = tr("{size}, {n} min", size=size_text(entry.size_bytes), n=download_minutes(entry.size_bytes))
        size = (tr(DOWNLOAD), words)
    return [*([(tr(SPEED), in_words(speed))] if speed is not None else []), (tr(NEEDS), needs), size]


def about_suggestion(suggestion: ModelSuggestion) -> str:
    """Return pace, download time, quantization, licence, languages and maker, for the tooltip."""
    entry = suggestion.entry
    pace = pace_words(suggestion.fit) if PASSAGES not in entry.tasks else None
    languages = tr_count("{count} language", "{count} languages", entry.languages) if entry.languages > 1 else ""
    time = in_words(download_words(entry.size_bytes)) if can_download(suggestion) else ""
    kind = quantization_label(quantization_of(entry.file))
    facts = join(in_words(pace) if pace else "", time, kind, entry.license, languages, entry.repo)
    return facts[:1].upper() + facts[1:]


def _set_kind(card: ModelCard, key: str, kind: str) -> None:
    button = card.buttons[key]
    if button.property("kind") != kind:
        button.setProperty("kind", kind)
        button.style().unpolish(button)
        button.style().polish(button)
    card.set_button_font(button)


Page = TypeVar("Page", bound=QWidget)


class ModelsView(QStackedWidget):
    """Stack of pages: suggested, installed, others, downloads, storage, search, anatomy, compare, blind, how.

    The last five are built on first use.
    """

    _download_changed = Signal(object)
    """Passes download events to the window's thread."""
    _list_changed = Signal()
    """Passes changes of the model list to the window's thread."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self.setObjectName("models_view")
        self.setAccessibleName(tr(MODELS))
        self._app, self._ui, self._loader = app, ui, ui.loader
        self._column = ModelsColumn(ui.theme)
        self.downloads = DownloadsPage(app, ui)
        self.suggested = SuggestedPage(app, ui, show_details=self.show_repository, on_downloads=self.downloads.reload)
        self.installed = InstalledPage(app, ui)
        self.others = InstalledPage(app, ui, of_others=True)
        self.storage = StoragePage(
            app, ui, show_page=self.show_page, on_change=self._reload_lists, on_moved=self._on_moved
        )
        self._pages: dict[str, ModelsPage] = {
            "suggested": self.suggested,
            "installed": self.installed,
            "others": self.others,
            "downloads": self.downloads,
            "storage": self.storage,
        }
        for page in self._pages.values():
            self.addWidget(page)
        self._states: dict[int, str] = {}
        # Where "back" leads from a search, and from a model's inside.
        self._page_before_search, self._page_before_anatomy = "suggested", "installed"
        self.page = ""
        self._connect()
        # Imported on a thread now, so that the first search doesn't wait for it.
        self.downloads.ask(lambda _: app.models.hub.prepare(), lambda _: None)

    @property
    def column(self) -> ModelsColumn:
        """Left column of the window while this view is shown."""
        return self._column

    @cached_property
    def disks(self) -> DiskModels:
        from app.ui.models.model_disk_dialog import DiskModels  # not needed at start

        return DiskModels(self._app, self._ui)

    @cached_property
    def search(self) -> SearchPage:
        from app.ui.models.hub_page import SearchPage

        page = SearchPage(self._app, self._ui)
        page.download_wanted.connect(lambda *_: self.downloads.reload())
        self.addWidget(page)
        return page

    @cached_property
    def anatomy(self) -> AnatomyPage:
        from app.ui.models.anatomy_view import AnatomyPage

        page = AnatomyPage(self._ui)
        page.back.clicked.connect(lambda: self.show_page(self._page_before_anatomy))
        page.explained.clicked.connect(lambda: self.show_page("how"))
        return self._added(page)

    @cached_property
    def compare(self) -> ComparePage:
        from app.ui.models.compare_page import ComparePage

        page = ComparePage(self._app, self._ui)
        page.results.use_wanted.connect(lambda path: self._use("chat", path))
        page.way_wanted.connect(self.show_page)
        return self._added(page)

    @cached_property
    def blind(self) -> BlindPage:
        from app.ui.models.blind import BlindPage

        page = BlindPage(self._app, self._ui)
        page.way_wanted.connect(self.show_page)
        return self._added(page)

    @cached_property
    def how(self) -> HowItWorks:
        from app.ui.inside.how_it_works import HowItWorks

        return self._added(HowItWorks(self._app, self._ui))

    def close_work(self) -> None:
        """Stop running comparisons before the window closes."""
        # A cached property is in `__dict__` once it was asked for; a page must not be built only to be stopped.
        for page in self._comparisons(*(name for name in WAYS_TO_COMPARE if name in self.__dict__)):
            page.stop()

    def _comparisons(self, *names: str) -> list[BlindPage | ComparePage]:
        return [self.blind if name == "blind" else self.compare for name in names]

    def show_page(self, name: str, *, takes_focus: bool = True) -> None:
        """Show and reload a page; the first call also loads the column's counts.

        "passages" is the suggested page with embedding models.
        """
        if name == PASSAGES:
            name = "suggested"
            self.suggested.show_task(PASSAGES)
        # The counts of the column are those of lists that nobody has opened yet.
        if not self.page:
            for page in (self.installed, self.others, self.downloads):
                page.reload()
        drop_focus(self)
        if name == "search":
            self.setCurrentWidget(self.search)
        else:
            wanted = self._pages.get(name) or self._page_built_late(name)
            self._page_before_search = name
            self.setCurrentWidget(wanted)
            wanted.reload()
        self.page = name
        # A click in the column keeps the keyboard there: arrows go on to the next page.
        focus, shown = QApplication.focusWidget(), self.currentWidget()
        if takes_focus and shown is not None and (focus is None or not self._column.isAncestorOf(focus)):
            # So that Tab continues from the page's beginning.
            shown.setFocus(Qt.FocusReason.OtherFocusReason)
        self._column.show_page(name)

    def _page_built_late(self, name: str) -> AnatomyPage | BlindPage | ComparePage | HowItWorks:
        match name:
            case "anatomy":
                return self.anatomy
            case "blind" | "compare":
                return self._comparisons(name)[0]
            case "how":
                return self.how
        raise KeyError(name)

    def look_for(self, text: str) -> None:
        """Search the Hub; an empty text returns to the page before."""
        if text:
            self.show_page("search")
            self.search.show_query(text)
            # The column has waited for a pause already.
            self.search.search_now()
        elif self.page == "search":
            self.show_page(self._page_before_search)

    def _to_results(self) -> None:
        """Move the focus from the search field to the results."""
        if self.page == "search" and self.search.list.results.found:
            self.search.list.setFocus(Qt.FocusReason.TabFocusReason)

    def show_repository(self, name: str) -> None:
        self.show_page("search")
        self.search.open_repository(name)

    def look_inside(self, installed: InstalledFile, name: str) -> None:
        """Show a model's structure, under the name on its card."""
        self._page_before_anatomy = self.page
        self.anatomy.show_model(installed, name)
        self.show_page("anatomy")

    def _added(self, page: Page) -> Page:
        self.addWidget(page)
        return page

    def _connect(self) -> None:
        self._column.add.clicked.connect(self._ui.go.add_model)
        self._column.add_folder.clicked.connect(lambda: self.disks.ask_for_folder())  # noqa: PLW0108 - made when asked
        self._column.page_chosen.connect(self.show_page)
        self._column.search_changed.connect(self.look_for)
        self._column.search.returnPressed.connect(self._to_results)
        self.suggested.use_wanted.connect(self._use)
        for models in (self.installed, self.others):
            models.inside_wanted.connect(self.look_inside)
            models.export_wanted.connect(lambda *model: self.disks.export(*model))  # noqa: PLW0108 - as above
        for page in (self.installed, self.others, self.downloads):
            page.use_wanted.connect(lambda path: self._use("chat", path))
        for name, page in (("installed", self.installed), ("others", self.others), ("downloads", self.downloads)):
            page.counted.connect(lambda count, name=name: self._column.show_count(name, count))
        self.installed.changed.connect(self.suggested.reload)
        self.installed.changed.connect(self._loader.changed)  # it may have been renamed  # its name may be another
        # The queue and the list call on threads of their own.
        self._download_changed.connect(self._on_download, Qt.ConnectionType.QueuedConnection)
        unlisten = self._app.models.download_changed.listen(self._download_changed.emit)
        self._list_changed.connect(self._on_list_changed, Qt.ConnectionType.QueuedConnection)
        unlisten_list = self._app.models.list_changed.listen(lambda _: self._list_changed.emit())
        # The models outlive this view.
        self.destroyed.connect(unlisten)
        self.destroyed.connect(unlisten_list)

    def _on_download(self, download: Download) -> None:
        self.downloads.show_change(download)
        self.suggested.show_change(download)
        # A download that is new here hasn't just ended.
        if self._states.get(download.id, download.state) != download.state and download.state == "done":
            self.installed.reload()
        self._states[download.id] = download.state

    def _on_list_changed(self) -> None:
        """Reload after a model was opened, added, renamed or deleted anywhere in the program."""
        # Before a page is shown nothing has been read that could be old.
        if self.page:
            self.installed.reload()
        if self.page in WAYS_TO_COMPARE:
            self._page_built_late(self.page).reload()

    def _on_moved(self, old: Path, new: Path) -> None:
        """Reload the current model from its new place after its folder was moved."""
        if (path := self._loader.path) is not None and old in path.parents:
            self._loader.load(new / path.relative_to(old))

    def _reload_lists(self) -> None:
        for page in (self.installed, self.downloads):
            page.reload()

    def _use(self, task: str, path: Path) -> None:
        # Whichever tab asked: an embedding model can't chat.
        task = PASSAGES if embeds_texts(path) else task
        if task == "chat":
            self._loader.load(path)
            self._ui.go.show_tab(CHAT)
            return
        choose, failed = self._app.models.choose_model, self._ui.notify.error
        self.suggested.ask(lambda _: choose(task, path), lambda _: self._on_chosen(), failed)

    def _on_chosen(self) -> None:
        self.suggested.reload()
        self.installed.reload()


class ModelsTab(Tab):
    """Tab that can also add a model file before its view is built."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self._app, self._ui = app, ui

    @cached_property
    def view(self) -> ModelsView:
        view = ModelsView(self._app, self._ui)
        view.column.page_chosen.connect(lambda _: self.changed.emit())
        view.column.search.returnPressed.connect(self.changed)
        return view

    @property
    def column(self) -> ModelsColumn:
        return self.view.column

    @property
    def help_part(self) -> str:
        return self.view.page

    def do(self, command: str) -> None:
        # The tab is shown next, and says where the keyboard goes.
        self.view.show_page(command, takes_focus=False)

    def take_keyboard(self) -> None:
        self.column.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def take_files(self, files: Sequence[Path]) -> None:
        from app.ui.models.add_model_file import FileAdding  # not needed at start

        adding = FileAdding(self._app, self._ui)
        for path in files:
            if path.is_dir():
                self.view.disks.add_folder(path)
            else:
                adding.add_file(path, self._on_added)

    def _on_added(self, path: Path) -> None:
        self._ui.notify.mention(tr(MODEL_ADDED, name=tr(self._app.names.name_of(path))))
        self._ui.go.use_model(path)

    def close(self) -> None:
        # Not built only to be closed.
        if "view" in self.__dict__:
            self.view.close_work()
