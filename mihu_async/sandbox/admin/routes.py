"""The endpoints below `/_sandbox/`, as a table. Requests and answers are values; there is no I/O."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from mihu_async._version import __version__
from mihu_async.sandbox import checks
from mihu_async.sandbox.admin import edits, kinds, pages, views
from mihu_async.sandbox.answers import Answer, failure, json_answer
from mihu_async.sandbox.app import ADMIN_PREFIX
from mihu_async.sandbox.journal import JournalEntry
from mihu_async.sandbox.refusals import RefusedError, conflict, not_found
from mihu_async.sandbox.routing import Route, find, read_body, uuid_in
from mihu_async.sandbox.scripts import SCRIPTS

if TYPE_CHECKING:
    from mihu_async.sandbox.server import Sandbox

T = TypeVar("T")

DONE = Answer(status=HTTPStatus.NO_CONTENT, headers={})


def _health(sandbox: "Sandbox", request: JournalEntry) -> Answer:
    checks.NOTHING(request.query)
    return json_answer(
        {
            "status": "ok",
            "version": __version__,
            "requests": len(sandbox.journal),
            "strict": sandbox.strict,
            "undocumented": sandbox.undocumented,
            "variables": sandbox.variables,
        }
    )


def _journal(sandbox: "Sandbox", request: JournalEntry) -> Answer:
    wanted = edits.journal_query(request.query)
    found = sandbox.journal.select(method=wanted.get("method"), path=wanted.get("path"))
    later = [entry for entry in found if entry.serial > wanted.get("after", 0)]
    entries = list(map(views.entry, later[-wanted.get("limit", len(later)) :]))
    return json_answer({"entries": entries, "total": len(found), "dropped": sandbox.journal.dropped})


def _journal_entry(sandbox: "Sandbox", request: JournalEntry) -> Answer:
    serial = request.path.rpartition("/")[2]
    if found := sandbox.journal.find(int(serial)):
        return json_answer(views.exchange(found))
    raise not_found(f"the journal has no request {serial}")


def _clear_journal(sandbox: "Sandbox", _: JournalEntry) -> Answer:
    sandbox.journal.clear()
    return DONE


def _faults(sandbox: "Sandbox", _: JournalEntry) -> Answer:
    lines = map(views.line, sandbox.faults.lines())
    return json_answer({"faults": list(lines), "scripts": views.scripts(SCRIPTS), "kinds": list(kinds.KINDS)})


def _add_faults(sandbox: "Sandbox", request: JournalEntry) -> Answer:
    kinds.play(sandbox.faults, read_body(request, checks.any_object))
    return _faults(sandbox, request)


def _clear_faults(sandbox: "Sandbox", _: JournalEntry) -> Answer:
    sandbox.faults.clear()
    return DONE


def _inventory(sandbox: "Sandbox", _: JournalEntry) -> Answer:
    return json_answer(views.inventory(sandbox.inventory))


def _insert_number(sandbox: "Sandbox", request: JournalEntry) -> Answer:
    fields = read_body(request, edits.NUMBER)
    return json_answer(_changed(sandbox.inventory.insert, **fields), status=HTTPStatus.CREATED)


def _insert_trunk(sandbox: "Sandbox", request: JournalEntry) -> Answer:
    fields = read_body(request, edits.TRUNK)
    return json_answer(_changed(sandbox.inventory.insert_trunk, **fields), status=HTTPStatus.CREATED)


def _update_row(sandbox: "Sandbox", request: JournalEntry) -> Answer:
    fields = read_body(request, edits.CHANGE)
    return json_answer(_changed(sandbox.inventory.update, uuid_in(request.path), **fields))


def _delete_row(sandbox: "Sandbox", request: JournalEntry) -> Answer:
    _changed(sandbox.inventory.delete, uuid_in(request.path))
    return DONE


def _changed(change: Callable[..., T], *uuid: str, **fields: Any) -> T:
    """Change the inventory; the errors of its methods become refusals."""
    try:
        return change(*uuid, **fields)
    except KeyError as error:
        raise not_found(f"there is no number or trunk {error.args[0]}") from error
    except ValueError as error:
        raise conflict(str(error)) from error


def _reset(sandbox: "Sandbox", _: JournalEntry) -> Answer:
    sandbox.reset()
    return DONE


ROUTES: "tuple[Route[Sandbox], ...]" = (
    *(Route("GET", f"/{name}", pages.static(name), ADMIN_PREFIX) for name in pages.NAMES),
    Route("GET", "/health", _health, ADMIN_PREFIX),
    Route("GET", "/journal", _journal, ADMIN_PREFIX),
    Route("DELETE", "/journal", _clear_journal, ADMIN_PREFIX),
    Route("GET", "/journal/{serial}", _journal_entry, ADMIN_PREFIX),
    Route("GET", "/faults", _faults, ADMIN_PREFIX),
    Route("POST", "/faults", _add_faults, ADMIN_PREFIX),
    Route("DELETE", "/faults", _clear_faults, ADMIN_PREFIX),
    Route("GET", "/inventory", _inventory, ADMIN_PREFIX),
    Route("POST", "/inventory/numbers", _insert_number, ADMIN_PREFIX),
    Route("POST", "/inventory/trunks", _insert_trunk, ADMIN_PREFIX),
    Route("PATCH", "/inventory/{uuid}", _update_row, ADMIN_PREFIX),
    Route("DELETE", "/inventory/{uuid}", _delete_row, ADMIN_PREFIX),
    Route("POST", "/reset", _reset, ADMIN_PREFIX),
)


def answer(sandbox: "Sandbox", request: JournalEntry) -> Answer:
    """Answer a request about the sandbox itself; a refusal has the documented shape of a failure."""
    try:
        return find(request.method, request.path, ROUTES).operation(sandbox, request)
    except RefusedError as error:
        return failure(error)
