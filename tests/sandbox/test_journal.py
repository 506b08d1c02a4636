import pytest

from mihu_async.sandbox.answers import Answer
from mihu_async.sandbox.journal import BODIES, Journal, JournalEntry
from mihu_async.sandbox.selection import Selector


@pytest.fixture
def journal():
    """Return a journal of three requests."""
    journal = Journal()
    for method, path in (("GET", "/phone-numbers"), ("POST", "/phone-numbers"), ("GET", "/phone-numbers/trunks")):
        journal.record(JournalEntry(method=method, path=f"/api/v1{path}"))
    return journal


def test_reads_like_a_list(journal):
    """A journal has a length, indexes from both ends, slices, and an order."""
    assert ["GET", "POST", "GET"] == [entry.method for entry in journal]
    assert (3, "/api/v1/phone-numbers/trunks", "POST") == (len(journal), journal[-1].path, journal[1].method)
    assert tuple(journal)[:2] == journal[:2]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        pytest.param(None, None, [0, 1, 2], id="all"),
        pytest.param("GET", None, [0, 2], id="method"),
        pytest.param("get", None, [0, 2], id="method in small letters"),
        pytest.param(None, "/phone-numbers", [0, 1], id="path"),
        pytest.param(None, "/api/v1/phone-numbers", [0, 1], id="path with the prefix"),
        pytest.param("POST", "/phone-numbers*", [1], id="glob and method"),
        pytest.param(None, "*/trunks", [2], id="glob in front"),
        pytest.param("DELETE", "*", [], id="none"),
    ],
)
def test_selection(journal, method, path, expected):
    """Entries are selected by method, and by a path with or without the prefix, which may be a glob."""
    assert tuple(journal[index] for index in expected) == journal.select(method=method, path=path)


def test_selector_needs_no_prefix_on_the_request():
    """A request outside of the API is matched by its path too."""
    assert Selector(path="/health").matches(JournalEntry(method="GET", path="/health"))


def test_notes_come_later():
    """An entry is replaced by one that says what became of the request; the one that was kept stays as it was."""
    journal = Journal()
    serial = journal.record(JournalEntry(method="GET", path="/"))
    kept = journal[0]
    journal.note(serial, fault="Delay")
    journal.note(serial, status=200)

    assert (None, None) == (kept.status, kept.fault)
    assert (200, "Delay") == (journal[0].status, journal[0].fault)


def test_cleared_journal():
    """A cleared journal is empty, is not written by requests from before, and counts on."""
    journal = Journal()
    serial = journal.record(JournalEntry(method="GET", path="/"))
    journal.clear()
    journal.note(serial, status=200)

    assert [] == list(journal)
    assert serial + 1 == journal.record(JournalEntry(method="GET", path="/"))


def test_bounded_by_requests():
    """A journal keeps the latest requests, counts those that it dropped, and forgets that with `clear()`."""
    journal = Journal(2)
    serials = [journal.record(JournalEntry(method="GET", path=f"/{number}")) for number in range(5)]
    journal.note(serials[0], status=200)

    assert (["/3", "/4"], [4, 5], 3) == ([e.path for e in journal], [e.serial for e in journal], journal.dropped)
    assert (None, journal[1]) == (journal.find(1), journal.find(5))
    journal.clear()
    assert 0 == journal.dropped


def test_bounded_by_answers():
    """Of the answers, those of the latest requests are kept; what became of the older ones stays."""
    part, rest = divmod(BODIES, 10)
    journal = Journal(3)
    for letter, parts in ((b"x", 6), (b"y", 4), (b"z", 3), (b"", 0), (b"w", 7)):
        serial = journal.record(JournalEntry(method="GET", path="/"))
        journal.note(serial, status=200, answer=Answer(body=letter * part * parts))

    kept = [entry.answer.body for entry in journal if entry.answer]
    assert [(b"z", 3 * part), (b"", 0), (b"w", 7 * part)] == [(body[:1], len(body)) for body in kept]
    too_long = Answer(body=b"v" * (10 * part + rest + 1))
    journal.note(journal.record(JournalEntry(method="GET", path="/")), status=200, answer=too_long)
    assert [(200, None)] * 3 == [(entry.status, (entry.answer and entry.answer.body) or None) for entry in journal]


def test_a_journal_keeps_something():
    """A journal for no request is refused."""
    with pytest.raises(ValueError, match="at least one"):
        Journal(0)


def test_repr_keeps_secrets(journal):
    """Neither the headers nor the body of a request show in a repr."""
    journal.record(JournalEntry(method="PUT", path="/x", headers={"Authorization": "Bearer abc"}, body=b"hush"))

    assert "path='/x'" in repr(journal)
    assert not [secret for secret in ("abc", "hush") if secret in repr(journal)]


@pytest.mark.parametrize(("body", "expected"), [(b'{"a": 1.5}', {"a": 1.5}), (b"", None)], ids=["object", "empty"])
def test_json_of_a_body(body, expected):
    """The JSON of an entry is its decoded body, `None` without one."""
    assert expected == JournalEntry(method="POST", path="/", body=body).json


def test_json_of_another_body():
    """A body that is no JSON raises ValueError."""
    with pytest.raises(ValueError, match="JSON"):
        _ = JournalEntry(method="POST", path="/", body=b"a=1").json
