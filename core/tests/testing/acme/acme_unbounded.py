from dicomwright.plugins import ReaderSpec, hookimpl


@hookimpl
def dicomwright_readers():
    return [ReaderSpec(name="unbounded", summary="s", target="acme_readers:Good", extensions=(".x",))]
