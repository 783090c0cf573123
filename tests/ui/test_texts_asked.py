"""Every text that screens ask `tr` for is in the template, so that translators find it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.core import catalogue
from app.core.catalogue import Translatable
from app.core.errors.document_errors import DocumentUnreadable
from app.features.error_messages import sentence_for
from app.ui.chat.chat_view import ChatView
from app.ui.shell.settings_index import PAGES
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import open_window
from tests.helpers.script import write_script

ROOT = Path(__file__).resolve().parents[2]
LEAST_ASKED = 600


def test_what_screens_ask_for_is_in_the_template(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    from texts_template import TextsTemplate

    asked, key_of = set[str](), catalogue.entry_key

    def note_key(text: Translatable) -> str:
        asked.add(key_of(text))
        return key_of(text)

    monkeypatch.setattr(catalogue, "entry_key", note_key)
    with open_window(qapp, make_chat=ChatView) as frame:
        for name in ("chat", "summarize", "translate", "write"):
            frame.window.show_tab(name).do("inside")
        for page in ("suggested", "installed", "others", "downloads", "storage", "search", "compare", "blind", "how"):
            frame.window.open_models(page)
        frame.notify.show_notice(sentence_for(DocumentUnreadable("a.pdf", "damaged")))
        dialog = SettingsDesk(frame)
        for number in range(len(PAGES)):
            dialog.show_page(number)
        dialog.close()
    assert len(asked) > LEAST_ASKED
    known = TextsTemplate(ROOT).keys()
    missed = {text for text in asked - known if re.search(r"[^\W\d_]", re.sub(r"\{[^}]*\}", "", text))}
    assert sorted(missed) == []
