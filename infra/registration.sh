# Makes and keeps the Entra app registration that callers need a token of. deploy.sh reads this after entra.sh, which
# finds it; it sets `group`, `here`, `mode`, `python`, `subscription`, `deployed` and `url`, and has `say`, `fail`, `add`,
# `persist` and `output`.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # deploy.sh reads and sets them

# Makes a registration; prints its client ID. Straight from Graph: `az ad app create` would change one of that name.
register_app() {
  az rest --method post --url https://graph.microsoft.com/v1.0/applications --query appId --output tsv \
    --headers Content-Type=application/json \
    --body "{\"displayName\": \"sendgrid-segment-export-$group\", \"signInAudience\": \"AzureADMyOrg\"}"
}

configure_registration() {
  az ad app update --id "$1" --identifier-uris "api://$1" --app-roles "@$here/app-roles.json" \
    --requested-access-token-version 2 || return 1
  az ad sp show --id "$1" --output none 2>/dev/null || az ad sp create --id "$1" --output none || return 1
  # Only those who were given a role get a token.
  az ad sp update --id "$1" --set appRoleAssignmentRequired=true
}

# The app registration whose app roles callers have: the one that the app uses, or else a new one.
prepare_entra() {
  local client=$registration
  [ -n "$client" ] || client=$(find_recorded)
  if [ "$mode" = what-if ]; then
    [ -n "$client" ] || fail "there is no app registration yet; deploy once without --what-if"
  elif [ -n "$client" ]; then
    require_owner "$client"
  else
    client=$(register_app)
    say "app            sendgrid-segment-export-$group ($client), registered"
    az tag update --resource-id "/subscriptions/$subscription/resourceGroups/$group" --operation Merge \
      --tags "$record_tag=$client" --output none
  fi
  if [ "$mode" = deploy ]; then
    persist configure_registration "$client" || fail "the app registration $client was not set up"
  fi
  add entraClientId "\"$client\""
  prepared_registration=$client
}

# The console signs people in, and Entra sends them back to addresses that the registration names only. What else it
# names, such as a domain of your own, stays.
let_console_sign_in() {
  local object addresses
  object=$(az ad app show --id "$prepared_registration" --query id --output tsv) || return 1
  addresses=$(az ad app show --id "$prepared_registration" --query spa.redirectUris --output json) || return 1
  addresses=$("$python" -c 'import json, sys; print(json.dumps(sorted({*json.loads(sys.argv[1] or "[]"), sys.argv[2]})))' \
    "$addresses" "$url/console") || return 1
  az rest --method patch --url "https://graph.microsoft.com/v1.0/applications/$object" --output none \
    --headers Content-Type=application/json --body "{\"spa\": {\"redirectUris\": $addresses}}"
}

# Entra authentication that was switched on once stays on.
keep_entra() {
  [ -z "$registration" ] || { entra=yes && add entraClientId "\"$registration\""; }
}

# Whoever previews may see less than whoever deploys: not the app's settings.
read_registration() {
  if [ "$mode" != what-if ]; then
    registration=$(find_registration)
  elif [ -n "$deployed" ]; then
    registration=$(output entraClientId)
    registration=$(found "$registration")
  fi
}
