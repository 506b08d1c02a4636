import errno
import io
import re
import runpy
import socket
import sys
from pathlib import Path

import pytest
from rich.console import Console

import mihu_async
from mihu_async import __version__, cli
from mihu_async.cli.demo import answered_by, caller, describe, run
from mihu_async.cli.errors import Exit
from mihu_async.cli.run import run as execute
from mihu_async.cli.stage import PlainOutput, TerminalOutput, output_for
from mihu_async.models.channels import Channels, NumberChannels
from mihu_async.models.numbers import Billing, PhoneNumber
from mihu_async.sandbox import Change, serving
from mihu_async.sandbox.__main__ import main

PROGRAM = str(Path(mihu_async.__file__).with_name("__main__.py"))


async def shown(**console) -> str:
    """Run a small demo, and give what it wrote."""
    written = io.StringIO()
    await run(console=Console(file=written, width=200, **console), numbers=60, trunks=8, seed=7)
    return written.getvalue()


async def test_the_demo_does_the_main_job():
    """Off a terminal, each fact is a plain line."""
    output = await shown()

    assert "\x1b" not in output
    for line in (
        "numbers 60/60",
        "trunks 8/8",
        "number\tcountry\ttype\tstatus\tmonthly fee",
        "+390790080041\tIT\tlocal\tactive\t1.15 EUR",
    ):
        assert line in output.splitlines()
    assert re.search(r"^5\d numbers stayed in the listing; 0 of them were missed\.$", output, re.MULTILINE)
    ((before, after),) = re.findall(r"^The workspace had (\d+) numbers, and now has (\d+)\.$", output, re.MULTILINE)
    assert int(before) + 1 == int(after)
    assert f"(limit {after}, current {after})" in output
    assert re.search(r"^60 rows in \d pages, of 5\d in all: proved to be complete \(counted\)\.$", output, re.MULTILINE)
    registered, assigned = re.findall(r"^(?:registered|assigned)\t(.+ \([0-9a-f-]{36}\))$", output, re.MULTILINE)
    assert registered != assigned
    assert "PurchaseLimitError: POST /api/v1/phone-numbers was refused with 403 purchase_limit_reached" in output
    assert "Nothing was changed." in output


async def test_the_demo_draws_on_a_terminal():
    """A person sees bars and tables."""
    output = await shown(force_terminal=True)

    assert "\x1b[" in output
    assert "┃" in output
    assert "60/60" in output


def test_the_command_runs_the_demo(capsys):
    """Its options reach the sandbox."""
    assert 0 == execute(["demo", "--numbers", "3", "--trunks", "2", "--seed", "1"])
    assert "numbers 3/3" in capsys.readouterr().out


def test_the_command_tells_its_version(capsys, monkeypatch):
    """The entry point hands over to the commands."""
    monkeypatch.setattr(sys, "argv", ["mihu-async", "--version"])
    with pytest.raises(SystemExit):
        cli.main()

    assert f"{__version__}\n" == capsys.readouterr().out


def test_what_a_terminal_cannot_show_is_spelled(sandbox, monkeypatch):
    """An error would hide what was done."""
    sandbox.faults.add(Change(lambda body: body["data"]["items"][0].update(location="Cefalù")))
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", screen)
    words = "numbers search --country-code IT --output table --columns location"
    monkeypatch.setattr(sys, "argv", ["mihu-async", *words.split()])
    with pytest.raises(SystemExit):
        cli.main()

    screen.seek(0)
    assert "LOCATION\nCefal\\xf9\n" == screen.read()


def test_the_command_runs_where_standard_output_is_no_stream_of_bytes(monkeypatch):
    """As in a notebook."""
    monkeypatch.setattr(sys, "stdout", screen := io.StringIO())
    monkeypatch.setattr(sys, "argv", ["mihu-async", "--version"])
    with pytest.raises(SystemExit):
        cli.main()

    assert f"{__version__}\n" == screen.getvalue()


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """The SDK itself does not need it."""
    monkeypatch.delitem(sys.modules, "mihu_async.cli.run", raising=False)
    monkeypatch.delitem(sys.modules, "mihu_async.cli.app", raising=False)
    monkeypatch.setitem(sys.modules, "cyclopts", None)
    with pytest.raises(SystemExit, match=r"needs cyclopts.*: pip install '\.\[cli\]'$"):
        cli.main()


def run_module(monkeypatch, *words: str) -> None:
    """Run the package as a program."""
    monkeypatch.setattr(sys, "argv", ["mihu_async", *words])
    runpy.run_path(PROGRAM, run_name="__main__")


def test_the_package_tells_its_versions_and_its_help(capsys, monkeypatch):
    """`python -m mihu_async`, without arguments."""
    with pytest.raises(SystemExit) as ended:
        run_module(monkeypatch)
    first, *others = capsys.readouterr().out.splitlines()

    assert 0 == ended.value.code
    assert first.startswith(f"mihu-async {__version__}, Python 3.")
    assert "Usage: mihu-async COMMAND" in others


def test_the_package_is_the_command(capsys, monkeypatch):
    """With arguments."""
    with pytest.raises(SystemExit) as ended:
        run_module(monkeypatch, "numbers", "lst")

    assert 2 == ended.value.code
    assert "" == capsys.readouterr().out


def test_importing_the_module_does_nothing(capsys):
    """It is a program, and a tool may look at it."""
    runpy.run_path(PROGRAM, run_name="mihu_async.__main__")

    assert "" == capsys.readouterr().out


def test_a_sandbox_is_served_until_ctrl_c(monkeypatch):
    """With the options of the sandbox's own command."""
    served = []

    async def serve(sandbox, *, variables_file) -> int:
        served.append((sandbox, variables_file))
        return 1

    monkeypatch.setattr(serving, "serve", serve)  # the real one serves until a signal comes

    agent = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
    options = "--numbers 3 --trunks 2 --seed 1 --purchase-limit 4 --activation-delay 2.5 --port 7000 --token abc"
    options += f" --script outage --script busy --agent {agent} --strict --no-admin --env-file a.env"
    assert 1 == execute(["sandbox", *options.split()])
    ((sandbox, variables_file),) = served
    assert "<Sandbox stopped Inventory(numbers=3, trunks=2)>" == repr(sandbox)
    assert (4, 2.5) == (sandbox.inventory.purchase_limit, sandbox.inventory.activation_delay)
    assert ("http://127.0.0.1:7000", "abc") == (sandbox.base_url, sandbox.token)
    assert [503, 429] == [fault.status for fault in sandbox.faults.pending]
    assert (True, False, Path("a.env")) == (sandbox.strict, sandbox.admin, variables_file)
    assert agent in sandbox.inventory.free_agents("call")


def test_both_commands_of_the_sandbox_have_the_same_options(capsys):
    """What `python -m mihu_async.sandbox` takes, `mihu-async sandbox` takes too, and the other way round."""
    options = []
    for command in (lambda: main(["--help"]), lambda: sys.exit(execute(["sandbox", "--help"]))):
        with pytest.raises(SystemExit):
            command()
        options.append(set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help", "--version", "--admin"})

    assert options[0] == options[1]


def test_a_script_that_is_not_there_is_refused(capsys):
    """With the names of those that are."""
    assert 2 == execute(["sandbox", "--script", "rain"])
    assert "--script: There is no script 'rain'; the scripts are busy, flaky" in capsys.readouterr().err


def test_a_port_in_use_is_refused(capsys):
    """With the option to change, and a port that no machine has is refused like any wrong option."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        in_use = execute(["sandbox", "--port", str(port)])
    impossible = execute(["sandbox", "--port", "99999"])
    output = capsys.readouterr().err

    assert (Exit.USAGE, Exit.USAGE) == (in_use, impossible)
    assert f"mihu-async: Port {port} on 127.0.0.1 is in use: choose another --port.\n" in output
    assert "mihu-async: --port: Must be <= 65535.\n" in output


def test_a_sandbox_that_cannot_write_says_so(monkeypatch, capsys):
    """Only a port in use is a matter of the port."""

    def full(_) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys.stdout, "write", full)

    assert Exit.FAILED == execute(["sandbox"])
    assert "The output cannot be written: no space left on device." in capsys.readouterr().err


@pytest.mark.parametrize(
    "shell", [pytest.param("bash", marks=pytest.mark.slow), "zsh", pytest.param("fish", marks=pytest.mark.slow)]
)
def test_completion_offers_the_words_of_the_api(capsys, tmp_path, shell, monkeypatch):
    """It is installed by the command itself, in the home of who runs it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ZDOTDIR", raising=False)
    assert 0 == execute(["--install-completion", "--shell", shell, "--output", str(tmp_path / "script")])
    assert "installed to" in capsys.readouterr().out
    script = (tmp_path / "script").read_text()
    assert [True] * 3 == [word in script for word in ("toll_free", "created_at", "requirement_pending")]


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
