namespace AuditCli.Collectors.Gcp;

/// <summary>Google Cloud in the catalogue of sources.</summary>
internal static class GcpEntry
{
    public static CollectorEntry Create() => new()
    {
        Source = GcpSource.Create(),
        Title = "Google Cloud",
        Implementation = typeof(GcpCollector),
        Open = context => new GcpCollector(context.Transport, context.Clock, context.CredentialUsed),
        Permissions = GcpPermissions.Document,
        PermissionForm = "a custom role as gcloud takes it (YAML)",
        Call = new(
            "Call one operation of Google Cloud, with application default credentials, a credentials file or those of an engagement's target.",
            "As <api>:<collection.method>, such as iam:projects.serviceAccounts.list.",
            """
            Prints what gcloud --format=json prints before it adds or reshapes anything: for a list, the elements of all pages in
            one JSON array (an aggregated list without its locations); otherwise the response itself. Values are the
            API's own, so int64 is text. A list that reports missing parts (unreachable, warning, missingZones) is incomplete.
            {project} inside a value stands for the project; a parameter that names exactly a project can be left out.

            Examples:
              auditcli call gcp iam:projects.serviceAccounts.list --project p-one
              auditcli call gcp iam:projects.serviceAccounts.list name=projects/p-one --impersonate audit@p-one.iam.gserviceaccount.com
              auditcli call gcp cloudkms:projects.locations.keyRings.list parent=projects/{project}/locations/global --project p-one
              auditcli call gcp cloudresourcemanager:projects.getIamPolicy --project p-one --engagement engagement.yaml --target cloud
            """,
            [
                new("--credentials", "FILE", "A credentials file; default the application default credentials.", "credentials"),
                new("--impersonate", "ACCOUNT", "The service account to impersonate.", "impersonate"),
            ],
            new("--project", "P", "The project to read; default: the target's, if it has only one.", ""),
            item => item.Account),
        Starter = new("cloud", "{ organization: \"123456789012\" }", "or folder: \"...\", or projects: [a, b]")
        {
            Variables = ["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT", "CLOUDSDK_CONFIG"],
            HomeFiles = [".config/gcloud/application_default_credentials.json"],
        },
        NewControl = new("GCP", "iam:projects.serviceAccounts.list", "email"),
        Quick = new("Without an engagement: the Google Cloud project of the credentials in your environment.")
        {
            Needs = new("--project", "ID", "With --gcp: the projects; default GOOGLE_CLOUD_PROJECT or CLOUDSDK_CORE_PROJECT.", "projects"),
            Variables = ["GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"],
            Missing = "--gcp needs a project: give --project ID, or set GOOGLE_CLOUD_PROJECT or CLOUDSDK_CORE_PROJECT",
        },
        Fields = new()
        {
            Dropped = ["X-Goog-Iam-Authorization-Token"],
            DroppedParameters = ["X-Goog-Signature", "X-Goog-Credential"],
            Key = ["X-Goog-User-Project"],
            RequestIds = ["X-Goog-Request-Id"],
        },
        Codes = GcpCodes.All,
        SecretPlaces = GoogleSecretPlaces.All,
    };
}
