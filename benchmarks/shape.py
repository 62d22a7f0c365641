"""The reference extract: nine columns, about 113 bytes a row as CSV, the same bytes every time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS: Final = (
    "CustomerId",
    "FirstName",
    "LastName",
    "EMail",
    "Country",
    "State",
    "City",
    "PostalCode",
    "Score",
)
MAPPING: Final = {
    "email": "EMail",
    "first_name": "FirstName",
    "last_name": "LastName",
    "country": "Country",
    "state_province_region": "State",
    "city": "City",
    "postal_code": "PostalCode",
}
"""SendGrid field → column."""
CUSTOM_FIELDS: Final = {"customer_id": "CustomerId", "score": "Score"}
"""Custom field → column: the two columns that are left."""
FORMATS: Final = {
    "csv": "FORMAT csv, HEADER",
    "csv.gz": "FORMAT csv, HEADER, COMPRESSION gzip",
    "parquet": "FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 1_000_000",  # Spark's groups are 128 MB
}
"""Suffix → how DuckDB writes it."""

GIVEN: Final = (
    "Anna Erik Maria José Emma Łukasz Sofia Jürgen Laura Zoë David Renée Peter Åsa Noah Chloé "
    "Olivia Marek Julia Liam Ingrid Thảo Paul Ольга Karin Hugo Elena Tom Nina Omar Sara Kim"
)
FAMILY: Final = (
    "Smith Lindqvist García Müller Jones Kowalski Rossi Dubois Brown Jensen Novák Silva Martin Nguyễn Wilson "
    "O'Brien Hansen Visser Moreau Taylor Virtanen Popescu Clark Иванова Meyer Costa Lewis Öberg Walker "
    "Horvat Hall Sato"
)
PLACES: Final = (
    "Sweden/Skåne/Malmö/211 22;Germany/Bayern/München/80331;France/Bretagne/Rennes/35000;USA/Texas/Austin/73301;"
    "Spain/Madrid/Madrid/28001;Italy/Lazio/Roma/00118;UK/England/Leeds/LS1 1UR;USA/DC/Washington, D.C./20001;"
    "Norway/Oslo/Oslo/0150;Poland//Kraków/30-001;Canada/Ontario/Toronto/M4B 1B3;Brazil/SP/São Paulo/01000-000;"
    "Japan/Tokyo/東京/100-0001;Finland//Turku/20100;Ireland/Leinster/Dublin/D02;USA/Ohio/Columbus/43004"
)
DOMAINS: Final = "mail.example.com post.example.org people.example example.net"

ROWS: Final = """
WITH numbered AS (
    -- every 25th row is somebody who came before, in another spelling
    SELECT number, number % 25 = 24 AS again, CASE WHEN again THEN number // 2 ELSE number END AS person
    FROM range($rows) AS numbers(number)
),
drawn AS (
    SELECT *, (md5_number_lower(person::VARCHAR) >> 1)::BIGINT AS draw FROM numbered
),
made AS (
    SELECT *,
        $given[1 + draw % len($given)] AS given,
        $family[1 + (draw >> 8) % len($family)] AS family,
        $places[1 + (draw >> 16) % len($places)] AS place,
        $domains[1 + (draw >> 24) % len($domains)] AS domain
    FROM drawn
),
addressed AS (
    SELECT *, lower(regexp_replace(strip_accents(given), '[^a-zA-Z]', 'x', 'g')) AS latin,
        concat(latin, '.', person, '@', domain) AS address
    FROM made
)
SELECT
    md5(number::VARCHAR)::UUID::VARCHAR AS "CustomerId",
    CASE number % 100 WHEN 3 THEN given || ' "Bo"' WHEN 53 THEN given || ' ' ELSE given END AS "FirstName",
    family AS "LastName",
    CASE
        WHEN number % 200 = 7 THEN NULL
        WHEN number % 100 = 57 THEN replace(address, '@', ' at ')
        WHEN again THEN upper(address)
        ELSE address
    END AS "EMail",
    place[1] AS "Country",
    nullif(place[2], '') AS "State",
    CASE WHEN number % 500 = 11 THEN repeat(place[3] || '-', 20) ELSE place[3] END AS "City",
    place[4] AS "PostalCode",
    (draw >> 32) % 10_000 / 10_000 AS "Score"
FROM addressed
"""


def write_extract(path: Path, rows: int) -> None:
    """Write the extract in the format that the name of `path` tells.

    Of a hundred rows four are duplicates, two have no usable address, some have a value to quote, trim or cut.
    """
    lists = {
        "given": GIVEN.split(),
        "family": FAMILY.split(),
        "places": [place.split("/") for place in PLACES.split(";")],
        "domains": DOMAINS.split(),
    }
    options = FORMATS[path.name.partition(".")[2]]
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({ROWS}) TO '{path}' ({options})", {"rows": rows, **lists})
