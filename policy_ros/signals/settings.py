"""How sound becomes a picture."""

from typing import Literal

from pydantic import Field, model_validator

from tiltbot_ros.settings import Settings


class FrontEndSettings(Settings):
    """How the sound of an episode becomes what a model looks at.

    The defaults are those of Gandhi et al., "Swoosh! Rattle! Thump!", section
    IV A: about 11 kHz, windows of 510, hops of 128, 64 x 64, [-5, 5]. The
    exact rate is 44,100 / 4, so that resampling is a decimation.
    """

    transform: str = Field(
        "log_stft", description="name of the transform (`TRANSFORMS` lists them)"
    )
    sample_rate_hz: int = Field(
        11_025, ge=1000, le=192_000, description="of the sound that is kept [Hz]"
    )
    window: int = Field(510, ge=16, le=8192, description="frames under the Hann window, even [1]")
    hop: int = Field(128, ge=1, le=8192, description="frames from one window to the next [1]")
    gain: float = Field(
        8.0,
        gt=0.0,
        le=1e6,
        description="what sound in units of full scale is multiplied by before the logarithm [1]",
    )
    frequencies: int = Field(
        64, ge=1, le=4096, description="rows of the picture; 0 Hz is row 0 [pixels]"
    )
    times: int = Field(64, ge=1, le=8192, description="columns of the picture [pixels]")
    resize: Literal["magnitude", "logarithm"] = Field(
        "magnitude",
        description="what is averaged over the area of a pixel: the magnitude, before the "
        "logarithm (as in the paper), or its logarithm",
    )
    floor: float = Field(
        -5.0, ge=-100.0, le=100.0, description="least value; what is lower is set to it [ln]"
    )
    ceiling: float = Field(
        5.0, ge=-100.0, le=100.0, description="greatest value; what is higher is set to it [ln]"
    )

    @model_validator(mode="after")
    def _check(self) -> "FrontEndSettings":
        if self.window % 2:
            raise ValueError(f"expected an even window, got {self.window}")
        if self.floor >= self.ceiling:
            raise ValueError(f"expected floor < ceiling, got {self.floor} and {self.ceiling}")
        if self.frequencies > self.window // 2 + 1:
            raise ValueError(
                f"expected frequencies of at most window / 2 + 1 = {self.window // 2 + 1}, "
                f"got {self.frequencies}"
            )
        return self
