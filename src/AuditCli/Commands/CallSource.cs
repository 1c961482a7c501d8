using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using AuditCli.Collectors;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Evidence;

namespace AuditCli.Commands;

/// <summary>One request of <c>call</c>.</summary>
/// <param name="Place">The region or project of the request; null for the default of the target.</param>
internal sealed record CallQuestion(Target Target, string Operation, ImmutableSortedDictionary<string, JsonElement> Parameters, string? Place);

/// <summary>The wording, options and collector of one provider for <c>call</c>.</summary>
/// <param name="Name">The source's name, for example <c>aws</c>.</param>
/// <param name="Title">The provider's name for people.</param>
/// <param name="Operation">The description of the argument OPERATION.</param>
/// <param name="Details">The help text after the options.</param>
/// <param name="Settings">Options that override a setting of the target, each with the setting's name.</param>
/// <param name="Place">The option for <see cref="CallQuestion.Place"/>; null if the provider has none.</param>
internal sealed record CallSource(
    string Name,
    string Title,
    string Description,
    string Operation,
    string Details,
    ImmutableArray<(string Setting, Option<string?> Option)> Settings,
    Option<string?>? Place,
    Func<CollectorContext, CallQuestion, CancellationToken, Task<JsonElement>> AskAsync)
{
    /// <summary>Returns every provider; each source of the catalogue occurs once.</summary>
    public static ImmutableArray<CallSource> All(AuditHost host) => [Aws(host), Gcp(host), Kubernetes(host)];

    private static CallSource Aws(AuditHost host) => new(
        AwsSource.Name,
        "AWS",
        "Call one operation of an AWS account, with the AWS SDK's own credentials or those of an engagement's target.",
        "As <AWS CLI service name>:<Operation>, such as iam:ListUsers.",
        """
        Lists that go on from page to page are joined.

        Examples:
          auditcli call aws iam:ListUsers
          auditcli call aws iam:ListMFADevices UserName=alice
          auditcli call aws cloudtrail:LookupEvents --region us-east-1 'LookupAttributes=[{"AttributeKey":"Username","AttributeValue":"root"}]'
          auditcli call aws s3:GetBucketAcl Bucket=ledger --engagement engagement.yaml --target prod
        """,
        [],
        CommandOptions.Text(host, "--region", "R", "The region to ask; default the credentials' own."),
        async (context, question, cancellationToken) =>
        {
            await using var collector = new AwsCollector(context.Transport, context.Clock, context.CredentialUsed);
            return await collector.CallAsync(question.Target, question.Operation, question.Parameters, question.Place, cancellationToken);
        });

    private static CallSource Gcp(AuditHost host) => new(
        GcpSource.Name,
        "Google Cloud",
        "Call one operation of Google Cloud, with application default credentials, a credentials file or those of an engagement's target.",
        "As <api>:<collection.method>, such as iam:projects.serviceAccounts.list.",
        """
        What is printed is what gcloud prints with --format=json before it adds or reshapes anything: of a list, the elements of all pages in
        one JSON array, those of an aggregated list without the locations above them; of everything else, the answer itself. Values are the
        API's own, so that int64 is text. A list that says that some of it is missing (unreachable, warning, missingZones) is incomplete.
        {project} inside a value stands for the project; a parameter that names exactly a project can be left out.

        Examples:
          auditcli call gcp iam:projects.serviceAccounts.list --project p-one
          auditcli call gcp iam:projects.serviceAccounts.list name=projects/p-one --impersonate audit@p-one.iam.gserviceaccount.com
          auditcli call gcp cloudkms:projects.locations.keyRings.list parent=projects/{project}/locations/global --project p-one
          auditcli call gcp cloudresourcemanager:projects.getIamPolicy --project p-one --engagement engagement.yaml --target cloud
        """,
        [
            ("credentials", CommandOptions.Text(host, "--credentials", "FILE", "A credentials file; default the application default credentials.")),
            ("impersonate", CommandOptions.Text(host, "--impersonate", "ACCOUNT", "The service account to ask as.")),
        ],
        CommandOptions.Text(host, "--project", "P", "The project to ask about; default the target's, where it has one alone."),
        async (context, question, cancellationToken) =>
        {
            await using var collector = new GcpCollector(context.Transport, context.Clock, context.CredentialUsed);
            var project = question.Place ?? (question.Target.Settings.TryGetValue("projects", out var projects) && projects is [var only] ? only : null);
            return await collector.CallAsync(question.Target, question.Operation, question.Parameters, project, cancellationToken);
        });

    private static CallSource Kubernetes(AuditHost host) => new(
        KubernetesSource.Name,
        "Kubernetes",
        "List the objects of one resource of a cluster, with kubectl's own configuration or that of an engagement's target.",
        "As <group>/<version>/<resource>, or v1/<resource> for the core group, such as apps/v1/deployments.",
        """
        What is printed is the server's list with the objects of all pages, each with its apiVersion and kind, and every number as the server
        writes it. Secrets are refused before anything is sent; of configmaps only the metadata is asked for.

        Examples:
          auditcli call kubernetes v1/namespaces
          auditcli call kubernetes apps/v1/deployments namespace=trading --context trading-prod
          auditcli call kubernetes v1/pods labelSelector=app=ledger fieldSelector=status.phase=Running
          auditcli call kubernetes rbac.authorization.k8s.io/v1/clusterroles --engagement engagement.yaml --target trading
        """,
        [
            ("context", CommandOptions.Text(host, "--context", "C", "The context of the kubeconfig; default its current one.")),
            ("kubeconfig", CommandOptions.Text(host, "--kubeconfig", "FILE", "The kubeconfig; default kubectl's own.")),
        ],
        null,
        async (context, question, cancellationToken) =>
        {
            await using var collector = new KubernetesCollector(context.Transport, context.Clock, context.CredentialUsed);
            return await collector.CallAsync(question.Target, question.Operation, question.Parameters, cancellationToken);
        });
}
