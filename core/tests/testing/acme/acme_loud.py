print("loud")  # noqa: T201
