"""Says what to install where a module of an extra is missing. The one place that knows where the package comes from."""


def missing(user: str, error: ModuleNotFoundError, extra: str) -> str:
    """Return the message for a module that is not installed.

    The package is on no index yet, so the hint names a checkout: a name that nobody holds may be taken by anybody.

    Args:
        user: What needs the module.
        error: The failed import.
        extra: The extra that installs it.
    """
    return (
        f"{user} needs {error.name}, which is not installed. In a checkout of mihu_async, run: pip install '.[{extra}]'"
    )
