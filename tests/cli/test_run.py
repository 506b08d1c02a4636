import errno
import getpass
import io
import logging
import os
import re
import signal
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from mihu_async.cli import prompts
from mihu_async.cli.errors import Exit
from mihu_async.cli.progress import tell
from mihu_async.cli.run import run
from mihu_async.sandbox import Hang, Status

REGISTER = "trunks register +12345678901 --channel call --agent-uuid"


def test_a_token_comes_from_a_file(command, sandbox, tmp_path, monkeypatch):
    """With a line end behind it; it goes before the environment."""
    monkeypatch.setenv("MIHU_API_TOKEN", "another")
    path = tmp_path / "token"
    path.write_text(f"{sandbox.token}\n")

    assert Exit.REFUSED == command("numbers list --limit 1").code
    assert Exit.DONE == command("numbers list --limit 1 --token-file", str(path)).code


def test_a_token_is_asked_for_where_somebody_sits(command, sandbox, typed, monkeypatch):
    """And nowhere else."""
    monkeypatch.delenv("MIHU_API_TOKEN")
    alone = command("numbers list --limit 1")
    typed("")
    # patched, because it reads from the terminal that the process belongs to
    monkeypatch.setattr(getpass, "getpass", lambda asked, **_: sandbox.token * (asked == "API token: "))
    asked = command("numbers list --limit 1")

    assert (Exit.USAGE, Exit.DONE) == (alone.code, asked.code)
    assert "There is no token" in alone.err


def test_the_options_reach_the_client(command, sandbox, tmp_path):
    """How often, how long, where, and through which proxy."""
    sandbox.faults.add(Status(500), times=None)
    command("numbers list --max-attempts 2")
    tried = len(sandbox.journal)
    sandbox.faults.clear()
    sandbox.faults.add(Hang())
    timed = command("numbers list --timeout 0.05")

    assert 2 == tried
    assert Exit.NETWORK == timed.code
    assert Exit.USAGE == command("numbers list --timeout 0").code
    assert Exit.USAGE == command("numbers list --subdomain acme --base-url https://acme.mihu.ai").code
    assert Exit.NETWORK == command("numbers list --max-attempts 1 --base-url http://127.0.0.1:1").code


def test_the_environments_proxy_is_used_unless_told_otherwise(command, monkeypatch):
    """Nobody listens there."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    assert Exit.NETWORK == command("numbers list --max-attempts 1").code
    assert Exit.DONE == command("numbers list --no-trust-env").code


def test_concurrency_bounds_the_pages_under_way(command, sandbox):
    """With one, no page is asked for that is not wanted."""
    command("numbers list --per-page 10 --limit 20 --concurrency 1")

    assert 2 == len(sandbox.journal)


def test_an_error_is_two_lines_and_the_rest_is_for_debugging(command, sandbox):
    """Attempts, log lines and a traceback, without the token."""
    sandbox.faults.add(Status(500), times=None)
    short = command("numbers list --max-attempts 2")
    long = command("numbers list --max-attempts 2 --debug")

    assert (Exit.REFUSED, 2) == (short.code, len(short.err.splitlines()))
    assert long.err.endswith(short.err)
    assert "Traceback" in long.err
    assert "Attempt(number=2" in long.err
    assert "GET /api/v1/phone-numbers -> 500" in long.err
    assert sandbox.token not in long.err
    assert [logging.NullHandler] == list(map(type, logging.getLogger("mihu_async").handlers))


def test_a_fault_of_the_command_is_no_traceback(command, monkeypatch):
    """Unless one is asked for."""

    def broken(*_, **__):
        raise ZeroDivisionError("x")

    monkeypatch.setattr(sys.stdout, "write", broken)

    assert "Traceback" not in command("numbers list").err
    assert "Traceback" in command("numbers list --debug").err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_change_is_in_doubt(command, sandbox, interrupt, number):
    """The exit code says so, and what to do."""
    sandbox.faults.add(Hang(), method="POST")
    before = signal.getsignal(number)

    interrupt(lambda: any(entry.method == "POST" for entry in sandbox.journal), number)
    done = command(REGISTER, sandbox.inventory.free_agents("call")[0])

    assert before is signal.getsignal(number)

    assert Exit.UNKNOWN == done.code
    assert "Interrupted while POST /api/v1/phone-numbers/trunks was under way: it may have been applied." in done.err


def test_sigterm_ends_what_does_not_listen_to_ctrl_c(command, sandbox, interrupt):
    """As a shell's job in the background."""
    sandbox.faults.add(Hang(), method="POST")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        interrupt(lambda: any(entry.method == "POST" for entry in sandbox.journal), signal.SIGTERM)
        done = command(REGISTER, sandbox.inventory.free_agents("call")[0])
    finally:
        signal.signal(signal.SIGINT, before)

    assert Exit.UNKNOWN == done.code


def test_a_command_runs_in_any_thread(sandbox, capsys):
    """Signals are for the main one."""
    with ThreadPoolExecutor() as threads:
        assert Exit.DONE == threads.submit(run, ["numbers", "list", "--limit", "1"]).result()
    assert "" == capsys.readouterr().err


def test_a_change_stays_in_doubt_while_it_is_looked_into(command, sandbox, interrupt):
    """Its answer was lost, sent again it was refused, and what is there was being looked at."""
    agent, other = sandbox.inventory.free_agents("call")[:2]
    command(REGISTER, agent)
    sandbox.faults.add(Status(500, after=True), method="PUT")
    sandbox.faults.add(Status(404), method="PUT")
    sandbox.faults.add(Hang(), method="GET", skip=1)
    interrupt(lambda: "PUT" in [entry.method for entry in sandbox.journal] and sandbox.journal[-1].method == "GET")
    done = command("trunks ensure +12345678901 --channel call --agent-uuid", other)

    assert Exit.UNKNOWN == done.code
    assert "Interrupted while PUT /api/v1/phone-numbers/trunks/assign was under way" in done.err


def test_an_interruption_before_a_change_is_none(command, sandbox, interrupt):
    """Nothing was sent that changes anything."""
    sandbox.faults.add(Hang())

    interrupt(lambda: bool(sandbox.journal))

    assert Exit.INTERRUPTED == command("numbers buy +390790080041 --country-code IT --type local --yes").code


def test_ctrl_c_ends_a_prompt_at_once(command, typed, monkeypatch):
    """Also under asyncio, which would wait for its loop."""
    typed("y\n")
    monkeypatch.setattr(sys.stdin, "readline", lambda: signal.raise_signal(signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    done = command("trunks delete +12345678901 --channel call")

    assert Exit.INTERRUPTED == done.code
    assert before is signal.getsignal(signal.SIGINT)


def test_a_secret_is_asked_for_on_standard_error(monkeypatch):
    """So that rows stay rows."""
    # patched, because it asks at the terminal that the process belongs to, and at the stream only if there is none
    monkeypatch.setattr(getpass, "getpass", lambda asked, stream: asked * (stream is sys.stderr))

    assert "API token: " == prompts.ask_secret("API token")


def test_help_ends_well_and_an_unknown_word_does_not(command):
    """With what there is."""
    assert "Usage: mihu-async numbers list" in command("numbers list --help").out
    assert "[choices: local, toll_free, mobile, national]" in re.sub(r"[\s│]+", " ", command("numbers list --help").out)
    done = command("numbers lst")
    assert (Exit.USAGE, True) == (done.code, "Unknown command" in done.err)
    assert "--type" in command("numbers list --type fax").err


def test_a_provisional_command_warns_nobody(command):
    """Its help says what is provisional."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert Exit.DONE == command("numbers search --country-code IT").code


def test_a_closed_pipe_ends_in_silence(command, monkeypatch):
    """Nothing is written to it any more, also not at the end."""
    inner, outer = os.pipe()
    os.close(inner)
    kept = os.dup(outer)
    with os.fdopen(outer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        code = run(["numbers", "list"])
        pipe.write("x")  # goes nowhere
        pipe.flush()
    monkeypatch.undo()
    with pytest.raises(BrokenPipeError):
        os.write(kept, b"x")
    os.close(kept)

    assert Exit.CLOSED_PIPE == code


def test_a_closed_pipe_without_a_descriptor_ends_in_silence_too(command, monkeypatch):
    """A stand-in for standard output has none."""

    def closed(_) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(sys.stdout, "write", closed)
    code = run(["numbers", "list"])
    monkeypatch.undo()

    assert Exit.CLOSED_PIPE == code


def test_a_full_disk_is_reported(command, monkeypatch, tmp_path):
    """The file that was named cannot be opened, or the disk is full."""
    missing = command("numbers list --file", str(tmp_path / "no" / "numbers.csv"))

    assert (Exit.USAGE, True) == (missing.code, "numbers.csv cannot be used: no such file or directory." in missing.err)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full disk")  # noqa: PTH110 - a device
@pytest.mark.parametrize(
    "words",
    [
        "numbers list --limit 1",
        pytest.param("numbers buy +390790080041 --country-code IT --type local --dry-run", marks=pytest.mark.slow),
    ],
)
def test_a_full_disk_under_standard_output_is_reported(sandbox, words):
    """As an error and once, whatever is still to be written when the command ends."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-c", "from mihu_async.cli import main; main()", *words.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            check=False,
            text=True,
            timeout=60,
        )

    assert Exit.FAILED == done.returncode
    assert "The output cannot be written: no space left on device." in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full disk")  # noqa: PTH110 - a device
@pytest.mark.parametrize(("limit", "code"), [("2", Exit.DONE), ("0", Exit.USAGE)])
def test_a_full_disk_under_standard_error_loses_only_messages(sandbox, tmp_path, limit, code):
    """The rows are written, and the exit code still tells how the command ended."""
    path = tmp_path / "numbers.jsonl"
    words = ["numbers", "list", "--limit", limit, "--file", str(path)]
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-c", "from mihu_async.cli import main; main()", *words],
            stderr=full,
            check=False,
            timeout=60,
        )

    assert code == done.returncode
    assert (code is Exit.DONE) == path.exists()


def test_a_message_that_cannot_be_written_stops_nothing(monkeypatch):
    """The command has still to report its work elsewhere."""

    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    tell("A number was bought.")

    assert Exit.USAGE == run(["numbers", "list", "--limit", "0"])


def test_a_closed_standard_output_is_told_before_anything_is_sent(sandbox, monkeypatch, capsys):
    """The number is bought, and its row could not be shown."""
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stdout", None)
        code = run(["numbers", "buy", "+390790080041", "--country-code", "IT", "--type", "local", "--yes"])
        sys.stdout.close()

    assert Exit.USAGE == code
    assert "Standard output is closed. Nothing was sent." in capsys.readouterr().err
    assert not sandbox.journal


def test_closed_standard_error_and_input_stop_no_command(sandbox, monkeypatch, capsys):
    """Messages go nowhere, and none lands among the rows."""
    with monkeypatch.context() as closed:
        closed.setattr(sys, "stderr", None)
        closed.setattr(sys, "stdin", None)
        codes = [run(["numbers", "list", "--limit", limit, "--output", "name"]) for limit in ("1", "0")]
        sys.stderr.close()
        sys.stdin.close()

    assert [Exit.DONE, Exit.USAGE] == codes
    assert 1 == len(capsys.readouterr().out.splitlines())


def test_what_cannot_be_flushed_is_an_error(sandbox, monkeypatch, capsys):
    """Not a traceback, and what is left is given up."""

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys.stdout, "flush", full)
    code = run(["numbers", "list", "--limit", "1"])
    monkeypatch.undo()

    assert Exit.FAILED == code
    assert capsys.readouterr().err == "mihu-async: The output cannot be written: no space left on device.\n"


@pytest.mark.parametrize(("left", "code"), [(9, 9), (None, 0), ("why", 1)])
def test_who_leaves_early_says_how(command, typed, monkeypatch, left, code):
    """As Python itself would take it."""

    def leave() -> None:
        raise SystemExit(left)

    typed("y\n")
    monkeypatch.setattr(sys.stdin, "readline", leave)

    assert code == command("trunks delete +12345678901 --channel call").code
