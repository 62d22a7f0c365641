"""From extracts to chunks: map, validate, drop duplicates, cut. Heavy: it brings DuckDB.

The way of a row::

    streams, csv_layout (extracts)     text of a file, and how its records are written
      → tables, sources                its columns, its formats, its sentinels
      → text_pieces                    pieces of whole lines; csv_records repairs a damaged one
      → planner, engine                pieces to DuckDB, outcomes back, every row accounted for once
        → query, fields, value_rules   the SQL of a piece: contact as a line of JSON, or why not
      → chunks                         lines to chunks that fit a request; rejections to parts
    plan                               the one call from outside
"""
