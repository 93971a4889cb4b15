"""Groundbreak: what has been built between two satellite images.

    from pipeline import compare, monitor, open_result

These are loaded when they are first asked for, so that `import pipeline` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.api import Monitored, Result, SiteResult, compare, monitor, open_result, open_site

__version__ = "0.1.0"
__all__ = [
    "Monitored",
    "Result",
    "SiteResult",
    "__version__",
    "compare",
    "monitor",
    "open_result",
    "open_site",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pipeline import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
