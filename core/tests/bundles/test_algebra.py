"""What files that extend each other come to: lists that are changed, items laid over each other, final rules."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomwright.blueprint.blueprint import Blueprint
from dicomwright.blueprint.elements import SequenceElement, StaticElement
from dicomwright.bundles import load_blueprint, shipped_names
from dicomwright.bundles.flatten import flattened
from dicomwright.bundles.load import read_blueprints
from dicomwright.bundles.toml_write import value as as_toml
from dicomwright.errors import BlueprintError
from dicomwright.reproducible import stable

CODES = "ProcedureCodeSequence"


def code(value, **more):
    rules = {"CodeValue": value, "CodingSchemeDesignator": "99X", "CodeMeaning": f"code {value}", **more}
    return {keyword: {"static": text} for keyword, text in rules.items()}


@pytest.fixture
def chain(blueprint_file):
    """Return `chain(rules, rules, ...) -> path`: each file extends the one before it."""

    def make(*files):
        path = None
        for number, rules in enumerate(files):
            head = "schema = 1" if path is None else f'schema = 1\nextends = ["./{path.name}"]'
            path = blueprint_file(rules, head=head, name=f"f{number}.toml")
        return path

    return make


def items_of(blueprint, tag=CODES):
    return [{element_name(one): one.value for one in item} for item in blueprint[tag].blueprints]


def element_name(element):
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(element.tag)


def rule(keyword, **data):
    return f"{keyword} = {as_toml(data)}"


def test_items_are_laid_over_each_other_one_by_one(chain):
    blueprint = load_blueprint(
        chain(
            rule(CODES, sequence=[code("1"), code("2")]),
            rule(CODES, sequence=[{"CodeMeaning": {"static": "better"}}]),
        )
    )
    assert [item["CodeMeaning"] for item in items_of(blueprint)] == ["better", "code 2"]
    first = blueprint[CODES].blueprints[0]
    assert [Path(first[name].origin).name for name in ("CodeValue", "CodeMeaning")] == [
        "f0.toml:3",
        "f1.toml:4",
    ]


def test_replace_takes_the_place_of_all_items(chain):
    path = chain(
        rule(CODES, sequence=[code("1"), code("2")]), rule(CODES, sequence=[code("3")], replace=True)
    )
    assert [item["CodeValue"] for item in items_of(load_blueprint(path))] == ["3"]


def test_append_and_remove_items(chain):
    path = chain(
        rule(CODES, sequence=[code("1"), code("2")]),
        rule(CODES, append=[code("3")]),
        rule(CODES, remove=[{"CodeValue": "1", "CodingSchemeDesignator": {"static": "99X"}}]),
    )
    assert [item["CodeValue"] for item in items_of(load_blueprint(path))] == ["2", "3"]


def test_append_and_remove_values(chain):
    path = chain(
        'ImageType = { static = ["DERIVED", "SECONDARY", "AXIAL"] }',
        'ImageType = { append = ["A", "B"] }',
        'ImageType = { remove = ["AXIAL", "A"] }',
    )
    blueprint = load_blueprint(path)
    assert blueprint["ImageType"].value == ["DERIVED", "SECONDARY", "B"]
    assert Path(blueprint["ImageType"].origin).name == "f2.toml:4"
    assert len(blueprint.replaced("ImageType")) == 2


def test_append_works_inside_items(chain):
    inside = "ScheduledProtocolCodeSequence"
    outside = "RequestAttributesSequence"
    first = {"RequestedProcedureDescription": {"static": "x"}, inside: {"sequence": []}}
    path = chain(rule(outside, sequence=[first]), rule(outside, sequence=[{inside: {"append": [code("7")]}}]))
    (item,) = load_blueprint(path)[outside].blueprints
    assert [one["CodeValue"].value for one in item[inside].blueprints] == ["7"]
    assert item["RequestedProcedureDescription"].value == "x"


def test_siblings_go_left_to_right_item_by_item(blueprint_file):
    blueprint_file(rule(CODES, sequence=[code("1", CodingSchemeVersion="1")]), name="a.toml")
    blueprint_file(rule(CODES, sequence=[code("2"), code("3")]), name="b.toml")
    path = blueprint_file(head='schema = 1\nextends = ["./a.toml", "./b.toml"]')
    items = items_of(load_blueprint(path))
    assert [item["CodeValue"] for item in items] == ["2", "3"]
    assert [item.get("CodingSchemeVersion") for item in items] == ["1", None]


def test_removed_items_stay_removed_among_siblings(blueprint_file):
    blueprint_file(rule(CODES, sequence=[code("1"), code("2")]), name="base.toml")
    head = 'schema = 1\nextends = ["./base.toml"]'
    blueprint_file(rule(CODES, remove=[{"CodeValue": "1"}]), head=head, name="b.toml")
    path = blueprint_file(head='schema = 1\nextends = ["./base.toml", "./b.toml"]')
    assert [item["CodeValue"] for item in items_of(load_blueprint(path))] == ["2"]


@pytest.mark.parametrize(
    ("base", "rules", "expected"),
    [
        ("", 'ImageType = { append = ["A"] }', "has nothing to change"),
        ("", 'ImageType = { remove = ["A"] }', "has nothing to change"),
        ('ImageType = "copy"', 'ImageType = { append = ["A"] }', "the rule in {base}:3 is: copy"),
        (
            'ImageType = { static = ["A", "B"] }',
            'ImageType = { remove = ["C"] }',
            '"C" is none of the values in {base}:3',
        ),
        (rule(CODES, sequence=[code("1")]), rule(CODES, remove=[{"CodeValue": "9"}]), "no item has"),
        (rule(CODES, sequence=[code("1")]), rule(CODES, remove=["1"]), "is not a list of tables"),
        (rule(CODES, sequence=[code("1")]), f"{CODES} = {{ append = 3 }}", "is not a list of tables"),
        (rule(CODES, sequence=[code("1")]), f'{CODES} = {{ sequence = [], replace = "yes" }}', "replace is"),
        ('StudyID = { static = "1" }', 'StudyID = { append = ["2"] }', "2 values, allowed are 1"),
        ('StudyID = { static = "1", final = 1 }', "", "final is 1; write final = true"),
    ],
)
def test_what_cannot_be_changed(chain, base, rules, expected):
    path = chain(base, rules)
    with pytest.raises(BlueprintError) as caught:
        load_blueprint(path)
    assert expected.format(base=path.with_name("f0.toml")) in str(caught.value)


@pytest.mark.parametrize(
    "rules",
    [
        'StudyID = { static = "2" }',
        'StudyID = { static = "1" }',
        'StudyID = "discard"',
        'StudyID = { remove = ["1"] }',
        'StudyID = { static = "2", final = true }',
    ],
)
def test_a_final_rule_stays(chain, rules):
    path = chain('StudyID = { static = "1", final = true }', rules)
    with pytest.raises(BlueprintError) as caught:
        load_blueprint(path)
    (problem,) = caught.value.problems
    assert problem.message == (
        f"StudyID (0020,0010) is final in {path.with_name('f0.toml')}:3, and may not be overridden"
    )
    assert problem.loc == f"{path}:4"


@pytest.mark.parametrize(
    "rules",
    [
        rule(CODES, sequence=[{"CodeMeaning": {"static": "other"}}]),
        rule(CODES, sequence=[code("2")], replace=True),
        rule(CODES, remove=[{"CodeValue": "1"}]),
        f'{CODES} = "discard"',
        f"{CODES} = 'copy'",
    ],
)
def test_a_final_rule_in_an_item_stays(chain, rules):
    base = code("1")
    base["CodeMeaning"]["final"] = True
    good = chain(rule(CODES, sequence=[base]), rule(CODES, append=[code("2")]))
    assert len(items_of(load_blueprint(good))) == 2
    path = chain(rule(CODES, sequence=[base]), rules)
    with pytest.raises(BlueprintError, match=r"CodeMeaning \(0008,0104\) is final in"):
        load_blueprint(path)


def test_final_holds_among_siblings_and_over_several_blueprints(blueprint_file):
    site = blueprint_file('StudyID = { static = "1", final = true }', name="final.toml")
    other = blueprint_file('StudyID = { static = "2" }', name="other.toml")
    good = blueprint_file(head='schema = 1\nextends = ["./other.toml", "./final.toml"]')
    assert load_blueprint(good)["StudyID"].value == "1"
    bad = blueprint_file(head='schema = 1\nextends = ["./final.toml", "./other.toml"]')
    with pytest.raises(BlueprintError, match="is final in"):
        load_blueprint(bad)
    assert [one.kind for one in read_blueprints([site, other]).problems] == ["final"]
    with pytest.raises(BlueprintError, match="is final in"):
        load_blueprint(site) + load_blueprint(other)
    with pytest.raises(BlueprintError, match="is final in"):
        load_blueprint(site) + Blueprint([StaticElement("StudyID", "SH", "2")])


def test_one_final_base_by_two_ways_is_fine(blueprint_file):
    blueprint_file('StudyID = { static = "1", final = true }', name="base.toml")
    for name in ("a", "b"):
        blueprint_file(head='schema = 1\nextends = ["./base.toml"]', name=f"{name}.toml")
    path = blueprint_file(head='schema = 1\nextends = ["./a.toml", "./b.toml"]')
    assert load_blueprint(path)["StudyID"].final


@pytest.mark.parametrize("name", shipped_names())
def test_a_flattened_shipped_blueprint_makes_the_same(name, tmp_path):
    assert_same_flattened(name, tmp_path)


def assert_same_flattened(what, folder):
    reading = read_blueprints([what])
    text = flattened(reading, str(what))
    assert "extends" not in text
    path = Path(folder) / "flat.toml"
    path.write_text(text)
    flat = load_blueprint(path)
    assert {one.tag: stable(one) for one in flat} == {one.tag: stable(one) for one in reading.whole()}
    assert [one.final for one in flat] == [one.final for one in reading.blueprint]


VALUES = st.sampled_from("ABC")
CODE = st.builds(code, st.sampled_from("123"))
STATES = ("StudyID", "ImageType", CODES)


@st.composite
def operations(draw):
    """Draw what one file does to each of three tags: (tag, operation, data, whether that is final)."""
    found = []
    for tag in STATES:
        kinds = ["none", "set", "append", "remove"] + (["over"] if tag == CODES else [])
        kind = draw(st.sampled_from(kinds))
        if kind == "none":
            continue
        if tag == CODES:
            data = draw(st.lists(CODE, min_size=1, max_size=3))
        else:
            data = draw(st.lists(VALUES, min_size=1, max_size=1 if tag == "StudyID" else 3))
        found.append((tag, kind, data, draw(st.integers(0, 9)) == 0))
    return found


def after(state, changes, finals):
    """Apply the operations of a file to lists of values and items; None where one is refused."""
    state = dict(state)
    for tag, kind, data, final in changes:
        changed = None if tag in finals else CHANGES[kind](state.get(tag), removable(tag, data), data)
        if changed is None or len(changed) in WRONG_COUNTS.get(tag, ()):
            return None
        finals.update({tag} if final else ())
        state[tag] = changed
    return state


def laid_over(old, data):
    laid = [{**one, **other} for one, other in zip(old, data, strict=False)]
    return [*laid, *old[len(data) :], *data[len(old) :]]


def without(old, unwanted):
    left = old
    for one in unwanted or ():
        fewer = [item for item in left if (code_only(item) if isinstance(one, dict) else item) != one]
        if len(fewer) == len(left):
            return None
        left = fewer
    return left


def code_only(item):
    """Return what names an item."""
    return {"CodeValue": item["CodeValue"]["static"]}


CHANGES = {  # from the values before, what is named, and the data; None is refused
    "set": lambda _old, _named, data: list(data),
    "over": lambda old, _named, data: laid_over(old or [], data),
    "append": lambda old, _named, data: None if old is None else [*old, *data],
    "remove": lambda old, named, _data: None if old is None else without(old, named),
}
WRONG_COUNTS = {"StudyID": range(2, 99), "ImageType": (1,)}  # the dictionary wants one, and two or none


def written(changes):
    """Return the rules of a file."""
    lines = []
    for tag, kind, data, final in changes:
        name = {"set": "sequence" if tag == CODES else "static", "over": "sequence"}.get(kind, kind)
        options = {"replace": True} if tag == CODES and kind == "set" else {}
        options |= {"final": True} if final else {}
        lines.append(rule(tag, **{name: removable(tag, data) if kind == "remove" else data}, **options))
    return "\n".join(lines)


def removable(tag, data):
    """Return what names values or items."""
    if tag != CODES:
        return list(dict.fromkeys(data))
    return [code_only(one) for one in data]


@settings(max_examples=120)
@given(st.lists(operations(), min_size=1, max_size=4))
def test_any_chain_of_files_comes_to_what_a_model_says(files):
    with tempfile.TemporaryDirectory() as folder:
        path, expected, finals = None, {}, set()
        for number, changes in enumerate(files):
            extends = f'extends = ["./{path.name}"]' if path else ""
            path = Path(folder) / f"f{number}.toml"
            path.write_text(f"schema = 1\n{extends}\n[elements]\n{written(changes)}\n")
            expected = None if expected is None else after(expected, changes, finals)
        if expected is None:
            with pytest.raises(BlueprintError):
                load_blueprint(path)
            return
        blueprint = load_blueprint(path)
        assert {element_name(one) for one in blueprint if one.final} == finals
        assert {element_name(one): contents(one) for one in blueprint} == {
            tag: plain(tag, value) for tag, value in expected.items()
        }
        assert_same_flattened(path, folder)


def contents(element):
    if isinstance(element, SequenceElement):
        return [{element_name(one): one.value for one in item} for item in element.blueprints]
    if element.value in (None, ""):
        return []
    return element.value if isinstance(element.value, list) else [element.value]


def plain(tag, value):
    return [{name: data["static"] for name, data in one.items()} for one in value] if tag == CODES else value
