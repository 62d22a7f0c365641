CREATE TEMP TABLE piece AS
WITH source AS (
SELECT row_number() OVER () AS row, c0 AS email, NULL::VARCHAR AS customer_id, c1 AS "1 first_name", c2 AS "18 Score" FROM text
),
with_email AS (
SELECT source.*, lower(email) AS lowered
FROM source
),
classified AS (
SELECT *, strlen(email) = length(email) AND is_address(lowered) AS addressable,
strlen(coalesce("1 first_name", '')) <= 50 AS within_limits, concat_ws(' ', '', "1 first_name", '') AS joined_text, number_of(tidy("18 Score")) AS "value 18"
FROM with_email
),
normalised AS (
SELECT *,
CASE WHEN addressable THEN lowered ELSE lower_address(CASE WHEN strlen(email) = length(email) THEN tidy(email) ELSE bare(tidy(email)) END) END AS address,
within_limits AND strlen(to_json(joined_text)::VARCHAR) = strlen(joined_text) + 2 AND NOT contains(joined_text, '  ') AS needs_no_escaping
FROM classified
),
judged AS (
SELECT *, concat('{"email":"', address, if("1 first_name" IS NULL, '', '","first_name":"'), "1 first_name", '"', ',"custom_fields":{' || substr(nullif(concat(',"e1_N":' || "value 18" || ''), ''), 2) || '}', '}') AS plain_line, CASE
WHEN addressable THEN NULL
WHEN starts_with(email, 'token ') THEN substr(email, 7)
ELSE coalesce(nullif(address_verdict(address), 'international'), NULL,
address_verdict(address))
END AS verdict
FROM normalised
)
SELECT
row,
verdict,
key_of(address) AS key,
CASE WHEN needs_no_escaping THEN plain_line ELSE concat('{"email":"', address, '"', ',"first_name":' || to_json(nullif(rtrim(left(tidy("1 first_name"), 50)), '')), ',"custom_fields":{' || substr(nullif(concat(',"e1_N":' || "value 18" || ''), ''), 2) || '}', '}') END AS line,
CASE WHEN NOT within_limits OR "value 18" IS NULL THEN nullif(concat_ws(' ', CASE WHEN CASE WHEN strlen("1 first_name") > 50 THEN length(tidy("1 first_name")) > 50 END THEN 'first_name' END, CASE WHEN "value 18" IS NULL AND "18 Score" <> '' AND NOT tidy("18 Score") = '' THEN '?Score' END), '') END AS notes,
CASE WHEN verdict IS NOT NULL
THEN nullif(regexp_extract(trim(customer_id), '^[{(]?[0-9A-Za-z][\w.:-]{0,99}[)}]?$'), '') END AS customer_id,
CASE WHEN verdict IS NULL THEN NULL WHEN strlen(address) > length(address) THEN address END AS address
FROM judged
