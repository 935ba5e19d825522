"""A receiver in this process, for tests of what comes in."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pynetdicom.transport import AssociationSocket


@pytest.fixture(autouse=True)
def _forgotten_sockets(monkeypatch):
    """Close what pynetdicom forgets when a connection fails: the garbage collector would complain in a later test."""
    made = []
    create = AssociationSocket._create_socket

    def remembered(self, address):
        made.append(create(self, address))
        return made[-1]

    monkeypatch.setattr(AssociationSocket, "_create_socket", remembered)
    yield
    for one in made:
        one.close()


@pytest.fixture
def make_receiver(tmp_path):
    """Return `make_receiver(limits=..., called=..., ...) -> .port, .store, .intake, .listener`."""
    from dicomwright_node.config import LimitsConfig
    from dicomwright_node.receive.association import Timeouts
    from dicomwright_node.receive.intake import Intake
    from dicomwright_node.receive.listener import Listener
    from dicomwright_node.receive.negotiation import Policy
    from dicomwright_node.store import Store

    made = []

    def make(
        *,
        limits=None,
        called=("NODE",),
        calling=(),
        syntaxes=(),
        max_pdu=256 * 1024,
        most=100,
        timeouts=(10.0, 10.0),
        tls=None,
        stored=lambda: None,
    ):
        store = Store.open(tmp_path / f"node{len(made)}")
        intake = Intake(store, limits or LimitsConfig(min_free=0), stored)
        policy = Policy.make(called, calling, syntaxes, max_pdu)
        listener = Listener(("127.0.0.1", 0), intake, policy, Timeouts(*timeouts), most, tls)
        receiver = SimpleNamespace(port=listener.start(), store=store, intake=intake, listener=listener)
        made.append(receiver)
        return receiver

    yield make
    for receiver in made:
        receiver.listener.stop(0)
        receiver.intake.close()
        receiver.store.close()


@pytest.fixture
def receiver(make_receiver):
    """Return a receiver that takes everything for NODE."""
    return make_receiver()
