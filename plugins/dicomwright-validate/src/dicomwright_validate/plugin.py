"""What this distribution provides. Imports nothing heavy: the programs run in processes of their own."""

from __future__ import annotations

from dicomwright.plugins import ValidatorSpec, hookimpl

__all__ = ["dicomwright_validators"]


@hookimpl
def dicomwright_validators() -> list[ValidatorSpec]:
    """Give the validators."""
    return [
        ValidatorSpec(
            name="dciodvfy",
            summary="dciodvfy for each file, dcentvfy for all together",
            target="dicomwright_validate.dciodvfy:Dciodvfy",
        ),
        ValidatorSpec(
            name="dicom-validator",
            summary="dicom-validator, with tables of the standard that are on this machine",
            target="dicomwright_validate.dicom_validator:DicomValidator",
        ),
    ]
