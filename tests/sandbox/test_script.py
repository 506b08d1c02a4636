import pytest

from mihu_async.sandbox import Delay, Faults, JournalEntry, Status

LIST = JournalEntry(method="GET", path="/api/v1/phone-numbers")
BUY = JournalEntry(method="POST", path="/api/v1/phone-numbers")
FIRST, SECOND = Status(500), Status(503)


def taken(faults, *requests) -> list[object]:
    """Play a script to requests and return the fault that each met."""
    return [faults.take(request) for request in requests]


def test_no_faults():
    """Without a script nothing goes wrong."""
    assert [None] == taken(Faults(), LIST)


def test_order_of_adding():
    """Faults strike in the order they were added, one a request, each once."""
    faults = Faults()
    faults.add(FIRST)
    faults.add(SECOND)

    assert [FIRST, SECOND, None] == taken(faults, LIST, LIST, LIST)


def test_only_matching_requests():
    """A fault strikes requests with its method and path; others pass and do not count."""
    faults = Faults()
    faults.add(FIRST, method="POST", path="/phone-numbers")
    faults.add(SECOND, path="/phone-numbers*", method="GET")

    assert [SECOND, None, FIRST, None] == taken(faults, LIST, LIST, BUY, BUY)


def test_times():
    """A fault strikes so many times."""
    faults = Faults()
    faults.add(FIRST, times=2)

    assert [FIRST, FIRST, None] == taken(faults, LIST, LIST, LIST)


def test_for_ever():
    """A fault without a count strikes for ever, and hides those after it."""
    faults = Faults()
    faults.add(FIRST, times=None)
    faults.add(SECOND)

    assert [FIRST] * 5 == taken(faults, *[LIST] * 5)


def test_a_fault_that_begins_after_a_write():
    """Reads before it pass, and the write itself; it strikes whatever matches from then on."""
    faults = Faults()
    faults.add(FIRST, after_write=True, times=None)
    faults.add(SECOND, method="GET")

    assert [SECOND, None] == taken(faults, LIST, LIST)
    assert (FIRST,) == faults.pending
    assert [None, FIRST, FIRST] == taken(faults, BUY, LIST, BUY)


def test_skipped_requests_meet_the_next_fault():
    """A fault that lets requests pass first leaves them to the faults after it."""
    faults = Faults()
    faults.add(FIRST, skip=2)
    faults.add(SECOND)

    assert [SECOND, None, FIRST, None] == taken(faults, LIST, LIST, LIST, LIST)


def test_skipping_counts_matching_requests_only():
    """Requests that a fault is not about do not use up what it skips."""
    faults = Faults()
    faults.add(FIRST, method="POST", skip=1)

    assert [None, None, None, FIRST] == taken(faults, LIST, LIST, BUY, BUY)


def test_pending():
    """Faults are pending until they struck as often as they should, those for ever until they struck once."""
    faults = Faults()
    faults.add(FIRST, times=2)
    faults.add(SECOND, times=None)
    seen = [faults.pending]
    for _ in range(3):
        faults.take(LIST)
        seen.append(faults.pending)

    assert [(FIRST, SECOND), (FIRST, SECOND), (SECOND,), ()] == seen


def test_cleared():
    """A cleared script has nothing left, for ever or not."""
    faults = Faults()
    faults.add(FIRST)
    faults.add(SECOND, times=None)
    faults.clear()

    assert ((), [None]) == (faults.pending, taken(faults, LIST))


@pytest.mark.parametrize("counts", [{"times": 0}, {"times": -1}, {"skip": -1}], ids=str)
def test_counts_that_mean_nothing(counts):
    """A fault that never strikes is a mistake of the script."""
    with pytest.raises(ValueError, match="times must be at least 1"):
        Faults().add(FIRST, **counts)


@pytest.mark.parametrize(
    ("fault", "says"), [("busy", r"play\('busy'\)"), (Delay, "such as"), (None, "such as")], ids=str
)
def test_what_is_no_fault_is_refused(fault, says):
    """The error for a name of a script says how it is played; a class of faults is no fault, and neither is nothing."""
    with pytest.raises(TypeError, match=says):
        Faults().add(fault)

    assert () == Faults().pending


def test_repr_tells_what_is_pending():
    """The repr of a script shows its faults."""
    faults = Faults()
    faults.add(Delay(0.5))

    assert "Faults(pending=[Delay(seconds=0.5)])" == repr(faults)
