"""What can go wrong, each error with a sentence that says what to do; none of them carries a secret."""

from __future__ import annotations


class StoreError(Exception):
    """Anything the store cannot do; the message is meant for the person who runs the plugin."""


class WrongKeyError(StoreError):
    """The store exists, and was encrypted with another key than the one at hand (or the key is malformed or gone)."""


class CorruptRowError(StoreError):
    """A row cannot be decrypted or read although the key is right: it was damaged or tampered with."""


class NewerSchemaError(StoreError):
    """The store was written by a newer release; nothing has been changed."""


class InsecureFileError(StoreError):
    """The store or its key can be read by other users of this machine."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached, opened or locked in time."""


class TokenError(StoreError):
    """There is no access token to give."""


class ConnectAgainError(TokenError):
    """Only a person can help: consent has to be given once more, or a new seed configured."""


class ClientRefusedError(TokenError):
    """The service does not accept the client id or secret; the refresh token was not spent."""


class RefreshUnavailableError(TokenError):
    """The service gives no new token right now, and the refresh token was not spent.

    Attributes:
        message: What the plugin made of the answer, a sentence without secrets; None for nothing particular.
        retry_after: Seconds until it makes sense to ask again, where known.
        asked_to_wait: Whether the service itself said "not now"; False where it could not be reached or did not answer.
    """

    def __init__(
        self, retry_after: float | None = None, message: str | None = None, *, asked_to_wait: bool = True
    ) -> None:
        super().__init__(message or "The service gives no access token right now.")
        self.message = message
        self.retry_after = retry_after
        self.asked_to_wait = asked_to_wait


class RefreshRefused(Exception):  # noqa: N818 - an answer, not a fault
    """The service's answer to one POST: this refresh token is dead (``invalid_grant``)."""


class RefreshNotSent(Exception):  # noqa: N818
    """One POST that failed before anything reached the service: it may be made again."""


class RefreshUnanswered(Exception):  # noqa: N818
    """One POST that left this machine and got no whole answer: nobody knows whether the token was spent."""
