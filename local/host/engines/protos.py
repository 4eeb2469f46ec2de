"""A stand-in for the worker's generated protobuf classes.

azure-functions-runtime never imports protobuf: it is handed the module that has the message classes. These
carry the same names and the few members it touches, so the official code runs without protobuf or gRPC.
"""

from typing import Any


class Message:
    """A message: the fields it was made with, and None for every other."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class StatusResult(Message):
    """How a request to the worker ended."""

    Failure, Success, Cancelled = 0, 1, 2


class BindingInfo(Message):
    """A binding's direction and data type; the direction `in` is a keyword and set below."""

    out, inout = 1, 2
    undefined, string, binary, stream = range(4)


setattr(BindingInfo, "in", 0)


class _SameSite:
    """The cookie attribute's values; `None` is a keyword and set below."""

    Lax, Strict, ExplicitNone = 1, 2, 3


setattr(_SameSite, "None", 0)


class RpcHttpCookie(Message):
    """One cookie of an HTTP answer."""

    SameSite = _SameSite


class TypedData(Message):
    """A value and which of the members holds it."""

    FIELDS = (
        "string",
        "json",
        "bytes",
        "http",
        "int",
        "double",
        "collection_string",
        "collection_bytes",
        "collection_sint64",
        "model_binding_data",
        "collection_model_binding_data",
    )

    def __getattr__(self, name: str) -> Any:
        # Another name must fail: the decoder probes for a member that only other messages have.
        if name in self.FIELDS:
            return None
        raise AttributeError(name)

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802  # protobuf's name
        """The member that is set."""
        return next((name for name in self.FIELDS if name in self.__dict__), None)


class Input(Message):
    """A parameter's value on its way in."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802  # protobuf's name
        """Inputs are never in shared memory here."""
        return "data"


class WorkerInitResponse(Message):
    """The worker is up, or why not."""


class WorkerMetadata(Message):
    """What the worker says of itself."""


class FunctionMetadataResponse(Message):
    """The index."""


class FunctionLoadResponse(Message):
    """A function is loaded."""


class InvocationResponse(Message):
    """A call has ended."""


class FunctionEnvironmentReloadResponse(Message):
    """The environment was read again."""


class RpcException(Message):
    """What a function raised."""


class RpcFunctionMetadata(Message):
    """A function of the index."""


class RpcRetryOptions(Message):
    """A function's retry policy."""


class RpcHttp(Message):
    """An HTTP request or answer."""


class ParameterBinding(Message):
    """An output's value."""


class NullableString(Message):
    """A text that may be absent."""


class NullableBool(Message):
    """A truth value that may be absent."""


class NullableDouble(Message):
    """A number that may be absent."""


class Timestamp(Message):
    """An instant as seconds since 1970 UTC."""


class NullableTimestamp(Message):
    """An instant that may be absent."""


class RpcLog(Message):
    """A log line."""
