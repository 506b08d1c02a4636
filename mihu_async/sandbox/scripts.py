"""The named scripts of faults, for `Sandbox(script=…)` and `sandbox.faults.play(…)`."""

from collections.abc import Mapping

import attrs

from mihu_async.sandbox.exchange import Fault
from mihu_async.sandbox.faults import Hang, Reset, Status, Truncate, WrongContentType
from mihu_async.sandbox.rewrites import NullFields, RepeatPage, UnknownEnum

NUMBERS = "/phone-numbers"
ANY = f"{NUMBERS}*"


@attrs.frozen
class Cue:
    """A fault and its timing; the fields are the arguments of `Faults.add`."""

    fault: Fault
    method: str | None = attrs.field(default=None, kw_only=True)
    path: str | None = attrs.field(default=None, kw_only=True)
    times: int | None = attrs.field(default=1, kw_only=True)
    skip: int = attrs.field(default=0, kw_only=True)
    after_write: bool = attrs.field(default=False, kw_only=True)


class Script:
    """A description of a disturbance, and the faults that cause it."""

    def __init__(self, meaning: str, *cues: Cue) -> None:
        self.meaning = meaning
        self.cues = cues


SCRIPTS: Mapping[str, Script] = {
    "busy": Script("the first two requests are answered 429", Cue(Status(429, retry_after=0), times=2)),
    "flaky": Script(
        "the first request is reset, the second gets half an answer, the third a 503",
        Cue(Reset()),
        Cue(Truncate()),
        Cue(Status(503)),
    ),
    "hanging": Script("the first request is never answered", Cue(Hang())),
    "outage": Script("every request is answered 503", Cue(Status(503), times=None)),
    "revoked-token": Script("every request is answered 401", Cue(Status(401), times=None)),
    "sign-in-wall": Script("every request is answered 200 with an HTML page", Cue(WrongContentType(), times=None)),
    "lost-purchase": Script(
        "the first purchase is made, and its answer is lost", Cue(Reset(after=True), method="POST", path=NUMBERS)
    ),
    "lost-registration": Script(
        "the first trunk is registered, and its answer is lost",
        Cue(Reset(after=True), method="POST", path=f"{NUMBERS}/trunks"),
    ),
    "unknown-outcome": Script(
        "the first purchase or registration is made, its answer is lost, and no read after it is answered",
        Cue(Reset(after=True), method="POST", path=ANY),
        Cue(Status(503), method="GET", path=ANY, times=None, after_write=True),
    ),
    "repeated-page": Script(
        "every page after the first repeats the first",
        Cue(RepeatPage(), method="GET", path=ANY, times=None, skip=1),
    ),
    "new-status": Script(
        "every number has a status that no page names", Cue(UnknownEnum(), method="GET", path=ANY, times=None)
    ),
    "empty-fields": Script(
        "every number's billing and compliance are null",
        Cue(NullFields("billing", "compliance"), method="GET", path=ANY, times=None),
    ),
}
