"""What the README and the tables of the docs claim, beyond the code blocks that run by themselves."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from mihu_async import errors
from mihu_async.core.options import RetryPolicy
from mihu_async.core.retry import AlreadyDeleted, Ambiguous, Failure, GiveUp, Retry, decide

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
ERRORS = (ROOT / "docs" / "errors.md").read_text()
RETRIES = (ROOT / "docs" / "retries.md").read_text()


def test_it_is_short():
    """Whoever evaluates the SDK reads it to its end."""
    assert 200 >= len(README.splitlines())


def test_the_first_screen_lists_buys_and_walks():
    """Its first example needs no account, and shows a listing, a purchase with a key, and that two of them are one."""
    example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    steps = ("Sandbox(", "async for", "numbers.list", "numbers.buy", "idempotency_key")

    assert [True] * len(steps) == [step in example for step in steps]
    assert 60 > README.partition("```python")[0].count("\n") + len(example.splitlines())


def test_its_examples_run_one_after_the_other(workspace, capsys):
    """In one sandbox, from top to bottom, each does what it says."""
    for example in re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE):
        exec(example, {"__name__": "example"})  # noqa: S102 - the README is ours
    output = capsys.readouterr().out

    bought = re.findall(r"\+390790080041 [0-9a-f-]{36}", output)
    assert 2 == len(bought)
    assert 1 == len(set(bought))
    assert "True counted" not in output
    assert "True confirmed" in output
    assert "refused" not in output


def test_the_tree_of_errors_is_the_codes():
    """Every error of the page is one of the package's, and the other way round."""
    tree = ERRORS.partition("```text\n")[2].partition("```")[0]
    public = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.MihuError) and not name.startswith("_")
    }

    assert public == set(re.findall(r"\b(?:[A-Z]\w+Error|DryRun)\b", tree)) - {"TimeoutError"} | {"MihuError"}


WHERE: dict[str, Any] = {"method": "GET", "url": "https://acme.mihu.ai/api/v1/x"}
VERBS = ("GET", "PUT", "PATCH", "DELETE", "POST")
UNTOLD = {408, 499, *range(500, 600)} - {501, 505}
WORDS = {Retry: "again", GiveUp: "raise", Ambiguous: "look up", AlreadyDeleted: "a success"}


def refusal(status: int) -> errors.APIError:
    """Make a refusal as the service would."""
    kind = errors.NotFoundError if status == 404 else errors.APIError
    return kind("refused", status=status, **WHERE)


FAILURES: dict[str, list[Failure]] = {
    "never connected": [errors.ConnectError("", **WHERE), errors.ConnectTimeoutError("", **WHERE)],
    "429": [refusal(429)],
    "408, 499, any 5xx but 501 and 505": [refusal(status) for status in sorted(UNTOLD)],
    "timeout, connection lost, 2xx that is not JSON": [
        errors.RequestTimeoutError("", **WHERE),
        errors.ConnectionLostError("", **WHERE),
        errors.DecodeError("", status=200, content_type="", excerpt="", transient=True, **WHERE),
    ],
    "2xx of an unexpected shape, an answer that violates HTTP": [
        errors.DecodeError("", status=200, content_type="", excerpt="", paths=("$.data",), **WHERE),
        errors.DecodeError("", status=None, content_type="", excerpt="", **WHERE),
    ],
    "a redirect": [refusal(status) for status in range(300, 400)],
    "any other refusal": [refusal(status) for status in range(400, 600) if status not in {429, *UNTOLD}],
}
FAILURES["any other refusal, after a lost answer"] = FAILURES["any other refusal"]


def test_the_table_of_what_is_sent_again_has_every_row():
    """Each row of the page is one of the failures that are checked, in order."""
    assert list(FAILURES) == [what for what, *_ in rows()]


@pytest.mark.parametrize("what", FAILURES)
def test_the_table_of_what_is_sent_again_is_the_codes(what):
    """Each cell of the page is what is decided, for every failure of its row and verb of its column."""
    ((_, replayed, posted),) = (row for row in rows() if row[0] == what)
    for error in FAILURES[what]:
        for method in VERBS:
            verdict = decide(
                error,
                method=method,
                attempt=1,
                policy=RetryPolicy(),
                left=60,
                jitter=1,
                lost=what.endswith("after a lost answer"),
            )
            cell = posted if method == "POST" else replayed
            gone = "a success" in cell and method == "DELETE" and getattr(error, "status", None) == 404
            assert WORDS[type(verdict)] == ("a success" if gone else cell.partition(";")[0])


def rows() -> list[tuple[str, str, str]]:
    """Read the table of the page."""
    section = RETRIES.partition("## What is sent again\n\n")[2].partition("\n\n")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines()[2:]]
    return [(what, replayed, posted) for what, replayed, posted in cells]
