"""What the platform asks of a provider, and what it hears from one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from conversion_platform.errors import MessagingError


@dataclass(frozen=True)
class Outgoing:
    """One message to be sent.

    Attributes:
        message_id: Ours; the provider keeps it, so that `find` can ask for it.
        phone: In the form +15125550123.
        body: The words.
        at: The moment of sending.
    """

    message_id: str
    phone: str
    body: str
    at: datetime


@dataclass(frozen=True)
class Accepted:
    """The provider took a message."""

    provider_id: str
    at: datetime


@dataclass(frozen=True)
class Receipt:
    """What became of a message. May come twice, and out of order."""

    callback_id: str
    message_id: str
    status: Literal["delivered", "failed"]
    at: datetime
    code: str | None = None


@dataclass(frozen=True)
class Reply:
    """A reply from a phone.

    Attributes:
        callback_id: The provider's unique id of the reply.
        answered: Whether the provider itself replied already (a keyword that it knows), so
            that another confirmation would be a second one.
    """

    callback_id: str
    phone: str
    body: str
    at: datetime
    answered: bool = False


Callback = Receipt | Reply


class ProviderRefusedError(MessagingError):
    """The provider did not take a message.

    Args:
        code: The provider's error code.
        problem: In words.
        permanent: Whether trying again is useless.
        opted_out: Whether the number is blocked on the provider's side because it opted out.
    """

    def __init__(
        self, code: str, problem: str, *, permanent: bool, opted_out: bool = False
    ) -> None:
        super().__init__(
            f"The provider refused a message with code {code}: {problem}.",
            "Look up the code in the documents of the provider."
            if permanent
            else "It will be tried again.",
        )
        self.code = code
        self.permanent = permanent
        self.opted_out = opted_out


class Provider(Protocol):
    """A provider."""

    name: str

    def send(self, message: Outgoing) -> Accepted:
        """Give the provider one message.

        Only sender.py (planned messages) and receiving.py (answers to replies) call it. Calling it
        twice sends two messages: providers do not recognise a repetition.

        Raises:
            ProviderRefusedError: it surely did not go out. After any other error nobody knows:
                the sender asks `find`.
        """

    def find(self, message_id: str) -> Accepted | None:
        """Whether the provider has a message of that id; conclusive once `send` is over."""

    def poll(self, now: datetime, limit: int) -> list[Callback]:
        """At most `limit` receipts and replies up to `now` that were not acknowledged, in order."""

    def acknowledge(self, callbacks: Sequence[Callback]) -> None:
        """Tells the provider not to report these again."""

    def close(self) -> None:
        """Lets go of files and connections."""
