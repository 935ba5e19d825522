"""A third party's elements at every level: made from rules, checked, linted, explained, compiled like our own."""

from __future__ import annotations

import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from dicomwright import (
    OMIT,
    Blueprint,
    DicomFactory,
    Level,
    PerInstance,
    StaticElement,
    VirtualElement,
    Volume,
)
from dicomwright.bundles import load_blueprint, takes
from dicomwright.errors import BlueprintError
from dicomwright.plugins import ElementTypeSpec, Provider, RuleOption, RuleValue, load
from dicomwright.plugins.records import Contribution
from dicomwright.plugins.registry import Registry


class Shout(VirtualElement):
    """Static: a text, several times, in capitals."""

    level = Level.STATIC

    def __init__(self, tag, vr, text, times=1):
        super().__init__(tag, vr)
        self.text = text * times

    def resolve(self, env):  # noqa: ARG002  # not needed
        return self.text.upper()

    def rule(self):
        return f"shout {self.text}"


class OfParent(VirtualElement):
    """Series: a text with the parent's value of a tag that it needs."""

    def __init__(self, tag, vr, keyword, fallback=None):
        super().__init__(tag, vr)
        self.keyword = keyword
        self.fallback = fallback

    def required_tags(self):
        return {0x00100020}

    def resolve(self, env):
        if env.parent is None:
            return self.fallback.resolve(env)
        return f"of {env.parent.get(self.keyword)}"


class Times(VirtualElement):
    """Instance: all values at once."""

    level = Level.INSTANCE

    def __init__(self, tag, vr, *, step):
        super().__init__(tag, vr)
        self.step = step

    def resolve(self, env):
        return PerInstance.of(np.arange(env.total_images) * self.step)


class Each(VirtualElement):
    """Instance: one by one, and not in all instances."""

    level = Level.INSTANCE
    may_omit = True

    def resolve(self, env):  # noqa: ARG002  # not needed
        return PerInstance(
            lambda instance: OMIT if instance.instance_number == 2 else f"{instance.image.sum()}"
        )


TYPES = {
    "shout": (
        Shout,
        RuleValue(summary="a text"),
        (RuleOption(name="times", summary="how often", kinds=("whole",)),),
    ),
    "of-parent": (
        OfParent,
        RuleValue(summary="a keyword", kinds=("keyword",), example='{ of-parent = "StudyID" }'),
        (RuleOption(name="fallback", summary="a rule", kinds=("rule",)),),
    ),
    "times": (
        Times,
        RuleValue(summary="nothing", kinds=("nothing",)),
        (RuleOption(name="step", summary="a number", kinds=("number",), required=True),),
    ),
    "each": (Each, RuleValue(summary="nothing", kinds=("nothing",)), ()),
}


@pytest.fixture
def acme(monkeypatch):
    """Return `acme(types) -> PluginSet`: element types by name, each with target, value and options."""
    module = types.ModuleType("acme_elements")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def build(given, **more):
        found = load(enabled=False)
        registry = found.registry("element-type")
        added = {}
        for name, (target, value, options) in given.items():
            attribute = name.replace("-", "_").replace(".", "_")
            setattr(module, attribute, target)
            spec = ElementTypeSpec(
                name=name,
                summary="made up",
                target=f"acme_elements:{attribute}",
                value=value,
                options=options,
                **more,
            )
            added[name] = Contribution(spec, "acme", Provider("acme-dist", "1.2"))
        entries = dict(sorted({**registry.entries, **added}.items()))
        return replace(
            found, registries={**found.registries, "element-type": Registry("element-type", entries)}
        )

    return build


@pytest.fixture
def plugins(acme):
    return acme(TYPES)


@pytest.fixture
def volume():
    return Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([3.0, 2.0, 1.5, 1.0])[[2, 1, 0, 3]])


RULES = """StudyDescription = { shout = "ab", times = 2 }
StudyID = { of-parent = "AccessionNumber", fallback = { static = "none" } }
TriggerTime = { times = true, step = 40 }
ImageComments = "each"
"""


def test_in_files_at_every_level(blueprint_of, plugins, volume, make_series):
    parents = make_series("MR", shape=(3, 4, 5), elements={"AccessionNumber": "A7"})
    blueprint = Blueprint.load("mr-image") + blueprint_of(RULES, plugins)
    series = DicomFactory(plugin_set=plugins).build(volume, blueprint, parents=parents)
    assert (series[0].StudyDescription, series[0].StudyID) == ("ABAB", "of A7")
    assert [one.TriggerTime for one in series] == [0, 40, 80]
    assert [one.get("ImageComments") for one in series] == ["190", None, "990"]


def test_a_name_with_a_point_needs_quotes(blueprint_of, acme):
    plugins = acme({"acme.shout": TYPES["shout"]})
    blueprint = blueprint_of('StudyDescription = { "acme.shout" = "ab" }\n', plugins)
    assert blueprint["StudyDescription"].vr == "LO"
    with pytest.raises(BlueprintError, match="TOML takes the point apart; write"):
        blueprint_of('StudyDescription = { acme.shout = "ab" }\n', plugins)


def test_in_python(volume):
    elements = [
        Shout("StudyDescription", "LO", "a"),
        Times("TriggerTime", "DS", step=2.5),
        Each("ImageComments", "LT"),
    ]
    series = DicomFactory().build(volume, Blueprint.load("mr-image") + Blueprint(elements))
    assert series[2].StudyDescription == "A"
    assert [one.TriggerTime for one in series] == [0, 2.5, 5]
    (row,) = series.explain().of("TriggerTime")
    assert row.origin.startswith(__file__)


def test_they_are_compiled_like_our_own(blueprint_of, plugins, volume, make_series):
    blueprint = Blueprint.load("mr-image") + blueprint_of(RULES, plugins)
    series = DicomFactory(plugin_set=plugins).build(
        volume, blueprint, parents=make_series("MR", shape=(3, 4, 5))
    )
    kinds = {part.tag: type(part).__name__ for part in series._plan.parts}
    assert [kinds[tag] for tag in (0x00081030, 0x00200010, 0x00181060, 0x00204000)] == [
        "Fixed",
        "Fixed",
        "Column",
        "Field",
    ]


def test_they_are_explained(blueprint_of, plugins, volume, make_series):
    blueprint = Blueprint.load("mr-image") + blueprint_of(RULES, plugins)
    series = DicomFactory(plugin_set=plugins).build(
        volume, blueprint, parents=make_series("MR", shape=(3, 4, 5))
    )
    rows = {
        keyword: series.explain().of(keyword)[0] for keyword in ("StudyDescription", "StudyID", "TriggerTime")
    }
    assert [(row.level, row.origin.rpartition(":")[2]) for row in rows.values()] == [
        ("static", "3"),
        ("series", "4"),
        ("instance", "5"),
    ]
    assert rows["StudyDescription"].rule == "shout abab"


def test_they_are_linted(blueprint_of, plugins):
    blueprint = Blueprint.load("mr-image") + blueprint_of(
        'Modality = { shout = "a-b" }\nSeriesInstanceUID = { shout = "1.2" }\nStudyID = { of-parent = "StudyID" }',
        plugins,
    )
    findings = DicomFactory(plugin_set=plugins).lint(blueprint)
    told = {(finding.keyword, finding.kind): finding for finding in findings}
    assert told["Modality", "value"].origin.endswith(":3")
    assert told["SeriesInstanceUID", "fixed-uid"].severity == "warning"
    assert "StudyID is copied" in told["", "parent"].message


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("StudyID = { shout = 3 }", "shout is 3, not a text; it is a text"),
        ('StudyID = "shout"', "shout needs a text"),
        ('StudyID = { shout = "a", times = 1.5 }', "times is 1.5, not a whole number; it is how often"),
        ('StudyID = { shout = "a", times = true }', "times is True, not a whole number"),
        ('StudyID = { shout = "a", time = 1 }', "did you mean times?"),
        (
            'StudyID = { of-parent = "Study" }',
            'of-parent is "Study", not a keyword or tag; write { of-parent = "StudyID" }',
        ),
        ('StudyID = { of-parent = "StudyID", fallback = 3 }', "fallback is 3, not a rule"),
        ('StudyID = { of-parent = "StudyID", fallback = "copi" }', "did you mean copy?"),
        ('StudyID = "times"', "a rule of type times needs step; step is a number"),
        ("StudyID = { each = 3 }", "each takes nothing, not 3"),
        ('StudyID = { each = true, vr = "LO" }', "SH"),
    ],
)
def test_rules_are_checked_before_the_code_runs(problems_of, plugins, monkeypatch, rule, expected):
    for target, *_ in TYPES.values():
        monkeypatch.setattr(target, "__init__", None) if '"LO"' not in rule else None
    ((line, text),) = problems_of(rule, plugins)
    assert line == "3"
    assert expected in text


def test_a_type_that_is_called_as_an_option_of_another_changes_nothing(acme, blueprint_of, problems_of):
    options = (RuleOption(name="shout", summary="x"), RuleOption(name="static", summary="x"))
    hostile = {
        name: (Shout, RuleValue(summary="a text"), options) for name in ("when-varying", "among", "louder")
    }
    plugins = acme({**TYPES, **hostile})
    copy = 'StudyID = { copy = "usable", when-varying = "omit", among = ["1"] }'
    first, second = blueprint_of(f'{copy}\nAccessionNumber = {{ shout = "a", times = 2 }}', plugins)
    assert (second.when_varying, second.among) == ("else", ("1",))
    assert first.text == "aa"
    assert "is of 2 kinds" in problems_of('StudyID = { louder = "a", among = "b" }', plugins)[0][1]


def test_all_that_is_wrong_with_a_rule_at_once(problems_of, plugins):
    found = problems_of('StudyID = { shout = 3, times = "a", tims = 1 }', plugins)
    assert len(found) == 3


def test_only_for_some_vrs(problems_of, blueprint_of, acme):
    plugins = acme({"shout": TYPES["shout"]}, vrs=("LO", "SH"))
    assert len(blueprint_of('StudyID = { shout = "a" }', plugins)) == 1
    text = problems_of('StudyDate = { shout = "a" }', plugins)[0][1]
    assert "StudyDate (0008,0020) has VR DA, and shout makes LO, SH" in text


def test_a_type_that_takes_no_vr(problems_of, acme):
    plugins = acme({"each": TYPES["each"]}, vr=False)
    assert (
        'a rule of type each has no "vr"'
        in problems_of('StudyID = { each = true, vr = "SH" }', plugins)[0][1]
    )


@pytest.mark.parametrize("raises", [False, True])
def test_what_they_need_of_the_parent_is_checked(volume, make_series, raises):
    class Needs(OfParent):
        def required_tags(self):
            return {0x00180040, 0x00100020}

        def resolve(self, env):
            return env.parent.CineRate if raises else "x"

    parents = make_series("MR", shape=(3, 4, 5))
    blueprint = Blueprint.load("mr-image") + Blueprint([Needs("StudyDescription", "LO", "StudyID")])
    with pytest.raises(BlueprintError) as caught:
        DicomFactory().build(volume, blueprint, parents=parents)
    (problem,) = caught.value.problems
    assert "(Needs) needs CineRate (0018,0040), which the parent series does not have" in problem.message
    (finding,) = (one for one in DicomFactory().lint(blueprint, parents) if one.severity == "error")
    assert "CineRate" in finding.message
    with pytest.raises(BlueprintError, match="which only a parent series has"):
        DicomFactory().build(volume, blueprint)


def test_what_is_stated_twice_is_refused(acme, blueprint_file):
    @takes("times")
    def twice(tag, data, context):
        return StaticElement(tag, context.vr_of(tag), data)

    path = blueprint_file('StudyID = { twice = "a" }')
    with pytest.raises(BlueprintError, match="says its options twice"):
        load_blueprint(path, acme({"twice": (twice, RuleValue(summary="a text"), ())}))
    assert len(load_blueprint(path, acme({"twice": (twice, None, None)}))) == 1


def test_values_and_rules_arrive_as_dicom_has_them(acme, blueprint_of):
    class Many(Shout):
        def __init__(self, tag, vr, value, rules, values, items, rule):
            super().__init__(tag, vr, "")
            self.given = (
                value,
                [one.rule() for one in rules],
                values,
                [len(one) for one in items],
                rule.rule(),
            )

    names = {"rules": "rules", "values": "values", "items": "items", "rule": "rule"}
    options = tuple(RuleOption(name=name, summary="x", kinds=(kind,)) for name, kind in names.items())
    plugins = acme({"many": (Many, RuleValue(summary="x", kinds=("value",)), options)})
    (element,) = blueprint_of(
        'StudyDate = { many = 2024-01-02, rules = ["copy", { static = "20240101" }], values = [2024-01-03], '
        'items = [{ CodeValue = "copy" }], rule = "discard" }',
        plugins,
    )
    assert element.given == ("20240102", ["copy", "static '20240101'"], ["20240103"], [1], "discard")


class NoSuper(VirtualElement):
    def __init__(self, *_):
        pass

    def resolve(self, env):  # noqa: ARG002  # not needed
        return None


class WrongLevel(Shout):
    level = "instance"


class WrongRule(Shout):
    def rule(self):
        return 1 / 0


class WrongTags(Shout):
    def required_tags(self):
        return ["StudyID"]


class Exits(Shout):
    def __init__(self, *_):
        sys.exit(3)


@pytest.mark.parametrize(
    "kind", [Exits, NoSuper, WrongLevel, WrongRule, WrongTags, lambda *_: Shout("StudyTime", "TM", "x")]
)
def test_elements_that_cannot_be_asked_are_told(acme, blueprint_file, kind):
    plugins = acme({"bad": (kind, RuleValue(summary="a text"), ())})
    with pytest.raises(BlueprintError) as caught:
        load_blueprint(blueprint_file('StudyID = { bad = "a" }\nPatientID = "copi"'), plugins)
    first, second = caught.value.problems
    assert 'element type "bad" of acme-dist 1.2' in first.message
    assert first.kind == "broken-plugin"
    assert first.hint == "report it to the authors of acme-dist"
    assert "copi" in second.message
