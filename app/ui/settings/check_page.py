"""Page that checks this computer: a row for each check, with a sentence and a button where something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton

from app import APP_NAME
from app.features.computer_check import (
    CHECK_NAMES,
    NO_PROBLEM,
    CheckedParts,
    CheckFinding,
    CheckResult,
    check_computer,
    shared_report,
)
from app.ui.i18n import Translatable, join_sentences, sentence_for, tr
from app.ui.settings.settings_pages import SettingsPage
from app.ui.shared_labels import DOWNLOADS, MODELS, OPEN_FOLDER, SAVED_AS, TRY_AGAIN
from app.ui.shell import tasks
from app.ui.shell.desktop import open_folder
from app.ui.shell.settings_index import label_of, page_label
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import SAVED, file_dialog
from app.ui.widgets.labels import announce
from app.ui.widgets.layouts import FlowLayout
from app.ui.widgets.setting_rows import description_label

if TYPE_CHECKING:
    from app.bootstrap import Fireside

CHECKING = "Checking…"
REPORT_ABOUT = "The report lists devices, folders, models and problems, but nothing you wrote and not your name."
REPORT_NAME = "{app} report"
ACTION_NAMES: dict[str, Translatable] = {
    "open_folder": OPEN_FOLDER,
    "storage": "Storage",
    "snapshots": "Restore a daily copy",
    "library": "Performance",
    "computers": "Servers and sharing",
    "installed": MODELS,
    "open_model": MODELS,
    "models": MODELS,
    "downloads": DOWNLOADS,
    "retry": TRY_AGAIN,
}
"""Labels of buttons by the actions of messages; what has none here has none."""


def checked_parts(app: Fireside) -> CheckedParts:
    """Return the parts of the program that the checks look at."""
    return CheckedParts(app.paths, app.settings, app.database, app.engine, app.models, app.loaded)


class ComputerCheckPage(SettingsPage):
    """Runs the checks when it is opened; `close_settings` is called before a button leads out of the settings."""

    def __init__(self, app: Fireside, ui: UiContext, close_settings: Callable[[], object]) -> None:
        super().__init__(ui.theme, page_label("check"))
        self._app, self._ui, self._close_settings = app, ui, close_settings
        self._results: list[CheckResult] = []
        self._pressed: dict[str, CheckFinding] = {}
        self.rows = {name: self._add_check(name) for name in CHECK_NAMES}
        """The sentence of each check, and its button."""
        buttons = ui.theme.dress(FlowLayout(), spacing=14)
        self.again = self.setting_rows["check"] = text_button(label_of("check"), on_click=self.begin_check)
        self.save = self.setting_rows["save_report"] = text_button(label_of("save_report"), on_click=self._ask_where)
        buttons.addWidget(self.again)
        buttons.addWidget(self.save)
        self.column.addLayout(buttons)
        self.said = self.muted(tr(REPORT_ABOUT))
        self.column.addWidget(self.said)
        self.finish()
        self.begin_check()

    def _add_check(self, name: str) -> tuple[QLabel, QPushButton]:
        words = description_label(self._theme, tr(CHECKING))
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        button = text_button("", on_click=lambda: self._do(self._pressed[name]))
        button.setObjectName(f"check_{name}")
        button.setAccessibleName(tr(CHECK_NAMES[name]))
        self.add_row(tr(CHECK_NAMES[name]), words, button)
        button.hide()
        return words, button

    def begin_check(self) -> None:
        """Run all checks again, each of which fills its row."""
        self._results = []
        for name in CHECK_NAMES:
            self._show_words(name, tr(CHECKING))
        self.again.setEnabled(False)
        self.save.setEnabled(False)
        parts = checked_parts(self._app)
        tasks.run(
            lambda _token: check_computer(parts),
            self,
            on_event=self._show_result,
            on_end=self._on_end,
            on_failed=self._on_failed,
        )

    def _show_words(self, name: str, text: str, findings: tuple[CheckFinding, ...] = ()) -> None:
        words, button = self.rows[name]
        words.setText(text)
        found = next((finding for finding in findings if finding.message.action in ACTION_NAMES), None)
        button.setVisible(found is not None)
        if found is not None:
            label = tr(ACTION_NAMES[found.message.action])
            button.setText(label)
            button.setAccessibleName(label)
            self._pressed[name] = found

    def _show_result(self, result: CheckResult) -> None:
        self._results.append(result)
        words = join_sentences([str(finding.message) for finding in result.findings])
        self._show_words(result.name, words or tr(NO_PROBLEM), result.findings)

    def _on_end(self) -> None:
        self.again.setEnabled(True)
        self.save.setEnabled(True)
        problems = [str(finding.message) for result in self._results for finding in result.findings]
        announce(self, join_sentences(problems) or tr(NO_PROBLEM))

    def _on_failed(self, error: BaseException) -> None:
        self._on_end()
        self._ui.notify.error(error)

    def _do(self, finding: CheckFinding) -> None:
        """Open the place where the problem of a message can be solved."""
        action, go = finding.message.action, self._ui.go
        settings = {"snapshots": "data/snapshots", "library": "engine/llama_cpp", "computers": "connections/computers"}
        pages = {"storage": "storage", "installed": "installed", "downloads": "downloads"}
        if action == "retry":
            self.begin_check()
        elif action == "open_folder":
            open_folder(finding.folder or self._app.paths.data)
        else:
            self._close_settings()
            if action in settings:
                go.open_settings(settings[action])
            else:
                go.open_models(pages.get(action, "suggested"))

    def _ask_where(self) -> None:
        dialog = file_dialog(
            self, label_of("save_report"), SAVED, lambda paths: self._save(paths[0]), name="save_report"
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("txt")
        dialog.selectFile(f"{tr(REPORT_NAME, app=APP_NAME)}.txt")
        dialog.open()

    def _save(self, path: Path) -> None:
        parts, results = checked_parts(self._app), list(self._results)
        self.save.setEnabled(False)
        tasks.ask(lambda _token: _write_report(parts, results, path), self, self._show_saved, self._on_not_saved)

    def _show_saved(self, path: Path) -> None:
        self._show_said(tr(SAVED_AS, name=path.name))

    def _on_not_saved(self, error: BaseException) -> None:
        self._show_said(str(sentence_for(error)))

    def _show_said(self, text: str) -> None:
        self.save.setEnabled(True)
        self.said.setText(text)
        announce(self.said, text)


def _write_report(parts: CheckedParts, results: list[CheckResult], path: Path) -> Path:
    from app.features.work.saved_file import write_file

    with write_file(path) as file:
        file.write(shared_report(parts, results).encode("utf-8"))
    return path
