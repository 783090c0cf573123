"""Settings of model servers: list, and a dialog that queries and tests one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app import APP_NAME
from app.core.errors.app_error import expected_error
from app.core.errors.hub_errors import TokenNotKept
from app.core.events import CancelToken
from app.core.paths import starter_model
from app.features.models.model_messages import short_count
from app.hub.certificates import certificates_in, owners_of
from app.remote.servers import MOST_AT_ONCE, SEES, RemoteServer, address_of
from app.ui.i18n import sentence_for, tr, tr_count
from app.ui.locale_formats import join_facts, join_list
from app.ui.settings.settings_pages import SettingsSection
from app.ui.shared_labels import AUTOMATIC_LABEL, CANCEL, CONTEXT, ON_THIS_COMPUTER_LOWER, REMOVE, REMOVE_NAMED, SAVE
from app.ui.shell import tasks
from app.ui.shell.settings_index import label_of
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.dialogs import Dialog, ScrollBox, certificate_dialog
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.input_fields import CheckRow, Stepper
from app.ui.widgets.labels import plain_label, tell_problem
from app.ui.widgets.layouts import fill_layout, within_screen

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.hub.model_server import RequestCut
    from app.remote.server_facts import ListedModel, ServerFacts, TestStep
    from app.remote.servers import RemoteModel


WIDTH_PX, HEIGHT_PX = 520, 620
MOST_TICKED = 8
"""Up to this many models of a server are ticked by default."""
MOST_CONTEXT = 1 << 22
_KINDS = {
    "llama_cpp": "llama.cpp",
    "vllm": "vLLM",
    "sglang": "SGLang",
    "ollama": "Ollama",
    "lm_studio": "LM Studio",
    "fireside": APP_NAME,
}


class ServersSection(SettingsSection):
    """Section of servers; the dialog saves changes at once."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        intro = tr(
            "Use models on another computer with vLLM, llama.cpp, Ollama, LM Studio or {program}, or from an "
            "internet service. They appear in the model menu.",
            program=APP_NAME,
        )
        super().__init__(ui.theme, label_of("servers"), intro)
        self._app, self._ui = app, ui
        warning = tr(
            "Messages to these models are sent to their server. Fireside asks before sending a document or picture."
        )
        self.column.addWidget(self.label(warning, "small"))
        self._list = ui.theme.dress(QVBoxLayout(), spacing=12)
        self.rows: list[ServerRow] = []
        self.add = text_button(tr("Add a server…"), "primary", on_click=lambda _=False: self.open_dialog(None))
        self.add_content(self._list, fill_layout(QHBoxLayout(), self.add, 1))
        self.finish()
        self._show()

    def open_dialog(self, server: RemoteServer | None) -> ServerDialog:
        """Open the dialog for a stored server, or for a new one."""
        dialog = ServerDialog(self._app, self._ui, server, self)
        dialog.accepted.connect(lambda: self._on_saved(dialog))
        dialog.open()
        return dialog

    def _on_saved(self, dialog: ServerDialog) -> None:
        self._show()
        loader = self._ui.loader
        # The loaded model belongs to this server and takes over what was changed.
        if loader.path is not None and loader.path in dialog.kept_paths:
            loader.reload()
        loader.changed.emit()  # the model picker's list changed

    def _show(self) -> None:
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        for server in self._app.servers.all():
            names = [model.short_name for model in self._app.servers.models_on(server)]
            row = ServerRow(self._ui, server, names)
            row.edit.clicked.connect(lambda _=False, server=server: self.open_dialog(server))
            row.remove.clicked.connect(lambda _=False, server=server: self._ask_to_remove(server))
            self._list.addWidget(row)
            self.rows.append(row)

    def _ask_to_remove(self, server: RemoteServer) -> None:
        words = tr(
            "Its models disappear from the menu and its key is removed from the keyring. Your chats aren’t changed."
        )
        self.ask(tr("Remove {name}?", name=server.name), words, tr(REMOVE), lambda: self._remove(server))

    def _remove(self, server: RemoteServer) -> None:
        # Now, as nothing lists them once the server is gone.
        paths = [model.path for model in self._app.servers.models_on(server)]
        loader, starter = self._ui.loader, starter_model()

        def gone(_: object) -> None:
            self._show()
            # The chat's model has gone with its server.
            if loader.path in paths and starter is not None:
                loader.load(starter)
            loader.changed.emit()
            self.add.setFocus()

        tasks.ask(lambda _: self._app.servers.remove(server.name), self, gone, self._ui.notify.error)


class ServerRow(QWidget):
    """Row of a server: address, kind, where it is, and its ticked models."""

    def __init__(self, ui: UiContext, server: RemoteServer, models: list[str]) -> None:
        super().__init__()
        self.server = server
        name = plain_label(server.host)
        name.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # addresses are left to right in every language
        kind = _KINDS.get(server.kind, "")
        said = join_facts((kind, _where(server), join_list(models) or tr("no model chosen")))
        self.said = ui.theme.dress(plain_label(said, kind="muted", wraps=True), font="small")
        self.edit = IconButton(ui.theme, "pencil-simple", tr("Edit {name}", name=server.host), size_px=16)
        self.remove = IconButton(ui.theme, "x", tr(REMOVE_NAMED, name=server.host), size_px=16)
        words, row = QVBoxLayout(), QHBoxLayout(self)
        fill_layout(words, (name, 0, Qt.AlignmentFlag.AlignLeading), self.said)
        row.addLayout(words, 1)
        for button in (self.edit, self.remove):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        ui.theme.dress(words, spacing=2)
        ui.theme.dress(row, margins=(0, 0, 0, 0), spacing=4)


def _where(server: RemoteServer) -> str:
    if server.is_this_computer:
        return tr(ON_THIS_COMPUTER_LOWER)
    return tr("in your own network") if server.is_own_network else tr("on the internet")


class ServerDialog(Dialog):
    """Dialog that lists a server's models to tick, tests the first ticked one, and stores all on Save."""

    def __init__(self, app: Fireside, ui: UiContext, server: RemoteServer | None, parent: QWidget) -> None:
        super().__init__(parent)
        self._app, self._theme, self._notify = app, ui.theme, ui.notify
        self._server = server
        self._found: ServerFacts | None = None
        self._task: tasks.BackgroundTask | None = None
        self._cut: RequestCut | None = None
        """The running request to the server."""
        # A request would go on without the dialog.
        self.finished.connect(lambda _: self._stop())
        self.kept_paths: list[object] = []
        self.boxes: dict[str, CheckRow] = {}
        self.setObjectName("server_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = tr("Add a server") if server is None else server.host
        self.name_by_heading(title)
        px = ui.theme.px
        inside = QWidget()
        inside.setObjectName("page")
        self._column = ui.theme.dress(QVBoxLayout(inside), margins=(0, 0, 12, 0), spacing=12)
        head = ui.theme.dress(plain_label(title), font="section")
        self._column.addWidget(head)
        self._add_door()
        self._add_models()
        self._add_limits()
        self._add_test()
        self._column.addStretch(1)
        around = QVBoxLayout(self)
        around.setContentsMargins(px(24), px(22), px(12), px(20))
        around.setSpacing(px(14))
        box = ScrollBox(inside, around.contentsMargins())
        fade_ends(box, ui.theme)
        box.verticalScrollBar().rangeChanged.connect(lambda _, end: self._scroll_to_end(box, end))
        around.addWidget(box, 1)
        self.save = text_button(tr(SAVE), "primary", on_click=lambda _=False: self._save())
        self.save.setDefault(True)
        cancel = text_button(tr(CANCEL), "plain", on_click=self.reject)
        row = fill_layout(QHBoxLayout(), 1, cancel, self.save)
        row.setContentsMargins(0, 0, px(12), 0)
        around.addLayout(row)
        self.resize(within_screen(self, QSize(px(WIDTH_PX), px(HEIGHT_PX))))
        self._show_kept()
        self._update()

    def _add_door(self) -> None:
        self.address = QLineEdit(placeholderText="gpu-box.local:8000")
        self.address.setAccessibleName(tr("Address of the server"))
        self.address.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.key = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.key.setAccessibleName(tr("Key of the server"))
        self.key.setPlaceholderText(tr("None"))
        self.ask = text_button(tr("Get models"), "plain", on_click=lambda _=False: self._ask())
        self.note = _note(self._theme, "server_note")
        self._add_block(tr("Address"), self.address)
        self._add_block(tr("Key, if required; saved in the system’s keyring if there is one"), self.key)
        self.trust = AuthorityField(
            self._theme,
            self._server.authorities if self._server is not None else "",
            lambda path: self._run(lambda _: certificates_in(path), self.trust.use, self.note),
            self._on_edited,
        )
        self._column.addWidget(self.trust)
        row = fill_layout(QBoxLayout(QBoxLayout.Direction.LeftToRight), self.ask, 1)
        fill_layout(self._column, row, self.note)
        for field in (self.address, self.key):
            field.textEdited.connect(lambda _: self._on_edited())
            field.returnPressed.connect(self._on_enter)

    def _add_block(self, name: str, field: QWidget) -> None:
        label = self._theme.dress(plain_label(name, wraps=True), font="control")
        block = self._theme.dress(fill_layout(QVBoxLayout(), label, field), spacing=4)
        self._column.addLayout(block)

    @property
    def wanted(self) -> RemoteServer | None:
        """Server as entered, with the kind that was found; None without an address."""
        if not (address := address_of(self.address.text())):
            return None
        before = self._server or RemoteServer(self._app.servers.new_name(address), address)
        kind = self._found.kind if self._found is not None else before.kind
        return replace(
            before,
            address=address,
            kind=kind,
            context_tokens=int(self.context.number.value()),
            at_once=int(self.at_once.number.value()),
            authorities=self.trust.authorities,
        )

    def _key_now(self) -> str | None:
        """Return the typed key; None keeps the one in the keyring."""
        return self.key.text().strip() if self.key.isModified() or self._server is None else None

    def _on_edited(self) -> None:
        # What was found belongs to another address or key.
        self._found = None
        self._stop()
        _show_label(self.note, "")
        tell_problem(self.address, "")
        self._update()

    def _on_enter(self) -> None:
        """Query the models on Enter, as long as Save, the default button, is disabled."""
        if self.ask.isEnabled() and not self.save.isEnabled():
            self._ask()

    def _ask(self) -> None:
        if (server := self.wanted) is None:
            words = tr("This isn’t an address. Use one like gpu-box.local:8000.")
            _show_label(self.note, words, is_problem=True)
            tell_problem(self.address, words)
            self.address.setFocus()
            return
        from app.hub.model_server import RequestCut
        from app.remote.server_facts import find_out

        key, cut = self._key_now(), RequestCut()
        _show_label(self.note, tr("Contacting {host}…", host=server.host))
        self._run(lambda _: find_out(self._app.ask_server(server, key), cut), self._on_found, self.note)
        # Only now: `_run` cuts the request that was running before.
        self._cut = cut

    def _on_found(self, found: ServerFacts) -> None:
        self._found = found
        kind = _KINDS.get(found.kind, "")
        count = len(found.models)
        text = tr_count("It has 1 model.", "It has {count} models.", count)
        _show_label(self.note, " ".join(filter(None, (tr("This is {kind}.", kind=kind) if kind else "", text))))
        ticked = {name for name, box in self.boxes.items() if box.isChecked()}
        self._show_models({model.name: model.context_tokens for model in found.models}, ticked)

    def _add_models(self) -> None:
        self._models = self._theme.dress(QVBoxLayout(), spacing=2)
        self._models_title = self._theme.dress(plain_label(tr("Models in the menu")), font="control")
        self._models_title.hide()
        fill_layout(self._column, self._models_title, self._models)
        self.sees = CheckRow(
            self._theme, tr("They can see pictures"), tr("The server doesn’t report this. Pictures will be sent to it.")
        )
        self.sees.setObjectName("server_sees")
        self.sees.hide()
        self._column.addWidget(self.sees)

    def _show_kept(self) -> None:
        """Fill in a stored server from the store, without querying it."""
        if self._server is None:
            return
        self.address.setText(self._server.address)
        self.key.setPlaceholderText(tr("Unchanged"))
        kept = self._app.servers.models_on(self._server)
        self.sees.setChecked(any(model.sees == SEES for model in kept))
        self._show_models({model.name: model.context_tokens for model in kept}, {model.name for model in kept})

    def _show_models(self, models: dict[str, int], ticked: set[str]) -> None:
        for box in self.boxes.values():
            self._models.removeWidget(box)
            box.hide()
            box.deleteLater()
        takes_all = not ticked and len(models) <= MOST_TICKED
        self.boxes = {}
        for name, context in models.items():
            detail = _context_words(context) if context else ""
            box = CheckRow(self._theme, name, detail)
            box.setChecked(takes_all or name in ticked)
            box.toggled.connect(lambda _: self._update())
            self._models.addWidget(box)
            self.boxes[name] = box
        self._models_title.setVisible(bool(self.boxes))
        self.sees.setVisible(bool(self.boxes) and self._asks_about_sight)
        self._update()

    @property
    def _asks_about_sight(self) -> bool:
        """True if the user has to say which models take images, as the server doesn't."""
        from app.remote.server_facts import TELLS_SIGHT

        server = self.wanted
        return server is not None and server.kind not in TELLS_SIGHT

    @property
    def chosen(self) -> list[str]:
        return [name for name, box in self.boxes.items() if box.isChecked()]

    def _add_limits(self) -> None:
        before = self._server or RemoteServer("", "")
        self.context = Stepper(
            self._theme, tr(CONTEXT), before.context_tokens,
            lowest=0, highest=MOST_CONTEXT, step=1024, word_for_lowest=tr("As reported"),
        )  # fmt: skip
        self.at_once = Stepper(
            self._theme, tr("Parallel requests"), before.at_once,
            lowest=0, highest=MOST_AT_ONCE, step=1, word_for_lowest=tr(AUTOMATIC_LABEL),
        )  # fmt: skip
        for name, words, field in (
            (tr("Context, in tokens"), tr("How much text a model can hold."), self.context),
            (
                tr("Parallel requests"),
                tr("For long documents. “Automatic” adds requests while that’s faster."),
                self.at_once,
            ),
        ):
            told = self._theme.dress(plain_label(words, kind="muted", wraps=True), font="small")
            texts, row = QVBoxLayout(), QHBoxLayout()
            fill_layout(texts, plain_label(name, wraps=True), told)
            fill_layout(row, (texts, 1), (field, 0, Qt.AlignmentFlag.AlignTop))
            self._theme.dress(texts, spacing=2)
            self._column.addLayout(row)

    def _add_test(self) -> None:
        self.test = text_button(tr("Test"), "plain", on_click=lambda _=False: self._test())
        self.told = _note(self._theme, "server_test")
        row = fill_layout(QHBoxLayout(), self.test, 1)
        fill_layout(self._column, row, self.told)

    def _test(self) -> None:
        server, chosen = self.wanted, self.chosen
        if server is None or not chosen:
            return
        from app.hub.model_server import RequestCut
        from app.remote import server_facts

        key, model, cut = self._key_now(), chosen[0], RequestCut()
        lines: list[str] = []
        _show_label(self.told, tr("Testing {name}…", name=model))

        def steps(_: CancelToken) -> Iterator[TestStep]:
            yield from server_facts.run_tests(self._app.ask_server(server, key), model, cut)

        def on_step(step: TestStep) -> None:
            lines.append(test_words(step))
            _show_label(self.told, "\n".join(lines))

        self._stop()

        def on_failed(error: BaseException) -> None:
            self._notify.error(error)
            self._on_over()

        self._cut = cut
        self._task = tasks.run(steps, self, on_event=on_step, on_end=self._on_over, on_failed=on_failed)
        self._update()

    def _scroll_to_end(self, box: ScrollBox, end: int) -> None:
        # The test's output grows at the end.
        if not self.told.isHidden():
            box.verticalScrollBar().setValue(end)

    def _save(self) -> None:
        if (server := self.wanted) is None or not self.chosen:
            return
        listed = (
            {listed_model.name: listed_model for listed_model in self._found.models} if self._found is not None else {}
        )
        before = {model.name: model for model in self._app.servers.models_on(server)} if self._server else {}
        models = []
        for name in self.chosen:
            known, listed_model = before.get(name), listed.get(name)
            facts = {
                # What the server says now goes before what is stored.
                "context_tokens": listed_model.context_tokens if listed_model else known.context_tokens if known else 0,
                "weights": listed_model.weights if listed_model else known.weights if known else 0,
                "thinking": listed_model.thinking if listed_model else known.thinking if known else "none",
                "sees": self._sight_of(listed_model, known),
            }
            models.append(self._app.servers.model_of(server, name, **facts))
        key = self._key_now()

        # On a thread, as the keyring may ask for its password.
        def save_server(_: CancelToken) -> bool:
            self._app.servers.save(server, models)
            if key is not None:
                # Without a keyring the server is stored all the same; its key is valid until the program ends.
                with suppress(TokenNotKept):
                    self._app.servers.keep_key(server.name, key)
                    return True
                return False
            return True

        def on_kept(is_key_kept: bool) -> None:
            if not is_key_kept and self.key.text():
                self._notify.error(TokenNotKept())
            self.accept()

        self.kept_paths = [model.path for model in models]
        self._run(save_server, on_kept, self.told)

    def _sight_of(self, listed: ListedModel | None, known: RemoteModel | None) -> str:
        if self._asks_about_sight:
            return SEES if self.sees.isChecked() else ""
        return listed.sees if listed else known.sees if known else ""

    def _run(self, do: Callable[[CancelToken], object], then: Callable[..., object], note: QLabel) -> None:
        """Run on a thread; errors are shown next to the button."""

        def failed(error: BaseException) -> None:
            error = expected_error(error)
            _show_label(note, sentence_for(error).text, is_problem=True)

        self._stop()
        self._task = tasks.ask(do, self, then, failed, self._on_over)
        self._update()

    def _stop(self) -> None:
        if self._cut is not None:
            self._cut.cut_request()
        if self._task is not None and not self._task.done:
            self._task.abandon()
        self._task = None

    def _on_over(self) -> None:
        self._task = None
        self._update()

    def _update(self) -> None:
        is_free = self._task is None or self._task.done
        server = self.wanted
        self.trust.setVisible(server is not None and server.address.startswith("https:"))
        self.ask.setEnabled(bool(self.address.text().strip()) and is_free)
        self.test.setEnabled(bool(self.chosen) and is_free)
        self.save.setEnabled(bool(self.chosen) and server is not None and is_free)


class AuthorityField(QWidget):
    """Certificate authorities for an https server: the system's, or an additional file.

    `take` reads a chosen file and uses its certificates; `on_change` hears of others.
    """

    def __init__(
        self, theme: Theme, authorities: str, take: Callable[[Path], object], on_change: Callable[[], object]
    ) -> None:
        super().__init__()
        self._take, self._on_change = take, on_change
        self.vouches = theme.dress(plain_label("", kind="muted", wraps=True), font="small")
        self.choose = text_button(tr("Choose a file…"), "plain", on_click=lambda _=False: self._choose())
        self.choose.setAccessibleName(tr("Choose a certificate authority file"))
        self.drop = text_button(tr(REMOVE), "plain", on_click=lambda _=False: self.use(""))
        self.drop.setAccessibleName(tr("Remove your certificate authority"))
        title = theme.dress(plain_label(tr("Server certificate")), font="control")
        block, row = QVBoxLayout(self), QHBoxLayout()
        fill_layout(block, title, self.vouches)
        for button in (self.choose, self.drop):
            row.addWidget(button)
        row.addStretch(1)
        block.addLayout(row)
        theme.dress(block, margins=(0, 0, 0, 0), spacing=4)
        self._set_authorities(authorities)

    def use(self, authorities: str) -> None:
        """Set certificates in PEM; "" for the system's only."""
        self._set_authorities(authorities)
        self._on_change()

    def _set_authorities(self, authorities: str) -> None:
        self.authorities = authorities
        text = tr("Must be issued by an authority this system trusts.")
        if authorities:
            names = join_list(owners_of(authorities)) or tr("the server’s own certificate")
            text = tr("Must be issued by {names} or an authority this system trusts.", names=names)
        self.vouches.setText(text)
        self.drop.setVisible(bool(authorities))

    def _choose(self) -> None:
        certificate_dialog(self, self._take).open()


def _note(theme: Theme, name: str) -> QLabel:
    label = theme.dress(plain_label("", kind="muted", wraps=True), font="small")
    label.setObjectName(name)
    label.hide()
    return label


def _show_label(label: QLabel, text: str, *, is_problem: bool = False) -> None:
    label.setProperty("kind", "danger" if is_problem else "muted")
    label.style().polish(label)
    label.setText(text)
    label.setVisible(bool(text))


_WORKS = {
    "models": "It lists its models.",
    "answers": "It answers.",
    "streams": "Answers stream as they’re written.",
    "json": "It follows JSON schemas.",
    "counts": "It counts tokens.",
}
_LACKS = {
    "models": "It lists no models.",
    "context": "It doesn’t report its context. Set it above.",
    "answers": "It doesn’t answer.",
    "streams": "Answers arrive all at once.",
    "json": "It doesn’t follow JSON schemas; Fireside repairs its output.",
    "counts": "It doesn’t count tokens, so they’re estimated.",
}


def _context_words(tokens: int) -> str:
    shown = short_count(tokens)
    return tr_count("{count} token of context", "{count} tokens of context", tokens, count=shown)


def test_words(step: TestStep) -> str:
    """Return a line for a test step, starting with its mark."""
    if step.error is not None:
        return f"✗ {sentence_for(step.error).text}"
    if step.what == "context" and step.works:
        context = tr_count("Its context is {count} token.", "Its context is {count} tokens.", step.detail)
        return f"✓ {context}"
    return f"✓ {tr(_WORKS[step.what])}" if step.works else f"– {tr(_LACKS[step.what])}"
