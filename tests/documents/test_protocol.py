"""Every message of the document child crosses its wire unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.documents.protocol import WIRE
from tests.helpers.wire import check_missing_keys, check_recorded, survives


@pytest.mark.parametrize("cls", [*WIRE.requests, *WIRE.replies], ids=lambda cls: cls.__name__)
def test_a_message_survives_the_wire(cls: type) -> None:
    survives(WIRE, cls, is_request=cls in WIRE.requests)
    check_missing_keys(WIRE, cls, is_request=cls in WIRE.requests)


def test_a_recorded_conversation_is_read_and_written_as_it_was() -> None:
    check_recorded(WIRE, Path(__file__).parent / "data" / f"wire-{WIRE.version}.jsonl")
