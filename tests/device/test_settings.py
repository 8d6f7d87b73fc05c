"""A settings file becomes one frozen object, or an error that names file, line and key."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import SettingsError
from device.settings import Section, line_of, parse, read, text_of


class Printer(Section, frozen=True, kw_only=True):
    port: int = 9100
    host: str


class Whole(Section, frozen=True, kw_only=True):
    printer: Printer


def refused(text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        parse(text, Whole, Path("site.toml"))
    return caught.value


def test_a_file_becomes_one_frozen_object(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text('[printer]\nhost = "box"\n', "utf-8")
    settings = read(file, Whole)
    assert settings == Whole(printer=Printer(host="box", port=9100))
    with pytest.raises(AttributeError):
        settings.printer.port = 1  # type: ignore[misc]  # that it is refused is the test


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_file_of_any_editor_is_read(tmp_path: Path, before: bytes, end: bytes) -> None:
    file = tmp_path / "site.toml"
    file.write_bytes(before + end.join([b"[printer]", b'host = "box"', b""]))
    assert text_of(file) == '[printer]\nhost = "box"\n'
    assert read(file, Whole).printer.host == "box"


def test_a_file_that_has_no_end_is_told_and_not_read_into_the_memory() -> None:
    with pytest.raises(SettingsError) as caught:
        read(Path("/dev/zero"), Whole)
    assert caught.value.facts["wrong"] == "unreadable: TooLarge"


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "+nan", "1e999"])
def test_what_is_no_finite_number_is_told_with_its_line(number: str) -> None:
    error = refused(f'[printer]\nhost = "nan"\nport = {number}\n')
    assert error.facts["line"] == 3
    assert "is no number" in str(error.facts["wrong"])


def test_an_unknown_key_is_named_with_its_line() -> None:
    error = refused('# a city\n[printer]\nhost = "box"\nprot = 9100\n')
    assert (error.facts["line"], error.facts["key"]) == (4, "printer.prot")
    assert error.facts["file"] == Path("site.toml")


def test_a_wrong_value_is_named_with_its_line() -> None:
    error = refused('[printer]\nhost = "box"\nport = "often"\n')
    assert (error.facts["line"], error.facts["key"]) == (3, "printer.port")


def test_a_missing_key_points_to_its_table() -> None:
    error = refused("\n\n[printer]\nport = 1\n")
    assert (error.facts["line"], error.facts["key"]) == (3, "printer.host")


def test_text_that_is_not_toml_names_its_line() -> None:
    assert refused('[printer]\nhost = "box\n').facts["line"] == 2


def test_a_missing_file_is_an_error_and_no_traceback_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path / "none.toml", Whole)
    assert "FileNotFoundError" in str(caught.value.facts["wrong"])


@given(st.text(max_size=200))
def test_any_text_is_settings_or_a_settings_error(text: str) -> None:
    with suppress(SettingsError):
        assert isinstance(parse(text, Whole, Path("site.toml")), Whole)


@given(st.integers(0, 30))
def test_the_line_of_a_key_is_where_it_is_set(blank: int) -> None:
    text = "[printer]\n" + "\n" * blank + "port = 1\n"
    assert line_of(text, "printer.port") == blank + 2
