# The last packages that were published, kept in the container `packages` of the Functions host's account. deploy.sh
# reads this; it sets `group`, `python`, `here` and `root`, and has `say`, `fail` and `persist`.
# Storage is reached as whoever is signed in, never with a key of the account.
# shellcheck shell=bash
# shellcheck disable=SC2154 # deploy.sh sets them

readonly kept_container=packages

kept_blob() {
  local verb=$1
  shift
  # shellcheck disable=SC2086 # `metadata update` is two words
  az storage blob $verb --account-name "$host" --container-name "$kept_container" --auth-mode login "$@"
}

list_kept() {
  kept_blob list --include m --num-results '*' --query '[].{name: name, metadata: metadata}' --output json
}

# pick WHAT …: what infra/kept_packages.py says about those that are kept.
pick() { "$python" "$here/kept_packages.py" "$@" <<<"$kept_list"; }

# Whoever may deploy may give themselves this one right, on this one container; it takes minutes to be known.
grant_access() {
  local myself kind=User
  myself=$(find_myself) || return 1
  [ "$(az account show --query user.type --output tsv)" = user ] || kind=ServicePrincipal
  az role assignment create --role "Storage Blob Data Contributor" --assignee-object-id "$myself" \
    --assignee-principal-type "$kind" --output none --scope \
    "/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.Storage/storageAccounts/$host/blobServices/default/containers/$kept_container"
}

read_kept() { kept_list=$(list_kept); }

open_packages() {
  read_kept 2>/dev/null && return 0
  say "packages       you get the right to keep them in $host/$kept_container"
  if ! grant_access || ! persist read_kept; then
    fail "the container $kept_container of $host does not open: have somebody give you Storage Blob Data Contributor on it, or call from inside the private network; or keep packages yourself, and say --keep-no-package"
  fi
}

# What is about to be published, and the definitions as they are before.
keep_package() {
  local version facts
  if [ -n "$keep_no_package" ]; then
    say "packages       not kept, as told"
    return
  fi
  open_packages
  facts=$("$python" "$here/kept_packages.py" identify --file "$package") || exit 1
  version=${facts%% *} kept_sha=${facts##* }
  kept_name=$stamp-$version-${kept_sha:0:12}.zip
  persist kept_blob upload --name "$kept_name" --file "$package" --metadata "sha256=$kept_sha" --overwrite true \
    --no-progress --output none || fail "the package was not kept"
  if [ -n "$definitions" ]; then
    tar -czf "$definitions.tar.gz" -C "$definitions" .
    persist kept_blob upload --name "definitions/$stamp.tar.gz" --file "$definitions.tar.gz" --overwrite true \
      --no-progress --output none || fail "the definitions were not kept"
    rm -f "$definitions.tar.gz"
  fi
  say "packages       $kept_name is kept in $host/$kept_container"
}

# Only what was published counts among the five that stay.
note_published() {
  local name surplus
  [ -n "$kept_name" ] || return 0
  persist kept_blob "metadata update" --name "$kept_name" --output none \
    --metadata "sha256=$kept_sha" "published=$(date -u +%Y-%m-%dT%H:%M:%SZ)" || fail "what was published is not noted"
  persist read_kept || fail "the packages that are kept cannot be listed"
  surplus=$(pick surplus) || exit 1
  for name in $surplus; do
    kept_blob delete --name "$name" --output none || say "packages       $name is too many, and stays"
  done
}

# fetch_package [PACKAGE]: the one that is named, or the one before the newest that was published.
fetch_package() {
  local name sha chosen found
  chosen=$(pick choose ${1:+--name "$1"}) || exit 1
  read -r name sha <<<"$chosen"
  package=$root/.local/rollback.zip
  mkdir -p "$root/.local"
  rm -f "$package"
  kept_blob download --name "$name" --file "$package" --no-progress --output none || fail "$name cannot be read"
  found=$("$python" "$here/kept_packages.py" identify --file "$package") || exit 1
  [ "${found##* }" = "$sha" ] || fail "$name is not what was kept: its SHA-256 is ${found##* }, not $sha"
  say "rollback       to $name (SHA-256 $sha)"
}
