"""Models on other servers in pictures: which there are, one that is tested, an answer from there, what is asked.

And other computers that lend their memory to a model here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from unittest.mock import patch

from composer_scenes import draw_evening

from app.core.errors.engine_errors import MachineUnusable
from app.core.paths import starter_model
from app.engine.protocol import MACHINE, Device, DevicesDescribed
from app.features.leaving import OutboundDocuments
from app.remote.servers import SEES, RemoteServer
from app.ui.settings.computers import ComputersSection
from app.ui.settings.dialog import SettingsDialog
from app.ui.settings.servers_page import ServerDialog, ServersSection
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.notice_bar import Notice
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame
from tests.helpers.fake_server import FakeServer

HOST = "gpu-box.local:8000"
MODELS = ("Qwen/Qwen3-32B", "google/gemma-3-27b-it", "mistralai/Mistral-Small-24B")
QUESTION = "How much is the deposit, and when is it paid back?"
ANSWER = (
    "The deposit is **2,400 euros**. It is paid back within eight weeks of moving out, without interest, unless "
    "something in the flat is damaged."
)
LOAD_MS = 60_000
Step = Callable[[], object]


class Scenes:
    """The steps of these pictures, around a server of our own that is shown by another name."""

    def __init__(self, frame: Frame, chat: ChatDesk) -> None:
        self._frame, self._chat, self._app = frame, chat, frame.app
        self._open = ExitStack()

    def screens(self) -> list[tuple[str, Step, Step]]:
        """Name, what to do before the picture, what to do after it."""
        return [
            ("servers", self.show_page, self.leave),
            ("server-dialog", self.show_dialog, self.leave),
            ("elsewhere", self.show_answer, self.leave),
            ("leaving", self.ask, self.leave),
            ("picture-elsewhere", self.show_picture, self.leave),
            ("computers", self.show_computers, self.leave),
        ]

    def show_page(self) -> None:
        self._begin()
        self._frame.window.open_settings("connections/servers")

    def show_dialog(self) -> None:
        server = self._begin()
        self._frame.window.open_settings("connections/servers")
        page = self._frame.find_step(ServersSection)
        dialog = page.open_dialog(None)
        dialog.address.setText(server.host)
        dialog.ask.setEnabled(True)
        dialog.ask.click()
        self._frame.wait(lambda: bool(dialog.boxes))
        dialog.test.click()
        self._frame.wait(lambda: dialog.told.text().count("\n") == 5)
        dialog.address.setText(HOST)

    def show_answer(self) -> None:
        self._begin()
        window, loader = self._frame.window, self._frame.loader
        self._frame.show_tab("chat")
        self._frame.window.tab("chat").show_new()
        window.picker.use(self._app.servers.list_models()[0].path)
        self._frame.wait(lambda: loader.state == "ready", LOAD_MS)
        self._chat.ask(QUESTION)

    def ask(self) -> None:
        self.show_answer()
        leaving = OutboundDocuments(HOST, ("Lease agreement.pdf",))
        threading.Thread(target=lambda: self._app.may_leave(leaving), daemon=True).start()
        self._frame.wait(lambda: bool(self._frame.window.findChildren(QuestionDialog, "leaving_question")))

    def show_picture(self) -> None:
        """One beside a message, with where it would be sent."""
        self._begin(sees=SEES)
        window, loader, chat = self._frame.window, self._frame.loader, self._chat
        self._frame.show_tab("chat")
        window.tab("chat").show_new()
        window.picker.use(self._app.servers.list_models()[0].path)
        self._frame.wait(lambda: loader.state == "ready", LOAD_MS)
        path = self._app.paths.cache / "Evening.png"
        draw_evening("#f4a259", "#31425e").save(str(path))
        chat.attaching.add([path])
        self._frame.wait(lambda: any(HOST in chip.accessibleDescription() for chip in chat.row.chips))

    def show_computers(self) -> None:
        """One that has room, one with two cards, and one that is off."""
        addresses = tuple(f"192.168.1.{number}:50052" for number in (7, 20, 31))
        lent = ((addresses[0], 22.1, 24.0), (addresses[1], 15.2, 16.0), (f"{addresses[1]} #2", 11.7, 12.0))
        devices = tuple(Device(name, "", MACHINE, round(free * 1e9), round(all_ * 1e9)) for name, free, all_ in lent)
        missed = (MachineUnusable(addresses[2], "silent"),)
        described = DevicesDescribed(0, "", devices, (), 4, missed=missed)
        self._open.enter_context(patch.object(self._app.engine, "describe_devices", lambda: described))
        self._app.change_settings("engine", machines=addresses)
        self._frame.window.open_settings("connections/computers")
        page = self._frame.find_step(ComputersSection)
        self._frame.wait(lambda: page.again.isEnabled() and bool(page.rows[-1].said.property("kind") == "danger"))

    def leave(self) -> None:
        window, loader, starter = self._frame.window, self._frame.loader, starter_model()
        for kind in (QuestionDialog, ServerDialog, SettingsDialog):
            for dialog in window.findChildren(kind):
                dialog.close()
        for one in self._chat.chat.session.state.shown:
            self._chat.attaching.remove(one)
            self._frame.find_step(Notice).dismiss()
        if self._app.settings.engine.machines:
            self._app.change_settings("engine", machines=())
        for server in self._app.servers.all():
            self._app.servers.remove(server.name)
        if starter is not None and loader.path != starter:
            loader.load(starter)
            self._frame.wait(lambda: loader.state == "ready", LOAD_MS)
        self._open.close()

    def _begin(self, **facts: str) -> FakeServer:
        server = self._open.enter_context(FakeServer(ANSWER, kind="vllm"))
        server.models, server.context_tokens = list(MODELS), 40_960
        self._open.enter_context(patch("app.remote.servers.host_of", lambda _address: HOST))
        self._open.enter_context(patch("app.hub.access.is_this_computer", lambda _host: False))
        kept = RemoteServer("gpu-box", server.address, "vllm", at_once=32)
        self._app.servers.save(kept, [self._app.servers.model_of(kept, name, **facts) for name in MODELS])
        return server
