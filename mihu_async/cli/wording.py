"""Words the command's sentences: translates advice for Python code into options and commands. Pure."""

import re

from mihu_async import WalkReport

RULES = (
    (r"pass token= or set (\w+)", r"set \1, or use --token-file"),
    (r"mihu_async\.sandbox has one", "mihu-async sandbox has one"),
    (r"\bsubdomain=(?=[\s,;.)])", "--subdomain"),
    (r"\bbase_url=(?=[\s,;.)])", "--base-url"),
    (r"\btoken=(?=[\s,;.)])", "--token-file"),
    (r"\(base_url=…, proxy=…\)", "(--base-url, HTTPS_PROXY)"),
    (r"\(base_url=…\)", "(--base-url)"),
    (r"\(proxy=…\)", "(HTTPS_PROXY)"),
    (r"name it: ssl=ssl\.create_default_context\(cafile=…\)", "name its file in SSL_CERT_FILE"),
    (r"(The proxy asks for other credentials): proxy='([^']*)'", r"\1: HTTPS_PROXY=\2"),
    (r"\(SSL_CERT_FILE=, or ssl= with a context\)", "(SSL_CERT_FILE)"),
    (r"\(proxy=, or HTTPS_PROXY with trust_env=True\)", "(HTTPS_PROXY)"),
    (r"make the client with trust_env=True", "leave out --no-trust-env"),
    (r"above max_retry_after=(\S+?)(?=[.,;]?(?:\s|$))", r"longer than the \1 s that the command waits for"),
    (r" or another choose=", ""),
    (r"^Timeout\.total\b", "--timeout"),
    (r"^RetryPolicy\.max_attempts\b", "--max-attempts"),
    (r"\bpass voice or sms or inbound\b", "pass an option of a channel, such as --voice-enabled"),
    (r"\bpass name or direction or sip or additional_settings\b", "pass an option of the trunk, such as --name"),
    (r": wait for it again, with a longer timeout\.", "."),
    (r"^monthly_fee is", "The monthly fee is"),
    (r"\bmax_monthly_fee needs monthly_fee", "--max-monthly-fee needs --monthly-fee"),
    (r"\bmax_monthly_fee=(?=\d)", "--max-monthly-fee "),
    (r"\bmax_monthly_fee=", "--max-monthly-fee"),
    (r"\bmax_attempts=(\d+)", r"--max-attempts \1"),
    (
        r"into answers=\{…\}, under these keys; an address= answers",
        "into --answer and --document; --address-file answers",
    ),
    (r"numbers\.channels(?:_of)?\('([^']*)'\)(?:\.\w+)?", r"mihu-async numbers channels \1"),
    (r"mihu\.request\('(\w+)', '([^']*)'\)", r"mihu-async request \1 \2"),
    (r"(trunks|numbers)\.(\w+)\((?:…|)\)", r"mihu-async \1 \2"),
    (r"mihu-async numbers find", "mihu-async numbers get"),
    (r"mihu\.doctor\(\)", "mihu-async doctor"),
)
"""The patterns of the SDK's advice, and the command's words for each."""


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, such as "1 row" or "2,000 rows"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def proof_of(report: WalkReport) -> str:
    """Return whether a walk is proved to be complete, in words."""
    return f"proved to be complete ({report.proof})" if report.complete else "not proved to be complete"


def walk_in_words(report: WalkReport) -> str:
    """Return how much a walk read, and of how much."""
    total = "an unknown number" if report.expected is None else report.expected
    return f"{counted(report.yielded, 'row')} in {counted(report.pages, 'page')}, of {total} in all"


def in_words(text: str) -> str:
    """Return a text of the SDK in the command's words."""
    for pattern, words in RULES:
        text = re.sub(pattern, words, text)
    return text.strip()
