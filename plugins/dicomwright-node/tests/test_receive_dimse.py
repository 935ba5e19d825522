"""C-STORE and C-ECHO, with pynetdicom and dcmtk as peers."""

from __future__ import annotations

import socket
import threading

import pydicom
import pytest
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    MRImageStorage,
    RLELossless,
)
from pynetdicom import AE
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    StorageCommitmentPushModel,
    Verification,
)

from dicomwright_node.config import LimitsConfig
from dicomwright_node.receive.listener import ListenError, listening
from dicomwright_node.store import instances
from workbench.nodes import ct_instance


def stored(receiver):
    rows = receiver.store.database.read("SELECT * FROM instances ORDER BY id")
    return {row["sop_instance_uid"]: row for row in rows}


def send(
    receiver, *datasets, title="SCU", called="NODE", contexts=((CTImageStorage, ExplicitVRLittleEndian),)
):
    ae = AE(title)
    for sop_class, syntax in contexts:
        ae.add_requested_context(sop_class, syntax)
    association = ae.associate("127.0.0.1", receiver.port, ae_title=called)
    if not association.is_established:
        return association
    try:
        return [association.send_c_store(dataset) for dataset in datasets]
    finally:
        association.release()


def statuses(answers):
    return [answer.Status for answer in answers]


def test_an_instance_is_a_file_and_a_row(receiver):
    dataset = ct_instance()
    assert statuses(send(receiver, dataset)) == [0]
    (row,) = stored(receiver).values()
    kept = pydicom.dcmread(receiver.store.files.path(row["path"]))
    assert kept == dataset
    assert kept.file_meta.SourceApplicationEntityTitle == "SCU"
    assert kept.preamble == bytes(128)
    assert {name: row[name] for name in ("via", "calling", "called", "peer", "patient_id", "state")} == {
        "via": "dimse",
        "calling": "SCU",
        "called": "NODE",
        "peer": "127.0.0.1",
        "patient_id": "4711",
        "state": "received",
    }
    assert row["size"] == receiver.store.files.path(row["path"]).stat().st_size
    assert (row["study_uid"], row["series_uid"]) == ("2.25.77.0", "2.25.77")


def test_echo(receiver):
    ae = AE("SCU")
    ae.add_requested_context(Verification)
    association = ae.associate("127.0.0.1", receiver.port, ae_title="NODE")
    assert association.send_c_echo().Status == 0
    association.release()


def test_the_same_again_is_stored_once_and_other_bytes_are_a_warning(receiver):
    first, other = ct_instance(), ct_instance(PatientName="Roe^Richard")
    answers = send(receiver, first, first, other)
    assert statuses(answers) == [0, 0, 0xB000]
    assert answers[2].ErrorComment == "another instance with this SOPInstanceUID is here, and stays"
    (row,) = stored(receiver).values()
    assert pydicom.dcmread(receiver.store.files.path(row["path"])).PatientName == "Doe^Jane"
    assert [path.name for path in receiver.store.files.root.glob("instances/*/*")] == [
        row["path"].split("/")[-1]
    ]
    assert receiver.intake.counts()["same"] == receiver.intake.counts()["other"] == 1


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_other_encodings(receiver, syntax, tmp_path):
    dataset = ct_instance()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(tmp_path / "1.dcm", enforce_file_format=True)
    assert statuses(send(receiver, tmp_path / "1.dcm", contexts=[(CTImageStorage, syntax)])) == [0]
    (row,) = stored(receiver).values()
    assert row["transfer_syntax_uid"] == syntax
    assert row["patient_id"] == "4711"
    assert pydicom.dcmread(receiver.store.files.path(row["path"])).PixelData == dataset.PixelData or (
        syntax == ExplicitVRBigEndian
    )


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, "1.2.840.10008.1.2.4.201"])
def test_compressed_instances_stay_as_they_are(receiver, syntax):
    dataset = ct_instance()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = pydicom.encaps.encapsulate([b"\1\2\3\4" * 100])
    dataset["PixelData"].VR = "OB"
    assert statuses(send(receiver, dataset, contexts=[(CTImageStorage, syntax)])) == [0]
    (row,) = stored(receiver).values()
    assert row["transfer_syntax_uid"] == syntax
    assert pydicom.dcmread(receiver.store.files.path(row["path"])).PixelData == dataset.PixelData


UNKNOWN = ["1.2.3.4.5", "1.2.840.113619.4.26", "1.2.840.10008.5.1.4.1.1.999"]


@pytest.mark.parametrize("sop_class", [*UNKNOWN, MRImageStorage])
def test_private_and_unknown_sop_classes_are_stored(receiver, sop_class):
    dataset = ct_instance(SOPClassUID=sop_class)
    assert statuses(send(receiver, dataset, contexts=[(sop_class, ExplicitVRLittleEndian)])) == [0]
    assert stored(receiver)["2.25.77.1"]["sop_class_uid"] == sop_class


def test_other_services_and_syntaxes_are_not_accepted(receiver):
    ae = AE("SCU")
    ae.add_requested_context(PatientRootQueryRetrieveInformationModelFind)
    ae.add_requested_context(StorageCommitmentPushModel)
    ae.add_requested_context(CTImageStorage, "1.2.3.4")
    ae.add_requested_context(MRImageStorage, ["1.2.3.4", ImplicitVRLittleEndian])
    association = ae.associate("127.0.0.1", receiver.port, ae_title="NODE")
    assert [context.result for context in association.rejected_contexts] == [3, 3, 4]
    (accepted,) = association.accepted_contexts
    assert (accepted.abstract_syntax, accepted.transfer_syntax) == (MRImageStorage, [ImplicitVRLittleEndian])
    association.release()


@pytest.mark.parametrize(
    ("titles", "reason"),
    [({"called": "OTHER"}, 7), ({"title": "STRANGER"}, 3), ({"title": "STRANGER", "called": "OTHER"}, 7)],
)
def test_wrong_ae_titles(make_receiver, titles, reason):
    receiver = make_receiver(calling=["SCU", "CT 1"])
    association = send(receiver, ct_instance(), **titles)
    assert association.is_rejected
    assert association.acceptor.primitive.diagnostic == reason
    assert statuses(send(receiver, ct_instance(), title="CT 1")) == [0]


def test_any_called_ae_title(make_receiver):
    assert statuses(send(make_receiver(called=["*"]), ct_instance(), called="WHOEVER")) == [0]


def test_roles_are_answered(receiver):
    from pynetdicom import build_role

    ae = AE("SCU")
    ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    role = build_role(CTImageStorage, scu_role=True, scp_role=True)
    association = ae.associate("127.0.0.1", receiver.port, ae_title="NODE", ext_neg=[role])
    (accepted,) = association.accepted_contexts
    assert (accepted.as_scu, accepted.as_scp) == (True, False)
    assert association.send_c_store(ct_instance()).Status == 0
    association.release()


def test_many_associations_at_once_and_the_limit(make_receiver):
    receiver = make_receiver(most=8)
    ae = AE("SCU")
    ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    held = [ae.associate("127.0.0.1", receiver.port, ae_title="NODE") for _ in range(8)]
    assert all(association.is_established for association in held)
    one_more = ae.associate("127.0.0.1", receiver.port, ae_title="NODE")
    assert one_more.is_rejected
    assert one_more.acceptor.primitive.result == 2  # transient: try again

    def work(number):
        answers[number] = [
            held[number].send_c_store(ct_instance(slice_, series=f"2.25.9{number}")).Status
            for slice_ in range(1, 6)
        ]
        held[number].release()

    answers = {}
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: [0] * 5 for number in range(8)}
    assert len(stored(receiver)) == 40


def test_small_and_large_pdus(make_receiver):
    receiver = make_receiver(max_pdu=4096)
    assert statuses(send(receiver, ct_instance(rows=300, columns=200))) == [0]
    receiver = make_receiver(max_pdu=2**20)
    assert statuses(send(receiver, ct_instance(rows=600, columns=700))) == [0]
    assert stored(receiver)["2.25.77.1"]["size"] > 840_000


def test_a_node_that_keeps_as_much_as_it_may(make_receiver):
    receiver = make_receiver(limits=LimitsConfig(min_free=0, max_stored=2000))
    *_, first, second = send(receiver, ct_instance(), ct_instance(), ct_instance(2), ct_instance(3))
    assert (first.Status, second.Status, second.ErrorComment) == (
        0,
        0xA700,
        "the node keeps as much as it may",
    )


def test_a_disk_that_is_nearly_full(make_receiver):
    (answer,) = send(make_receiver(limits=LimitsConfig(min_free=2**60)), ct_instance())
    assert (answer.Status, answer.ErrorComment) == (0xA700, "the disk of the node is nearly full")


def test_storescu_of_dcmtk(receiver, run_dcmtk, tmp_path):
    for number in range(1, 4):
        ct_instance(number).save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
    run_dcmtk("echoscu", "-aec", "NODE", "127.0.0.1", str(receiver.port))
    files = [str(path) for path in sorted(tmp_path.glob("*.dcm"))]
    run_dcmtk("storescu", "-aet", "DCMTK", "-aec", "NODE", "127.0.0.1", str(receiver.port), *files)
    assert set(stored(receiver)) == {"2.25.77.1", "2.25.77.2", "2.25.77.3"}


def test_the_nodes_uid_is_announced(receiver):
    from dicomwright.uids import IMPLEMENTATION_CLASS_UID

    ae = AE("SCU")
    ae.add_requested_context(Verification)
    association = ae.associate("127.0.0.1", receiver.port, ae_title="NODE")
    assert association.acceptor.implementation_class_uid == IMPLEMENTATION_CLASS_UID
    assert association.acceptor.maximum_length == 256 * 1024
    association.release()


def test_what_is_stored_wakes_the_scheduler(make_receiver):
    woken = threading.Event()
    receiver = make_receiver(stored=woken.set)
    send(receiver, ct_instance())
    assert woken.wait(5)
    assert [one.sop_instance_uid for one in instances.newly_received(receiver.store.database)] == [
        "2.25.77.1"
    ]


def test_a_host_that_is_none(monkeypatch):
    with pytest.raises(ListenError) as caught:
        listening(("a..b", 0), "[http]")  # no name at all
    problem = caught.value.problems[0]
    assert problem.message == "the node cannot listen on a..b:0 (no such host)"
    assert problem.hint == "give another host or port in [http] of node.toml"

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "create_server", unknown)
    with pytest.raises(ListenError, match=r"listen on elsewhere:1 \(no such host\)"):
        listening(("elsewhere", 1), "[dimse]")
