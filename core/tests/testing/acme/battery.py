"""The batteries on good plug-ins, which pass, and on wrong ones, of which `WRONG` says how they fail."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from dicomwright.testing import (
    BundleConformance,
    CodecConformance,
    ElementTypeConformance,
    EncoderConformance,
    ExecutorConformance,
    FunctionConformance,
    ReaderConformance,
    SenderConformance,
    ValidatorConformance,
    sample_volume,
)

#: Class, test, and what its failure says.
WRONG = [
    ("NoReader", "test_it_is_a_reader", "NoReader lacks can_read(path, head) or read(path, options)"),
    ("Undocumented", "test_target_is_documented", "has no docstring that begins with a line and a full stop"),
    (
        "WithoutExample",
        "test_target_is_documented",
        "the docstring of acme_readers:WithoutExample shows no example",
    ),
    ("Shy", "test_source_leads_to_it", "is not True for its own sample"),
    ("GivesArray", "test_it_reads_its_source", "returns a ndarray, not a Volume, Frames or Document"),
    ("WritesBeside", "test_it_reads_its_source", "reading changes the source or the files beside it"),
    ("Transposed", "test_it_reads_its_source", "a value is off by 40"),
    ("Raises", "test_bad_files_are_refused", "reader raises raises ValueError, not SourceError: a traceback"),
    ("RaisesOther", "test_bad_files_are_refused", "raises PluginError, not SourceError: no"),
    ("TwoLines", "test_bad_files_are_refused", "its message is not one line: 'it is\\nwrong'"),
    ("TakesAll", "test_bad_files_are_refused", "empty.takesall: reader takesall takes it without a word"),
    ("LeavesFiles", "test_bad_files_are_refused", "reader leavesfiles changes files beside what it refuses"),
    ("Careless", "test_files_that_are_cut_short", "bytes: raises ValueError, not DicomwrightError"),
    ("Chance", "test_same_input_same_result", "reader chance gives another result the second time"),
    ("Shared", "test_works_in_threads", "gives other results from several threads at once"),
    ("Process", "test_works_in_another_process", "reader process gives another result in another process"),
    ("Network", "test_asks_nothing_of_the_network", 'reader network asks the network: ["socket.connect'),
    (
        "LooksUp",
        "test_asks_nothing_of_the_network",
        'reader looksup asks the network: ["socket.gethostbyaddr',
    ),
    ("ByUser", "test_works_in_another_process", "reader byuser gives another result in another process"),
    ("Writes", "test_writes_nothing_on_the_side", "cache.bin"),
    ("Database", "test_writes_nothing_on_the_side", "cache.db"),
    ("MakesFolder", "test_writes_nothing_on_the_side", "cache"),
    ("Leaves", "test_writes_nothing_on_the_side", "reader leaves leaves temporary files: ['"),
    ("Stateful", "test_works_in_threads", "gives other results from several threads at once"),
    ("Threads", "test_writes_nothing_on_the_side", "reader threads leaves threads: ['acme']"),
    ("Greedy", "test_memory_is_bounded", "MiB for its sample; most_memory is 256 MiB"),
    ("Heavy", "test_module_is_light", "acme_heavy imports numpy: leave that to the module of the target"),
    ("Clicks", "test_module_is_light", "acme_clicks imports click: leave that to the module of the target"),
    ("Starts", "test_module_is_light", "acme_starts starts processes when it is imported"),
    ("Loud", "test_module_is_light", "acme_loud prints when it is imported: loud"),
    ("Busy", "test_module_is_light", "acme_busy starts threads when it is imported"),
    (
        "Misspelt",
        "test_plugin_is_loaded",
        "dicomwright_reader is not a hook; did you mean dicomwright_readers?",
    ),
    ("Unbounded", "test_plugin_is_loaded", 'state the versions of the core, such as "dicomwright>=0.1,<0.2"'),
    ("Absent", "test_plugin_is_loaded", 'acme_plugin gives no reader "absent", but '),
    (
        "Nowhere",
        "test_descriptor_is_complete",
        "without extensions and magic bytes it is asked about every file",
    ),
    ("Terse", "test_descriptor_is_complete", "its summary says no more than the name"),
    ("Unstated", "test_descriptor_is_complete", "it does not state what a rule may hold"),
    ("WrongValue", "test_it_makes_its_values", "'brain'}, not {'StudyDescription': 'BRAIN'}"),
    ("RaisesInRule", "test_bad_rules_are_refused", "fails instead: "),
    ("TakesAllRules", "test_bad_rules_are_refused", "takes it without a word"),
    ("Speechless", "test_it_is_explained_and_linted", "says nothing"),
    ("Unsure", "test_same_input_same_result", "function unsure gives another result the second time"),
    ("WrongAnswer", "test_it_makes_its_values", "not {'ImageComments': '43'}"),
    ("Faulty", "test_it_makes_its_values", "ZeroDivisionError"),
    ("Mirrored", "test_pixels_are_where_they_belong", "a value is off by"),
    ("Clips", "test_same_input_same_result", "encoder clips changes its input"),
    ("Counts", "test_order_of_instances_does_not_count", "gives other instances if the last is made first"),
    ("TooFewBits", "test_output_is_valid", "not valid DICOM:"),
    ("OtherClass", "test_it_takes_what_it_says", "not ('1.2.3',)"),
    (
        "TakesAnything",
        "test_bad_payloads_and_options_are_refused",
        "encoder takes-anything takes it without a word",
    ),
    ("NoEncoder", "test_it_is_an_encoder", "object lacks encode(payload, request)"),
    ("OtherSyntax", "test_pixels_come_back", "AttributeError"),  # big endian, it says
    ("NoCodec", "test_it_is_a_codec", "object lacks compression(request)"),
    ("TakesAnyOption", "test_bad_options_are_refused", "near=no such value: codec takes-any-option takes it"),
    ("Fussy", "test_good_files_pass", "it complains about good files: ['it is no DICOM file'"),
    ("Silent", "test_broken_files_do_not", "it has nothing to say of the broken files"),
    ("Silent", "test_files_that_are_no_dicom", "it has nothing to say of files that are no DICOM"),
    ("Brittle", "test_files_that_are_no_dicom", "files that are no DICOM raise ValueError"),
    ("Untidy", "test_files_stay_as_they_are", "it changes the files, or leaves others beside them"),
    ("Odd", "test_broken_files_do_not", "severity 'fatal' is none of"),
    ("Elsewhere", "test_broken_files_do_not", "it complains about other, which was not given"),
    ("NoValidator", "test_it_is_a_validator", "NoValidator lacks unavailable() or validate(files)"),
    ("NoSender", "test_it_is_a_sender", "object lacks send(files, destination, options)"),
    ("Unnamed", "test_descriptor_is_complete", "without schemes no destination leads to it"),
    ("Forgetful", "test_each_file_is_answered_once", "it does not answer for each file once"),
    ("Mover", "test_each_file_is_answered_once", "not Delivery"),
    ("Meddler", "test_each_file_is_answered_once", "it changes the files, or leaves others beside them"),
    ("Liar", "test_nobody_listens", "it says stored where nobody listens"),
    ("Sloppy", "test_nobody_listens", "where nobody listens it raises FileNotFoundError"),
    ("Sloppy", "test_malformed_destinations_are_refused", "raises IndexError"),
    ("Trusting", "test_malformed_destinations_are_refused", "is taken: "),
    ("Here", "test_results_come_back", "it calls functions in the caller's own process"),
    ("Here", "test_what_raises", "fail raises ValueError, not ExecutionError"),
    ("Patient", "test_what_takes_too_long", "sleep returns None, and ought to fail"),
    ("Anonymous", "test_check_finds_nothing", "it does not say whom to ask"),
    ("NotBuilt", "test_each_blueprint_can_be_built", "not built: {'acme/mr': 'wrong'}"),
    ("OtherValue", "test_values_are_as_expected", "'Other'}, not {'Manufacturer': 'Acme'}"),
    ("NoExecutor", "test_it_is_an_executor", "object lacks run(function, arguments, ...)"),
    ("Vague", "test_what_ends_or_kills_the_process", "assert '' == 'exited'"),
    ("Vague", "test_what_takes_too_much_memory", "assert '' == 'memory'"),
    ("Vague", "test_what_raises", "assert '' == 'raised'"),
    ("Here", "test_what_cannot_be_sent", "TypeError, not ExecutionError"),
]


class Reader(ReaderConformance):
    module = "acme_plugin"

    @pytest.fixture
    def source(self, tmp_path):
        path = tmp_path / f"scan.{self.name}"
        array = sample_volume().array
        path.write_bytes(b"ACME" + bytes(array.shape) + array.astype("<i2").tobytes())
        return path

    @pytest.fixture
    def job(self, source):
        """What the tests themselves take, in both processes, must not hide what the reader takes."""
        ballast = b"x" * 300_000_000 if self.name == "greedy" else b""
        return self.job_of({"source": str(source), "options": {}, "ballast": ballast})

    @pytest.fixture
    def expected(self):
        return sample_volume(affine=[[0, 0, 1.25, 0], [0, 0.75, 0, 0], [2.5, 0, 0, 0], [0, 0, 0, 1]])


def _class(base, kind, test, **attributes):
    """Return a class under the name that pytest collects."""
    return type(f"Test{test}", (base,), {"name": kind, "__module__": __name__, **attributes})


class Element(ElementTypeConformance):
    module = "acme_others"
    expected = MappingProxyType({"StudyDescription": "BRAIN"})

    @property
    def rules(self):
        return f'StudyDescription = {{ {self.name} = "brain" }}'

    @property
    def refused(self):
        return [f'StudyDescription = {{ {self.name} = "no" }}']


class Function(FunctionConformance):
    module = "acme_others"


class Encoder(EncoderConformance):
    module = "acme_others"
    blueprints = ("mr-image",)
    shows_volume = True
    allow = ("BurnedInAnnotation",)


class Codec(CodecConformance):
    module = "acme_others"


class Validator(ValidatorConformance):
    module = "acme_others"

    @pytest.fixture
    def broken(self, tmp_path):
        (tmp_path / "broken.dcm").write_bytes(b"broken")
        return [tmp_path / "broken.dcm"]


class Sender(SenderConformance):
    module = "acme_others"
    malformed = ("folder:",)

    @pytest.fixture
    def destination(self, tmp_path):
        (tmp_path / "target").mkdir()
        return f"folder:{tmp_path / 'target'}"

    @pytest.fixture
    def unreachable(self, tmp_path):
        return f"folder:{tmp_path / 'nowhere'}"


class Executor(ExecutorConformance):
    module = "acme_others"
    seconds = 60


GOOD_BUNDLE = """schema = 1
name = "acme"
version = "1.0"
contact = "mri@acme.example"
requires-dicomwright = ">=0.1,<0.2"

[blueprints]
mr = "mr.toml"
"""
BLUEPRINT = """schema = 1
summary = "MR of the site"
extends = ["mr-image"]

[elements]
Manufacturer = { static = "Acme" }
"""


class Bundle(BundleConformance):
    manifest = GOOD_BUNDLE
    blueprint = BLUEPRINT
    expected = MappingProxyType({"acme/mr": {"Manufacturer": "Acme"}})

    @pytest.fixture
    def bundle(self, tmp_path):
        folder = tmp_path / "bundle"
        folder.mkdir()
        (folder / "bundle.toml").write_text(self.manifest)
        (folder / "mr.toml").write_text(self.blueprint)
        (folder / "README.md").write_text("# acme\n\n`acme/mr` is for MR.\n")
        return folder


GOOD = {
    "TestBundle": (Bundle, "", {}),
    "TestGood": (Reader, "good", {}),
    "TestTemporary": (Reader, "temporary", {}),
    "TestUpper": (Element, "upper", {}),
    "TestAnswer": (Function, "answer", {"expected": {"ImageComments": "42"}}),
    "TestNumber": (Function, "number", {"expected": {"ImageComments": "1"}}),
    "TestStack": (Encoder, "stack", {}),
    "TestSuffixes": (Validator, "suffixes", {}),
    "TestFolder": (Sender, "folder", {}),
}
MODULES = {"Heavy": "acme_heavy", "Loud": "acme_loud", "Busy": "acme_busy", "Clicks": "acme_clicks",
           "Starts": "acme_starts", "Misspelt": "acme_misspelt",
           "Unbounded": "acme_unbounded"}  # fmt: skip
MORE = {
    "WrongAnswer": {"expected": {"ImageComments": "43"}},
    "Anonymous": {"manifest": GOOD_BUNDLE.replace("contact", "summary")},
    "NotBuilt": {"blueprint": BLUEPRINT.replace("mr-image", "mr-imag")},
    "OtherValue": {"blueprint": BLUEPRINT.replace("Acme", "Other")},
}
BAD = {
    Bundle: {"Anonymous": "", "NotBuilt": "", "OtherValue": ""},
    Element: {"Unstated": "unstated", "WrongValue": "wrong-value", "RaisesInRule": "raises",
              "TakesAllRules": "takes-all", "Speechless": "speechless"},
    Function: {"Unsure": "unsure", "WrongAnswer": "answer", "Faulty": "faulty"},
    Encoder: {"Mirrored": "mirrored", "Clips": "clips", "Counts": "counts", "TooFewBits": "too-few-bits",
              "OtherClass": "other-class",
              "TakesAnything": "takes-anything", "NoEncoder": "no-encoder"},
    Codec: {"OtherSyntax": "other-syntax", "NoCodec": "no-codec", "TakesAnyOption": "takes-any-option"},
    Validator: {name: name.lower() for name in
                ("Fussy", "Silent", "Brittle", "Untidy", "Odd", "Elsewhere", "NoValidator")},
    Sender: {"NoSender": "no-sender"} | {name: name.lower() for name in
             ("Unnamed", "Forgetful", "Mover", "Meddler", "Liar", "Sloppy", "Trusting")},
    Executor: {"NoExecutor": "no-executor", "Here": "here", "Patient": "patient", "Vague": "vague"},
}  # fmt: skip

for test, (base, name, attributes) in GOOD.items():
    globals()[test] = _class(base, name, test.removeprefix("Test"), **attributes)
named = {test: (base, name) for base, tests in BAD.items() for test, name in tests.items()}
for test in dict.fromkeys(one[0] for one in WRONG):
    base, name = named.get(test, (Reader, test.lower()))
    more = {"module": MODULES[test]} if test in MODULES else {}
    globals()[f"Test{test}"] = _class(base, name, test, **more, **MORE.get(test, {}))
del base
