"""What to do next, for every reason a run can end with; docs/operations.md says more about each."""

from __future__ import annotations

from typing import Final

ADVICE: Final = {
    "done": "Nothing to do.",
    "unchanged": "Nothing to do; start a run with force to send everything again.",
    "cancelled": "Nothing to do; retry the run to send what is left of it.",
    "extract_empty": "Check the segment in the source if it should have members.",
    "overlap": "Nothing to do; give the export more time between runs, or let runs wait for each other.",
    "too_many_contacts": "Raise the export's max_contacts if this many are meant to be sent.",
    "extract_missing": "Check the segment's name, EXTRACT_CONTAINER, EXTRACT_PREFIX, and that it is delivered.",
    "extract_unreadable": "Correct the named file, or declare in the export's source how it is written.",
    "extract_too_large": "Split the segment, or deliver it in more and smaller files.",
    "extract_unsupported": "Deliver the segment as CSV, JSON lines or Parquet files.",
    "column_missing": "Correct the export's mapping, or have the source deliver the column.",
    "column_ambiguous": "Write the column's name in the mapping exactly as the extract does.",
    "no_valid_contact": "Check which column the mapping's email names; the rejected rows say what is wrong.",
    "consent_missing": "Have an administrator give the consent on the connection.",
    "connection_missing": "Choose an existing connection in the export.",
    "export_missing": "Nothing to do: the export was deleted.",
    "secret_missing": "Store the API key in Key Vault under the connection's secret_name.",
    "secret_empty": "Store the API key in Key Vault under the connection's secret_name.",
    "secret_forbidden": "Give the app's identity Key Vault Secrets User on the secret, and enable the secret.",
    "storage_forbidden": "Give the app's identity the role named in the message on the storage account.",
    "key_refused": "Create a new API key at SendGrid and store it as a new version of the secret.",
    "scope_missing": "Give the API key full access to Marketing at SendGrid.",
    "account_blocked": "Wait, then ask SendGrid's support why the account is blocked.",
    "contact_limit": "Raise SendGrid's plan or remove contacts there, then retry the run.",
    "list_missing": "Correct the export's list_id.",
    "custom_field_missing": "Create the custom field at SendGrid, or take it out of the mapping.",
    "data_residency": "Set the connection's region to the account's, or use another account.",
    "unavailable": "Retry the run when SendGrid and the vault answer again.",
    "request_refused": "Read SendGrid's words; correct the data or the mapping, then retry the run.",
    "too_large": "Report this: a chunk should always fit.",
    "import_failed": "Retry the run; if it fails again, ask SendGrid's support with the job ids.",
    "unconfirmed": "Look at the list at SendGrid; start a run with force if contacts are missing.",
    "contacts_missing": "Look at the counts by reason, correct the data, then retry the run.",
    "chunks_gone": "Start a new run.",
    "internal_error": "Look at the app's log and at poison/, report what you find, then retry the run.",
}
