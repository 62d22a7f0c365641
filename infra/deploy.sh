#!/usr/bin/env bash
# Deploys everything, and can be run again at any time: docs/deploy.md explains.
set -euo pipefail

# Nothing that is started from here needs the key, so nothing inherits it.
sendgrid_key=${SENDGRID_API_KEY:-}
unset SENDGRID_API_KEY

usage() {
  cat <<'END'
Usage: infra/deploy.sh --resource-group NAME [options]

  --location REGION        where to create the resource group, if it does not exist yet
  --what-if                show what would change, and change nothing
  --parameter KEY=VALUE    a parameter of infra/main.bicep; may be given several times
  --secret NAME            a Key Vault secret the app may read; may be given several times
                           (default: sendgrid-api-key)
  --entra                  callers need a token of an Entra app registration instead of a key
  --package FILE           deploy this package, not a newly built one: one that was tested, or an old version
  --skip-app               infrastructure only
  --skip-smoke-test        do not call the app at the end

The SendGrid API key is taken from SENDGRID_API_KEY, or asked for when the vault has none yet.
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
group='' location='' package='' what_if='' entra='' skip_app='' skip_smoke_test='' registration=''
parameters=() secrets=()

while [ $# -gt 0 ]; do
  case $1 in
    --resource-group) group=$2 && shift ;;
    --location) location=$2 && shift ;;
    --parameter) parameters+=("$2") && shift ;;
    --secret) secrets+=("$2") && shift ;;
    --package) package=$2 && shift ;;
    --what-if) what_if=yes ;;
    --entra) entra=yes ;;
    --skip-app) skip_app=yes ;;
    --skip-smoke-test) skip_smoke_test=yes ;;
    -h | --help) usage && exit 0 ;;
    *)
      echo "deploy: unknown option $1" >&2
      usage >&2
      exit 2
      ;;
  esac
  shift
done

say() { printf '%s\n' "$*"; }
fail() {
  printf 'deploy: %s\n' "$*" >&2
  exit 1
}

# shellcheck source=infra/entra.sh
. "$here/entra.sh"

[ -n "$group" ] || fail "say which resource group: --resource-group NAME"
command -v az >/dev/null || fail "the Azure CLI is missing: https://learn.microsoft.com/cli/azure/install-azure-cli"
command -v curl >/dev/null || fail "curl is missing"
python=python3
[ ! -x "$root/.venv/bin/python" ] || python=$root/.venv/bin/python
if [ -z "$skip_app$package$what_if" ]; then
  "$python" -m pip --version >/dev/null 2>&1 || fail "$python with pip is missing: it builds the package"
fi
if [ -n "$package" ]; then
  [ -f "$package" ] || fail "there is no package $package"
  # The names of the files in a zip are not compressed.
  grep -q '\.python_packages/' "$package" ||
    fail "the package $package has no requirements inside; check its version out, and deploy that"
fi
case $sendgrid_key in
  *[!A-Za-z0-9._-]*) fail "SENDGRID_API_KEY does not look like a SendGrid API key" ;;
  *) ;;
esac
[ ${#secrets[@]} -gt 0 ] || secrets=(sendgrid-api-key)
for parameter in ${parameters[@]+"${parameters[@]}"}; do
  case $parameter in
    sendGridApiKey=*) fail "put the key into SENDGRID_API_KEY: a command line is seen by others" ;;
    *=*) ;;
    *) fail "--parameter takes KEY=VALUE, not $parameter" ;;
  esac
done

sign_in() {
  subscription=$(az account show --query id --output tsv) || fail "sign in first: az login"
  say "subscription   $(az account show --query name --output tsv) ($subscription)"
}

prepare_group() {
  if [ "$(az group exists --name "$group")" = true ]; then
    say "resource group $group"
    return
  fi
  [ -n "$location" ] || fail "there is no resource group $group; say where to create it: --location REGION"
  [ -z "$what_if" ] || fail "there is no resource group $group; what-if needs it: az group create --name $group --location $location"
  az group create --name "$group" --location "$location" --output none
  say "resource group $group, created in $location"
}

register_providers() {
  local provider
  for provider in Microsoft.App Microsoft.Web Microsoft.Storage Microsoft.KeyVault Microsoft.ManagedIdentity \
    Microsoft.OperationalInsights Microsoft.Insights Microsoft.Network Microsoft.EventGrid Microsoft.Consumption; do
    if [ "$(az provider show --namespace "$provider" --query registrationState --output tsv)" != Registered ]; then
      say "registering    $provider"
      az provider register --namespace "$provider" --wait
    fi
  done
}

# Name of the vault that this template made in this group; nothing when there is none.
find_vault() {
  az keyvault list --resource-type vault --resource-group "$group" \
    --query "[?tags.application=='sendgrid-segment-export'].name | [0]" --output tsv
}

find_deleted_vault() {
  az keyvault list-deleted --resource-type vault \
    --query "[?tags.application=='sendgrid-segment-export' && contains(properties.vaultId, '/resourceGroups/$group/')].name | [0]" \
    --output tsv 2>/dev/null || true
}

# Through Resource Manager, because the vault itself may be closed to this machine. Names only, never values.
list_secrets() {
  az rest --method get --query 'value[].name' --output tsv \
    --url "/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.KeyVault/vaults/$1/secrets?api-version=2026-02-01"
}

# A budget's first day cannot change afterwards, so that of an earlier deployment is kept.
find_budget_start() {
  az rest --method get --output tsv \
    --url "/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.Consumption/budgets?api-version=2026-06-01" \
    --query "value[?ends_with(name, '-monthly')].properties.timePeriod.startDate | [0]" 2>/dev/null || true
}

ask_for_key() {
  [ -t 0 ] || fail "the vault has no secret ${secrets[0]} yet: put the SendGrid API key into SENDGRID_API_KEY"
  read -r -s -p "SendGrid API key (not shown): " sendgrid_key
  printf '\n'
  case $sendgrid_key in
    '') fail "without a key the app can do nothing" ;;
    *[!A-Za-z0-9._-]*) fail "what was typed does not look like a SendGrid API key" ;;
    *) ;;
  esac
}

prepare_secrets() {
  local vault existing='' secret
  vault=$(find_vault)
  if [ -n "$vault" ]; then
    existing=$(list_secrets "$vault")
  elif [ -n "$(find_deleted_vault)" ]; then
    say "key vault      was deleted and comes back"
    parameters+=("recoverVault=true")
  fi
  for secret in "${secrets[@]}"; do
    if grep -qx "$secret" <<<"$existing"; then
      continue
    elif [ "$secret" != "${secrets[0]}" ]; then
      fail "the vault has no secret $secret: az keyvault secret set --vault-name ${vault:-VAULT} --name $secret --file /dev/stdin"
    elif [ -z "$sendgrid_key$what_if" ]; then
      ask_for_key
    fi
  done
}

# persist COMMAND …: until it succeeds, a few times; what was made just now is not known everywhere in Azure yet.
persist() {
  local tries=${DEPLOY_TRIES:-6}
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    say "again in ${DEPLOY_WAIT:-30} s"
    sleep "${DEPLOY_WAIT:-30}"
  done
}

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
  local client
  client=$(find_registration)
  [ -n "$client" ] || client=$(find_recorded)
  if [ -n "$what_if" ]; then
    [ -n "$client" ] || fail "there is no app registration yet; deploy once without --what-if"
  elif [ -n "$client" ]; then
    require_owner "$client"
  else
    client=$(register_app)
    say "app            sendgrid-segment-export-$group ($client), registered"
    az tag update --resource-id "/subscriptions/$subscription/resourceGroups/$group" --operation Merge \
      --tags "$record_tag=$client" --output none
  fi
  if [ -z "$what_if" ]; then
    persist configure_registration "$client" || fail "the app registration $client was not set up"
  fi
  parameters+=("entraClientId=$client")
  registration=$client
}

# The console signs people in, and Entra sends them back to addresses that the registration names only. What else it
# names, such as a domain of your own, stays.
let_console_sign_in() {
  local object addresses
  object=$(az ad app show --id "$registration" --query id --output tsv) || return 1
  addresses=$(az ad app show --id "$registration" --query spa.redirectUris --output json) || return 1
  addresses=$("$python" -c 'import json, sys; print(json.dumps(sorted({*json.loads(sys.argv[1] or "[]"), sys.argv[2]})))' \
    "$addresses" "$url/console") || return 1
  az rest --method patch --url "https://graph.microsoft.com/v1.0/applications/$object" --output none \
    --headers Content-Type=application/json --body "{\"spa\": {\"redirectUris\": $addresses}}"
}

# Entra authentication that was switched on once stays on.
keep_entra() {
  local client
  client=$(find_registration)
  [ -z "$client" ] || { entra=yes && parameters+=("entraClientId=$client"); }
}

find_parameters() {
  local start user
  start=$(find_budget_start)
  [ -z "$start" ] || parameters+=("budgetStartDate=${start%%T*}")
  user=$(az account show --query "user.type=='user' && user.name || ''" --output tsv)
  # Whoever deploys is told of alerts, unless somebody was named.
  case " ${parameters[*]-} " in
    *" alertEmails="*) return ;;
    *) ;;
  esac
  if [ -n "$user" ] && grep -q '"alertEmails": { "value": \[\] }' "$here/main.parameters.json"; then
    parameters+=("alertEmails=[\"$user\"]")
  fi
}

# The names of the secrets, and the key when there is one, as a parameters file: it goes through a pipe only, so that
# nothing of it can be left behind.
private_parameters() {
  local names key=''
  names=$(printf '"%s",' "${secrets[@]}")
  [ -z "$sendgrid_key" ] || key=", \"sendGridApiKey\": {\"value\": \"$sendgrid_key\"}"
  printf '{"parameters": {"secretNames": {"value": [%s]}%s}}\n' "${names%,}" "$key"
}

deployment() {
  local verb=$1
  shift
  private_parameters | az deployment group "$verb" --resource-group "$group" --name sendgrid-segment-export \
    --template-file "$here/main.bicep" --parameters "@$here/main.parameters.json" --parameters @/dev/stdin \
    ${parameters[@]+--parameters "${parameters[@]}"} "$@"
}

output() {
  az deployment group show --resource-group "$group" --name sendgrid-segment-export \
    --query "properties.outputs.$1.value" --output tsv
}

build_package() {
  [ -n "$package" ] || package=$("$python" "$here/package.py" --root "$root")
  say "package        $package ($(wc -c <"$package" | tr -d ' ') bytes)"
}

# Not config-zip: that has Azure install the requirements of a Python app anew, whatever --build-remote says.
publish() {
  persist az functionapp deploy --resource-group "$group" --name "$app" --src-path "$package" --type zip \
    --timeout 600000 --output none || fail "the package was refused"
  say "published      $app"
}

# The key named `admin`. The host checks a key's value, the app reads the name in front of the dot as the caller; any
# other value opens nothing, so it is replaced.
find_admin_key() {
  az functionapp keys list --resource-group "$group" --name "$app" --query functionKeys.admin --output tsv
}

set_admin_key() {
  printf '{"properties": {"name": "admin", "value": "%s"}}\n' "$function_key" |
    az rest --method put --body @/dev/stdin --output none --url \
      "/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.Web/sites/$app/host/default/functionKeys/admin?api-version=2025-03-01"
}

prepare_admin_key() {
  function_key=$(find_admin_key)
  [[ ! $function_key =~ ^admin\.[A-Za-z0-9_-]{32,}$ ]] || return 0
  function_key=admin.$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  persist set_admin_key || fail "the function key admin was not stored"
  say "function key   admin, made"
}

# call METHOD PATH [BODY] [CURL OPTION …]: the answer of the app, with its key, which no process list shows.
call() {
  local method=$1 path=$2 body=${3-}
  shift $(($# < 3 ? $# : 3))
  printf 'header = "x-functions-key: %s"\nheader = "Content-Type: application/json"\n' "$function_key" |
    curl --config - --silent --show-error --max-time 230 --request "$method" --data "$body" "$@" "$url$path"
}

# A new key takes moments to be known to every instance.
list() {
  call GET "$1" '' --fail --retry "${DEPLOY_TRIES:-12}" --retry-delay "${DEPLOY_WAIT:-10}" --retry-all-errors |
    ids "${1##*/}"
}

# try WHAT ID PATH [BODY]: ask the app to try something that changes nothing.
try() {
  local answer
  answer=$(call POST "$3" "${4-}" --write-out '\n%{http_code}') || fail "$1 $2: no answer"
  case ${answer##*$'\n'} in
    2*) say "  $1 $2 ok" ;;
    404) say "  $1 $2 skipped: this version of the app cannot try it" ;;
    *)
      printf '%s\n' "${answer%$'\n'*}" >&2
      fail "$1 $2: answer ${answer##*$'\n'}"
      ;;
  esac
}

# ids NAME: the `id`s in {"NAME": [{"id": …}]} on standard input.
ids() { "$python" -c 'import json, sys; print(*(each["id"] for each in json.load(sys.stdin)[sys.argv[1]]), sep="\n")' "$1"; }

smoke_test() {
  local connection connections first exports status
  say "smoke test     $url"
  if ! curl --silent --show-error --fail --retry "${DEPLOY_TRIES:-12}" --retry-delay "${DEPLOY_WAIT:-10}" \
    --retry-all-errors --max-time 60 --output /dev/null "$url/api/health"; then
    status=$(curl --silent --max-time 60 --output /dev/null --write-out '%{http_code}' "$url/api/health") || true
    fail "the app is not healthy (answer $status; 404 means that it did not load, which its log explains)"
  fi
  say "  health       ok"
  if [ -n "$entra" ]; then
    say "  the rest     skipped: callers need a token; docs/deploy.md shows how to get one"
    return
  fi
  connections=$(list /api/connections) || fail "the app does not list its connections"
  exports=$(list /api/exports) || fail "the app does not list its exports"
  for connection in $connections; do
    try "connection  " "$connection" "/api/connections/$connection/check"
  done
  [ -n "$connections" ] || say "  connection   none yet: docs/deploy.md, \"The first export\""
  # Plans the first rows of one export; sends nothing and keeps nothing.
  first=${exports%%$'\n'*}
  if [ -n "$first" ]; then
    try "preview     " "$first" "/api/exports/$first/preview" '{"rows": 100}'
  else
    say "  preview      no export yet"
  fi
}

sign_in
prepare_group
[ -n "$what_if" ] || register_providers
prepare_secrets
if [ -n "$entra" ]; then prepare_entra; else keep_entra; fi
find_parameters
if [ -n "$what_if" ]; then
  deployment what-if
  exit 0
fi
say "deploying      infra/main.bicep, about 5 minutes"
deployment create --output none
app=$(output functionAppName)
url=$(output functionAppUrl)
[ -z "$registration" ] || persist let_console_sign_in || fail "the console was not named in the app registration $registration"
say "key vault      $(output keyVaultName)"
say "data           $(output dataStorageAccount)"
say "app            $app"
if [ -z "$skip_app" ]; then
  build_package
  publish
  [ -n "$entra" ] || prepare_admin_key
  [ -n "$skip_smoke_test" ] || smoke_test
fi
say "done           $url"
