"""The keys of a study file, as a pydantic model."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Steps = Annotated[list[object], Field(min_length=1)]


class StudyFile(BaseModel):
    """The contents of a study file; see ``accelsim.sweeps.study``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    hardware: str
    trace: str
    images: int = Field(default=1, ge=1)
    set: dict[str, object] = Field(default_factory=dict)
    vary: dict[str, Steps] = Field(default_factory=dict)
    linked: list[Annotated[dict[str, Steps], Field(min_length=1)]] = Field(default_factory=list)
