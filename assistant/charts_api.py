"""`POST /api/charts.svg`: a chart block of an answer as a picture, for a download or a slide. tests/test_charts_api.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from tools.access import Caller
from tools.charts import svg

Who = Callable[[Request], Awaitable[Caller]]
Aside = Callable[..., Awaitable[Any]]
Text = Annotated[str, Field(max_length=300)]
#: A picture holds no script, and the browser is told to run none in it.
_HEADERS = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'", "cache-control": "no-store",
            "content-disposition": 'inline; filename="chart.svg"'}  # fmt: skip


class Axis(BaseModel):
    label: Text = ""
    values: list[Text] = Field(max_length=2000)


class SeriesIn(BaseModel):
    name: Text = ""
    unit: Text = ""
    values: list[float | None] = Field(max_length=2000)


class LimitIn(BaseModel):
    label: Text = ""
    value: float


class ChartIn(BaseModel):
    """A chart block as answers carry it; members that a picture does not need (marker, type) may stay."""

    kind: Literal["line", "bar", "pareto"]
    title: Text = ""
    x: Axis
    series: list[SeriesIn] = Field(max_length=12)
    limits: list[LimitIn] = Field(default=[], max_length=12)


def add(app: FastAPI, who: Who, aside: Aside) -> None:
    """Put the route of pictures on the application."""

    async def picture(
        request: Request,
        body: ChartIn,
        width: Annotated[int, Query(ge=240, le=2400)] = 720,
        height: Annotated[int, Query(ge=180, le=1600)] = 340,
    ) -> Response:
        """The chart as SVG, drawn from the block alone."""
        await who(request)
        return Response(await aside(svg, body.model_dump(), width, height), media_type="image/svg+xml", headers=_HEADERS)

    app.add_api_route("/api/charts.svg", picture, methods=["POST"], name="chart_picture", response_model=None)
