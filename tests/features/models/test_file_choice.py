"""The file that is recommended: balanced where it fits, smaller where it does not, nothing where nothing fits."""

from __future__ import annotations

from app.engine.fit import MemoryRoom
from app.features.models.choice import recommend_file, representative_files
from app.hub.model_files import ModelFile, RemoteFile

GB = 1_000_000_000
LARGE = MemoryRoom(60 * GB, 64 * GB)


def file(tag: str, size_gb: float, *, is_supported: bool = True) -> ModelFile:
    name = f"model-{tag}.gguf"
    return ModelFile(name, (RemoteFile(name, int(size_gb * GB)),), tag, is_supported)


ALL = [file("Q2_K", 3.9), file("Q3_K_M", 4.7), file("Q4_K_S", 5.4), file("Q4_K_M", 5.7), file("Q8_0", 9.5)]


def tag(models: list[ModelFile], room: MemoryRoom) -> str:
    found = recommend_file(models, room)
    return found.tag if found else ""


def test_balanced_where_there_is_room() -> None:
    assert tag(ALL, LARGE) == "Q4_K_M"
    assert tag(ALL, MemoryRoom(0, 0)) == "Q4_K_M"  # nobody knows: the usual one


def test_fewer_bits_where_there_is_less_room_and_nothing_where_there_is_none() -> None:
    assert tag(ALL, MemoryRoom(5_800_000_000, 8 * GB)) in ("Q4_K_S", "Q3_K_M", "Q2_K")
    assert tag(ALL, MemoryRoom(1 * GB, 2 * GB)) == ""


def test_what_cannot_be_opened_is_never_recommended() -> None:
    assert tag([file("Q4_K_M", 5.7, is_supported=False), file("Q8_0", 9.5)], LARGE) == "Q8_0"
    assert tag([], LARGE) == ""


def test_other_kinds_of_four_bits() -> None:
    assert tag([file("UD-Q4_K_XL", 6), file("Q5_K_M", 6.6)], LARGE) == "UD-Q4_K_XL"
    assert tag([file("BF16", 18), file("", 5), file("Q8_0", 9.5)], LARGE) == "Q8_0"


def test_one_file_for_each_meaning() -> None:
    models = [*ALL, file("", 2), file("odd", 2)]
    assert [model.tag for model in representative_files(models)] == ["Q2_K", "Q3_K_M", "Q4_K_M", "Q8_0", "", "odd"]
