"""Word documents that find no room are told once, by who writes them."""

from __future__ import annotations

import errno
import gc
import io
import sys
from typing import Any

import pytest

from app.features.work.docx_writer import DocxWriter


class FullDisk(io.BytesIO):
    """Takes nothing, as a file on a full disk."""

    def write(self, _data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_once_and_nothing_complains_later(monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    out = FullDisk()
    with pytest.raises(OSError, match="No space"):
        DocxWriter("Notes").save(out)
    out.close()
    gc.collect()
    assert complaints == []
