"""What is said in a recording as a file: subtitles with their times, or the text alone."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.features.documents import ShownDocument
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.dialogs import file_dialog

SRT, TEXT = ".srt", ".txt"
SAVED = "saved words"


def ask_where_to_save(view: QWidget, document: ShownDocument, notify: Notify) -> QFileDialog:
    """Asks for the file over a view, and writes it."""
    dialog = file_dialog(view, tr("Save what is said"), SAVED)
    dialog.setObjectName("save_words")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    kinds = {f"{tr('Subtitles')} (*{SRT})": SRT, f"{tr('Text')} (*{TEXT})": TEXT}
    dialog.setNameFilters(list(kinds))
    dialog.selectFile(Path(document.name).stem + SRT)
    dialog.filterSelected.connect(lambda kind: _change_ending(dialog, kinds.get(kind, SRT)))
    dialog.setDefaultSuffix(SRT[1:])
    dialog.fileSelected.connect(lambda path: _save(view, document, Path(path), notify))
    dialog.open()
    return dialog


def _change_ending(dialog: QFileDialog, ending: str) -> None:
    dialog.setDefaultSuffix(ending[1:])
    for path in dialog.selectedFiles()[:1]:
        dialog.selectFile(Path(path).with_suffix(ending).name)


def _save(view: QWidget, document: ShownDocument, path: Path, notify: Notify) -> None:
    """Subtitles unless the name's ending says text."""

    def write() -> Path:
        from app.features.hearing import segment_of, srt_of, text_of  # what hears, which nobody needs before
        from app.features.work.saved_file import written

        segments = [segment_of(block) for block in document.blocks(1, document.block_count)]
        with written(path) as file:
            file.write((text_of if path.suffix.lower() == TEXT else srt_of)(segments).encode("utf-8"))
        return path

    tasks.ask(lambda _token: write(), view, notify.saved, notify.error)
