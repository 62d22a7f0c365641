"""What can be set while the simulator runs, and the profiles: settings that belong together, under a name."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from local.sendgrid_simulator.faults import WaitForm
from local.sendgrid_simulator.keys import ALL_SCOPES, CREATE, DELETE, READ, TODAYS_SCOPES, UPDATE

QUICK: Final = "quick"
REALISTIC: Final = "realistic"


class Configuration(BaseModel):
    """All settings. The defaults are the profile `quick`: answers at once, and limits that few will meet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str = QUICK
    """The profile that the settings are from, but for those that were changed since."""

    job_delay_seconds: float = Field(default=1, ge=0)
    """From the acceptance of an upsert to its effect."""
    job_status_lag_seconds: float = Field(default=0, ge=0)
    """From then until the job's status says so: it is pending with its counters filled meanwhile."""
    count_lag_seconds: float = Field(default=0, ge=0)
    """How old the counts of lists are."""
    upsert_job_type: str = "upsert"
    """The specification says "upsert"."""
    counters_from_the_start: bool = False
    """Whether a job that has done nothing yet tells how many contacts it is for."""
    zero_counters: bool = True
    """Whether a job tells counters that are zero."""

    latency_seconds: float = Field(default=0, ge=0)
    """Added to every answer."""
    latencies: dict[str, float] = Field(default_factory=dict)
    """Added to answers of these endpoints, such as "PUT /v3/marketing/contacts", instead."""

    rate_limit: int = Field(default=10_000, ge=0)
    """Requests per endpoint and window. SendGrid publishes no number for the marketing endpoints."""
    rate_limits: dict[str, int] = Field(default_factory=dict)
    """Those of these endpoints instead."""
    rate_window_seconds: float = Field(default=60, gt=0)
    windows_by_the_clock: bool = False
    """Whether windows begin with the clock's minutes, and not with an endpoint's first request."""
    reset_form: WaitForm = WaitForm.EPOCH
    retry_after_form: WaitForm | None = None
    """The form of Retry-After on a 429; none leaves it out, as SendGrid's documentation does."""

    edge_406_share: float = Field(default=0, ge=0, le=1)
    """How many of the requests get a page with 406 from the edge, whatever they accept, and have no effect."""
    key_scopes: tuple[str, ...] = ALL_SCOPES
    """What a new key may do, unless it is said."""
    scopes_instead: dict[str, str] = Field(default_factory=dict)
    """Scope → the one that a key needs in its place."""

    export_delay_seconds: float = Field(default=1, ge=0)
    """From the acceptance of an export to its end."""
    export_file_contacts: int = Field(default=1_000_000, ge=1)
    """The most contacts in a file of an export, whatever size of files was asked for."""
    uncompressed_share: float = Field(default=0, ge=0, le=1)
    """How many of the exports are not compressed, though their files are named .gz."""

    public_url: str = "https://api.sendgrid.com"
    """The address that links in answers begin with."""

    def latency_of(self, endpoint: str) -> float:
        """Gives the seconds added to an endpoint's answers."""
        return self.latencies.get(endpoint, self.latency_seconds)

    def limit_of(self, endpoint: str) -> int:
        """Gives an endpoint's requests per window."""
        return self.rate_limits.get(endpoint, self.rate_limit)

    def title(self) -> str:
        """Names the profile, and what was changed since."""
        given = PROFILES[self.profile].model_dump()
        changed = [f"{name}={value}" for name, value in self.model_dump().items() if value != given[name]]
        return f"{self.profile}, but {', '.join(changed)}" if changed else self.profile


CONTACTS: Final = "/v3/marketing/contacts"
LISTS: Final = "/v3/marketing/lists"

PROFILES: Final = {
    QUICK: Configuration(),
    REALISTIC: Configuration(
        profile=REALISTIC,
        job_delay_seconds=30,
        job_status_lag_seconds=5,
        upsert_job_type="upsert_contacts",
        counters_from_the_start=True,
        zero_counters=False,
        latencies={
            f"PUT {CONTACTS}": 0.52,
            f"POST {CONTACTS}/search": 0.17,
            f"POST {CONTACTS}/search/emails": 0.17,
            f"GET {LISTS}": 0.12,
            f"DELETE {LISTS}/{{id}}/contacts": 0.78,
        },
        rate_limit=600,
        rate_limits={
            f"PUT {CONTACTS}": 200,
            f"DELETE {CONTACTS}": 200,
            f"POST {CONTACTS}/search": 200,
            "POST /v3/recipients/erasejob": 100,
        },
        windows_by_the_clock=True,
        reset_form=WaitForm.SECONDS,
        edge_406_share=0.01,
        key_scopes=TODAYS_SCOPES,
        scopes_instead=dict.fromkeys((CREATE, UPDATE, DELETE), READ),
        export_delay_seconds=30,
        uncompressed_share=0.2,
    ),
}
"""`realistic` is what was recorded from the live API in 2021 and 2026: the limits of the endpoints named and the
600 of lists and field definitions, the times, the words of jobs, the form of the reset, the scopes. Our choice is
what has no recording: 600 for all other endpoints, the lag, how long an export takes, and both shares."""


def changed(current: Configuration, changes: dict[str, Any]) -> Configuration:
    """Changes some settings; a `profile` among them comes first and changes all others.

    Raises pydantic.ValidationError for unknown settings and bad values, ValueError for an unknown profile.
    """
    name = changes.get("profile", current.profile)
    if name not in PROFILES:
        raise ValueError(f"there is no profile {name}; there are {', '.join(PROFILES)}")
    base = PROFILES[name] if "profile" in changes else current
    return Configuration.model_validate(base.model_dump() | changes)
