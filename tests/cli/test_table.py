"""What a terminal of some width shows."""

import json
import sys

import pytest

from mihu_async.cli.columns import Column, Layout, fit
from mihu_async.cli.errors import Exit
from mihu_async.cli.formats import Format, Place, rows_in

NARROW, WIDE = 80, 200


@pytest.fixture
def terminal(monkeypatch):
    """Put a terminal of some width behind standard output."""

    def of(width: int) -> None:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    return of


LISTINGS = ["numbers list", "numbers list --include-external", "trunks list", "agents list", "rates"]


@pytest.mark.parametrize("words", [*LISTINGS, "numbers search --country-code GB"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_every_row_fits_the_terminal(command, terminal, words, width):
    """None wraps, whatever is listed."""
    terminal(width)
    rows = command(words).rows

    assert len(rows) > 10
    assert max(map(len, rows)) <= width


def test_a_narrow_terminal_shows_who_answers(command, terminal, sandbox):
    """The number comes first, and the uuid, which needs the most room, last or not at all."""
    terminal(NARROW)
    head, *rows = command("numbers list").rows
    agents = [row["bindings"]["call"]["agent_name"] for row in sandbox.inventory.numbers]

    assert ["NUMBER", "COUNTRY", "TYPE", "STATUS", "FEE", "CURRENCY", "CALL_AGENT"] == head.split()
    assert [agent or "-" for agent in agents] == [row[head.index("CALL_AGENT") :] for row in rows]
    terminal(WIDE)
    assert "PHONE_NUMBER_UUID" == command("numbers list").rows[0].split()[-1]


def test_wide_shows_more_than_fits(command, terminal):
    """Who answers on the other channels, and where the number belongs; nothing is cut."""
    terminal(NARROW)
    head = command("numbers list --output wide").rows[0].split()

    assert ["PHONE_NUMBER_UUID", "SMS_AGENT", "WHATSAPP_AGENT", "LOCATION"] == head[-4:]


def test_name_is_what_other_commands_take(command, sandbox):
    """A number or a uuid on each line."""
    assert [row["number"] for row in sandbox.inventory.numbers] == command("numbers list -o name").rows
    assert [agent.uuid for agent in sandbox.inventory.agents] == command("agents list -o name").rows
    assert ["43"] == list(dict.fromkeys(command("rates -o name --country-code AT --limit 2").rows))


@pytest.mark.parametrize(
    ("output", "head"), [("table", "NUMBER STATUS CALL_AGENT"), ("csv", "number,status,call_agent")]
)
def test_columns_are_chosen_by_name(command, output, head):
    """For tables and for csv, in the order of the command line."""
    rows = command(f"numbers list --limit 2 --output {output} --columns", "number,status,call_agent").rows

    assert head == " ".join(rows[0].split())
    assert 3 == len(rows)


def test_one_thing_shows_the_chosen_columns(command, sandbox):
    """Also where they are empty."""
    number = sandbox.inventory.insert()["number"]
    shown = command("numbers", "get", number, "--output", "table", "--columns", "number,call_agent,")

    assert ["NUMBER", "CALL_AGENT"] == [row.split()[0] for row in shown.rows]
    assert "-" == shown.rows[1].split()[1]


def test_no_chosen_column_is_dropped_on_a_narrow_terminal(command, terminal):
    """Its line may be longer than the terminal is wide."""
    terminal(NARROW)
    names = "number,phone_number_uuid,call_agent_uuid,location,updated_at"
    head, *rows = command("numbers list --limit 2 --columns", names).rows

    assert names.upper().split(",") == head.split()
    assert min(map(len, rows)) > NARROW


def test_amounts_are_aligned_in_a_table(command, sandbox):
    """With two decimals at least, and all that there are; csv holds the service's text."""
    for row, fee in zip(sandbox.inventory.numbers, ("1.0", "15.5", "2.125", "3"), strict=False):
        sandbox.inventory.update(row["phone_number_uuid"], monthly_fee=fee)
    words = "numbers list --limit 4 --columns monthly_fee,currency"
    table, csv = command(f"{words} -o table").rows, command(f"{words} -o csv").rows

    assert ["    FEE", "   1.00", "  15.50", "  2.125", "   3.00"] == [row[:7] for row in table]
    assert ["1.0", "15.5", "2.125", "3"] == [row.split(",")[0] for row in csv[1:]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--output csv --columns number,fee", "There is no column 'fee'. Nothing was sent."),
        ("--output jsonl --columns number", "--columns is for tables and csv: jsonl has no columns."),
        ("--output name --columns number", "--columns is for tables and csv: name has no columns."),
        ("--output csv --columns ,", "--columns names no column."),
    ],
)
@pytest.mark.parametrize("listing", ["numbers list", "numbers get +12345678901", "numbers update +12345678901"])
def test_columns_that_cannot_be_shown_are_refused(command, sandbox, listing, words, message):
    """Before anything is sent, with those that there are."""
    done = command(f"{listing} {words}")

    assert (Exit.USAGE, []) == (done.code, list(sandbox.journal))
    assert message in done.err


def test_a_column_is_dropped_from_the_end_and_the_first_one_stays():
    """A name takes what is left over, up to its own width."""
    columns = [Column[str]("a", str, 10), Column[str]("b", str, 20, 5), Column[str]("c", str, 10)]

    def widths(width: int | None) -> list[int]:
        return [fitted.width for fitted in fit(columns, width)]

    assert [10, 20, 10] == widths(None)
    assert [10, 20, 10] == widths(100)
    assert [10, 6, 10] == widths(30)
    assert [10, 12] == widths(24)
    assert [10] == widths(1)


def test_a_long_name_is_cut_on_a_terminal_and_a_number_never():
    """By the room that its signs take there; elsewhere nothing is cut."""
    layout = Layout((Column[str]("number", str, 4), Column[str]("name", str, 6, 4)), ("number", "name"))

    def row(item: str, width: int | None) -> str:
        return rows_in(Format.TABLE, layout, place=Place(width=width)).row(item)

    assert "123456  123…\n" == row("123456", 10)
    assert "123456  123456\n" == row("123456", None)
    assert "電話番号  電…\n" == row("電話番号", 10)


def test_channels_show_capabilities_limits_and_destinations(command, terminal, sandbox):
    """In a table, one line for each, and in csv."""
    terminal(NARROW)
    number = sandbox.inventory.numbers[0]["number"]
    shown = dict(row.split(None, 1) for row in command("numbers", "channels", number).rows)
    head, cells = (row.split(",") for row in command("numbers", "channels", number, "-o", "csv").rows)
    row = dict(zip(head, cells, strict=True))

    assert ("true", "10", "FR") == tuple(
        shown[f"CALL_{name}"] for name in ("CAPABLE", "CHANNEL_LIMIT", "WHITELISTED_DESTINATIONS")
    )
    assert "true" == shown["INBOUND_ENABLED"]
    assert {name.lower() for name in shown} == {name for name, cell in row.items() if cell}


def test_an_update_shows_what_is_set_now(command, sandbox):
    """In a table and in csv, as its help says."""
    number = sandbox.inventory.numbers[0]["number"]
    update = ("numbers", "update", number, "--voice-channel-limit", "7", "--sms-whitelisted-destinations", "US,CA")
    shown = dict(row.split(None, 1) for row in command(*update, "-o", "table").rows)

    assert ("7", "US CA") == (shown["VOICE_CHANNEL_LIMIT"], shown["SMS_WHITELISTED_DESTINATIONS"])
    assert "7" in command(*update, "-o", "csv", "--columns", "number,voice_channel_limit").rows[1].split(",")
    assert 7 == json.loads(command(*update).out)["channel_settings"]["voice"]["channel_limit"]
