"""What the node answers to browsers and to whoever watches it."""

from __future__ import annotations

import asyncio
from importlib import resources
from typing import TYPE_CHECKING

from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dicomwright_node.web.guard import Guard
from dicomwright_node.web.metrics import metrics_text
from dicomwright_node.web.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from dicomwright_node.config import NodeConfig
    from dicomwright_node.jobs import Scheduler
    from dicomwright_node.pipeline import AbstractPipeline
    from dicomwright_node.store import Store

__all__ = ["routes"]

_PICTURES_AT_ONCE = 2


class _Number(IntegerConvertor):
    """A number that the database can hold."""

    regex = "[0-9]{1,18}"


register_url_convertor("number", _Number())


def routes(
    store: Store,
    pipeline: type[AbstractPipeline],
    config: NodeConfig,
    scheduler: Scheduler,
    received: Callable[[], Mapping[str, int]] = dict,
) -> list[BaseRoute]:
    """Return the routes of health, metrics and pages.

    Parameters
    ----------
    store : Store
        The node's.
    pipeline : type of AbstractPipeline
        What it serves.
    config : NodeConfig
        ``[web]`` and ``[limits]``.
    scheduler : Scheduler
        Whose threads are to be alive.
    received : callable
        Returns the counts of `Intake`.

    """

    async def live(_: Request) -> Response:  # needs no thread, of which there may be none left
        return JSONResponse({"live": True})

    def ready(_: Request) -> Response:
        checks = _checks(store, config, scheduler)
        answer = {"ready": all(checks.values()), "checks": checks}
        return JSONResponse(answer, 200 if answer["ready"] else 503)

    def metrics(_: Request) -> Response:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return PlainTextResponse(metrics_text(store, scheduler, received()), media_type=kind)

    found: list[BaseRoute] = [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
    ]
    if config.web.enabled:
        found += _pages(store, pipeline, config, scheduler)
    return found


def _pages(
    store: Store, pipeline: type[AbstractPipeline], config: NodeConfig, scheduler: Scheduler
) -> list[BaseRoute]:
    guard = Guard(config.web, config.http.host)
    turns = asyncio.Semaphore(_PICTURES_AT_ONCE)
    pages = Pages(store, pipeline, config.web, scheduler, guard)
    style = resources.files(__package__).joinpath("templates/style.css").read_text(encoding="utf-8")
    return [
        Route("/", guard.protect(pages.jobs), methods=["GET"]),
        Route("/unwanted", guard.protect(pages.unwanted), methods=["GET"]),
        Route("/jobs/{job:number}", guard.protect(pages.job), methods=["GET"]),
        Route("/jobs/{job:number}/retry", guard.protect(pages.retry), methods=["POST"]),
        Route("/jobs/{job:number}/outputs/{output:number}.png", guard.protect(pages.output_picture, turns)),
        Route("/jobs/{job:number}/inputs/{index:number}.png", guard.protect(pages.input_picture, turns)),
        Route("/style.css", guard.protect(lambda _: Response(style, media_type="text/css"))),
    ]


def _checks(store: Store, config: NodeConfig, scheduler: Scheduler) -> dict[str, bool]:
    return {
        "scheduler": scheduler.healthy,
        "database": _answers(store),
        "disk": store.files.free() >= config.limits.min_free,
    }


def _answers(store: Store) -> bool:
    try:
        return bool(store.database.read("SELECT 1"))
    except Exception:  # noqa: BLE001  # a broken disk shows in many ways
        return False
