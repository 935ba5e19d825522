"""Pipelines for the tests of jobs; their processes import this module by its name."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

from dicomwright import Blueprint, DicomFactory, StaticElement
from dicomwright_node import (
    AbstractInput,
    AbstractPipeline,
    AbstractProcessor,
    Address,
    DicomOutput,
    FileOutput,
    MultiOutput,
    NoOutput,
)
from dicomwright_node.pipeline.grinders import to_array


class CTInput(AbstractInput):
    required_values = {"Modality": "CT"}
    grinder = to_array

    def validate(self):
        return self.images == 3


class MRInput(AbstractInput):
    required_values = {"Modality": "MR"}


class Faults(AbstractPipeline):
    """Does what the PatientID says."""

    input = {"ct": CTInput}

    class Processor(AbstractProcessor):
        def process(self, input_container):
            key = input_container.key
            sys.stdout.write(f"{key} begins\n")
            return getattr(self, key)(input_container)

        def raises(self, input_container):
            dataset = input_container.datasets["ct"][0]
            self.logger.info("soon an error")
            raise ValueError(f"no organ in {dataset.PatientName}")

        def exits(self, _):
            sys.exit(0)

        def leaves(self, _):
            os._exit(7)

        def crashes(self, _):
            ctypes.string_at(0)

        def hangs(self, _):
            time.sleep(600)

        def leaks(self, _):
            kept = []
            while True:
                kept.append(bytearray(10_000_000))

        def nothing(self, _):
            return None

        def dies_once(self, _):
            mark = Path(os.environ["TRIAL_FOLDER"], "died")
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return NoOutput()

        def works(self, _):
            self.logger.info("all is well")
            return NoOutput()


class Inverted(AbstractPipeline):
    """Writes the series with its values inverted into a folder, and a text."""

    input = {"ct": CTInput}
    dicom_factory = DicomFactory()
    header_blueprint = Blueprint.load("ct-image") + Blueprint(
        [StaticElement("SeriesDescription", "LO", "Inverted")]
    )

    class Processor(AbstractProcessor):
        def process(self, input_container):
            image = input_container["ct"]
            time.sleep(float(os.environ.get("TRIAL_SECONDS", "0")))
            series = self.dicom_factory.build_series(
                image.max() - image, self.header_blueprint, input_container.datasets["ct"]
            )
            folder = Path(os.environ["TRIAL_FOLDER"])
            text = f"{input_container.key}: {len(image)} slices"
            return MultiOutput(
                [FileOutput([(folder / "series", series)]), FileOutput([(folder / "report.txt", text)])]
            )


class Both(AbstractPipeline):
    """Needs two series of a patient."""

    input = {"ct": CTInput, "mr": MRInput}

    class Processor(AbstractProcessor):
        def process(self, input_container):
            counts = {name: len(input_container.paths[name]) for name in input_container}
            patients = {dataset.PatientID for many in input_container.datasets.values() for dataset in many}
            self.logger.info("%s of %s", counts, patients)
            return NoOutput()


class CannotTell(AbstractInput):
    def validate(self):
        raise RuntimeError("no idea")


class Undecided(AbstractPipeline):
    input = {"any": CannotTell}

    class Processor(AbstractProcessor):
        def process(self, _):
            return NoOutput()


class Sent(Inverted):
    """Sends the inverted series to a port."""

    class Processor(Inverted.Processor):
        def process(self, input_container):
            image = input_container["ct"]
            series = self.dicom_factory.build_series(
                image.max() - image, self.header_blueprint, input_container.datasets["ct"]
            )
            return DicomOutput([(Address("127.0.0.1", int(os.environ["TRIAL_PORT"]), "PACS"), series)])
