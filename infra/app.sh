# What deploy.sh does with the app that runs: its key, its definitions, and a smoke test. deploy.sh reads this; it sets
# `group`, `python`, `root`, `stamp`, `subscription`, `entra`, `registration` and `without_export`, and has `say`, `fail` and `persist`.
# shellcheck shell=bash
# shellcheck disable=SC2154 # deploy.sh sets them

# Sets `app`, `url` and `host`, the account with its packages, of the app with this resource ID.
read_app() {
  local facts package_store
  facts=$(az rest --method get --url "$1?api-version=2025-03-01" --output tsv --query \
    "[name, join('', ['https://', properties.defaultHostName]), properties.functionAppConfig.deployment.storage.value]") ||
    fail "Azure does not show the app $1"
  { read -r app && read -r url && read -r package_store; } <<<"$facts" || fail "the app $1 is not one of this template"
  host=${package_store#https://}
  host=${host%%.*}
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

is_admin_key() { [[ $function_key =~ ^admin\.[A-Za-z0-9_-]{32,}$ ]]; }

prepare_admin_key() {
  function_key=$(find_admin_key)
  ! is_admin_key || return 0
  function_key=admin.$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  persist set_admin_key || fail "the function key admin was not stored"
  say "function key   admin, made"
}

# Connections and exports as files, before anything is changed. What cannot be exported stops the upgrade.
export_definitions() {
  if [ -n "$without_export" ]; then
    say "definitions    not exported, as told"
    return
  fi
  definitions=$root/.local/definitions/$group/$stamp
  (cd "$root" && "$python" -c 'import tools.exports.command') 2>/dev/null ||
    fail "definitions are exported first, which needs make install; or say --without-export"
  if [ -n "$registration" ]; then export_with_token; else export_with_key; fi || fail \
    "the definitions were not exported, so nothing was changed; docs/deploy.md, \"Upgrade\", says why, or say --without-export"
  say "definitions    $(find "$definitions" -name '*.yaml' | wc -l | tr -d ' ') files in $definitions"
}

export_with_key() {
  function_key=$(find_admin_key) && is_admin_key || return 1
  (cd "$root" && SENDGRID_EXPORTS_URL=$url SENDGRID_EXPORTS_KEY=$function_key \
    "$python" -m tools.exports export "$definitions" >/dev/null)
}

export_with_token() {
  local token
  token=$(az account get-access-token --scope "api://$registration/.default" --query accessToken --output tsv) || return 1
  (cd "$root" && SENDGRID_EXPORTS_URL=$url SENDGRID_EXPORTS_TOKEN=$token \
    "$python" -m tools.exports export "$definitions" >/dev/null)
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
