# The key vault and what has to be in it before anything is deployed. deploy.sh reads this; it sets `group`, `mode`,
# `subscription`, `secrets` and `sendgrid_key`, and has `say`, `fail` and `add`.
# shellcheck shell=bash
# shellcheck disable=SC2154 # deploy.sh sets them

# Name of the vault that this template made in this group; nothing when there is none.
find_vault() {
  az keyvault list --resource-type vault --resource-group "$group" \
    --query "[?tags.application=='sendgrid-segment-export'].name | [0]" --output tsv
}

# Whoever may not ask in the whole subscription hears of one from Azure, when the template is deployed.
find_deleted_vault() {
  az keyvault list-deleted --resource-type vault \
    --query "[?properties.tags.application=='sendgrid-segment-export' && contains(properties.vaultId, '/resourceGroups/$group/')].name | [0]" \
    --output tsv 2>/dev/null || true
}

# Through Resource Manager, because the vault itself may be closed to this machine. Names only, never values.
list_secrets() {
  az rest --method get --query 'value[].name' --output tsv \
    --url "/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.KeyVault/vaults/$1/secrets?api-version=2026-02-01"
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
    add recoverVault true
  fi
  for secret in "${secrets[@]}"; do
    if grep -qx "$secret" <<<"$existing"; then
      continue
    elif [ "$secret" != "${secrets[0]}" ]; then
      fail "the vault has no secret $secret: az keyvault secret set --vault-name ${vault:-VAULT} --name $secret --file /dev/stdin --output none"
    elif [ -z "$sendgrid_key" ] && [ "$mode" = deploy ]; then
      ask_for_key
    fi
  done
}
