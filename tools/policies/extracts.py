"""Customer Insights can deliver, and the app hears of it without a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tools.policies.common import extract_account, must, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.deployment import Plan, Resource

TOPICS: Final = "Microsoft.EventGrid/systemTopics"
SUBSCRIPTIONS: Final = f"{TOPICS}/eventSubscriptions"
COMMITTING: Final = {"PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose"}
"""The calls after which a blob is whole: https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage"""
DAY: Final = 24 * 60 * 60


def extracts_can_be_delivered(plan: Plan) -> Iterator[str]:
    """The account of the extracts is apart, and nothing that was deleted or overwritten stays in it.

    https://learn.microsoft.com/dynamics365/customer-insights/data/export-azure-blob-storage
    """
    account = extract_account(plan)
    if account is None:
        return
    yield from must(account, isHnsEnabled=True)
    for service in plan.of_type("Microsoft.Storage/storageAccounts/blobServices"):
        if service.id.startswith(account.id + "/"):
            yield from must(
                service,
                deleteRetentionPolicy__enabled=False,
                containerDeleteRetentionPolicy__enabled=False,
                isVersioningEnabled=False,
            )
    containers = plan.of_type("Microsoft.Storage/storageAccounts/blobServices/containers")
    inside = [each.name for each in containers if each.id.startswith(account.id + "/")]
    if inside != [setting(plan, "EXTRACT_CONTAINER")]:
        yield f"{account.name}: has the containers {inside}"


def events_come_by_identity(plan: Plan) -> Iterator[str]:
    """One topic on the extracts, which is told of whole blobs and puts them into the queue as itself."""
    account, topics = extract_account(plan), plan.of_type(TOPICS)
    if len(topics) != (1 if account else 0):
        yield f"{len(topics)} topics watch the extracts"
    for topic in topics:
        if account and topic.get("properties.source") != account.id:
            yield f"{topic.name}: watches {topic.get('properties.source')}"
        if topic.get("identity.type") != "SystemAssigned":
            yield f"{topic.name}: identity is {topic.get('identity.type')}, which no closed account lets in"
        if not any(_tells(plan, alert, topic) for alert in plan.of_type("Microsoft.Insights/metricAlerts")):
            yield f"{topic.name}: nobody is told of events that are not delivered"
    subscriptions = plan.of_type(SUBSCRIPTIONS)
    if len(subscriptions) != len(topics):
        yield f"{len(subscriptions)} subscriptions for {len(topics)} topics"
    for subscription in subscriptions:
        yield from _delivery(plan, subscription)
        yield from _filter(plan, subscription)


def _tells(plan: Plan, alert: Resource, topic: Resource) -> bool:
    """Whether an alert tells people of events of a topic that were not delivered."""
    people = [group.id for group in plan.of_type("Microsoft.Insights/actionGroups")]
    told = [each["actionGroupId"] for each in alert.get("properties.actions") or []]
    metrics = [each["metricName"] for each in alert.get("properties.criteria.allOf")]
    return alert.get("properties.scopes") == [topic.id] and told == people and metrics == ["DeadLetteredCount"]


def _delivery(plan: Plan, subscription: Resource) -> Iterator[str]:
    yield from must(
        subscription,
        destination=None,
        deadLetterDestination=None,
        eventDeliverySchema="CloudEventSchemaV1_0",
        deliveryWithResourceIdentity__identity__type="SystemAssigned",
        deliveryWithResourceIdentity__destination__endpointType="StorageQueue",
        deadLetterWithResourceIdentity__identity__type="SystemAssigned",
        deadLetterWithResourceIdentity__deadLetterDestination__endpointType="StorageBlob",
        retryPolicy={"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": DAY // 60},
    )
    queue = subscription.get("properties.deliveryWithResourceIdentity.destination.properties") or {}
    letters = subscription.get("properties.deadLetterWithResourceIdentity.deadLetterDestination.properties") or {}
    made = {each.id for each in plan.resources}
    for place in (
        f"{queue.get('resourceId')}/queueServices/default/queues/{queue.get('queueName')}",
        f"{letters.get('resourceId')}/blobServices/default/containers/{letters.get('blobContainerName')}",
    ):
        if place not in made:
            yield f"{subscription.name}: delivers to {place}, which is not made"
    if queue.get("queueMessageTimeToLiveInSeconds", 0) < DAY:
        yield f"{subscription.name}: events wait in the queue for less than a day"


def _filter(plan: Plan, subscription: Resource) -> Iterator[str]:
    folder = setting(plan, "EXTRACT_PREFIX").rstrip("/")
    below = f"/blobServices/default/containers/{setting(plan, 'EXTRACT_CONTAINER')}/blobs/"
    yield from must(
        subscription,
        filter__includedEventTypes=["Microsoft.Storage.BlobCreated"],
        filter__subjectBeginsWith=below + (f"{folder}/" if folder else ""),
    )
    asked = subscription.get("properties.filter.advancedFilters") or []
    calls = [
        {*each["values"]} for each in asked if (each["operatorType"], each["key"]) == ("StringIn", "data.api")
    ]
    if len(asked) != 1 or calls != [COMMITTING]:
        yield f"{subscription.name}: is told of more or less than whole blobs: {asked}"
