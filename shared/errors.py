"""The exceptions of Runnel.

RunnelError
├── InputError       what the user gave cannot be used; the command line prints it as one line and exits with 2
└── ExportError      an export did not pass its own verification; exit code 1
"""

__all__ = ["ExportError", "InputError", "RunnelError"]


class RunnelError(Exception):
    """Base of every exception raised on purpose."""


class InputError(RunnelError):
    """Bad input or usage: says what was received, what was expected and how to mend it, in one line."""


class ExportError(RunnelError):
    """An export failed its verification; nothing was left behind."""
