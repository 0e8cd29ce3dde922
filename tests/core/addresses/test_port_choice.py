"""Names of ports and clients: read from bytes, cut between characters, compared as people do."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.addresses.port_choice import MOST_NAME_BYTES, cut_name, pick, read_name

letters = st.text(st.characters(exclude_categories=["Cs"]))


@given(letters, st.integers(1, 70))
def test_a_name_is_cut_at_a_characters_boundary_and_no_earlier(name: str, most: int) -> None:
    cut = cut_name(name, most)
    assert name.startswith(cut)
    assert len(cut.encode()) <= most
    assert cut == name or len(name[: len(cut) + 1].encode()) > most


def test_forty_letters_of_any_script_are_a_clients_name() -> None:
    assert cut_name("鍵" * 40) == "鍵" * 21
    assert cut_name("é" * 40) == "é" * 31
    assert cut_name("🎹" * 40) == "🎹" * 15
    assert cut_name("a" * 40) == "a" * 40
    assert MOST_NAME_BYTES == 63


@given(letters.filter(lambda name: name.strip("\0").strip() == name != ""), st.integers(0, 20))
def test_a_name_in_utf_8_is_read_as_it_is(name: str, number: int) -> None:
    assert read_name(name.encode(), number, "mac_roman") == name


@given(st.binary(max_size=80) | st.none(), st.integers(0, 20), st.sampled_from(["latin-1", "mac_roman", "cp1252"]))
def test_whatever_a_system_says_becomes_a_name(raw: bytes | None, number: int, legacy: str) -> None:
    assert read_name(raw, number, legacy).strip()


def test_what_is_no_utf_8_is_read_as_before() -> None:
    assert read_name("Clé".encode("mac_roman"), 0, "mac_roman") == "Clé"
    assert read_name("Schl\u00fcssel".encode("latin-1"), 0, "cp1252") == "Schlüssel"
    assert read_name("鍵盤".encode()[:-1], 0, "cp1252") == "鍵"


def test_an_accent_may_be_written_in_either_way() -> None:
    composed = "Clavier é"
    decomposed = unicodedata.normalize("NFD", composed)
    assert pick(composed, [decomposed], [], "input") == decomposed
    assert pick(decomposed.upper(), [composed], [], "input") == composed
