"""What a foreign error is called once it leaves: its class, and what storage says of it in numbers and codes."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import StorageErrorCode

from shared.adapters.error_boundary import error_boundary
from shared.errors import DropGoneError, HrFileError, LeaseLostError, StepFailedError


def leaving(error: Exception) -> Exception:
    @error_boundary
    def a_step() -> None:
        raise error

    with pytest.raises(type(error) if isinstance(error, LeaseLostError) else StepFailedError) as raised:
        a_step()
    return raised.value


def answer(status: int | None, code: object) -> HttpResponseError:
    error = HttpResponseError("a secret")
    error.status_code, error.error_code = status, code
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyError("a secret"), "KeyError. "),
        (answer(403, StorageErrorCode.AUTHORIZATION_FAILURE), "HttpResponseError (status 403, AuthorizationFailure). "),
        (answer(404, "BlobNotFound"), "HttpResponseError (status 404, BlobNotFound). "),
        (answer(502, None), "HttpResponseError (status 502). "),
        (answer(None, None), "HttpResponseError. "),
        (answer(502, "a page: <p>a secret"), "HttpResponseError (status 502). "),
        (HrFileError("emptyFile", "The sheet a secret is empty.", "Export it again."), "HrFileError. "),
    ],
)
def test_a_foreign_error_is_named_by_class_status_and_code(error, kind):
    text = str(leaving(error))
    assert text.startswith(f"a_step stopped at an error that is not its own: {kind}")
    assert "secret" not in text


def test_an_own_error_is_the_same_one_outside():
    lost = LeaseLostError("the lease is gone")
    assert leaving(lost) is lost


def test_what_a_step_returns_is_returned():
    assert error_boundary(lambda one, *, two: (one, two))(1, two=2) == (1, 2)


def test_a_boundary_within_another_says_where_it_began():
    @error_boundary
    def outer() -> None:
        leave = error_boundary(inner)
        leave()

    def inner() -> None:
        raise ValueError("a secret")

    with pytest.raises(StepFailedError, match=r"^inner stopped") as raised:
        outer()
    assert raised.value.__context__ is None


def test_what_an_own_error_came_from_does_not_leave_with_it():
    @error_boundary
    def a_step() -> None:
        try:
            raise KeyError("a secret")
        except KeyError as error:
            raise DropGoneError("the drop is gone") from error

    with pytest.raises(DropGoneError) as raised:
        a_step()
    assert raised.value.__cause__ is raised.value.__context__ is None
