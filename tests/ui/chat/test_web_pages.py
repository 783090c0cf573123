"""Pages of the web in the window: the card shows the address, and the page becomes a document with chips."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt

from app.features.tools.call_words import ALLOW_HOST, HOST_SEES
from app.features.tools.permissions import WEB_SERVER, PermissionAnswer
from app.features.tools.stored_grants import StoredGrant
from app.hub.web_fetcher import WebFetcher
from app.ui.chat.permission_card import SentArguments
from app.ui.chat.tools_choice import TOOLS_LABEL
from app.ui.document.document_chip import PageChip
from tests.features.tools.lent_tools import OWN_WAY, written_call
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.fake_site import FakeSite, SitePage, resolve_here
from tests.ui.chat.conftest import Open
from tests.ui.chat.test_permission_card import answer_card, button, cards, wait_for_card

WORDS = "The kiln is fired at 1250 degrees for eleven hours."
KILN = f"<title>Firing clay</title><h1>Firing</h1><p>{WORDS}</p><p>It cools for two days behind a closed door.</p>"


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with FakeSite({"clay.test/firing": SitePage(KILN.encode())}) as found:
        found.redirect("old.test/firing", found.address("clay.test/firing"))
        yield found


@pytest.fixture
def desk(open_chat: Open, site: FakeSite) -> ChatDesk:
    def call(page: str) -> str:
        return written_call("read_web_page", by_template=True, url=site.address(page))

    desk = open_chat(
        {"when": "eleven hours", "text": WORDS},
        {"when": "not allow", "text": "Then not."},
        {"when": "the old page", "text": call("old.test/firing")},
        {"text": call("clay.test/firing")},
        calls=OWN_WAY,
    )
    desk.app.change_settings("tools", web=True)
    desk.app.__dict__["web"] = WebFetcher(
        lambda: desk.app.settings, desk.app.ledger, resolve=resolve_here, is_allowed=bool
    )
    desk.choose_entry(TOOLS_LABEL)
    return desk


def ask(desk: ChatDesk, question: str) -> str:
    """Ask, wait for the card, and return the address on it."""
    desk.type(question)
    desk.press(Qt.Key.Key_Return)
    sent = wait_for_card(desk).findChild(SentArguments)
    assert isinstance(sent, SentArguments)
    return sent.toPlainText()


def test_a_page_is_asked_about_and_becomes_a_document_with_chips(desk: ChatDesk, site: FakeSite) -> None:
    host, address = site.host("clay.test"), site.address("clay.test/firing")
    assert ask(desk, "How long is the kiln fired?") == address
    assert site.requests == [], "nothing leaves before the answer"
    assert cards(desk)[0].accessibleName() == f"{ALLOW_HOST.format(host=host)} {HOST_SEES.format(host=host)}"
    assert cards(desk)[0].findChild(type(button(cards(desk)[0], None)), "permission_server") is None
    answer_card(desk, PermissionAnswer.TOOL)
    assert desk.last_text == WORDS
    desk.wait(lambda: len(desk.chips_of(desk.question())) == 1)
    (chip,) = desk.chips_of(desk.question())
    assert f"Firing clay ({host})" in chip.accessibleName()
    (source,) = (chip for chip in desk.last.findChildren(PageChip) if chip.isVisible())
    with desk.hears(desk.root.transcript.maker.place_wanted) as wanted:
        desk.click(source)
    ((document_id, _),) = wanted
    assert desk.app.documents.open_document(document_id).address == address
    assert desk.app.tool_grants.list_grants() == (StoredGrant(WEB_SERVER, host, PermissionAnswer.TOOL),)
    assert [connection.host for connection in desk.app.ledger.connections()] == ["clay.test"]
    desk.ask("How long, again?")
    assert (desk.last_text, cards(desk)) == (WORDS, []), "this host is allowed for good"


def test_a_redirect_shows_a_second_card(desk: ChatDesk, site: FakeSite) -> None:
    assert ask(desk, "What says the old page?") == site.address("old.test/firing")
    desk.click(button(cards(desk)[0], PermissionAnswer.ONCE))
    desk.wait(lambda: site.requests == ["old.test/firing"])
    second = wait_for_card(desk).findChild(SentArguments)
    assert isinstance(second, SentArguments)
    assert second.toPlainText() == site.address("clay.test/firing")
    answer_card(desk, None)
    assert (desk.last_text, site.requests) == ("Then not.", ["old.test/firing"])
