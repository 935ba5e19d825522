"""From what a user writes to a sender, its options, and a name for the ledger."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from dicomwright.errors import DeliveryError, DicomwrightError, PluginError, Problem
from dicomwright.plugins.isolation import stdout_to_stderr
from dicomwright.plugins.known import known_for_scheme
from dicomwright.plugins.protocols import Sender
from dicomwright.plugins.records import tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dicomwright.plugins import PluginSet, SenderSpec
    from dicomwright.plugins.registry import Registry

__all__ = ["Destination", "looks_like_destination", "resolve_destinations"]

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to, and by which sender.

    Attributes
    ----------
    url : str
        As the user wrote it.
    key : str
        As it is in the ledger: scheme and host in small letters, no slash at the end.
    name, provider : str
        The sender, and the distribution that it comes from.
    sender : Sender
        The sender.
    options : dict
        What it is given.

    """

    url: str
    key: str
    name: str
    provider: str
    sender: Sender
    options: dict[str, str]


def looks_like_destination(text: str) -> bool:
    """Tell whether a text begins with a scheme.

    Examples
    --------
    >>> looks_like_destination("dicom://PACS@127.0.0.1:104"), looks_like_destination("out/1.dcm")
    (True, False)

    """
    return _SCHEME.match(text) is not None


def resolve_destinations(
    urls: Iterable[str], options: Mapping[str, str], plugin_set: PluginSet, name: str = ""
) -> tuple[Destination, ...]:
    """Return the destinations, each once, with senders that accept them.

    Raises
    ------
    DeliveryError
        A destination or an option is written wrongly. All problems are told.
    PluginError
        Nothing usable sends there.

    """
    registry = plugin_set.registry("sender")
    chosen = {url: name or _sender_name(url, registry) for url in urls}
    if not chosen:
        raise DeliveryError("there is no destination", hint="give one, such as dicom://PACS@host:104")
    _check_options(options, sorted({*chosen.values()}), registry)
    found: dict[str, Destination] = {}
    problems: list[Problem] = []
    for url, sender in chosen.items():
        try:
            destination = _destination(url, sender, options, registry)
        except DeliveryError as error:
            problems += error.problems
        else:
            found.setdefault(destination.key, destination)
    if problems:
        raise DeliveryError.collect(problems)
    return tuple(found.values())


def _sender_name(url: str, registry: Registry) -> str:
    """Return the sender that serves the scheme of a destination."""
    match = _SCHEME.match(url)
    if match is None:
        raise DeliveryError(
            f"destination {url!r} has no scheme",
            hint="write it such as dicom://AET@host:port or https://host/dicom-web",
            kind="destination",
        )
    scheme = match[1].lower()
    serving = [name for name in registry.names() if scheme in cast("SenderSpec", registry.spec(name)).schemes]
    if len(serving) == 1:
        return serving[0]
    if serving:
        named = ", ".join(f"{name} ({registry.provider(name)})" for name in serving)
        raise PluginError(
            f"{scheme}: is served by several senders: {named}",
            hint=f"choose one: --sender {serving[0]}",
            kind="ambiguous-sender",
        )
    known = known_for_scheme(scheme)
    if known and known not in registry:
        problem = registry.unknown(known).problems[0]
        raise PluginError(
            f"nothing sends to {scheme}: yet: {problem.message}", hint=problem.hint, kind=problem.kind
        )
    specs = {name: cast("SenderSpec", registry.spec(name)) for name in registry.names()}
    listed = "; ".join(f"{name} ({', '.join(spec.schemes)})" for name, spec in specs.items()) or "none"
    raise PluginError(
        f"nothing that is installed sends to {scheme}:{registry.suspects()}",
        hint=f"installed senders: {listed}",
        kind="no-sender",
    )


def _check_options(options: Mapping[str, str], senders: list[str], registry: Registry) -> None:
    """Refuse options that none of the senders has."""
    declared = sorted(
        {one.name for name in senders for one in cast("SenderSpec", registry.spec(name)).options}
    )
    unknown = [option for option in options if option not in declared]
    if unknown:
        named = " and ".join(f'"{name}"' for name in senders)
        raise PluginError.collect(
            Problem(
                f'sender {named} has no option "{option}"',
                hint=_hint(option, declared),
                kind="unknown-option",
            )
            for option in unknown
        )


def _hint(option: str, declared: list[str]) -> str:
    close = get_close_matches(option, declared, 1)
    listed = f"there are {', '.join(declared)}" if declared else "there are none"
    return f"did you mean {close[0]}? {listed}" if close else listed


def _destination(url: str, name: str, options: Mapping[str, str], registry: Registry) -> Destination:
    key = _key(url)
    spec = cast("SenderSpec", registry.spec(name))
    declared = {option.name: option.default for option in spec.options}
    own = {option: default for option, default in declared.items() if default}
    own |= {option: value for option, value in options.items() if option in declared}
    provider = str(registry.provider(name))
    sender = _made(name, provider, registry)
    _check(sender, name, provider, url, own)
    return Destination(url, key, name, provider, sender, own)


def _key(url: str) -> str:
    """Return a destination for the ledger, which holds no secrets.

    Examples
    --------
    >>> _key("HTTPS://Pacs.Example/dicom-web/"), _key("dicom://PACS@Host:104")
    ('https://pacs.example/dicom-web', 'dicom://PACS@host:104')

    """
    try:
        url.encode()
        parts = urlsplit(url)
        secret, host, port = parts.password, parts.hostname or "", parts.port
    except ValueError:  # its text, and the rest of the URL, may hold a password
        raise DeliveryError(
            f"a destination with {url.partition(':')[0]}: is no URL: its host, port or letters are written wrongly",
            hint="write it such as dicom://AET@host:port or https://host/dicom-web",
            kind="destination",
        ) from None
    if secret is not None or parts.query or parts.fragment:
        what = "a password" if secret is not None else "a query or a fragment"
        raise DeliveryError(
            f"the destination {parts.scheme}://{host} is written with {what}, which others would see",
            hint="give secrets and settings to the sender: --sender-opt",
            kind="destination",
        )
    user = f"{parts.username}@" if parts.username else ""
    host = f"[{host}]" if ":" in host else host
    where = f"//{user}{host}{'' if port is None else f':{port}'}" if parts.netloc else ""
    return f"{parts.scheme.lower()}:{where}{parts.path.rstrip('/')}"


def _made(name: str, provider: str, registry: Registry) -> Sender:
    """Return a sender, made if the descriptor names a class."""
    target: Any = registry.resolve(name)
    try:
        with stdout_to_stderr():
            sender = target() if isinstance(target, type) else target
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # foreign code may call sys.exit, and must not take us along
        raise PluginError(
            f'sender "{name}" of {provider} cannot be made: {tell(error)}', kind="broken-plugin"
        ) from error
    if not isinstance(sender, Sender):
        raise PluginError(
            f'sender "{name}" of {provider} is no sender: it lacks send(files, destination, options)',
            kind="broken-plugin",
        )
    return sender


def _check(sender: Sender, name: str, provider: str, url: str, options: Mapping[str, str]) -> None:
    """Let a sender refuse a destination or an option before anything is sent."""
    check = getattr(sender, "check", None)
    if check is None:
        return
    try:
        with stdout_to_stderr():
            check(url, options)
    except (KeyboardInterrupt, DicomwrightError):
        raise
    except BaseException as error:  # as above
        raise PluginError(
            f'sender "{name}" of {provider} failed: {tell(error)}', kind="broken-plugin"
        ) from error
