"""From blob storage to text: which files are the extract of a segment, and what is written in them.

`discovery` and `model_json` find the files; `streams` decodes them; `csv_layout` and `csv_records` read CSV.
"""
