"""Everything that Perijove raises on purpose.

PerijoveError
├── InvalidInputError         400  a value that cannot be
│   └── ModelInputError       400  a row that the model cannot take; names the column
├── ForbiddenPathError        403  a path outside the server's or the project's folder
├── ReadOnlyError             403  the project's folder cannot be written
├── NotFoundError             404  no such project, dataset, run, model, endpoint
├── ConflictError             409  somebody else changed it first, or it is there already
│   └── GateBlockedError      409  the gate's checks fail and no override was given
├── CancelledError            409  somebody stopped it
├── ProjectFileError          422  perijove.toml or rules are broken; names line and reason
├── UnreadableDataError       422  a file that is not what its name says
├── UnsupportedError          422  known, and not possible here
├── UnavailableError          503  a process or an engine does not answer
└── ExhaustedError            507  the memory of the machine or of a GPU is used up

``code`` is a stable word for programs, the message says what and why, the hint what to do.
The server maps them once to a status; magics turn them into a UsageError.
"""

from __future__ import annotations

from typing import ClassVar

from perijove.contracts.base import ErrorBody
from perijove.contracts.deploy import Gate


class PerijoveError(Exception):
    """Base of the tree.

    Parameters
    ----------
    message
        What happened and why, in a sentence.
    hint
        What to do about it.
    code
        A stable word; the class's own when left out.
    """

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "error"

    def __init__(self, message: str, hint: str = "", *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def body(self) -> ErrorBody:
        return ErrorBody(code=self.code, message=self.message, hint=self.hint)


class InvalidInputError(PerijoveError):
    status = 400
    default_code = "invalid_input"


class ModelInputError(InvalidInputError):
    default_code = "model_input"


class ForbiddenPathError(PerijoveError):
    status = 403
    default_code = "forbidden_path"


class ReadOnlyError(PerijoveError):
    status = 403
    default_code = "read_only"


class NotFoundError(PerijoveError):
    status = 404
    default_code = "not_found"


class ConflictError(PerijoveError):
    status = 409
    default_code = "conflict"


class GateBlockedError(ConflictError):
    """The gate is closed; ``gate`` holds the checks that say why."""

    default_code = "gate_blocked"

    def __init__(self, gate: Gate) -> None:
        failing = [check for check in gate.checks if check.state != "pass"]
        lines = "; ".join(f"{check.title}: {check.detail}" for check in failing)
        super().__init__(
            f"The gate blocks {gate.model}. {lines}",
            "Mend what fails, or override with your name and a reason.",
        )
        self.gate = gate


class CancelledError(PerijoveError):
    """Work in the background that somebody stopped."""

    status = 409
    default_code = "cancelled"


class ProjectFileError(PerijoveError):
    """``perijove.toml``, or a file of rules, cannot be understood; it is left until it can.

    Parameters
    ----------
    file
        Its path in the project.
    """

    status = 422
    default_code = "project_file_broken"

    def __init__(
        self, message: str, *, line: int | None = None, file: str = "perijove.toml", code: str = ""
    ) -> None:
        where = f"{file}, line {line}: " if line else f"{file}: "
        super().__init__(
            where + message, "Mend the file in an editor; it was left as it is.", code=code
        )
        self.line = line


class UnreadableDataError(PerijoveError):
    status = 422
    default_code = "unreadable_data"


class UnsupportedError(PerijoveError):
    status = 422
    default_code = "unsupported"


class UnavailableError(PerijoveError):
    status = 503
    default_code = "unavailable"


class ExhaustedError(PerijoveError):
    status = 507
    default_code = "out_of_memory"
