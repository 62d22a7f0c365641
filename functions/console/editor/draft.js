// An export as it is being written: what is sent back to the app, and how it begins.

// Fields of SendGrid that Customer Insights offers, then the others that a mapping may feed.
export const FIRST_FIELDS = [
  "email",
  "first_name",
  "last_name",
  "country",
  "state_province_region",
  "city",
  "postal_code",
];
export const MORE_FIELDS = [
  "address_line_1",
  "address_line_2",
  "phone_number",
  "whatsapp",
  "line",
  "facebook",
  "unique_name",
  "phone_number_id",
  "external_id",
  "anonymous_id",
];

// Of a new export; what is not named here has the app's own default.
export const blank = () => ({
  name: "",
  connection: "",
  list_id: "",
  segments: [],
  mapping: { email: "", custom_fields: {}, alternate_emails: [], over_long: {}, unusable: {} },
  changes: "changed",
  resend_every: 30,
  leavers: "keep",
  after_missing_runs: 1,
  max_removals: { share: 0.1, number: null },
  max_contacts: 100_000,
  schedule: { kind: "refresh" },
  source: { settle: "PT2M" },
  overlap: "wait",
});

const CUSTOM = /^custom_fields\.(.+)$/;

// A field is named as in the mapping; a custom one `custom_fields.<name>`.
export function columnOf(mapping, field) {
  const custom = CUSTOM.exec(field)?.[1];
  return (custom === undefined ? mapping[field] : mapping.custom_fields[custom]) ?? "";
}

const without = (found, name) => Object.fromEntries(Object.entries(found).filter(([each]) => each !== name));

// The mapping with another column for a field; "" takes the field out, and what was said of its values with it.
export function withColumn(mapping, field, column) {
  const custom = CUSTOM.exec(field)?.[1];
  const name = custom ?? field;
  const rest = column
    ? {}
    : { over_long: without(mapping.over_long, name), unusable: without(mapping.unusable, name) };
  if (custom === undefined) return { ...mapping, ...rest, [field]: column || (field === "email" ? "" : null) };
  const others = without(mapping.custom_fields, custom);
  return { ...mapping, ...rest, custom_fields: column ? { ...others, [custom]: column } : others };
}

// The mapping with what becomes of values that do not fit: `what` is over_long or unusable.
export function withRule(mapping, what, name, rule) {
  const others = without(mapping[what], name);
  return { ...mapping, [what]: rule ? { ...others, [name]: rule } : others };
}

// Names of columns that mean the same, without blanks, hyphens and case.
const ALIASES = {
  email: ["email", "emailaddress", "emailaddress1", "primaryemail", "mail"],
  first_name: ["firstname", "givenname", "forename"],
  last_name: ["lastname", "surname", "familyname"],
  country: ["country", "countryregion", "addresscountry", "address1country"],
  state_province_region: ["state", "stateprovince", "province", "region", "address1stateorprovince"],
  city: ["city", "town", "addresscity", "address1city"],
  postal_code: ["postalcode", "postcode", "zip", "zipcode", "address1postalcode"],
  address_line_1: ["address", "address1", "street", "streetaddress", "address1line1"],
  address_line_2: ["address2", "address1line2"],
  phone_number: ["phone", "mobile", "mobilephone", "telephone", "telephone1"],
};

const plain = (name) => name.normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

// The mapping with a column of the same name for every field that has none yet; `words(field)` is a field's name here.
export function suggested(mapping, { columns, custom, words }) {
  const found = new Map(columns.map((column) => [plain(column), column]));
  const fields = [...FIRST_FIELDS, ...MORE_FIELDS];
  let result = mapping;
  for (const field of fields) {
    const names = [plain(field), plain(words(field)), ...(ALIASES[field] ?? [])];
    const name = names.find((each) => found.has(each));
    if (!columnOf(result, field) && name) result = withColumn(result, field, found.get(name));
  }
  for (const name of custom) {
    const column = found.get(plain(name));
    if (!columnOf(result, `custom_fields.${name}`) && column) {
      result = withColumn(result, `custom_fields.${name}`, column);
    }
  }
  return result;
}
