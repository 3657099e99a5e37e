"""What a person is told for each thing that holds a run up: code, message, advice."""

from shared.errors import Reason

DROPPING_AGAIN = (
    "A file that is dropped is the newest: first look whether a newer file of this feed was taken meanwhile "
    "(python -m shared runs --feed FEED). If so, do not drop this one again: drop today's export."
)
"""Where somebody is told to drop a file again: it would undo what a newer one has changed."""

BUCKET_FULL = Reason(
    "bucketFull",
    "The provisioning job's queue is full (500).",
    "The run goes on by itself. If this lasts, look at the job in the Entra admin center: paused, in quarantine, or "
    "with many failing records it does not empty its queue.",
)
THROTTLED = Reason(
    "throttled",
    "Microsoft Graph asks to wait (429), longer or more often than one function call can.",
    "The run goes on by itself when the time is over. If it happens daily, compare BULK_REQUESTS_PER_DAY with the "
    "tenant's licence, and look for other clients of this API in the tenant.",
)
UNAVAILABLE = Reason(
    "unavailable",
    "Microsoft Graph gave no usable answer several times.",
    "The run goes on by itself. If this lasts, check the network path to GRAPH_ENDPOINT and the Microsoft 365 service "
    "health.",
)
UNAUTHENTICATED = Reason(
    "unauthenticated",
    "Microsoft Graph does not take the connector's token (401), also not a new one.",
    "Check that AZURE_CLIENT_ID is the client id of the function app's user-assigned identity and that GRAPH_ENDPOINT "
    "is the cloud of this tenant.",
)
WITHOUT_TOKEN = Reason(
    "noToken",
    "The managed identity endpoint gives no token for Microsoft Graph.",
    "Check that the user-assigned identity whose client id is AZURE_CLIENT_ID is attached to the function app.",
)
FORBIDDEN = Reason(
    "forbidden",
    "Microsoft Graph refuses the upload (403): the identity lacks SynchronizationData-User.Upload.",
    "Grant the application permission SynchronizationData-User.Upload to the function app's managed identity. Azure "
    "caches a managed identity's token, so a new grant can take up to 24 hours to work. The run goes on by itself.",
)
NOT_FOUND = Reason(
    "jobNotFound",
    "Microsoft Graph knows no such provisioning job (404).",
    "Compare job.servicePrincipalId (the object id of the enterprise application, not its application id) and "
    "job.jobId in the feed file with the app's Provisioning API Endpoint in the Entra admin center. A run keeps the "
    "ids that it was planned with: once the feed file is repaired, cancel this run and drop the file again. If the "
    "ids are right and the job was made just now, resume the run. " + DROPPING_AGAIN,
)


def unexpected(status: int) -> Reason:
    """A status that nothing is known of."""
    return Reason(
        "unexpectedAnswer",
        f"Microsoft Graph answered with status {status}, which bulkUpload is not known to give.",
        "Check GRAPH_ENDPOINT, and whether a proxy or firewall stands between the function app and Microsoft Graph.",
    )


REDIRECTED = Reason(
    "redirected",
    "The answer is a redirect, which is not followed: a token goes nowhere else.",
    "Check that GRAPH_ENDPOINT is the host of this tenant's cloud, and whether a proxy or firewall stands between the "
    "function app and Microsoft Graph.",
)
PROXY_PAGE = Reason(
    "proxyPage",
    "A web page came back where Microsoft Graph gives JSON: something else answers in its place. No row was rejected.",
    "Look for a proxy, a firewall or a DNS entry between the function app and GRAPH_ENDPOINT, and let "
    "application/scim+json pass unchanged.",
)
MEDIA_TYPE = Reason(
    "mediaTypeRefused",
    "Microsoft Graph does not take application/scim+json here (415).",
    "Check whether a proxy changes the Content-Type header; otherwise report it as a fault of this connector.",
)
EVERYTHING_REJECTED = Reason(
    "everythingRejected",
    "The API refuses row after row, and to find each of them costs the tenant's daily calls; the rows that were not "
    "sent yet wait, newer files don't.",
    "Look at the API's words in ledger.ndjson. If the reason is outside the file (a proxy, the provisioning job): "
    "repair it; resume ends the wait of up to an hour, and resend sends the rows that were refused before. If the data "
    "are at fault: drop the right file, then cancel this run.",
)
DAILY_QUOTA = Reason(
    "dailyQuota",
    "The tenant's calls for 24 hours (BULK_REQUESTS_PER_DAY) are used up.",
    "Nothing has to be done: the run goes on by itself as calls free up; notBefore says when.",
)
DAILY_QUOTA_URGENT = Reason(
    DAILY_QUOTA.code,
    "The tenant's calls for 24 hours are used up, the reserve for urgent feeds (BULK_REQUESTS_RESERVED_PER_DAY) too.",
    "The run goes on by itself as calls free up; notBefore says when. If it can't wait, disable the account by hand in "
    "the Entra admin center or in Active Directory now, and raise the reserve for the next time.",
)
NEWER_RUN_UNREADABLE = Reason(
    "newerRunUnreadable",
    "The blobs of a newer run can't be read (the event run.unreadable names it), so nobody can tell for which workers "
    "this run's data are out of date; nothing more of this run is sent.",
    "Somebody changed or deleted blobs in the container runs. Bring them back (undelete, or an older version); the run "
    "then goes on by itself. If that can't be done, cancel this run and drop today's full export.",
)
WAITS = frozenset({BUCKET_FULL.code, THROTTLED.code, UNAVAILABLE.code})
"""Codes of waits that the API has caused, and that should end by themselves."""
PLAN_DAMAGED = "planDamaged"


def plan_damaged(blob: str) -> Reason:
    """What is left of a run's plan can't be trusted."""
    return Reason(
        PLAN_DAMAGED,
        f"{blob} is not what was planned, or is gone; nothing more of this run is sent.",
        f"Somebody changed or deleted the run's blobs. Cancel this run and drop the HR file again. {DROPPING_AGAIN}",
    )
