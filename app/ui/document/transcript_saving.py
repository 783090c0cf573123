"""Saves the transcript of a recording, as subtitles or text."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.features.shown_document import ShownDocument
from app.ui.i18n import tr
from app.ui.shared_labels import TEXT_LABEL
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.dialogs import file_dialog

SRT, TEXT = ".srt", ".txt"
SAVED = "saved words"


def ask_where_to_save(view: QWidget, document: ShownDocument, notify: Notify) -> QFileDialog:
    """Ask for a file and save the transcript of a recording as subtitles or text."""
    kinds = {f"{tr('Subtitles')} (*{SRT})": SRT, f"{tr(TEXT_LABEL)} (*{TEXT})": TEXT}
    dialog = file_dialog(
        view,
        tr("Save the transcript"),
        SAVED,
        lambda paths: _save(view, document, paths[0], notify),
        name="save_words",
        filters=list(kinds),
    )
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(Path(document.name).stem + SRT)
    dialog.filterSelected.connect(lambda kind: _change_ending(dialog, kinds.get(kind, SRT)))
    dialog.setDefaultSuffix(SRT[1:])
    dialog.open()
    return dialog


def _change_ending(dialog: QFileDialog, ending: str) -> None:
    dialog.setDefaultSuffix(ending[1:])
    # Qt leaves the ending of a name that is typed already.
    for path in dialog.selectedFiles()[:1]:
        dialog.selectFile(Path(path).with_suffix(ending).name)


def _save(view: QWidget, document: ShownDocument, path: Path, notify: Notify) -> None:
    """Save subtitles, or text if the file's ending says so."""

    def write() -> Path:
        from app.features.transcribe import segment_of, srt_of, text_of  # the transcription, not needed otherwise
        from app.features.work.saved_file import write_file

        segments = [segment_of(block) for block in document.read_blocks(1, document.block_count)]
        with write_file(path) as file:
            file.write((text_of if path.suffix.lower() == TEXT else srt_of)(segments).encode("utf-8"))
        return path

    tasks.ask(lambda _token: write(), view, notify.saved, notify.error)
