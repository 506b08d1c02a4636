"""The values that ``await mihu.doctor()`` returns: findings on the way to the service, and advice for each."""

from mihu_async.doctor.findings import Check, Diagnosis, Finding, Level

__all__ = ["Check", "Diagnosis", "Finding", "Level"]
