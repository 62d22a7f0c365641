#!/usr/bin/env bash
# Removes what infra/deploy.sh made in a resource group: docs/deploy.md explains what stays behind, and why.
set -euo pipefail

usage() {
  cat <<'END'
Usage: infra/destroy.sh --resource-group NAME [--yes] [--entra]

  --yes     do not ask
  --entra   remove the app registration too: the one that the app names, if you own it
END
}

group='' yes='' entra=''
while [ $# -gt 0 ]; do
  case $1 in
    --resource-group) group=$2 && shift ;;
    --yes) yes=yes ;;
    --entra) entra=yes ;;
    -h | --help) usage && exit 0 ;;
    *)
      echo "destroy: unknown option $1" >&2
      usage >&2
      exit 2
      ;;
  esac
  shift
done

say() { printf '%s\n' "$*"; }
fail() {
  printf 'destroy: %s\n' "$*" >&2
  exit 1
}

python=python3
# shellcheck source=infra/entra.sh
. "$(dirname "$0")/entra.sh"

[ -n "$group" ] || fail "say which resource group: --resource-group NAME"
command -v az >/dev/null || fail "the Azure CLI is missing"
subscription=$(az account show --query id --output tsv) || fail "sign in first: az login"
if [ "$(az group exists --name "$group")" != true ]; then
  say "there is no resource group $group: nothing to remove"
  exit 0
fi

# Everything in the group, by ID, ours first: a group with anything else in it is not removed as a whole.
list() { az resource list --resource-group "$group" --query "$1" --output tsv; }
others=$(list "[?tags.application!='sendgrid-segment-export' && type!='Microsoft.Network/networkInterfaces'].id")
ours=$(list "[?tags.application=='sendgrid-segment-export'].id")
if [ -z "$ours$others" ]; then
  say "the resource group $group is empty"
fi
if [ -n "$others" ]; then
  say "not made by infra/deploy.sh, so the resource group cannot be removed as a whole:"
  say "$others"
  fail "remove or move these first, or remove ours one by one: az resource delete --ids …"
fi

locks=$(az lock list --resource-group "$group" --query '[].id' --output tsv)
if [ -n "$locks" ]; then
  say "locked, so that nobody removes it by mistake:"
  say "$locks"
  fail "remove the locks first: az lock delete --ids …"
fi
# Asked now, for afterwards there is no app to name it.
registration=''
if [ -n "$entra" ]; then
  registration=$(find_registration)
  [ -z "$registration" ] || require_owner "$registration"
fi

say "about to remove the resource group $group in subscription $subscription, with the state of all exports:"
say "$ours"
if [ -z "$yes" ]; then
  [ -t 0 ] || fail "say --yes to remove without being asked"
  read -r -p "Type the resource group's name to go on: " answer
  [ "$answer" = "$group" ] || fail "nothing was removed"
fi

az group delete --name "$group" --yes
say "removed        $group"
if [ -n "$entra" ]; then
  [ -z "$registration" ] || az ad app delete --id "$registration"
  say "removed        app registration ${registration:-(the app names none)}"
fi
say "what stays     the key vault, deleted but protected from purging for 90 days, with the SendGrid key;"
say "               deploy.sh brings it back. Delete the key at SendGrid if it shall not be used again."
