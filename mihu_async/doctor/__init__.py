"""The values that ``await mihu.doctor()`` returns: findings on the connection to the service, each with advice."""

from mihu_async.doctor.findings import Check, Diagnosis, Finding, Level

__all__ = ["Check", "Diagnosis", "Finding", "Level"]
