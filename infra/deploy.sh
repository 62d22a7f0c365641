#!/usr/bin/env bash
# Deploys everything, and can be run again at any time: docs/deploy.md explains.
set -euo pipefail

# Nothing that is started from here needs the key, so nothing inherits it.
sendgrid_key=${SENDGRID_API_KEY:-}
unset SENDGRID_API_KEY

readonly deployment_name=sendgrid-segment-export
readonly customer_insights_application=0bfc4568-a4ba-4c58-bd3e-5d3e76bd7fff

usage() {
  cat <<'END'
Usage: infra/deploy.sh --resource-group NAME [options]

  --location REGION        where to create the resource group, if it does not exist yet
  --what-if                show what would change, and change nothing
  --yes                    do not ask before an existing deployment is changed

Parameters of infra/main.bicep stay as they were deployed before, but for
  --parameter KEY=VALUE    this one; may be given several times
  --parameters FILE        those in this file, such as --show-parameters writes
  --forget NAME            this one, which goes back to the template's default
  --secret NAME            a Key Vault secret the app may read; may be given several times, and then is all of them
  --customer-insights      Customer Insights of this tenant may write into the container of the extracts
  --entra                  callers need a token of an Entra app registration instead of a key
  --show-parameters        print the parameters that are deployed, and do nothing else

  --package FILE           deploy this package, not a newly built one
  --packages               list the packages that are kept, and do nothing else
  --rollback [PACKAGE]     put a package that is kept back, by its name or hash, and change nothing else;
                           without one, that before the newest
  --keep-no-package        do not keep the package for --rollback
  --without-export         do not export the definitions first
  --skip-app               infrastructure only
  --skip-smoke-test        do not call the app at the end

The SendGrid API key is taken from SENDGRID_API_KEY, or asked for when the vault has none yet.
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
stamp=$(date -u +%Y%m%dT%H%M%SZ)
mode=deploy group='' location='' package='' wanted_package='' yes='' entra='' customer_insights=''
without_export='' keep_no_package='' skip_app='' skip_smoke_test=''
secrets=() deciding=()
definitions='' kept_name='' registration='' prepared_registration='' extra=''

while [ $# -gt 0 ]; do
  case $1 in
    --resource-group | --location | --package | --parameter | --parameters | --forget | --secret)
      [ $# -gt 1 ] || {
        echo "deploy: $1 takes a value" >&2
        exit 2
      }
      ;;
    *) ;;
  esac
  case $1 in
    --resource-group) group=$2 && shift ;;
    --location) location=$2 && shift ;;
    --parameter) deciding+=(--set "$2") && shift ;;
    --parameters) deciding+=(--file "$2") && shift ;;
    --forget) deciding+=(--forget "$2") && shift ;;
    --secret) secrets+=("$2") && shift ;;
    --package) package=$2 && shift ;;
    --what-if) mode=what-if ;;
    --show-parameters) mode=show-parameters ;;
    --packages) mode=packages ;;
    --rollback)
      mode=rollback
      case ${2-} in
        '' | -*) ;;
        *) wanted_package=$2 && shift ;;
      esac
      ;;
    --yes) yes=yes ;;
    --customer-insights) customer_insights=yes ;;
    --entra) entra=yes ;;
    --without-export) without_export=yes ;;
    --keep-no-package) keep_no_package=yes ;;
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

# What --show-parameters and --packages print can be put into a file: all else is said aside.
case $mode in
  show-parameters | packages) exec 3>&2 ;;
  *) exec 3>&1 ;;
esac
say() { printf '%s\n' "$*" >&3; }
fail() {
  printf 'deploy: %s\n' "$*" >&2
  exit 1
}

# shellcheck source=infra/entra.sh
. "$here/entra.sh"
# shellcheck source=infra/registration.sh
. "$here/registration.sh"
# shellcheck source=infra/vault.sh
. "$here/vault.sh"
# shellcheck source=infra/app.sh
. "$here/app.sh"
# shellcheck source=infra/packages.sh
. "$here/packages.sh"

[ -n "$group" ] || fail "say which resource group: --resource-group NAME"
command -v az >/dev/null || fail "the Azure CLI is missing: https://learn.microsoft.com/cli/azure/install-azure-cli"
command -v curl >/dev/null || fail "curl is missing"
python=python3
[ ! -x "$root/.venv/bin/python" ] || python=$root/.venv/bin/python
if [ "$mode" = deploy ] && [ -z "$skip_app$package" ]; then
  "$python" -m pip --version >/dev/null 2>&1 || fail "$python with pip is missing: it builds the package"
fi
if [ -n "$package" ]; then
  "$python" "$here/kept_packages.py" identify --file "$package" >/dev/null || exit 1
fi
if [ ${#secrets[@]} -gt 0 ]; then
  names=$(printf '"%s",' "${secrets[@]}")
  deciding+=(--set "secretNames=[${names%,}]")
fi
"$python" "$here/parameters.py" check ${deciding[@]+"${deciding[@]}"} || exit 1
if [ "$mode" = rollback ] && [ -n "$package$location$entra$customer_insights$skip_app${deciding[*]-}" ]; then
  fail "--rollback puts a package back and changes nothing else; deploy without it for the rest"
fi
case $sendgrid_key in
  *[!A-Za-z0-9._-]*) fail "SENDGRID_API_KEY does not look like a SendGrid API key" ;;
  *) ;;
esac

sign_in() {
  subscription=$(az account show --query id --output tsv) || fail "sign in first: az login"
  say "subscription   $(az account show --query name --output tsv) ($subscription)"
}

prepare_group() {
  if [ "$(az group exists --name "$group")" = true ]; then
    say "resource group $group"
    return
  fi
  [ "$mode" = deploy ] || fail "there is no resource group $group: az group create --name $group --location REGION"
  [ -n "$location" ] || fail "there is no resource group $group; say where to create it: --location REGION"
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

# What was deployed last, as that deployment kept it; nothing when there was none. A question that fails fails this: no
# answer is not the answer that there was none.
read_deployed() {
  local name
  name=$(az deployment group list --resource-group "$group" --output tsv \
    --query "[?name=='$deployment_name'].name | [0]") || return 1
  [ -n "$(found "$name")" ] || return 0
  az deployment group show --resource-group "$group" --name "$deployment_name" --output json \
    --query properties.parameters.keptParameters.value
}

# What is closed to the internet now, whoever closed it.
find_closed() {
  az storage account list --resource-group "$group" --output tsv --query \
    "[?tags.application=='sendgrid-segment-export' && publicNetworkAccess=='Disabled'].name" || return 1
  az keyvault list --resource-type vault --resource-group "$group" --output tsv --query \
    "[?tags.application=='sendgrid-segment-export' && properties.publicNetworkAccess=='Disabled'].name"
}

# Object ID in this tenant of Dynamics 365 AI for Customer Insights, Microsoft's own application.
find_customer_insights() {
  local principal
  principal=$(az ad sp list --filter "appId eq '$customer_insights_application'" --query '[0].id' --output tsv) ||
    fail "Entra does not tell whether Customer Insights is in this tenant"
  principal=$(found "$principal")
  [ -n "$principal" ] || fail \
    "Customer Insights is not in this tenant yet: an administrator adds it by az ad sp create --id $customer_insights_application, or signs in to Customer Insights, which does so"
  printf '%s\n' "$principal"
}

# The parameters to deploy with, in `kept`, and what changes in them.
decide_parameters() {
  local word user decided principal
  if [ -n "$customer_insights" ]; then
    principal=$(find_customer_insights) || exit 1
    deciding+=(--set "customerInsightsPrincipalId=$principal")
  fi
  # Whoever deploys first is told of alerts, unless somebody was named.
  user=$(az account show --query "user.type=='user' && user.name || ''" --output tsv)
  [ -z "$user" ] || deciding+=(--first "alertEmails=[\"$user\"]")
  [ -z "$closed" ] || deciding+=(--closed)
  [ -z "$app_id" ] || deciding+=(--there)
  decided=$("$python" "$here/parameters.py" decide ${deciding[@]+"${deciding[@]}"} \
    <<<"$deployed") || exit 1
  kept=${decided%%$'\n'*}
  say "${decided#*$'\n'}"
  secrets=()
  while read -r word; do
    [ -z "$word" ] || secrets+=("$word")
  done < <("$python" "$here/parameters.py" list --name secretNames <<<"$kept")
  [ ${#secrets[@]} -gt 0 ] || fail "the app needs a secret: --secret NAME"
}

confirm() {
  local answer
  [ -z "$yes" ] || return 0
  [ -t 0 ] || fail "say --yes to go on without being asked; nothing was changed"
  read -r -p "Go on? [y/N] " answer
  case $answer in
    [yY] | [yY][eE][sS]) ;;
    *) fail "nothing was changed" ;;
  esac
}

# A budget's first day cannot change afterwards, so that of an earlier deployment is kept.
find_budget_start() {
  az rest --method get --output tsv \
    --url "/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.Consumption/budgets?api-version=2026-06-01" \
    --query "value[?ends_with(name, '-monthly')].properties.timePeriod.startDate | [0]" 2>/dev/null || true
}

# add NAME JSON: a parameter that is not kept, because it is found out each time.
add() { extra="$extra, \"$1\": {\"value\": $2}"; }

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

# All parameters as a file of parameters, and the key when there is one: it goes through a pipe only, so that nothing of
# it can be left behind.
all_parameters() {
  local key=''
  [ -z "$sendgrid_key" ] || key=", \"sendGridApiKey\": {\"value\": \"$sendgrid_key\"}"
  printf '{"parameters": {%s%s%s}}\n' "${kept:1:${#kept}-2}" "$extra" "$key"
}

deployment() {
  local verb=$1
  shift
  all_parameters | az deployment group "$verb" --resource-group "$group" --name "$deployment_name" \
    --template-file "$here/main.bicep" --parameters @/dev/stdin "$@"
}

output() {
  az deployment group show --resource-group "$group" --name "$deployment_name" \
    --query "properties.outputs.$1.value" --output tsv
}

build_package() {
  [ -n "$package" ] || package=$("$python" "$here/package.py" --root "$root")
  say "package        $package ($(wc -c <"$package" | tr -d ' ') bytes)"
}

# Not config-zip: that has Azure install the requirements of a Python app anew, whatever --build-remote says.
publish() {
  keep_package
  persist az functionapp deploy --resource-group "$group" --name "$app" --src-path "$package" --type zip \
    --timeout 600000 --output none || fail "the package was refused"
  say "published      $app"
  note_published
  [ -n "$entra" ] || prepare_admin_key
  [ -n "$skip_smoke_test" ] || smoke_test
}

find_what_is_there() {
  app_id=$(find_app) || fail "Azure does not tell which apps there are in $group"
  deployed=$(read_deployed) || fail "Azure does not tell what was deployed in $group"
}

roll_back() {
  [ -n "$app_id" ] || fail "there is no app in $group"
  read_app "$app_id"
  open_packages
  fetch_package "$wanted_package"
  confirm
  read_registration
  [ -z "$registration" ] || entra=yes
  export_definitions
  publish
  say "done           $url"
}

list_packages() {
  [ -n "$app_id" ] || fail "there is no app in $group"
  read_app "$app_id"
  open_packages
  pick table
}

preview() {
  prepare_secrets
  read_registration
  if [ -n "$entra" ]; then prepare_entra; else keep_entra; fi
  deployment what-if
}

deploy() {
  prepare_secrets
  [ -z "$app_id$deployed" ] || confirm
  [ -n "$skip_app" ] || build_package
  read_registration
  if [ -n "$app_id" ]; then
    read_app "$app_id"
    export_definitions
  fi
  register_providers
  if [ -n "$entra" ]; then prepare_entra; else keep_entra; fi
  say "deploying      infra/main.bicep, about 5 minutes"
  deployment create --output none
  app=$(output functionAppName)
  url=$(output functionAppUrl)
  host=$(output hostStorageAccount)
  [ -z "$prepared_registration" ] || persist let_console_sign_in ||
    fail "the console was not named in the app registration $prepared_registration"
  say "key vault      $(output keyVaultName)"
  say "data           $(output dataStorageAccount)"
  say "app            $app"
  [ -n "$skip_app" ] || publish
  say "done           $url"
}

sign_in
prepare_group
find_what_is_there
case $mode in
  show-parameters) "$python" "$here/parameters.py" show <<<"$deployed" ;;
  packages) list_packages ;;
  rollback) roll_back ;;
  *)
    closed=$(find_closed) || fail "Azure does not tell what is closed to the internet in $group"
    start=$(find_budget_start)
    [ -z "$start" ] || add budgetStartDate "\"${start%%T*}\""
    decide_parameters
    if [ "$mode" = what-if ]; then preview; else deploy; fi
    ;;
esac
