"""Which pods an exchanged image concerns."""

from typing import Any

from acme_local import imports


def pod(name: str, *images: str, init: tuple[str, ...] = ()) -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [{"image": image} for image in images]}
    if init:
        spec["initContainers"] = [{"image": image} for image in init]
    return {"metadata": {"namespace": "shop", "name": name}, "spec": spec}


def test_pods_of_a_changed_image_are_found_in_any_container_and_others_are_not() -> None:
    pods = [
        pod("one", "a:dev"),
        pod("two", "b:dev", "a:dev"),
        pod("three", "b:dev", init=("a:dev",)),
        pod("four", "b:dev"),
    ]

    assert imports.users(pods, ["a:dev"]) == [("shop", "one"), ("shop", "two"), ("shop", "three")]
