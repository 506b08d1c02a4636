"""What ``await mihu.doctor()`` gives: what was found on the way to the service, and what to do about it."""

from mihu_async.doctor.findings import Check, Diagnosis, Finding, Level

__all__ = ["Check", "Diagnosis", "Finding", "Level"]
