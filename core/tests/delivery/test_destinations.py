"""Which sender serves a destination, and what is said when none does."""

from __future__ import annotations

import pytest

from dicomwright.delivery.destinations import resolve_destinations
from dicomwright.errors import DeliveryError, PluginError


def refusal(*arguments, kind=PluginError):
    with pytest.raises(kind) as refused:
        resolve_destinations(*arguments)
    return str(refused.value)


def test_the_scheme_tells_the_sender(plugins, box):
    (one,) = resolve_destinations(["Box://A@B:1/"], {"colour": "blue"}, plugins(box=box))
    assert (one.url, one.key, one.name, one.provider) == (
        "Box://A@B:1/",
        "box://A@b:1",
        "box",
        "acme-box 1.0",
    )
    assert (one.sender, one.options) == (box, {"colour": "blue"})


def test_defaults_are_handed_over(plugins, box):
    (one,) = resolve_destinations(["box://a"], {}, plugins(box=box))
    assert one.options == {"colour": "red"}


@pytest.mark.parametrize(
    ("url", "sender"), [("dicom://A@h", "dicom"), ("dicom+tls://A@h", "dicom"), ("https://h", "dicomweb")]
)
def test_the_plugin_that_would_serve_it_is_named(plugins, url, sender):
    text = refusal([url], {}, plugins())
    assert f'yet: sender "{sender}" is not installed; python -m pip install dicomwright-node' in text


def test_nothing_serves_it(plugins, box):
    text = refusal(["ftp://h"], {}, plugins(box=box))
    assert text == "nothing that is installed sends to ftp:; installed senders: box (box)"
    assert refusal(["ftp://h"], {}, plugins()).endswith("installed senders: none")


def test_several_serve_it(plugins, box):
    both = plugins(box=box, boxes=box)
    assert refusal(["box://h"], {}, both) == (
        "box: is served by several senders: box (acme-box 1.0), boxes (acme-boxes 1.0); choose one: --sender box"
    )
    assert resolve_destinations(["box://h"], {}, both, "boxes")[0].name == "boxes"


def test_unknown_options(plugins, box):
    text = refusal(["box://h"], {"color": "red", "size": "3"}, plugins(box=box))
    assert 'sender "box" has no option "color"; did you mean colour? there are colour' in text
    assert 'sender "box" has no option "size"; there are colour' in text


def test_no_destination(plugins):
    assert "there is no destination" in refusal([], {}, plugins(), kind=DeliveryError)


def test_what_senders_refuse_is_collected(plugins, box, monkeypatch):
    def check(_, destination, __):
        raise DeliveryError(f"no {destination}")

    monkeypatch.setattr(type(box), "check", check)
    text = refusal(["box://a", "box://b"], {}, plugins(box=box), kind=DeliveryError)
    assert "no box://a" in text
    assert "no box://b" in text


def test_a_broken_sender_is_named(plugins, box, monkeypatch):
    class Broken:
        def __init__(self):
            raise ValueError("no luck")

    text = refusal(["box://a"], {}, plugins(box=Broken))
    assert text == 'sender "box" of acme-box 1.0 cannot be made: ValueError: no luck'
    assert "is no sender: it lacks send" in refusal(["box://a"], {}, plugins(box=object()))
    monkeypatch.setattr(type(box), "check", lambda *_: 1 / 0)
    assert "failed: ZeroDivisionError" in refusal(["box://a"], {}, plugins(box=box))


def test_a_class_is_made_and_needs_no_check(plugins):
    class Bare:
        def send(self, *_):
            return ()

    (one,) = resolve_destinations(["box://[::1]:104/a"], {}, plugins(box=Bare))
    assert isinstance(one.sender, Bare)
    assert one.key == "box://[::1]:104/a"
