"""The message for a missing optional dependency. Only this module knows where the package comes from."""


def missing(user: str, error: ModuleNotFoundError, extra: str) -> str:
    """Return the message for a module that is not installed.

    The package is not on an index yet, so the hint names a checkout: anybody could claim an unclaimed name there.

    Args:
        user: The feature that needs the module.
        error: The failed import.
        extra: The extra that installs it.
    """
    return (
        f"{user} needs {error.name}, which is not installed. In a checkout of mihu_async, run: pip install '.[{extra}]'"
    )
