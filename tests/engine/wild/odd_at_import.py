"""A module that raises what nothing handles."""


class OddError(BaseException):
    """No Exception."""


raise OddError("at import")
