"""Which associations and presentation contexts are accepted (PS3.8 section 9.3.2 to 9.3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from pydicom.uid import UID, AllTransferSyntaxes, ImplicitVRLittleEndian
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
)
from pynetdicom.presentation import PresentationContext

from dicomwright.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    _AboutUs = (
        MaximumLengthNotification | ImplementationClassUIDNotification | ImplementationVersionNameNotification
    )

__all__ = ["Accepted", "Policy", "Rejected", "Request", "accept", "judge", "reject_bytes"]

_VERIFICATION = "1.2.840.10008.1.1"
_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
_ACCEPTED, _NO_ABSTRACT_SYNTAX, _NO_TRANSFER_SYNTAX = 0, 3, 4
_NOT_STORED = {"1.2.840.10008.1.3.10", "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.2"}  # DICOMDIR, commitment


class Accepted(NamedTuple):
    """An accepted presentation context."""

    abstract_syntax: str
    transfer_syntax: str


class Rejected(NamedTuple):
    """Why an association is rejected: result, source and reason of PS3.8 table 9-21, and words for the log."""

    result: int
    source: int
    reason: int
    message: str


_NO_CONTEXT = Rejected(1, 1, 2, "application context name not supported")
_CALLING = Rejected(1, 1, 3, "calling AE title not recognised")
_CALLED = Rejected(1, 1, 7, "called AE title not recognised")
BUSY = Rejected(2, 3, 2, "too many associations")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the node accepts.

    Attributes
    ----------
    called, calling : frozenset of str or None
        AE titles; None: any.
    transfer_syntaxes : frozenset of str
        UIDs.
    max_pdu : int
        What is announced to senders, in bytes.

    """

    called: frozenset[str] | None
    calling: frozenset[str] | None
    transfer_syntaxes: frozenset[str]
    max_pdu: int

    @classmethod
    def make(
        cls, called: Sequence[str], calling: Sequence[str], transfer_syntaxes: Sequence[str], max_pdu: int
    ) -> Policy:
        """Return the policy of a configuration: ``"*"`` is any AE title, nothing any calling one or syntax."""
        return cls(
            None if "*" in called else frozenset(title.strip() for title in called),
            frozenset(title.strip() for title in calling) or None,
            frozenset(transfer_syntaxes or map(str, AllTransferSyntaxes)),
            max_pdu,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """An association request that could be read."""

    primitive: A_ASSOCIATE
    calling: str
    called: str

    @classmethod
    def decode(cls, data: bytes) -> Request:
        """Read the whole PDU.

        Raises
        ------
        ValueError
            It is damaged.

        """
        pdu = A_ASSOCIATE_RQ()
        try:
            pdu.decode(data)
            primitive = pdu.to_primitive()
            calling = str(primitive.calling_ae_title).strip()
            called = str(primitive.called_ae_title).strip()
            _ = [context.abstract_syntax for context in primitive.presentation_context_definition_list]
        except Exception as error:  # the library raises whatever a hostile request makes of it
            raise ValueError(f"the association request is damaged ({type(error).__name__})") from error
        return cls(primitive, calling, called)


def judge(request: Request, policy: Policy) -> Rejected | None:
    """Return why a request is rejected, None if it is not."""
    if request.primitive.application_context_name != _APPLICATION_CONTEXT:
        return _NO_CONTEXT
    if policy.called is not None and request.called not in policy.called:
        return _CALLED
    if policy.calling is not None and request.calling not in policy.calling:
        return _CALLING
    return None


def accept(request: Request, policy: Policy) -> tuple[bytes, dict[int, Accepted]]:
    """Return the PDU that accepts an association, and the accepted contexts by their number."""
    primitive = request.primitive
    answers, accepted = [], {}
    for asked in primitive.presentation_context_definition_list:
        answer = _answer(asked, policy)
        answers.append(answer)
        if answer.result == _ACCEPTED:
            context = Accepted(str(answer.abstract_syntax), str(answer.transfer_syntax[0]))
            accepted[cast("int", answer.context_id)] = context
    reply = A_ASSOCIATE()
    reply.application_context_name = _APPLICATION_CONTEXT
    reply.calling_ae_title = primitive.calling_ae_title
    reply.called_ae_title = primitive.called_ae_title
    reply.result, reply.result_source = 0, 1
    reply.presentation_context_definition_results_list = answers
    reply.user_information = [*_about_us(policy), *_roles(primitive)]
    pdu = A_ASSOCIATE_AC()
    pdu.from_primitive(reply)
    return pdu.encode(), accepted


def reject_bytes(rejected: Rejected) -> bytes:
    """Return the PDU that rejects an association."""
    primitive = A_ASSOCIATE()
    primitive.result, primitive.result_source, primitive.diagnostic = rejected[:3]
    pdu = A_ASSOCIATE_RJ()
    pdu.from_primitive(primitive)
    return pdu.encode()


def is_storage(sop_class: UID) -> bool:
    """Tell whether a SOP class is one that is stored: every one with that name, and every unknown or private one."""
    if sop_class in _NOT_STORED:
        return False
    if not sop_class.startswith("1.2.840.10008."):
        return True
    return sop_class.type == "" or (sop_class.type == "SOP Class" and "Storage" in sop_class.name)


def _answer(asked: PresentationContext, policy: Policy) -> PresentationContext:
    """Accept a context with the first of its transfer syntaxes that is accepted, or reject it."""
    answer = PresentationContext()
    answer.context_id = asked.context_id
    answer.abstract_syntax = asked.abstract_syntax
    syntax = next((one for one in asked.transfer_syntax if one in policy.transfer_syntaxes), None)
    answer.transfer_syntax = [syntax or ImplicitVRLittleEndian]  # of a rejected one, nobody looks at it
    sop_class = cast("UID", asked.abstract_syntax)
    if sop_class != _VERIFICATION and not is_storage(sop_class):
        answer.result = _NO_ABSTRACT_SYNTAX
    else:
        answer.result = _NO_TRANSFER_SYNTAX if syntax is None else _ACCEPTED
    return answer


def _about_us(policy: Policy) -> Iterator[_AboutUs]:
    """Yield what the node says of itself."""
    length = MaximumLengthNotification()
    length.maximum_length_received = policy.max_pdu
    uid = ImplementationClassUIDNotification()
    uid.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    yield from (length, uid, version)


def _roles(primitive: A_ASSOCIATE) -> list[SCP_SCU_RoleSelectionNegotiation]:
    """Answer those who ask for roles: they may be the user of a service, never its provider."""
    answers = []
    for asked in primitive.user_information:
        if isinstance(asked, SCP_SCU_RoleSelectionNegotiation):
            answer = SCP_SCU_RoleSelectionNegotiation()
            answer.sop_class_uid = asked.sop_class_uid
            answer.scu_role, answer.scp_role = bool(asked.scu_role), False
            answers.append(answer)
    return answers
