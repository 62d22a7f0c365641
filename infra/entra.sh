# Which Entra app registration a deployment uses. deploy.sh and destroy.sh read this; they set `group` and `python`, and
# have `fail`.
# A registration is never found by its display name: anybody in a tenant may give the same one to another.
# shellcheck shell=bash
# shellcheck disable=SC2154 # they set them

readonly record_tag=sendgrid-segment-export-entra

# ID of the app that the template made in this group; nothing when there is none.
find_app() {
  az functionapp list --resource-group "$group" \
    --query "[?tags.application=='sendgrid-segment-export'].id | [0]" --output tsv
}

# What a query found; nothing for az's ways to say that it found nothing.
found() {
  case $1 in
    '' | false | False | None) ;;
    *) printf '%s\n' "$1" ;;
  esac
}

# Client ID of the registration that the app itself names: App Service authentication in front of it, and its settings,
# which stay when somebody switches off what is in front.
# A question that fails fails this: no answer is not the answer that there is none.
find_registration() {
  local app front settings
  app=$(find_app) || return 1
  [ -n "$app" ] || return 0
  front=$(az rest --method get --url "$app/config/authsettingsV2?api-version=2025-03-01" --output tsv \
    --query 'properties.platform.enabled && properties.identityProviders.azureActiveDirectory.registration.clientId') ||
    return 1
  settings=$(az rest --method post --url "$app/config/appsettings/list?api-version=2025-03-01" --output tsv \
    --query "properties.AUTHENTICATION == 'entra' && properties.ENTRA_CLIENT_ID") || return 1
  front=$(found "$front") settings=$(found "$settings")
  if [ -n "$front" ] && [ -n "$settings" ] && [ "$front" != "$settings" ]; then
    fail "App Service authentication names the registration $front, the app's settings name $settings: set ENTRA_CLIENT_ID to the right one"
  fi
  found "${front:-$settings}"
}

# Client ID of the registration that an earlier deployment made, when it came no further than that.
find_recorded() {
  local recorded
  recorded=$(az group show --name "$group" --query "tags.\"$record_tag\"" --output tsv) || return 1
  found "$recorded"
}

# Object ID of whoever is signed in, a person or an application, as its token for Azure says: Entra need not be asked,
# which applications seldom may.
find_myself() {
  az account get-access-token --query accessToken --output tsv | "$python" -c '
import base64, json, sys
part = sys.stdin.read().split(".")[1]
print(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["oid"])'
}

# Only an owner changes or deletes a registration, whatever directory role would allow it.
require_owner() {
  local client=$1 myself owners
  myself=$(find_myself) || fail "Entra does not tell who you are, so nothing is changed in the app registration $client"
  owners=$(az ad app owner list --id "$client" --query '[].id' --output tsv) ||
    fail "the app names the registration $client, which Entra does not show"
  grep -qxF "$myself" <<<"$owners" ||
    fail "you are no owner of the app registration $client: become one, or leave --entra out and it stays as it is"
}
