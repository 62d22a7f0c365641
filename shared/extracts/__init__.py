"""From blob storage to text: which files are the extract of a segment, and what is written in them.

`discovery` tries three ways to find the files: `declared_layout`, `listed_layout` (by `model_json`) and
`found_layout`, which reads `folders` and `names` as `versions` and `parts`; each gives an `extract`. `streams`
decodes files, `encodings` says which encodings would fit, `csv_layout` and `csv_records` read CSV.
"""
