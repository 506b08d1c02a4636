import io
import re
import sys

import pytest
from rich.console import Console

from mihu_async import __version__, cli
from mihu_async.cli.app import app
from mihu_async.cli.demo import answered_by, caller, describe, run
from mihu_async.cli.output import PlainOutput, TerminalOutput, output_for
from mihu_async.models.channels import Channels, NumberChannels
from mihu_async.models.numbers import Billing, PhoneNumber


async def shown(**console) -> str:
    """Run a small demo, and give what it wrote."""
    written = io.StringIO()
    await run(output_for(Console(file=written, width=200, **console)), numbers=60, trunks=8, seed=7)
    return written.getvalue()


async def test_the_demo_does_the_main_job():
    """Off a terminal, each fact is a plain line."""
    told = await shown()

    assert "\x1b" not in told
    for line in (
        "numbers 60/60",
        "trunks 8/8",
        "number\tcountry\ttype\tstatus\tmonthly fee",
        "+390790080041\tIT\tlocal\tactive\t1.15 EUR",
    ):
        assert line in told.splitlines()
    assert re.search(r"^5\d numbers stayed all along; 0 of them were missed\.$", told, re.MULTILINE)
    ((before, after),) = re.findall(r"^The workspace held (\d+) numbers, and now holds (\d+)\.$", told, re.MULTILINE)
    assert int(before) + 1 == int(after)
    assert f"(limit {after}, current {after})" in told
    (report,) = re.findall(r"^WalkReport\((.*)\)$", told, re.MULTILINE)
    assert report.endswith("drifted=True, complete=True")
    registered, assigned = re.findall(r"^(?:registered|assigned)\t(.+ \([0-9a-f-]{36}\))$", told, re.MULTILINE)
    assert registered != assigned
    assert "PurchaseLimitError: POST /api/v1/phone-numbers was refused with 403 purchase_limit_reached" in told
    assert "Nothing was changed by it." in told


async def test_the_demo_draws_on_a_terminal():
    """A person sees bars and tables."""
    told = await shown(force_terminal=True)

    assert "\x1b[" in told
    assert "┃" in told
    assert "60/60" in told


def test_the_command_runs_the_demo(capsys):
    """Its options reach the sandbox."""
    with pytest.raises(SystemExit) as ended:
        app(["demo", "--numbers", "3", "--trunks", "2", "--seed", "1"])

    assert 0 == ended.value.code
    assert "numbers 3/3" in capsys.readouterr().out


def test_the_command_tells_its_version(capsys, monkeypatch):
    """The entry point hands over to the commands."""
    monkeypatch.setattr(sys, "argv", ["mihu-async", "--version"])
    with pytest.raises(SystemExit):
        cli.main()

    assert f"{__version__}\n" == capsys.readouterr().out


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """The SDK itself does not need it."""
    monkeypatch.delitem(sys.modules, "mihu_async.cli.app")
    monkeypatch.setitem(sys.modules, "cyclopts", None)
    with pytest.raises(SystemExit, match=r"needs cyclopts.*pip install 'mihu-async\[cli\]'"):
        cli.main()


def test_the_output_is_chosen_by_what_it_writes_to():
    """A pipe gets plain lines."""
    assert isinstance(output_for(Console(force_terminal=True)), TerminalOutput)
    assert isinstance(output_for(Console(file=io.StringIO())), PlainOutput)


def test_what_is_not_known_is_a_dash():
    """An external number has no price, and a snapshot may have no call channel."""
    number = PhoneNumber(phone_number_uuid="u", number="+1", is_external=True)

    assert ["+1", "-", "-", "-", "-"] == describe(number)
    assert "" == answered_by(number)
    assert "-" == caller(NumberChannels(number="+1", channels=Channels()))
    assert "-" == describe(PhoneNumber(phone_number_uuid="u", number="+1", is_external=False, billing=Billing()))[-1]
