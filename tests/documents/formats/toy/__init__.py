"""A format that only tests know: its folder, and its line in the registry."""

from __future__ import annotations

from app.documents.formats.registry import FileFormat

LINE = FileFormat(
    "toy",
    "a toy",
    "toy",
    "Toys",
    "tests.documents.formats.toy.toy",
    "tests.documents.formats.toy.toy",
    begins=(b"TOY\n",),
)
