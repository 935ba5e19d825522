"""The front door: what to build, from what, by which blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dicomwright.blueprint.blueprint import Blueprint, FillingStrategy
from dicomwright.build import Build, BuildOptions, plain_encoding
from dicomwright.encoders.context import Derivation
from dicomwright.engine.request import PlainImages
from dicomwright.errors import PluginError, SourceError
from dicomwright.parents import ParentSeries

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from pydicom import Dataset

    from dicomwright.engine.instance import InstanceDataset
    from dicomwright.engine.series import Series
    from dicomwright.lint import Finding
    from dicomwright.payload import Document
    from dicomwright.plugins import PluginSet

__all__ = ["DicomFactory"]


class DicomFactory:
    """Builds DICOM series and datasets from a source, a blueprint and a parent series.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomwright import Blueprint, DicomFactory, Volume
    >>> volume = Volume(np.zeros((3, 4, 5), np.int16), [[0, 0, 1.5, 0], [0, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])
    >>> series = DicomFactory().build(volume, Blueprint.load("mr-image"))
    >>> [int(dataset.InstanceNumber) for dataset in series]
    [1, 2, 3]

    Parameters
    ----------
    filling_strategy : FillingStrategy
        What becomes of the parent's tags that no blueprint names.
    plugin_set : PluginSet, optional
        The plug-ins to use; all that are installed if not given.

    """

    def __init__(
        self,
        filling_strategy: FillingStrategy = FillingStrategy.DISCARD,
        plugin_set: PluginSet | None = None,
    ) -> None:
        self.filling_strategy = filling_strategy
        self._plugin_set = plugin_set

    def build(
        self,
        source: Any,
        blueprint: Blueprint,
        parents: Any = None,
        reader: str | None = None,
        encoder: str | None = None,
        *,
        kwargs: Mapping[Any, Any] | None = None,
        reader_options: Mapping[str, Any] | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        filling_strategy: FillingStrategy | None = None,
        keep_private: bool = False,
        uids: str = "random",
        instant: dt.datetime | None = None,
        derivation: Derivation | str | None = None,
        allow: Iterable[str] = (),
        transfer_syntax: str = "",
        codec_options: Mapping[str, Any] | None = None,
    ) -> Series:
        """Build a series from any source.

        Parameters
        ----------
        source : path, numpy.ndarray, nibabel image, Volume, Frames or Document
            What becomes DICOM. An array is (slices, rows, columns).
        blueprint : Blueprint
            Which rule makes which tag.
        parents : ParentSeries, path, dataset, or list of paths or datasets, optional
            The series that the source was derived from.
        reader, encoder : str, optional
            Name of the plug-in to use; chosen by the source if not given.
        kwargs : mapping, optional
            Handed to the functions of the blueprint.
        reader_options, encoder_options : mapping, optional
            Options of the reader and the encoder, such as ``{"slicing": "axial"}``.
        filling_strategy : FillingStrategy, optional
            What becomes of the parent's tags that no blueprint names.
        keep_private : bool
            Whether COPY takes private blocks too.
        uids : str
            ``"random"``, or ``"derived"``: the same build gives the same UIDs and bytes again.
        instant : datetime, optional
            What dates are taken from, instead of now.
        derivation : Derivation or str, optional
            How the images were made; a text is its description.
        allow : iterable of str
            Findings of lint that do not stop the build, such as ``"KVP"`` or ``"enumerated:PatientSex"``.
        transfer_syntax : str
            Name of a codec, such as ``"deflated"``, or the UID of a transfer syntax; explicit VR little endian if
            not given.
        codec_options : mapping, optional
            Options of the codec, such as ``{"ratio": "10"}``.

        Returns
        -------
        Series
            Its instances are made when they are asked for.

        Raises
        ------
        DicomwrightError
            With everything that is wrong, before any pixel is touched.

        """
        options = BuildOptions(
            kwargs=kwargs or {},
            reader=reader,
            encoder=encoder,
            reader_options=reader_options or {},
            encoder_options=encoder_options or {},
            filling_strategy=filling_strategy or self.filling_strategy,
            keep_private=keep_private,
            uids=uids,
            instant=instant,
            derivation=Derivation.of(derivation),
            allow=tuple(allow),
            transfer_syntax=transfer_syntax,
            codec_options=codec_options or {},
        )
        build = Build(self, options, self._plugin_set)
        series = build.plugin_set.around_build(
            lambda: build.run(source, blueprint, parents),
            source=source,
            blueprint=blueprint,
            parents=parents,
        )
        return _required(series, build.plugin_set)

    def lint(
        self,
        blueprint: Blueprint,
        parents: Any = None,
        iod: str = "",
        *,
        allow: Iterable[str] = (),
        transfer_syntax: str = "",
        codec_options: Mapping[str, Any] | None = None,
        kwargs: Mapping[Any, Any] | None = None,
    ) -> list[Finding]:
        """Check a blueprint without a source, as every build does before it reads a pixel.

        Parameters
        ----------
        blueprint : Blueprint
            What to check, laid over what an encoder and the shipped blueprints add.
        parents : ParentSeries, path, dataset, or list of paths or datasets, optional
            What the copying rules copy from. Without it they are taken to find what they need.
        iod : str
            The IOD or SOP class, where the blueprint does not name it.
        allow : iterable of str
            Findings that are accepted: they become notes.
        transfer_syntax : str
            Name or UID of a codec whose changes to the elements are checked, too.
        codec_options, kwargs : mapping, optional
            Options of the codec; values of parameters.

        Returns
        -------
        list of Finding
            Errors first.

        """
        from dicomwright.dry_run import lint

        return lint(
            blueprint,
            parents,
            iod,
            allow=allow,
            transfer_syntax=transfer_syntax,
            codec_options=codec_options,
            kwargs=kwargs,
            plugin_set=self._plugin_set,
        )

    def build_series(
        self,
        image: Any,
        blueprint: Blueprint,
        parent_series: Any,
        kwargs: Mapping[Any, Any] | None = None,
    ) -> Series:
        """Build a series of images from a volume and the series that it was derived from.

        The pixels, their description, the rescale and the place in space follow from the image and override
        the blueprint.

        Parameters
        ----------
        image : numpy.ndarray or Volume
            Shape (slices, rows, columns). The slices of an array are those of the parent series in order along
            its normal; a `Volume` has its own place.
        blueprint : Blueprint
            Which rule makes which tag.
        parent_series : ParentSeries, list of datasets, or path
            What the copying elements copy from.
        kwargs : mapping, optional
            Handed to the functions of the blueprint.

        """
        return self.build(image, blueprint, parent_series, kwargs=kwargs)

    def build_nifti_series(
        self,
        nifti: Any,
        blueprint: Blueprint,
        kwargs: Mapping[Any, Any] | None = None,
    ) -> Series:
        """Build a series of images from a NIfTI file or nibabel image, without a parent series.

        A copying element in the blueprint is an error, unless it is optional.

        Parameters
        ----------
        nifti : path or nibabel image
            The volume.
        blueprint : Blueprint
            Which rule makes which tag.
        kwargs : mapping, optional
            Handed to the functions of the blueprint.

        """
        return self.build(nifti, blueprint, reader="nifti", kwargs=kwargs)

    def encode_pdf(
        self,
        report: str | os.PathLike[str] | bytes | Document,
        parents: Any,
        blueprint: Blueprint,
        kwargs: Mapping[Any, Any] | None = None,
        *,
        form: str = "encapsulated",
        pages_blueprint: Blueprint | None = None,
        reader_options: Mapping[str, Any] | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        transfer_syntax: str = "",
        codec_options: Mapping[str, Any] | None = None,
    ) -> list[Series]:
        """Build the DICOM form of a PDF report; needs ``dicomwright-pdf``, for pages ``dicomwright-sc`` too.

        Parameters
        ----------
        report : path, bytes or Document
            The PDF document.
        parents : ParentSeries, path, dataset, or list of paths or datasets, optional
            The series that the report is about.
        blueprint : Blueprint
            Which rule makes which tag. Pages take of one of encapsulated PDF what is not about the document itself.
        kwargs : mapping, optional
            Handed to the functions of the blueprint.
        form : str
            ``"encapsulated"``: one instance with the document, byte for byte. ``"pages"``: secondary captures of
            its pages. ``"both"``: both, as two series of one study.
        pages_blueprint : Blueprint, optional
            The blueprint of the pages if form is ``"both"``; if not given, those elements of `blueprint` that are
            not about the document itself.
        reader_options : mapping, optional
            Such as ``{"dpi": "200", "colour": "grey"}``.
        encoder_options : mapping, optional
            Options of the encoder of the document, or of the pages if form is ``"pages"``.
        transfer_syntax, codec_options
            As those of `build`: of the pages, and of the document if form is ``"encapsulated"``.

        Returns
        -------
        list of Series
            One, or two if form is ``"both"``: first the document, then the pages.

        """
        from dicomwright.reports import Report, build_report

        asked = Report(report, parents, blueprint, kwargs, pages_blueprint, dict(reader_options or {}))
        as_files = {"transfer_syntax": transfer_syntax, "codec_options": codec_options}
        return build_report(self.build, asked, form, encoder_options, as_files)

    def build_series_without_image_encoding(
        self,
        images: Sequence[Any],
        blueprint: Blueprint,
        parent_series: Any,
        kwargs: Mapping[Any, Any] | None = None,
    ) -> Series:
        """Build a series whose pixels the blueprint itself encodes.

        Parameters
        ----------
        images : sequence of numpy.ndarray
            One for each instance; `InstanceEnvironment.image` gives them to the functions of the blueprint.
        blueprint : Blueprint
            Which rule makes which tag, pixels included.
        parent_series : ParentSeries, list of datasets, or path
            What the copying elements copy from; paired one to one if there are as many.
        kwargs : mapping, optional
            Handed to the functions of the blueprint.

        """
        if not hasattr(images, "__len__"):
            raise SourceError(f"images is a {type(images).__name__}, not a sequence of arrays")
        parents = ParentSeries.of(parent_series)
        build = self._plain_build(kwargs)
        return build.series(plain_encoding(PlainImages(images), parents, len(images)), blueprint, parents)

    def build_instance(
        self,
        pivot: Dataset | str | os.PathLike[str] | None,
        blueprint: Blueprint,
        kwargs: Mapping[Any, Any] | None = None,
    ) -> Dataset:
        """Build one dataset, such as a message or an error report.

        Parameters
        ----------
        pivot : Dataset or path, optional
            What the copying elements copy from.
        blueprint : Blueprint
            Which rule makes which tag.
        kwargs : mapping, optional
            Handed to the functions of the blueprint.

        Returns
        -------
        pydicom.Dataset
            With its file meta information, ready for `save_as`.

        """
        parents = ParentSeries.of(pivot)
        build = self._plain_build(kwargs)
        series = build.series(plain_encoding(None, parents, 1), blueprint, parents)
        return cast("InstanceDataset", series[0]).plain()

    def _plain_build(self, kwargs: Mapping[Any, Any] | None) -> Build:
        options = BuildOptions(kwargs=kwargs or {}, filling_strategy=self.filling_strategy)
        return Build(self, options, self._plugin_set)


def _required(series: Any, plugin_set: PluginSet) -> Series:
    """Return the series that a build gave; a plug-in around it may have given something else."""
    from dicomwright.engine.series import Series

    if isinstance(series, Series):
        return series
    names = ", ".join(record.distribution for record in plugin_set.records if "build" in record.kinds)
    raise PluginError(
        f"a plug-in around the build, {names}, gave {type(series).__name__}, not the series, in dicomwright_build",
        hint="it returns what yield gave",
        kind="broken-plugin",
    )
