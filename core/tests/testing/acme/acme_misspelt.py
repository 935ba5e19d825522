from dicomwright.plugins import hookimpl


@hookimpl
def dicomwright_reader():
    return []
