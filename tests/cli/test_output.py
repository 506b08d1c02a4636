import csv
import io
import json
import re
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from mihu_async import NumberType, PhoneNumber
from mihu_async.cli import layouts
from mihu_async.cli.columns import Column, Layout, text
from mihu_async.cli.formats import Format, rows_in
from mihu_async.cli.layouts import NUMBERS
from mihu_async.cli.output import format_for
from mihu_async.cli.results import RESULTS
from mihu_async.cli.spreadsheet import COLUMNS

DOCS = (Path(__file__).parents[2] / "docs" / "command.md").read_text()


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (Decimal("1.50"), "1.50"),
        (NumberType.TOLL_FREE, "toll_free"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
        (("name", "sip"), "name sip"),
    ],
    ids=repr,
)
def test_a_cell_is_plain_text(value, cell):
    """It can be read back by a program."""
    assert cell == text(value)


def test_a_table_off_a_terminal_has_room_for_all_and_cuts_nothing(command):
    """Names stand above, what is not known is a dash, and columns that no trunk fills are left out."""
    head, first, *others = command("trunks list --output table").rows

    assert ["NUMBER", "CALL_AGENT", "WHATSAPP_AGENT", "PHONE_NUMBER_UUID"] == head.split()
    assert re.fullmatch(r"\+\d+ +\w.*  -  +[0-9a-f-]{36}", first)
    assert 39 == len(others)


def test_csv_reads_back(command, sandbox):
    """Every row has every column, quoted where it must be."""
    rows = list(csv.DictReader(io.StringIO(command("numbers list --output csv").out)))

    assert [row["number"] for row in sandbox.inventory.numbers] == [row["number"] for row in rows]
    assert [column.name for column in NUMBERS.columns] == list(rows[0])
    assert "Paris, Île-de-France" in {row["location"] for row in rows}
    assert {"true", "false"} >= {row["is_external"] for row in rows}


def test_a_line_end_of_any_kind_in_a_cell_reads_back():
    """A row stays one row, and ends with one plain line end."""
    cells = ["Paris\rLyon", "Paris\nLyon", "Paris\r\nLyon", ""]
    rows = rows_in(Format.CSV, Layout((Column[str]("place", str), Column[str]("more", len)), ("place",)))
    written = rows.head() + "".join(map(rows.row, cells))

    assert [[cell, str(len(cell))] for cell in cells] == list(csv.reader(io.StringIO(written, newline="")))[1:]
    assert rows.row("x") == "x,1\n"


def test_json_holds_whole_items(command, sandbox):
    """One array, or an object a line, with the API's names; money is text, to the digit."""
    array = json.loads(command("numbers list --output json").out)
    lines = [json.loads(line) for line in command("numbers list --output jsonl").rows]
    (asked,) = {row["billing"]["currency"] for row in lines}

    assert array == lines
    assert [row["phone_number_uuid"] for row in sandbox.inventory.numbers] == [
        row["phone_number_uuid"] for row in lines
    ]
    assert {"voice", "sms", "inbound"} == set(lines[0]["channel_settings"])
    assert ("EUR", str) == (asked, type(lines[0]["billing"]["monthly_fee"]))


def test_nothing_is_an_empty_array(command):
    """And an empty file, or a head without rows."""
    nothing = "numbers list --search no-such-number --output"

    assert [] == json.loads(command(f"{nothing} json").out)
    assert "" == command(f"{nothing} jsonl").out
    assert 1 == len(command(f"{nothing} csv").rows)


def test_one_thing_is_no_array(command, sandbox):
    """A number's channels are an object, in both kinds of JSON."""
    number = sandbox.inventory.numbers[0]["number"]
    alone = command("numbers", "channels", number, "--output", "json").out

    assert number == json.loads(alone)["number"]
    assert alone == command("numbers", "channels", number, "--output", "jsonl").out


@pytest.mark.parametrize(
    ("chosen", "file", "terminal", "expected"),
    [
        (Format.CSV, Path("x.json"), True, Format.CSV),
        (None, Path("x.csv"), True, Format.CSV),
        (None, Path("x.json"), False, Format.JSON),
        (None, Path("x.ndjson"), True, Format.JSONL),
        (None, Path("X.CSV"), True, Format.CSV),
        (None, Path("/dev/stdout"), True, Format.JSONL),
        (Format.JSONL, Path("x.txt"), True, Format.JSONL),
        (None, None, True, Format.TABLE),
        (None, None, False, Format.JSONL),
    ],
)
def test_the_format_is_chosen_by_where_it_goes(chosen, file, terminal, expected, monkeypatch):
    """The option goes before the file's name, and that before the terminal."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)

    assert expected is format_for(chosen, file)


def test_the_documented_columns_are_the_commands():
    """Each list of columns is one of the code's, in order."""
    table = DOCS.partition("## Columns\n")[2].partition("\n## ")[0]
    documented = {
        name: re.findall(r"`(\w+)`", cells)
        for name, cells in re.findall(r"^\| (\w+) \| (`.*) \|$", table, re.MULTILINE)
    }

    assert {
        name.lower(): [column.name for column in found.columns]
        for name, found in vars(layouts).items()
        if isinstance(found, Layout)
    } | {"file": list(COLUMNS), "results": list(RESULTS)} == documented


def test_a_field_below_what_is_not_known_is_not_known():
    """A number without billing has no fee."""
    number = PhoneNumber(phone_number_uuid="u", number="+12345678901", is_external=True)

    assert "" == text(NUMBERS.named(["monthly_fee"])[0].pick(number))
