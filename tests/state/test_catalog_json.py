"""catalog.json, the list of known catalogs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.errors import StateFileError
from desktop.state.catalog_index import CatalogIndex, CatalogRecord, catalog_file_name


@pytest.fixture
def index(tmp_path: Path) -> CatalogIndex:
    return CatalogIndex(tmp_path / "catalog.json", tmp_path / "locks" / "catalog.lock")


def test_a_missing_file_knows_no_catalog(index: CatalogIndex) -> None:
    assert index.records() == {}


def test_a_record_that_is_put_is_read_back_in_the_reference_s_words(index: CatalogIndex, tmp_path: Path) -> None:
    index.put("mine", CatalogRecord("Mine", "/x/mine.yaml", "2025-06-25T10:00:00+02:00"))
    index.put("bare", CatalogRecord("Bare"))
    assert json.loads((tmp_path / "catalog.json").read_text(encoding="utf-8")) == {
        "catalogs": {
            "mine": {"displayName": "Mine", "url": "/x/mine.yaml", "lastUpdate": "2025-06-25T10:00:00+02:00"},
            "bare": {"displayName": "Bare"},
        }
    }
    assert index.records()["mine"] == CatalogRecord("Mine", "/x/mine.yaml", "2025-06-25T10:00:00+02:00")


def test_keys_we_do_not_know_survive(index: CatalogIndex, tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    path.write_text('{"v": 7, "catalogs": {"a": {"displayName": "A", "x": [1]}, "b": {}}}', encoding="utf-8")
    index.put("a", CatalogRecord("A2", "https://a"))
    index.remove("b")
    index.remove("unheard-of")
    expected = {"v": 7, "catalogs": {"a": {"displayName": "A2", "x": [1], "url": "https://a"}}}
    assert json.loads(path.read_text(encoding="utf-8")) == expected


def test_putting_what_is_there_already_does_not_touch_the_file(index: CatalogIndex, tmp_path: Path) -> None:
    index.put("a", CatalogRecord("A"))
    before = (tmp_path / "catalog.json").stat()
    index.put("a", CatalogRecord("A"))
    assert (tmp_path / "catalog.json").stat().st_ino == before.st_ino


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"catalogs":\n  {,}}', "line 2, column 4: this is not valid JSON"),
        ("[]", "a JSON object is expected"),
        ('{"catalogs": {"a": 1}}', "should be an object of objects"),
    ],
)
def test_a_broken_file_is_named_and_never_overwritten(
    index: CatalogIndex, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "catalog.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StateFileError, match=message):
        index.records()
    with pytest.raises(StateFileError, match=message):
        index.put("a", CatalogRecord("A"))
    assert path.read_text(encoding="utf-8") == text


def test_a_catalog_s_file_name_is_safe_on_every_system() -> None:
    assert catalog_file_name("  My: Catalog/2? ") == "my_ catalog_2_.yaml"
    assert len(catalog_file_name("é" * 300).encode()) <= 255
