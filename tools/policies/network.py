"""Either everything is open, or everything is closed and has its private endpoint and its zone."""

from __future__ import annotations

import ipaddress
import operator
import re
from typing import TYPE_CHECKING

from tools.policies.common import extracts_lie_in, must

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.deployment import Plan, Resource


def network_is_as_asked(plan: Plan) -> Iterator[str]:
    """Either everything is open, or everything is closed and has its private endpoint and its zone."""
    networks = plan.of_type("Microsoft.Network/virtualNetworks")
    access, default = ("Disabled", "Deny") if networks else ("Enabled", None)
    targets = [
        *plan.of_type("Microsoft.Storage/storageAccounts"),
        *plan.of_type("Microsoft.KeyVault/vaults"),
    ]
    for target in targets:
        yield from must(target, publicNetworkAccess=access)
        if default and target.get("properties.networkAcls.defaultAction") != default:
            yield f"{target.name}: lets others in by default"
        if default:
            yield from _passes(plan, target)
    for app in plan.of_type("Microsoft.Web/sites"):
        if bool(app.get("properties.virtualNetworkSubnetId")) != bool(networks):
            yield f"{app.name}: its subnet is {app.get('properties.virtualNetworkSubnetId')}"
    if networks:
        yield from _endpoints(plan)


def _passes(plan: Plan, target: Resource) -> Iterator[str]:
    """Azure's trusted services pass only where Event Grid must: where it looks, and where it delivers."""
    used = {each.get("properties.source") for each in plan.of_type("Microsoft.EventGrid/systemTopics")}
    for subscription in plan.of_type("Microsoft.EventGrid/systemTopics/eventSubscriptions"):
        used.add(subscription.get("properties.deliveryWithResourceIdentity.destination.properties.resourceId"))
    wanted = "AzureServices" if target.id in used else "None"
    if target.get("properties.networkAcls.bypass") != wanted:
        yield f"{target.name}: lets {target.get('properties.networkAcls.bypass')} pass, must be {wanted}"


def _endpoints(plan: Plan) -> Iterator[str]:
    linked: set[tuple[str, str]] = set()
    extracts = extracts_lie_in(plan).rpartition("/")[2]
    for endpoint in plan.of_type("Microsoft.Network/privateEndpoints"):
        for link in endpoint.get("properties.privateLinkServiceConnections"):
            target = link["properties"]["privateLinkServiceId"].rpartition("/")[2]
            short = "extracts" if target == extracts else re.sub(r"\w*(host|data)\w*|kv-.*", r"\1", target)
            linked.update((short, group) for group in link["properties"]["groupIds"])
        groups = [
            each
            for each in plan.of_type("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
            if each.id.startswith(endpoint.id + "/")
        ]
        if len(groups) != 1:
            yield f"{endpoint.name}: has {len(groups)} zone groups"
    for wanted in (
        ("host", "blob"),
        ("host", "queue"),
        ("host", "table"),
        ("data", "blob"),
        ("data", "queue"),
        ("extracts", "blob"),
        ("", "vault"),
    ):
        if wanted not in linked:
            yield f"no private endpoint for {wanted}"
    zones = {each.name for each in plan.of_type("Microsoft.Network/privateDnsZones")}
    expected = {
        f"[format('privatelink.{kind}.{{0}}', environment().suffixes.storage)]"
        for kind in ("blob", "queue", "table")
    }
    if zones != expected | {"privatelink.vaultcore.azure.net"}:
        yield f"zones are {sorted(zones)}"
    links = plan.of_type("Microsoft.Network/privateDnsZones/virtualNetworkLinks")
    if len(links) != len(zones):
        yield f"{len(links)} of {len(zones)} zones are linked to the network"
    for link in links:
        yield from must(link, registrationEnabled=False)
    yield from _subnets(plan)
    yield from _rules(plan)


def _rules(plan: Plan) -> Iterator[str]:
    for group in plan.of_type("Microsoft.Network/networkSecurityGroups"):
        for rule in group.get("properties.securityRules") or []:
            if rule["properties"]["direction"] not in {"Inbound", "Outbound"}:
                yield f"{group.name}: direction is {rule['properties']['direction']!r}"
        if group.name.endswith("-app"):
            yield from _egress(group)


def _egress(group: Resource) -> Iterator[str]:
    """Out of the app's subnet goes HTTPS, and what stays in it: the rest is denied last."""
    rules = [each["properties"] for each in group.get("properties.securityRules") or []]
    rules = sorted(
        (each for each in rules if each["direction"] == "Outbound"), key=operator.itemgetter("priority")
    )
    allowed = [each for each in rules if each["access"] == "Allow"]
    wide = [each for each in allowed if each["destinationAddressPrefix"] == "*"]
    if [(each["protocol"], each["destinationPortRange"]) for each in wide] != [("Tcp", "443")]:
        yield f"{group.name}: lets out more than HTTPS"
    last = rules[-1] if rules else {}
    if (last.get("access"), last.get("protocol"), last.get("destinationAddressPrefix")) != ("Deny", "*", "*"):
        yield f"{group.name}: lets out what no rule names"


def _subnets(plan: Plan) -> Iterator[str]:
    for network in plan.of_type("Microsoft.Network/virtualNetworks"):
        subnets = {each["name"]: each["properties"] for each in network.get("properties.subnets")}
        delegations = [each["properties"]["serviceName"] for each in subnets["app"].get("delegations", [])]
        if delegations != ["Microsoft.App/environments"]:
            yield f"the app's subnet is delegated to {delegations}"
        if subnets["endpoints"].get("delegations"):
            yield "the endpoints' subnet is delegated"
        whole = ipaddress.ip_network(network.get("properties.addressSpace.addressPrefixes")[0])
        inside = [ipaddress.ip_network(each["addressPrefix"]) for each in subnets.values()]
        if inside[0].overlaps(inside[1]) or not all(whole.overlaps(each) for each in inside):
            yield f"subnets {[str(each) for each in inside]} do not fit into {whole}"
        for name, subnet in subnets.items():
            if not subnet.get("networkSecurityGroup"):
                yield f"subnet {name} has no security group"
            if "_" in name:
                yield f"subnet {name}: Flex Consumption takes no underscore"
