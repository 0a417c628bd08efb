"""The table of the control port fits the Api: each method is there, takes what is sent, and gives what is answered."""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints

import pytest

from itsjustintv_desktop.engine.api.api import Api
from itsjustintv_desktop.engine.control.address import ControlAddress
from itsjustintv_desktop.engine.control.client import ControlClient
from itsjustintv_desktop.engine.control.routes import ROUTES, Route


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.call)
def test_a_route_is_a_method_of_the_api(route: Route) -> None:
    area, _, name = route.call.partition(".")
    method: Any = getattr(get_type_hints(Api)[area], name)
    answer = get_type_hints(method)["return"]
    assert answer == (type(None) if route.answer is None else route.answer)
    parameters = inspect.signature(method).parameters
    assert set(route.parameters) <= set(parameters)
    missing = [each for each in parameters.values() if each.default is each.empty and each.name not in route.parameters]
    assert [each.name for each in missing] == ["self"]
    positional = [each.name for each in parameters.values() if each.kind is each.POSITIONAL_OR_KEYWORD][1:]
    by_place = [name for name in route.parameters if name in positional]
    assert by_place == positional[: len(by_place)], "the client gives them by place, too"


def test_the_client_has_every_method_and_no_other() -> None:
    client = ControlClient(ControlAddress(port=1, token="t", pid=1))
    for route in ROUTES:
        area, _, name = route.call.partition(".")
        assert callable(getattr(getattr(client, area), name))
    with pytest.raises(AttributeError):
        _ = client.deliveries.retry_all
