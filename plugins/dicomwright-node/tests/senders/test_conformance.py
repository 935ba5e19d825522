"""The senders are what the core and users expect of any sender."""

from __future__ import annotations

import pytest
from pynetdicom.sop_class import MRImageStorage

from dicomwright.testing import SenderConformance


class TestDicom(SenderConformance):
    module = "dicomwright_node.plugin"
    name = "dicom"
    malformed = ("dicom:", "dicom://", "dicom://127.0.0.1", "dicom://A@h:0", "dicom://A@h:x", "dicom://A@h/b")

    @pytest.fixture
    def destination(self, node):
        return node(contexts={MRImageStorage: ["1.2.840.10008.1.2.1"]}).url

    @pytest.fixture
    def unreachable(self, free_port):
        return f"dicom://PACS@127.0.0.1:{free_port}"

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library's socket
    def test_nobody_listens(self, files, unreachable):
        super().test_nobody_listens(files, unreachable)


class TestDicomWeb(SenderConformance):
    module = "dicomwright_node.plugin"
    name = "dicomweb"
    malformed = ("https:", "https://", "https://jane@h", "https://jane:pw@h/dicom-web", "http://h/?a=b")

    @pytest.fixture
    def destination(self, web):
        return web().url

    @pytest.fixture
    def unreachable(self, free_port):
        return f"http://127.0.0.1:{free_port}/dicom-web"
