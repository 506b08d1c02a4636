"""Files of trunks as spreadsheets write them."""

import csv
import io
import sys
from codecs import BOM_UTF8

import pytest

from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.spreadsheet import parse_rows

HEAD = "phone_number,channel,agent_uuid,name"
ROW = "+12025550142,call,6b908b23-e62c-4b3f-be4d-a5f55fe74735,Café"
TEXT = f"{HEAD}\n{ROW}\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.replace("\n", "\r").encode(),
        TEXT.replace("\n", "\r\n").encode(),
        f"{TEXT},,,\n , , ,\n\n".encode(),
        f"{HEAD},,\n{ROW},,\n,,,,,,,\n".encode(),
        f"{HEAD}\n{ROW},,,\n".encode(),
    ],
    ids=["comma", "semicolon", "tab", "BOM", "UTF-16", "Mac", "Windows", "empty rows", "empty columns", "empty cells"],
)
def test_what_spreadsheets_write_is_read(content):
    """Whatever stands between cells, at the end of lines and around the table."""
    (row,) = parse_rows("trunks.csv", content)

    assert (2, "+12025550142", "Café") == (row.line, row.trunk.phone_number, row.trunk.name)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("before", [0, 3, 4000])
def test_an_older_encoding_is_reported_with_its_line(end, before):
    """However far into the file that is."""
    rows = [HEAD, *[f"+1202555{number:04},call,a," for number in range(before)], ROW]
    with pytest.raises(StopError, match=f"line {before + 2}: it is not text in UTF-8. Nothing was sent.") as stopped:
        parse_rows("trunks.csv", end.join(rows).encode("cp1252"))

    assert (Exit.USAGE, True) == (stopped.value.code, "CSV UTF-8" in stopped.value.advice)


def test_a_header_that_is_none_is_reported_as_it_was_found():
    """So that one sees what stands between its names."""
    with pytest.raises(StopError, match=r"it has no phone_number. Its columns are 'phone_number\|channel'"):
        parse_rows("trunks.csv", b"phone_number|channel\n")


def test_a_file_comes_from_standard_input(command, sandbox, monkeypatch, tmp_path):
    """What came of each line goes to standard output, or to a file."""
    agent = sandbox.inventory.free_agents("call")[0]
    text = f"phone_number;channel;agent_uuid\n+12025550142;call;{agent}\n"

    def ensured(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        done: tuple[int, str, str] = command("trunks", "ensure", "--from", "-", *words)
        return done

    first, second = ensured(), ensured("--results", str(tmp_path / "results.csv"))
    (row,) = csv.DictReader(io.StringIO(first[1]))

    assert ("+12025550142", "created") == (row["phone_number"], row["outcome"])
    assert "mihu-async: 1 created; each has a line.\n" == first[2]
    assert (Exit.DONE, "") == second[:2]
    assert "unchanged" in (tmp_path / "results.csv").read_text()


@pytest.mark.parametrize("option", [("--output", "json"), ("--columns", "number")])
def test_the_form_of_results_is_not_chosen(command, sandbox, tmp_path, option):
    """The command says that the option has no effect, and not that a trunk stands on the command line."""
    (tmp_path / "trunks.csv").write_text(TEXT)
    done = command("trunks", "ensure", "--from", str(tmp_path / "trunks.csv"), *option)

    assert (Exit.USAGE, []) == (done.code, list(sandbox.journal))
    assert "--from always writes the results as CSV, so it does not take --output or --columns." in done.err
