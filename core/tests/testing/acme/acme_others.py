"""Everything but readers: a good one of each kind, and the wrong ones."""

from __future__ import annotations

from dicomwright.plugins import (
    CodecSpec,
    ElementTypeSpec,
    EncoderSpec,
    ExecutorSpec,
    FunctionSpec,
    OptionSpec,
    RuleValue,
    SenderSpec,
    ValidatorSpec,
    hookimpl,
)

CLASS = "1.2.840.10008.5.1.4.1.1.4"
NEAR = OptionSpec(name="near", summary="how far", default="0")


@hookimpl
def dicomwright_element_types():
    value = RuleValue(summary="a text", example='{ upper = "brain" }')
    for name in ("upper", "wrong-value", "raises", "takes-all", "speechless"):
        target = f"acme_elements:{name.replace('-', '_')}"
        yield ElementTypeSpec(name=name, summary="a text in capitals", target=target, value=value)
    yield ElementTypeSpec(name="unstated", summary="a text in capitals", target="acme_elements:upper")


@hookimpl
def dicomwright_functions():
    for name in ("answer", "unsure", "faulty"):
        yield FunctionSpec(name=name, summary="the answer", target=f"acme_elements:{name}")
    yield FunctionSpec(name="number", summary="the number", target="acme_elements:number", level="instance")


@hookimpl
def dicomwright_encoders():
    for name in ("stack", "mirrored", "clips", "counts", "too-few-bits", "takes-anything"):
        target = f"acme_encoders:{name.replace('-', '_')}"
        spec = {"name": name, "summary": "images", "target": target, "options": (NEAR,)}
        yield EncoderSpec(**spec, payloads=("Volume",), sop_classes=(CLASS,))
    yield EncoderSpec(
        name="no-encoder", summary="images", target="acme_encoders:object", payloads=("Volume",)
    )
    spec = {"name": "other-class", "summary": "images", "target": "acme_encoders:stack", "options": (NEAR,)}
    yield EncoderSpec(**spec, payloads=("Volume",), sop_classes=("1.2.3",))


@hookimpl
def dicomwright_codecs():
    deflated = "1.2.840.10008.1.2.1.99"
    yield CodecSpec(
        name="other-syntax", summary="no", target="acme_encoders:Plain", uid="1.2.840.10008.1.2.2"
    )
    yield CodecSpec(name="no-codec", summary="none", target="acme_encoders:object", uid=deflated)
    spec = {"name": "takes-any-option", "summary": "all", "target": "acme_encoders:Plain", "uid": deflated}
    yield CodecSpec(**spec, options=(NEAR,))


@hookimpl
def dicomwright_validators():
    names = ("Suffixes", "Fussy", "Silent", "Brittle", "Untidy", "Odd", "Elsewhere", "NoValidator")
    for name in names:
        yield ValidatorSpec(name=name.lower(), summary="names of files", target=f"acme_validators:{name}")


@hookimpl
def dicomwright_senders():
    for name in ("Folder", "Forgetful", "Liar", "Sloppy", "Trusting", "Meddler", "Mover"):
        spec = {"name": name.lower(), "summary": "into a folder", "target": f"acme_senders:{name}"}
        yield SenderSpec(**spec, schemes=(name.lower(),))
    yield SenderSpec(name="unnamed", summary="into a folder", target="acme_senders:Folder")
    yield SenderSpec(name="no-sender", summary="none", target="acme_senders:object", schemes=("none",))


@hookimpl
def dicomwright_executors():
    yield ExecutorSpec(name="no-executor", summary="none", target="acme_senders:object")
    for name in ("Here", "Patient", "Vague"):
        yield ExecutorSpec(name=name.lower(), summary="calls", target=f"acme_executors:{name}")
